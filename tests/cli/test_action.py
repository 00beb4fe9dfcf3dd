"""The GitHub action: its steps, executed in order as a runner does, except what others' actions do."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest
from ledgers import cell, summary
from pytest_runs import OURS, ROOT
from ruamel.yaml import YAML

from crosscheck.results.ledger import read, write

pytestmark = [pytest.mark.xdist_group("action"), pytest.mark.long]

BASH: Final = ("bash", "--noprofile", "--norc", "-eo", "pipefail")
INSTALL: Final = "Install the suite and the frameworks"
SMALL: Final = {"only": "numpy", "dtype": "float32", "arguments": "--problems=64", "baseline": "none"}
HOSTILE: Final = "$(touch pwned)`touch pwned`;touch pwned;'\"|touch pwned&\n::error::pwned\ntouch pwned"
# A Python, and in its environment a crosscheck, that write down what they are told to do and do none of it.
PYTHON: Final = """#!{executable}
import json, os, shutil, sys
with open(os.environ["CALLS"], "a") as calls:
    calls.write(json.dumps(sys.argv[1:]) + "\\n")
if "venv" in sys.argv:
    os.makedirs(sys.argv[-1] + "/bin", exist_ok=True)
    for name in ("python", "crosscheck"):
        shutil.copy(sys.argv[0], sys.argv[-1] + "/bin/" + name)
if "freeze" in sys.argv:
    print(os.environ["INSTALLED"])
