"""Final answers: how people write them, what is in doubt, and what hostile text gets."""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from verienv import answers
from verienv.answers import LONGEST, Answer, read_number
from verienv.testing.stopwatch import Stopwatch

quick = settings(max_examples=200, deadline=None, derandomize=True, database=None)
HALF = Fraction(1, 2)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("42", 42),
        ("-7", -7), ("+7", 7), ("−7", -7), ("- 7", -7), ("007", 7), (" 42. ", 42), ("42.0", 42), ("42.", 42),
        ("1,000", 1000), ("1 000", 1000), ("1\u202f000\u202f000", 10**6), ("1{,}000", 1000), (r"1\,000", 1000),
        ("1,000,000.5", Fraction(2000001, 2)), ("0.5", HALF), (".5", HALF), ("1/2", HALF), ("-1/2", -HALF),
        ("2 / 4", HALF),
        ("1 1/2", Fraction(3, 2)), ("-1 1/2", Fraction(-3, 2)), (r"1\frac{1}{2}", Fraction(3, 2)), ("50 %", HALF),
        ("50%", HALF), (r"50\%", HALF), (r"\frac12", HALF), (r"\frac{1}{2}", HALF), (r"\dfrac{10}{20}", HALF),
        (r"-\tfrac{1}{2}", -HALF), (r"$\frac12$", HALF), (r"\(0.5\)", HALF), (r"\boxed{42}", 42),
        (r"$\boxed{\frac{1}{2}}$.", HALF), (r"\[\frac12\]", HALF), ("$$\n42\n$$", 42),
        (r"1\frac{234}{468}", Fraction(3, 2)),
        (r"\text{42}", 42), ("**42**", 42), ("3.2e5", 320000), ("3.2E-1", Fraction(8, 25)),
        (r"3.2 \times 10^5", 320000),
        (r"3.2 \cdot 10^{5}", 320000), ("3.2 × 10^-1", Fraction(8, 25)), ("10^3", 1000), (3, 3), (0.1, Fraction(1, 10)),
    ],
)  # fmt: skip
def test_a_number_is_read_as_people_write_it(text, value):
    assert read_number(text) == value


@pytest.mark.parametrize(
    "text",
    ["", " ", "1,5", "0,500", "1.000,5", "1,00", "1000,000", "12 34", "2 100/3", "1 3/2", "1/0", "--5",
     "1 234/567", r"\frac123", r"\frac{1}{2}3", r"\frac{1}{2} 3", "1\n000", "1\t200", "1\r\n1/2",
     "1e100", "1e9999",
     "10^(10^9)", "10^1000000000", "9**9", "nan", "inf", "-Infinity", "NaN", "½", "٣", "²", "0x10", "1_000", "five",
     "__import__('os')", "1 or 2", "1;2", "1=1", "5 km", r"\frac{1}{0}", "1" * 5000, None, True, [1], {"a": 1},
     float("nan"), float("inf"), "\ud800", "1\x00"],
)  # fmt: skip
def test_what_is_in_doubt_or_no_number_is_none(text):
    assert read_number(text) is None


def test_an_integer_of_many_digits_is_none_and_not_written_out():
    assert read_number(10**5000) is None
    assert read_number(Fraction(10**5000, 3)) is None


def test_a_point_is_the_decimal_mark_and_a_comma_parts_thousands():
    assert read_number("1.000") == 1
    assert read_number("1,000") == 1000


def test_a_number_is_compared_exactly_and_not_as_a_float():
    assert Answer("1/3").judge("2/6").is_correct
    assert not Answer("1/3").judge("0.3333333333333333333333").is_correct
    assert not Answer(1).judge("1.00000000000000000000000000001").is_correct
    assert Answer(0.1).judge("1/10").is_correct


def test_a_tolerance_is_stated_and_its_edge_is_within():
    assert Answer("10", tolerance="0.5").judge("10.5").is_correct
    assert not Answer("10", tolerance="0.5").judge("10.500001").is_correct
    assert Answer("200", relative_tolerance="1%").judge("202").is_correct
    assert not Answer("200", relative_tolerance="1%").judge("202.1").is_correct
    assert Answer("0", relative_tolerance=1, tolerance=0.1).judge("0.1").is_correct


def test_each_of_several_answers_is_right():
    answer = Answer(("2", "-2"))
    assert [answer.judge(text).is_correct for text in ("2", "-2", "0", "2, -2", "2 or -2")] == [1, 1, 0, 0, 0]


def test_a_unit_may_stand_or_be_left_out_and_another_is_wrong():
    answer = Answer("5", units=("km", "kilometres"))
    right = ["5", "5 km", "5km", "5 kilometres.", r"5\text{ km}", r"\boxed{5 \mathrm{km}}", "5.0 km"]
    assert all(answer.judge(text).is_correct for text in right)
    assert not any(answer.judge(text).is_correct for text in ("5 m", "5 KM", "km", "5 km km", "5 %", "6 km", "5 miles"))
    assert Answer("5", units=("$",)).judge("$5").is_correct
    assert Answer("50", units=("%",)).judge("50 %").is_correct
    assert not Answer("50").judge("50 %").is_correct


