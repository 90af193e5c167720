"""The whole vocabulary of rates: every set of cells among every set, against counting by hand."""

from itertools import chain, combinations

import numpy as np
import pytest

from pytest_fairness.statistics.estimators.events import events
from pytest_fairness.statistics.estimators.rate_counts import rate_counts
from pytest_fairness.statistics.metrics.cells import FN, FP, RIGHT, TN, TP, WRONG, Cells, in_words
from pytest_fairness.statistics.metrics.definitions import Rate

ONE_CLASS, ANY_CLASS = (TP, FP, FN, TN), (RIGHT, WRONG)


def sets(cells: tuple[Cells, ...]) -> list[Cells]:
    """Every set of some cells, the empty one included."""
    chosen = chain.from_iterable(combinations(cells, size) for size in range(len(cells) + 1))
    return [Cells(sum(cell.value for cell in some)) for some in chosen]


EVERY_SET = sets((*ONE_CLASS, *ANY_CLASS))


def is_rate(seen: Cells, among: Cells) -> bool:
    """Whether a pair of sets is a rate: some cells, but not all, of cells of one kind."""
    some = {cell for cell in Cells.__members__.values() if cell.value.bit_count() == 1}
    counted, whole = ({cell for cell in some if cell.value & one.value} for one in (seen, among))
    of_one_kind = whole <= set(ONE_CLASS) or whole <= set(ANY_CLASS)
    return bool(counted) and counted < whole and of_one_kind


PAIRS = [(seen, among) for seen in EVERY_SET for among in EVERY_SET if is_rate(seen, among)]


def rate_of(seen: Cells, among: Cells) -> Rate:
    return Rate("one", "one", seen, among)


def cell_of(target: str, prediction: str, positive: str, *, any_class: bool) -> Cells:
    """The cell of one sample, told in the words of a textbook."""
    if any_class:
        return RIGHT if target == prediction else WRONG
    if prediction == positive:
        return TP if target == positive else FP
    return FN if target == positive else TN


def answers(classes: str) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(len(classes))
    return tuple(rng.choice(list(classes), (2, 200)).astype(object))


def test_the_algebra_of_cells_has_52_rates():
    assert len(PAIRS) == 52


@pytest.mark.parametrize("classes", ["ab", "abc", "abcd"])
def test_every_rate_counts_what_its_cells_say(classes):
    target, prediction = answers(classes)
    confusion = np.array(
        [[[((target == a) & (prediction == b)).sum() for b in classes] for a in classes]]
    )
    for seen, among in PAIRS:
        cells = [
            cell_of(true, called, "b", any_class=among in Cells.ANSWERS)
            for true, called in zip(target, prediction, strict=True)
        ]
        counted = np.array([cell in seen for cell in cells])
        whole = np.array([cell in among for cell in cells])
        found = events(rate_of(seen, among), target, prediction, positive="b")
        assert found.seen.tolist() == counted.tolist()
        assert found.among.tolist() == whole.tolist()
        counts = rate_counts(confusion, rate_of(seen, among), positive=1)
        assert (counts.successes[0], counts.n[0]) == (counted.sum(), whole.sum())


def test_right_and_wrong_need_no_positive_class_and_everything_else_does():
    target, prediction = answers("abc")
    for seen, among in PAIRS:
        rate = rate_of(seen, among)
        assert rate.needs_positive == (among != RIGHT | WRONG)
        if rate.needs_positive:
            with pytest.raises(ValueError, match="one needs a positive class"):
                rate_counts(np.ones((1, 3, 3), dtype=np.int64), rate)
        else:
            events(rate, target, prediction, positive=None)


def test_what_is_no_rate_is_refused_when_it_is_declared():
    refused = 0
    for seen in EVERY_SET:
        for among in EVERY_SET:
            if not is_rate(seen, among):
                refused += 1
                with pytest.raises(ValueError, match=r"^rate 'one': "):
                    rate_of(seen, among)
    assert refused == 64 * 64 - 52


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        pytest.param((FP, Cells(0)), "neither may be empty", id="empty"),
        pytest.param((FP, TP | FN), "false positives among positives", id="not among them"),
        pytest.param((TP | FN, TP | FN), "not all: got positives among positives", id="always 1"),
        pytest.param((RIGHT, RIGHT | FP), "use cells of one kind", id="two kinds"),
    ],
)
def test_a_refusal_says_why(cells, words):
    with pytest.raises(ValueError, match=words):
        rate_of(*cells)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("false discovery rate", "letters, digits and _"),
        ("", "letters, digits and _"),
        ("fdr_difference", "come with the metric: declare 'fdr'"),
        ("fdr_ratio", "come with the metric: declare 'fdr'"),
    ],
)
def test_a_name_that_no_policy_could_ask_for_is_refused(name, words):
    with pytest.raises(ValueError, match=words):
        Rate(name, "FDR", FP, TP | FP)


def test_a_direction_against_the_cells_is_refused():
    with pytest.raises(ValueError, match="false positives among samples called positive fewer"):
        Rate("fdr", "FDR", FP, TP | FP, higher_is_better=True)
    assert Rate("fdr", "FDR", FP, TP | FP, higher_is_better=False).higher_is_better is False
    selected = Rate("chosen", "chosen", TP | FP, Cells.OF_A_CLASS, higher_is_better=False)
    assert (selected.higher_is_better, selected.worse) == (False, "either")


def moved_by(rate: Rate, worse: Cells, better: Cells) -> float:
    """How far a rate rises when one sample goes from a wrong cell to the right one."""

    def value(counts: dict[Cells, int]) -> float:
        return sum(counts[cell] for cell in rate.seen) / sum(counts[cell] for cell in rate.among)

    before = dict.fromkeys((*ONE_CLASS, *ANY_CLASS), 10)
    after = {**before, worse: 9, better: 11}
    return value(after) - value(before)


def test_a_rate_is_worse_in_the_direction_that_errors_move_it():
    for seen, among in PAIRS:
        rate = rate_of(seen, among)
        mended = [moved_by(rate, *cells) for cells in ((FN, TP), (FP, TN), (WRONG, RIGHT))]
        rises, falls = any(move > 1e-12 for move in mended), any(move < -1e-12 for move in mended)
        expected = "either" if rises == falls else "lower" if rises else "higher"
        assert rate.worse == expected, (seen, among)
        better = {"either": None, "lower": True, "higher": False}[expected]
        assert rate.higher_is_better is better


def test_two_models_share_what_true_classes_alone_decide():
    target, prediction = answers("abc")
    _, other = answers("abcd")
    other = np.where(other == "d", "a", other)
    for seen, among in PAIRS:
        rate = rate_of(seen, among)
        now, then = (
            events(rate, target, called, positive="b").among for called in (prediction, other)
        )
        assert rate.among_true_classes == np.array_equal(now, then)


def test_every_set_of_cells_has_words_for_the_positive_class_and_for_a_class():
    for _, among in PAIRS:
        for words in (in_words(among), in_words(among, "cat")):
            assert words
            assert "_" not in words
        assert "cat" in in_words(among, "cat") or in_words(among, "cat") == "samples"
