"""VerifiedEnv, on a task of two questions: say the number that follows."""

from typing import Any, ClassVar

import numpy as np
import pytest
from gymnasium.error import ResetNeeded

from verienv.core.env import VerifiedEnv
from verienv.core.verdict import Metric, Verdict


class NextNumber(VerifiedEnv):
    idle_metrics: ClassVar[dict[str, Metric]] = {"off_by": 0}
    best_reward = 1.0

    def __init__(self, attempts: int = 3, render_mode: str | None = None) -> None:
        super().__init__(attempts, 64, render_mode)
        self.drawn = 0.0

    def _deal(self, instance: str | None, rng: np.random.Generator) -> str:
        self.number = int(rng.integers(100)) if instance is None else int(instance)
        self.drawn = rng.random()
        self.asked = 0
        return str(self.number)

    def _question(self) -> str:
        return f"What follows {self.number + self.asked}?"

    def judge(self, response: str) -> Verdict:
        right = response == str(self.number + self.asked + 1)
        return Verdict(
            reward=float(right),
            is_correct=right,
            failure="" if right else "wrong",
            feedback="Yes." if right else "No.",
            metrics={"off_by": 0 if right else 1},
        )

    def _advance(self) -> bool:
        self.asked += 1
        return self.asked == 2

    def expert_response(self, *, steps: bool = False) -> str:
        return str(self.number + self.asked + 1)

    def flawed_response(self, failure: str, rng: np.random.Generator) -> str | None:
        return "?"


@pytest.fixture
def env() -> NextNumber:
    env = NextNumber()
    env.reset(seed=1)
    return env


def test_the_text_is_the_question_and_the_attempt_line(env: NextNumber) -> None:
    observation, _ = env.reset(options={"instance": "5"})
    assert observation == {"text": "What follows 5?\nAttempt 1 of 3."}


def test_the_text_gathers_the_feedback_lines(env: NextNumber) -> None:
    env.reset(options={"instance": "5"})
    env.step("my words")
    observation, *_ = env.step("my words")
    assert observation["text"] == "What follows 5?\nNo.\nNo.\nAttempt 3 of 3."


def test_the_dialogue_holds_the_policys_words_and_the_same_feedback(env: NextNumber) -> None:
    env.reset(options={"instance": "5"})
    info = env.step("my words")[4]
    assert info["messages"] == [
        {"role": "user", "content": "What follows 5?\nAttempt 1 of 3."},
        {"role": "assistant", "content": "my words"},
        {"role": "user", "content": "No.\nAttempt 2 of 3."},
    ]


def test_a_correct_response_leads_to_a_further_question_in_a_new_dialogue(env: NextNumber) -> None:
    env.reset(options={"instance": "5"})
    env.step("?")
    observation, reward, terminated, truncated, info = env.step("6")
    assert (reward, terminated, truncated) == (1.0, False, False)
    assert observation["text"] == "What follows 6?\nAttempt 1 of 3."
    assert (info["attempt"], info["attempts_left"], info["is_correct"], info["is_success"]) == (0, 3, True, False)
    assert len(info["messages"]) == 1


def test_the_last_correct_response_is_the_success(env: NextNumber) -> None:
    env.reset(options={"instance": "5"})
    env.step("6")
    _, reward, terminated, truncated, info = env.step("7")
    assert (reward, terminated, truncated, info["is_success"]) == (1.0, True, False, True)


def test_the_last_attempt_is_graded_and_terminates(env: NextNumber) -> None:
    env.reset(options={"instance": "5"})
    results = [env.step(answer)[:4] for answer in ("?", "?", "6")]
    assert [result[1:] for result in results] == [(0.0, False, False), (0.0, False, False), (1.0, False, False)]
    results = [env.step("?")[1:4] for _ in range(3)]
    assert results == [(0.0, False, False), (0.0, False, False), (0.0, True, False)]


def test_after_the_end_a_reset_is_needed(env: NextNumber) -> None:
    for _ in range(3):
        env.step("?")
    with pytest.raises(ResetNeeded, match="reset"):
        env.step("?")


def test_before_the_first_reset_a_reset_is_needed() -> None:
    with pytest.raises(ResetNeeded, match="reset"):
        NextNumber().step("6")


def test_info_has_the_same_keys_and_types_from_the_first_reset_to_the_end(env: NextNumber) -> None:
    _, info = env.reset(options={"instance": "5"})
    types = {key: type(value) for key, value in info.items()}
    assert type(None) not in types.values()
    for answer in ("?", "6", "7"):
        assert {key: type(value) for key, value in env.step(answer)[4].items()} == types


def test_changing_the_messages_in_info_changes_nothing_in_the_environment(env: NextNumber) -> None:
    _, info = env.reset(options={"instance": "5"})
    info["messages"][0]["content"] = "changed"
    info["messages"].clear()
    assert env.messages == [{"role": "user", "content": "What follows 5?\nAttempt 1 of 3."}]


@pytest.mark.parametrize("action", [None, 7, b"6", ["6"], {"text": "6"}, float("nan")])
def test_an_action_that_is_no_string_is_an_empty_response(env: NextNumber, action: Any) -> None:
    env.reset(options={"instance": "5"})
    info = env.step(action)[4]
    assert info["failure"] == "wrong"
    assert info["messages"][1] == {"role": "assistant", "content": ""}


def test_a_lone_surrogate_in_a_response_can_be_encoded_in_the_dialogue(env: NextNumber) -> None:
    info = env.step("\ud800")[4]
    assert info["messages"][1]["content"].encode() == "\ufffd".encode()


def test_step_draws_nothing(env: NextNumber) -> None:
    before = env.np_random.bit_generator.state
    env.step("?")
    env.step(env.expert_response())
    assert env.np_random.bit_generator.state == before


def test_a_given_instance_without_a_seed_draws_from_its_id_alone(env: NextNumber) -> None:
    before = env.np_random.bit_generator.state
    env.reset(options={"instance": "5"})
    first = env.drawn
    other = NextNumber()
    other.reset(options={"instance": "5"})
    assert other.drawn == first
    assert env.np_random.bit_generator.state == before
    env.reset(options={"instance": "6"})
    assert env.drawn != first


def test_a_given_instance_with_a_seed_draws_from_the_seed(env: NextNumber) -> None:
    env.reset(seed=3, options={"instance": "5"})
    first = env.drawn
    env.reset(seed=4, options={"instance": "5"})
    assert env.drawn != first
    env.reset(seed=3, options={"instance": "5"})
    assert env.drawn == first


def test_unknown_reset_options_are_named(env: NextNumber) -> None:
    with pytest.raises(ValueError, match=r"reset options \['instnace'\] are unknown; accepted: 'instance'"):
        env.reset(options={"instnace": "5"})


def test_an_unknown_render_mode_is_named() -> None:
    with pytest.raises(ValueError, match=r"render_mode='rgb': expected None or one of \['ansi'\]"):
        NextNumber(render_mode="rgb")


def test_ansi_rendering_shows_the_dialogue() -> None:
    env = NextNumber(render_mode="ansi")
    env.reset(options={"instance": "5"})
    env.step("four")
    assert env.render() == (
        "[environment]\nWhat follows 5?\nAttempt 1 of 3.\n\n[policy]\nfour\n\n[environment]\nNo.\nAttempt 2 of 3."
    )


def test_without_a_render_mode_nothing_is_rendered(env: NextNumber) -> None:
    assert env.render() is None