def test_a_choice_is_read_by_letter_or_text():
    answer = Answer("B", kind="choice", choices=("Rome", "Paris", "Oslo"))
    right = ["B", "b", "(B)", "b)", "B.", "[b]", "B:", r"\boxed{B}", r"\text{(B)}", "Paris", "(B) Paris", "b. paris."]
    assert all(answer.judge(text).is_correct for text in right)
    wrong = ["A", "(C)", "D", "B Rome", "A or B", "AB", "ABC", "", "(A) Paris", "Rome", "B Paris Rome"]
    assert not any(answer.judge(text).is_correct for text in wrong)


def test_a_letter_that_is_another_choices_text_is_in_doubt():
    answer = Answer("A", kind="choice", choices=("B", "A", "C"))
    assert [answer.judge(text).is_correct for text in ("A", "B", "(A)", "(B)", "A) B", "C")] == [0, 0, 1, 0, 1, 0]
    assert not Answer("A", kind="choice", choices=("x", "X.", "y")).judge("x").is_correct


@pytest.mark.parametrize("fault", [{"units": "kg"}, {"units": (5,)}, {"choices": "abc"}, {"choices": (5,)}])
def test_units_and_choices_are_tuples_of_texts(fault):
    with pytest.raises(ValueError, match="tuple of texts"):
        Answer("1", **fault)


def test_a_text_is_compared_without_case_space_stop_and_article():
    answer = Answer(("The Red Fox", "vulpes"), kind="text")
    assert all(answer.judge(text).is_correct for text in ("red fox", " A  red\nFOX. ", "Vulpes", r"\text{the red fox}"))
    assert not any(answer.judge(text).is_correct for text in ("fox", "red foxes", "", "the", "red fox or vulpes", None))


def test_closeness_is_whole_for_right_answers_alone_and_none_out_of_reach():
    answer = Answer("10", tolerance="0.5")
    assert [answer.closeness(text, 4) for text in ("10", "10.5", "12", "14", "100", "ten", "nan")] == [
        1,
        1,
        0.5,
        0,
        0,
        0,
        0,
    ]
    assert answer.closeness("10.5" + "0" * 60 + "1", 10**90) < 1


def test_no_constant_answer_earns_from_closeness_within_a_reach_below_the_gaps_between_truths():
    truths = [Answer(str(value)) for value in range(0, 700, 7)]
    for constant in ("0", "7", "350", "", "nan", "1e99", "B"):
        earned = sum(truth.closeness(constant, 7) for truth in truths)
        assert earned == sum(truth.judge(constant).is_correct for truth in truths)


@pytest.mark.parametrize(
    "given",
    [{"accepted": "ten"}, {"accepted": ()}, {"accepted": "nan"}, {"accepted": 1, "tolerance": -1},
     {"accepted": 1, "relative_tolerance": "much"}, {"accepted": 1, "kind": "formula"}, {"accepted": float("inf")},
     {"accepted": "BB", "kind": "choice"}, {"accepted": "", "kind": "text"}],
)  # fmt: skip
def test_an_answer_that_cannot_be_judged_is_refused_when_it_is_made(given):
    with pytest.raises(ValueError, match="expected"):
        Answer(**given)


ANSWERS = [Answer("1/2", tolerance="0.01", units=("kg", "%")), Answer("B", kind="choice", choices=("x", "y")),
           Answer("a text", kind="text")]  # fmt: skip
odd = st.one_of(
    st.text(max_size=300),
    st.text(st.sampled_from("0123456789.,/-+eE^*%$\\{} ()"), max_size=80),
    st.lists(st.sampled_from(["\\boxed{", "\\frac", "{1}", "}", "$", "\\text{", "1", " ", "10^", "B", ")"])).map(
        "".join
    ),
    st.none() | st.booleans() | st.integers() | st.floats() | st.lists(st.integers(), max_size=3) | st.binary(),
)


@given(odd)
@quick
def test_any_answer_of_any_type_is_judged_and_none_raises(given):
    for answer in ANSWERS:
        judged = answer.judge(given)
        assert judged == answer.judge(given)
        assert judged.is_correct or 0 <= answer.closeness(given, 3) < 1
        assert judged.read is not None or not judged.is_correct
    found = read_number(given)
    assert found is None or abs(found) < 10 ** (LONGEST + answers.LARGEST_EXPONENT)


@given(st.fractions(max_denominator=10**6))
@quick
def test_every_fraction_is_read_back(value):
    for text in (str(value), f"$\\frac{{{abs(value.numerator)}}}{{{value.denominator}}}$"):
        assert read_number(text) == (value if text[0] != "$" else abs(value))


@pytest.mark.parametrize("unit", ["9", "(", "\\frac", "1 ", "1,", "\\boxed{", "$", "\\text{", "{", "10^", ".", " "])
def test_hostile_text_costs_no_more_the_longer_it_is(unit):
    for text in (unit * 200_000, (unit * LONGEST)[:LONGEST]):
        watch = Stopwatch()
        assert not any(answer.judge(text).is_correct for answer in ANSWERS)
        assert watch.cpu < 0.5
