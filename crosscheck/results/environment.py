"""The header of a ledger: the command, the adapters and the environment; and how two environments differ."""

from __future__ import annotations

import json
import os
import platform
import shlex
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from itertools import starmap
from pathlib import Path
from typing import Final

import numpy as np
from msgspec.structs import replace

from adapters import AdapterError, threads
from adapters.instructions import cpu
from adapters.protocol import Description
from crosscheck.results.lines import FORMAT, VERSION, AdapterInfo, Environment, Header

PACKAGES: Final = ("numpy", "ml_dtypes", "torch", "jax", "jaxlib", "python-flint")
# Environment variables that numerical libraries read. The numbers of threads are left out, since
# `adapters.threads` sets them anew for each process.
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
# The code that another interpreter runs to report its versions, that of NumPy's BLAS included.
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
# The CPU extensions for vector and fused arithmetic, by which libraries choose their kernels.
EXTENSIONS: Final = ("sse4_2", "avx", "avx2", "fma", "f16c", "avx512", "amx", "asimd", "sve", "bf16")


def environment(python: str | None = None) -> Environment:
    """Return the environment of this process, which its children share except for their numbers of threads.

    Args:
        python: the interpreter of the adapters, which has its own packages; None: this one.

    Raises:
        AdapterError: that interpreter cannot import NumPy, or does not run at all.
    """
    if python is not None:
        command = [python, "-c", QUERY, *PACKAGES]
        there = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603, the user's
        if there.returncode:
            said = there.stderr.strip().rpartition("\n")[2] or f"it exits with status {there.returncode}"
            raise AdapterError(f"{python} cannot import NumPy: {said}")
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
    """Return those of `VARIABLES` that are set, and XLA's flags except those that a mode's name decides."""
    found = {name: os.environ[name] for name in VARIABLES if name in os.environ}
    kept = [flag for flag in threads.theirs() if flag not in threads.replaced()]
    return {**found, threads.XLA_VARIABLE: " ".join(kept)} if kept else found


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def suite() -> str:
    """Return the version of the suite in this process."""
    return _version("gradient-crosscheck") or "not installed"


def _cpu() -> str:
    """Return the model of the CPU and its extensions, where the system reports them."""
    here = cpu()
    return " ".join([here.model, *sorted(each for each in here.features if each.startswith(EXTENSIONS))])


def _blas() -> str:
    """Return the name and version of the BLAS that NumPy was built with."""
    built = np.show_config(mode="dicts")
    blas = (built or {}).get("Build Dependencies", {}).get("blas", {})
    return " ".join(str(blas.get(key, "")) for key in ("name", "version")).strip()


def header(
    profile: str, seed: int, descriptions: Mapping[str, Description], command: str, python: str | None = None
) -> Header:
    """Make the header of a run that begins now.

    Args:
        profile: the kind of run.
        seed: the seed of the first round of cases.
        descriptions: the descriptions of the adapters, by selector.
        command: the command, quoted for a shell.
        python: the interpreter of the adapters; None: this one.
    """
    return Header(
        format=FORMAT,
        version=VERSION,
        suite=suite(),
        created=datetime.now(UTC).replace(microsecond=0),
        command=command,
        profile=profile,
        seed=seed,
        environment=environment(python),
        adapters=tuple(sorted(starmap(_adapter, descriptions.items()), key=lambda one: one.name)),
    )


def _adapter(selector: str, said: Description) -> AdapterInfo:
    return AdapterInfo(
        name=said.name,
        selector=selector,
        framework=said.framework,
        version=said.version,
        device=said.device,
        threads=said.threads or 0,
        dtypes=said.dtypes,
    )


def environment_differences(old: Header, new: Header, adapter: str) -> list[str]:
    """List the differences between the environments in which an adapter ran, in words.

    A new version of the adapter is not listed, since its effects are what the gate compares.
    """
    a, b = old.environment, new.environment
    facts: dict[str, tuple[object, object]] = {
        "CPU": (a.cpu, b.cpu),
        "platform": (a.platform, b.platform),
        "BLAS": (a.blas, b.blas),
        "Python": (a.python, b.python),
    }
    if names := sorted({name for name, _ in a.variables.items() ^ b.variables.items()}):
        facts[f"value of {', '.join(names)}"] = False, True
    was, now = _adapter_of(old, adapter), _adapter_of(new, adapter)
    if was is not None and now is not None:
        facts["number of threads"] = was.threads, now.threads
        facts["device"] = was.device, now.device
    return [f"another {name}" for name, (before, after) in facts.items() if before != after]


def cause_of(old: Header, new: Header, adapter: str) -> str:
    """Return the difference that explains other numbers for the same cases; empty if there is none."""
    found = environment_differences(old, new, adapter)
    was, now = _adapter_of(old, adapter), _adapter_of(new, adapter)
    if was is not None and now is not None and _versions(old, was) != _versions(new, now):
        found.append(f"another version of {now.framework}")
    return " and ".join(found)


def _adapter_of(header: Header, name: str) -> AdapterInfo | None:
    return next((one for one in header.adapters if one.name == name), None)


def _versions(header: Header, adapter: AdapterInfo) -> dict[str, str]:
    """Return the versions of an adapter and of its framework's packages, such as jax and jaxlib."""
    packages = header.environment.packages.items()
    return {"": adapter.version, **{n: v for n, v in packages if n.startswith(adapter.framework)}}


def command() -> str:
    """Return the command line of this process, quoted for a shell."""
    return shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]])
