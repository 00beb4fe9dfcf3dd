"""Modes: every promised way to execute the network is there and has one name; other names are refused."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from machine_modes import AT_LEVELS, ON_DEVICES

import adapters
from adapters import NAMED, AdapterError
from adapters.instructions import LEVELS
from adapters.modes import FACTORS, RULES, Mode, Rule, impossible, parse, plain
from crosscheck.plans.combinations import all_combinations

# What is promised, the mode with a name of its own that does so, and how its framework spells it.
BY_NAME = (
    ("numpy", "numpy", "network.evaluate("),
    ("numpy, 2 threads", "numpy-2threads", "threads.count()"),
    ("torch.autograd.grad", "torch", "torch.autograd.grad("),
    ("backward", "torch-backward", ".backward()"),
    ("torch.nn", "torch-module", "torch.nn.Sequential("),
    ("torch.func.grad over torch.func.vmap", "torch-func", "torch.func.grad("),
    ("torch.func.jacfwd", "torch-jacfwd", "torch.func.jacfwd("),
    ("torch.func.jvp", "torch-jvp", "torch.func.jvp("),
    ("torch.utils.checkpoint", "torch-checkpoint", "checkpoint(run"),
    ("torch.compile", "torch-compile", "torch.compile("),
    ("torch.compile of a module", "torch-compile-module", "torch.compile("),
    ("torch.no_grad", "torch-nograd", "torch.no_grad()"),
    ("torch.inference_mode", "torch-inference", "torch.inference_mode()"),
    ("torch, columns", "torch-columns", "self.product(W.mT, X)"),
    ("torch, vectors", "torch-vectors", "X.mT, y.mT"),
    ("torch, 2 threads", "torch-2threads", "torch.set_num_threads("),
    ("torch, the literal logistic", "torch-literal", "torch.exp(-z)"),
    ("torch, the logistic by tanh", "torch-tanh", "torch.tanh("),
    ("jax, operation by operation", "jax", "jax.value_and_grad("),
    ("jax.jit", "jax-jit", "jax.jit("),
    ("jax.jit, arguments donated", "jax-donate", "donate_argnums"),
    ("jax.vmap over the stack", "jax-jit-vmap", "jax.vmap(function)"),
    ("jax.vmap over rows", "jax-jit-rowvmap", "jax.vmap(network.row"),
    ("jax.lax.map", "jax-jit-map", "jax.lax.map("),
    ("jax.lax.scan", "jax-jit-scan", "jax.lax.scan("),
    ("jax.shard_map", "jax-jit-shardmap", "jax.shard_map("),
    ("jax.jacfwd", "jax-jit-vmap-jacfwd", "jax.jacfwd("),
    ("jax.jvp", "jax-jit-jvp", "jax.jvp("),
    ("jax.linearize", "jax-jit-linearize", "jax.linearize("),
    ("jax.checkpoint", "jax-jit-checkpoint", "jax.checkpoint("),
    ("jax, columns", "jax-jit-columns", "W.mT @ X"),
    ("jax, vectors", "jax-jit-rowvmap-vectors", "W.mT @ x"),
    ("jax, 2 threads", "jax-jit-2threads", "threads.count()"),
    ("jax, the literal logistic", "jax-jit-literal", "jnp.exp(-z)"),
    ("jax, the logistic by tanh", "jax-jit-tanh", "jnp.tanh("),
    ("numpy, results in given memory", "numpy-out", "out=grad"),
    ("torch.addmm with a bias and beta = 0", "torch-addmm", "beta=0"),
    ("torch, results in given memory", "torch-nograd-out", "torch.sum(terms, axes, out="),
    ("jax.jacfwd without a stack axis", "jax-jit-jacfwd", "self._by_network("),
)
# The same on other devices than the CPU, each tried where there is one.
BY_DEVICE = (
    ("torch on CUDA", "torch-cuda", "torch.cuda.is_available()"),
    ("torch.compile on CUDA", "torch-compile-cuda", "torch.cuda.is_available()"),
    ("jax on a GPU", "jax-gpu", "jax.devices("),
    ("jax.jit on a GPU", "jax-jit-gpu", "jax.devices("),
)
# The same of what is a value of a factor only; each is also heard together with every two others.
BY_FACTOR = (
    ("torch, matmul high", "torch-matmul_high", "torch.set_float32_matmul_precision("),
    ("torch, matmul medium", "torch-matmul_medium", "torch.set_float32_matmul_precision("),
    ("torch, deterministic", "torch-deterministic", "torch.use_deterministic_algorithms("),
    ("jax, matmul high", "jax-jit-matmul_high", "jax.default_matmul_precision("),
    ("jax, matmul highest", "jax-jit-matmul_highest", "jax.default_matmul_precision("),
    ("jax, logistic highest", "jax-jit-logistic_highest", "jax.lax.AccuracyMode.HIGHEST"),
    *(
        (f"{framework}, {output} alone", f"{framework}-{output}", "self.mode.alone")
        for framework in ("torch", "jax")
        for output in ("y_hat", "loss", "row_loss")
    ),
    *(
        (f"{framework}, {constants} constant", f"{framework}-closed_{constants}", "**constants, **given")
        for framework in ("torch", "jax")
        for constants in ("X", "y", "W", "Xy", "XW", "yW", "XyW")
    ),
)
PROMISED = (*BY_NAME, *BY_DEVICE, *BY_FACTOR)
# tests/adapters/test_instructions.py holds that a process is held to each.
BY_LEVEL = tuple(f"{framework}-{level}" for framework in adapters.MODULES for level in LEVELS)


def source_of(framework: str) -> str:
    """All that the framework's module holds."""
    place = Path(adapters.__file__).parent.parent / adapters.MODULES[framework].replace(".", "/")
    files = sorted(place.glob("*.py")) if place.is_dir() else [place.with_suffix(".py")]
    return "\n".join(file.read_text("utf-8") for file in files)


