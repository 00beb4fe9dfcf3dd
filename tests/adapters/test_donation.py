"""`jax-donate` gives XLA memory that JAX owns: outputs are written there; NumPy's arrays stay as they are."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from reference.formats import FORMATS
from reference.layouts import LAYOUTS

# For each dtype and layout: which inputs were deleted, which input's buffer each output lies in, and whether
# JAX was given NumPy's memory or changed it. No output has X's shape, so that XLA cannot use its buffer.
CODE = """
import json, sys, warnings
import numpy as np
from adapters.jax import adapter
from adapters.modes import parse
from crosscheck.inputs import Case

warnings.filterwarnings("ignore", "Some donated buffers were not usable")
donate = adapter(parse("jax-donate"))
run = donate._executed

def observed(given):
    seen["owned"] = all(
        array.unsafe_buffer_pointer() != problem[name].ctypes.data for name, array in given.items()
    )
    buffers = {array.unsafe_buffer_pointer(): name for name, array in given.items()}
    found = run(given)
    seen["deleted"] = "".join(name for name, array in given.items() if array.is_deleted())
    seen["reused"] = {
        name: buffers[at] for name, out in found.items() if (at := out.unsafe_buffer_pointer()) in buffers
    }
    return found

donate.__dict__["_executed"] = observed  # in the place of the cached property
told = {}
for dtype, layout in json.loads(sys.argv[1]):
    case = Case("ordinary", 0, (12, 2, 3, 5), layout, dtype)
    problem, seen = case.problem()._asdict(), {}
    donate.evaluate(**problem)
    seen["unchanged"] = all(a.tobytes() == b.tobytes() for a, b in zip(problem.values(), case.problem()))
    told[f"{dtype}-{layout}"] = seen
print(json.dumps(told))
"""


@pytest.fixture(scope="module")
def told(frameworks: frozenset[str]) -> dict[str, Any]:
    if "jax" not in frameworks:
        pytest.skip("jax is left out")
    pairs = json.dumps([(dtype, layout) for dtype in FORMATS for layout in LAYOUTS])
    done = subprocess.run([sys.executable, "-c", CODE, pairs], capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_donated_inputs_are_deleted_and_outputs_of_their_shape_lie_in_their_buffers(
    told: dict[str, Any],
) -> None:
    want = {"owned": True, "deleted": "yW", "reused": {"y_hat": "y", "grad": "W"}, "unchanged": True}
    assert {name: facts for name, facts in told.items() if facts != want} == {}
    assert len(told) == len(FORMATS) * len(LAYOUTS)
