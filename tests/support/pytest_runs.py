"""Runs of the suite's own pytest in processes, as a user starts them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
AGREEMENT = "tests/conformance/test_agreement.py"
MISSION = f"{AGREEMENT}::test_numpy_torch_and_jax_agree_on_y_hat_loss_and_grad"
OURS = ("CI", "CROSSCHECK_PROFILE", "PYTEST_ADDOPTS", "PYTEST_XDIST_WORKER")
CONTRACT = "tests/conformance/test_contract_of_adapters.py::test_an_adapter_keeps_the_contract"
Ran = subprocess.CompletedProcess[str]


def adapter(*targets: str) -> tuple[str, ...]:
    return tuple(word for target in targets for word in ("--adapter", f"tests.faulty_adapters.{target}"))


def only(*arguments: str) -> tuple[str, ...]:
    """Return pytest's options for NumPy's adapter and the given ones, without randomness."""
    return (*arguments, "--only", "numpy", "--profile", "ci")


def process(*arguments: str, text: str = "") -> Ran:
    """Run Python with these arguments in the checkout."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if name not in OURS},
        input=text,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def assert_says(ran: Ran, status: int, *words: str) -> str:
    """Check the exit status of a run and that each text is on one line of its output; return the output."""
    printed = ran.stdout + ran.stderr
    lines = [" ".join(line.split()) for line in printed.splitlines()]
    missing = [word for word in words if not any(word in line for line in lines)]
    assert (ran.returncode, missing) == (status, []), printed
    return printed