"""


def document(path: Path) -> Any:
    return YAML(typ="safe", pure=True).load(path)


ACTION: Final = document(ROOT / "action.yml")
EXAMPLES: Final = ("README.md", "docs/ci.md")
WORKFLOWS: Final = sorted((ROOT / ".github/workflows").glob("*.yml"))


class Ran(NamedTuple):
    """What came of the action.

    Attributes:
        status: the exit code of the first step that failed, or 0.
        failed: the name of the last one that failed.
        outputs: of the action.
        uploaded: the names of the files and folders in the artifact.
        summary: of the job.
        printed: all that the steps printed.
        calls: the arguments of programs that write them down.
        folder: what goes into the artifact, and lists of what is installed.
    """

    status: int
    failed: str
    outputs: dict[str, str]
    uploaded: set[str]
    summary: str
    printed: str
    calls: list[list[str]]
    folder: Path


class Runner:
    """Runs the action in a directory.

    Args:
        home: the directory.
        python: what it is installed with; None: the suite is there already.
        environment: for the steps.
    """

    def __init__(self, home: Path, python: Path | None = None, **environment: str) -> None:
        self._home = home
        self.workspace, self.temp, self.suite = home / "work space", home / "temp", home / "suite"
        for directory in (self.workspace, self.temp, self.suite):
            directory.mkdir(exist_ok=True)
        for name in ("constraints.txt", "baselines"):
            if not (self.suite / name).exists():
                (self.suite / name).symlink_to(ROOT / name)
        self._python = python
        self._environment = {
            **{name: value for name, value in os.environ.items() if name not in OURS},
            "CI": "true",
            "CALLS": str(home / "calls"),
            "GITHUB_ACTION_PATH": str(self.suite),
            "GITHUB_WORKSPACE": str(self.workspace),
            "RUNNER_TEMP": str(self.temp),
            **environment,
        }

    def __call__(self, **given: str) -> Ran:
        """Run it with these inputs, dashes as underscores."""
        self._inputs = {name: value["default"] for name, value in ACTION["inputs"].items()}
        self._inputs |= {name.replace("_", "-"): value for name, value in given.items()}
        self._outputs: dict[str, dict[str, str]] = {}
        self._summary = self._printed = ""
        uploaded: set[str] = set()
        statuses: dict[str, int] = {}
        for number, step in enumerate(ACTION["runs"]["steps"]):
            if not self._is_due(step.get("if", "success()"), failed=any(statuses.values())):
                continue
            if "setup-python" in step.get("uses", ""):
                self._outputs[step["id"]] = {"python-path": str(self._python)}
            elif "upload-artifact" in step.get("uses", ""):
                paths = map(Path, self._resolved(step["with"]["path"]).split("\n"))
                uploaded = {path.name for path in paths if path.name and path.exists()}
            elif step["name"] == INSTALL and self._python is None:
                (self.suite / ".venv").mkdir()
                (self.suite / ".venv/bin").symlink_to(Path(sys.executable).parent)
            else:
                statuses[step["name"]] = self._execute(number, step)
        failed = [name for name, status in statuses.items() if status]
        calls = self._home / "calls"
        return Ran(
            statuses[failed[0]] if failed else 0,
            failed[-1] if failed else "",
            {name: self._resolved(output["value"]) for name, output in ACTION["outputs"].items()},
            uploaded,
            self._summary,
            self._printed,
            [json.loads(line) for line in calls.read_text().splitlines()] if calls.exists() else [],
            Path(self._outputs.get("inputs", {}).get("folder", "no folder")),
        )

    def _execute(self, number: int, step: Mapping[str, Any]) -> int:
        files = {name: self.temp / f"{number}.{name}" for name in ("script", "output", "summary")}
        for name, file in files.items():
            file.write_text(step["run"] if name == "script" else "")
        environment = {name: self._resolved(value) for name, value in step.get("env", {}).items()}
        ran = subprocess.run(
            [*BASH, str(files["script"])],
            cwd=self.workspace,
            env={
                **self._environment,
                **environment,
                "GITHUB_OUTPUT": str(files["output"]),
                "GITHUB_STEP_SUMMARY": str(files["summary"]),
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            check=False,
            timeout=300,
        )
        told = (line.partition("=") for line in files["output"].read_text().splitlines())
        self._outputs[step.get("id", step["name"])] = {name: value for name, _, value in told}
        self._summary += files["summary"].read_text()
        self._printed += ran.stdout
        return ran.returncode

    def _is_due(self, condition: str, *, failed: bool) -> bool:
        parts = [part for part in condition.split(" && ") if part != "success()"]
        if failed and "always()" not in parts:
            return False
        unequal = [part.removesuffix(" != ''") for part in parts if part != "always()"]
        return all(self._value(name) for name in unequal)

    def _resolved(self, text: str) -> str:
        return re.sub(r"\$\{\{ (.*?) \}\}", lambda found: self._value(found[1]), text)

    def _value(self, expression: str) -> str:
        match expression.split("."):
            case ["inputs", name]:
                return str(self._inputs[name])
            case ["steps", step, "outputs", name]:
                return self._outputs.get(step, {}).get(name, "")
        raise AssertionError(expression)


@pytest.fixture
def action(tmp_path: Path) -> Runner:
    """The action, with the suite already installed."""
    return Runner(tmp_path)


@pytest.fixture
def installer(tmp_path: Path) -> Callable[..., Ran]:
    """The action with programs that do nothing; it takes what pip would list as installed."""
    python = tmp_path / "python"
    python.write_text(PYTHON.format(executable=sys.executable))
    python.chmod(0o755)

    def run(installed: str = "", **given: str) -> Ran:
        return Runner(tmp_path, python, INSTALLED=installed)(**given)

    return run


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """A run without a baseline."""
    return Runner(tmp_path_factory.mktemp("first"))(**SMALL)


def against(action: Runner, content: bytes) -> Ran:
    """The same run as the first one, against a baseline with this content."""
    (action.workspace / "my baseline.jsonl").write_bytes(content)
    return action(**SMALL | {"baseline": "my baseline.jsonl"})


def ledger(ran: Ran) -> Path:
    return Path(ran.outputs["ledger"])


def compared(ran: Ran) -> list[str]:
    """The arguments of the comparison."""
    (found,) = [call[1:] for call in ran.calls if call[0] == "compare"]
    return found


# ------------------------------------------------------------------------------------------ verdicts


def test_a_run_without_a_baseline_is_green_where_all_agree(first: Ran) -> None:
    assert (first.status, first.outputs["verdict"]) == (0, "agreement"), first.printed
    assert {each.adapter for each in read(ledger(first)).cells} == {"numpy"}
    assert "<title>" in Path(first.outputs["report"]).read_text()
    assert {"ledger.jsonl", "report.html", "compare.txt"} <= first.uploaded


def test_the_summary_has_the_table_as_text(first: Ran) -> None:
    assert "## Gradient Crosscheck\n<pre>\n" in first.summary
    assert "Within bounds: numpy" in first.summary
    assert first.summary.endswith("**Verdict: agreement**\n")
    assert "outside" not in first.summary


def test_equal_numbers_pass_the_gate(action: Runner, first: Ran) -> None:
    ran = against(action, ledger(first).read_bytes())
    assert (ran.status, ran.outputs["verdict"]) == (0, "agreement"), ran.printed
    assert "Nothing changed." in ran.summary
    assert read(ledger(ran)).results == read(ledger(first)).results


def test_a_regression_ends_with_1_and_is_in_the_summary(action: Runner, first: Ran) -> None:
    old = read(ledger(first))
    more = action.temp / "more.jsonl"
    write(more, dataclasses.replace(old, cells={**old.cells, cell("numpy-new"): summary()}))
    ran = against(action, more.read_bytes())
    assert (ran.status, ran.failed, ran.outputs["verdict"]) == (1, "Verdict", "regression"), ran.printed
    assert "| regression | numpy-new | adapter |" in ran.summary
    assert {"ledger.jsonl", "report.html"} <= ran.uploaded


def test_a_cut_off_baseline_ends_with_2(action: Runner, first: Ran) -> None:
    ran = against(action, ledger(first).read_bytes()[:-1])
    assert (ran.status, ran.failed, ran.outputs["verdict"]) == (2, "Verdict", "unusable"), ran.printed
    assert "does not fit its checksum" in ran.printed
    assert {"ledger.jsonl", "report.html"} <= ran.uploaded


def test_a_disagreement_ends_with_1_and_its_adapter_comes_from_the_workspace(action: Runner) -> None:
    (action.workspace / "mine.py").write_text("from tests.faulty_adapters.wrong import sign as adapter\n")
    ran = action(**SMALL, adapter="mine:adapter")
    assert (ran.status, ran.failed, ran.outputs["verdict"]) == (1, "Verdict", "disagreement"), ran.printed
    assert "planted-sign is wrong: grad[0, 0] in float32" in ran.summary
    assert "replay        .venv/bin/crosscheck check" in ran.summary
    assert {"ledger.jsonl", "report.html", "compare.txt"} <= ran.uploaded


def test_a_run_that_cannot_start_is_not_green(action: Runner) -> None:
    ran = action(**SMALL | {"only": "nmpy"})
    assert (ran.status, ran.failed, ran.outputs["verdict"]) == (2, "Verdict", "unusable")
    assert "no adapter is called 'nmpy'" in ran.summary


def test_an_adapter_that_crashes_is_not_green(action: Runner) -> None:
    (action.workspace / "mine.py").write_text("import os\nos._exit(0)\n")
    ran = action(**SMALL, adapter="mine:adapter")
    assert (ran.status, ran.outputs["verdict"]) == (1, "disagreement"), ran.printed


# -------------------------------------------------------------------------------------------- inputs


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"only": "numpy"}, "the pinned baseline is of a run without only"),
        ({"matrix": "true"}, "the pinned baseline is of a run without only"),
        ({"matrix": "yes"}, "matrix is true or false, not yes"),
        ({"torch": "2.13.0 --pre"}, "is neither a version, nor nightly"),
        ({"jax": "nightly"}, "a nightly needs index"),
        ({"torch": "missing.whl"}, "nor a wheel in the workspace"),
        ({"baseline": "missing.jsonl"}, "no such file in the workspace: missing.jsonl"),
    ],
    ids=["subset", "matrix", "boolean", "version", "nightly", "wheel", "baseline"],
)
def test_an_input_that_cannot_be_meant_ends_with_2_before_anything_is_installed(
    given: dict[str, str], why: str, installer: Callable[..., Ran]
) -> None:
    ran = installer(**given)
    assert (ran.status, ran.outputs["verdict"], ran.calls) == (2, "unusable", [])
    assert "::error title=Gradient Crosscheck::" in ran.printed
    assert why in ran.printed


@pytest.mark.parametrize("name", [*ACTION["inputs"]])
def test_what_a_shell_would_execute_stays_text(
    name: str, tmp_path: Path, installer: Callable[..., Ran]
) -> None:
    ran = installer(**SMALL | {name: HOSTILE})
    assert ran.status == (2 if name in ("torch", "jax", "numpy", "matrix", "baseline") else 0)
    assert [*tmp_path.rglob("pwned"), *ROOT.glob("pwned")] == []
    assert not re.search("^::error::", ran.printed, re.MULTILINE)
    if name in ("adapter", "only", "dtype"):
        assert f"--{name}={HOSTILE}" in compared(ran)
    if name == "arguments":
        assert compared(ran)[:3] == HOSTILE.split("\n")


def test_the_action_says_last_where_the_ledger_goes(installer: Callable[..., Ran]) -> None:
    ran = installer(**SMALL | {"arguments": "--ledger=other.jsonl\n\n--seed\n7\n"}, matrix="true")
    told = ["--ledger=other.jsonl", "--seed", "7", "--only=numpy", "--dtype=float32", "--matrix"]
    assert compared(ran) == [*told, f"--ledger={ledger(ran)}", f"--journal={ran.folder}/journal"]


def test_no_script_has_an_expression_in_it() -> None:
    scripts = [step["run"] for step in ACTION["runs"]["steps"] if "run" in step]
    for workflow in WORKFLOWS:
        jobs = document(workflow)["jobs"].values()
        scripts += [step["run"] for job in jobs for step in job["steps"] if "run" in step]
    assert [script for script in scripts if "${{" in script] == []


# -------------------------------------------------------------------------------------- installation


def pins(ran: Ran) -> set[str]:
    """The names that are pinned."""
    lines = (ran.folder / "constraints.txt").read_text().splitlines()
    return {line.partition("==")[0] for line in lines if "==" in line}


def words(ran: Ran) -> list[str]:
    """The arguments of pip where the suite is installed."""
    found = [call for call in ran.calls if "-e" in call][-1]
    return found[found.index("-e") + 1 : found.index("-r")]


def test_what_is_not_on_trial_is_installed_with_its_pins(installer: Callable[..., Ran]) -> None:
    ran = installer()
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    assert pins(ran) == {line.partition("==")[0] for line in lines if "==" in line}
    assert words(ran)[0].endswith("/suite[report,torch,jax]")


def test_a_release_on_trial_leaves_the_pins_with_what_comes_with_it(installer: Callable[..., Ran]) -> None:
    everything, ran = installer(), installer(jax="0.10.1", numpy="2.3.5")
    assert pins(everything) - pins(ran) == {"jax", "jaxlib", "opt_einsum", "scipy", "numpy"}
    assert {"jax==0.10.1", "numpy==2.3.5"} <= set(words(ran))


def test_a_wheel_from_the_workspace_can_be_on_trial(tmp_path: Path, installer: Callable[..., Ran]) -> None:
    wheel = tmp_path / "work space" / "my torch.whl"
    wheel.parent.mkdir()
    wheel.touch()
    ran = installer(torch="my torch.whl")
    assert str(wheel) in words(ran)
    assert "torch" not in pins(ran)


def test_only_what_is_asked_for_is_installed(installer: Callable[..., Ran]) -> None:
    ran = installer(**SMALL, packages="autograd==1.8.0\n./my library")
    (said,) = words(ran)
    assert said.endswith("/suite[report]")
    assert (ran.folder / "requirements.txt").read_text() == "autograd==1.8.0\n./my library\n"


def test_a_nightly_is_looked_for_where_nightlies_are(installer: Callable[..., Ran]) -> None:
    ran = installer(
        "torch==2.14.0.dev20261101+cpu", torch="nightly", index="https://a.example/\nhttps://b.example/\n"
    )
    said = words(ran)
    assert "torch>=0.dev0" in said
    looked = [said[at + 1] for at, word in enumerate(said) if word == "--extra-index-url"]
    assert looked == ["https://a.example/", "https://b.example/"]
    assert not {"torch", "sympy"} & pins(ran)
    assert ran.status == 0


@pytest.mark.parametrize("installed", ["jax==0.10.3.dev20261101\njaxlib==0.10.2", "jax==0.10.2"])
def test_a_release_in_the_place_of_a_nightly_is_not_green(
    installed: str, installer: Callable[..., Ran]
) -> None:
    ran = installer(installed, jax="nightly", index="https://a.example/")
    assert (ran.status, ran.outputs["verdict"]) == (2, "unusable")
    assert re.search("no nightly of jax(lib)? could be had", ran.printed)


# ----------------------------------------------------------------------------------- what others run


def steps() -> Iterator[tuple[str, Any]]:
    """Every step of the action, of the workflows and of the examples in the documentation."""
    documents = [("action.yml", ACTION), *((path.name, document(path)) for path in WORKFLOWS)]
    for name in EXAMPLES:
        blocks = re.findall(r"^```yaml\n(.*?)^```", (ROOT / name).read_text(), re.DOTALL | re.MULTILINE)
        documents += [(name, YAML(typ="safe", pure=True).load(block)) for block in blocks]
    for name, content in documents:
        if isinstance(content, list):
            jobs = [{"steps": content}]
        else:
            jobs = [content["runs"]] if "runs" in content else content.get("jobs", {}).values()
        yield from ((name, step) for job in jobs for step in job["steps"])


def test_the_actions_of_others_are_pinned_by_commit() -> None:
    used = [step["uses"] for name, step in steps() if "uses" in step and name not in EXAMPLES]
    assert used
    assert [use for use in used if use != "./" and not re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", use)] == []


def test_whoever_uses_the_action_gives_it_inputs_that_it_has() -> None:
    ours = [step for _, step in steps() if re.match(r"\./$|OWNER/gradient-crosscheck@", step.get("uses", ""))]
    assert len(ours) > len(WORKFLOWS)
    assert {name for step in ours for name in step.get("with", {})} <= set(ACTION["inputs"])


def test_the_documentation_has_every_input_and_output() -> None:
    text = (ROOT / "docs/ci.md").read_text()
    assert [name for name in (*ACTION["inputs"], *ACTION["outputs"]) if f"| `{name}` |" not in text] == []
