"""The rewards: what the presets of published code pay, and what "partial" pays to whom."""

import json
from fractions import Fraction
from itertools import product
from math import prod

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import verienv
from verienv.arithmetic.expression import parse_formula
from verienv.generalpoints import REWARDS, Failure, GeneralPointsRewards, Puzzle, verify
from verienv.generalpoints.closeness import blind_values, closeness
from verienv.generalpoints.published import published_faults
from verienv.generalpoints.strategies import puzzles

HAND = Puzzle(("4", "3", "2", "K"))
quick = settings(max_examples=200, deadline=None, derandomize=True, database=None)


def answer(formula: object, **fields: object) -> str:
    return json.dumps({"cards": ["4", "3", "2", "K"], "number": [4, 3, 2, 10], "formula": formula} | fields)


PAID = {
    "4*3+2+10": (5, 5),
    "4*3+2+10=24": (5, 5),
    "4+3+2+10": (-1, -1),
    "(4+3+2)/(10": (-1, -1),
    "2+10+(4*3": (1, 1),
    "(4*3)+(2+10": (1, 1),
    "(4*3+2+10": (-1, -1),  # of no form that the code's solver writes
    "4*3": (-2, -2),
    "4*3*2*10*5": (-2, -2),
    "4*3+2+5": (-4, -2),  # one number that is not there, and one card left out
    "4*3+2+10*4/4": (-2, -2),
    "4**3+2+10": (-3, -3),
    "4**3*/2+10": (-6, -3),
    "4*/-3+)2+5": (-16, -3),
    "4 + 3+2+10": (-3, -1),  # the paper's code takes a space for an illegal character
    "4*3+2+K": (-3, -3),
    "4x3+2+11": (-3, -3),
    "4+3+2+10=24": (-1, -1),
    "4*3+2+10=999": (-1, -1),
    "24=4*3+2+9": (-4, -2),
    "10/(4-4)+3+2": (-2, -2),
    "-4+3+2+10": (-3, -3),
    "": (-2, -2),
    "04+3+2+10": (-1, -1),
    "()4+3+2+10": (-6, -3),
}
"""What the paper's code and that of arXiv 2510.00237 were seen to pay, where they agree with us on what is right."""


@pytest.mark.parametrize("formula", PAID)
def test_the_presets_of_published_code_pay_what_it_pays(formula):
    paid = tuple(verify(answer(formula), HAND, rewards=name).reward for name in ("paper_code", "first_fault"))
    assert paid == PAID[formula]


@pytest.mark.parametrize("response", ["", "4+3+2+10", '{"formula": ["4", "3"]}', '{"formula": null}'])
def test_an_answer_without_a_formula_is_illegal_to_published_code(response):
    assert {verify(response, HAND, rewards=name).reward for name in ("paper_code", "first_fault")} == {-3.0}


@pytest.mark.parametrize("formula", ["4*3+2+10", "4*/-3+)2+5", None])
def test_a_misread_hand_is_flat_in_the_papers_code(formula):
    response = "" if formula is None else answer(formula, cards=["4", "3", "2", "Q"])
    assert verify(response, HAND, vision=True, rewards="paper_code").reward == -1.5


def test_a_misread_hand_has_no_price_of_its_own_in_first_fault():
    paid = [
        verify(answer(formula, cards=[]), HAND, vision=True, rewards="first_fault").reward
        for formula in ("4*3+2+10", "4+3+2+10", "4*3", "4**3")
    ]
    assert paid == [0, -1, -2, -3]


def test_a_solution_that_floats_miss_is_right_under_every_preset():
    for name, table in REWARDS.items():
        verdict = verify(answer("8/(3-8/3)"), Puzzle(("3", "3", "8", "8")), rewards=name)
        assert (verdict.is_correct, verdict.reward) == (True, table.correct)


