"""A layout that PyTorch can take reaches it with memory, offset and strides; of the others the values do."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from reference.formats import FORMATS
from reference.layouts import LAYOUTS

# With one xdist worker: its fixture takes seconds.
pytestmark = pytest.mark.xdist_group("layouts")

# PyTorch has no negative strides, and no tensor that must not be written. NumPy's broadcast arrays must not
# either, but that is for the sake of their strides, which PyTorch has.
COPIED = ("reversed", "readonly", "broadcast of bytes")
# For each dtype and layout what became of an array, whose slices repeat so that it can be broadcast.
CODE = """
import json, sys, warnings
import numpy as np
from adapters.pytorch.adapter import array, tensor
from reference.formats import FORMATS
from reference.layouts import LAYOUTS, arrange

def arranged(values, layout):
    if layout == "broadcast of bytes":  # whose memory is nobody's to write
        first = np.frombuffer(values[:1].tobytes(), values.dtype).reshape(values[:1].shape)
        return np.broadcast_to(first, values.shape)
    return arrange(values, layout)

def reached(layout, dtype):
    bits = np.random.default_rng(0).bytes(5 * 7 * dtype.itemsize)  # every kind of number
    values = np.tile(np.frombuffer(bits, dtype).reshape(1, 5, 7), (3, 1, 1))
    given = arranged(values, layout)
    was_writeable = given.flags.writeable
    got = tensor(given.copy() if sys.argv[1] == "copied" else given)
    return {
        "memory": got.data_ptr() == given.__array_interface__["data"][0],
        "strides": [stride * got.element_size() for stride in got.stride()] == list(given.strides),
        "shape": list(got.shape) == list(given.shape),
        "values": array(got).tobytes() == values.tobytes() and array(got).dtype == dtype,
        "input": given.tobytes() == values.tobytes() and given.flags.writeable == was_writeable,
    }

warnings.simplefilter("error")
pairs = [(name, layout) for name in FORMATS for layout in (*LAYOUTS, "broadcast of bytes")]
json.dump({f"{name}-{layout}": reached(layout, FORMATS[name].dtype) for name, layout in pairs}, sys.stdout)
"""


def reached(how: str) -> dict[str, dict[str, bool]]:
    """What became of every layout in a process that may import torch."""
    command = [sys.executable, "-c", CODE, how]
    found: Any = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    return found


@pytest.fixture(scope="module")
def ours() -> dict[str, dict[str, bool]]:
    return reached("ours")


@pytest.mark.long
@pytest.mark.parametrize("layout", [*LAYOUTS, "broadcast of bytes"])
@pytest.mark.parametrize("dtype", FORMATS)
def test_a_layout_reaches_torch(ours: dict[str, dict[str, bool]], dtype: str, layout: str) -> None:
    found = ours[f"{dtype}-{layout}"]
    if layout in COPIED:
        assert not found.pop("memory")
        found.pop("strides")
    assert all(found.values()), found


@pytest.mark.long
def test_a_copy_is_found_in_every_layout_that_can_be_taken() -> None:
    found = reached("copied")
    assert [name for name, facts in found.items() if facts["memory"]] == []
    assert {name.partition("-")[2] for name, facts in found.items() if not facts["strides"]} == {
        "transposed",
        "strided",
        "reversed",
        "broadcast",
        "broadcast of bytes",
    }
