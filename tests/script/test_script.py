"""`crosscheck check --script`: a script computes what the adapter does, and needs nothing of this project."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from tracing import untraced

from adapters import compilation, spec_of
from adapters.modes import FACTORS, Mode, parse
from adapters.process_options import ProcessOptions
from crosscheck.explain.element import Element
from crosscheck.inputs import Case, Literal, take
from crosscheck.judging.evaluation import evaluate_and_judge
from crosscheck.judging.judge import Judge
from crosscheck.pool import AdapterPool
from crosscheck.script import NoScriptError, Reproduction, script
from crosscheck.script.arrays import number
from crosscheck.script.command import run_script
from crosscheck.script.fillings import FILLINGS
from crosscheck.script.reproduction import plainest
from reference.arithmetic import default_arithmetic
from reference.layouts import LAYOUTS

# With one xdist worker: its fixtures take half a minute.
pytestmark = [pytest.mark.xdist_group("script"), pytest.mark.long]

FRAMEWORKS = ("torch", "jax")
STANDARD = {"base64", "math", "os", "platform", "sys", "zlib"}
LAST = {"y_hat": (-1, -1), "row_loss": (-1,), "loss": (), "grad": (-1, -1)}
# Together they have every value of every factor that the CPU has; a test below says so.
MODES = (
    "torch-compile-closed_X-vectors",
    "torch-nograd-literal-y_hat-closed_X-columns-matmul_high",
    "torch-nograd-vectors",
    "torch-inference-tanh-row_loss-closed_y-vectors-deterministic",
    "torch-backward-closed_W-columns-2threads",
    "torch-module",
    "torch-func-closed_Xy-vectors-matmul_medium",
    "torch-jacfwd-closed_XW-columns",
    "torch-jvp-literal-closed_yW",
    "torch-checkpoint-closed_XyW-vectors",
    "torch-loss-columns",
    "torch-nograd-vectors-addmm-out",
    "torch-inference-row_loss-columns-out",
    "torch-addmm",
    "jax",
    "jax-jit-jacfwd-columns",
    "jax-linearize-columns-matmul_high",
    "jax-jit-literal-y_hat-closed_X-columns",
    "jax-donate-vmap-jacfwd-tanh-closed_y-vectors-matmul_highest",
    "jax-jit-rowvmap-jvp-closed_W-columns",
    "jax-donate-map-checkpoint-closed_Xy-vectors",
    "jax-jit-scan-loss-closed_XW-columns-logistic_highest",
    "jax-jit-scan-linearize-logistic_highest",
    "jax-jit-map-y_hat-columns",
    "jax-jit-shardmap-closed_yW-columns-2threads",
    "jax-jit-rowvmap-row_loss-closed_XyW-vectors",
)
# The same in memory that is not contiguous: torch takes it as it is.
IN_LAYOUTS = (
    ("torch", "transposed"),
    ("torch-columns", "strided"),
    ("torch-nograd", "offset8"),
    ("torch", "reversed"),
    ("torch-columns", "broadcast"),
    ("torch-jvp", "broadcast"),
    ("torch", "transposed_W"),
    ("torch-columns", "transposed_X"),
    ("torch", "padded"),
    ("torch-columns", "table"),
    ("torch", "odd_strides"),
    ("torch-columns", "odd_strides"),
    ("torch-vectors", "offset32"),
)
IN_JAX_LAYOUTS = (
    *((f"jax{'-columns' * (i % 2)}", layout) for i, layout in enumerate(LAYOUTS[1:])),
    ("jax-jit-shardmap", "odd_strides"),  # with one row, so that the networks are distributed
)
# The scripts run one after the other, where nothing of this project is on the path; what one sets is unset.
RUNNER = """
import contextlib, io, json, runpy, sys
told = {}
for path in sys.argv[1:]:
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        try:
            runpy.run_path(path, run_name="__main__")
        except SystemExit as end:
            code = end.code
        except Exception as error:
            code = repr(error)
    told[path] = [code, out.getvalue()]
    if jax := sys.modules.get("jax"):
        jax.config.update("jax_enable_x64", False)
        jax.config.update("jax_default_matmul_precision", None)
    if torch := sys.modules.get("torch"):
        torch.set_float32_matmul_precision("highest")
        torch.use_deterministic_algorithms(False)
