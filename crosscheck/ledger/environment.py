"""Where a run takes place, as far as it can change a bit of its results."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

import numpy as np

from crosscheck.ledger.records import Environment

PACKAGES: Final = ("numpy", "ml_dtypes", "torch", "jax", "jaxlib", "python-flint")
# What libraries of numbers read; what sets the threads is the adapters' own, and set anew for each.
VARIABLES: Final = (
    "OPENBLAS_CORETYPE",
    "MKL_ENABLE_INSTRUCTIONS",
    "ATEN_CPU_CAPABILITY",
    "ONEDNN_MAX_CPU_ISA",
    "DNNL_MAX_CPU_ISA",
    "NPY_DISABLE_CPU_FEATURES",
    "NPY_ENABLE_CPU_FEATURES",
    "XLA_FLAGS",
    "JAX_PLATFORMS",
    "JAX_DEFAULT_MATMUL_PRECISION",
    "TORCHINDUCTOR_CPP_SIMDLEN",
    "CUDA_VISIBLE_DEVICES",
)
CPUINFO: Final = Path("/proc/cpuinfo")
# Vector and fused arithmetic: what kernels are chosen by.
EXTENSIONS: Final = ("sse4_2", "avx", "avx2", "fma", "f16c", "avx512", "amx", "asimd", "sve", "bf16")


def environment() -> Environment:
    """This process's, which its children share but for their threads."""
    return Environment(
        python=platform.python_version(),
        platform=f"{platform.system()} {platform.machine()}",
        cpu=_cpu(),
        blas=_blas(),
        packages={name: found for name in PACKAGES if (found := _version(name))},
        variables={name: os.environ[name] for name in VARIABLES if name in os.environ},
    )


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _cpu() -> str:
    """The model and its extensions, where the system tells."""
    if not CPUINFO.is_file():
        return platform.processor() or platform.machine()
    told: dict[str, str] = {}
    for line in CPUINFO.read_text("utf-8", "replace").splitlines():
        name, _, value = line.partition(":")
        told.setdefault(name.strip(), value.strip())
    flags = told.get("flags", told.get("Features", "")).split()
    extensions = sorted(flag for flag in flags if flag.startswith(EXTENSIONS))
    return " ".join([told.get("model name", platform.machine()), *extensions])


def _blas() -> str:
    """What NumPy was built with."""
    built = np.show_config(mode="dicts")
    blas = (built or {}).get("Build Dependencies", {}).get("blas", {})
    return " ".join(str(blas.get(key, "")) for key in ("name", "version")).strip()
