"""Equation probes: with m = n = p = 1 and X = 1 an adapter computes σ, L and Δ for any z and y.

Each network of that size is an *equation probe*, here and in messages a probe for short. The probes of
`crosscheck.behaviours` are something else: questions to which several answers are correct.

`crosscheck.explain.diagnosis` interprets their results.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from crosscheck.explain.element import Element
from crosscheck.judging.evaluation import CheckedAdapter
from crosscheck.judging.judge import Judge
from reference import oracle
from reference.admissible import AdmissibleSet
from reference.arithmetic import Arithmetic
from reference.formats import Format
from reference.types import Array, Bool, Float64, Outputs, Problem

GRID_Z: Final = (0.0, 1.0, -1.0, 3.0, -3.0)
GRID_Y: Final = (0.0, 1.0, 0.5)
# How many elements of the failing problem are probed with their own z and y. If there are fewer, zeros fill
# the places, so that a framework that compiles does so only once.
OWN: Final = 14
# The most rows and outputs of a block: it has as many inputs as rows, and each label may be tried.
BLOCK: Final = 32
EXACT: Final = ("y_hat", "dyhat_dz", "loss", "grad")


class EquationProbes(NamedTuple):
    """The results of the equation probes, one element for each; all arrays are ``[probes]``.

    The first `OWN` probes have the z and y of elements of ŷ on which the failing element depends. The next
    three have the first of those z and the labels of `GRID_Y`. Then come all pairs of `GRID_Z` and `GRID_Y`.
    The last repeats the first.

    Attributes:
        format: the format of the dtype.
        z: the weights, which equal z since X = 1.
        y: the labels.
        got: the adapter's values as float64, by output.
        sets: the admissible sets, by output.
        exact: the exact values rounded to float64, by quantity: y_hat, dyhat_dz, loss and grad. NaN if z or y
            is infinite.
        outside: which values lie outside their set, by output; none for an output that the adapter lacks.
        own: how many of the first `OWN` probes have such a z and y; they may be infinite, and y may be NaN.
    """

    format: Format
    z: Float64
    y: Float64
    got: dict[str, Float64]
    sets: dict[str, AdmissibleSet]
    exact: dict[str, Float64]
    outside: dict[str, Bool]
    own: int


def evaluate_probes(adapter: CheckedAdapter, element: Element) -> EquationProbes:
    """Evaluate the equation probes that belong to a failing element, with the adapter that fails.

    Raises:
        AdapterCrashed, AdapterMisbehaved, NotImplementedError: the adapter does not evaluate them.
    """
    z, y, own = _points(element, _centers(adapter, element))
    return _evaluate(adapter, _problem(np.ones_like(z), y, z, element.format), own)


def evaluate_block(adapter: CheckedAdapter, element: Element) -> EquationProbes:
    """Evaluate the rows and outputs of a failing element's problem, at most `BLOCK` of each, with X = I.

    Then z is W and ∂L/∂W is Δ, as for equation probes, and every element of ŷ counts as one. Their loss is
    one number. A z or y that is not finite, which the products with 0 would spread, is replaced.

    Raises:
        AdapterCrashed, AdapterMisbehaved, NotImplementedError: the adapter does not evaluate it.
    """
    given = _centers(adapter, element), element.alone.problem.y
    z, y = (finite(array[:BLOCK, :BLOCK], element.format) for array in given)
    stack = (1,) * len(element.problem_index)
    arrays = (array.reshape(stack + array.shape) for array in (np.eye(len(z), dtype=z.dtype), y, z))
    return _evaluate(adapter, Problem(*arrays), z.size)


def finite(array: Array, format: Format) -> Array:
    """Return an array in a format, with 0 to 1 in even steps in the place of infinities and NaN."""
    with np.errstate(all="ignore"):  # a number beyond the format becomes infinite
        steps = np.linspace(0, 1, array.size).reshape(array.shape).astype(format.dtype)
        own = array.astype(format.dtype)
        return np.where(np.isfinite(own), own, steps)


def _centers(adapter: CheckedAdapter, element: Element) -> Float64:
    """Return z of a failing element's problem, ``[m, p]``; NaN where nothing else is admissible."""
    whole = element.alone.sets(adapter.description.arithmetic[element.format.name])["z"]
    return np.where(whole.must, np.nan, whole.center)


