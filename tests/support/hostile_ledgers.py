"""Ledgers in which every text is an attack on whoever shows it, and which are valid all the same."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator
from typing import Any, Final

import msgspec
from ledgers import ENVIRONMENT, cell, header, small, summary
from malicious_files import ESCAPES, literal
from msgspec.structs import replace

from crosscheck.results.ledger import Ledger
from crosscheck.results.lines import Acceptance, Fault
from crosscheck.results.summary import Number, Worst

SCRIPT_LINK: Final = "javascript:window.hit=5//https://example.org"
SAYINGS: Final = {
    "page": "</script><script>hit=1</script><img src=x onerror='window.hit=2'>\"onfocus=\"window.hit=3",
    "comment": "--><!--<!--><svg/onload=window.hit=4>]]></style></textarea></title><base href=//example.org>",
    "template": "{{ 7 * 7 }}{% for x in y %}{# %}${7*7}{0}%s%n",
    "address": SCRIPT_LINK,
    "markup": "[red]x[/red] [/] [link=https://example.org]x[/link] :boom: [bold",
    "escapes": ESCAPES + "\x1b]8;;https://example.org\x07x\x1b]8;;\x07\x07\x08\x7f",
    "lines": "a\nb\r\nc\u2028d\x85e\x0bf\tg",
    "nul": "a\0b",
    "markdown": "|`a` *b* _c_ ![i](https://example.org) [x](j:1) <img> @all #1 $x$ www.example.org\n# h\n||",
    "shell": '\'; touch hit; $(touch hit) `touch hit` "$HOME" && touch hit # \\',
    "options": "--adapter=os:system",
    "paths": "../../../hit",
    "digits": "9" * 5000,
}
# Cases that a page would make again if it trusted a ledger.
CASES: Final = {
    "too-large": "ordinary:0:99999999999x3x3:contiguous:float32",
    "too-many-products": "ordinary:0:1x1000x1000x1000:contiguous:float32",
    "deep": literal("[[1]," + "[" * 50_000),
    "one-long-number": literal(f"[[{'0,' * 4000}{'0' * 9000}]]"),
}
KEPT: Final = ("format", "profile", "ending")


def saying(thing: Any, texts: Iterator[str]) -> Any:
    """Return a copy with every text in it replaced by the next of these."""

    def replaced(part: Any) -> Any:
        return saying(part, texts)

    match thing:
        case str():
            return next(texts)
        case dict():
            return {replaced(key): replaced(value) for key, value in thing.items()}
        case Worst():
            return replace(thing, case=next(texts), regime=next(texts), admissible=next(texts))
        case tuple() | frozenset():
            return type(thing)(map(replaced, thing))
        case Ledger() | msgspec.Struct():
            change: Any = replace if isinstance(thing, msgspec.Struct) else dataclasses.replace
            names = [name for name in type(thing).__annotations__ if name not in KEPT]
            return change(thing, **{name: replaced(getattr(thing, name)) for name in names})
    return thing


def ledger_of(*texts: str) -> Ledger:
    """Make a ledger that says these in every text, with a line of each kind and a disagreement."""
    share = Worst(
        Number(3.0), "x", (2**50, 7), "x", got=Number("nan"), exact=(Number("inf"), Number("-inf")),
        z=(Number("nan"), Number(1e300)), admissible="x",
    )  # fmt: skip
    words = frozenset({"x"})
    wrong = summary(
        wrong_problems=1, wrong_elements=2, share=share, failures=words, unsupported=words, known={"x": 1}
    )
    environment = replace(ENVIRONMENT, variables={"x": "x"})
    full = dataclasses.replace(
        small(),
        header=header("torch", environment=environment),
        cells={cell(): wrong},
        faults=(Fault(who="x", what="x"),),
        acceptances=(Acceptance(when=header().created, why="x", changes=("x",)),),
    )
    found: Ledger = saying(full, itertools.cycle(texts))
    return found
