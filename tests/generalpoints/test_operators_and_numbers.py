"""Fewer operators, two cards, number cards to 19, and plain integers in place of cards."""

import json
from collections import Counter
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

import verienv
from verienv.core.spaces import PRINTABLE
from verienv.generalpoints import Puzzle, is_solvable, verify
from verienv.generalpoints.prompts import LONGEST_QUESTION, OF_NUMBERS, PHRASINGS, write_question
from verienv.generalpoints.puzzle import read_instance
from verienv.generalpoints.sampler import Dealing, Sampler

EZPOINTS: dict[str, Any] = {"cards": 2, "operators": "+*", "target": 12, "side": "all"}
NUMBERS = Puzzle((25, 7, 3, 50), plain_numbers=True)  # type: ignore[arg-type]


def env_of(**settings: Any) -> Any:
    return gym.make("verienv/GeneralPoints-L-v0", **settings).unwrapped


def test_ezpoints_is_one_line_of_settings() -> None:
    env = env_of(**EZPOINTS)
    for seed in range(50):
        text = env.reset(seed=seed)[0]["text"]
        assert text.startswith("Make 12 with each card's number exactly once, using + * ( ).")
        first, second = env.puzzle.values
        assert 12 in (first + second, first * second)
        assert env.step(env.expert_response())[1] == 5.0


def test_two_cards_follow_their_distribution() -> None:
    dealt, rng = Sampler(Dealing(count=2, target=12, operators="+*", sampling="iid")), np.random.default_rng(0)
    counts = Counter(tuple(sorted(dealt.deal(rng))) for _ in range(4000))
    assert len(counts) == 10  # 2 and 10, J, Q or K; 3 9, 4 8, 5 7, 6 6; 2 6, 3 4
    assert 1.6 < counts["3", "4"] / counts["6", "6"] < 2.5


def test_a_forbidden_operator_is_illegal_with_its_reason() -> None:
    puzzle = Puzzle(("4", "3", "2", "K"), operators="*+")
    assert verify('{"formula": "4*3+2+10"}', puzzle).is_correct
    verdict = verify('{"formula": "(4+10-2)*(3-1)"}', puzzle)
    assert (verdict.failure, verdict.reward) == ("illegal", -3.0)
    assert verdict.reason == "it uses -, which is not among the operators allowed, + *"


@pytest.mark.parametrize("phrasing", range(len(PHRASINGS)))
def test_every_phrasing_names_the_operators_allowed_and_no_other(phrasing: int) -> None:
    text = write_question(Puzzle(("4", "3", "2", "K"), operators="+*"), phrasing)
    assert "+ *" in text or "+, *" in text or "addition, multiplication" in text
    assert not any(other in text for other in ("- *", "/", "subtraction", "division", "minus", "divided"))


@pytest.mark.parametrize("phrasing", range(len(OF_NUMBERS)))
def test_every_phrasing_of_numbers_gives_them_and_no_rule(phrasing: int) -> None:
    text = write_question(NUMBERS, phrasing)
    for told in ("24", "Numbers: 25, 7, 3, 50", "number", "formula"):
        assert told in text
    assert not any(other in text for other in ("card", "Card", "J =", "A =", "ace", "{target}", "{count}"))
    longest = Puzzle(("999",) * 6, target=999_999, plain_numbers=True)
    assert len(write_question(longest, phrasing)) <= LONGEST_QUESTION
    assert set(text) <= set(PRINTABLE)


def test_numbers_are_drawn_alike_within_the_range_and_solvable() -> None:
    env = env_of(numbers=(1, 99), side="all")
    drawn = Counter[int]()
    for seed in range(300):
        env.reset(seed=seed)
        drawn.update(env.puzzle.values)
        assert is_solvable(env.puzzle.values, 24)
    assert 1 <= min(drawn) < 5
    assert 95 < max(drawn) <= 99


def test_the_expert_answers_in_numbers_and_earns_the_best_reward() -> None:
    env = env_of(numbers=[1, 99])
    env.reset(seed=3)
    answer = json.loads(env.expert_response())
    assert list(answer) == ["number", "formula"]
    _, reward, _, _, info = env.step(env.expert_response())
    assert (reward, info["cards_correct"], info["numbers_correct"]) == (5.0, True, True)


def test_numbers_may_stand_under_cards_too_but_then_they_must_be_right() -> None:
    right = {"number": [25, 7, 3, 50], "formula": "1"}
    for cards, correct in ((["50", "25", "7", "3"], True), ([25, 7, 3, 50], True), ([25, 7, 3], False), ("no", False)):
        assert verify(json.dumps({**right, "cards": cards}), NUMBERS).metrics["cards_correct"] is correct
    assert verify(json.dumps({**right, "number": [25]}), NUMBERS).metrics["cards_correct"] is False


def test_the_template_of_the_question_is_no_answer_to_it() -> None:
    template = '{"number": [...], "formula": "..."}'
    assert verify(f'{{"formula": "25+7"}} {template}', NUMBERS).failure == "wrong_numbers"


