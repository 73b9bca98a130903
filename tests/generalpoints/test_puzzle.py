"""Puzzles, their ids, and the keys of their side."""

import copy
import pickle
from collections.abc import Iterable
from itertools import count
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from verienv.arithmetic.solver import solutions
from verienv.generalpoints.cards import RANKS
from verienv.generalpoints.env import GeneralPointsEnv
from verienv.generalpoints.puzzle import Puzzle, read_instance, side_keys
from verienv.generalpoints.question import GeneralPointsQuestion
from verienv.generalpoints.rules import PRESETS


def test_a_puzzle_knows_its_ranks_values_and_id() -> None:
    puzzle = Puzzle(cards=("4", "3S", "2", "KH"), rule="ten", target=24)
    assert puzzle.ranks == ("4", "3", "2", "K")
    assert puzzle.values == (4, 3, 2, 10)
    assert puzzle.numbers == (2, 3, 4, 10)
    assert puzzle.id == "generalpoints:4-3-2-K:24"


def test_cards_may_be_any_iterable_of_symbols() -> None:
    assert Puzzle(["A", "2", "3"]) == Puzzle(("A", "2", "3")) == Puzzle(iter("A23"))  # type: ignore[arg-type]


def test_the_id_is_the_same_in_every_rule_and_look() -> None:
    assert Puzzle(("4", "3", "2", "K"), "rank").id == Puzzle(("4C", "3C", "2D", "KH"), "five").id


def test_the_stated_rule_is_the_scored_rule_unless_given() -> None:
    assert Puzzle(("J", "Q", "K", "A"), "rank").stated_values == (11, 12, 13, 1)
    assert Puzzle(("J", "Q", "K", "A"), "rank", stated_rule="ten").stated_values == (10, 10, 10, 1)
    assert Puzzle(("J", "Q", "K", "A"), "rank", stated_rule="ten").values == (11, 12, 13, 1)


def test_problems_that_differ_by_order_or_by_a_face_of_the_same_number_are_one() -> None:
    assert Puzzle(("A", "4", "6", "J")).problem == Puzzle(("10", "6", "4", "A")).problem
    assert Puzzle(("A", "4", "6", "J"), "rank").problem != Puzzle(("A", "4", "6", "J")).problem


def test_puzzles_are_values() -> None:
    puzzle = Puzzle(("4", "3", "2", "K"), {"J": 5, "Q": 6, "K": 7}, 36, "ten")
    assert pickle.loads(pickle.dumps(puzzle)) == puzzle  # noqa: S301 - our own bytes
    assert copy.deepcopy(puzzle) == puzzle
    assert len({puzzle, Puzzle(("4", "3", "2", "K"), {"J": 5, "Q": 6, "K": 7}, 36, "ten")}) == 1
    assert puzzle != Puzzle(("4", "3", "2", "K"), {"J": 5, "Q": 6, "K": 7}, 36)
    with pytest.raises(AttributeError):
        puzzle.target = 24  # type: ignore[misc]


@pytest.mark.parametrize(
    "cards", ["4 3 2 K", "4321", ("4",), ("4",) * 7, None, 7, ("4", "3", "2", "1"), ("4", "3", "2", 10),
              ("4", "3", "2", ["K"]), ("4", "3", "2", "k"), ("4", "3", "2", "KX"), ("4", "3", "2", "")],
)  # fmt: skip
def test_wrong_cards_are_told_what_is_accepted(cards: Any) -> None:
    with pytest.raises(ValueError, match=r"expected (2 to 6 cards|a rank)") as caught:
        Puzzle(cards)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("target", [0, -24, 24.0, "24", True, None, 1_000_000])
def test_a_wrong_target_is_told_the_range(target: Any) -> None:
    with pytest.raises(ValueError, match=r"target=.*: expected an integer from 1 to 999999"):
        Puzzle(("4", "3", "2", "K"), target=target)


def test_an_instance_id_is_read_back() -> None:
    assert read_instance("generalpoints:10-4-J-Q-A:36") == Puzzle(("10", "4", "J", "Q", "A"), target=36)


@pytest.mark.parametrize(
    "instance",
    [
        "virl:nyc:17", "generalpoints", "generalpoints:A-4-J-Q", "generalpoints:A-4-J-Q:24:1", "generalpoints:A-4-J-Q:",
        "generalpoints:A-4-J-Q:-24", "generalpoints:A-4-J-Q:24.0", "generalpoints:A-4-J-Q:\u0662", "generalpoints::24",
        "generalpoints:A-4-J-X:24", "generalpoints:A:24", "generalpoints:A-4-J-Q:0", "", None, 24, ["A"],
        "generalpoints:A-4-J-Q:" + "9" * 5000, "generalpoints:AS-4-J-Q:24", "generalpoints:A-4-J-Q:024",
    ],
)  # fmt: skip
def test_what_is_no_instance_of_this_task_is_refused_in_one_line(instance: Any) -> None:
    with pytest.raises(ValueError, match=r"instance=|cards=|card |target=") as caught:
        read_instance(instance)
    assert len(str(caught.value)) < 300


