"""The folders in which children keep compiled programs, so that the next run need not compile them again.

A child that is killed while it writes leaves an incomplete file, which frameworks then load as if it were
complete. So each folder belongs to one version of a framework, one interpreter and one CPU, and has a number:
once a failure shows that a folder may contain a damaged file, later processes use an empty folder with the
next number. Runs that gate changes compile everything afresh all the same.
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

# JAX keeps compiled programs only if a variable names a folder; inductor keeps them below the temporary
# directory unless a variable forbids it.
FRESH: Final = {"TORCHINDUCTOR_FORCE_DISABLE_CACHES": "1"}
COMPILED: Final = Path(".crosscheck/compiled")  # below the current directory
VARIABLE: Final = "CROSSCHECK_COMPILED"
# For each framework: the packages whose versions its compiled programs depend on, and the folder's variable.
FOLDERS: Final = {
    "jax": (("jax", "jaxlib"), "JAX_COMPILATION_CACHE_DIR"),
    "torch": (("torch",), "TORCHINDUCTOR_CACHE_DIR"),
}
HELD: Final = (instructions.VARIABLE, "ATEN_CPU_CAPABILITY", "TORCHINDUCTOR_CPP_MARCH")
DAMAGED: Final = "damaged"
FIRST: Final = "0"
# Messages of loaders, decompressors and unpicklers about an incomplete file, and of inductor's compiler where
# the incomplete file is a precompiled header or a library with which it tries instruction sets. A file that a
# loader wrongly accepts as complete ends the process when the missing part is read.
SIGNS: Final = re.compile(
    r"file too short|invalid ELF header|ELF load command|no dynamic section|while decompressing"
    r"|incomplete or truncated stream|pickle data was truncated|Ran out of input|zstd.*decompress"
    r"|CppCompileError|InductorError|BackendCompilerFailed|killed by signal \d+ \(SIGBUS\)"
)
# gcc's precompiled headers lie where no variable can move them, and an incomplete one fails every program.
WITHOUT_HEADERS: Final = {"TORCHINDUCTOR_CPP_CACHE_PRECOMPILE_HEADERS": "0"}
# The header of a 64-bit ELF file: magic bytes; offset of the section table, size and number of its entries.
ELF: Final = struct.Struct("<4s36xQ10xHH2x")


def cache(directory: Path = COMPILED) -> dict[str, str]:
    """Return the environment variable that makes a child keep compiled programs below `directory`.

    See `settings`, which the child calls.
    """
    return {VARIABLE: str(directory.resolve())}


def kept(directory: Path = COMPILED) -> dict[str, str]:
    """Return the environment variables of the processes that a command starts: those of `cache`.

    Where ``CI`` is set they are those of `FRESH`, with which a child keeps no compiled programs.
    """
    return FRESH if os.environ.get("CI") else cache(directory)


def settings(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment variables that give this interpreter's frameworks folders for compiled programs.

    The folders that they name are locked as in use.

    Args:
        environment: an environment with the variable of `cache`; without that variable the result is empty.
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
    """Return the folders of compiled programs that this process uses."""
    if VARIABLE not in os.environ:
        return []
    return [os.environ[variable] for _, variable in FOLDERS.values() if variable in os.environ]


def shows_damage(text: str) -> bool:
    """Return whether a failure with this message may come from a damaged file in a folder."""
    return SIGNS.search(text) is not None


def mark_damaged(damaged: Iterable[str]) -> None:
    """Mark folders as damaged: later processes use new ones, and empty these once no process uses them."""
    for folder in damaged:
        with suppress(OSError):
            (Path(folder) / DAMAGED).touch()


def unmark_damaged(sound: Iterable[str]) -> None:
    """Unmark folders that turned out not to be damaged, so that later processes use them again."""
    for folder in sound:
        (Path(folder) / DAMAGED).unlink(missing_ok=True)


def _name(framework: str, packages: Iterable[str], environment: Mapping[str, str]) -> str:
    """Return the name of a framework's folder: ``torch-2.13.0-cpython-311-`` and a digest.

    The digest is of all else on which the compiled programs depend.
    """
    versions = [version(package) for package in packages]
    here, abi = cpu(), sysconfig.get_config_var("SOABI")
    said = [*versions, sys.version, str(abi), here.machine, here.model, *sorted(here.features)]
    said += [environment.get(name, "") for name in HELD]
    digest = hashlib.blake2b("\n".join(said).encode(), digest_size=6).hexdigest()
    return f"{framework}-{versions[0]}-{sys.implementation.cache_tag}-{digest}"


def _in_use(parent: Path) -> Path:
    """Return the first folder below `parent` that is not damaged, locked as in use by this process."""
    number = int(FIRST)
    while True:
        folder = parent / str(number)
        folder.mkdir(parents=True, exist_ok=True)
        is_damaged = (folder / DAMAGED).exists()
        descriptor = os.open(folder, os.O_RDONLY)
        with suppress(OSError):  # another process uses the folder, or the file system has no locks
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            (_empty if is_damaged else _mend)(folder)
        if not is_damaged:
            with suppress(OSError):
                fcntl.flock(descriptor, fcntl.LOCK_SH)
            return folder
        os.close(descriptor)
        number += 1


def _empty(folder: Path) -> None:
    """Remove everything in a damaged folder except the file that marks it as damaged."""
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        elif path.name != DAMAGED:
            path.unlink(missing_ok=True)


def _mend(folder: Path) -> None:
    """Remove incomplete libraries: if one is left, inductor assumes a CPU without vector instructions."""
    for path in folder.glob("*/*.so"):
        if not _is_whole(path):
            path.unlink(missing_ok=True)


def _is_whole(library: Path) -> bool:
    """Return whether an ELF library reaches to the end of its section table; true for other formats."""
    size = library.stat().st_size
    with library.open("rb") as file:
        head = file.read(ELF.size)
    if len(head) < ELF.size:
        return False
    mark, table, length, count = ELF.unpack(head)
    return bool(mark != b"\x7fELF" or head[4:6] != b"\x02\x01" or table + length * count <= size)
