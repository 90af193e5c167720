"""The network of the audited system, layer by layer as it was trained."""

from collections.abc import Sequence
from typing import Literal

import torch
from torch import nn
from typing_extensions import override

__all__ = ["Pool", "SEResNet101"]

Pool = Literal["corner", "full"]
_EXPANSION = 4
_REDUCTION = 16
_CORNER = 5


class SqueezeExcitation(nn.Module):
    """Scale each channel by a gate in (0, 1): z = mean of HW, x * sigmoid(W2 relu(W1 z))."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.fc = nn.Sequential(
            nn.Linear(channels, channels // _REDUCTION),
            nn.ReLU(),
            nn.Linear(channels // _REDUCTION, channels),
            nn.Sigmoid(),
        )

    @override
    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return `features` (N, C, H, W), reweighted."""
        gate: torch.Tensor = self.fc(features.mean(dim=(2, 3)))
        return features * gate[:, :, None, None]


class Bottleneck(nn.Module):
    """1x1, 3x3, 1x1 convolutions; the first one strides, the gate comes before the shortcut.

    Args:
        inputs: Channels that come in.
        planes: Channels of the 3x3 convolution; four times as many go out.
        stride: Stride of the first 1x1 convolution and of the shortcut.
    """

    def __init__(self, inputs: int, planes: int, stride: int = 1) -> None:
        super().__init__()
        outputs = planes * _EXPANSION
        self.conv1 = nn.Conv2d(inputs, planes, 1, stride, bias=False)
        self.bn1 = nn.BatchNorm2d(planes)
        self.conv2 = nn.Conv2d(planes, planes, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(planes)
        self.conv3 = nn.Conv2d(planes, outputs, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(outputs)
        self.se = SqueezeExcitation(outputs)
        self.downsample: nn.Module = nn.Identity()
        if stride != 1 or inputs != outputs:
            self.downsample = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
            )

    @override
    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Map (N, inputs, H, W) to (N, 4 * planes, ceil(H / stride), ceil(W / stride))."""
        out = torch.relu(self.bn1(self.conv1(features)))
        out = torch.relu(self.bn2(self.conv2(out)))
        out = self.se(self.bn3(self.conv3(out)))
        return torch.relu(out + self.downsample(features))


class Features(nn.Module):
    """Stem, four stages and the pooling: images (N, 3, 224, 224) to (N, 2048).

    The names of its layers are those of the original checkpoints.

    Args:
        blocks: Bottlenecks of each stage.
        planes: Their planes.
        pool: `corner` averages the 5x5 top-left cells of the last 7x7 map, as the original does;
            `full` averages all of it.
    """

    def __init__(self, blocks: Sequence[int], planes: Sequence[int], *, pool: Pool) -> None:
        super().__init__()
        self.pool = pool
        width = planes[0]
        self.conv1 = nn.Conv2d(3, width, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.maxpool = nn.MaxPool2d(3, stride=2)  # no padding: 112 becomes 55, not 56
        for stage, (depth, stage_planes) in enumerate(zip(blocks, planes, strict=True)):
            layers = nn.Sequential()
            for block in range(depth):
                stride = 2 if stage > 0 and block == 0 else 1
                layers.append(Bottleneck(width, stage_planes, stride))
                width = stage_planes * _EXPANSION
            self.add_module(f"layer{stage + 1}", layers)
        self.width = width

    @override
    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return pooled features (N, 4 * planes of the last stage)."""
        out = self.maxpool(torch.relu(self.bn1(self.conv1(images))))
        for stage in range(1, 5):
            out = self.get_submodule(f"layer{stage}")(out)
        return self._pooled(out)

    def _pooled(self, features: torch.Tensor) -> torch.Tensor:
        if self.pool == "full":
            return features.mean(dim=(2, 3))
        height, width = features.shape[2:]
        if min(height, width) < _CORNER or max(height, width) >= 2 * _CORNER:
            msg = (
                f"pool 'corner' needs a last feature map of 5 to 9 cells a side, got {height}x"
                f"{width}; give images of 224x224, or build the network with pool='full'"
            )
            raise ValueError(msg)
        return features[:, :, :_CORNER, :_CORNER].mean(dim=(2, 3))


class SEResNet101(nn.Module):
    """SE-ResNet-101 over K labels, as the 4th place of the Inclusive Images Challenge trained it.

    It is not the SE-ResNet-101 of other libraries: the max pooling is not padded (112 to 55), the
    stride sits on the first 1x1 convolution, and the last pooling sees 25 of the 49 cells.

    Args:
        outputs: Number of labels K.
        pool: See `Features`; weights trained with one pooling are not right with the other.
        blocks: Bottlenecks of each stage.
        planes: Their planes.

    Source: azat-d/inclusive-images-challenge, audited in arXiv 2107.09211.
    """

    def __init__(
        self,
        outputs: int,
        *,
        pool: Pool = "corner",
        blocks: Sequence[int] = (3, 4, 23, 3),
        planes: Sequence[int] = (64, 128, 256, 512),
    ) -> None:
        super().__init__()
        self.features = Features(blocks, planes, pool=pool)
        self.classifier = nn.Linear(self.features.width, outputs)
        self.apply(_he_initialise)

    @override
    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return logits (N, K) of images (N, 3, 224, 224)."""
        scores: torch.Tensor = self.classifier(self.features(images))
        return scores


def _he_initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
