"""A literal case: its numbers are written exactly, read exactly or rounded once, or refused in one line."""

from __future__ import annotations

import re
from decimal import Decimal, localcontext
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crosscheck.inputs import CaseError, Literal, parse
from reference.formats import FORMATS
from reference.layouts import LAYOUTS


@pytest.mark.parametrize("dtype", FORMATS)
def test_the_text_of_a_literal_reads_back_to_the_same_bits(dtype: str) -> None:
    format = FORMATS[dtype]
    width = 8 * format.dtype.itemsize
    patterns = st.lists(st.integers(0, 2**width - 1), min_size=11, max_size=11)

    @given(patterns, st.sampled_from(LAYOUTS))
    def reads_back(drawn: list[int], layout: str) -> None:
        numbers = np.array(drawn, dtype=f"u{width // 8}").view(format.dtype)
        with np.errstate(invalid="ignore"):  # of signalling NaNs
            numbers[np.isnan(numbers)] = np.nan  # its payload is not kept
        X, y, W = numbers[:3].reshape(1, 1, 3), numbers[3:5].reshape(1, 1, 2), numbers[5:].reshape(1, 3, 2)
        want = Literal(dtype, X, y, W, layout)
        got = parse(want.text)
        assert got == want
        assert [a.tobytes() for a in got.problem()] == [a.tobytes() for a in want.problem()]

    reads_back()


@pytest.mark.parametrize(
    ("layout", "text"),
    [
        ("contiguous", "float32:X=[[0x1p-127]]:y=[[0x0p+0]]:W=[[0x1p+127]]"),
        ("strided", "bfloat16:X=[[[inf,-0x0p+0]]]:y=[[[nan]]]:W=[[[-inf],[0x1.8p-3]]]:layout=strided"),
    ],
)
def test_a_literal_is_written_in_short_hexadecimal_floats_with_its_layout(layout: str, text: str) -> None:
    assert (parse(text).text, parse(text).layout) == (text, layout)


def test_a_number_may_be_a_hexadecimal_float_or_an_exact_decimal() -> None:
    assert parse("float32:X=[[0x1p-127]]:y=[[0]]:W=[[0]]").problem().X.item() == 2.0**-127
    assert parse("float16:X=[[0.5, -3]]:y=[[1]]:W=[[2],[1e2]]").problem().W.tolist() == [[2.0], [100.0]]


def test_a_decimal_is_rounded_to_the_nearest_number_and_that_is_reported() -> None:
    case = parse("float32:X=[[0.1,0.5,-inf]]:y=[[nan]]:W=[[1e-3],[7],[1e-400]]")
    assert isinstance(case, Literal)
    assert (
        case.text
        == "float32:X=[[0x1.99999ap-4,0x1p-1,-inf]]:y=[[nan]]:W=[[0x1.0624dep-10],[0x1.cp+2],[0x0p+0]]"
    )
    assert case.taken == "X[0, 0]: 0.1 was taken as 0x1.99999ap-4, the nearest float32; 2 more likewise"
    again = parse(case.text)
    assert isinstance(again, Literal)
    assert (again, again.taken) == (case, "")


@pytest.mark.parametrize("dtype", FORMATS)
def test_a_decimal_beside_a_tie_is_rounded_once(dtype: str) -> None:
    """It is nearer to one side than any float64 can say."""
    format = FORMATS[dtype]
    with localcontext(prec=99):
        exact = 1 + Decimal(format.u)  # between 1 and the number after it
    after = 1 + 2 * format.u
    for text, want in ((f"{exact}", 1.0), (f"{exact}{'0' * 60}1", after), (f"-{exact}{'0' * 60}1", -after)):
        assert parse(f"{dtype}:X=[[{text}]]:y=[[0]]:W=[[0]]").problem().X.item() == want


