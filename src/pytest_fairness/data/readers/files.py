"""Image files below a folder."""

import os
from pathlib import Path

__all__ = ["IMAGE_ENDINGS", "image_files"]

IMAGE_ENDINGS = (".bmp", ".gif", ".jpeg", ".jpg", ".png", ".ppm", ".tif", ".tiff", ".webp")


def image_files(folder: Path) -> list[str]:
    """Return the images below a folder, relative to it, with `/` between folders, sorted.

    Hidden files and folders are left out: `._1.jpg` of macOS is no image.
    """
    found = []
    for path, folders, names in os.walk(folder, followlinks=True):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        below = Path(path).relative_to(folder).as_posix()
        start = "" if below == "." else f"{below}/"
        found += [
            start + name
            for name in names
            if name.lower().endswith(IMAGE_ENDINGS) and not name.startswith(".")
        ]
    return sorted(found)
