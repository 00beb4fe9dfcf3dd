"""The page: one HTML file that loads nothing from elsewhere, and in which no text of a ledger becomes code.

Jinja escapes every text. The content security policy in the page's head allows the page's own script and
style, by their hashes, and nothing else.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from crosscheck.behaviours.report import ProbeRow, differs, rows
from crosscheck.behaviours.survey import PROBES
from crosscheck.message import replay
from crosscheck.report.cells import cells_of, sort_key
from crosscheck.report.detail import data_of
from crosscheck.report.matrix import matrix_of
from crosscheck.report.plot import plot_of, points_of
from crosscheck.results.changes import Change, ChangeKind, gate
from crosscheck.results.ledger import Ledger, LedgerError
from crosscheck.results.lines import Observation
from crosscheck.terminal.gate import verdict
from reference.formats import FORMATS

TEMPLATES: Final = Path(__file__).with_name("templates")
VERDICTS: Final = {0: "within bounds", 1: "not all within bounds"}
# The most columns that stand beside each other on a wide screen; more of them stand below each other.
MOST_COLUMNS = 6
# The title of the table of each kind of change, and the CSS classes of its colour and mark.
TITLES: Final = {
    ChangeKind.REGRESSION: ("Regressions", "bad"),
    ChangeKind.IMPROVEMENT: ("Improvements", "good"),
    ChangeKind.CHANGE: ("Other changes", ""),
    ChangeKind.ENVIRONMENT: ("Changes of the environment", ""),
}


def page(ledger: Ledger, older: Ledger | None = None) -> str:
    """Make the page of a ledger; with an older ledger as baseline, the changes since then come first."""
    cells = cells_of(ledger.cells)
    return _environment().get_template("page.html").render(
        **_inlined(),
        ledger=ledger,
        header=ledger.header,
        verdict=VERDICTS.get(ledger.verdict, f"exit code {ledger.verdict}"),
        matrix=matrix_of(ledger, cells),
        plot=plot_of(ledger, points_of(cells), cells),
        behaviours=behaviours_of(ledger.behaviours),
        older=older,
        changes=changes_of(older, ledger) if older else None,
        data=data_of(ledger, cells),
    )  # fmt: skip


def behaviours_of(behaviours: Sequence[Observation]) -> list[dict[str, Any]]:
    """Make a table of probes by adapters for each dtype with differences; equal adapters share a column."""
    different = [row for row in rows(behaviours) if differs(row)]
    dtypes = sorted({row[0].dtype for row in different}, key=lambda name: sort_key(name, tuple(FORMATS)))
    return [_behaviours_in(dtype, [row for row in different if row[0].dtype == dtype]) for dtype in dtypes]


def _behaviours_in(dtype: str, different: Sequence[ProbeRow]) -> dict[str, Any]:
    different = sorted(different, key=lambda row: sort_key(row[0].probe, tuple(PROBES)))
    answers = [{one.adapter: one.value for one in row} for row in different]
    columns: dict[tuple[str | None, ...], list[str]] = {}
    for adapter in dict.fromkeys(one.adapter for row in different for one in row):
        columns.setdefault(tuple(answer.get(adapter) for answer in answers), []).append(adapter)
    names = [", ".join(alike) for alike in columns.values()]
    return {
        "dtype": dtype,
        "names": names,
        "is_wide": len(names) <= MOST_COLUMNS,
        "rows": [
            {
                "probe": row[0].probe,
                "question": PROBES[row[0].probe].question if row[0].probe in PROBES else "",
                "input": row[0].input,
                "values": list(zip(names, values, strict=True)),
            }
            for row, values in zip(different, zip(*columns, strict=True), strict=True)
        ],
    }


def changes_of(older: Ledger, newer: Ledger) -> dict[str, Any]:
    """Describe the changes that the gate finds since an older ledger: a sentence, and a table for each kind.

    If the gate cannot compare the two ledgers, the sentence says so, and there is no table.
    """
    try:
        found = gate(older, newer)
    except LedgerError as why:
        return {"is_compared": False, "said": f"Nothing was compared: {why}.", "tables": []}
    return {"is_compared": True, "said": verdict(found), "tables": list(_tables_of_changes(found))}


def _tables_of_changes(found: Sequence[Change]) -> Iterator[dict[str, Any]]:
    for kind, group in groupby(found, key=lambda change: change.kind):
        title, look = TITLES[kind]
        lines = [(change, _replay(change)) for change in group]
        yield {
            "title": title,
            "look": look,
            "has_places": kind is not ChangeKind.ENVIRONMENT,  # which is everywhere
            "lines": lines,
        }


def _replay(change: Change) -> str:
    return replay(change.case, change.selector) if change.case else ""


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.tests["safe_link"] = is_safe_link
    environment.filters["when"] = when
    environment.policies["json.dumps_kwargs"] = {"ensure_ascii": False, "separators": (",", ":")}
    return environment


def when(moment: datetime) -> str:
    """Write a time as text, in UTC."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def is_safe_link(link: Any) -> bool:
    """Return whether a text may become a link: it must be an https address and nothing else."""
    try:
        parts = urlsplit(str(link))
    except ValueError:
        return False
    return parts.scheme == "https" and bool(parts.netloc) and str(link).startswith("https://")


def _inlined() -> dict[str, str]:
    """Return the script and the style of the page, and the policy that allows only these."""
    texts = {"script": _text("script.js"), "style": _text("style.css")}
    allowed = "; ".join(f"{kind}-src '{digest(text)}'" for kind, text in texts.items())
    policy = f"default-src 'none'; {allowed}; base-uri 'none'; form-action 'none'"
    return {"policy": policy, **{name: Markup(text) for name, text in texts.items()}}  # noqa: S704, own files


def _text(name: str) -> str:
    return (TEMPLATES / name).read_text("utf-8")


def digest(text: str) -> str:
    """Return the hash of an inline block, in the form of a content security policy."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
