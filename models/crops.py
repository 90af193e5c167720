"""Crops of an image as networks for 224x224 photographs take them: the centre, or ten of them."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import torch
    from PIL.Image import Image

__all__ = ["Crops"]


@dataclass(frozen=True, slots=True)
class Crops:
    """Resize the shorter side, keep the aspect, crop squares, normalise with ImageNet's moments.

    Args:
        which: `ten`: the four corners and the centre, and the same of the mirror image, stacked as
            (10, 3, size, size); `centre`: (3, size, size).
        shorter: Shorter side in pixels after resizing.
        size: Side of a crop in pixels, at most `shorter`.
        mean: Mean of each RGB channel on the 0 to 1 scale.
        std: Standard deviation of each RGB channel on the 0 to 1 scale.

    Example:
        >>> from PIL import Image
        >>> Crops("ten")(Image.new("RGB", (300, 400))).shape
        torch.Size([10, 3, 224, 224])
    """

    which: Literal["ten", "centre"]
    shorter: int = 256
    size: int = 224
    mean: tuple[float, float, float] = (0.485, 0.456, 0.406)
    std: tuple[float, float, float] = (0.229, 0.224, 0.225)

    def __call__(self, image: "Image") -> "torch.Tensor":
        """Return the crop or crops of one RGB image, float32."""
        import torch
        from torchvision.transforms import functional

        image = functional.resize(image, [self.shorter])
        crops = (
            functional.ten_crop(image, [self.size])
            if self.which == "ten"
            else [functional.center_crop(image, [self.size])]
        )
        tensors = [
            functional.normalize(functional.to_tensor(crop), self.mean, self.std) for crop in crops
        ]
        return torch.stack(tensors) if self.which == "ten" else tensors[0]
