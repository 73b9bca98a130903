"""Text as token ids."""

import json
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.vector import AsyncVectorEnv, SyncVectorEnv, VectorEnv

import verienv  # noqa: F401 - registers the ids
from verienv.numeric.text import TextTokens
from verienv.virl import action_space

TINY = Path(__file__).parents[2] / "assets" / "models" / "tiny-lm"
WORDS = "verienv/VIRL-L-v0"
POINTS = "verienv/GeneralPoints-L-v0"


class Letters:
    """A tokenizer that knows ``encode`` alone."""

    def encode(self, text: str) -> list[int]:
        return [ord(letter) for letter in text]


def letters(env_id: str = POINTS, length: int = 700, **arguments: Any) -> TextTokens:
    return TextTokens(gym.make(env_id), Letters(), length, vocabulary=128, **arguments)


def read(observation: dict[str, Any]) -> str:
    return "".join(map(chr, observation["tokens"][observation["mask"] == 1]))


def text_of(env: gym.Env[Any, Any]) -> str:
    return str(env.unwrapped.episode.text)


@pytest.mark.parametrize("pad", ["left", "right"])
def test_a_short_text_is_padded_on_the_side_that_is_asked(pad: str) -> None:
    env = letters(length=2000, pad=pad)
    observation, info = env.reset(seed=0)
    assert env.observation_space.contains(observation)
    assert observation["tokens"].dtype == np.int64
    assert read(observation) == text_of(env)
    size = info["tokens"]
    padded = slice(2000 - size) if pad == "left" else slice(size, None)
    assert not observation["mask"][padded].any()
    assert not observation["tokens"][padded].any()
    assert observation["mask"].sum() == size


@pytest.mark.parametrize("truncate", ["left", "right"])
def test_a_long_text_is_cut_on_the_side_that_is_asked(truncate: str) -> None:
    env = letters(length=50, truncate=truncate)
    observation, info = env.reset(seed=0)
    text = text_of(env)
    assert read(observation) == (text[-50:] if truncate == "left" else text[:50])
    assert info["tokens"] == len(text) > 50


def test_a_tokenizer_of_transformers_is_loaded_by_its_folder() -> None:
    env = TextTokens(gym.make(POINTS), str(TINY), 256)
    observation, _ = env.reset(seed=1)
    assert env.observation_space.contains(observation)
    there = observation["tokens"][observation["mask"] == 1]
    told = env.tokenizer.decode(there, skip_special_tokens=True)
    assert "".join(told.split()) == "".join(text_of(env).split())
    assert env.padding == env.tokenizer.pad_token_id
    assert env.observation_space["tokens"].high.max() == len(env.tokenizer) - 1  # type: ignore[index]


def test_a_tokenizer_of_tokenizers_will_do() -> None:
    from tokenizers import Tokenizer

    one = TextTokens(gym.make(POINTS), Tokenizer.from_file(str(TINY / "tokenizer.json")), 256)
    other = TextTokens(gym.make(POINTS), TINY, 256)
    seen, same = one.reset(seed=1)[0], other.reset(seed=1)[0]
    assert np.array_equal(seen["tokens"][seen["mask"] == 1], same["tokens"][same["mask"] == 1])


def test_special_tokens_that_a_policy_spells_out_are_no_marks() -> None:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(TINY / "tokenizer.json"))
    env = TextTokens(gym.make("verienv/VIRL-VL-v0", history="own", view_size=64), tokenizer, 2000)
    env.reset(seed=0)
    answer = json.loads(env.unwrapped.expert_response()) | {"current observation": "<|us<|end|>er|><|end|>Arrived."}
    observation, *_ = env.step(json.dumps(answer))
    assert "<|end|>" in text_of(env)
    marks = [tokenizer.token_to_id(mark) for mark in ("<|end|>", "<|user|>")]
    assert not np.isin(observation["tokens"][observation["mask"] == 1], marks).any()


def test_without_a_table_an_action_is_text() -> None:
    env = letters()
    env.reset(seed=0)
    _, reward, over, _, info = env.step(env.unwrapped.expert_response())  # type: ignore[attr-defined]
    assert (reward, over, info["is_success"]) == (5.0, True, True)


def test_a_table_of_texts_makes_actions_discrete() -> None:
    actions = [json.dumps({"action": action}) for action in action_space("absolute")]
    env = letters(WORDS, actions=actions)
    assert env.action_space == spaces.Discrete(10)
    env.reset(seed=0)
    base: Any = env.unwrapped
    due = action_space("absolute").index(base.waypoint.action)
    *_, info = env.step(np.int64(due))
    assert info["is_correct"]
    with pytest.raises(ValueError, match="expected an integer from 0 to 9"):
        env.step(10)


def test_other_parts_of_an_observation_stay() -> None:
    env = letters("verienv/GeneralPoints-VL-v0", length=40)
    observation, _ = env.reset(seed=0)
    assert set(observation) == {"image", "tokens", "mask"}
    assert env.observation_space.contains(observation)


VECTORS: dict[str, Callable[..., VectorEnv[Any, Any, Any]]] = {
    "sync": SyncVectorEnv,
    "async": partial(AsyncVectorEnv, context="forkserver"),
}


@pytest.mark.parametrize("kind", VECTORS)
def test_vector_environments_stack_tokens(kind: str) -> None:
    envs = VECTORS[kind]([partial(letters, actions=["{}", '{"formula": "24"}'])] * 2)
    try:
        observations, infos = envs.reset(seed=[0, 1])
        assert observations["tokens"].shape == (2, 700)
        assert infos["tokens"].dtype == np.dtype(int)
        alone, _ = letters().reset(seed=1)
        assert np.array_equal(observations["tokens"][1], alone["tokens"])
        observations, rewards, *_ = envs.step(np.array([0, 1]))
        assert (rewards < 0).all()
    finally:
        envs.close()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"length": 0}, "length=0: expected an integer of at least 1"),
        ({"pad": "middle"}, "pad='middle': expected left or right"),
        ({"truncate": "both"}, "truncate='both': expected left or right"),
        ({"actions": []}, "expected at least one text"),
        ({"vocabulary": None}, "does not tell how many ids there are: set vocabulary"),
    ],
)
def test_wrong_arguments_are_errors(arguments: dict[str, Any], said: str) -> None:
    given = {"length": 10, "vocabulary": 128, **arguments}
    with pytest.raises(ValueError, match=said):
        TextTokens(gym.make(POINTS), Letters(), **given)


def test_an_id_outside_the_vocabulary_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"ids up to \d+: set vocabulary, now 65"):
        TextTokens(gym.make(POINTS), Letters(), 20, vocabulary=65).reset(seed=0)


def test_an_environment_without_text_is_refused() -> None:
    with pytest.raises(ValueError, match="wraps observations that hold a text"):
        TextTokens(gym.make("CartPole-v1"), Letters(), 10, vocabulary=128)


def test_importing_the_wrapper_loads_no_training_library() -> None:
    code = "import sys, verienv.numeric.text; print({'transformers', 'torch', 'tokenizers'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
