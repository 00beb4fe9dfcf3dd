"""No adapter contains a closed-form gradient. Who may import whom is a matter of import-linter.

The test is a list of what is allowed, so that a gradient cannot hide in a spelling that nobody thought of:
an adapter's own arithmetic is the forward pass, written in one way, and nothing else.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import adapters

ROOT = Path(adapters.__file__).resolve().parent.parent
# fmt: off
ALLOWED = {
    "X @ W", "W.mT @ X", "x @ W", "W.mT @ x",  # z, with samples as rows and as columns
    "y - y_hat", "(y - y_hat) ** 2", "0.5 * (y - y_hat) ** 2",  # ½(y − ŷ)²
    "0.5 * mean", "0.5 * mean * count", "0.5 * total",  # L from the mean or the sum of torch.nn.MSELoss
    "loss + row_loss",  # L as jax.lax.scan adds it up
    # how many axes, which directions of W, and whether devices share rows evenly
    "X.ndim - 2", "W.ndim - 2", "depth + 1", "[None] * depth", "[None] * (depth + 1)",
    "[1] * (W.ndim - 2)", "n * p", "X.shape[row_axis] % DEVICES", "X.shape[0] % DEVICES",
}
# The logistic typed out, in the modules of the hazards only.
OF_HAZARDS = {
    form.format(exp) for exp in ("torch.exp(-z)", "jnp.exp(-z)") for form in ("1 + {}", "1 / (1 + {})")
} | {"-z", "0.5 * z"} | {
    f"0.5 {form}{tanh}(0.5 * z)" for tanh in ("torch.tanh", "jnp.tanh") for form in ("* ", "+ 0.5 * ")
}
# The forward pass by functions, where results are written into given memory, or a bias is ignored.
ALLOWED_CALLS = {
    "self.product(X, W)", "self.product(W.mT, X)", "self.product(W.mT, X.mT)",
    "self.product(A.flatten(0, -3), B.flatten(0, -3))",
    "torch.matmul(A, B, **self._memory(A, B))",
    "torch.addmm(bias, A, B, beta=0, **self._memory(A, B))",
    "torch.baddbmm(bias, A, B, beta=0, **self._memory(A, B))",
    "torch.sub(y, y_hat, out=_transposed(y.shape, y))",
    "torch.square(differences, out=torch.full_like(y, torch.nan))",
    "torch.mul(squares, 0.5, out=_strided(y.shape, y))",
}
# Where a name that is forbidden is no arithmetic: samples as columns, W as torch.nn holds it, the network's
# own logistic, rows that are looped over.
ALLOWED_NAMES = {
    "W.mT", "X.mT", "y.mT", "z.mT", "y_hat.mT", "terms.mT",
    "self.logistic(self.product(W.mT, X.mT)).mT", "linear.weight.grad.mT",
    "like.new_full((*shape[:-2], shape[-1], shape[-2]), torch.nan).mT",
    "self.logistic", "jax.lax.logistic", "jnp.moveaxis",
}
# fmt: on
ARITHMETIC = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod, ast.Pow, ast.MatMult)
# Functions that could do what the operators do, or a part of the gradient, under any module's name.
# fmt: off
FORBIDDEN = {
    "add", "sub", "subtract", "rsub", "mul", "multiply", "div", "divide", "true_divide", "pow",
    "power", "square", "exp", "expm1", "logistic", "neg", "negative", "matmul", "dot", "vdot",
    "tensordot", "einsum", "inner", "outer", "mm", "bmm", "mv", "addmm", "baddbmm", "addcmul",
    "dot_general", "multi_dot", "product", "T", "mT", "H", "mH", "transpose", "swapaxes", "swapdims",
    "permute", "moveaxis", "matrix_transpose", "t", "adjoint", "lerp", "reciprocal",
    "sigmoid_backward", "custom_vjp", "custom_jvp", "custom_gradient", "Function", "register_hook",
    "register_autograd",
}
# fmt: on
DIFFERENTIATES = {"grad", "value_and_grad", "vjp", "backward", "jacrev", "jacfwd", "jvp", "linearize"}
NO_DERIVATIVE = "nothing that differentiates"


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


def own_gradient(*sources: str, hazards: bool = False) -> list[str]:
    """What in an adapter's sources is not the forward pass and the framework's own differentiation."""
    tree = ast.Module([node for source in sources for node in ast.parse(source).body], [])
    allowed = ALLOWED | OF_HAZARDS if hazards else ALLOWED
    found = [
        name for name in imported(tree) if name.startswith(("reference.network", "adapters.closed_form"))
    ]
    names = set()
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    called = {id(node.func) for node in calls if ast.unparse(node) in ALLOWED_CALLS}
    for node in ast.walk(tree):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ARITHMETIC) and not _constant(node):
            found += [text for text in [ast.unparse(node)] if text not in allowed]
        if isinstance(node, ast.AugAssign) and isinstance(node.op, ARITHMETIC):
            found.append(ast.unparse(node))
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) and not _constant(node):
            found += [text for text in [ast.unparse(node)] if text not in allowed]
        if isinstance(node, ast.Attribute) and not (ast.unparse(node) in ALLOWED_NAMES or id(node) in called):
            names.add(node.attr)
        names |= {node.id} if isinstance(node, ast.Name) else set()
        names |= {alias.name for alias in node.names} if isinstance(node, ast.ImportFrom) else set()
    found += sorted(names & (FORBIDDEN - ({"exp"} if hazards else set())))
    return found if names & DIFFERENTIATES else [*found, NO_DERIVATIVE]


def _constant(node: ast.AST) -> bool:
    """Numbers alone, as 2.0**-24."""
    return not any(isinstance(part, (ast.Name, ast.Attribute, ast.Call)) for part in ast.walk(node))


def of_frameworks() -> list[Path]:
    """The sources of the frameworks' modules: all but the closed form, which is NumPy's."""
    folders = {ROOT / name.replace(".", "/") for name in adapters.MODULES.values()}
    return sorted(path for folder in folders if folder.is_dir() for path in folder.glob("*.py"))


def label(path: Path) -> str:
    return f"{path.parent.name}-{path.stem}"


@pytest.mark.parametrize("path", of_frameworks(), ids=label)
def test_an_adapter_contains_no_closed_form_gradient(path: Path) -> None:
    found = own_gradient(path.read_text(), hazards=path.stem == "hazards")
    assert [each for each in found if each != NO_DERIVATIVE] == []


@pytest.mark.parametrize("framework", ["torch", "jax"])
def test_an_adapters_gradient_is_the_frameworks_own(framework: str) -> None:
    folder = ROOT / adapters.MODULES[framework].replace(".", "/")
    assert NO_DERIVATIVE not in own_gradient(*(path.read_text() for path in folder.glob("*.py")))


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
        ("slope = torch.mul(y_hat, 0.5, out=_strided(y.shape, y))", "mul"),
        ("grad = self.product(X.mT, delta)", "product"),
        ("from reference import network", "reference.network"),
        ("from reference.network import gradient", "reference.network.gradient"),
        ("import adapters.closed_form", "adapters.closed_form"),
    ],
)
def test_a_planted_closed_form_is_found(planted: str, found: str) -> None:
    assert found in own_gradient(f"{HONEST}\n{planted}\n")


def test_a_source_that_differentiates_nothing_is_found() -> None:
    assert NO_DERIVATIVE in own_gradient("def evaluate(X, y, W):\n    return X @ W\n")
