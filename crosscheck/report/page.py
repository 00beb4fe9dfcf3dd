"""The page: one HTML file that asks nobody for anything, and in which no text of a ledger is ever code.

Every text goes through Jinja's escaping. The policy in the page's head allows the one script and the one
style that stand in it, by their hashes, and nothing else.
"""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from crosscheck.ledger import Ledger
from crosscheck.report.behaviours import tables_of
from crosscheck.report.cells import cells_of
from crosscheck.report.changes import changes_of
from crosscheck.report.detail import data_of, places_of
from crosscheck.report.exact import MOST_ELEMENTS, truths_of
from crosscheck.report.matrix import matrix_of
from crosscheck.report.plot import plot_of, points_of

TEMPLATES: Final = Path(__file__).with_name("templates")
VERDICTS: Final = {0: "within bounds", 1: "not all within bounds"}


def page(ledger: Ledger, older: Ledger | None = None) -> str:
    """The page of a ledger; with an older one for its baseline, what changed since comes first."""
    cells = cells_of(ledger.cells)
    places = list(dict.fromkeys(places_of(cells)))
    truths = truths_of(places)
    return _environment().get_template("page.html").render(
        **_inlined(),
        ledger=ledger,
        header=ledger.header,
        verdict=VERDICTS.get(ledger.verdict, f"exit code {ledger.verdict}"),
        matrix=matrix_of(ledger, cells),
        plot=plot_of(ledger, points_of(cells, truths), cells),
        behaviours=tables_of(ledger.behaviours),
        older=older,
        changes=changes_of(older, ledger) if older else None,
        data=data_of(ledger, cells, truths),
        left_out=max(0, len(places) - MOST_ELEMENTS),
        shown=MOST_ELEMENTS,
    )  # fmt: skip


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
    """A moment for a reader, UTC."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def is_safe_link(link: Any) -> bool:
    """Whether it may become a link: an address of https and nothing else."""
    try:
        parts = urlsplit(str(link))
    except ValueError:
        return False
    return parts.scheme == "https" and bool(parts.netloc) and str(link).startswith("https://")


def _inlined() -> dict[str, str]:
    """The script and the style of the page, the suite's own, and the policy that allows these alone."""
    texts = {"script": _text("script.js"), "style": _text("style.css")}
    allowed = "; ".join(f"{kind}-src '{digest(text)}'" for kind, text in texts.items())
    policy = f"default-src 'none'; {allowed}; base-uri 'none'; form-action 'none'"
    return {"policy": policy, **{name: Markup(text) for name, text in texts.items()}}  # noqa: S704, own files


def _text(name: str) -> str:
    return (TEMPLATES / name).read_text("utf-8")


def digest(text: str) -> str:
    """The hash of an inline block, as a policy has it."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
