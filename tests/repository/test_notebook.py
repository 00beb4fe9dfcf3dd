"""The notebook does what it says, and has the outputs that its command writes."""

from __future__ import annotations

import json
import runpy
import shutil
from pathlib import Path
from typing import Any

import pytest
from command_line import ROOT, python

NOTEBOOK = ROOT / "docs" / "notebook.ipynb"
TOOL = ROOT / "tools" / "notebook.py"
# What the text of a cell begins with, whatever the versions and the processor.
SAID = {
    "numpy": "Within bounds: y_hat, loss, grad.\n",
    "exact": "z[0, 0] = -1.250000011175870895385742\n",
    "sets": "y_hat[0, 0] = [0.2227",
    "lists": "Outputs(y_hat=array([[0.2227",
    "torch": "Within bounds: y_hat, loss, grad.\n",
    "jax": "Within bounds: loss, grad.\n",
    "broken": "Outside: grad.\n",
    "small": "Outside: grad.\n",
    "ulp": "NumPy: within bounds: 1000 elements, largest error 1.68e+07 ulp\n",
    "many": "Gradient Crosscheck ",
}


def code(notebook: Any) -> dict[str, Any]:
    """The cells of code that show something, by their names."""
    cells = (cell for cell in notebook["cells"] if cell["cell_type"] == "code")
    return {cell["id"]: cell for cell in cells if cell["id"] != "imports"}


def text_of(cell: Any) -> str:
    """The first text that a cell shows."""
    first = cell["outputs"][0]
    return "".join(first.get("text") or first["data"]["text/plain"])


def assert_shows_what_it_should(notebook: Any) -> None:
    cells = code(notebook)
    assert {name: text_of(cell)[: len(SAID[name])] for name, cell in cells.items()} == SAID
    figures = [o for o in cells["ulp"]["outputs"] if "image/png" in o.get("data", {})]
    assert len(figures) == 1
    assert "Within bounds: numpy, torch, jax-jit" in text_of(cells["many"])


def test_the_outputs_in_the_notebook_are_those_of_its_cells() -> None:
    assert_shows_what_it_should(json.loads(NOTEBOOK.read_text("utf-8")))


def test_the_notebook_is_as_its_command_writes_it() -> None:
    tool = runpy.run_path(str(TOOL))
    text = NOTEBOOK.read_text("utf-8")
    notebook = json.loads(text)
    assert tool["written"](notebook) == text
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    assert len({cell["id"] for cell in notebook["cells"]}) == len(notebook["cells"])


@pytest.mark.long
def test_the_command_executes_the_notebook_and_writes_what_it_shows(tmp_path: Path) -> None:
    copy = tmp_path / "notebook.ipynb"
    shutil.copy(NOTEBOOK, copy)
    ran = python("-W", "error", str(TOOL), str(copy), cwd=tmp_path, MPLCONFIGDIR=str(tmp_path))
    assert ran.returncode == 0, ran.stderr
    assert_shows_what_it_should(json.loads(copy.read_text("utf-8")))


def of(*sources: str) -> dict[str, Any]:
    """A notebook of these cells."""
    cells = [{"cell_type": "code", "id": str(i), "source": [text]} for i, text in enumerate(sources)]
    return {"cells": [{"cell_type": "markdown", "id": "text", "source": ["1/0"]}, *cells]}


def test_cells_share_their_names_and_show_what_they_print_and_their_last_value() -> None:
    tool = runpy.run_path(str(TOOL))
    _, first, second, third = tool["executed"](of("a = 2", "print('b')\na + 1", "None"))["cells"]
    assert first["outputs"] == third["outputs"] == []
    printed, value = second["outputs"]
    assert printed == {"name": "stdout", "output_type": "stream", "text": ["b\n"]}
    assert (value["data"], value["execution_count"]) == ({"text/plain": ["3"]}, 2)


def test_a_cell_that_fails_is_no_output() -> None:
    with pytest.raises(AssertionError):
        runpy.run_path(str(TOOL))["executed"](of("assert False"))
