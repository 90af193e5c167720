"""A run that takes scores from the cache gives what a run without it gives, and says what it took."""

import json
from dataclasses import dataclass, replace

import pytest
import torch
from torch import nn
from typing_extensions import override

from pytest_fairness.classifiers import Classifier, LabelRule, Preprocessing
from pytest_fairness.data.label_sets import EXACT, LABELS
from pytest_fairness.errors import DataError, ModelError
from pytest_fairness.inference import predict
from pytest_fairness.inference.forward import Forward
from pytest_fairness.inference.plans.checks import Checks, PlanDiffersError
from tests.unit.inference.conftest import with_hashes as hashed

OF_A_RUN = {"seconds", "images_per_second", "cache", "preprocessing_compared"}


def changed(made, *places):
    """The same set with other images at some places."""
    entries = list(made.images.entries)
    for place in places:
        entries[place] = made.images.entries[(place + 2) % len(entries)]
    return hashed(replace(made, images=replace(made.images, entries=entries)))


@dataclass
class Calls:
    """The number of images of each batch that a model ran."""

    sizes: list[int]

    def take(self):
        found, self.sizes[:] = list(self.sizes), []
        return found


@pytest.fixture
def calls(monkeypatch):
    counted = Calls([])
    run = Forward._run

    def counting(self, part):
        counted.sizes.append(len(part))
        return run(self, part)

    monkeypatch.setattr(Forward, "_run", counting)
    return counted


def same(first, second):
    """Whether two predictions are the same but for what tells of a run."""
    assert first.table.equals(second.table)
    assert first.classes == second.classes
    kept = [
        {key: value for key, value in made.metadata.items() if key not in OF_A_RUN}
        for made in (first, second)
    ]
    assert kept[0] == kept[1]
    return True


def broken(made, *places):
    entries = list(made.images.entries)
    for place in places:
        entries[place] = b"no image"
    images = replace(made.images, entries=entries)
    return hashed(replace(made, images=images, max_errors=0.9))


def tagged(made):
    samples = made.samples.assign(**{LABELS: "[]", "target": EXACT[0]})
    return replace(made, samples=samples, classes=EXACT)


KINDS = {
    "plain": (lambda made: made, {}),
    "label groups": (
        lambda made: made,
        {
            "labels": ("girl", "boy"),
            "classes": {"woman": ("girl",), "man": ("boy",)},
            "reduce": "sum",
            "activation": "softmax",
        },
    ),
    "threshold": (
        lambda made: replace(made, threshold=0.4, positive="man"),
        {"activation": "softmax"},
    ),
    "tags": (tagged, {"tagging": LabelRule(threshold=0.5)}),
    "unreadable images": (lambda made: broken(made, 0, 5, 6, 19), {}),
    "whole batches unreadable": (lambda made: broken(made, *range(4, 15)), {}),
    "another dtype": (lambda made: made, {}),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_run_is_the_same_without_a_cache_with_an_empty_and_with_a_full_one(
    kind, images_of, model, calls, request
):
    cache, monkeypatch = (request.getfixturevalue(name) for name in ("cache", "monkeypatch"))
    change, fields = KINDS[kind]
    made = change(images_of(20))
    if kind == "another dtype":
        monkeypatch.setattr("pytest_fairness.caching.cache.key_of", lambda *_: b"k" * 32)
        model = replace(model, module=nn.Sequential(Double(), model.module.double()))
    model = replace(model, **fields)
    without = predict(model, made, batch_size=4)
    ran = calls.take()
    empty = predict(model, made, batch_size=4, cache=cache)
    assert calls.take() == ran
    full = predict(model, made, batch_size=4, cache=cache)
    assert calls.take() == []
    assert same(without, empty)
    assert same(without, full)
    assert [made.metadata["preprocessing_compared"] for made in (without, empty)] == [
        full.metadata["preprocessing_compared"]
    ] * 2
    n = len(without.table)
    assert "cache" not in without.metadata
    assert empty.metadata["cache"] == "0 of 20 images"
    assert full.metadata["cache"] == f"{n} of 20 images"
    assert "images_per_second" in empty.metadata


READINGS = [
    {"activation": None},
    {"activation": "sigmoid"},
    {"activation": "softmax"},
    {"activation": "sigmoid", "reduce": "sum"},
    {"score": "log_probability"},
]


@pytest.mark.parametrize("first", range(len(READINGS)))
def test_one_score_an_image_is_never_taken_from_another_reading_of_it(first, images_of, cache):
    """The first label's score depends on the activation, and was kept without it."""
    torch.manual_seed(0)
    module = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 1), nn.LogSigmoid())
    model = Classifier("m", module, ("woman", "man"), Preprocessing(size=4))
    made = images_of(9)
    filled = predict(replace(model, **READINGS[first]), made, cache=cache)
    assert filled.metadata["cache"] == "0 of 9 images"  # kept, not refused
    for reading in READINGS:
        again = replace(model, **reading)
        assert same(predict(again, made), predict(again, made, cache=cache)), reading


