"""The registry: every adapter of the suite by name, loaded only when it is asked for.

Listing imports no framework. Each name stands for a module of this package and an object in it; an adapter
from outside is given in the same form, ``package.module:object``, and needs no import of this project.
"""

from __future__ import annotations

import difflib
import importlib
import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from adapters.errors import AdapterDied, AdapterError, AdapterMisbehaved, JournalError, one_line

if TYPE_CHECKING:
    from adapters.protocol import Adapter

__all__ = [
    "REQUIRED",
    "AdapterDied",
    "AdapterError",
    "AdapterMisbehaved",
    "JournalError",
    "Spec",
    "installed",
    "load",
    "load_outside",
    "names",
    "select",
]


@dataclass(frozen=True)
class Spec:
    """Where an adapter is found.

    Attributes:
        name: its name in the registry; for an adapter from outside the text that it was given as.
        target: ``package.module:object``.
        framework: the package that it executes; None where only the adapter itself can tell.
    """

    name: str
    target: str
    framework: str | None = None


REGISTRY = {
    spec.name: spec
    for spec in (
        Spec("numpy", "adapters.closed_form:closed_form", "numpy"),
        Spec("torch", "adapters.pytorch:eager", "torch"),
        Spec("jax", "adapters.jax:eager", "jax"),
        Spec("jax-jit", "adapters.jax:jitted", "jax"),
    )
}

# The frameworks whose absence is a failure, unless --only leaves them out.
REQUIRED = ("numpy", "torch", "jax")


def names() -> tuple[str, ...]:
    """The names of the suite's own adapters."""
    return tuple(REGISTRY)


def installed(name: str) -> bool:
    """Whether the framework of one of the suite's own adapters is there; nothing is imported."""
    framework = _known(name).framework
    return framework is not None and importlib.util.find_spec(framework) is not None


def load(name: str) -> Adapter:
    """One of the suite's own adapters; its framework is imported here.

    Raises:
        AdapterError: there is no such adapter, or it cannot be imported.
    """
    return load_outside(_known(name).target)


def load_outside(target: str) -> Adapter:
    """The object at ``package.module:object``; a class is called without arguments.

    Raises:
        AdapterError: the text has another form, the module cannot be imported, or has no such object.
    """
    from adapters.protocol import describe  # here, so that listing stays as light as it says

    module_name, _, member = _formed(target).partition(":")
    try:
        found = getattr(importlib.import_module(module_name), member)
        adapter: Adapter = found() if isinstance(found, type) else found
    except Exception as error:  # the boundary to foreign code: importing it may raise anything
        raise AdapterError(f"cannot load {target}: {type(error).__name__}: {one_line(error)}") from error
    describe(adapter)
    return adapter


def select(only: Sequence[str] = (), outside: Sequence[str] = ()) -> list[Spec]:
    """The suite's own adapters whose name or framework `only` lists (all if empty), and those from outside.

    Raises:
        AdapterError: nothing matches an entry of `only`, an entry of `outside` has another form than
            ``package.module:object``, or the framework of a selected adapter is not installed.
    """
    for entry in only:
        if not any(entry in (spec.name, spec.framework) for spec in REGISTRY.values()):
            raise AdapterError(_unknown(entry))
    chosen = [s for s in REGISTRY.values() if not only or s.name in only or s.framework in only]
    absent = sorted({str(spec.framework) for spec in chosen if not installed(spec.name)})
    if absent:
        there = ",".join(dict.fromkeys(str(s.framework) for s in REGISTRY.values() if installed(s.name)))
        raise AdapterError(f"not installed: {', '.join(absent)}; install it, or narrow with --only {there}")
    return chosen + [Spec(_formed(target), target) for target in dict.fromkeys(outside)]


def _known(name: str) -> Spec:
    if name not in REGISTRY:
        raise AdapterError(_unknown(name))
    return REGISTRY[name]


def _unknown(name: str) -> str:
    known = [*REGISTRY, *(framework for framework in REQUIRED if framework not in REGISTRY)]
    close = "".join(f"did you mean {near!r}? " for near in difflib.get_close_matches(name, known, n=1))
    return f"no adapter is called {name!r}; {close}known: {', '.join(known)}"


def _formed(target: str) -> str:
    module, colon, member = target.partition(":")
    if colon and all(part.isidentifier() for part in [*module.split("."), member]):
        return target
    raise AdapterError(f"{target!r} names no adapter; write package.module:object")
