"""What is caught: the planted faults before the suite and its peers, the knee, and the page that they make.

    python benchmarks/power.py [--part default|nightly|peers|knee ...] [--workers N] [--fresh] [--page]

Each result goes to .crosscheck/power/results.jsonl once it is there, so that a run that was interrupted goes
on where it was. The page docs/power.md, its figures and its picture are written when all parts are complete.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from adapters import compilation, threads
from adapters.process_options import cores

# before NumPy, torch or JAX read it, here and in the workers: one thread each
os.environ.update({**threads.environment(1), **compilation.settings(compilation.kept())})

import power_knee
import power_page
import power_suite
import wiring

from reference.formats import FORMATS
from tests.planted_faults import FAULTS, HEALTHY

ROOT: Final = Path(__file__).parent.parent
LEFT: Final = ROOT / ".crosscheck" / "power"
RESULTS: Final = LEFT / "results.jsonl"
PACKAGES: Final = ("numpy", "scipy", "torch", "jax", "chex")
PARTS: Final = ("default", "nightly", "peers", "knee")
Key = tuple[str, str]


def kept() -> dict[Key, Any]:
    """The results so far, by part and name."""
    lines = RESULTS.read_text("utf-8").splitlines() if RESULTS.exists() else []
    return {(one["part"], one["name"]): one["result"] for one in map(json.loads, lines)}


def peers(name: str) -> Any:
    """What the peers say of an adapter; imported where it runs, as it needs torch, JAX and chex."""
    import power_peers

    return power_peers.measure(name)


def tasks(part: str, known: Mapping[Key, Any]) -> Iterator[tuple[str, Callable[..., Any], tuple[Any, ...]]]:
    """The work of a part: a name, a function and its arguments."""
    names = [*FAULTS, *HEALTHY]
    if part == "knee":
        for dtype in FORMATS:
            for place in range(len(power_knee.SIZES)):
                yield f"{dtype} {place}", power_knee.measure, (dtype, place)
    elif part == "peers":
        yield from ((name, peers, (name,)) for name in names)
    else:
        # nightly effort is default effort and then the whole matrix: what is caught before needs no more
        caught = {name for name in names if part == "nightly" and known[("default", name)]["check"]}
        for name in (name for name in names if name not in caught):
            yield name, power_suite.measure, (name, part)


def run(part: str, workers: int) -> None:
    """Do the work of a part that is not done yet."""
    known = kept()
    if part == "nightly" and len([1 for done, _ in known if done == "default"]) < len(FAULTS) + len(HEALTHY):
        raise SystemExit("the part nightly needs the part default first")
    todo = [task for task in tasks(part, known) if (part, task[0]) not in known]
    LEFT.mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor(workers) as pool, RESULTS.open("a", encoding="utf-8") as file:
        begun = {pool.submit(function, *given): name for name, function, given in todo}
        for number, done in enumerate(as_completed(begun), 1):
            line = {"part": part, "name": begun[done], "result": done.result()}
            print(json.dumps(line, ensure_ascii=False), file=file, flush=True)
            print(f"\r{part}: {number} of {len(begun)} ", end="", flush=True)
    print(f"\r{part}: complete  ")


def figures() -> dict[str, Any] | None:
    """All results in one dictionary; None if a part is incomplete."""
    known = kept()
    if any(task[0] for part in PARTS[:1] for task in tasks(part, known) if (part, task[0]) not in known):
        return None
    if any((part, task[0]) not in known for part in PARTS for task in tasks(part, known)):
        return None
    where = {**wiring.machine(PACKAGES), "when": datetime.now(UTC).date().isoformat()}
    found: dict[str, Any] = {part: [known[part, name] for name, *_ in tasks(part, known)] for part in PARTS}
    return {"where": where, **found, "knee": [knee for some in found["knee"] for knee in some]}


def main() -> int:
    """Measure what is missing, and write the page."""
    parser = argparse.ArgumentParser(description="Measure what is caught, and write docs/power.md.")
    parser.add_argument("--part", action="append", choices=PARTS, help="measure only this part; repeatable")
    parser.add_argument("--workers", type=int, default=min(cores(), 4), help="how many processes measure")
    parser.add_argument("--fresh", action="store_true", help="forget the results of an earlier run")
    parser.add_argument("--page", action="store_true", help="measure nothing, and write the page again")
    options = parser.parse_args()
    if options.page:
        power_page.write(json.loads(power_page.FIGURES.read_text("utf-8")))
        return 0
    if options.fresh:
        RESULTS.unlink(missing_ok=True)
    for part in options.part or PARTS:
        run(part, options.workers)
    found = figures()
    if found is None:
        print("the page needs every part: the other parts are still to be measured")
    else:
        power_page.write(found)
    return 0


if __name__ == "__main__":
    sys.exit(main())
