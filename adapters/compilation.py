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
import struct
import sys
import sysconfig
from collections.abc import Iterable, Mapping
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

from adapters import instructions
from adapters.instructions import cpu

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
FIRST: Final = "0"
# What loaders, decompressors and unpicklers say of half a file; what inductor's compiler says where the half
# is a precompiled header, or a library that it tries instruction sets with. A half that a loader takes for
# whole ends the process when what is missing is read.
SIGNS: Final = re.compile(
    r"file too short|invalid ELF header|ELF load command|no dynamic section|while decompressing"
    r"|incomplete or truncated stream|pickle data was truncated|Ran out of input|zstd.*decompress"
    r"|CppCompileError|InductorError|BackendCompilerFailed|killed by signal \d+ \(SIGBUS\)"
)
# gcc's precompiled headers lie where no variable says, and one that is cut off fails every program.
WITHOUT_HEADERS: Final = {"TORCHINDUCTOR_CPP_CACHE_PRECOMPILE_HEADERS": "0"}
# The header of an ELF file of 64 bits: its mark; where its table of sections is, how long an entry, how many.
ELF: Final = struct.Struct("<4s36xQ10xHH2x")


def cache(directory: Path = COMPILED) -> dict[str, str]:
    """What tells a child to keep every compiled program below the directory; `settings` completes it."""
    return {VARIABLE: str(directory.resolve())}


def kept(directory: Path = COMPILED) -> dict[str, str]:
    """As `cache`, for runs by hand; where ``CI`` is set, a child keeps nothing."""
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
            folder = _in_use(Path(base) / _name(framework, packages, environment))
            found[variable] = str(folder)
            if framework == "torch" and folder.name != FIRST:
                found |= WITHOUT_HEADERS
    return found


def folders() -> list[str]:
    """The folders that this process uses."""
    if VARIABLE not in os.environ:
        return []
    return [os.environ[variable] for _, variable in FOLDERS.values() if variable in os.environ]


def shows_damage(text: str) -> bool:
    """Whether a failure may come from a damaged file in a folder."""
    return SIGNS.search(text) is not None


def mark_damaged(damaged: Iterable[str]) -> None:
    """Mark folders as damaged: later processes begin new ones; these are emptied once they are not in use."""
    for folder in damaged:
        with suppress(OSError):
            (Path(folder) / DAMAGED).touch()


def unmark_damaged(sound: Iterable[str]) -> None:
    """Remove the mark: later processes use these folders again, since the fault was not there."""
    for folder in sound:
        (Path(folder) / DAMAGED).unlink(missing_ok=True)


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
    number = int(FIRST)
    while True:
        folder = parent / str(number)
        folder.mkdir(parents=True, exist_ok=True)
        is_damaged = (folder / DAMAGED).exists()
        descriptor = os.open(folder, os.O_RDONLY)
        with suppress(OSError):  # others use it, or the file system has no locks
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            (_empty if is_damaged else _mend)(folder)
        if not is_damaged:
            with suppress(OSError):
                fcntl.flock(descriptor, fcntl.LOCK_SH)
            return folder
        os.close(descriptor)
        number += 1


def _empty(folder: Path) -> None:
    """Remove all that is in a damaged folder but what says that it is."""
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        elif path.name != DAMAGED:
            path.unlink(missing_ok=True)


def _mend(folder: Path) -> None:
    """Remove libraries that are cut off: for one of them inductor takes the CPU to be without vectors."""
    for path in folder.glob("*/*.so"):
        if not _is_whole(path):
            path.unlink(missing_ok=True)


def _is_whole(library: Path) -> bool:
    """Whether a library has its end, where linkers put the table of sections; true for other formats."""
    size = library.stat().st_size
    with library.open("rb") as file:
        head = file.read(ELF.size)
    if len(head) < ELF.size:
        return False
    mark, table, length, count = ELF.unpack(head)
    return bool(mark != b"\x7fELF" or head[4:6] != b"\x02\x01" or table + length * count <= size)