@pytest.mark.parametrize("dtype", FORMATS)
@given(value=st.fractions(-(10**6), 10**6))
def test_every_decimal_is_rounded_to_a_nearest_number(dtype: str, value: Fraction) -> None:
    text = f"{Decimal(value.numerator) / Decimal(value.denominator):.30f}"
    if abs(float(text)) > FORMATS[dtype].largest:
        return
    got = parse(f"{dtype}:X=[[{text}]]:y=[[0]]:W=[[0]]").problem().X
    neighbours = (np.nextafter(got, FORMATS[dtype].dtype.type(side)).item() for side in (-np.inf, np.inf))
    off = abs(Fraction(text) - Fraction(got.astype(np.float64).item()))
    assert all(off <= abs(Fraction(text) - Fraction(float(near))) for near in neighbours if np.isfinite(near))


@pytest.mark.parametrize(
    ("dtype", "number", "says"),
    [
        ("float64", "1e400", "X[0, 0] is 1e400, beyond the largest float64, 0x1.fffffffffffffp+1023 (1.79"),
        ("float32", "-1e39", "X[0, 0] is -1e39, beyond the largest float32, 0x1.fffffep+127 (3.40"),
        ("float16", "65520", "beyond the largest float16, 0x1.ffcp+15 (6.55e+04); write inf for infinity"),
        (
            "float32",
            "0x1.0000001p+0",
            "X[0, 0] is 0x1.0000001p+0, which is no float32; the nearest is 0x1p+0",
        ),
        ("float32", "0.1.2", "X holds '0.1.2', which is no number; use hexadecimal floats"),
    ],
)
def test_a_number_that_the_format_cannot_have_is_an_error(dtype: str, number: str, says: str) -> None:
    with pytest.raises(CaseError, match=re.escape(says)):
        parse(f"{dtype}:X=[[{number}]]:y=[[0]]:W=[[0]]")


def test_the_largest_number_is_what_is_nearest_up_to_half_an_ulp_above_it() -> None:
    assert parse("float16:X=[[65519.99]]:y=[[0]]:W=[[0]]").problem().X.item() == 65504.0


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("flaot32:X=[[1]]:y=[[1]]:W=[[1]]", "bfloat16; did you mean 'float32'?"),
        ("float32:X=[[1]]:y=[[1]]", "a literal case is"),
        ("float32:X=[[1]]:Y=[[1]]:W=[[1]]", "a literal case is"),
        ("float32:X=[[1]:y=[[1]]:W=[[1]]", "X is not a rectangular nested list"),
        ("float32:X=[[1,2],[3]]:y=[[1]]:W=[[1]]", "X is not a rectangular nested list"),
        ("float32:X=[[]]:y=[[1]]:W=[[1]]", "X has shape (1, 0)"),
        ("float32:X=1:y=[[1]]:W=[[1]]", "X has shape ()"),
        ("float32:X=[[one]]:y=[[1]]:W=[[1]]", "X holds 'one', which is no number"),
        ('float32:X=[["]]:y=[[1]]:W=[[1]]', "which is no number"),
        ("float16:X=[[1e9]]:y=[[1]]:W=[[1]]", "beyond the largest float16"),
        ("float32:X=[[0x1p99999]]:y=[[1]]:W=[[1]]", "which is no number"),
        ("float32:X=[[1,2]]:y=[[1]]:W=[[1]]", "do not fit"),
        ("float32:X=[[[1]]]:y=[[1]]:W=[[1]]", "do not fit"),
        ("float32:X=[[1]]:y=[[1]]:W=[[1]]:layout=up", "unknown layout 'up'"),
        (f"float32:X={'[' * 9999}1{']' * 9999}:y=[[1]]:W=[[1]]", "nested deeper"),
    ],
)
def test_an_unusable_literal_is_one_clear_line(text: str, says: str) -> None:
    with pytest.raises(CaseError) as caught:
        parse(text)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_literal_of_another_dtype_is_refused() -> None:
    one = np.ones((1, 1))
    with pytest.raises(CaseError, match="y has dtype float32"):
        Literal("float64", one, one.astype(np.float32), one)
