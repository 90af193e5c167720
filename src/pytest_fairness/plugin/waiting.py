"""Threads that wait for each other sleep, so that a busy machine does not slow a model down several times."""

import os
import sys

__all__ = ["let_threads_sleep"]

_SAID = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME", "KMP_LIBRARY")


def let_threads_sleep() -> None:
    """Ask OpenMP, before torch loads it, to let waiting threads sleep instead of spin.

    The threads of one operation wait for the slowest of them. Where another process uses a core, as
    another worker of this run does, spinning threads take away the time that the slowest one needs.
    Nothing is changed where the environment says how to wait, or torch is loaded already.

    Source: OpenMP 5.2, section 21.2, `OMP_WAIT_POLICY`; measured by `benchmarks/waiting.py`.
    """
    if "torch" not in sys.modules and not any(name in os.environ for name in _SAID):
        os.environ["OMP_WAIT_POLICY"] = "PASSIVE"
