"""ResNet-18 with a quarter of the usual width and a stem for small images."""

import torch
from torch import nn
from typing_extensions import override

__all__ = ["BasicBlock", "ThinResNet18"]


class BasicBlock(nn.Module):
    """Two 3x3 convolutions with batch norm; shortcut; ReLU.

    Args:
        inputs: Channels that come in.
        outputs: Channels that go out.
        stride: Stride of the first convolution.
    """

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or inputs != outputs:
            self.shortcut = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
            )

    @override
    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Map (N, inputs, H, W) to (N, outputs, H / stride, W / stride)."""
        out = torch.relu(self.bn1(self.conv1(features)))
        out = self.bn2(self.conv2(out))
        return torch.relu(out + self.shortcut(features))


class ThinResNet18(nn.Module):
    """Stem, eight basic blocks in four stages of doubling width, average, linear layer.

    Args:
        outputs: Number of scores K.
        width: Channels of the first stage; 64 in the original.
    """

    def __init__(self, outputs: int, *, width: int = 16) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(3, width, 3, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
        )
        self.stages = nn.Sequential(BasicBlock(width, width), BasicBlock(width, width))
        for _ in range(3):
            self.stages.append(BasicBlock(width, 2 * width, stride=2))
            self.stages.append(BasicBlock(2 * width, 2 * width))
            width *= 2
        self.classifier = nn.Linear(width, outputs)

    @override
    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return logits (N, K) of images (N, 3, H, W)."""
        features = self.stages(self.stem(images))
        scores: torch.Tensor = self.classifier(features.mean(dim=(2, 3)))
        return scores
