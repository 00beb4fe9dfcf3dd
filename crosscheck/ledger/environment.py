"""Where a run takes place, as far as it can change a bit of its results."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from typing import Final

import numpy as np
from msgspec.structs import replace

from adapters import xla
from adapters.instructions import cpu
from crosscheck.ledger.records import Environment

PACKAGES: Final = ("numpy", "ml_dtypes", "torch", "jax", "jaxlib", "python-flint")
# What libraries of numbers read, but for the numbers of threads, which `adapters.threads` sets anew for each
# process.
VARIABLES: Final = (
    "OPENBLAS_CORETYPE",
    "MKL_ENABLE_INSTRUCTIONS",
    "ATEN_CPU_CAPABILITY",
    "ONEDNN_MAX_CPU_ISA",
    "DNNL_MAX_CPU_ISA",
    "NPY_DISABLE_CPU_FEATURES",
    "NPY_ENABLE_CPU_FEATURES",
    "JAX_PLATFORMS",
    "JAX_DEFAULT_MATMUL_PRECISION",
    "TORCHINDUCTOR_CPP_SIMDLEN",
    "TORCHINDUCTOR_CPP_MARCH",
    "CUDA_VISIBLE_DEVICES",
)
# What another interpreter runs to report its versions; NumPy's BLAS is one of them.
QUERY: Final = """
import json, platform, sys
from importlib.metadata import PackageNotFoundError, version
import numpy
blas = (numpy.show_config(mode="dicts") or {}).get("Build Dependencies", {}).get("blas", {})
built = " ".join(str(blas.get(key, "")) for key in ("name", "version")).strip()
facts = {"python": platform.python_version(), "blas": built}
for name in sys.argv[1:]:
    try:
        facts[name] = version(name)
    except PackageNotFoundError:
        pass
json.dump(facts, sys.stdout)
"""
# Vector and fused arithmetic: what kernels are chosen by.
EXTENSIONS: Final = ("sse4_2", "avx", "avx2", "fma", "f16c", "avx512", "amx", "asimd", "sve", "bf16")


def environment(python: str | None = None) -> Environment:
    """This process's, which its children share but for their threads.

    Args:
        python: the interpreter that adapters run under, which has packages of its own; None: this one.
    """
    if python is not None:
        command = [python, "-c", QUERY, *PACKAGES]
        there = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603, the user's own
        facts = {"python-flint": version("python-flint"), **json.loads(there.stdout)}  # the oracle stays here
        return replace(environment(), python=facts.pop("python"), blas=facts.pop("blas"), packages=facts)
    return Environment(
        python=platform.python_version(),
        platform=f"{platform.system()} {platform.machine()}",
        cpu=_cpu(),
        blas=_blas(),
        packages={name: found for name in PACKAGES if (found := _version(name))},
        variables=_variables(),
    )


def _variables() -> dict[str, str]:
    """Those that are set; of XLA's flags what the user has set and no mode's name decides."""
    found = {name: os.environ[name] for name in VARIABLES if name in os.environ}
    kept = [flag for flag in xla.theirs() if flag not in xla.replaced()]
    return {**found, xla.VARIABLE: " ".join(kept)} if kept else found


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _cpu() -> str:
    """The model and its extensions, where the system tells."""
    here = cpu()
    return " ".join([here.model, *sorted(each for each in here.features if each.startswith(EXTENSIONS))])


def _blas() -> str:
    """What NumPy was built with."""
    built = np.show_config(mode="dicts")
    blas = (built or {}).get("Build Dependencies", {}).get("blas", {})
    return " ".join(str(blas.get(key, "")) for key in ("name", "version")).strip()