def _evaluate(adapter: CheckedAdapter, problem: Problem, own: int) -> EquationProbes:
    """Evaluate a problem in which z is W."""
    judge = Judge(problem)
    outputs = adapter.evaluate(*judge.problem)._asdict()
    got = {name: value.astype(np.float64).ravel() for name, value in outputs.items() if value is not None}
    claims = adapter.description.arithmetic[judge.format.name]
    sets = {name: whole.mapped(np.ravel) for name, whole in judge.sets(claims).items()}
    balls = oracle.evaluate(*judge.problem)._asdict()
    exact = {name: oracle.to_floats(balls[name])[0].ravel() for name in EXACT}
    z, y = (array.astype(np.float64).ravel() for array in (problem.W, problem.y))
    nowhere = np.zeros(z.shape, bool)
    outside = {name: ~sets[name].contains(got[name]) if name in got else nowhere for name in sets}
    return EquationProbes(judge.format, z, y, got, sets, exact, outside, own)


def evaluate_doubled(adapter: CheckedAdapter, probes: EquationProbes) -> dict[str, tuple[Float64, Bool]]:
    """Evaluate the probes with X = 2 and W = z/2, which have the same z and y: ŷ stays, and ∂L/∂W is 2Δ.

    Returns:
        For ŷ and ∂L/∂W, the adapter's values and where they are not those of the probes, times 1 and 2. Both
        may be as far off as their sets are wide. It is not known, and False, where z/2 is inexact or a value
        is not finite.

    Raises:
        AdapterCrashed, AdapterMisbehaved, NotImplementedError: the adapter does not evaluate them.
    """
    halves = (probes.z / 2).astype(probes.format.dtype).astype(np.float64)
    judge = Judge(_problem(np.full_like(probes.z, 2), probes.y, halves, probes.format))
    outputs = adapter.evaluate(*judge.problem)
    sets = judge.sets(adapter.description.arithmetic[probes.format.name])
    found: dict[str, tuple[Float64, Bool]] = {}
    for name, factor in (("y_hat", 1), ("grad", 2)):
        output = getattr(outputs, name)
        if output is None or name not in probes.got:
            continue
        got, once = output.astype(np.float64).ravel(), probes.got[name]
        with np.errstate(all="ignore"):
            radius = sets[name].radius.ravel() + factor * probes.sets[name].radius
            differs = np.abs(got - factor * once) > radius
        found[name] = got, differs & (2 * halves == probes.z) & np.isfinite(got) & np.isfinite(once)
    return found


def evaluate_alone(adapter: CheckedAdapter, probes: EquationProbes, place: int) -> Outputs:
    """Evaluate one of the equation probes as the only network of a stack.

    Raises:
        AdapterCrashed, AdapterMisbehaved, NotImplementedError: the adapter does not evaluate it.
    """
    one = slice(place, place + 1)
    return adapter.evaluate(*_problem(np.ones(1), probes.y[one], probes.z[one], probes.format))


def sets_at(z: Float64, y: Float64, format: Format, claims: Arithmetic) -> dict[str, AdmissibleSet]:
    """Return the admissible sets of equation probes with any z and y, rounded to a format, by output."""
    with np.errstate(over="ignore"):  # a z beyond the format becomes infinite
        judge = Judge(_problem(np.ones_like(z), y, z, format))
    return {name: whole.mapped(np.ravel) for name, whole in judge.sets(claims).items()}


def _problem(X: Float64, y: Float64, W: Float64, format: Format) -> Problem:
    return Problem(*(array.astype(format.dtype).reshape(-1, 1, 1) for array in (X, y, W)))


def _points(element: Element, centers: Float64) -> tuple[Float64, Float64, int]:
    """Return z and y of the equation probes as numbers of the format, and `EquationProbes.own`."""
    where = element.sources[len(element.problem_index) :]
    with np.errstate(all="ignore"):  # a z beyond the format becomes infinite
        z = np.atleast_1d(centers[where].astype(element.format.dtype).astype(np.float64)).ravel()
    y = np.atleast_1d(element.alone.problem.y[where].astype(np.float64)).ravel()
    usable = ~np.isnan(z)
    z, y = z[usable][:OWN], y[usable][:OWN]
    own = len(z)
    z, y = (np.concatenate([a, np.zeros(OWN - own)]) for a in (z, y))
    grid = np.repeat([z[0], *GRID_Z], len(GRID_Y))
    labels = np.tile(GRID_Y, len(GRID_Z) + 1)
    return np.concatenate([z, grid, z[:1]]), np.concatenate([y, labels, y[:1]]), own
