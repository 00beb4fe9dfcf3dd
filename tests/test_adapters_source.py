"""What the sources may contain: no framework in the reference, no closed-form gradient in an adapter.

The second is a list of what is allowed, so that a gradient cannot hide in a spelling that nobody thought of:
an adapter's own arithmetic is the forward pass, written in one way, and nothing else.
"""

from __future__ import annotations

import ast
import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import adapters

ROOT = Path(adapters.__file__).resolve().parent.parent
FRAMEWORKS = {"torch", "jax", "jaxlib"}
ALLOWED = {"X @ W", "y - y_hat", "(y - y_hat) ** 2", "0.5 * (y - y_hat) ** 2"}  # z, and ½(y − ŷ)²
ARITHMETIC = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod, ast.Pow, ast.MatMult)
# Functions that could do what the operators do, or a part of the gradient, under any module's name.
# fmt: off
FORBIDDEN = {
    "add", "sub", "subtract", "rsub", "mul", "multiply", "div", "divide", "true_divide", "pow",
    "power", "square", "exp", "expm1", "logistic", "neg", "negative", "matmul", "dot", "vdot",
    "tensordot", "einsum", "inner", "outer", "mm", "bmm", "mv", "addmm", "baddbmm", "addcmul",
    "dot_general", "multi_dot", "T", "mT", "H", "mH", "transpose", "swapaxes", "swapdims",
    "permute", "moveaxis", "matrix_transpose", "t", "adjoint", "lerp", "reciprocal",
    "sigmoid_backward", "custom_vjp", "custom_jvp", "custom_gradient", "Function", "register_hook",
    "register_autograd",
}
# fmt: on
DIFFERENTIATES = {"grad", "value_and_grad", "vjp", "backward", "jacrev", "jacfwd", "jvp", "linearize"}
INFRASTRUCTURE = {"reference.types", "reference.formats", "reference.arithmetic", "reference.layouts"}


def imported(tree: ast.AST) -> Iterator[str]:
    """The modules that a source names in its imports, those for type checkers aside."""
    skipped = {id(n) for test in ast.walk(tree) if _for_checkers(test) for n in ast.walk(test)}
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
            yield str(node.module)


def _for_checkers(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def own_gradient(source: str) -> list[str]:
    """What in an adapter's source is not the forward pass and the framework's own differentiation."""
    tree = ast.parse(source)
    found = [
        name for name in imported(tree) if name.startswith(("reference.network", "adapters.closed_form"))
    ]
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ARITHMETIC) and not _constant(node):
            found += [text for text in [ast.unparse(node)] if text not in ALLOWED]
        if isinstance(node, ast.AugAssign) and isinstance(node.op, ARITHMETIC):
            found.append(ast.unparse(node))
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) and not _constant(node):
            found.append(ast.unparse(node))
        names |= {node.attr} if isinstance(node, ast.Attribute) else set()
        names |= {node.id} if isinstance(node, ast.Name) else set()
        names |= {alias.name for alias in node.names} if isinstance(node, ast.ImportFrom) else set()
    found += sorted(names & FORBIDDEN)
    return found if names & DIFFERENTIATES else [*found, "nothing that differentiates"]


def _constant(node: ast.AST) -> bool:
    """Numbers alone, as 2.0**-24."""
    return not any(isinstance(part, (ast.Name, ast.Attribute, ast.Call)) for part in ast.walk(node))


def sources(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


def of_frameworks() -> list[str]:
    """The modules of the registry that execute a framework: all but the closed form, which is NumPy's."""
    modules = {spec.target.partition(":")[0] for spec in adapters.REGISTRY.values()}
    return sorted(modules - {"adapters.closed_form"})


def path_of(module: str) -> Path:
    return ROOT / (module.replace(".", "/") + ".py")


@pytest.mark.parametrize("path", sources("reference"), ids=lambda path: path.stem)
def test_the_reference_imports_no_framework(path: Path) -> None:
    roots = {name.partition(".")[0] for name in imported(ast.parse(path.read_text()))}
    assert roots.isdisjoint(FRAMEWORKS)


@pytest.mark.parametrize("module", of_frameworks())
def test_an_adapter_contains_no_closed_form_gradient(module: str) -> None:
    assert own_gradient(path_of(module).read_text()) == []


@pytest.mark.parametrize("path", sources("adapters"), ids=lambda path: path.stem)
def test_only_an_adapter_of_the_registry_imports_a_framework_or_the_network(path: Path) -> None:
    names = set(imported(ast.parse(path.read_text())))
    module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    if module in of_frameworks():
        return
    others = {name.partition(".")[0] for name in names} - set(sys.stdlib_module_names)
    assert others <= {"numpy", "ml_dtypes", "reference", "adapters"}
    seen = {name for name in names if name.startswith("reference.") and is_module(name)}
    assert seen <= INFRASTRUCTURE | ({"reference.network"} if module == "adapters.closed_form" else set())


def is_module(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:  # `reference.types.Array` is a name in a module
        return False


HONEST = """
import torch
def evaluate(X, y, W):
    z = X @ W
    y_hat = torch.sigmoid(z)
    loss = (0.5 * (y - y_hat) ** 2).sum((-2, -1))
    (grad,) = torch.autograd.grad(loss, W, torch.ones_like(loss))
    return y_hat, loss, grad
"""


def test_an_honest_source_passes() -> None:
    assert own_gradient(HONEST) == []


@pytest.mark.parametrize(
    ("planted", "found"),
    [
        ("grad = X.mT @ delta", "X.mT @ delta"),
        ("delta = (y_hat - y) * y_hat * (1 - y_hat)", "1 - y_hat"),
        ("slope = y_hat - y_hat * y_hat", "y_hat * y_hat"),
        ("slope = torch.mul(y_hat, torch.rsub(y_hat, 1))", "mul"),
        ("grad = torch.einsum('...mn,...mp->...np', X, delta)", "einsum"),
        ("grad *= 2", "grad *= 2"),
        ("grad = -grad", "-grad"),
        ("y_hat = 1 / (1 + torch.exp(z))", "exp"),
        ("slope = torch.ops.aten.sigmoid_backward(one, y_hat)", "sigmoid_backward"),
        ("class Own(torch.autograd.Function): pass", "Function"),
        ("from torch import mul as g", "mul"),
        ("from reference import network", "reference.network"),
        ("from reference.network import gradient", "reference.network.gradient"),
        ("import adapters.closed_form", "adapters.closed_form"),
    ],
)
def test_a_planted_closed_form_is_found(planted: str, found: str) -> None:
    assert found in own_gradient(f"{HONEST}\n{planted}\n")


def test_a_source_that_differentiates_nothing_is_found() -> None:
    assert "nothing that differentiates" in own_gradient("def evaluate(X, y, W):\n    return X @ W\n")


@pytest.mark.parametrize(
    "line", ["import torch", "from jax import numpy", "def f():\n    import jaxlib.xla_client"]
)
def test_a_planted_import_of_a_framework_is_found(line: str) -> None:
    assert FRAMEWORKS & {name.partition(".")[0] for name in imported(ast.parse(line))}
