"""Adapters whose compiled program cannot be loaded: in the first folder where it is kept, or everywhere."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from adapters.compilation import folders

from .wrong import Array, Planted, Result, right


def _folder() -> Path:
    return Path(folders()[0])


def damaged(fails: Callable[[], bool]) -> Planted:
    """An adapter that fails where that is so, as torch.compile does."""

    def evaluate(X: Array, y: Array, W: Array) -> Result:
        if fails():
            raise ImportError(f"{_folder()}/program.so: file too short")
        return right(X, y, W)

    return Planted("damaged", evaluate)


in_the_first_folder = damaged(lambda: _folder().name == "0")
everywhere = damaged(lambda: True)
