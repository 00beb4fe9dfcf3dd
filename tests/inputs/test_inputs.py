"""The user's own files: what is read, and one clear line for everything that cannot be."""

from __future__ import annotations

import json
import struct
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import save_file

from adapters.journal import Journal
from adapters.memory import memories_of
from crosscheck.inputs import Case, CaseError
from crosscheck.inputs.files import InputError, read, read_case
from crosscheck.judging.judge import Judge
from reference.formats import FORMATS
from reference.layouts import LAYOUTS
from reference.types import Problem

X, y, W = np.arange(6.0).reshape(2, 3), np.ones((2, 1)), np.ones((3, 1))
GOOD: dict[str, Any] = {"X": X, "y": y, "W": W}


def journal_of(problem: Problem, folder: Path) -> Path:
    """The file that an isolated adapter leaves behind."""
    journal = Journal(folder, "numpy")
    layout = json.dumps(memories_of(problem))
    journal.write(problem, {"adapter": "numpy", "call": "1", "layout": layout})
    return journal.keep("numpy", 1)


def assert_read_as(path: Path, want: Problem) -> None:
    """The file holds exactly this problem."""
    found = read(path).problem()
    assert [a.dtype for a in found] == [a.dtype for a in want]
    assert [a.tobytes() for a in found] == [a.tobytes() for a in want]
    assert [a.shape for a in found] == [a.shape for a in want]


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16"])
def test_files_are_read_exactly(dtype: str, tmp_path: Path) -> None:
    problem = Case("non_finite", 1, (4, 2, 3, 1), dtype=dtype).problem()
    np.savez(tmp_path / "a.npz", **problem._asdict())
    np.savez_compressed(tmp_path / "b.npz", **problem._asdict())
    save_file(problem._asdict(), tmp_path / "c.safetensors")
    for name in ("a.npz", "b.npz", "c.safetensors"):
        assert_read_as(tmp_path / name, problem)


