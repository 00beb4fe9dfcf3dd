"""Execute a notebook and write its outputs into it: ``python tools/notebook.py docs/notebook.ipynb``.

A cell must be plain Python without the magic of IPython. As in Jupyter, its outputs are the text that it
prints, the value of its last line, and its open figures.
"""

from __future__ import annotations

import ast
import base64
import io
import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

Cell = dict[str, Any]


def executed(notebook: Mapping[str, Any]) -> dict[str, Any]:
    """Execute the cells of a notebook in one namespace, and return the notebook with their outputs.

    Raises:
        Exception: a cell raised it.
    """
    names: dict[str, Any] = {"__name__": "__main__"}
    cells: list[Cell] = []
    count = 0
    for cell in notebook["cells"]:
        if cell["cell_type"] != "code":
            cells.append(cell)
            continue
        count += 1
        outputs = list(_outputs("".join(cell["source"]), names, count))
        cells.append({**cell, "execution_count": count, "outputs": outputs})
    return {**notebook, "cells": cells}


def _outputs(source: str, names: dict[str, Any], count: int) -> Iterator[Cell]:
    """Execute one cell, and yield its outputs."""
    place = f"<cell {count}>"
    body = ast.parse(source, place).body
    last = body.pop() if body and isinstance(body[-1], ast.Expr) else None
    printed, value = io.StringIO(), None
    with redirect_stdout(printed):
        exec(compile(ast.Module(body, []), place, "exec"), names)  # noqa: S102, as Jupyter does
        if isinstance(last, ast.Expr):
            value = eval(compile(ast.Expression(last.value), place, "eval"), names)  # noqa: S307, as above
    if printed.getvalue():
        yield {"name": "stdout", "output_type": "stream", "text": lines(printed.getvalue())}
    if value is not None:
        data = {"text/plain": lines(repr(value))}
        yield {"data": data, "execution_count": count, "metadata": {}, "output_type": "execute_result"}
    yield from _figures()


def _figures() -> Iterator[Cell]:
    """Yield the open figures as outputs, and close them."""
    if "matplotlib.pyplot" not in sys.modules:
        return
    import matplotlib.pyplot as plt

    for number in plt.get_fignums():
        memory = io.BytesIO()
        plt.figure(number).savefig(memory, format="png", dpi=80, metadata={"Software": None})
        data = {"image/png": base64.b64encode(memory.getvalue()).decode(), "text/plain": ["<Figure>"]}
        yield {"data": data, "metadata": {}, "output_type": "display_data"}
    plt.close("all")


def lines(text: str) -> list[str]:
    """Split a text into the list of lines that notebook files have."""
    return text.splitlines(keepends=True)


def written(notebook: Mapping[str, Any]) -> str:
    """Write the text of a notebook in the form that Jupyter writes."""
    return json.dumps(notebook, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def main(path: Path) -> None:
    """Execute the notebook in that file, and write it again with its outputs."""
    os.environ["MPLBACKEND"] = "Agg"
    path.write_text(written(executed(json.loads(path.read_text("utf-8")))), "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
