"""`pytest-fairness cache info|clear`: what the cache of scores holds, and its end."""

import argparse
from typing import Any

from pytest_fairness.commands.saying import say
from pytest_fairness.wording import counted

__all__ = ["add_parser", "clear", "info"]


def add_parser(subparsers: Any) -> argparse.ArgumentParser:
    """Add the command to those of `pytest-fairness`."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "cache",
        help="show or clear the cache of scores",
        description="Show or clear the cache of scores, from which a gate takes what it computed before "
        "(docs/cache.md).",
    )
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    shown = actions.add_parser("info", help="show where the cache is, and what it holds")
    shown.set_defaults(run=info)
    cleared = actions.add_parser("clear", help="remove all scores from the cache")
    cleared.set_defaults(run=clear)
    return parser


def info(_: argparse.Namespace) -> int:
    """Print where the cache is and what it holds, and return 0.

    Raises:
        CacheError: It cannot be read, or its size limit is no size.
    """
    from pytest_fairness.caching.folder import cache_file, size_limit
    from pytest_fairness.caching.store import Store
    from pytest_fairness.errors import CacheError

    store = Store(cache_file(), size_limit())
    contents = store.contents()
    store.close()
    if store.problem:
        msg = f"the cache cannot be read: {store.problem}"
        raise CacheError(msg)
    say(f"{store.file}")
    say(
        f"{counted(contents.entries, 'batch', 'batches')} of {counted(contents.owners, 'model')}, {contents.size / 1e6:,.1f} MB of at "
        f"most {store.limit / 1e6:,.1f} MB"
    )
    return 0


def clear(_: argparse.Namespace) -> int:
    """Drop the cache and return 0.

    Raises:
        CacheError: It cannot be removed.
    """
    from pytest_fairness.caching.folder import cache_file, size_limit
    from pytest_fairness.caching.store import Store
    from pytest_fairness.errors import CacheError

    store = Store(cache_file(), size_limit())
    try:
        store.clear()
    except OSError as error:
        msg = f"{store.file}: cannot be removed: {error.strerror}"
        raise CacheError(msg) from error
    say(f"{store.file}: removed")
    return 0
