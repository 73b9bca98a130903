"""The line on attempts stands once in a prompt, whoever writes it."""

import gymnasium as gym
import pytest

import verienv

LINE = "Attempt 1 of 5."


@pytest.mark.parametrize(
    "prompt",
    [
        "default",
        "{cards} {rule} {target}",
        "{attempts} {cards} {rule} {target}",
        lambda slots: slots["cards"],
        lambda slots: f"{slots['attempts']} {slots['cards']}",
    ],
)
def test_the_attempts_are_told_once_in_every_prompt(prompt):
    observation, _ = gym.make("verienv/GeneralPoints-L-v0", prompt=prompt).reset(seed=0)
    assert observation["text"].count(LINE) == 1
    assert observation["text"].count("Attempt") == 1


def test_the_question_asks_for_the_reasoning_that_demonstrations_write():
    (row,) = verienv.demonstrations(
        "verienv/GeneralPoints-L-v0", n=1, think_first=True, steps=True, answer_format="tags"
    )
    (asked,), (said,) = row["prompt"], row["completion"]
    assert "Think step by step first" in asked["content"]
    assert said["content"].splitlines()[-1].startswith("<answer>")
    assert len(said["content"].splitlines()) == 4
