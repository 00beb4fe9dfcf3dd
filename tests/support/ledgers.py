"""Ledgers for the tests of those who read them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from crosscheck.results.ledger import Ledger
from crosscheck.results.lines import FORMAT, VERSION, AdapterInfo, Environment, Header, Known, Observation
from crosscheck.results.summary import Cell, Number, Summary, Worst

ENVIRONMENT = Environment(
    python="3.11.7",
    platform="Linux x86_64",
    cpu="some avx2",
    blas="some 1",
    packages={"numpy": "2.4.0"},
    variables={},
)
CASE = "ordinary:1:8192x1x3x1:contiguous:float32"


def header(*names: str, **changed: Any) -> Header:
    """Make a header with adapters of these names, all of one framework."""
    fields: dict[str, Any] = {
        "format": FORMAT,
        "version": VERSION,
        "suite": "0.1.0",
        "created": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        "command": "crosscheck compare",
        "profile": "compare",
        "seed": 0,
        "environment": ENVIRONMENT,
        "adapters": tuple(adapter(name) for name in names),
    }
    return Header(**{**fields, **changed})


def adapter(name: str, version: str = "2.13.0", selector: str = "") -> AdapterInfo:
    """Make the record of an adapter of PyTorch."""
    return AdapterInfo(
        name=name,
        selector=selector or name,
        framework="torch",
        version=version,
        device="cpu",
        threads=1,
        dtypes=("float32",),
    )


def cell(adapter: str = "torch", **changed: str) -> Cell:
    """Make a cell of ∂L/∂W in float32, with the given fields changed."""
    fields: dict[str, Any] = {
        "framework": "torch",
        "version": "2.13.0",
        "device": "cpu",
        "threads": 1,
        "dtype": "float32",
        "output": "grad",
        "regime": "ordinary",
        "shape": "core",
        "layout": "contiguous",
    }
    return Cell(adapter, **{**fields, **changed})


def summary(**changed: Any) -> Summary:
    """Make a summary of two problems that agree, with the given fields changed."""
    fields: dict[str, Any] = {
        "cases": 7,
        "bits": 9,
        "problems": 2,
        "elements": 6,
        "equal": 5,
        "error": Worst(Number(1.5), CASE, (1, 0, 0), "ordinary"),
        "share": Worst(Number(0.25), CASE, (1, 0, 0), "ordinary"),
        "errors": {"0": 6},
        "shares": {"-2": 6},
    }
    return Summary(**{**fields, **changed})


def behaviour(value: str, *, adapter: str = "torch", probe: str = "runs", seen: bool = True) -> Observation:
    """Make the record of one answer in float32."""
    return Observation(probe=probe, adapter=adapter, dtype="float32", value=value, input=CASE, seen=seen)


def known(name: str = "torch-is-wrong") -> Known:
    """Make the record of a known difference that covers some elements."""
    return Known(
        name=name,
        type="bug",
        framework="torch",
        versions="==2.13.0",
        mode="torch",
        case=CASE,
        output="grad",
        index=(0, 0, 0),
        got="0x1p+0",
        exact="0x1.8p+0",
        reason="it is wrong",
        upstream="https://example.org/1",
        expires=date(2030, 1, 1),
        covered={"ordinary": 3},
    )


def small() -> Ledger:
    """Make a ledger with a line of each kind that a green run may have."""
    return Ledger(
        header("torch"),
        {cell(): summary(), cell(output="loss"): summary(not_judged=6, error=None)},
        (behaviour("the same bits"),),
        (known(),),
    )
