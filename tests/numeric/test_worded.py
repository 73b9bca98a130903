"""Numeric environments over questions that are worded and answered in the user's own way."""

import gymnasium as gym
import pytest

import verienv  # noqa: F401 - registers the environments

TOKENS = ("verienv/GeneralPoints-Tokens-v0", "verienv/GeneralPoints-VL-Tokens-v0")
WALKS = ("verienv/VIRL-Discrete-v0",)


class Mine:
    instruction = "End with the answer behind a colon."

    def read(self, response):
        return response.rpartition(":")[2].strip()


class Writing(Mine):
    def write(self, fields):
        return f"So: {fields.get('formula') or fields.get('action')}"


def played(env_id, **settings):
    """Play an episode as the expert does; return the environment."""
    env = gym.make(env_id, disable_env_checker=True, **settings).unwrapped
    env.reset(seed=1)
    over = False
    while not over:
        for action in env.expert_actions() if env_id in TOKENS else [env.expert_action()]:
            observation, _, over, _, _ = env.step(action)
            assert observation in env.observation_space
    return env


@pytest.mark.parametrize("env_id", [*TOKENS, *WALKS])
@pytest.mark.parametrize(
    "settings",
    [
        {"answer_format": "tags"},
        {"answer_format": "boxed"},
        {"answer_format": "line", "info": "text"},
        {"answer_format": Writing()},
        {"system_prompt": "Be brief.", "think_first": True, "feedback": "none"},
        {"rewards": lambda verdict: 2.0 * verdict.is_correct},
    ],
    ids=["tags", "boxed", "line", "own", "wording", "rewards"],
)
def test_expert_solves_in_numbers_whatever_the_wording(env_id, settings):
    assert played(env_id, **settings).info["is_success"]


@pytest.mark.parametrize("env_id", [*TOKENS, *WALKS])
def test_format_that_writes_no_answers_is_refused_when_the_environment_is_made(env_id):
    with pytest.raises(ValueError, match=r"answer_format=.*in numbers the environment writes each answer itself"):
        gym.make(env_id, answer_format=Mine())


@pytest.mark.parametrize("env_id", TOKENS)
def test_observations_have_one_shape_under_every_answer_format(env_id):
    spaces = [gym.make(env_id, answer_format=form).observation_space for form in ("json", "tags", "boxed+number")]
    assert spaces[0] == spaces[1] == spaces[2]
