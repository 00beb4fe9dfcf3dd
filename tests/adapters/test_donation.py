"""Modes that donate give XLA memory of JAX: outputs are written there; NumPy's arrays stay as they are."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from adapters.modes import parse
from adapters.start import environment_of
from reference.formats import FORMATS
from reference.layouts import LAYOUTS

# For each dtype and layout: which inputs were deleted, in which input's buffers each output lies, and whether
# JAX was given NumPy's memory or changed it. An array has a buffer on each device. No output has the shape
# of X, so that XLA cannot use its buffers.
CODE = """
import json, sys, warnings
import numpy as np
from adapters.jax import adapter
from adapters.modes import parse
from crosscheck.inputs import Case

warnings.filterwarnings("ignore", "Some donated buffers were not usable")
donate = adapter(parse(sys.argv[2]))
run = donate._executed

def addresses(array):
    return [shard.data.unsafe_buffer_pointer() for shard in array.addressable_shards]

def is_in(address, array):
    first, after = np.lib.array_utils.byte_bounds(array)
    return first <= address < after

def observed(given):
    seen["owned"] = not any(
        is_in(at, problem[name]) for name, array in given.items() for at in addresses(array)
    )
    buffers = {at: name for name, array in given.items() for at in addresses(array)}
    seen["devices"] = len(buffers) // len(given)
    found = run(given)
    seen["deleted"] = "".join(name for name, array in given.items() if array.is_deleted())
    lie_in = {name: "".join(buffers.get(at, "") for at in addresses(out)) for name, out in found.items()}
    seen["reused"] = {name: names for name, names in lie_in.items() if names}
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


def told(mode: str) -> dict[str, Any]:
    pairs = json.dumps([(dtype, layout) for dtype in FORMATS for layout in LAYOUTS])
    environment = environment_of(1, {}, devices=parse(mode).devices)
    done = subprocess.run(
        [sys.executable, "-c", CODE, pairs, mode], capture_output=True, text=True, check=True, env=environment
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.long
@pytest.mark.parametrize("mode", ["jax-donate", "jax-donate-shardmap"])
def test_donated_inputs_are_deleted_and_outputs_of_their_shape_lie_in_their_buffers(
    mode: str, frameworks: frozenset[str]
) -> None:
    if "jax" not in frameworks:
        pytest.skip("jax is left out")
    found, devices = told(mode), parse(mode).devices
    reused = {"y_hat": "y" * devices, "grad": "W" * devices}
    want = {"owned": True, "devices": devices, "deleted": "yW", "reused": reused, "unchanged": True}
    assert {name: facts for name, facts in found.items() if facts != want} == {}
    assert len(found) == len(FORMATS) * len(LAYOUTS)
