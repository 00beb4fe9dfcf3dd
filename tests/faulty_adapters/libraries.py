"""What a process's libraries compute with: ``python -m adapters.start tests.faulty_adapters.libraries``."""

from __future__ import annotations

import ctypes
import importlib
import json
import os
import sys
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

# What OpenBLAS's function is called in NumPy's wheels, and elsewhere.
CORENAMES = ("scipy_openblas_get_corename64_", "openblas_get_corename64_", "openblas_get_corename")


def _numpy() -> list[str]:
    import numpy as np

    told: Any = np.show_config(mode="dicts")
    return list(told["SIMD Extensions"].get("found", []))


def _openblas() -> str | None:
    """The kernels of the OpenBLAS that NumPy has loaded; None where it has another library."""
    maps = Path("/proc/self/maps").read_text(encoding="utf-8").splitlines()
    paths = {line.split()[-1] for line in maps if "openblas" in line}
    for path in paths:
        library = ctypes.CDLL(path)
        for name in CORENAMES:
            if hasattr(library, name):
                function = getattr(library, name)
                function.restype = ctypes.c_char_p
                return str(function().decode())
    return None


def _torch() -> list[str]:
    torch: Any = importlib.import_module("torch")
    vectors: Any = importlib.import_module("torch._inductor.cpu_vec_isa")
    config: Any = importlib.import_module("torch._inductor.config")
    return [
        torch.backends.cpu.get_cpu_capability(), str(vectors.pick_vec_isa().bit_width()), config.cpp.march
    ]  # fmt: skip


QUESTIONS: dict[str, Callable[[], Any]] = {"numpy": _numpy, "openblas": _openblas, "torch": _torch}


def main(questions: Sequence[str]) -> None:
    """Answer the questions, in JSON; a warning of NumPy's is an error."""
    warnings.simplefilter("error", ImportWarning)
    answers = {name: QUESTIONS[name]() for name in ("numpy", *questions)}
    sys.stdout.write(json.dumps({**answers, "disabled": os.environ.get("NPY_DISABLE_CPU_FEATURES", "")}))
