"""The characters and the TeX of a formula."""

import pytest

from verienv.arithmetic.tex import TexError, strip_tex


@pytest.mark.parametrize(
    ("formula", "plain"),
    [
        ("4×3÷2−1", "4*3/2-1"),
        ("４＋（３）", "4+(3)"),
        ("$4*3$", "4*3"),
        (r"\(4*3\)", "4*3"),
        (r"\boxed{4*3}", "4*3"),
        (r"\boxed {4*3} .", "4*3."),
        (r"4\times3\cdot 2\div1", "4 * 3 *  2 / 1"),
        (r"\frac{4}{3}", "((4)/(3))"),
        (r"\dfrac {4+1} {\tfrac{3}{2}}", "((4+1)/(((3)/(2))))"),
        (r"\left (4\right )", "(4)"),
    ],
)
def test_a_spelling_has_a_plain_text(formula, plain):
    assert strip_tex(formula) == plain


def test_unicode_is_not_normalised():
    assert strip_tex("4²⑩½") == "4²⑩½"


@pytest.mark.parametrize(
    "formula",
    [r"\frac{1)+(2}{3}", r"(\frac{1)}{2}", r"\frac{(1}{2)}", r"\frac{1}", r"\frac12", r"\frac{1}{2", r"\frac{1}2",
     "{4}", "4}", r"\boxed{4",
     r"\left[4\right]", r"\left 4", r"\right", r"\sqrt{4}", r"\timesx", "\\", r"\\", r"\(4\)+\(3\)",
     r"\boxed{4}+{3}", "4" * 4097,
     r"\frac{" * 700, r"\Frac{1}{2}", r"\frac{1}}{2}"],
)  # fmt: skip
def test_other_tex_is_refused(formula):
    with pytest.raises(TexError):
        strip_tex(formula)


def test_only_one_wrapper_and_one_full_stop_are_taken_off():
    assert strip_tex("$$4$$") == "$4$"
    assert strip_tex("$4.$.") == "4.."