class Double(nn.Module):
    """Turns images into 64-bit numbers."""

    @override
    def forward(self, images):
        return images.double()


def test_one_changed_image_runs_one_batch(images_of, model, cache, calls):
    made = images_of(22)
    predict(model, made, batch_size=4, cache=cache)
    calls.take()
    other = changed(made, 9)
    warm = predict(model, other, batch_size=4, cache=cache)
    assert calls.take()[:1] == [4]
    assert warm.metadata["cache"] == "18 of 22 images"
    assert same(warm, predict(model, other, batch_size=4))


@pytest.mark.parametrize("places", [(0,), (21,), (3, 4), (0, 21), (8, 9, 10, 11)])
def test_changed_images_anywhere_give_what_a_run_without_a_cache_gives(
    places, images_of, model, cache
):
    made = images_of(22)
    predict(model, made, batch_size=4, cache=cache)
    other = changed(made, *places)
    assert same(
        predict(model, other, batch_size=4, cache=cache), predict(model, other, batch_size=4)
    )


def test_an_image_that_can_no_longer_be_read_gives_what_a_run_without_a_cache_gives(
    images_of, model, cache
):
    made = images_of(22, max_errors=0.9)
    predict(model, made, batch_size=4, cache=cache)
    for places in ((9,), (9, 10), (0, 1, 2, 3), (10,)):
        other = broken(made, *places)
        for _ in range(2):
            warm = predict(model, other, batch_size=4, cache=cache)
            assert same(warm, predict(model, other, batch_size=4))


def test_the_message_about_an_unreadable_image_names_its_own_place(images_of, model, cache):
    made = broken(images_of(12), 9)
    strict = replace(made, max_errors=0.0)
    readable = replace(images_of(12))
    predict(model, readable, batch_size=4, cache=cache)
    with pytest.raises(DataError, match="row 9, sample 'person-9'"):
        predict(model, strict, batch_size=4, cache=cache)


def test_a_run_that_was_killed_goes_on_where_it_stopped(images_of, model, cache, calls):
    made = images_of(20)

    def killed(done, total):
        if done == 12:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        predict(model, made, batch_size=4, cache=cache, progress=killed)
    calls.take()
    resumed = predict(model, made, batch_size=4, cache=cache)
    assert resumed.metadata["cache"] == "12 of 20 images"
    assert sum(calls.take()[:2]) == 8
    assert same(resumed, predict(model, made, batch_size=4))


def test_a_damaged_entry_is_computed_again(images_of, model, cache, calls):
    import sqlite3

    made = images_of(20)
    first = predict(model, made, batch_size=4, cache=cache)
    cache.store.close()
    with sqlite3.connect(cache.store.file) as connection:
        connection.execute("UPDATE entry SET value = zeroblob(length(value)) WHERE rowid = 2")
    connection.close()
    calls.take()
    second = predict(model, made, batch_size=4, cache=cache)
    assert second.metadata["cache"] == "16 of 20 images"
    assert calls.take() == [4]
    assert same(first, second)
    assert cache.store.damaged == 1


def test_batches_that_are_alike_within_a_run_are_each_computed(images_of, model, cache, calls):
    made = images_of(4)
    entries = [*made.images.entries[:4]] * 5
    made = images_of(20)
    made = hashed(replace(made, images=replace(made.images, entries=entries)))
    found = predict(model, made, batch_size=4, cache=cache)
    assert calls.take()[:5] == [4] * 5
    assert found.metadata["cache"] == "0 of 20 images"
    assert predict(model, made, batch_size=4, cache=cache).metadata["cache"] == "20 of 20 images"


def test_another_batch_size_is_another_computation(images_of, model, cache, calls):
    made = images_of(20)
    predict(model, made, batch_size=4, cache=cache)
    calls.take()
    other = predict(model, made, batch_size=5, cache=cache)
    assert other.metadata["cache"] == "0 of 20 images"
    assert calls.take()[:4] == [5, 5, 5, 5]


