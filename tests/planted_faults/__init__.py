"""Planted faults, and healthy adapters of other arithmetic: what a checker has to catch, and what not.

``--adapter tests.planted_faults:NAME`` takes each by its name; every such object is new. They need NumPy, one
of the healthy ones SciPy.
"""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module
from typing import Any, Final

from tests.planted_faults import healthy
from tests.planted_faults.fault import Fault

# The families, each a module, and what the page says of it.
FAMILIES: Final = {
    "mathematics": "wrong mathematics",
    "objectives": "gradient of something else",
    "reduction": "reductions",
    "broadcasting": "broadcasting",
    "precision": "precision",
    "special": "special values",
    "tails": "tails of σ",
    "state": "state between calls",
    "caches": "caches, buffers and counts of calls",
    "shapes": "bound to a shape",
    "layouts": "bound to a layout of memory",
    "values": "bound to values",
    "chance": "non-determinism",
    "forms": "dtype, shape, type, refusals",
}
FAULTS: Final[dict[str, Fault]] = {
    fault.name: replace(fault, family=family)
    for family in FAMILIES
    for fault in import_module(f"tests.planted_faults.{family}").FAULTS
}
HEALTHY: Final[dict[str, Fault]] = {fault.name: replace(fault, family="healthy") for fault in healthy.HEALTHY}


def __getattr__(name: str) -> Any:
    """A new adapter of this name."""
    fault = FAULTS.get(name) or HEALTHY.get(name)
    if fault is None:
        raise AttributeError(name)
    return fault.adapter()
