"""When the cache of scores is not used, and what it never holds."""

from dataclasses import replace

import numpy as np

from pytest_fairness.caching.cache import Cache
from pytest_fairness.caching.store import Store
from pytest_fairness.classifiers import Classifier, Preprocessing
from pytest_fairness.inference import predict


def test_a_set_that_does_not_know_its_hashes_is_computed(evaluation_set, model, cache):
    for _ in range(2):
        found = predict(model, evaluation_set(4), cache=cache)
        assert found.metadata["cache"] == "0 of 4 images"


def test_a_model_that_cannot_be_identified_says_why(images_of, cache):
    def module(images):
        return images.mean(dim=(2, 3))[:, :2]

    found = predict(
        Classifier("own", module, ("woman", "man"), Preprocessing(size=4)),
        images_of(4),
        cache=cache,
    )
    assert found.metadata["cache"].startswith("not used: ")
    assert cache.store.contents().entries == 0


def test_a_refused_cache_is_neither_read_nor_written(images_of, model, cache):
    made = images_of(4)
    refused = replace(cache, refused="--fairness-no-cache")
    predict(model, made, cache=cache)
    entries = cache.store.contents().entries
    found = predict(replace(model, labels=("man", "woman")), made, cache=refused)
    assert found.metadata["cache"] == "refused by --fairness-no-cache"
    assert cache.store.contents().entries == entries


def test_a_cache_that_cannot_be_used_is_told_and_stops_nothing(tmp_path, images_of, model):
    (tmp_path / "file").write_text("in the way")
    useless = Cache(Store(tmp_path / "file" / "scores.sqlite", 10**8))
    found = predict(model, images_of(4), cache=useless)
    assert found.metadata["cache"].startswith(f"broken: {tmp_path}")


def test_the_cache_holds_no_names_and_no_images(images_of, model, cache):
    made = images_of(8)
    predict(model, made, batch_size=4, cache=cache)
    cache.store.close()
    content = cache.store.file.read_bytes()
    assert b"person" not in content
    assert b"PNG" not in content
    assert b"small" not in content
    assert all(entry[:40] not in content for entry in made.images.entries)
    assert np.frombuffer(content[:16], np.uint8).tobytes() == b"SQLite format 3\x00"
