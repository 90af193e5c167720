"""Topographic maps: what each group activates in a layer, drawn, and compared in numbers."""

from pytest_fairness.analyses.topography.arranging import align_rotation, group_order
from pytest_fairness.analyses.topography.figures import draw_maps, save_maps
from pytest_fairness.analyses.topography.force import local_force, move_apart
from pytest_fairness.analyses.topography.layouts import layout_channels
from pytest_fairness.analyses.topography.maps import LayerMaps, TopographicMaps, topographic_maps
from pytest_fairness.analyses.topography.per_layer import observe_topography
from pytest_fairness.analyses.topography.profiles import Profiles, RunningProfiles, mean_profiles
from pytest_fairness.analyses.topography.quality import LayoutQuality, layout_quality
from pytest_fairness.analyses.topography.rendering import Renderer
from pytest_fairness.analyses.topography.similarity import (
    Similarities,
    Similarity,
    topographic_similarity,
)

__all__ = [
    "LayerMaps",
    "LayoutQuality",
    "Profiles",
    "Renderer",
    "RunningProfiles",
    "Similarities",
    "Similarity",
    "TopographicMaps",
    "align_rotation",
    "draw_maps",
    "group_order",
    "layout_channels",
    "layout_quality",
    "local_force",
    "mean_profiles",
    "move_apart",
    "observe_topography",
    "save_maps",
    "topographic_maps",
    "topographic_similarity",
]
