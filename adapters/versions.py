"""The oldest release of each framework that its adapters support.

A child may run another interpreter with another release; the release is checked before it is imported.
"""

from __future__ import annotations

import re
import sys
from importlib.metadata import PackageNotFoundError, version

from adapters.errors import AdapterError

# As in pyproject.toml, which has the reasons; a child may lack the packages that would parse that file.
LEAST = {"numpy": "2.1.3", "torch": "2.10", "jax": "0.8"}


def _numbers(release: str) -> list[int]:
    """Return the numbers that a version begins with: 2.13.0a0+git gives 2, 13 and 0."""
    return [int(number) for number in re.findall(r"\d+", re.split(r"[^\d.]", release)[0])]


def check_version(framework: str) -> None:
    """Check that the installed release is not older than `LEAST`; a package without metadata passes.

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
