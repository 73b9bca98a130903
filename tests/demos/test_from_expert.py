"""Demonstrations: rows that the verifier has scored."""

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

import verienv
from verienv.core.env import VerifiedEnv
from verienv.core.verdict import Verdict
from verienv.demos import demonstrations, demonstrations_in
from verienv.generalpoints import GENERALPOINTS, GeneralPointsQuestion, Puzzle, verify
from verienv.generalpoints.puzzle import read_instance
from verienv.generalpoints.vision_env import GeneralPointsVisionEnv
from verienv.virl import VIRL, VIRLQuestion
from verienv.virl.env import VIRLEnv

ENV_ID = "verienv/GeneralPoints-L-v0"
VISION_ID = "verienv/GeneralPoints-VL-v0"
ROUTES_ID = "verienv/VIRL-L-v0"
KINDS = ("sft", "revision", "preference")
DIALOGUES = ("prompt", "completion", "chosen", "rejected")


def rows(kind: Any, n: int = 30, **settings: Any) -> list[dict[str, Any]]:
    return list(demonstrations(ENV_ID, kind, n=n, **settings))


def reward(row: dict[str, Any], response: list[dict[str, str]], rule: str = "ten") -> float:
    hand = read_instance(row["instance"])
    return verify(response[0]["content"], Puzzle(hand.ranks, rule, hand.target)).reward


def roles(messages: list[dict[str, str]]) -> str:
    return "".join(message["role"][0] for message in messages)


@pytest.mark.parametrize("split", ["train", "test", "rule_ood"])
@pytest.mark.parametrize("steps", [False, True])
def test_every_completion_scores_maximal(split: str, steps: bool) -> None:
    rule = "rank" if split == "rule_ood" else "ten"
    for kind in ("sft", "revision"):
        for row in rows(kind, split=split, steps=steps):
            assert reward(row, row["completion"], rule) == row["reward"] == 5.0
            assert row["completion"][0]["role"] == "assistant"


def test_a_revision_holds_a_wrong_attempt_its_real_feedback_and_the_repair() -> None:
    for row in rows("revision"):
        assert roles(row["prompt"]) == "uau"
        assert reward(row, row["prompt"][1:2]) < 0
        verdict = verify(row["prompt"][1]["content"], read_instance(row["instance"]))
        assert row["prompt"][2]["content"] == f"{verdict.feedback}\nAttempt 2 of 5."
        assert row["failure"] == verdict.failure


def test_a_revision_may_hold_several_wrong_attempts() -> None:
    lengths = Counter(len(row["prompt"]) for row in rows("revision", n=60, wrong_attempts=3))
    assert set(lengths) == {3, 5, 7}


def test_rejected_responses_are_spread_over_every_kind_of_failure() -> None:
    kinds = Counter(row["failure"] for row in rows("preference", n=120))
    assert set(kinds) == set(GENERALPOINTS.measures(vision=False).failures)
    assert min(kinds.values()) > 10


