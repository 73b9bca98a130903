"""Verdicts and reward tables."""

import math
import sys
from typing import Any, ClassVar

import pytest
from pydantic import ValidationError

import verienv
from verienv.core.episode import Episode
from verienv.core.verdict import RewardTable, Verdict, total


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


@pytest.mark.parametrize("price", [1e13, -1e300, float("inf"), 10**400])
def test_a_price_out_of_all_bounds_is_refused_by_name(price: Any) -> None:
    for env_id in ("verienv/GeneralPoints-L-v0", "verienv/VIRL-L-v0"):
        (row,) = verienv.rows(env_id, n=1)
        with pytest.raises(ValueError, match=r"correct") as caught:
            verienv.judge({**row, "rewards": {"base": "paper", "correct": price}}, "")
        assert "\n" not in str(caught.value)
        assert len(str(caught.value)) < 300
        assert (
            verienv.judge({**row, "rewards": {"base": "paper", "correct": 1e12}}, Episode.of(row).expert()).reward
            == 1e12
        )


@pytest.mark.parametrize(
    ("rewards", "found"),
    [
        ([5.0, -1.0, 0.5], 4.5),
        ([], 0.0),
        ([1e308, 1e308, -1e308, -1e308], 0.0),
        ([1e308] * 64, sys.float_info.max),
        ([-1.7e308] * 3, -sys.float_info.max),
    ],
)
def test_a_sum_of_rewards_is_finite_for_any(rewards: list[float], found: float) -> None:
    assert total(rewards) == found


def test_the_score_of_an_episode_is_finite_for_any_rewards_of_a_task(monkeypatch: pytest.MonkeyPatch) -> None:
    episode = Episode.of({"cards": ["4", "3", "2", "K"], "attempts": 3})
    for _ in range(3):
        verdict = episode.answer("")
    monkeypatch.setattr(episode, "verdicts", [verdict.model_copy(update={"reward": -1.7e308})] * 3)
    assert episode.score()["reward"] == -sys.float_info.max
