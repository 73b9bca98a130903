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
    assert Prices.of({"bad": -2}) == Prices(bad=-2.0)
    table = Prices(good=3.0)
    assert Prices.of(table) is table


@pytest.mark.parametrize(
    ("rewards", "said"),
    [
        ("paper", "plain, harsh"),
        ({"god": 1}, "good"),
        ({"good": "much"}, "good"),
        (7, "expected a preset's name"),
        (None, "dict"),
    ],
)
def test_a_wrong_table_is_an_error_that_says_what_is_accepted(rewards, said):
    with pytest.raises(ValueError, match=said):
        Prices.of(rewards)
