"""The functions for notebooks and other people's tests: judge results, and compute what they should be.

    from crosscheck import judge_outputs

    judged = judge_outputs(X, y, W, grad=grad)
    assert judged.within_bounds, str(judged)

X is ``[*stack, m, n]``, y and ŷ ``[*stack, m, p]``, W and ∂L/∂W ``[*stack, n, p]``, the loss ``[*stack]`` and
the loss of each row ``[*stack, m]``: axes in front stack independent networks. The dtype is float64, float32,
float16 or bfloat16, the same for all arrays of a call. An array is

- a nested list of numbers, or of decimal strings such as ``"0.1"``, each rounded once to the dtype;
- a NumPy array, or an object that NumPy can convert: a tensor of PyTorch, an array of JAX. Its dtype counts,
  and is not changed; integers are read like the numbers of a list.

Without ``dtype``, the dtype is that of the arrays, and float64 if there are only lists. NaN and infinities
are allowed as values. Errors are in ulp, units in the last place of the exact value (`reference.ulp`).
"""

from crosscheck.api.compared import ComparedAdapters, ComparedOutput, compare_adapters
from crosscheck.api.exact import (
    AdmissibleSets,
    ExactArray,
    ExactValues,
    admissible_sets,
    exact_values,
    reference_outputs,
)
from crosscheck.api.judged import JudgedOutput, JudgedOutputs, judge_outputs

__all__ = [
    "AdmissibleSets",
    "ComparedAdapters",
    "ComparedOutput",
    "ExactArray",
    "ExactValues",
    "JudgedOutput",
    "JudgedOutputs",
    "admissible_sets",
    "compare_adapters",
    "exact_values",
    "judge_outputs",
    "reference_outputs",
]
