"""An adapter that is right, but for one shard of the sweep in `toy.py`; the environment says how."""

from __future__ import annotations

import ctypes
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adapters import load

from .flush import set_flush
from .toy import Toy

Array = NDArray[Any]
FATE, MARK = "PLANTED_FATE", "PLANTED_MARK"
SHARD = 1


def _raises() -> None:
    raise ValueError("the planted message")


def _refuses() -> None:
    raise NotImplementedError("the planted reason")


def _once(fate: Callable[[], Any]) -> Callable[[], None]:
    """A fate that comes but once, as long as a file is there."""

    def maybe() -> None:
        mark = Path(os.environ[MARK])
        if not mark.exists():
            mark.touch()
            fate()

    return maybe


FATES: dict[str, Callable[[], Any]] = {
    "none": lambda: None,
    "segfault": lambda: ctypes.string_at(0),
    "exits": lambda: os._exit(0),
    "hangs": lambda: time.sleep(600),
    "killed": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "leaks": set_flush,
    "raises": _raises,
    "refuses": _refuses,
    "killed once": _once(lambda: os.kill(os.getpid(), signal.SIGKILL)),
    "hangs once": _once(lambda: time.sleep(600)),
    "leaks once": _once(set_flush),
    "raises once": _once(_raises),
}


class Unlucky:
    """NumPy's closed form; its fate is that of `FATE`, where it meets the case of `SHARD`."""

    name, framework, version, dtypes = "unlucky", "planted", "1", ("float64",)

    def evaluate(self, X: Array, y: Array, W: Array) -> Any:
        """The closed form's outputs."""
        found = load("numpy").evaluate(X, y, W)
        if np.array_equal(X, Toy().case(SHARD, "float64").problem().X):
            FATES[os.environ.get(FATE, "none")]()
        return found


unlucky = Unlucky()