def test_npz_may_hold_other_orders_of_memory_and_of_bytes_and_more_arrays(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", X=np.asfortranarray(X).astype(">f8"), y=y, W=W, name=np.array(["x"]))
    assert_read_as(tmp_path / "a.npz", Problem(X, y, W))


@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
@pytest.mark.parametrize("member", ["{}.npy", "{}"])
@pytest.mark.parametrize("name", ["a.npz", "A.NPZ"])
def test_npz_is_read_as_numpy_reads_it(
    name: str, member: str, version: tuple[int, int], tmp_path: Path
) -> None:
    with zipfile.ZipFile(tmp_path / name, "w") as archive:
        for symbol, array in GOOD.items():
            with archive.open(member.format(symbol), "w") as file:
                np.lib.format.write_array(file, array, version)
    with np.load(tmp_path / name) as there:
        want = Problem(*(there[symbol] for symbol in "XyW"))
    assert_read_as(tmp_path / name, want)
    assert read_case(str(tmp_path / name)).text == read(tmp_path / name).text


def test_the_kind_of_a_safetensors_file_may_be_written_in_any_case(tmp_path: Path) -> None:
    save_file(GOOD, tmp_path / "a.SafeTensors")
    assert_read_as(tmp_path / "a.SafeTensors", Problem(X, y, W))


@pytest.mark.parametrize(
    ("dtype", "bits"),
    [
        ("float64", 0x7FF0000000000001),
        ("float32", 0x7F800001),
        ("float16", 0x7C01),
        ("bfloat16", 0x7F81),
    ],
)
def test_a_signalling_nan_is_a_nan_like_any_other(dtype: str, bits: int, tmp_path: Path) -> None:
    signalling = np.array([[bits]], f"u{FORMATS[dtype].dtype.itemsize}").view(FORMATS[dtype].dtype)
    one = np.ones((1, 1), FORMATS[dtype].dtype)
    save_file({"X": signalling, "y": one, "W": one}, tmp_path / "case.safetensors")
    case = read(tmp_path / "case.safetensors")
    assert case.text == f"{dtype}:X=[[nan]]:y=[[0x1p+0]]:W=[[0x1p+0]]"
    Judge(case.problem())  # no conversion warns: the tests make errors of warnings


@pytest.mark.parametrize("dtype", FORMATS)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_journal_is_the_case_with_its_layout(dtype: str, layout: str, tmp_path: Path) -> None:
    shape = (4, 1, 3, 1) if layout == "odd_strides" else (4, 2, 3, 2)  # with axes of length 1
    case = Case("ordinary", 1, shape, layout, dtype)
    path = journal_of(case.problem(), tmp_path)
    assert_read_as(path, case.problem())
    # y of a broadcast case is not repeated, and read-only memory is its own layout
    assert (
        read(path).layout in (layout, "contiguous") if layout == "broadcast" else read(path).layout == layout
    )


def saved(path: Path, **changed: Any) -> Path:
    """Write a good file with these arrays instead; None leaves one out."""
    arrays = {name: array for name, array in {**GOOD, **changed}.items() if array is not None}
    if path.suffix == ".npz":
        np.savez(path, **arrays)
    else:
        save_file(arrays, path)
    return path


def bad_npz(**changed: Any) -> Callable[[Path], Path]:
    return lambda folder: saved(folder / "bad.npz", **changed)


def bad_safetensors(**changed: Any) -> Callable[[Path], Path]:
    return lambda folder: saved(folder / "bad.safetensors", **changed)


BAD: dict[str, tuple[Callable[[Path], Path], str]] = {
    "missing": (lambda folder: folder / "none.npz", "no such file"),
    "a-folder": (lambda folder: folder, "unknown kind of file"),
    "a-pickle": (
        lambda folder: folder / "a.pickle",
        "unknown kind of file '.pickle'; use .npz or .safetensors",
    ),
    "npz-other-names": (
        bad_npz(W=None, w=W),
        "has no W; it holds 'X.npy', 'y.npy', 'w.npy'; the arrays must be called X, y and W",
    ),
    "safetensors-other-names": (bad_safetensors(X=None), "has no X; it holds"),
    "integers": (bad_npz(X=X.astype(int)), "X has dtype int64; save it as one of float64, float32, float16"),
    "small-integers": (
        bad_safetensors(y=y.astype(np.int8)),
        "y has dtype I8; save it as one of float64, float32, float16, bf",
    ),
    "npz-bfloat16": (
        bad_npz(X=X.astype(FORMATS["bfloat16"].dtype)),
        "NumPy loses bfloat16 in .npz; save it as .safetensors",
    ),
    "safetensors-no-numbers": (bad_safetensors(X=X[:0], y=y[:0]), "X has shape (0, 3); "),
    "dtypes-differ": (bad_npz(y=y.astype(np.float32)), "y has dtype float32; X has float64"),
    "shapes-do-not-fit": (
        bad_npz(X=X.T),
        "shapes X (3, 2), y (2, 1), W (3, 1) do not fit",
    ),
    "one-axis": (bad_npz(W=W[:, 0]), "W has shape (3,); "),
    "no-rows": (bad_npz(X=X[:0], y=y[:0]), "X has shape (0, 3); "),
}


@pytest.mark.parametrize(("write", "words"), BAD.values(), ids=BAD)
def test_an_unusable_file_is_one_clear_line(
    write: Callable[[Path], Path], words: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError) as found:
        read(write(tmp_path))
    assert words in str(found.value)
    assert "\n" not in str(found.value)
    assert isinstance(found.value, CaseError)


@pytest.mark.parametrize("name", ["good.npz", "good.safetensors"])
@given(data=st.data())
def test_whatever_bytes_are_wrong_there_are_arrays_or_an_input_error(
    name: str, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("fuzz")
    changed = bytearray(saved(folder / name).read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
    (folder / name).write_bytes(changed[: data.draw(st.sampled_from([len(changed), len(changed) // 2]))])
    with suppress(InputError):
        read(folder / name).problem()


def test_a_file_without_metadata_is_read_however_it_says_so(tmp_path: Path) -> None:
    arrays, at = {"X": X, "y": y, "W": W}, 0
    entries: dict[str, object] = {"__metadata__": None}
    for name, array in arrays.items():
        ends = [at, at := at + array.nbytes]
        entries[name] = {"dtype": "F64", "shape": array.shape, "data_offsets": ends}
    head = json.dumps(entries).encode()
    body = b"".join(array.tobytes() for array in arrays.values())
    (tmp_path / "a.safetensors").write_bytes(struct.pack("<Q", len(head)) + head + body)
    assert_read_as(tmp_path / "a.safetensors", Problem(X, y, W))
