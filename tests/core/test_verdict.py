"""Verdicts and reward tables."""

import math
from typing import ClassVar

import pytest
from pydantic import ValidationError

from verienv.core.verdict import RewardTable, Verdict


class Prices(RewardTable):
    good: float = 1.0
    bad: float = 0.0
    presets: ClassVar = {}


Prices.presets = {"plain": Prices(), "harsh": Prices(bad=-1.0)}


def test_a_verdict_is_immutable():
    with pytest.raises(ValidationError):
        Verdict(reward=1.0, is_correct=True).reward = 2.0


@pytest.mark.parametrize("reward", [math.nan, math.inf, -math.inf])
def test_a_verdict_has_a_finite_reward(reward):
    with pytest.raises(ValidationError):
        Verdict(reward=reward, is_correct=False)


def test_a_verdict_survives_json():
    verdict = Verdict(
        reward=-1.0, is_correct=False, failure="x", answer={"formula": ["é", None]}, metrics={"seen": True}
    )
    assert Verdict.model_validate_json(verdict.model_dump_json()) == verdict


def test_a_table_is_meant_by_name_by_dict_or_by_itself():
    assert Prices.of("harsh").bad == -1.0
    assert Prices.of({"good": 1, "bad": -2}) == Prices(bad=-2.0)
    assert Prices.of({"base": "harsh", "good": 2}) == Prices(good=2.0, bad=-1.0)
    table = Prices(good=3.0)
    assert Prices.of(table) is table


@pytest.mark.parametrize(
    ("rewards", "said"),
    [
        ("paper", "plain, harsh"),
        ({"god": 1}, "good"),
        ({"good": "much", "bad": 0}, "good"),
        (
            {"good": 1},
            'nothing says what bad pays; name it too, or take the rest from a preset: add "base": "plain" or',
        ),
        ({"base": ["plain"]}, "is not a preset; use one of plain, harsh"),
        ({"base": "plain", "good": math.nan}, "good=nan: expected a number"),
        ({"base": "plain", "good": math.inf}, "sums of rewards stay finite"),
        (7, "expected a preset's name"),
        (None, "dict"),
    ],
)
def test_a_wrong_table_is_an_error_that_says_what_is_accepted(rewards, said):
    with pytest.raises(ValueError, match=said):
        Prices.of(rewards)


class Bare(RewardTable):
    correct: float = 1.0
    wrong: float = 0.0


def test_a_table_without_presets_is_named_whole():
    assert Bare.of({"correct": 2, "wrong": 1}).correct == 2.0
    with pytest.raises(ValueError, match=r"nothing says what wrong pays; name it too$"):
        Bare.of({"correct": 2})


def test_right_and_wrong_may_be_paid_alike_as_a_control_and_no_further():
    assert Bare(correct=0.0, wrong=0.0).correct == 0.0
    with pytest.raises(ValidationError, match="a wrong answer would be paid more than a right one"):
        Bare(correct=0.0, wrong=1e-9)
