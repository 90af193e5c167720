"""A mean of a column: overlap of a predicted and a true region, 0 to 1."""

from pytest_fairness import SampleMean

MEAN_IOU = SampleMean("mean_iou", column="iou", bounds=(0, 1), higher_is_better=True)
