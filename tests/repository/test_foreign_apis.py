"""What the suite uses of others is public and not deprecated, but for what docs/decisions.md lists.

ruff (SLF001) sees private attributes of objects; here are modules, and names in them.
"""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator

import pytest
from pytest_runs import ROOT

from adapters import NAMED
from adapters.modes import DEVICES, parse
from adapters.start import environment_of

SOURCES = [
    *(ROOT / name for name in ("conftest.py", "gradient_crosscheck.py")),
    *(path for folder in ("reference", "adapters", "crosscheck", "tests", "benchmarks", "tools")
      for path in sorted((ROOT / folder).rglob("*.py"))),
]  # fmt: skip
OURS = {path.stem if path.parent == ROOT else path.relative_to(ROOT).parts[0] for path in SOURCES}
PRIVATE = re.compile(r"[\w.]*?\._(?!\w*__\b)\w+")
LISTED = re.compile(r"^\| `(\S+)` \| private \|", re.MULTILINE)

# Every adapter evaluates one problem; what is deprecated is told at the line that uses it.
USE = """
import json, sys, warnings
from pathlib import Path
import numpy as np
from adapters import load, load_outside

root, *targets = sys.argv[1:]
X, y, W = (np.full((8, *shape), 0.25, np.float32) for shape in ((2, 3), (2, 2), (3, 2)))
found = []
for target in targets:
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        (load_outside if ":" in target else load)(target).evaluate(X, y, W)
    for each in said:
        ours = Path(each.filename).is_relative_to(root) and "site-packages" not in each.filename
        if ours and issubclass(each.category, (DeprecationWarning, PendingDeprecationWarning, FutureWarning)):
            found.append(f"{target}: {each.filename}:{each.lineno}: {each.message}")
print(json.dumps(found))
"""


def private(source: str) -> set[str]:
    """What a source uses of others that is private, up to the part of its name that says so."""
    found = (PRIVATE.match(name) for name in _used(ast.parse(source)) if _is_foreign(name))
    return {name[0] for name in found if name}


def _used(tree: ast.AST) -> Iterator[str]:
    """The modules, and the names in modules, that a source speaks of."""
    modules = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name
                first = alias.name.partition(".")[0]
                modules[alias.asname or first] = alias.name if alias.asname else first
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                yield f"{node.module}.{alias.name}"
                modules[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            root, _, rest = ast.unparse(node).partition(".")
            if root in modules:
                yield f"{modules[root]}.{rest}"


def _is_foreign(name: str) -> bool:
    return name.partition(".")[0] not in OURS | set(sys.stdlib_module_names)


def deprecated(*targets: str) -> list[str]:
    """Where our lines use what is deprecated while these adapters evaluate."""
    environment = environment_of(1, {}, devices=DEVICES)
    command = [sys.executable, "-c", USE, str(ROOT), *targets]
    ran = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    found: list[str] = json.loads(ran.stdout.splitlines()[-1])
    return found


@pytest.mark.long
def test_what_is_private_to_others_is_used_only_where_the_decisions_say_why() -> None:
    used = {name for path in SOURCES for name in private(path.read_text("utf-8"))}
    assert used == set(LISTED.findall((ROOT / "docs" / "decisions.md").read_text("utf-8")))


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("import torch\ntorch._dynamo.config", "torch._dynamo"),
        ("import torch._dynamo", "torch._dynamo"),
        ("from jax._src import core", "jax._src"),
        ("from numpy import _core as core", "numpy._core"),
        ("import numpy as np\nnp._core", "numpy._core"),
    ],
)
def test_a_private_name_is_seen_in_each_way_to_reach_it(source: str, name: str) -> None:
    assert private(source) == {name}


@pytest.mark.parametrize(
    "source", ["import os\nos._exit(1)", "import numpy\nnumpy.__version__", "from reference import _own"]
)
def test_what_is_ours_pythons_or_public_is_not_private(source: str) -> None:
    assert private(source) == set()


@pytest.mark.long
@pytest.mark.untraced
@pytest.mark.parametrize("framework", ["numpy", "torch", "jax"])
def test_no_mode_uses_what_its_framework_has_deprecated(framework: str) -> None:
    assert deprecated(*(name for name in NAMED if parse(name).framework == framework)) == []


def test_a_deprecated_name_is_seen_where_an_adapter_uses_it() -> None:
    (found,) = deprecated("tests.faulty_adapters.outdated:Outdated")
    assert found.startswith("tests.faulty_adapters.outdated:Outdated: ")
    assert found.endswith("outdated.py:24: planted_old_name is deprecated; use planted_name")
