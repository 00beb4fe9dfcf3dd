"""The page of what is caught, from the figures of `power.py`; only its picture needs matplotlib."""

from __future__ import annotations

import json
import statistics
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from string import Template
from typing import Any, Final

from tests.planted_faults import FAMILIES, FAULTS, HEALTHY
from tests.planted_faults.fault import Fault

HERE: Final = Path(__file__).parent
DOCS: Final = HERE.parent / "docs"
FIGURES: Final = DOCS / "power" / "figures.json"
EFFORTS: Final = ("default", "nightly")
DETECTABLE: Final = tuple(fault for fault in FAULTS.values() if not fault.undetectable)
# What each tool can see: of the rest it could not say anything.
SEES: Final = {
    "numpy.testing.assert_allclose": "three outputs, against the formulas in float64",
    "chex.assert_trees_all_close": "the same",
    "torch.testing.assert_close": "the same",
    "torch.autograd.gradcheck": "the gradient against differences of the adapter's own loss, in float64",
    "torch.autograd.gradcheck, fast": "the same in one random direction",
    "jax.test_util.check_grads": "the same in a random direction, in float64 and float32",
}
UNMEASURED: Final[Mapping[str, Any]] = {"check": "", "problems": 0, "seconds": 0.0, "named": ()}
OUTPUTS: Final = {"y_hat": "ŷ", "loss": "L", "grad": "∂L/∂W"}
LONGEST: Final = 90  # characters of a name in the table of all faults


class Figures:
    """The figures of a run, by what is asked of them."""

    def __init__(self, found: Mapping[str, Any]) -> None:
        self.where = found["where"]
        self.suite = {effort: {one["name"]: one for one in found[effort]} for effort in EFFORTS}
        self.tools = {one["name"]: one["tools"] for one in found["peers"]}
        self.knee: Sequence[Mapping[str, Any]] = found["knee"]

    def of(self, fault: Fault, effort: str) -> Mapping[str, Any]:
        """What the suite says of an adapter; what default effort caught, nightly effort catches as well."""
        first: Mapping[str, Any] = self.suite["default"].get(fault.name, UNMEASURED)
        if effort == "default" or first["check"]:
            return first
        last: Mapping[str, Any] = self.suite["nightly"].get(fault.name, first)
        return last

    def measured(self, effort: str, faults: Sequence[Fault]) -> list[Fault]:
        """The adapters whose run at this effort is known; an effort may be measured for some only."""
        known = self.suite["default"]
        caught = {name for name, one in known.items() if one["check"]}
        names = known if effort == "default" else {*caught, *self.suite["nightly"]}
        return [fault for fault in faults if fault.name in names]

    def caught(self, effort: str, faults: Sequence[Fault] = DETECTABLE) -> list[Fault]:
        """The faults that the suite catches."""
        return [fault for fault in faults if self.of(fault, effort)["check"]]

    def by_tool(self, tool: str, effort: str, faults: Sequence[Fault] = DETECTABLE) -> list[Fault]:
        """The faults that a peer catches."""
        return [fault for fault in faults if self.tools[fault.name][tool][effort]]


def table(headings: Sequence[str], rows: Iterator[Sequence[str]]) -> str:
    """Rows under headings."""
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def share(part: int, whole: int) -> str:
    """A part of a whole, with its percentage."""
    return f"{part} of {whole} ({100 * part / whole:.1f} %)" if whole else "–"


def machine(figures: Figures) -> str:
    """Where and when it was measured."""
    where = figures.where
    packages = ", ".join(f"{name} {number}" for name, number in where["packages"].items())
    return table(["", ""], iter([
        ["when", where["when"]],
        ["processor", f"{where['processor']}, {where['cores']} cores for this process"],
        ["load before the start", f"{where['load']:.1f}"],
        ["system", where["system"]],
        ["versions", f"Python {where['python']}, {packages}"],
    ]))  # fmt: skip


def efforts(figures: Figures) -> str:
    """What the suite catches at each effort."""
    return table(
        ["the suite at", "caught", "named rightly", "healthy rejected", "undetectable rejected",
         "problems until caught", "seconds until caught"],
        (_effort(figures, effort) for effort in EFFORTS),
    )  # fmt: skip