def test_where_memory_ran_out_the_smaller_batches_are_found(images_of, model, cache, monkeypatch):
    made = images_of(22)
    run = Forward._run

    def small_memory(self, part):
        return None if len(part) > 4 else run(self, part)

    monkeypatch.setattr(Forward, "_run", small_memory)
    first = predict(model, made, batch_size=16, cache=cache)
    assert first.metadata["batch_size"] == "4"
    monkeypatch.setattr(Forward, "_run", lambda *_: pytest.fail("it ran"))
    second = predict(model, made, batch_size=16, cache=cache)
    assert second.metadata["cache"] == "22 of 22 images"
    assert same(first, second)


class Chance(nn.Module):
    """Answers by chance, in evaluation too."""

    @override
    def forward(self, images):
        return torch.rand(len(images), 2)


@pytest.mark.parametrize("nondeterministic", ["tell", "refuse"])
def test_scores_that_are_no_function_of_the_image_are_not_kept(
    nondeterministic, images_of, cache, monkeypatch
):
    monkeypatch.setattr("pytest_fairness.caching.cache.key_of", lambda *_: b"k" * 32)
    model = Classifier(
        "chance",
        Chance(),
        ("woman", "man"),
        Preprocessing(size=8),
        nondeterministic=nondeterministic,
    )
    made = images_of(20)
    for _ in range(2):
        try:
            found = predict(model, made, batch_size=4, cache=cache).metadata
            assert found["cache"] == "0 of 20 images"
            assert json.loads(found["asked_again_images"])
        except ModelError as error:
            assert nondeterministic == "refuse"
            assert "no function" in str(error)  # noqa: PT017
        assert cache.store.contents().entries == 0


def test_where_a_plan_gives_other_numbers_nothing_of_it_is_kept(
    images_of, model, cache, monkeypatch
):
    seen = []

    def compare(self, image, planned, *, sample):
        seen.append(sample)
        if sample == "person-49":
            msg = "3 of 192 numbers differ"
            raise PlanDiffersError(msg)

    monkeypatch.setattr(Checks, "compare", compare)
    made = images_of(60)
    for _ in range(2):
        found = predict(model, made, batch_size=4, cache=cache).metadata
        assert seen == ["person-0", "person-49"]
        seen.clear()
        assert found["preprocessing_plan"].startswith(
            "as it is: its plan gives other numbers (3 of"
        )
        assert found["cache"] == "not used: the plan of its preprocessing gives other numbers"
        assert cache.store.contents().entries == 0


def test_the_images_that_a_run_compares_are_compared_whatever_the_cache_has(
    images_of, model, cache, monkeypatch
):
    seen = []
    monkeypatch.setattr(Checks, "compare", lambda *_, sample: seen.append(sample))
    made = images_of(120)
    predict(model, made, batch_size=4)
    whole = set(seen)
    assert whole == {"person-0", "person-49", "person-99"}
    seen.clear()

    def killed(done, total):
        if done == 28:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        predict(model, made, batch_size=4, cache=cache, progress=killed)
    predict(model, made, batch_size=4, cache=cache)
    assert whole <= set(seen)


def test_a_file_that_changes_during_the_run_is_not_kept_under_its_old_hash(
    tmp_path, images_of, model, cache
):
    made = images_of(8)
    files = []
    for number, content in enumerate(made.images.entries):
        file = tmp_path / f"{number}.png"
        file.write_bytes(content)
        files.append(file)
    before = hashed(replace(made, images=replace(made.images, entries=files)))
    files[5].write_bytes(made.images.entries[0])  # after it was hashed
    predict(model, before, batch_size=4, cache=cache)
    files[5].write_bytes(made.images.entries[5])
    again = predict(model, before, batch_size=4, cache=cache)
    assert again.metadata["cache"] == "4 of 8 images"
    assert same(again, predict(model, made, batch_size=4))


def test_a_file_that_was_only_touched_is_still_the_same_image(tmp_path, images_of, model, cache):
    made = images_of(4)
    files = []
    for number, content in enumerate(made.images.entries):
        file = tmp_path / f"{number}.png"
        file.write_bytes(content)
        files.append(file)
    before = hashed(replace(made, images=replace(made.images, entries=files)))
    files[1].write_bytes(made.images.entries[1])
    predict(model, before, cache=cache)
    assert predict(model, before, cache=cache).metadata["cache"] == "4 of 4 images"
