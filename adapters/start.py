"""Where a child begins: ``python -m adapters.start <module> <arguments>``.

What depends on the versions that this interpreter has is set here, before any library of numbers is loaded,
for the parent may be another interpreter.
"""

from __future__ import annotations

import importlib
import os
import sys
from importlib.metadata import version
from typing import Any

from adapters import compilation, instructions


def settings() -> dict[str, str]:
    """The variables that the parent could not know the values of."""
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
