"""The registry: every adapter of the suite by name, loaded only when it is asked for.

Listing adapters imports no framework. Each name stands for a mode (`adapters.modes`) of a framework, and each
framework has one module in this package. An adapter from outside is given as ``package.module:object``; its
code need not import anything from this project.
"""

from __future__ import annotations

import difflib
import fnmatch
import importlib
import importlib.util
import re
import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from adapters.errors import AdapterCrashed, AdapterError, AdapterMisbehaved, JournalError, NoAnswer, one_line
from adapters.instructions import NATIVE
from adapters.modes import Mode, parse

if TYPE_CHECKING:
    from adapters.protocol import Adapter

__all__ = [
    "CORE",
    "MODULES",
    "NAMED",
    "REQUIRED",
    "AdapterCrashed",
    "AdapterError",
    "AdapterMisbehaved",
    "JournalError",
    "NoAnswer",
    "ProcessKey",
    "Spec",
    "installed",
    "is_ours",
    "load",
    "load_outside",
    "select",
    "spec_of",
]

# Environment variables, each as its name and its value.
Variables = tuple[tuple[str, str], ...]
# Framework or target, threads, devices, interpreter, instruction set and environment variables.
ProcessKey = tuple[str, int, int, str | None, str, Variables]
# The text for an adapter from outside.
FORM = "write package.module:object; NAME=VALUE before it sets a variable, @PYTHON after it an interpreter"
OUTSIDE = re.compile(r"(?P<variables>.*?)(?P<target>[\w.]+:\w+)(@(?P<python>.+))?")


@dataclass(frozen=True)
class Spec:
    """Where an adapter is found, and the properties that its process needs.

    Attributes:
        name: the name of the mode; for an adapter from outside, the text that the user gave.
        target: the text from which a child loads the adapter: the mode's name, or ``package.module:object``.
        framework: the package that the adapter executes; None where only the loaded adapter knows it.
        threads: how many threads its process computes with.
        devices: how many devices of the host its process has.
        python: the interpreter of its process; None means the running one.
        isa: the instruction set that its process is limited to; ``native`` means no limit.
        variables: environment variables of its process.
    """

    name: str
    target: str
    framework: str | None = None
    threads: int = 1
    devices: int = 1
    python: str | None = None
    isa: str = NATIVE
    variables: Variables = ()

    @property
    def process_key(self) -> ProcessKey:
        """The properties that the process needs; adapters with equal keys can share one process."""
        framework = self.framework or self.target
        return framework, self.threads, self.devices, self.python, self.isa, self.variables

    @property
    def suffix(self) -> str:
        """What the adapter's own name lacks: ``@`` and the environment of another interpreter; variables."""
        python = "" if self.python is None else f"@{Path(self.python).absolute().parent.parent.name}"
        return python + "".join(f"[{name}={value}]" for name, value in self.variables)

    def under(self, python: str) -> Spec:
        """Return the same specification for another interpreter."""
        return replace(self, name=f"{self.name}@{python}", python=python)


# The module of each framework; it has ``adapter(mode)``.
MODULES = {"numpy": "adapters.closed_form", "torch": "adapters.pytorch", "jax": "adapters.jax"}

# The oldest release of each framework that its adapters support, as in pyproject.toml, which has the reasons:
# a child may run another interpreter with another release, and lack the packages that would parse that file.
LEAST = {"numpy": "2.1.3", "torch": "2.10", "jax": "0.8"}

# The frameworks whose absence is a failure, unless --only leaves them out.
REQUIRED = tuple(MODULES)

# One adapter of each framework, and JAX compiled: what every test of values evaluates.
CORE = ("numpy", "torch", "jax", "jax-jit")

