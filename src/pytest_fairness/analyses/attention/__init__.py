"""Where a model looks: Grad-CAM maps, and Attention-IoU scores of masks and pairs of labels.

Source: Serianni et al., "Attention IoU: Examining Biases in CelebA using Attention Maps", CVPR 2025.
"""

from pytest_fairness.analyses.attention.iou import attention_iou, uniform_score
from pytest_fairness.analyses.attention.maps import AttentionMaps, attention_maps
from pytest_fairness.analyses.attention.per_image import AttentionObserved, observe_attention
from pytest_fairness.analyses.attention.scores import (
    HeatmapScores,
    MaskScores,
    ModelSummary,
    heatmap_score,
    mask_score,
    over_models,
)

__all__ = [
    "AttentionMaps",
    "AttentionObserved",
    "HeatmapScores",
    "MaskScores",
    "ModelSummary",
    "attention_iou",
    "attention_maps",
    "heatmap_score",
    "mask_score",
    "observe_attention",
    "over_models",
    "uniform_score",
]