def _effort(figures: Figures, effort: str) -> list[str]:
    caught = figures.caught(effort)
    found = [figures.of(fault, effort) for fault in caught]
    right = sum(one["is_right"] for one in found)
    healthy = figures.measured(effort, tuple(HEALTHY.values()))
    measured = len(figures.measured(effort, DETECTABLE))
    left = len(DETECTABLE) - measured
    hidden = figures.measured(effort, [fault for fault in FAULTS.values() if fault.undetectable])
    return [
        f"{effort} effort",
        share(len(caught), measured) + (f"; {left} not measured" if left else ""),
        share(right, len(caught)),
        f"{len(figures.caught(effort, healthy))} of {len(healthy)}",
        f"{len(figures.caught(effort, hidden))} of {len(hidden)}",
        *(_spread([one[what] for one in found]) for what in ("problems", "seconds")),
    ]


def _spread(numbers: Sequence[float]) -> str:
    """The median and the largest of some numbers."""
    if not numbers:
        return "–"
    return f"median {statistics.median(numbers):,.3g}, at most {max(numbers):,.0f}"


def families(figures: Figures) -> str:
    """A row for each family: the suite, and the best of the peers of each kind."""
    return table(
        ["family", "faults", "default", "nightly", "arrays compared, best", "gradients checked, best"],
        (_family(figures, family, meaning) for family, meaning in FAMILIES.items()),
    )


def _family(figures: Figures, family: str, meaning: str) -> list[str]:
    faults = [fault for fault in DETECTABLE if fault.family == family]
    kinds = ([tool for tool in SEES if ("check" in tool) is checks] for checks in (False, True))
    best = ({f.name for tool in tools for f in figures.by_tool(tool, "best", faults)} for tools in kinds)
    counts = (len(figures.caught(effort, faults)) for effort in EFFORTS)
    return [meaning, str(len(faults)), *map(str, counts), *(str(len(names)) for names in best)]


def tools(figures: Figures) -> str:
    """A row for each peer."""
    return table(
        ["tool", "what it sees", "default: caught", "healthy rejected", "best: caught", "healthy rejected"],
        (_tool(figures, tool, sees) for tool, sees in SEES.items()),
    )


def _tool(figures: Figures, tool: str, sees: str) -> list[str]:
    name, _, mode = tool.partition(", ")
    cells = [f"`{name}`{', ' * bool(mode)}{mode}", sees]
    for effort in ("default", "best"):
        cells.append(share(len(figures.by_tool(tool, effort)), len(DETECTABLE)))
        cells.append(f"{len(figures.by_tool(tool, effort, tuple(HEALTHY.values())))} of {len(HEALTHY)}")
    return cells


def missed(figures: Figures, effort: str) -> str:
    """The faults that an effort misses."""
    faults = [f for f in figures.measured(effort, DETECTABLE) if not figures.of(f, effort)["check"]]
    rows = ([f"`{f.name}`", f.what, f.check, FAMILIES[f.family]] for f in faults)
    return table(["fault", "what it does", "meant for it", "family"], rows) if faults else "None."


def misnamed(figures: Figures) -> str:
    """The faults that are caught with a message that names something else."""
    faults = [fault for fault in figures.caught("nightly") if not figures.of(fault, "nightly")["is_right"]]
    rows = ([f"`{f.name}`", f.what, _named(figures.of(f, "nightly"))] for f in faults)
    return table(["fault", "what it does", "what the message names"], rows) if faults else "None."


def _named(found: Mapping[str, Any]) -> str:
    text = "; ".join(found["named"]).replace("|", "\\|")
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} …"


def undetectable() -> str:
    """The faults that nothing detects, each with the reason."""
    rows = ([f"`{f.name}`", f.what, f.undetectable] for f in FAULTS.values() if f.undetectable)
    return table(["fault", "what it does", "why every result is admissible"], rows)


def references() -> str:
    """The faults that are models of public reports."""
    return table(["report", "fault"], (
        [f"[{link.removeprefix('https://github.com/')}]({link})", ", ".join(f"`{name}`" for name in names)]
        for link, names in _by_reference().items()
    ))  # fmt: skip


def _by_reference() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for fault in FAULTS.values():
        if fault.reference:
            found.setdefault(fault.reference, []).append(fault.name)
    return found


