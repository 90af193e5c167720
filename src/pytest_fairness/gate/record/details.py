"""What a verdict tells beyond its number: changes since the baseline, and matched images."""

from pydantic import BaseModel, ConfigDict, Field

__all__ = [
    "AcceptedRecord",
    "BaselineRecord",
    "ChangeCounts",
    "ChangeRecord",
    "FlipRow",
    "FrozenRecord",
    "LookRecord",
    "MatchedRecord",
    "NeededRecord",
    "ObservedRecord",
    "PartRecord",
    "PredictionsFile",
    "UnanswerableRecord",
]


class FrozenRecord(BaseModel):
    """A frozen record.

    An infinite ratio is written as the text "Infinity", since JSON has no number for it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, ser_json_inf_nan="strings")


class PartRecord(FrozenRecord):
    """A rate that a value is made of."""

    name: str
    """Name in messages: `TPR`, `recall of cat`."""
    successes: int
    n: int
    reference_successes: int | None
    reference_n: int | None


class NeededRecord(FrozenRecord):
    """The images or people that an inconclusive question needs in addition, if the rates stay as seen."""

    more: int | None
    """How many more the group needs; None where one cluster has most of the images: others are needed,
    and no more images of that one."""
    reference_more: int | None
    """How many more the reference group needs; None where nothing is compared, or `more` is None."""
    of: str
    """What is collected: the column of the clusters, or what the rate is counted among."""
    chance: float
    """Chance that a set of that size decides the question, 0 to 1."""


class UnanswerableRecord(FrozenRecord):
    """Why no model passes a question on this evaluation set."""

    reason: str
    more: int | None
    """How many more the group needs so that the best possible answers pass; None where no number
    is known, or where no number would do."""
    reference_more: int | None
    """How many more the reference group needs; None where nothing is compared."""
    of: str
    """What is collected: the column of the clusters, or what the rate is counted among."""
    can_fail: bool
    """Whether a model can fail it."""


class ChangeCounts(FrozenRecord):
    """Counts of one group, now and in the baseline."""

    successes: int
    n: int
    baseline_successes: int
    baseline_n: int
    gained: int | None
    """Of the same images, the successes that are new; None when the images are not the same."""
    lost: int | None
    """Of the same images, the successes of the baseline that are gone."""
    right_to_wrong: int | None
    wrong_to_right: int | None


class ChangeRecord(FrozenRecord):
    """The change of an answer since the baseline."""

    paired: bool
    compared: str
    """How now and then were compared, and why not image by image."""
    group: ChangeCounts
    reference: ChangeCounts | None
    p_value: float | None
    """McNemar's exact p-value that the rate of the group is what it was; None where the images
    are not paired, or not independent."""
    worst: tuple[str, ...]
    """Samples that were right and are wrong, the largest fall of the true class's score first."""


class MatchedRecord(FrozenRecord):
    """Results of matched images, which differ in one attribute only, for one group."""

    pairs: int
    flipped: int
    """Pairs whose two images are given different classes."""
    right_to_wrong: int
    """Pairs whose reference image is right and whose other image is wrong."""
    wrong_to_right: int
    p_value: float | None
    """McNemar's exact p-value that both images are right equally often; None where the pairs are
    not independent."""
    unmatched: int
    """Images of the group without a partner; they are not compared."""
    reference_unmatched: int
    worst: tuple[tuple[str, str], ...]
    """Ids of pairs, the reference's image first: flipped, or right in one image alone."""


class ObservedRecord(FrozenRecord):
    """Observations of an analysis, beside the value and its interval."""

    of: str | None
    """Part, label, layer or perturbation that was measured."""
    mean: float | None = None
    """Mean of the group; None where the value is no mean."""
    reference_mean: float | None = None
    deviation: float | None = None
    """Standard deviation over the samples of the group; None where there is none."""
    reference_deviation: float | None = None
    without_value: int = 0
    """Samples of the groups that have no value, e.g. no mask or a map that is 0 everywhere."""
    facts: dict[str, float]
    """What the value is to be read beside: the null, chance, the score of uniform attention."""


class FlipRow(FrozenRecord):
    """Changes in one group since the baseline, whether or not a rule asks about it."""

    by: tuple[str, ...]
    group: dict[str, str]
    right: int
    n: int
    baseline_right: int
    baseline_n: int
    right_to_wrong: int | None
    """None when the images are not the same."""
    wrong_to_right: int | None
    worst: tuple[str, ...]


class BaselineRecord(FrozenRecord):
    """The baseline that a run was compared with, and all that changed since."""

    source: str
    sha256: str | None
    """Of the file; None for a table in memory."""
    model: str
    paired: bool
    compared: str
    flips: list[FlipRow]
    vanished: list[str]
    """Levels, groups and rules of the baseline that this run no longer has."""


class LookRecord(FrozenRecord):
    """The look before this one: the record of the same model on the same evaluation set, when it was smaller."""

    number: int
    """Looks that the records at hand show, this one included."""
    source: str
    """File of the former record, or `a record` for an object in memory."""
    sha256: str
    """Of that record, which has the look before it: so records form a chain."""
    created: str
    """When the former record was made: UTC, ISO 8601."""
    n_before: int
    """Samples then."""
    n: int
    """Samples now."""
    same_model: bool | None
    """Whether the weights are the same; None where they are not known, and the name is the same."""
    same_policy: bool
    """Whether the text of the policy is the same."""


class PredictionsFile(FrozenRecord):
    """Predictions kept beside the record, so that a later run can be compared image by image."""

    file: str = Field(pattern=r"^[^/\\]+$")
    """Name in the folder of the record."""
    sha256: str


class AcceptedRecord(FrozenRecord):
    """A note that somebody made this record the baseline."""

    at: str
    """UTC, ISO 8601."""
    source: str
    even_if_failed: str | None
    """Why a record that did not pass was accepted."""
    first: list[str] = Field(default_factory=list)
    """Questions that had no baseline to be compared with; later runs are compared with this record."""