# The modes that people know by a name of their own. Any other combination of factors is an adapter too.
NAMED = (
    "numpy",
    "numpy-2threads",
    "torch",
    "torch-compile",
    "torch-nograd",
    "torch-inference",
    "torch-backward",
    "torch-module",
    "torch-func",
    "torch-jacfwd",
    "torch-jvp",
    "torch-checkpoint",
    "torch-columns",
    "torch-vectors",
    "torch-2threads",
    "torch-compile-module",
    "jax",
    "jax-jit",
    "jax-donate",
    "jax-jit-vmap",
    "jax-jit-rowvmap",
    "jax-jit-map",
    "jax-jit-scan",
    "jax-jit-shardmap",
    "jax-jit-vmap-jacfwd",
    "jax-jit-jvp",
    "jax-jit-linearize",
    "jax-jit-checkpoint",
    "jax-jit-columns",
    "jax-jit-rowvmap-vectors",
    "jax-jit-2threads",
    "torch-literal",
    "torch-tanh",
    "jax-jit-literal",
    "jax-jit-tanh",
    "numpy-out",
    "torch-addmm",
    "torch-nograd-out",
    "jax-jit-jacfwd",
)


def spec_of(mode: Mode) -> Spec:
    """Return the specification of the adapter that executes this mode."""
    return Spec(mode.name, mode.name, mode.framework, mode.threads, mode.devices, isa=mode.isa)


def is_ours(name: str) -> bool:
    """Return whether the name is that of one of the suite's own adapters."""
    try:
        parse(name.partition("@")[0])
    except AdapterError:
        return False
    return True


def installed(name: str) -> bool:
    """Return whether the framework of one of the suite's own adapters is installed, without importing it."""
    return importlib.util.find_spec(_known(name).framework) is not None


def load(name: str) -> Adapter:
    """Import the framework of one of the suite's own adapters and return the adapter.

    Raises:
        AdapterError: there is no such adapter, its framework is too old, or it cannot be imported.
    """
    mode = _known(name)
    for framework in dict.fromkeys(("numpy", mode.framework)):
        check_version(framework)
    try:
        found: Adapter = importlib.import_module(MODULES[mode.framework]).adapter(mode)
    except Exception as error:  # the boundary to foreign code: importing it may raise anything
        raise AdapterError(f"cannot load {name}: {type(error).__name__}: {one_line(error)}") from error
    refuse_older(found.framework, found.version)
    return found


def load_outside(target: str) -> Adapter:
    """Import and return the object at ``package.module:object``; a class is called without arguments.

    Raises:
        AdapterError: the text has another form, the module cannot be imported, or has no such object.
    """
    from adapters.protocol import describe  # imported here, so that listing adapters stays fast

    module_name, _, member = _formed(target).partition(":")
    try:
        found = getattr(importlib.import_module(module_name), member)
        adapter: Adapter = found() if isinstance(found, type) else found
    except Exception as error:  # the boundary to foreign code: importing it may raise anything
        raise AdapterError(f"cannot load {target}: {type(error).__name__}: {one_line(error)}") from error
    describe(adapter)
    return adapter


def select(only: Sequence[str] = (), outside: Sequence[str] = (), among: Sequence[str] = CORE) -> list[Spec]:
    """Select the suite's own adapters that `only` lists, and the adapters from outside.

    Args:
        only: each entry is a mode's name; a framework, which selects its modes in `among`; a pattern such as
            ``jax-jit*``, which selects the names in `NAMED` and `among` that match; or ``name@PYTHON``, which
            selects modes under another interpreter. If it is empty, all of `among` are selected.
        outside: ``package.module:object`` of each adapter from outside; before it ``NAME=VALUE`` of variables
            of its process, with spaces between; after it ``@PYTHON`` for another interpreter.
        among: the names that an empty `only`, frameworks and patterns select from.

    Raises:
        AdapterError: nothing fits an entry of `only`, an entry of `outside` has another form than
            ``package.module:object``, or the framework of a selected adapter is not installed.
    """
    elsewhere = [entry for entry in only if "@" in entry]
    only = [entry for entry in only if entry not in elsewhere]
    names = [name for entry in only for name in _matching(entry, among)] if only else list(among)
    if elsewhere and not only:
        names = []
    known = [*among, *NAMED, *names]
    chosen = [spec_of(parse(name)) for name in dict.fromkeys(known) if name in names]
    absent = sorted({str(spec.framework) for spec in chosen if not installed(spec.name)})
    if absent:
        there = ",".join(framework for framework in REQUIRED if installed(framework))
        raise AdapterError(f"not installed: {', '.join(absent)}; install it, or narrow with --only {there}")
    chosen += [
        spec_of(_known(each)).under(python)
        for name, _, python in (entry.partition("@") for entry in dict.fromkeys(elsewhere))
        for each in (_fitting(name, among) if _is_pattern(name) else [name])
    ]
    return chosen + [_outside(entry) for entry in dict.fromkeys(outside)]


