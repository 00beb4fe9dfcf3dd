"""The entry point of a child process: ``python -m adapters.start <module> <arguments>``.

It sets the variables that depend on the versions installed for this interpreter, before any numerical library
is loaded; the parent may run under another interpreter and cannot know them.
"""

from __future__ import annotations

import importlib
import os
import sys
from importlib.metadata import version
from typing import Any

from adapters import compilation, instructions


def settings() -> dict[str, str]:
    """Return the variables whose values only this interpreter knows."""
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