@given(st.text(st.sampled_from("0123456789+-*/()= xK²٣"), max_size=60), st.booleans())
@quick
def test_any_text_has_a_fault_of_the_table(text, spaces):
    found = published_faults(text, HAND, spaces=spaces)
    assert found
    assert set(found) <= {"illegal", "wrong_numbers", "wrong_value", "prefix"}


def test_the_faults_of_a_long_text_are_found_in_one_pass():
    assert len(published_faults("4+" + "*" * 50_000, HAND, spaces=False)) == 50_001
    assert published_faults("9" * 50_000, HAND, spaces=False) == ["wrong_numbers"] * 2
    assert published_faults("(" * 50_000, HAND, spaces=False) == ["wrong_numbers"]


def test_a_table_that_says_nothing_of_the_optional_prices_is_written_as_before():
    plain = ["correct", "wrong_value", "wrong_numbers", "illegal", "unreadable", "misread_penalty"]
    assert list(GeneralPointsRewards().model_dump()) == plain
    assert list(REWARDS["paper_code"].model_dump()) == [*plain, "faults", "prefix"]
    for table in REWARDS.values():
        written = json.loads(json.dumps(table.model_dump(mode="json")))
        assert GeneralPointsRewards.of(written) == table
        assert GeneralPointsRewards.of({"faults": None, "prefix": None, "closeness": None, **written}) == table


def test_no_table_pays_a_wrong_answer_more_than_a_right_one():
    hand = Puzzle(("3", "5", "8", "J"), rule="rank")
    for prices in ({"base": "partial", "wrong_value": 0.9}, {"base": "paper_code", "wrong_numbers": 4}):
        correct = GeneralPointsRewards.of(prices).correct
        for formula in ("5*8-3-11", "3*(5+11-8", "3*8-5+12"):
            assert verify(answer(formula), hand, rewards=prices).reward <= correct
    with pytest.raises(ValueError, match=r"prefix=6\.0: a wrong answer would be paid more than a right one"):
        GeneralPointsRewards.of({"base": "first_fault", "prefix": 6})
    with pytest.raises(ValueError, match="faults"):
        GeneralPointsRewards.of({"base": "paper", "faults": "all"})


def partial(formula: object, puzzle: Puzzle = HAND, **rest: object) -> float:
    return verify(answer(formula), puzzle, rewards="partial", **rest).reward  # type: ignore[arg-type]


def test_partial_pays_by_closeness_and_a_right_answer_most():
    """On 3 5 8 11 the nearest blind values are 21 and 27, such as 3+5+8+11, so that 26 is a third of the way."""
    hand = Puzzle(("3", "5", "8", "J"), rule="rank")
    paid = [
        verify(answer(formula), hand, rewards="partial").reward
        for formula in ("3*(5+11-8)", "5*8-3-11", "3+5+8+11", "3*5*8*11", "3*8-5+11/11", "3*8")
    ]
    assert paid == pytest.approx([1, 0.5 / 3, 0, 0, 0, 0])


@given(puzzles(), st.integers(-50, 200), st.integers(1, 12))
@quick
def test_closeness_is_a_share_and_only_the_target_is_whole(puzzle, top, bottom):
    value = Fraction(top, bottom)
    assert 0 <= closeness(value, puzzle) <= 1
    assert (closeness(value, puzzle) == 1) == (value == puzzle.target)


@given(puzzles())
@quick
def test_the_blind_values_earn_nothing(puzzle):
    assert {closeness(made, puzzle) for made in blind_values(puzzle.values)} <= {0.0, 1.0}


def hands(count: int, **settings: object) -> list[Puzzle]:
    rows = verienv.rows("verienv/GeneralPoints-L-v0", n=count, seed=3, **settings)
    return [Puzzle(tuple(row["cards"]), row["rule"], row["target"]) for row in rows]