def _outside(entry: str) -> Spec:
    """Return the specification of an adapter from outside."""
    if (found := OUTSIDE.fullmatch(entry)) is None:
        raise AdapterError(f"{entry!r} names no adapter; {FORM}")
    variables = []
    for word in _words(entry, found["variables"]):
        name, equals, value = word.partition("=")
        if not equals or not name.isidentifier():
            raise AdapterError(f"{entry!r}: {word!r} is no NAME=VALUE; {FORM}")
        variables.append((name, value))
    return Spec(entry, _formed(found["target"]), python=found["python"], variables=tuple(variables))


def _words(entry: str, part: str) -> list[str]:
    """Return the words of a part of an entry, of which some may be in quotes as in a shell."""
    try:
        return shlex.split(part)
    except ValueError as error:
        raise AdapterError(f"{entry!r}: {str(error).lower()}; {FORM}") from None


def _matching(entry: str, among: Sequence[str]) -> list[str]:
    """Return the names of the modes that an entry of ``--only`` selects."""
    if entry in MODULES:
        return [name for name in among if parse(name).framework == entry] or [entry]
    return _fitting(entry, among) if _is_pattern(entry) else [_known(entry).name]


def _is_pattern(entry: str) -> bool:
    return any(sign in entry for sign in "*?[")


def _fitting(pattern: str, among: Sequence[str]) -> list[str]:
    """Return the names that match a pattern, and raise AdapterError if there is none."""
    names = dict.fromkeys([*among, *NAMED])
    found = [name for name in names if fnmatch.fnmatchcase(name, pattern)]
    if not found:
        raise AdapterError(f"no adapter is called like {pattern!r}; `crosscheck adapters` lists the modes")
    return found


def _known(name: str) -> Mode:
    """Return the mode with this name; for an unknown name, raise AdapterError with a suggestion."""
    if name.partition("-")[0] in MODULES:
        return parse(name)
    known = [*NAMED, *REQUIRED]
    close = "".join(f"did you mean {near!r}? " for near in difflib.get_close_matches(name, known, n=1))
    raise AdapterError(
        f"no adapter is called {name!r}; {close}known: {', '.join(REQUIRED)}, and "
        "their modes, which `crosscheck adapters` lists"
    )


def _formed(target: str) -> str:
    module, colon, member = target.partition(":")
    if colon and all(part.isidentifier() for part in [*module.split("."), member]):
        return target
    raise AdapterError(f"{target!r} names no adapter; {FORM}")


def _numbers(release: str) -> list[int]:
    """Return the numbers that a version begins with: 2.13.0a0+git gives 2, 13 and 0."""
    return [int(number) for number in re.findall(r"\d+", re.split(r"[^\d.]", release)[0])]


def check_version(framework: str) -> None:
    """Check the release that is installed, before it is imported; a package without metadata passes.

    Raises:
        AdapterError: it is older than `LEAST`.
    """
    try:
        refuse_older(framework, version(framework))
    except PackageNotFoundError:
        return


def refuse_older(framework: str, release: str) -> None:
    """Check a release, such as that of a checkout without metadata, once it is imported.

    Raises:
        AdapterError: it is older than `LEAST`.
    """
    least = LEAST[framework]
    if _numbers(release) < _numbers(least):
        raise AdapterError(
            f"{framework} {release} is too old, {least} or newer is needed: "
            f"{sys.executable} -m pip install '{framework}>={least}'"
        )
