"""The same modes on other devices, where there is one; where there is none, they say so."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from command_line import python
from machine_modes import ON_DEVICES

from adapters import spec_of
from adapters.modes import parse
from crosscheck.inputs import Case
from crosscheck.plans.shapes import DOCUMENT
from crosscheck.pytest_plugin.matrix_run import MatrixRun
from reference.arithmetic import default_arithmetic
from reference.formats import FORMATS

# What a mode claims on a device that nobody measured, in every dtype, and in float32 alone.
CLAIMED: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "torch-cuda": ({}, {}),
    "torch-jacfwd-cuda": ({"forward": True}, {}),
    "torch-jvp-cuda": ({"forward": True}, {}),
    "torch-module-cuda": ({"rescaled_mean": True}, {}),
    "torch-matmul_high-cuda": ({}, {"u_in": 2.0**-11}),
    "torch-matmul_medium-cuda": ({}, {"u_in": 2.0**-8}),
    "jax-jit-gpu": ({}, {"u_in": 2.0**-11}),
    "jax-jit-matmul_high-gpu": ({}, {"u_in": 2.0**-11}),
    "jax-jit-matmul_highest-gpu": ({}, {}),
    "jax-jit-vmap-jacfwd-gpu": ({"forward": True}, {"u_in": 2.0**-11}),
    "jax-jit-jvp-matmul_highest-gpu": ({"forward": True}, {}),
    "jax-jit-linearize-matmul_highest-gpu": ({"forward": True}, {}),
}
# Where the outputs of torch.nn are: "meta" is a device that computes nothing and that every machine has.
ON_META = """
import json
import torch
from adapters.pytorch.module import Modules

modules = Modules(lambda module: module)
shapes = (2, 3, 2), (2, 3, 1), (2, 2, 1)
found = {
    device: modules(*(torch.zeros(shape, device=device) for shape in shapes)) for device in ("cpu", "meta")
}
print(json.dumps({device: [a.device.type for a in outputs.values()] for device, outputs in found.items()}))
"""


def of_process(name: str) -> Any:
    """The name, to be tried where its process is."""
    return pytest.param(
        name, marks=pytest.mark.xdist_group("-".join(map(str, spec_of(parse(name)).process_key)))
    )


@pytest.mark.parametrize("dtype", FORMATS)
@pytest.mark.parametrize("name", [of_process(name) for name in ON_DEVICES])
def test_a_mode_agrees_on_another_device(
    matrix: MatrixRun, frameworks: frozenset[str], name: str, dtype: str
) -> None:
    spec, case = spec_of(parse(name)), Case("mixed", 0, DOCUMENT[0], dtype=dtype)
    if spec.framework not in frameworks:
        pytest.skip(f"{spec.framework} is not in this run")
    try:
        matrix.pool.load(spec).evaluate(*case.problem())
    except NotImplementedError as reason:
        pytest.skip(str(reason))
    outcome, known_match = matrix.add(spec, case)
    assert known_match.is_green, matrix.failure_message(spec, case, outcome)


@pytest.mark.parametrize("dtype", FORMATS)
@pytest.mark.parametrize("name", [of_process(name) for name in CLAIMED])
def test_what_a_mode_asks_for_is_claimed_on_a_device_that_nobody_measured(
    matrix: MatrixRun, frameworks: frozenset[str], name: str, dtype: str
) -> None:
    spec = spec_of(parse(name))
    if spec.framework not in frameworks:
        pytest.skip(f"{spec.framework} is not in this run")
    got = matrix.pool.load(spec).description.arithmetic[dtype]
    always, in_float32 = CLAIMED[name]
    claims = {**always, **(in_float32 if dtype == "float32" else {})}
    if dtype == "float16":  # torch.nn.MSELoss is asked for the sum there
        claims.pop("rescaled_mean", None)
    assert got == replace(default_arithmetic(FORMATS[dtype]), **claims)
    assert set(got.sources) == {"kappa", *claims}


@pytest.mark.long
def test_torch_nn_computes_where_its_weights_are(frameworks: frozenset[str]) -> None:
    if "torch" not in frameworks:
        pytest.skip("torch is not in this run")
    ran = python("-c", ON_META)
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout) == {device: [device] * 3 for device in ("cpu", "meta")}