BLIND = ("{0}+{1}+{2}+{3}", "{0}*{1}*{2}*{3}", "({0}+{1})*({2}+{3})", "{0}*({1}+{2}+{3})", "{0}*{1}+{2}+{3}",
         "{0}+{1}+{2}-{3}", "{0}-{1}-{2}-{3}", "({0}+{1}+{2})/{3}", "({0}+{3})-({1}+{2})")  # fmt: skip


@pytest.mark.parametrize("shape", BLIND)
def test_a_formula_that_needs_no_look_at_the_numbers_earns_only_where_it_is_right(shape):
    for puzzle in hands(60):
        verdict = verify(answer(shape.format(*puzzle.values)), puzzle, rewards="partial")
        assert verdict.reward == verdict.is_correct


CONSTANT = ["", "24", '{"formula": "24"}', answer("1+2+3+4"), answer("4*3+2+10"), answer("(1+2+3)*4"), answer("6*4"),
            answer("5*5-5/5"), answer("K+Q+J+A"), answer(""), answer("24=24"), "I do not know.", "{" * 99]  # fmt: skip


@pytest.mark.parametrize("vision", [False, True])
def test_no_constant_answer_earns_from_partial_but_where_it_is_right(vision):
    for puzzle in hands(60):
        for response in CONSTANT:
            verdict = verify(response, puzzle, vision=vision, rewards="partial")
            assert verdict.reward == verdict.is_correct


def test_a_constant_formula_of_another_hand_earns_nothing_on_any_hand_but_its_own():
    dealt = hands(60)
    for other in dealt:
        response = answer("({}+{})*{}-{}".format(*other.values))
        for puzzle in dealt:
            if puzzle.numbers != other.numbers:
                assert verify(response, puzzle, rewards="partial").reward == 0


def test_an_echo_of_the_prompt_earns_nothing():
    for row in verienv.rows("verienv/GeneralPoints-L-v0", n=20, rewards="partial"):
        assert verienv.judge(row, row["prompt"][-1]["content"]).reward == 0


def test_every_failure_but_a_wrong_value_earns_nothing():
    paid = {
        verify(answer(formula), HAND, rewards="partial").failure: partial(formula)
        for formula in ("4*", "4*3", "4*3+2+10=7", "4/(3+2-10/2)", "(10*2+4)/(3-3)")
    } | {Failure.UNREADABLE: verify("", HAND, rewards="partial").reward}
    assert set(paid.values()) == {0.0}


def test_a_misread_hand_earns_nothing_from_partial():
    for formula in ("4*3+2+10", "4*3*2-10", "(4+3)*2+10", "10*2+4-3"):
        assert verify(answer(formula, cards=["A"]), HAND, vision=True, rewards="partial").reward <= 0


@pytest.mark.slow
def test_any_one_pattern_of_operators_for_all_hands_earns_little_from_closeness():
    """Under 0.03 a hand at best: what luck gives to a pattern that is none of the blind ones."""
    dealt = hands(200)
    shapes = ("{{}}{0}{{}}{1}{{}}{2}{{}}", "({{}}{0}{{}}){1}{{}}{2}{{}}", "{{}}{0}({{}}{1}{{}}){2}{{}}",
              "({{}}{0}{{}}){1}({{}}{2}{{}})", "({{}}{0}{{}}{1}{{}}){2}{{}}", "{{}}{0}({{}}{1}({{}}{2}{{}}))",
             )  # fmt: skip
    for shape in shapes:
        for operators in product("+-*/", repeat=3):
            pattern, earned = shape.format(*operators), 0.0
            for puzzle in dealt:
                value = parse_formula(pattern.format(*puzzle.values)).expression.fraction()
                if value and value[0] != puzzle.target * value[1]:
                    earned += REWARDS["partial"].closeness * closeness(Fraction(*value), puzzle)
            assert earned / len(dealt) < 0.03, pattern


def test_blind_values_hold_the_sum_and_the_product():
    assert {Fraction(19), Fraction(prod(HAND.values))} <= blind_values(HAND.values)
