"""The suite: cases, evaluation, judging, explanations, results, and the command line.

The functions for notebooks and other people's tests are those of `crosscheck.api`, as in
``from crosscheck import judge_outputs``. They are imported at their first use, so that the command can be
interrupted from its first moment.
"""

from __future__ import annotations

TYPE_CHECKING = False  # type checkers assume that this name is true; `typing` need not be imported for it
if TYPE_CHECKING:
    from typing import Any

    from crosscheck.api import (
        admissible_sets,
        compare_adapters,
        exact_values,
        judge_outputs,
        reference_outputs,
    )

__all__ = ["admissible_sets", "compare_adapters", "exact_values", "judge_outputs", "reference_outputs"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from crosscheck import api

    return getattr(api, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
