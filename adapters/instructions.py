"""Instruction sets: limits on the CPU instructions that the libraries of a process may use.

The levels are those of the x86-64 psABI, named after the vector instructions that they add. Each library has
its own setting for the limit; a level sets all of them. ``native`` sets none: each library chooses by the
CPU, or as the user's environment says.
"""

from __future__ import annotations

import platform
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

from adapters.errors import AdapterError

CPUINFO: Final = Path("/proc/cpuinfo")
NATIVE: Final = "native"
VARIABLE: Final = "CROSSCHECK_INSTRUCTIONS"
# The names by which NumPy's wheels dispatch above their baseline: whole levels from 2.4 on, features before.
NUMPY_GROUPS: Final = ("X86_V3", "X86_V4", "AVX512_ICL", "AVX512_SPR")
NUMPY_FEATURES: Final = (
    "AVX", "F16C", "FMA3", "AVX2",
    "AVX512F", "AVX512CD", "AVX512_SKX", "AVX512_CLX", "AVX512_CNL", "AVX512_ICL", "AVX512_SPR",
)  # fmt: skip
NUMPY_WITH_GROUPS: Final = (2, 4)


class Cpu(NamedTuple):
    """The CPU of this machine.

    Attributes:
        machine: the architecture, such as ``x86_64``.
        model: the name of the model; the architecture if the system does not report the model.
        features: instruction sets and the like, as Linux names them; empty if the system reports none.
    """

    machine: str
    model: str
    features: frozenset[str]


class Level(NamedTuple):
    """An instruction-set level, and the settings that limit each library to it.

    Attributes:
        psabi: its name in the x86-64 psABI, which compilers accept for ``-march``.
        needs: the CPU features, as Linux names them, that the level adds to the level below.
        numpy_groups: how many of `NUMPY_GROUPS` it includes.
        numpy_features: how many of `NUMPY_FEATURES` it includes.
        openblas: the name of OpenBLAS's kernels.
        mkl: the value for MKL, which obeys it on Intel's CPUs.
        aten: the value for torch, which also sets the vectors of programs that it compiles.
        onednn: the value for oneDNN, with which torch multiplies some matrices.
        xla: the value for programs that XLA compiles.
    """

    psabi: str
    needs: frozenset[str]
    numpy_groups: int
    numpy_features: int
    openblas: str
    mkl: str
    aten: str
    onednn: str
    xla: str


LEVELS: Final[Mapping[str, Level]] = {
    "sse42": Level(
        "x86-64-v2", frozenset({"cx16", "lahf_lm", "popcnt", "pni", "ssse3", "sse4_1", "sse4_2"}),
        0, 0, "Nehalem", "SSE4_2", "default", "SSE41", "SSE4_2",
    ),
    "avx2": Level(
        "x86-64-v3", frozenset({"avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "abm", "movbe", "xsave"}),
        1, 4, "Haswell", "AVX2", "avx2", "AVX2", "AVX2",
    ),
    "avx512": Level(
        "x86-64-v4", frozenset({"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"}),
        2, 7, "SkylakeX", "AVX512", "avx512", "AVX512_CORE", "AVX512",
    ),
}  # fmt: skip


@cache
def cpu() -> Cpu:
    """Return the CPU that this process runs on; the first one if there are several."""
    machine = platform.machine()
    if not CPUINFO.is_file():
        return Cpu(machine, platform.processor() or machine, frozenset())
    told: dict[str, str] = {}
    for line in CPUINFO.read_text("utf-8", "replace").splitlines():
        name, _, value = line.partition(":")
        told.setdefault(name.strip(), value.strip())
    features = frozenset(told.get("flags", told.get("Features", "")).split())
    return Cpu(machine, told.get("model name", machine), features)


def unavailable(level: str) -> str | None:
    """Return the reason why this CPU cannot be limited to the level; None if it can."""
    here = cpu()
    if here.machine not in ("x86_64", "AMD64"):
        return f"{level} is a level of x86-64, and this CPU is {here.machine}"
    if not here.features:
        return f"the system does not say whether this CPU has {level}"
    names = list(LEVELS)
    needs = frozenset[str]().union(*(LEVELS[name].needs for name in names[: names.index(level) + 1]))
    lacks = sorted(needs - here.features)
    return f"this CPU has no {level}: it lacks {', '.join(lacks)}" if lacks else None


def environment(level: str) -> dict[str, str]:
    """Return the environment variables that limit a new process to the level.

    Two other limits are those of `numpy_variable` and `xla_flag`.

    Raises:
        AdapterError: this CPU cannot be limited to the level.
    """
    if level == NATIVE:
        return {}
    if reason := unavailable(level):
        raise AdapterError(reason)
    chosen = LEVELS[level]
    return {
        VARIABLE: level,
        "OPENBLAS_CORETYPE": chosen.openblas,
        "MKL_ENABLE_INSTRUCTIONS": chosen.mkl,
        "ATEN_CPU_CAPABILITY": chosen.aten,
        "ONEDNN_MAX_CPU_ISA": chosen.onednn,
        "TORCHINDUCTOR_CPP_MARCH": chosen.psabi,
    }


def xla_flag(level: str) -> dict[str, str]:
    """Return the flag that limits XLA to the level, with its value."""
    return {} if level == NATIVE else {"xla_cpu_max_isa": LEVELS[level].xla}


def numpy_variable(level: str, version: str) -> dict[str, str]:
    """Return the environment variable that limits a NumPy of that version to the level.

    NumPy warns of names that it does not know, so the variable lists only names that this version knows.
    """
    chosen = LEVELS[level]
    has_groups = tuple(int(part) for part in version.split(".")[:2]) >= NUMPY_WITH_GROUPS
    left = NUMPY_GROUPS[chosen.numpy_groups :] if has_groups else NUMPY_FEATURES[chosen.numpy_features :]
    return {"NPY_DISABLE_CPU_FEATURES": " ".join(left)}
