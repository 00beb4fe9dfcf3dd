"""A runner of the GitHub action: its steps in order, in bash, except what others' actions do."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from pytest_runs import OURS, ROOT
from ruamel.yaml import YAML

BASH: Final = ("bash", "--noprofile", "--norc", "-eo", "pipefail")
INSTALL: Final = "Install the suite and the frameworks"
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
