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
from collections.abc import Mapping, Sequence
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
# How many adapters share the making of the cases.
BATCH: Final = {"default": 6, "nightly": 11}
NEEDED: Final = {name for name, fault in FAULTS.items() if not fault.undetectable}
Key = tuple[str, str]


def kept() -> dict[Key, Any]:
    """The results so far, by part and name."""
    lines = RESULTS.read_text("utf-8").splitlines() if RESULTS.exists() else []
    return {(one["part"], one["name"]): one["result"] for one in map(json.loads, lines)}


def peers(names: Sequence[str]) -> list[Any]:
    """What the peers say of adapters; imported where it runs, as it needs torch, JAX and chex."""
    import power_peers

    return [power_peers.measure(name) for name in names]


def knees(places: Sequence[str]) -> list[Any]:
    """The knees of dtypes and sizes, each as ``dtype place``."""
    return [power_knee.measure(dtype, int(place)) for dtype, place in map(str.split, places)]


def work(part: str, names: Sequence[str]) -> list[Any]:
    """The results of a part for some names."""
    if part == "knee":
        return knees(names)
    return peers(names) if part == "peers" else power_suite.measure(names, part)


def names_of(part: str, known: Mapping[Key, Any]) -> list[str]:
    """All that a part measures."""
    if part == "knee":
        return [f"{dtype} {place}" for dtype in FORMATS for place in range(len(power_knee.SIZES))]
    names = [*FAULTS, *HEALTHY]
    # nightly effort is default effort and then the whole matrix: what is caught before needs no more
    return [name for name in names if part != "nightly" or not known.get(("default", name), {}).get("check")]


def run(part: str, workers: int) -> None:
    """Do the work of a part that is not done yet."""
    known = kept()
    if part == "nightly" and not all(("default", name) in known for name in (*FAULTS, *HEALTHY)):
        raise SystemExit("the part nightly needs the part default first")
    todo = [name for name in names_of(part, known) if (part, name) not in known]
    count = BATCH.get(part, 1)
    batches = [todo[start : start + count] for start in range(0, len(todo), count)]
    LEFT.mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor(workers) as pool, RESULTS.open("a", encoding="utf-8") as file:
        begun = {pool.submit(work, part, names): names for names in batches}
        for number, done in enumerate(as_completed(begun), 1):
            for name, result in zip(begun[done], done.result(), strict=True):
                line = {"part": part, "name": name, "result": result}
                print(json.dumps(line, ensure_ascii=False), file=file, flush=True)
            print(f"\r{part}: {number} of {len(begun)} ", end="", flush=True)
    print(f"\r{part}: complete  ")


def figures() -> dict[str, Any] | None:
    """All results in one dictionary; None if a part is incomplete."""
    known = kept()
    for part in PARTS:  # in their order, as nightly effort depends on default effort
        missing = [name for name in names_of(part, known) if (part, name) not in known]
        # the page says of how many adapters nightly effort was measured
        if missing and (part in ("peers", "knee") or (part == "default" and not NEEDED.isdisjoint(missing))):
            return None
    where = {**wiring.machine(PACKAGES), "when": datetime.now(UTC).date().isoformat()}
    found: dict[str, Any] = {
        part: [known[part, name] for name in names_of(part, known) if (part, name) in known] for part in PARTS
    }
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
