"""Where children keep what they compiled, so that the next run need not compile it again.

A child that is killed while it writes leaves half a file behind, and frameworks take what is there for whole.
So a folder belongs to one version of a framework, one interpreter and one CPU, and to a number: the next
number begins an empty one, once a failure has shown that something in it is damaged. A gate compiles afresh
all the same.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import sys
import sysconfig
from collections.abc import Iterable, Mapping
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

from adapters import instructions
from adapters.cpu import cpu

# JAX keeps nothing unless it is told to; inductor keeps programs below the temporary directory unless told
# not to.
FRESH: Final = {"TORCHINDUCTOR_FORCE_DISABLE_CACHES": "1"}
COMPILED: Final = Path(".crosscheck/compiled")  # below the current directory
VARIABLE: Final = "CROSSCHECK_COMPILED"
# The packages that a framework's programs hang on, and the variable for its folder.
FOLDERS: Final = {
    "jax": (("jax", "jaxlib"), "JAX_COMPILATION_CACHE_DIR"),
    "torch": (("torch",), "TORCHINDUCTOR_CACHE_DIR"),
}
HELD: Final = (instructions.VARIABLE, "ATEN_CPU_CAPABILITY", "TORCHINDUCTOR_CPP_MARCH")
DAMAGED: Final = "damaged"
# What loaders, decompressors and unpicklers say of half a file. A half that the loader takes for whole ends
# the process when what is missing is read.
SIGNS: Final = re.compile(
    r"file too short|invalid ELF header|ELF load command|no dynamic section|while decompressing"
    r"|incomplete or truncated stream|pickle data was truncated|Ran out of input|zstd.*decompress"
    r"|killed by signal \d+ \(SIGBUS\)"
)


def cache(directory: Path = COMPILED) -> dict[str, str]:
    """What tells a child to keep every compiled program below the directory; `settings` completes it."""
    return {VARIABLE: str(directory.resolve())}


def kept(directory: Path = COMPILED) -> dict[str, str]:
    """The same for a person; where ``CI`` is set a child keeps nothing."""
    return FRESH if os.environ.get("CI") else cache(directory)


def settings(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables of this interpreter's frameworks; its folders stay in use until the process ends.

    Args:
        environment: with what `cache` gives; without that there are none.
    """
    base = environment.get(VARIABLE)
    if base is None:
        return {}
    found = {
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",  # however small the program
        "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
    }
    for framework, (packages, variable) in FOLDERS.items():
        with suppress(PackageNotFoundError):
            found[variable] = str(_in_use(Path(base) / _name(framework, packages, environment)))
    return found


def folders() -> list[str]:
    """The folders that this process uses."""
    if VARIABLE not in os.environ:
        return []
    return [os.environ[variable] for _, variable in FOLDERS.values() if variable in os.environ]


def shows_damage(text: str) -> bool:
    """Whether a failure may come from a damaged file in a folder."""
    return SIGNS.search(text) is not None


def set_aside(damaged: Iterable[str]) -> None:
    """Have later processes begin empty folders; these are removed once no process uses them."""
    for folder in damaged:
        with suppress(OSError):
            (Path(folder) / DAMAGED).touch()


def _name(framework: str, packages: Iterable[str], environment: Mapping[str, str]) -> str:
    """``torch-2.13.0-cpython-311-`` and a digest of what else the programs hang on."""
    versions = [version(package) for package in packages]
    here, abi = cpu(), sysconfig.get_config_var("SOABI")
    said = [*versions, sys.version, str(abi), here.machine, here.model, *sorted(here.features)]
    said += [environment.get(name, "") for name in HELD]
    digest = hashlib.blake2b("\n".join(said).encode(), digest_size=6).hexdigest()
    return f"{framework}-{versions[0]}-{sys.implementation.cache_tag}-{digest}"


def _in_use(parent: Path) -> Path:
    """The first folder there that is not damaged, locked by this process as one that uses it."""
    number = 0
    while True:
        folder = parent / str(number)
        folder.mkdir(parents=True, exist_ok=True)
        if (folder / DAMAGED).exists():
            _remove(folder)
            number += 1
        elif _is_locked(folder):
            return folder


def _is_locked(folder: Path) -> bool:
    """Lock the folder as one in use until this process ends; not if somebody else has just removed it."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except FileNotFoundError:
        return False
    with suppress(OSError):  # a file system without locks: nothing is removed there
        fcntl.flock(descriptor, fcntl.LOCK_SH)
    if folder.exists() and os.path.samestat(os.fstat(descriptor), folder.stat()):
        return True
    os.close(descriptor)
    return False


def _remove(folder: Path) -> None:
    """Remove a damaged folder unless a process uses it."""
    gone = folder.with_name(f"{folder.name}.{os.getpid()}")
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except FileNotFoundError:
        return
    with suppress(OSError):  # in use, or somebody else removes it, or the file system has no locks
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        folder.rename(gone)  # first: nobody is to begin in a folder that is going away
    os.close(descriptor)
    shutil.rmtree(gone, ignore_errors=True)
