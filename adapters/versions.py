"""The oldest release of each framework that its adapters run on.

A child may have another interpreter, with another release in it; a framework is asked before it is imported.
"""

from __future__ import annotations

import re
import sys
from importlib.metadata import PackageNotFoundError, version

from adapters.errors import AdapterError

# As in pyproject.toml, which has the reasons; a child need not have what would read that.
LEAST = {"numpy": "2.1.3", "torch": "2.10", "jax": "0.8"}


def _numbers(release: str) -> list[int]:
    """The numbers that a version begins with: those of 2.13.0a0+git are 2, 13 and 0."""
    return [int(number) for number in re.findall(r"\d+", re.split(r"[^\d.]", release)[0])]


def check_version(framework: str) -> None:
    """Check that the installed release is not older than `LEAST`; a package that states none passes.

    Raises:
        AdapterError: it is older than `LEAST`.
    """
    try:
        installed = version(framework)
    except PackageNotFoundError:
        return
    least = LEAST[framework]
    if _numbers(installed) < _numbers(least):
        raise AdapterError(
            f"{framework} {installed} is too old, {least} or newer is needed: "
            f"{sys.executable} -m pip install '{framework}>={least}'"
        )
