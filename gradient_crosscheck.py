"""Gradient Crosscheck as pip, uv and pipx install it: the command, and the functions for Python.

    from gradient_crosscheck import judge_outputs

A wheel keeps the suite's packages beside this file, in a folder that is ours alone: others have packages that
are called `adapters`, too. Whoever is installed in the same environment keeps theirs; the command sees its
own. A process that imports one of the functions has ours under these names from then on. Somebody else's that
is imported there already is an error, and one that could be imported later is a warning.
"""

from __future__ import annotations

import sys
from pathlib import Path

TYPE_CHECKING = False  # type checkers take it for true by its name; `typing` need not be imported for it
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

_HERE = Path(__file__).resolve().parent
_PACKAGES = ("reference", "adapters", "crosscheck")


def main() -> None:
    """Run the command with the packages that lie beside this file, and exit."""
    sys.path.insert(0, str(_HERE))
    from crosscheck.cli import main as crosscheck

    crosscheck()


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    _import_packages()
    return getattr(sys.modules["crosscheck"], name)


def _import_packages() -> None:
    """Import the packages beside this file under their own names.

    Raises:
        ImportError: a package of one of these names is imported already, and is not ours.
    """
    import importlib
    import warnings

    for name in _PACKAGES:
        found = sys.modules.get(name)
        where = None if found is None else getattr(found, "__file__", None)
        if found is not None and (where is None or not Path(where).resolve().is_relative_to(_HERE)):
            raise ImportError(
                f"the package {name!r} of {where or 'somebody else'} is imported already, and"
                " gradient_crosscheck has one of that name; use another process"
            )
    for name, where in _hidden().items():
        warnings.warn(
            f"{name!r} is gradient_crosscheck's in this process; {where} cannot be imported", stacklevel=3
        )
    sys.path.insert(0, str(_HERE))
    try:
        for name in _PACKAGES:
            importlib.import_module(name)
    finally:
        sys.path.remove(str(_HERE))


def _hidden() -> dict[str, str]:
    """Find packages of others that have our names and are not imported yet; return their paths by name."""
    from importlib.machinery import PathFinder

    others = [entry for entry in sys.path if Path(entry).resolve() != _HERE]
    specs = {name: PathFinder.find_spec(name, others) for name in _PACKAGES if name not in sys.modules}
    return {name: spec.origin for name, spec in specs.items() if spec is not None and spec.origin is not None}