def test_instances_of_numbers_are_told_from_cards() -> None:
    numbers, cards = Puzzle(("4", "3", "2", "10"), plain_numbers=True), Puzzle(("4", "3", "2", "10"))
    assert (numbers.id, cards.id) == ("generalpoints:numbers-4-3-2-10:24", "generalpoints:4-3-2-10:24")
    assert (read_instance(numbers.id), read_instance(cards.id)) == (numbers, cards)
    assert numbers.problem == cards.problem


@pytest.mark.parametrize("cards", [("4", "0"), ("4", "1000"), ("4", "A"), ("4", "03"), ("4", 2.0), ("4", True)])
def test_what_is_no_plain_number_is_named(cards: Any) -> None:
    with pytest.raises(ValueError, match=r"number .*: expected an integer from 1 to 999"):
        Puzzle(cards, plain_numbers=True)


def test_numbers_have_sides_and_share_the_side_of_a_hand_of_their_values() -> None:
    train, test = (Dealing(numbers=(1, 99), side=side) for side in ("train", "test"))  # type: ignore[arg-type]
    rng = np.random.default_rng(0)
    hands = [tuple(map(str, rng.integers(1, 100, 4))) for _ in range(600)]
    shares = sum(map(train.on_side, hands)), sum(map(test.on_side, hands))
    assert sum(shares) == 600
    assert 150 < shares[1] < 250
    cards = {side: Dealing(side=side) for side in ("train", "test")}  # type: ignore[arg-type]
    for seed in range(50):
        values = tuple(np.random.default_rng(seed).integers(1, 11, 4).tolist())
        ranks = tuple("A" if value == 1 else str(value) for value in values)
        assert train.on_side(tuple(map(str, values))) == cards["train"].on_side(ranks)


def test_large_cards_are_dealt_and_count_their_number() -> None:
    env = env_of(largest_card=19, large_cards="force", sampling="iid", side="all")
    for seed in range(40):
        env.reset(seed=seed)
        assert any(rank in {"14", "15", "16", "17", "18", "19"} for rank in env.puzzle.ranks)
        assert env.step(env.expert_response())[4]["cards_correct"]
    assert Puzzle(("14", "19", "A", "K")).values == (14, 19, 1, 10)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"numbers": (9, 1)}, r"numbers=\(9, 1\): expected the least and the greatest"),
        ({"numbers": [1, 99], "rule": "rank"}, "rule='rank' is for cards; leave it out where numbers are dealt"),
        ({"numbers": [1, 99], "split": "rule_ood"}, "rule='rank' is for cards"),
        ({"numbers": [1, 99], "face_cards": "force"}, "face_cards='force' is for cards"),
        ({"numbers": [30, 40], "cards": 2}, "50000 deals brought no hand with target 24, 2 numbers from 30 to 40"),
        ({"operators": "+^"}, "operators='\\+\\^': expected some of"),
        ({"cards": 2, "operators": "/", "target": 14}, "no hand can be dealt: target 14"),
        ({"large_cards": "force"}, "large_cards='force': there are none; set largest_card to 14 to 19"),
        ({"largest_card": 20}, "largest_card=20: expected an integer from 13 to 19"),
    ],
)
def test_settings_that_do_not_fit_together_are_told_when_the_environment_is_made(
    settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        env_of(**settings)


@pytest.mark.parametrize("settings", [{"numbers": (1, 99)}, {"largest_card": 19}])
def test_by_vision_what_no_deck_shows_is_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="no deck has such cards to show; use verienv/GeneralPoints-L-v0, in words"):
        gym.make("verienv/GeneralPoints-VL-v0", **settings)


@pytest.mark.parametrize(
    "settings", [EZPOINTS, {"numbers": [1, 99]}, {"largest_card": 19}, {"operators": "-/", "target": 2}]
)
def test_rows_carry_operators_and_numbers(settings: dict[str, Any]) -> None:
    for row in verienv.rows("verienv/GeneralPoints-L-v0", n=5, **settings):
        row = json.loads(json.dumps(row))
        question = verienv.Question.from_row(row)
        assert row["prompt"][0]["content"].startswith(question.prompt)
        assert verienv.Episode.of(row).question.facts == question.facts
        assert verienv.judge(row, question.expert()).is_correct


@pytest.mark.parametrize("settings", [EZPOINTS, {"numbers": (1, 99)}, {"operators": "+-", "cards": 5}])
def test_wrong_answers_fail_as_they_are_asked_to(settings: dict[str, Any]) -> None:
    env, rng, written = env_of(**settings), np.random.default_rng(0), Counter[str]()
    for seed in range(10):
        env.reset(seed=seed)
        for failure in env.measures.failures:
            response = env.wrong_response(failure, rng)
            if response is not None:
                assert env.judge(response).failure == failure
                written[failure] += 1
    assert {"unreadable", "illegal", "wrong_numbers", "false_equation", "wrong_value"} <= set(written)


def test_a_table_of_ones_own_may_hold_integers() -> None:
    row = {"cards": [25, 7.0, 3, 50], "plain_numbers": True, "target": 25, "operators": "+*"}
    assert verienv.Question.from_row(row).facts == Puzzle(("25", "7", "3", "50"), "ten", 25, None, "+*", True)
    with pytest.raises(ValueError, match="number '0': expected an integer from 1 to 999"):
        verienv.Question.from_row({**row, "cards": [0, 7]})
