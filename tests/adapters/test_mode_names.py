"""The names of modes: each mode has one, and whatever else is asked for is refused in a line that helps."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from machine_modes import ON_DEVICES

from adapters import NAMED, AdapterError
from adapters.modes import FACTORS, RULES, Mode, Rule, impossible, parse, plain


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


@pytest.mark.parametrize("name", NAMED)
def test_a_mode_with_a_name_is_called_so(name: str) -> None:
    assert parse(name).name == name


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
        ("jax-jit-jacfwd", "a Jacobian of a stack crosses its networks; use vmap"),
        ("jax-jacfwd-jit", "a Jacobian of a stack crosses its networks; use vmap"),
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
