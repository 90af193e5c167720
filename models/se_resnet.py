"""A small SE-ResNet: bottleneck blocks whose channels are reweighted before the shortcut is added."""

import torch
from torch import nn
from typing_extensions import override

__all__ = ["SEBottleneck", "SEResNet", "SqueezeExcitation"]


class SqueezeExcitation(nn.Module):
    """Scale each channel by a gate in (0, 1) computed from all channels' spatial means.

    Args:
        channels: Number of channels C.
        reduction: The gate's hidden layer has C / reduction units.
    """

    def __init__(self, channels: int, reduction: int = 16) -> None:
        super().__init__()
        self.squeeze = nn.Linear(channels, channels // reduction)
        self.excite = nn.Linear(channels // reduction, channels)

    @override
    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return `features` (N, C, H, W), reweighted."""
        hidden = torch.relu(self.squeeze(features.mean(dim=(2, 3))))
        return features * torch.sigmoid(self.excite(hidden))[:, :, None, None]


class SEBottleneck(nn.Module):
    """1x1, 3x3 and 1x1 convolutions, each with batch norm; gate; shortcut; ReLU.

    Args:
        inputs: Channels that come in.
        planes: Channels of the 3x3 convolution; `expansion` times as many go out.
        stride: Stride of the 3x3 convolution.
    """

    expansion = 4

    def __init__(self, inputs: int, planes: int, stride: int = 1) -> None:
        super().__init__()
        outputs = planes * self.expansion
        self.conv1 = nn.Conv2d(inputs, planes, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(planes)
        self.conv2 = nn.Conv2d(planes, planes, 3, stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(planes)
        self.conv3 = nn.Conv2d(planes, outputs, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(outputs)
        self.se = SqueezeExcitation(outputs)
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or inputs != outputs:
            self.shortcut = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
            )

    @override
    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Map (N, inputs, H, W) to (N, 4 * planes, H / stride, W / stride)."""
        out = torch.relu(self.bn1(self.conv1(features)))
        out = torch.relu(self.bn2(self.conv2(out)))
        out = self.se(self.bn3(self.conv3(out)))
        return torch.relu(out + self.shortcut(features))


class SEResNet(nn.Module):
    """Stem, four stages of SE bottlenecks that halve the image thrice, average, linear layer.

    Args:
        outputs: Number of scores K.
        planes: Planes of the blocks of each stage.
        blocks: Number of blocks of each stage.
    """

    def __init__(
        self,
        outputs: int,
        *,
        planes: tuple[int, ...] = (8, 24, 48, 96),
        blocks: tuple[int, ...] = (1, 1, 2, 2),
    ) -> None:
        super().__init__()
        width = 3 * planes[0]
        self.stem = nn.Sequential(
            nn.Conv2d(3, width, 3, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
        )
        self.stages = nn.Sequential()
        for stage, (stage_planes, depth) in enumerate(zip(planes, blocks, strict=True)):
            for block in range(depth):
                stride = 2 if stage > 0 and block == 0 else 1
                self.stages.append(SEBottleneck(width, stage_planes, stride))
                width = stage_planes * SEBottleneck.expansion
        self.classifier = nn.Linear(width, outputs)
        self.apply(_he_initialise)

    @override
    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return logits (N, K) of images (N, 3, H, W)."""
        features = self.stages(self.stem(images))
        scores: torch.Tensor = self.classifier(features.mean(dim=(2, 3)))
        return scores


def _he_initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