def test_settings_of_the_environment_are_taken() -> None:
    for row in rows("sft", n=20, rule="five", prompt="diverse", target=36):
        assert row["instance"].endswith(":36")
        assert "K = 5" in row["prompt"][0]["content"]
        assert reward(row, row["completion"], "five") == 5.0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"kind": "dpo"}, "kind='dpo': expected one of sft, revision, preference"),
        ({"n": -1}, "n=-1: expected an integer of at least 0"),
        ({"n": 2.5}, r"n=2.5: expected an integer"),
        ({"seed": -1}, "seed=-1: expected an integer of at least 0"),
        ({"env_id": "CartPole-v1"}, "env_id='CartPole-v1' is no verienv environment"),
        ({"kind": "revision", "wrong_attempts": 5}, "wrong_attempts=5: expected 1 to 4, fewer than the attempts"),
        ({"kind": "revision", "attempts": 1}, "attempts=1 leaves no room for a wrong attempt"),
        ({"split": "dev"}, "split='dev': expected one of train, test, rule_ood"),
        ({"atempts": 2}, "unknown setting 'atempts'"),
    ],
)
def test_wrong_arguments_are_told_at_once(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        demonstrations(**({"env_id": ENV_ID} | arguments))


def test_no_rows_are_no_rows() -> None:
    assert rows("sft", n=0) == []


def test_a_response_meant_to_be_right_that_is_not_is_an_error_and_no_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(GeneralPointsQuestion, "expert", lambda self, **_: '{"formula": "1+1"}')
    with pytest.raises(RuntimeError, match=r"the expert's response scores -2.0"):
        rows("sft", n=1)


def test_a_response_that_fails_in_another_way_than_meant_is_an_error_and_no_row(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(GeneralPointsQuestion, "wrong", lambda self, failure, rng: "I pass")
    with pytest.raises(RuntimeError, match=r"meant as illegal, judged 'unreadable'"):
        rows("preference", n=2)


# With pictures


def rows_with_pictures(kind: Any, n: int = 20, **settings: Any) -> list[dict[str, Any]]:
    return list(demonstrations(VISION_ID, kind, n=n, **settings))


def judged_with_pictures(row: dict[str, Any], message: dict[str, Any]) -> Verdict:
    [part] = message["content"]
    return verify(part["text"], read_instance(row["instance"]), vision=True)


@pytest.mark.parametrize("kind", KINDS)
def test_with_pictures_each_row_brings_the_picture_of_its_hand(kind: str) -> None:
    env = GeneralPointsVisionEnv(visual="scattered", image_size=96)
    for number, row in enumerate(rows_with_pictures(kind, n=4, seed=5, visual="scattered", image_size=96)):
        env.reset(seed=5 if number == 0 else None)
        parts = [part for message in row["prompt"] for part in message["content"] if part["type"] == "image"]
        [image] = row["images"]
        assert len(parts) == 1
        assert row["instance"] == env.instance
        assert np.array_equal(np.asarray(image), env.pictures[0])


@pytest.mark.parametrize("kind", KINDS)
def test_with_pictures_every_content_is_a_list_of_parts_whose_text_is_as_it_was_said(kind: str) -> None:
    for row in rows_with_pictures(kind, n=5):
        messages = [message for name in DIALOGUES for message in row.get(name, [])]
        assert len(messages) >= 2
        assert all(isinstance(message["content"], list) for message in messages)
        assert [part["type"] for part in messages[0]["content"]] == ["image", "text"]
        assert "The cards are in the picture" in messages[0]["content"][1]["text"]


def test_with_pictures_every_completion_scores_maximal() -> None:
    for row in [*rows_with_pictures("sft", steps=True), *rows_with_pictures("revision", wrong_attempts=3)]:
        assert judged_with_pictures(row, row["completion"][0]).reward == row["reward"] == 5.0


def test_with_pictures_a_wrong_attempt_is_followed_by_its_real_feedback() -> None:
    for row in rows_with_pictures("revision"):
        _, wrong, told = row["prompt"]
        verdict = judged_with_pictures(row, wrong)
        assert told["content"] == [{"type": "text", "text": f"{verdict.feedback}\nAttempt 2 of 5."}]
        assert verdict.failure == row["failure"]


def test_with_pictures_misread_is_one_more_kind_of_failure() -> None:
    rejected = rows_with_pictures("preference", n=70, image_size=96)
    kinds = Counter(row["failure"] for row in rejected)
    assert set(kinds) == {*GENERALPOINTS.measures(vision=False).failures, "misread"}
    for row in rejected:
        verdict = judged_with_pictures(row, row["rejected"][0])
        assert (verdict.failure, verdict.reward) == (row["failure"], row["rejected_reward"])


@pytest.mark.parametrize("kind", KINDS)
def test_in_words_there_are_no_images_and_contents_are_texts(kind: str) -> None:
    for row in rows(kind, n=3):
        assert "images" not in row
        assert all(isinstance(message["content"], str) for name in DIALOGUES for message in row.get(name, []))


# Several questions an episode


def on_the_way(kind: Any, n: int, seed: int = 0, **settings: Any) -> Iterator[tuple[dict[str, Any], VIRLQuestion]]:
    """Each row with its question."""
    yield from demonstrations_in(VIRLEnv(city="grid-0", **settings), kind, n, seed)  # type: ignore[misc]


@pytest.mark.parametrize("kind", KINDS)
def test_each_waypoint_of_a_route_is_a_row_and_then_the_next_route_follows(kind: str) -> None:
    routes = VIRLEnv(city="grid-0")
    routes.reset(seed=4)
    found = list(demonstrations(ROUTES_ID, kind, n=70, seed=4, city="grid-0"))  # type: ignore[arg-type]
    expected: list[str] = []
    while len(expected) < 70:
        expected += [routes.instance] * len(routes.route.waypoints)
        routes.reset()
    assert [row["instance"] for row in found] == expected[:70]
    assert len(set(expected[:70])) > 2


def test_at_each_waypoint_a_revision_holds_a_wrong_attempt_and_its_real_feedback() -> None:
    wrong_moves = 0
    for row, question in on_the_way("revision", 60):
        assert roles(row["prompt"]) == "uau"
        verdict = question.judge(row["prompt"][1]["content"])
        assert verdict.failure == row["failure"]
        assert row["prompt"][2]["content"] == f"{verdict.feedback}\nAttempt 2 of 2."
        wrong_moves += row["failure"] == "wrong_action"
    assert wrong_moves > 5


def test_rejected_responses_along_routes_are_spread_over_every_kind_of_failure() -> None:
    kinds = Counter()
    for row, question in on_the_way("preference", 80):
        verdict = question.judge(row["rejected"][0]["content"])
        assert (verdict.failure, verdict.reward) == (row["failure"], row["rejected_reward"])
        kinds[verdict.failure] += 1
    assert kinds == dict.fromkeys(VIRL.measures(vision=False).failures, 20)


@pytest.mark.parametrize("kind", KINDS)
def test_the_seed_fixes_every_row_of_every_route_and_fewer_rows_are_the_first_of_more(kind: Any) -> None:
    one, same, other, fewer = (
        list(demonstrations(ROUTES_ID, kind, n=n, seed=seed, city="grid-0"))
        for n, seed in ((40, 3), (40, 3), (40, 4), (15, 3))
    )
    assert one == same != other
    assert one[:15] == fewer


def test_the_package_offers_demonstrations() -> None:
    assert verienv.demonstrations is demonstrations
    assert isinstance(gym.make(ENV_ID).unwrapped, VerifiedEnv)
    assert all(a["instance"] != b["instance"] for a, b in pairwise(rows("sft", n=5)))


def test_settings_may_be_named_as_parts_of_the_making_are():
    """One of GeneralPoints is ``sampling``: ranks drawn afresh, so that a hand may hold five of one."""
    rows = list(demonstrations("verienv/GeneralPoints-L-v0", n=40, seed=0, sampling="iid", side="all"))
    assert len(rows) == 40
    assert rows != list(demonstrations("verienv/GeneralPoints-L-v0", n=40, seed=0, sampling="deck", side="all"))
