"""Expressions: the grammar, exact values, printing. Round trips over every solving tree are in test_verifier_proof."""

from contextlib import suppress
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.arithmetic.postfix import value

from verienv.arithmetic.expression import Expression, IllegalFormula, fraction_text, parse_formula

items = st.recursive(
    st.integers(0, 999_999).map(lambda number: (number,)),
    lambda inner: st.one_of(
        st.tuples(inner, inner, st.sampled_from("+-*/")).map(lambda parts: (*parts[0], *parts[1], parts[2])),
        inner.map(lambda part: (*part, "neg")),
    ),
    max_leaves=16,
).filter(lambda postfix: postfix.count("neg") < 8)


@given(items)
@settings(max_examples=300, deadline=None, derandomize=True, database=None)
def test_values_are_exact(postfix):
    found = Expression(postfix).fraction()
    assert (None if found is None else Fraction(*found)) == value(postfix)


@given(items)
@settings(max_examples=300, deadline=None, derandomize=True, database=None)
def test_what_is_printed_reads_back_with_its_value_and_numbers(postfix):
    expression = Expression(postfix)
    for text in (expression.minimal(), expression.full()):
        again = parse_formula(text).expression
        assert again.numbers == expression.numbers
        if value(postfix) is not None:
            assert value(again.postfix) == value(postfix)


@given(items)
@settings(max_examples=200, deadline=None, derandomize=True, database=None)
def test_the_full_print_keeps_the_tree(postfix):
    assert parse_formula(Expression(postfix).full()).expression.postfix == postfix


@pytest.mark.parametrize(
    ("postfix", "text"),
    [
        ((1, 2, 3, "-", "-"), "1-(2-3)"),
        ((1, 2, 3, "+", "+"), "1+2+3"),
        ((1, 2, 3, "*", "+"), "1+2*3"),
        ((1, 2, "+", 3, "*"), "(1+2)*3"),
        ((8, 3, 8, 3, "/", "-", "/"), "8/(3-8/3)"),
        ((1, 2, 3, "/", "/"), "1/(2/3)"),
        ((1, "neg", 2, "*"), "-1*2"),
        ((1, 2, "neg", "*"), "1*(-2)"),
        ((1, 2, "+", "neg"), "-(1+2)"),
    ],
)
def test_the_minimal_print_has_no_needless_parenthesis(postfix, text):
    assert Expression(postfix).minimal() == text


@pytest.mark.parametrize(
    ("formula", "postfix", "claimed"),
    [
        ("4*3+2", (4, 3, "*", 2, "+"), None),
        ("4+3*2=10", (4, 3, 2, "*", "+"), 10),
        ("10=4-3-2", (4, 3, "-", 2, "-"), 10),
        ("-2*3", (2, "neg", 3, "*"), None),
        ("2--3", (2, 3, "neg", "-"), None),
        ("-(2+3)*4", (2, 3, "+", "neg", 4, "*"), None),
        ("8/4/2", (8, 4, "/", 2, "/"), None),
        ("4x(3)X2.", (4, 3, "*", 2, "*"), None),
        ("10x3", (10, 3, "*"), None),
        ("+4", (4,), None),
        ("5=5", (5,), 5),
        ("0", (0,), None),
    ],
)
def test_a_formula_reads_as_its_postfix_form_and_its_claim(formula, postfix, claimed):
    equation = parse_formula(formula)
    assert (equation.expression.postfix, equation.claimed) == (postfix, claimed)


@pytest.mark.parametrize(
    "formula",
    ["", " ", "()", "4 3", "4**3", "4++ +3", "--4", "(4", "4)", ")(", "4=3+1=4", "1+1=1+1", "=4", "4=", "01",
     "1000000", "0x4", "1.0", "4..",
     "(" * 65 + "4" + ")" * 65, "1" + "+1" * 16, "4\u00a0+3", "٣", "²", "4,3", "a", "x", "4x", "-", "4+",
     "4=(3+1", "4\x00"],
)  # fmt: skip
def test_everything_else_is_illegal(formula):
    with pytest.raises(IllegalFormula):
        parse_formula(formula)


def test_sixteen_integers_of_six_digits_are_the_most():
    assert len(parse_formula("999999" + "+999999" * 15 + "=999999").expression.numbers) == 16


def test_the_steps_derive_the_value():
    steps = list(parse_formula("8/(3-8/3)").expression.steps())
    assert steps == [("8", "/", "3", "8/3"), ("3", "-", "8/3", "1/3"), ("8", "/", "1/3", "24")]


@pytest.mark.parametrize(("fraction", "text"), [((6, 4), "3/2"), ((-6, 3), "-2"), ((0, 5), "0")])
def test_fractions_are_written_reduced(fraction, text):
    assert fraction_text(*fraction) == text


@given(st.text(st.characters(exclude_categories=())))
@settings(max_examples=300, deadline=None, derandomize=True, database=None)
def test_any_text_is_an_equation_or_illegal(text):
    with suppress(IllegalFormula):
        assert parse_formula(text).expression.numbers
