"""Demonstrations of all kinds hold what the verifier pays for, in the words of the environment."""

from typing import Any

import pytest
from tests.contract.playing import Case, each_case, each_wording, expert, played

import verienv
from verienv.core.dialogue import parts_of

DIALOGUES = ("prompt", "completion", "chosen", "rejected")

each_kind = pytest.mark.parametrize("kind", ["sft", "revision", "preference"])


def demonstrations(case: Case, kind: Any, n: int = 4, **rest: Any) -> list[dict[str, Any]]:
    return list(verienv.demonstrations(case.env_id, kind, n=n, **{**case.settings, **rest}))


def said(messages: list[dict[str, Any]]) -> str:
    """The last message's text."""
    return "".join(part.get("text", "") for part in parts_of(messages[-1]))


@each_wording
@each_kind
@pytest.mark.parametrize("steps", [False, True], ids=["plain", "with steps"])
def test_the_last_words_of_a_row_are_paid_best(case: Case, kind: str, steps: bool) -> None:
    best = case.begun().best_reward
    for row in demonstrations(case, kind, steps=steps):
        assert row["reward"] == best
        assert [message["role"] for message in row["chosen" if kind == "preference" else "completion"]] == ["assistant"]


@each_case
@each_kind
def test_a_row_has_a_picture_for_each_placeholder(case: Case, kind: str) -> None:
    for row in demonstrations(case, kind):
        parts = [part for name in DIALOGUES for message in row.get(name, ()) for part in parts_of(message)]
        assert [part["type"] for part in parts].count("image") == len(row.get("images", ())) == case.vision


@each_case
def test_rows_follow_the_expert_through_the_episode_of_the_seed(case: Case) -> None:
    env = case.make()
    observation, _ = env.reset(seed=3)
    texts = [observation["text"], *(observation["text"] for _, observation, *_ in played(env, expert))][:-1]
    rows = demonstrations(case, "sft", n=len(texts), seed=3)
    assert [said(row["prompt"]) for row in rows] == texts


@each_case
def test_a_revision_holds_a_wrong_attempt_its_feedback_and_the_repair(case: Case) -> None:
    failures = case.make().measures.failures
    for row in demonstrations(case, "revision", n=8):
        assert [message["role"] for message in row["prompt"]] == ["user", "assistant", "user"]
        assert said(row["prompt"]).splitlines()[-1].startswith("Attempt 2 of ")
        assert row["failure"] in failures


@each_case
def test_a_preference_rejects_what_earns_less_for_each_kind_of_failure(case: Case) -> None:
    failures = case.make().measures.failures
    rows = demonstrations(case, "preference", n=4 * len(failures))
    assert all(row["rejected_reward"] < row["reward"] for row in rows)
    assert {row["failure"] for row in rows} == set(failures)


@each_case
@each_kind
def test_a_seed_fixes_every_row(case: Case, kind: str) -> None:
    one, other = demonstrations(case, kind, seed=5), demonstrations(case, kind, seed=5)
    assert [{**row, "images": None} for row in one] == [{**row, "images": None} for row in other]
    for row, twin in zip(one, other, strict=True):
        assert [image.tobytes() for image in row.get("images", ())] == [
            image.tobytes() for image in twin.get("images", ())
        ]


@each_case
@pytest.mark.parametrize(("wrong", "told"), [({"kind": "dpo"}, "kind="), ({"n": -1}, "n="), ({"seed": -1}, "seed=")])
def test_wrong_arguments_are_told_at_once(case: Case, wrong: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        verienv.demonstrations(case.env_id, **wrong)