def values_of(*names: str) -> set[tuple[str, str, str]]:
    """The values of all factors of these modes."""
    return {(mode.framework, *pair) for mode in map(parse, names) for pair in mode.as_dict.items()}


@pytest.mark.parametrize(("name", "spelled"), [row[1:] for row in PROMISED], ids=[row[0] for row in PROMISED])
def test_a_promised_way_to_execute_is_a_mode(name: str, spelled: str) -> None:
    assert parse(name).name == name
    assert spelled in source_of(parse(name).framework)


def test_the_ways_with_names_of_their_own_are_those_that_are_listed() -> None:
    assert len(set(NAMED)) == len(NAMED)
    assert {name for _, name, _ in BY_NAME} == set(NAMED)
    assert {name for _, name, _ in BY_DEVICE} == set(ON_DEVICES)


def test_every_value_of_every_factor_is_promised_and_heard() -> None:
    have = {
        (framework, factor, value)
        for framework, factors in FACTORS.items()
        for factor, values in factors.items()
        for value in values
    }
    assert values_of(*(name for _, name, _ in PROMISED), *BY_LEVEL) == have
    assert values_of(*NAMED, *ON_DEVICES, *AT_LEVELS, *dict(all_combinations())) == have


@pytest.mark.parametrize("framework", FACTORS)
def test_the_plainest_mode_has_the_frameworks_name_and_computes_everything(framework: str) -> None:
    mode = plain(framework)
    assert mode == parse(framework)
    assert (mode.closed, mode.alone, mode.threads, mode.devices) == ("", None, 1, 1)
    assert mode.has_gradient
    assert not mode.compiles
    assert not mode.is_hazard


def test_a_factor_that_a_framework_lacks_is_empty() -> None:
    assert plain("numpy")["execution"] == ""
    assert plain("torch")["batching"] == ""


@pytest.mark.parametrize(
    ("name", "said", "want"),
    [
        ("torch-closed_Xy", "closed", "Xy"),
        ("jax-jit-closed_XyW", "closed", "XyW"),
        ("jax-jit-row_loss", "alone", "row_loss"),
        ("torch-nograd", "alone", None),
        ("torch-nograd", "has_gradient", False),
        ("torch-inference", "has_gradient", False),
        ("torch-loss", "has_gradient", False),
        ("jax-donate", "has_gradient", True),
        ("torch-compile-func", "compiles", True),
        ("jax-jit", "compiles", True),
        ("jax-donate", "compiles", True),
        ("torch-inference", "compiles", False),
        ("jax-jit-closed_W", "compiles_values", True),
        ("jax-jit", "compiles_values", False),
        ("jax-closed_W", "compiles_values", False),
        ("torch-compile-closed_X", "compiles_values", True),
        ("torch-literal", "is_hazard", True),
        ("jax-jit-tanh", "is_hazard", True),
        ("numpy-2threads", "threads", 2),
        ("jax-jit-shardmap", "devices", 2),
        ("torch-compile-module", "by_network", True),
        ("jax-jit-jacfwd", "by_network", True),
        ("jax-jit-vmap-jacfwd", "by_network", False),
        ("torch-jacfwd", "by_network", False),
        ("jax-jit-rowvmap", "devices", 1),
        ("numpy-avx2", "isa", "avx2"),
        ("torch-2threads", "isa", "native"),
    ],
)
def test_a_mode_knows_what_its_values_mean(name: str, said: str, want: object) -> None:
    assert getattr(parse(name), said) == want


def modes(framework: str) -> st.SearchStrategy[Mode]:
    """Any combination that is possible."""
    values = st.tuples(*map(st.sampled_from, FACTORS[framework].values()))
    return values.map(lambda chosen: Mode(framework, chosen)).filter(lambda mode: impossible(mode) is None)


def assert_refused(name: str, *words: str) -> None:
    """It is no name; the one line that says so has the words."""
    with pytest.raises(AdapterError) as found:
        parse(name)
    assert all(word in str(found.value) for word in words), str(found.value)
    assert "\n" not in str(found.value)