def keys(ranks: Iterable[str], rule: str) -> tuple[str, str]:
    puzzle = Puzzle(tuple(ranks), rule)
    return side_keys(puzzle.ranks, puzzle.values)


def test_hands_that_are_one_problem_under_some_rule_share_the_key_of_ranks() -> None:
    assert keys("A46J", "ten") == keys(("A", "4", "6", "10"), "ten") == keys("A46Q", "ten")


def test_values_above_ten_count_as_ten_in_both_keys() -> None:
    assert keys("A46K", "rank") == ("1,4,6,10", "1,4,6,10")


def test_the_key_of_values_follows_the_rule() -> None:
    assert keys("A46K", "five") == ("1,4,6,10", "1,4,5,6")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"cards": count()}, r"cards=count\(.*\): expected 2 to 6 cards"),
        ({"cards": ["4", "3", "2", ["K"]]}, r"card \['K'\]: expected a rank"),
        ({"cards": ["4", "3", "2", "K" * 10**6]}, r"card 'K+\.\.\.K+': expected a rank"),
        ({"cards": ["4", "3", "2", float("nan")]}, "card nan: expected a rank"),
        ({"cards": 24}, "cards=24: expected 2 to 6 cards"),
        ({"target": float("nan")}, "target=nan: expected an integer"),
        ({"target": 24.0}, "target=24.0: expected an integer"),
        ({"target": True}, "target=True: expected an integer"),
        ({"target": 10**5000}, "target=<int>: expected an integer"),
        ({"rule": {"J": 10.0, "Q": True, "K": 10}}, "J=10.0: expected an integer from 1 to 99; Q=True: expected"),
        ({"rule": {"J": float("inf"), "Q": 10, "K": 10}}, "J=inf: expected an integer from 1 to 99"),
        ({"rule": {"J": 0, "Q": 10, "K": 100}}, "J=0: expected an integer from 1 to 99; K=100: expected"),
        ({"rule": None}, "rule=None: expected a preset's name"),
        ({"stated_rule": 3}, "rule=3: expected a preset's name"),
    ],
)
def test_a_puzzle_says_which_of_its_fields_is_wrong(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message) as error:
        Puzzle(**{"cards": ("4", "3", "2", "K"), **fields})
    assert str(error.value).isprintable()
    assert len(str(error.value)) < 250


_CARDS = st.lists(st.sampled_from((*RANKS, "10S", "KH", "1", "T")), min_size=2, max_size=5)
_RULES = st.sampled_from((*PRESETS, "none")) | st.fixed_dictionaries(dict.fromkeys("JQK", st.integers(0, 100)))


@settings(deadline=None, max_examples=60)
@given(cards=_CARDS, rule=_RULES, target=st.integers(0, 60), stated=_RULES, strict=st.booleans())
def test_of_whatever_puzzle_can_be_made_the_expert_is_right_or_says_that_it_has_no_solution(
    cards: list[str], rule: Any, target: int, stated: Any, strict: bool
) -> None:
    try:
        puzzle = Puzzle(cards, rule, target, stated)
    except ValueError as error:
        assert str(error).isprintable()  # noqa: PT017
        return
    question = GeneralPointsQuestion.of(puzzle, strict=strict)
    if not solutions(puzzle.values, target):
        with pytest.raises(ValueError, match=r"cannot make \d+ under rule"):
            question.expert()
        return
    verdict = question.judge(question.expert())
    assert (verdict.is_correct, verdict.reward) == (True, question.best_reward)


@pytest.mark.parametrize(
    "instance",
    [
        "generalpoints:04-3-2-K:24",
        "generalpoints:4-3-2-k:24",
        "generalpoints:4-3-2-K:024",
        "generalpoints:4-3-2-K:+24",
        "generalpoints:4-3-2-K:24 ",
        " generalpoints:4-3-2-K:24",
        "generalpoints:4-3-2-KS:24",
        "generalpoints:4-3-2-13:24",
        "generalpoints:4-3-2-T:24",
        "generalpoints:1-3-2-K:24",
        "GeneralPoints:4-3-2-K:24",
        "generalpoints:4,3,2,K:24",
        "generalpoints:4-3-2-K:\u0662\u0664",
        "generalpoints:\uff14-3-2-K:24",
        "generalpoints:4-3-2-K:24.0",
        "generalpoints:4-3-2-K:24\n",
        "generalpoints:4-3-2-K:2_4",
        "generalpoints:4--3-2-K:24",
        "generalpoints:4-3-2-K:-24",
    ],
)
def test_another_spelling_of_an_instance_is_refused(instance: str) -> None:
    for ask in (
        lambda: read_instance(instance),
        lambda: GeneralPointsEnv().reset(options={"instance": instance}),
        lambda: GeneralPointsQuestion.from_row({"instance": instance}),
        lambda: GeneralPointsQuestion.from_row({"instance": instance, "cards": ["4", "3", "2", "K"]}),
    ):
        with pytest.raises(ValueError, match=r"expected|instance|card"):
            ask()
