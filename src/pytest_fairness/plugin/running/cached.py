"""Whether a run may use the cache of scores, and where it is."""

from typing import TYPE_CHECKING, Literal

from pytest_fairness.plugin.options import Settings

if TYPE_CHECKING:
    from pytest_fairness.caching.cache import Cache
    from pytest_fairness.policy.model_specs import ModelSpec

__all__ = ["cache_of"]


def cache_of(
    settings: Settings, spec: "ModelSpec | None", *, policy: Literal["allow", "refuse"]
) -> "Cache":
    """Return the cache for one model.

    Args:
        settings: A release is decided by scores of its own run; `--fairness-no-cache` refuses too.
        spec: The table of the model in the policy.
        policy: What the policy says.

    Raises:
        CacheError: The size limit is no size.
    """
    from pytest_fairness.caching.cache import Cache
    from pytest_fairness.caching.folder import cache_file, size_limit
    from pytest_fairness.caching.store import Store

    refused = ""
    if settings.no_cache:
        refused = "--fairness-no-cache"
    elif settings.release:
        refused = "--fairness-release"
    elif policy == "refuse":
        refused = "the policy"
    return Cache(Store(cache_file(), size_limit(settings.cache_size)), spec, refused)