def knees(figures: Figures) -> str:
    """A row for each dtype, size and number of problems."""
    rows = Counter((k["dtype"], k["size"], k["problems"]) for k in figures.knee)
    return table(
        ["dtype", "size", "problems", *(f"{name}: median (95 %)" for name in OUTPUTS.values())],
        ([dtype, size, f"{count:,}", *(_knee(figures, dtype, size, count, output) for output in OUTPUTS)]
         for dtype, size, count in rows),
    )  # fmt: skip


def _knee(figures: Figures, *where: object) -> str:
    keys = ("dtype", "size", "problems", "output")
    one = next(k for k in figures.knee if tuple(k[key] for key in keys) == where)
    median, most = (f"{one[what]:.2g}".replace("inf", "–") for what in ("median", "share_95"))
    return f"{median} ({most})"


def everything(figures: Figures) -> str:
    """A row for each fault."""
    return table(
        ["fault", "what it does", "default: problems, seconds", "nightly", "peers at their best"],
        (_fault(figures, fault) for fault in FAULTS.values()),
    )


def _fault(figures: Figures, fault: Fault) -> list[str]:
    first, last = (figures.of(fault, effort) for effort in EFFORTS)
    default = f"{first['problems']:,}, {first['seconds']:.1f}" if first["check"] else "missed"
    nightly = "" if first["check"] else f"{last['problems']:,}" if last["check"] else "missed"
    if not figures.measured("nightly", [fault]):
        nightly = "not measured"
    if fault.undetectable:
        default = nightly = "undetectable" if not last["check"] else "rejected"
    count = sum(figures.tools[fault.name][tool]["best"] for tool in SEES)
    return [f"`{fault.name}`", fault.what, default, nightly, f"{count} of {len(SEES)}"]


def page(found: Mapping[str, Any]) -> str:
    """The page as Markdown."""
    figures = Figures(found)
    return Template((HERE / "power.md").read_text("utf-8")).substitute(
        machine=machine(figures),
        faults=len(FAULTS),
        detectable=len(DETECTABLE),
        healthy=len(HEALTHY),
        efforts=efforts(figures),
        families=families(figures),
        tools=tools(figures),
        missed=missed(figures, "default"),
        missed_nightly=missed(figures, "nightly"),
        misnamed=misnamed(figures),
        undetectable=undetectable(),
        references=references(),
        knees=knees(figures),
        everything=everything(figures),
    )


def draw(found: Mapping[str, Any], file: Path) -> None:
    """The knee of the gradient: a line for each dtype and size, against the number of problems."""
    import io

    import matplotlib as mpl
    import plots
    from matplotlib.figure import Figure as Canvas

    figures = Figures(found)
    with mpl.rc_context(plots.STYLE):
        canvas, text = Canvas(figsize=(8, 4), facecolor="white", layout="constrained"), io.StringIO()
        axes = canvas.subplots()
        sizes = list(dict.fromkeys(k["size"] for k in figures.knee))
        for colour, dtype in zip(
            plots.COLOURS, dict.fromkeys(k["dtype"] for k in figures.knee), strict=False
        ):
            for marker, size in zip("o^sd", sizes, strict=True):
                some = [
                    k for k in figures.knee if (k["dtype"], k["size"], k["output"]) == (dtype, size, "grad")
                ]
                points = [k["problems"] for k in some], [k["median"] for k in some]
                axes.plot(*points, color=colour, marker=marker, label=f"{dtype}, {size}")
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xlabel("problems")
        axes.set_ylabel("ε in ∂L/∂W·(1 + ε), median")
        canvas.legend(loc="outside right center")
        canvas.savefig(text, format="svg", metadata=plots.NO_METADATA)
    file.write_text(plots.UNSEEN.sub("", text.getvalue()), "utf-8")


def write(found: Mapping[str, Any]) -> None:
    """Write the figures, the picture and the page."""
    FIGURES.parent.mkdir(parents=True, exist_ok=True)
    FIGURES.write_text(json.dumps(found, ensure_ascii=False, indent=0) + "\n", "utf-8")
    draw(found, FIGURES.with_name("knee.svg"))
    (DOCS / "power.md").write_text(page(found), "utf-8")
    print(f"{DOCS / 'power.md'}")