print(json.dumps(told))
"""


class ScriptRun(NamedTuple):
    """A mode on a small case, and what its adapter returned."""

    reproduction: Reproduction
    lean: bool

    @property
    def name(self) -> str:
        """Of the script."""
        reproduction = self.reproduction
        words = [
            reproduction.mode.name,
            reproduction.case.dtype,
            reproduction.case.layout,
            reproduction.output,
        ]
        return "-".join([*words, *["lean"] * self.lean])

    @property
    def text(self) -> str:
        """The script."""
        return script(self.reproduction, lean=self.lean)


def small(mode: str, place: int, layout: str) -> Literal:
    """Two networks, or one where the mode has no stack axis."""
    dtype = ("float64", "float32", "float16", "bfloat16")[place % 4]
    shape = (2, 1, 3, 1) if layout == "odd_strides" else (2, 4, 3, 2)  # with axes of length 1
    case = Case("ordinary", place, shape, layout, dtype)
    if parse(mode).by_network:
        return take(case, 1)
    return Literal(dtype, *case.problem(), layout)


def reproduction(pool: AdapterPool, name: str, place: int, layout: str = "contiguous") -> Reproduction:
    """What the adapter returned at the last place of what the mode is about."""
    mode, case = parse(name), small(name, place, layout)
    output = mode.alone or ("grad" if mode.has_gradient else "row_loss")
    judge = Judge(case.problem())
    outcome = evaluate_and_judge(pool.load(spec_of(mode)), judge)
    assert outcome.outputs is not None, outcome
    shape = getattr(outcome.outputs, output).shape
    index = tuple(size - 1 for size in shape)
    return Reproduction.of(mode, case, outcome, Element(judge, output, index))


def is_heard(name: str, frameworks: frozenset[str]) -> bool:
    return name.partition("-")[0] in frameworks


@pytest.fixture(scope="module")
def script_runs(process_options: ProcessOptions, frameworks: frozenset[str]) -> list[ScriptRun]:
    layouts = [*((name, "contiguous") for name in MODES), *IN_LAYOUTS, *IN_JAX_LAYOUTS]
    # in processes of their own, which coverage traces, as it does not those of the matrix
    with AdapterPool.start([], process_options, shared=True) as pool:
        reproductions = [
            reproduction(pool, name, place, layout)
            for place, (name, layout) in enumerate(layouts)
            if is_heard(name, frameworks)
        ]
    # operation by operation nothing that is left out can matter
    lean = [each for each in reproductions if each.mode["execution"] == "eager" and each.mode.alone is None]
    return [
        *(ScriptRun(each, lean=False) for each in reproductions),
        *(ScriptRun(each, lean=True) for each in lean),
    ]


@pytest.fixture(scope="module")
def printed(
    script_runs: list[ScriptRun], tmp_path_factory: pytest.TempPathFactory
) -> Mapping[str, tuple[int, str]]:
    """Exit code and output of every script, by its name."""
    directory = tmp_path_factory.mktemp("scripts")
    by_process: dict[tuple[str, int, int], list[str]] = defaultdict(list)
    for script_run in script_runs:
        mode, file = script_run.reproduction.mode, directory / f"{script_run.name}.py"
        file.write_text(script_run.text, encoding="utf-8")
        by_process[mode.framework, mode.threads * (mode.framework == "jax"), mode.devices].append(str(file))
    found: dict[str, tuple[int, str]] = {}
    for files in by_process.values():
        with untraced():
            told = subprocess.run(
                [sys.executable, "-I", "-c", RUNNER, *files],
                cwd=directory,
                env={**os.environ, **compilation.settings(compilation.kept())},
                capture_output=True,
                text=True,
                check=True,
            )
        found |= {Path(k).stem: tuple(v) for k, v in json.loads(told.stdout.splitlines()[-1]).items()}
    return found


def got(output: str) -> float:
    """The number that a script printed."""
    line = next(line for line in output.splitlines() if line.startswith("got "))
    return float.fromhex(line.split()[1])


def test_a_script_computes_the_very_bits_of_its_adapter(
    script_runs: list[ScriptRun], printed: Mapping[str, tuple[int, str]]
) -> None:
    differing = []
    for script_run in script_runs:
        code, output = printed[script_run.name]
        want = script_run.reproduction.got
        if code not in (0, 1) or got(output) != want:
            differing.append((script_run.name, code, output, want.hex()))
    assert not differing


def test_a_script_judges_as_the_suite_does(
    script_runs: list[ScriptRun], printed: Mapping[str, tuple[int, str]]
) -> None:
    for script_run in script_runs:
        one = script_run.reproduction.admissible
        want = 0 if one.contains(np.array(script_run.reproduction.got)) else 1
        assert printed[script_run.name][0] == want, script_run.name


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_the_scripts_tried_have_every_value_of_every_factor(framework: str) -> None:
    modes = [mode for mode in map(parse, MODES) if mode.framework == framework]
    wanted = {
        v
        for factor, values in FACTORS[framework].items()
        for v in values
        if factor not in ("device", "isa")  # of another machine
    }
    assert wanted - {"eager"} <= {value for mode in modes for value in mode.values}


def test_a_script_imports_its_framework_and_numpy_only_and_runs_no_text(script_runs: list[ScriptRun]) -> None:
    for script_run in script_runs:
        tree = ast.parse(script_run.text)
        names = {n.name for i in ast.walk(tree) if isinstance(i, ast.Import) for n in i.names}
        assert {name.partition(".")[0] for name in names} <= {
            *STANDARD,
            "numpy",
            script_run.reproduction.mode.framework,
        }
        assert not any(isinstance(node, ast.ImportFrom) for node in ast.walk(tree))
        called = {
            node.func.id
            for node in ast.walk(tree)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        }
        assert not called & {"eval", "exec", "compile", "open", "__import__"}


def test_without_its_framework_a_script_says_so_in_one_line(script_runs: list[ScriptRun]) -> None:
    text = script_runs[0].text.replace(
        f"import {script_runs[0].reproduction.mode.framework}\n", "import no_such_framework\n"
    )
    assert run_script(text) == (2, "cannot run: ModuleNotFoundError: No module named 'no_such_framework'\n")


def test_a_formula_says_in_the_script_what_the_suite_tried() -> None:
    for filling in FILLINGS:
        tree = ast.parse(filling.source((2, 5, 3)), mode="eval")
        assert {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)} == {"np"}
        for dtype in ("float64", "float16"):
            values = filling.array((2, 5, 3), np.dtype(dtype)).astype(np.float64)
            assert np.array_equal(values, filling.array((2, 5, 3), np.dtype(np.float64)))


VALUES = (0.1, -3.0, 2.0**-1074, -(2.0**-127), 2.0**100, 1.5e300, np.inf, -np.inf, -0.0)


@pytest.mark.parametrize("value", VALUES)
def test_a_number_is_written_so_that_python_reads_it_back(value: float) -> None:
    base, _, exponent = number(value).replace("math.", "").partition("**")
    read = float(base) if not exponent else float(np.copysign(2.0 ** int(exponent), float(base)))
    assert read.hex() == float(value).hex()


def test_the_plainest_mode_keeps_what_the_failure_needs_and_nothing_else() -> None:
    start = parse("jax-donate-vmap-row_loss-closed_yW-vectors-matmul_high-2threads")

    def fails(mode: Mode) -> bool:
        return mode.compiles and "W" in mode.closed and mode.alone == "row_loss"

    assert plainest(start, "row_loss", fails).name == "jax-jit-row_loss-closed_W"
    assert plainest(start, "row_loss", lambda mode: mode == start) == start


def test_large_inputs_that_no_formula_replaces_are_packed_or_refused() -> None:
    def reproduction_of(m: int) -> Reproduction:
        case = Case("ordinary", 1, (m, 3, 1))
        literal = Literal(case.dtype, *case.problem())
        claims = default_arithmetic(case.format)
        element = Element(Judge(literal.problem()), "y_hat", (0, 0))
        return Reproduction(parse("torch-y_hat"), "0", literal, element, 0.25, claims)

    packed = script(reproduction_of(200))
    code, output = run_script(packed)
    want = reproduction_of(200).element.exact[0]
    assert code == 0
    assert abs(got(output) / want - 1) < 2.0**-48
    changed = packed.replace('unpacked(\n    "e', 'unpacked(\n    "f', 1)
    assert run_script(changed)[0] == 2
    with pytest.raises(NoScriptError, match="200 kB"):
        script(reproduction_of(9000))
