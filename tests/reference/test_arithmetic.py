"""Claims that no implementation can have are refused."""

from __future__ import annotations

from typing import Any

import pytest

from reference.arithmetic import Arithmetic


@pytest.mark.parametrize("claims", [{"kappa": 0.99}, {"kappa": float("nan")}], ids=str)
def test_a_logistic_that_rounds_has_a_kappa_of_at_least_1(claims: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="kappa is"):
        Arithmetic(**claims)


@pytest.mark.parametrize("name", ["u_acc", "u_sum", "u_in"])
@pytest.mark.parametrize("value", [-(2.0**-24), 1.0, float("nan")])
def test_a_unit_roundoff_lies_in_0_to_1(name: str, value: float) -> None:
    claims: dict[str, Any] = {"kappa": 5.0, name: value}
    with pytest.raises(ValueError, match=f"{name} is"):
        Arithmetic(**claims)
