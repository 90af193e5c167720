"""Arrays as a model takes them: channels first, channels last, or one flat row an image."""

from typing import Literal

import torch

__all__ = ["Layout", "laid_out"]

Layout = Literal["nchw", "nhwc", "flat"]


def laid_out(images: torch.Tensor, layout: Layout | None) -> torch.Tensor:
    """Return images (N, C, H, W) in a layout.

    Args:
        images: (N, C, H, W).
        layout: `nchw` as they are; `nhwc`: (N, H, W, C); `flat`: (N, H * W * C), which is what
            `np.asarray(image).ravel()` gives.

    Example:
        >>> laid_out(torch.zeros(2, 3, 4, 5), "flat").shape
        torch.Size([2, 60])
    """
    if layout in (None, "nchw"):
        return images
    last = images.permute(0, 2, 3, 1).contiguous()
    return last if layout == "nhwc" else last.reshape(len(last), -1)