@pytest.mark.parametrize("framework", FACTORS)
def test_every_two_values_have_one_name_that_is_parsed_back(framework: str) -> None:
    pairs = [(factor, value) for factor, values in FACTORS[framework].items() for value in values]
    made = {plain(framework, **dict(two)) for two in itertools.combinations(pairs, 2)}
    possible = {mode for mode in made if impossible(mode) is None}
    assert {parse(mode.name) for mode in possible} == possible
    assert len({mode.name for mode in made}) == len(made)


@pytest.mark.long
@given(mode=st.sampled_from(list(FACTORS)).flatmap(modes), data=st.data())
def test_any_combination_is_parsed_back_and_its_parts_have_one_order(mode: Mode, data: st.DataObject) -> None:
    assert parse(mode.name) == mode
    framework, *parts = mode.name.split("-")
    name = "-".join([framework, *data.draw(st.permutations(parts))])
    if name != mode.name:
        assert_refused(name, f"did you mean {mode.name!r}?")


@given(name=st.sampled_from(NAMED), data=st.data())
def test_a_part_that_is_said_twice_is_refused(name: str, data: st.DataObject) -> None:
    framework, *parts = name.split("-")
    if parts:
        twice = data.draw(st.permutations([*parts, data.draw(st.sampled_from(parts))]))
        assert_refused("-".join([framework, *twice]), f"did you mean {name!r}?")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("", "no framework is called ''; known: numpy, torch, jax"),
        ("pytorch", "no framework is called 'pytorch'; known: numpy, torch, jax"),
        ("jax-jti", "unknown 'jti'; did you mean 'jit'? known: jit, donate, vmap"),
        ("torch-jit", "unknown 'jit'; known: compile, nograd"),
        ("jax-", "unknown ''; known: jit,"),
        ("jax--jit", "unknown ''; known: jit,"),
        ("jax-eager", "unknown 'eager'; "),
        ("jax-closed_yX", "unknown 'closed_yX'; did you mean 'closed_"),
        ("jax-JIT", "unknown 'JIT'; "),
        ("jax-jit-donate", "'jax-jit-donate' is no name of a mode; did you mean 'jax-donate'?"),
        ("torch-2threads-compile", "did you mean 'torch-compile-2threads'?"),
    ],
)
def test_what_is_no_name_is_refused_with_a_hint(name: str, words: str) -> None:
    assert_refused(name, words)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("torch-jacfwd-loss", "an output alone has no derivative"),
        ("torch-nograd-func", "without autograd there is no derivative"),
        ("torch-compile-jacfwd", "torch.compile does not trace vmap over jacfwd"),
        ("torch-compile-jvp", "torch.compile would unroll the loop over the weights"),
        ("torch-module-columns", "torch.nn.Linear takes samples as rows"),
        ("torch-module-closed_X", "torch.nn.Linear holds its weights"),
        ("torch-module-tanh", "torch.nn.Sigmoid is the framework's own"),
        ("jax-jit-linearize-y_hat", "an output alone has no derivative"),
        ("jax-scan", "maps and loops that are not jitted compile every operation"),
        ("jax-jvp", "its loop over the weights would be compiled again at every call"),
        ("jax-donate-closed_XyW", "no argument is left to be donated"),
        ("jax-jit-shardmap-gpu", "the devices that rows are spread over are the host's"),
        ("jax-jit-shardmap-jacfwd", "a Jacobian of a stack crosses its networks; use vmap"),
        (
            "jax-jacfwd-closed_W",
            "without vmap it takes one network after another, and constants would need a program",
        ),
        ("torch-module-addmm", "torch.nn.Linear chooses its own product"),
        ("torch-out", "out= has no autograd: it takes nograd or inference"),
        ("torch-nograd-literal-out", "a logistic written by hand makes new arrays as it goes"),
    ],
)
def test_what_cannot_be_says_why(name: str, reason: str) -> None:
    assert_refused(name, f"{name!r} is no mode: {reason}")


def excluded_by(rule: Rule, framework: str) -> Iterator[Mode]:
    """The modes that this rule excludes and no other does; all that the rules do not speak of is plain."""
    factors = list(dict.fromkeys(factor for each in RULES[framework] for factor in each.clash))
    for chosen in itertools.product(*(FACTORS[framework][factor] for factor in factors)):
        mode = plain(framework, **dict(zip(factors, chosen, strict=True)))
        if [each for each in RULES[framework] if each.excludes(mode.as_dict)] == [rule]:
            yield mode


@pytest.mark.long
@pytest.mark.untraced
@pytest.mark.parametrize(
    ("framework", "rule"),
    [
        pytest.param(framework, rule, id=f"{framework}-{rule.reason}")
        for framework, rules in RULES.items()
        for rule in rules
    ],
)
def test_a_rule_excludes_what_no_other_does_and_nothing_that_has_a_name(framework: str, rule: Rule) -> None:
    assert impossible(next(excluded_by(rule, framework))) == rule.reason
    named = [mode for mode in map(parse, (*NAMED, *ON_DEVICES)) if mode.framework == framework]
    assert [mode.name for mode in named if rule.excludes(mode.as_dict)] == []
