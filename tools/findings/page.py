"""The page, made from the template in this folder and the numbers of ledgers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final

import msgspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from crosscheck.results.ledger import Ledger, LedgerError
from crosscheck.results.lines import Header
from crosscheck.sweep.exhaustive import MEASURED, SHARD
from crosscheck.sweep.record import shards_of
from reference.formats import FORMATS
from tools.findings import tables
from tools.findings.steps import DTYPES, Steps, labels_of, lacking

TEMPLATE: Final = "page.md"
SECTION: Final = "instructions.md"  # which `tools.findings.instructions` makes
RELEASES: Final = "releases.md"  # which `tools.findings.releases` makes
EXHAUSTIVE, RANDOM, SAMPLED = "sweep exhaustive", "sweep random", "float64"
# Errors of `jax.lax.logistic` on the CPU in ulp: docs.jax.dev, Numerical accuracy.
DOCUMENTED: Final = {"float32": 2.5, "float16": 2.0, "bfloat16": 2.5, "float64": 3.5}
# Modes that write the logistic out.
OTHER_FORMS: Final = ("literal", "tanh")


def page(ledger: Ledger, steps: Steps, sample: Ledger | None, pictures: str) -> str:
    """Make the text of the page.

    Args:
        ledger: the ledger of an exhaustive sweep.
        steps: the steps of this ledger.
        sample: the ledger of a random sweep in float64, if there is one.
        pictures: the folder of the pictures, as the page refers to it.
    """
    dtypes = [dtype for dtype in DTYPES if any(key.dtype == dtype for key in steps)]
    text: str = _environment().get_template(TEMPLATE).render(
        header=ledger.header,
        results=ledger.results,
        missing=missing(ledger.header),
        dtypes=[_dtype(ledger, steps, dtype) for dtype in dtypes],
        documented=list(_documented(ledger, steps)),
        jax_float64=DOCUMENTED[SAMPLED],
        sample=sample,
        sampled=tables.sampled(sample, SAMPLED) if sample else [],
        size=_size(sample),
        pictures=pictures,
        instructions=_own(SECTION),
        releases=_own(RELEASES),
    )  # fmt: skip
    return text


def _own(file: str) -> Markup:
    """Return the text of a file of this folder, which is Markdown already."""
    return Markup((Path(__file__).parent / file).read_text("utf-8"))  # noqa: S704, own file


def _size(sample: Ledger | None) -> list[int]:
    """Return m, n and p of a random sweep."""
    sweep = sample and sample.header.sweep
    return msgspec.json.decode(sweep.settings.get("size", "[]"), type=list[int]) if sweep else []


def check_exhaustive(ledger: Ledger) -> None:
    """Check that a ledger belongs to an exhaustive sweep.

    Raises:
        LedgerError: it is not.
    """
    if ledger.header.profile != EXHAUSTIVE or ledger.header.sweep is None or not ledger.cells:
        raise LedgerError(f"is of `{ledger.header.profile}`; findings are of `crosscheck {EXHAUSTIVE}`")


def check_sample(ledger: Ledger) -> None:
    """Check that a ledger belongs to a random sweep and has results in float64.

    Raises:
        LedgerError: it is not.
    """
    if ledger.header.profile != RANDOM or ledger.header.sweep is None or not tables.sampled(ledger, SAMPLED):
        raise LedgerError(
            f"is of `{ledger.header.profile}`; the sample is of `crosscheck {RANDOM} --dtype {SAMPLED}`"
        )


def missing(header: Header) -> str:
    """Say how many shards there are if some are missing; otherwise return an empty text."""
    assert header.sweep is not None  # noqa: S101, for mypy: `check_exhaustive` has checked it
    done, of = len(shards_of(header).done), header.sweep.of
    return "" if done == of else f"{done:,} of {of:,}"


def _dtype(ledger: Ledger, steps: Steps, dtype: str) -> dict[str, Any]:
    """Make the template's data on a dtype."""
    format = FORMATS[dtype]
    elements, wrong, known = tables.outside(steps, dtype)
    adapters = list(dict.fromkeys(key.adapter for key in steps if key.dtype == dtype))
    return {
        "name": dtype,
        "patterns": f"{1 << 8 * format.dtype.itemsize:,}",
        "labels": [tables.HALVES[y] for y in labels_of(dtype)],
        "by_reference": 1 << 8 * format.dtype.itemsize > SHARD,
        "elements": f"{elements:,}",
        "wrong": f"{wrong - known:,}",
        "known": f"{known:,}" if known else "",
        "lacking": lacking(ledger, dtype),
        "least_normal": f"2^{format.e_min}".replace("-", "−"),
        "adapters": adapters,
        "in_all": tables.in_all(steps, dtype),
        "by_output": [
            (tables.NAMES[output], tables.by_region(steps, dtype, output))
            for output in MEASURED
            if any(key[:2] == (dtype, output) for key in steps)
        ],
    }


def _documented(ledger: Ledger, steps: Steps) -> Iterator[list[str]]:
    """Yield a row for each dtype and adapter: the measured error of ŷ, and JAX's documented one."""
    frameworks = {adapter.name: adapter.framework for adapter in ledger.header.adapters}
    for key in steps:
        if key.output == "y_hat":
            worst = tables.worst_normal(steps, key)
            is_own = not any(form in key.adapter for form in OTHER_FORMS)
            is_said = is_own and frameworks.get(key.adapter) == "jax"
            said = f"{DOCUMENTED[key.dtype]}" if is_said else "nothing found"
            yield [key.dtype, key.adapter, tables.NOTHING if worst is None else tables.ulp(worst), said]


@cache
def _environment() -> Environment:
    """Make Jinja's environment, which escapes the texts of a ledger, so that they cannot change the page."""
    return Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        finalize=_escape_markdown,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def _escape_markdown(value: Any) -> Any:
    """Escape the characters of a text that Markdown takes for a column, an element or the end of a line."""
    if not isinstance(value, str) or isinstance(value, Markup):
        return value
    text = re.sub(r"\s+", " ", value).replace("&", "&amp;").replace("<", "&lt;").replace("|", "\\|")
    return Markup(text)  # noqa: S704, escaped in the line above
