"""The start of a child process, with the environment that its libraries read when they are loaded.

The parent sets most of it (`environment_of`). The child is ``python -m adapters.start <module> <arguments>``.
It adds what depends on the versions installed for its interpreter, before any numerical library is loaded;
the parent may run under another interpreter and cannot know it.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from adapters import compilation, instructions, threads
from adapters.instructions import NATIVE

ROOT = Path(__file__).resolve().parent.parent


def environment_of(
    count: int, chosen: Mapping[str, str], *, devices: int = 1, isa: str = NATIVE
) -> dict[str, str]:
    """Return the child's environment: this process's, a module path, limits and the variables in `chosen`.

    The repository root comes first on the module path, the current directory last.

    Args:
        count: how many threads the child computes with.
        chosen: environment variables that override all others.
        devices: how many devices of the host the child has.
        isa: the instruction set that the child is limited to.

    Raises:
        AdapterError: this CPU cannot be limited to that instruction set.
    """
    inherited = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    path = [str(ROOT), *filter(None, inherited), str(Path.cwd())]
    ours = {
        "PYTHONPATH": os.pathsep.join(dict.fromkeys(path)),
        "PYTHONSAFEPATH": "1",  # or the current directory would come first: another `adapters` may lie there
        "PYTHONUNBUFFERED": "1",  # what was printed before a crash is in the log
    }
    flags = {**threads.xla_flags(count, devices), **instructions.xla_flag(isa)}
    limits = {**threads.environment(count), **instructions.environment(isa), **threads.merged(flags)}
    return {**os.environ, **ours, **limits, **chosen}


def settings() -> dict[str, str]:
    """Return the environment variables that depend on the versions installed for this interpreter.

    They limit NumPy to the instruction set of the child, and name the folders for compiled programs.
    """
    level = os.environ.get(instructions.VARIABLE)
    held = {} if level is None else instructions.numpy_variable(level, version("numpy"))
    return {**held, **compilation.settings(os.environ)}


def main() -> None:
    """Complete the environment, and execute the module's ``main`` with the arguments."""
    os.environ.update(settings())
    module: Any = importlib.import_module(sys.argv[1])
    module.main(sys.argv[2:])


if __name__ == "__main__":
    main()
