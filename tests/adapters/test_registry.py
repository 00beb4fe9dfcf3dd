"""The registry lists without importing, loads what it lists, and says in one line what it cannot do."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest
from command_line import ROOT, assert_one_clear_line, assert_one_line, crosscheck
from packaging.requirements import Requirement

import adapters
from adapters import LEAST, MODULES, AdapterError, check_version
from adapters.modes import parse
from adapters.protocol import TRACED, describe, outputs_of, traced_of
from reference.formats import FORMATS
from reference.types import Problem

# With one xdist worker: it imports the frameworks.
pytestmark = pytest.mark.xdist_group("registry")

# What a child must do without, beside its own framework.
HEAVY = ("torch", "jax", "flint", "click", "rich", "safetensors", "beartype", "hypothesis", "scipy")
STACK = (1,)  # with m, n, p = 2, 3, 2 one of the suite's shapes, so that JAX compiles no other


def problem(dtype: str, *stack: int) -> Problem:
    X, y, W = (np.full((*stack, *shape), 0.25) for shape in ((2, 3), (2, 2), (3, 2)))
    return Problem(*(array.astype(FORMATS[dtype].dtype) for array in (X, y, W)))


@pytest.mark.parametrize(
    "use",
    [
        "adapters",
        "adapters.worker",
        "adapters.process_adapter",
        "adapters; adapters.select(outside=['a.b:c'])",
    ],
)
def test_importing_listing_and_selecting_imports_no_framework(use: str) -> None:
    code = f"import sys, {use}; print(*sys.modules)"
    listed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert set(HEAVY).isdisjoint(listed.split())


def test_a_child_does_without_jaxtyping() -> None:
    code = "import sys; sys.modules['jaxtyping'] = None; import adapters.worker, adapters.closed_form"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_child_does_without_ml_dtypes_where_there_is_no_bfloat16() -> None:
    code = (
        "import sys; sys.modules['ml_dtypes'] = None; import adapters.worker; from reference.formats import *"
    )
    code += "; print(FORMATS['float16'].dtype)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said == "float16\n"


def test_the_required_frameworks_are_listed() -> None:
    frameworks = {spec.framework for spec in adapters.select()}
    assert frameworks == set(adapters.REQUIRED)
    assert tuple(spec.name for spec in adapters.select()) == adapters.CORE


def test_the_module_named_jax_imports_the_framework() -> None:
    adapter = adapters.load("jax")
    assert adapter.version == sys.modules["jax"].__version__
    assert sys.modules["jax"].__file__ != sys.modules["adapters.jax"].__file__


@pytest.mark.parametrize("dtype", FORMATS)
@pytest.mark.parametrize("name", adapters.CORE)
@pytest.mark.long
def test_a_listed_adapter_keeps_its_contract(name: str, dtype: str) -> None:
    adapter = adapters.load(name)
    description = describe(adapter)
    assert (description.name, description.framework) == (name, parse(name).framework)
    assert dtype in description.dtypes
    given = problem(dtype, *STACK)
    outputs = outputs_of(name, adapter.evaluate(*given), given)
    assert all(array is not None for array in outputs)
    assert description.traces
    traced = traced_of(name, adapter.trace(*given), given)  # type: ignore[attr-defined]  # checked above
    assert set(traced) == set(TRACED)


@pytest.mark.long
@pytest.mark.parametrize("stack", [(), (4,), (2, 3)], ids=str)
@pytest.mark.parametrize("name", ["numpy", "torch"])
def test_any_number_of_stack_axes_is_taken(name: str, stack: tuple[int, ...]) -> None:
    given = problem("float32", *stack)
    outputs_of(name, adapters.load(name).evaluate(*given), given)


@pytest.mark.long
@pytest.mark.parametrize("dtype", FORMATS)
@pytest.mark.parametrize("name", adapters.CORE)
def test_every_claim_has_a_source(name: str, dtype: str) -> None:
    claims = describe(adapters.load(name)).arithmetic[dtype]
    made = {field for field, value in vars(claims).items() if field != "sources" and value}
    assert made == set(claims.sources)


def test_jax_in_float64_leaves_the_switch_as_it_was() -> None:
    adapter = adapters.load("jax")
    adapter.evaluate(*problem("float64", *STACK))
    assert not sys.modules["jax"].config.jax_enable_x64


PLANNED = (*adapters.CORE, "torch-compile-row_loss-closed_W")


@pytest.mark.parametrize(
    ("only", "among", "want"),
    [
        (["jax"], adapters.CORE, ["jax", "jax-jit"]),
        (["jax-jit", "numpy"], adapters.CORE, ["numpy", "jax-jit"]),
        (["torch-comp*W"], PLANNED, ["torch-compile-row_loss-closed_W"]),
    ],
    ids=["framework", "names", "pattern of what is planned"],
)
def test_only_narrows_by_name_and_pattern(only: list[str], among: tuple[str, ...], want: list[str]) -> None:
    assert [spec.name for spec in adapters.select(only, among=among)] == want


@pytest.mark.parametrize("among", [adapters.CORE, adapters.NAMED, ("numpy", "jax-jit")])
def test_a_pattern_chooses_from_all_named_modes(among: tuple[str, ...]) -> None:
    chosen = [spec.name for spec in adapters.select(only=["jax-jit*"], among=among)]
    assert sorted(chosen) == sorted(name for name in adapters.NAMED if name.startswith("jax-jit"))
    assert len(chosen) > 10
    assert chosen[0] == "jax-jit"


def test_a_pattern_chooses_under_another_interpreter_too() -> None:
    chosen = adapters.select(only=["numpy*@some/bin/python"])
    assert [(spec.target, spec.python) for spec in chosen] == [
        ("numpy", "some/bin/python"),
        ("numpy-2threads", "some/bin/python"),
        ("numpy-out", "some/bin/python"),
    ]


def test_a_pattern_that_nothing_fits_is_an_error() -> None:
    with pytest.raises(AdapterError) as error:
        adapters.select(only=["jxa*"])
    assert_one_line(error.value, "'jxa*'", "crosscheck adapters")


def test_an_adapter_from_outside_joins_the_selection_once() -> None:
    chosen = adapters.select(only=["numpy"], outside=["a.b:c", "a.b:c"])
    assert [spec.target for spec in chosen] == ["numpy", "a.b:c"]


def test_an_adapter_from_outside_has_an_interpreter_of_its_own() -> None:
    here, there = adapters.select(only=["numpy"], outside=["a.b:c", "a.b:c@old/bin/python"])[1:]
    assert (here.python, there.python, there.target) == (None, "old/bin/python", "a.b:c")
    assert (there.name, there.suffix) == ("a.b:c@old/bin/python", "@old")


def test_an_adapter_from_outside_has_variables_of_its_own() -> None:
    entry = "SCALE=2 FLAGS='--one=1 --two' a.b:c@old/bin/python"
    here, there = adapters.select(only=["numpy"], outside=["a.b:c", entry])[1:]
    assert (there.name, there.target, there.python) == (entry, "a.b:c", "old/bin/python")
    assert there.variables == (("SCALE", "2"), ("FLAGS", "--one=1 --two"))
    assert there.suffix == "@old[SCALE=2][FLAGS=--one=1 --two]"
    assert here.process_key != there.process_key


@pytest.mark.parametrize(
    "text", ["SCALE a.b:c", "2=2 a.b:c", "=2 a.b:c", "SCALE='2 a.b:c", "SCALE=2 a.b", "a.b:c@"]
)
def test_what_is_no_variable_or_leaves_no_adapter_is_named(text: str) -> None:
    with pytest.raises(AdapterError) as error:
        adapters.select(outside=[text])
    assert_one_line(error.value, repr(text), "NAME=VALUE")


@pytest.mark.parametrize(
    ("typo", "close"), [("nunpy", "numpy"), ("pytorch", "torch"), ("jax_jit", "jax-jit")]
)
def test_a_typo_in_a_name_suggests_the_name(typo: str, close: str) -> None:
    with pytest.raises(AdapterError) as error:
        adapters.select(only=[typo])
    assert_one_line(error.value, repr(typo), f"did you mean {close!r}?")
    with pytest.raises(AdapterError) as error:
        adapters.load(typo)
    assert_one_line(error.value, repr(typo), f"did you mean {close!r}?")


@pytest.mark.parametrize("text", ["module", "a.b.c", ":object", "module:", "a b:c", "a..b:c", "a:b:c"])
def test_another_form_of_target_says_which_form_is_wanted(text: str) -> None:
    with pytest.raises(AdapterError) as error:
        adapters.select(outside=[text])
    assert_one_line(error.value, repr(text), "package.module:object")


def test_a_framework_that_is_not_there_fails_unless_it_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "jax" else found(name))
    with pytest.raises(AdapterError) as error:
        adapters.select()
    assert_one_line(error.value, "not installed: jax;", "--only numpy,torch")
    assert not adapters.installed("jax-jit-vmap")
    assert adapters.select(only=["numpy"])


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("no_such_module:adapter", "cannot load no_such_module:adapter: ModuleNotFoundError"),
        ("tests.faulty_adapters.import_error:adapter", "ImportError: the planted framework is not here"),
        ("tests.faulty_adapters.crash:no_such_object", "no_such_object"),
        ("tests.faulty_adapters.crash:Unreadable", "unreadable is no adapter: it has no framework, version"),
        ("json:JSONDecoder", "an object of type JSONDecoder is no adapter: it has no name, framework"),
    ],
)
def test_what_cannot_be_loaded_says_why(target: str, message: str) -> None:
    with pytest.raises(AdapterError) as error:
        adapters.load_outside(target)
    assert_one_line(error.value, message)


PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
CASE = "float32:X=[[0x1p+0]]:y=[[0x1p-1]]:W=[[0x1p+1]]"
TOO_OLD = {"numpy": "2.1.2", "torch": "2.9.1", "jax": "0.7.2"}


def test_the_least_versions_are_those_of_the_package() -> None:
    lines = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["torch"]]
    asked = [Requirement(line) for line in [*lines, *PROJECT["optional-dependencies"]["jax"]]]
    ranges = {each.name: each.specifier for each in asked}
    assert set(LEAST) == set(MODULES)
    for framework, least in LEAST.items():
        assert f">={least}" in map(str, ranges[framework])
        assert TOO_OLD[framework] not in ranges[framework]


@pytest.mark.long
@pytest.mark.parametrize("framework", TOO_OLD)
def test_a_framework_that_is_too_old_is_one_line_and_exit_code_2(framework: str, tmp_path: Path) -> None:
    release = TOO_OLD[framework]
    planted = tmp_path / "older" / f"{framework}-{release}.dist-info"
    planted.mkdir(parents=True)
    (planted / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {framework}\nVersion: {release}\n")
    path = f"{ROOT}:{planted.parent}"
    ran = crosscheck("check", CASE, "--only", framework, "--journal", str(tmp_path), PYTHONPATH=path)
    assert ran.returncode == 2, ran.stdout
    needed = f"{framework} {release} is too old, {LEAST[framework]} or newer is needed: "
    assert_one_clear_line(ran.stderr, needed, f"-m pip install '{framework}>={LEAST[framework]}'")


@pytest.mark.parametrize("release", ["0.8", "0.8.0", "0.8.0.dev20251010", "0.10.2", "1.0a0+git1234"])
def test_what_is_new_enough_is_used(release: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapters, "version", lambda _: release)
    check_version("jax")


@pytest.mark.parametrize("release", ["0.7.2", "0.7", "0.7.99.dev1"])
def test_what_is_older_is_refused(release: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapters, "version", lambda _: release)
    with pytest.raises(AdapterError, match=rf"^jax {release} is too old, 0\.8 or newer is needed: "):
        check_version("jax")


@pytest.mark.long
@pytest.mark.parametrize("framework", TOO_OLD)
def test_a_checkout_that_is_too_old_is_refused_by_its_own_version(
    framework: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A framework on the module path may have no metadata, or that of another release."""
    release = TOO_OLD[framework]
    there = adapters.load(framework)
    monkeypatch.setattr(type(there), "version", release)
    with pytest.raises(AdapterError, match=f"^{framework} {release} is too old, {LEAST[framework]} or newer"):
        adapters.load(framework)
