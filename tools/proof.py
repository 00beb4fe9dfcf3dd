"""Prove the bounds of the document's own case by Gappa: ``python -m tools.proof``.

``tools/lemmas`` has a lemma in each file, in Gappa's language, for m = p = 1 and n = 3. The names of its
constants stand for what `reference.units` computes, so that a bound that changes is proved anew. A file may
state several propositions in braces; each is proved alone, with the definitions above the first one and the
rewritings below it, which Gappa checks. ``docs/accuracy.md``, "What is machine-checked", says what follows.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

from reference.arithmetic import Arithmetic, default_arithmetic
from reference.formats import FORMATS, Format
from reference.units import KAPPA_REFERENCE, MEAN_DELTA, MEAN_LOSS, U_REFERENCE, Units

LEMMAS: Final = Path(__file__).parent / "lemmas"
NAMES: Final = tuple(sorted(path.stem for path in LEMMAS.glob("*.g")))
DTYPES: Final = {"float32": "ieee_32", "float64": "ieee_64"}
# What an implementation may claim: the default, the least and a large κ, flush, and a rescaled mean.
CLAIMS: Final[dict[str, dict[str, Any]]] = {
    "default": {},
    "kappa=1": {"kappa": 1.0},
    "kappa=512": {"kappa": 512.0},
    "flush": {"flush": True},
    "rescaled": {"rescaled_mean": True},
}
HOW_TO_INSTALL: Final = "Gappa is not installed; on Debian and Ubuntu: apt-get install gappa"


def claims_of(format: Format, name: str) -> Arithmetic:
    """The claims of that name in `CLAIMS`, the others by default."""
    return Arithmetic(**{"kappa": default_arithmetic(format).kappa, **CLAIMS[name]})


def constants(format: Format, claims: Arithmetic) -> dict[str, Fraction]:
    """The numbers that the lemmas name, exactly as the code has them.

    V is the part of a radius that is enough: the rest is left for the rounding of the radius itself.
    """
    units, flush = Units.of(format, claims), claims.flush
    two = Fraction(2)
    underflow = two ** (format.e_min - format.precision)  # half the least subnormal number
    phi_reference = two**-1073
    found: dict[str, float | Fraction] = {
        "u": format.u,
        "half_u": format.u / 2,
        "U": U_REFERENCE,
        "wide_u": units.u,
        "nu_dot": units.nu_dot(3),
        "nu_loss": units.nu_loss(1),
        "nu_gradient": units.nu_gradient(1),
        "gamma": units.gamma,
        "kappa": claims.kappa * format.u,
        "kappa_u": units.kappa_u,
        "kappa_reference": KAPPA_REFERENCE * U_REFERENCE,
        "phi": units.phi,
        "h": units.h,
        "largest": format.largest,
        "second_binade": 2 * format.least_normal,
        "grids": two**format.precision - 1,
        "half": 0.5,
        "flush": float(flush),
        "mean_delta": (1 + Fraction(format.u)) ** (MEAN_DELTA if claims.rescaled_mean else 0) - 1,
        "mean_loss": (1 + Fraction(format.u)) ** (MEAN_LOSS if claims.rescaled_mean else 0) - 1,
        "lost": units.h if flush else 0.0,
        "n": units.h if flush else underflow,
        "n_of_r": 3 * units.h if flush else units.h,
        "underflow": underflow,
        "phi_reference": phi_reference,
        "N": two**-1075,
        "M": two**-1074,
        "move": 1 - two**-13,
        "V": 1 if flush else 1 - two**-16,
        "phi_own": Fraction(units.phi) / 2 if flush else Fraction(units.phi) * (1 - two**-13),
        "lost_below": Fraction(units.phi) - 2 * phi_reference if flush else Fraction(units.phi) / 2,
    }
    return {name: Fraction(value) for name, value in found.items()}


def words(format: Format) -> dict[str, str]:
    """What the lemmas call the format, the digits of its numbers and the exponent of the least one."""
    exponent = format.e_min - format.precision + 1
    return {
        "format": DTYPES[format.name],
        "precision": str(format.precision),
        "exponent": str(exponent),
    }


def literal(value: Fraction) -> str:
    """A multiple of a power of two as Gappa writes it: 3b-2 is ¾."""
    low = (value.numerator & -value.numerator).bit_length() - 1 if value else 0
    return f"{value.numerator >> low}b{low - value.denominator.bit_length() + 1}"


def scripts(name: str, format: Format, numbers: Mapping[str, Fraction]) -> Iterator[str]:
    """The propositions of a lemma, each as a text for Gappa with numbers in place of the constants."""
    meaning = words(format) | {each: literal(value) for each, value in numbers.items()}
    text = re.sub("#.*", "", (LEMMAS / f"{name}.g").read_text(encoding="utf-8"))
    text = re.sub(r"\b[A-Za-z_]\w*\b", lambda word: meaning.get(word[0], word[0]), text)
    definitions, *rest = re.split(r"^(\{.*?\}\n)", text, flags=re.DOTALL | re.MULTILINE)
    for proposition, rewritings in zip(rest[::2], rest[1::2], strict=True):
        yield definitions + proposition + rewritings


def complaint(script: str) -> str:
    """What Gappa says against a script; empty if it proves it.

    A warning counts: Gappa believes a rewriting that is no identity, and warns of it. Only the warning that a
    definition is not used in this proposition does not.
    """
    program = shutil.which("gappa")
    if program is None:
        raise SystemExit(HOW_TO_INSTALL)
    ended = subprocess.run([program], input=script, capture_output=True, text=True, check=False)  # noqa: S603
    said = "\n".join(line for line in ended.stderr.splitlines() if not line.endswith("yet it is unbound."))
    return said or (f"exit code {ended.returncode}" if ended.returncode else "")


def not_proved(name: str, format: Format, numbers: Mapping[str, Fraction]) -> list[str]:
    """What Gappa says against the propositions of a lemma that it does not prove."""
    return [said for script in scripts(name, format, numbers) if (said := complaint(script))]


def main() -> int:
    """Prove every lemma and print a line for each; 1 if one is not proved."""
    failed = False
    for name in NAMES:
        for dtype in DTYPES:
            for claims in CLAIMS:
                format = FORMATS[dtype]
                numbers = constants(format, claims_of(format, claims))
                found = not_proved(name, format, numbers)
                failed |= bool(found)
                count = sum(1 for _ in scripts(name, format, numbers))
                print(f"{name:<11}{dtype:<8}  {claims:<10}  {'; '.join(found) or f'{count} proved'}")  # noqa: T201
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
