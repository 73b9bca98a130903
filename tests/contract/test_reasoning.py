"""Reasoning is no answer, by whatever way a response comes; the tags are a setting that passes everywhere."""

import json

import gymnasium as gym
import pytest

import verienv
from verienv import Episode
from verienv.core.response import MAX_CHARACTERS
from verienv.generalpoints import Puzzle
from verienv.generalpoints import verify as verify_formula
from verienv.virl import Waypoint
from verienv.virl import verify as verify_action

IDS = ("verienv/GeneralPoints-L-v0", "verienv/VIRL-L-v0")
SET = ("[THINK]", "[/THINK]")

each_id = pytest.mark.parametrize("env_id", IDS)


@each_id
@pytest.mark.parametrize("tags", [None, SET])
def test_the_tags_pass_through_gym_make_rows_and_json(env_id: str, tags: tuple[str, str] | None) -> None:
    env = gym.make(env_id, reasoning_tags=tags).unwrapped
    env.reset(seed=0)
    (row,) = verienv.rows(env_id, n=1, reasoning_tags=tags)
    row = json.loads(json.dumps(row))
    for episode in (env.episode, Episode.of(row)):
        expert = episode.expert()
        judge = episode.question.judge
        assert episode.question.reasoning_tags == (tags or ())
        assert judge(f"<think>{expert}").is_correct
        assert judge(f"[THINK]{expert}").is_correct is (tags is None)
        assert judge(f"[THINK]x[/think]{expert}").is_correct
    expert = Episode.of(row).expert()
    assert verienv.judge(row, f"<think>{expert}").is_correct
    assert verienv.judge(row, f"[THINK]{expert}").is_correct is (tags is None)


@each_id
def test_by_default_what_stands_in_think_tags_is_no_answer(env_id: str) -> None:
    for strict in (False, True):
        episode = Episode.of(verienv.rows(env_id, n=1, strict=strict)[0])
        expert = episode.expert()
        for text in (
            f"<think>{expert}</think> I give up",
            f"<think>{expert}",
            f"<think>{'x' * MAX_CHARACTERS}{expert}",
        ):
            assert episode.question.judge(text).failure == "unreadable"
        assert episode.question.judge(f"<think>hm</think>{expert}").is_correct


@each_id
def test_an_episode_keeps_the_part_of_a_long_response_that_is_judged_alike(env_id: str) -> None:
    episode = Episode.of(verienv.rows(env_id, n=1)[0])
    question, thought = episode.question, "<think>" + "x" * MAX_CHARACTERS + episode.expert()
    assert episode.answer(thought).failure == "unreadable"
    kept = episode.messages[1]["content"]
    assert len(kept) == MAX_CHARACTERS
    assert question.judge(kept) == question.judge(thought)


def test_verify_takes_the_tags_as_any_pair() -> None:
    formula, action = '{"formula": "4*3+2+10"}', '{"action": "forward()"}'
    puzzle, waypoint = Puzzle(("4", "3", "2", "K")), Waypoint()
    for tags in (SET, list(SET)):
        assert verify_formula(f"[THINK]{formula}", puzzle, reasoning_tags=tags).failure == "unreadable"  # type: ignore[arg-type]
        assert verify_action(f"[THINK]{action}", waypoint, reasoning_tags=tags).failure == "unreadable"  # type: ignore[arg-type]
    assert verify_formula(f"<think>{formula}", puzzle, reasoning_tags=None).is_correct
    assert verify_action(f"<think>{action}", waypoint, reasoning_tags=None).is_correct
    with pytest.raises(ValueError, match="expected an opening and a closing tag"):
        verify_formula(formula, puzzle, reasoning_tags=("<think>",))


@each_id
@pytest.mark.parametrize("wrong", [("<think>",), "<think>", ("a", "A"), (1, 2), {"a": "b"}])
def test_what_is_no_pair_is_refused_in_one_line(env_id: str, wrong: object) -> None:
    with pytest.raises(ValueError, match="reasoning_tags=") as caught:
        gym.make(env_id, reasoning_tags=wrong)
    assert "\n" not in str(caught.value)


@each_id
def test_an_echo_of_the_template_in_any_phrasing_is_passed_over(env_id: str) -> None:
    for row in verienv.rows(env_id, n=40, prompt="diverse"):
        question = Episode.of(row).question
        templates = [
            question.prompt[at : question.prompt.index("}", at) + 1]
            for at, sign in enumerate(question.prompt)
            if sign == "{"
        ]
        for template in templates:
            assert question.judge(f"{question.expert()}\nAs asked: {template}").is_correct, template
