"""GeneralPoints in tokens: the rewards are the text environment's, and Gymnasium is content."""

import copy
import json
import pickle
from collections.abc import Callable
from functools import partial
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.error import ResetNeeded
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv, VectorEnv

import verienv  # noqa: F401 - registers the ids
from verienv import numeric
from verienv.generalpoints import parse_formula
from verienv.generalpoints.answers import write_answer
from verienv.generalpoints.env import GeneralPointsEnv
from verienv.numeric import GeneralPointsTokens
from verienv.numeric.tokens import make, make_vision

WORDS_ID, SIGHT_ID = "verienv/GeneralPoints-Tokens-v0", "verienv/GeneralPoints-VL-Tokens-v0"
SETTINGS: list[dict[str, Any]] = [
    {},
    {"cards": 3, "strict_mask": True, "split": "test"},
    {"observation": "dict", "attempts": 1, "split": "rule_ood"},
    {"cards": 5, "max_tokens": 15, "attempts": 2},
    {"rule": "rank", "stated_rule": "ten", "rewards": "binary"},
    {"rule": {"J": 99, "Q": 98, "K": 1}, "target": 100, "face_cards": "force", "attempts": 64},
]
SIGHT: list[dict[str, Any]] = [
    {"resize": 84},
    {"resize": [40, 60], "channels_first": True, "observation": "dict"},
    {"image_size": 96, "cards": 3, "strict_mask": True},
]


def random_formula(env: GeneralPointsTokens, rng: np.random.Generator, boldness: float) -> tuple[str, Any]:
    """One attempt of a policy that now and then takes any token; the formula handed in, and the last step."""
    while True:
        allowed = np.flatnonzero(env.action_masks())
        token = env.action_space.n if rng.random() < boldness else allowed
        step = env.step(rng.choice(token))
        if step[4]["judged"]:
            return step[4]["formula"], step


@pytest.mark.parametrize("boldness", [0.0, 0.1])
@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_an_episode_earns_what_its_counterpart_in_text_earns(settings: dict[str, Any], boldness: float) -> None:
    env, rng = make(**settings, info="text"), np.random.default_rng(0)
    own = ("observation", "strict_mask", "max_tokens")
    text = GeneralPointsEnv(**{name: value for name, value in settings.items() if name not in own})
    failures = set()
    for seed in range(60):
        env.reset(seed=seed)
        text.reset(seed=seed)
        over = False
        while not over:
            formula, (_, reward, over, _, info) = random_formula(env, rng, boldness)
            _, same_reward, same_over, _, same_info = text.step(write_answer(text.puzzle, formula))
            assert (reward, over) == (same_reward, same_over)
            assert all(info[key] == same_info[key] for key in same_info if key != "messages")
            failures.add(info["failure"])
        assert info["instance"] == text.instance
        assert "messages" not in info
    assert ("illegal" in failures) == (boldness > 0)
    assert "wrong_numbers" in failures or env.config.strict_mask


@pytest.mark.parametrize("cards", [3, 4, 5])
@pytest.mark.parametrize("strict_mask", [False, True])
def test_the_experts_tokens_are_allowed_and_solve(cards: int, strict_mask: bool) -> None:
    env = make(cards=cards, strict_mask=strict_mask, max_tokens=4 * cards - 5, rule="rank", stated_rule="ten")
    for seed in range(40 if cards < 5 else 5):
        env.reset(seed=seed)
        *begun, done = env.expert_actions()
        for token in begun:
            assert env.action_masks()[token]
            _, reward, over, _, _ = env.step(token)
            assert (reward, over) == (0.0, False)
        assert env.action_masks()[done]
        assert env.step(done)[1:3] == (5.0, True)


@pytest.mark.slow
def test_the_experts_tokens_solve_six_cards() -> None:
    env = make(cards=6)
    env.reset(seed=0)
    assert [env.step(token)[1] for token in env.expert_actions()][-1] == 5.0


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_gymnasiums_checker_is_content(settings: dict[str, Any]) -> None:
    check_env(gym.make(WORDS_ID, **settings).unwrapped)  # any warning is an error in these tests


@pytest.mark.parametrize("settings", SIGHT, ids=str)
def test_gymnasiums_checker_is_content_with_pictures(settings: dict[str, Any]) -> None:
    env = gym.make(SIGHT_ID, **settings).unwrapped
    check_env(env)
    observation, _ = env.reset(seed=0)
    assert {"ranks", "values"}.isdisjoint(observation)
    assert observation["image"].std() > 10


def test_the_picture_with_pictures_is_the_text_environments() -> None:
    env = make_vision()
    seen, _ = env.reset(seed=3)
    assert np.array_equal(seen["image"], env.game.pictures[0])
    env.reset(seed=3)
    first = make_vision(channels_first=True).reset(seed=3)[0]["image"]
    assert np.array_equal(first, seen["image"].transpose(2, 0, 1))
    assert env.step(env.action_space.n - 1)[4]["cards_read"] == 4


def test_the_parts_of_the_observation_tell_what_the_docstring_says() -> None:
    env = make(observation="dict", rule="rank", face_cards="force", attempts=2)
    parts, _ = env.reset(seed=1)
    puzzle = env.puzzle
    assert list(parts) == list(env.layout)
    assert parts["values"].tolist() == pytest.approx([value / 10 for value in puzzle.values])
    assert parts["rule"].tolist() == pytest.approx([1.1, 1.2, 1.3])
    assert parts["ranks"].argmax(axis=1).tolist() == [
        ("A", "2", "3", "4", "5", "6", "7", "8", "9", "10", "J", "Q", "K").index(rank) for rank in puzzle.ranks
    ]
    assert (parts["attempts_left"], parts["operand_next"], parts["failure"].sum()) == (1, 1, 0)
    for token in (8, 2, 4):  # "(", card 2, "+"
        parts = env.step(token)[0]
    assert parts["tokens"].argmax(axis=1)[:3].tolist() == [8, 2, 4]
    assert parts["tokens"].sum() == 3
    assert parts["used"].tolist() == [0, 0, 1, 0]
    assert (parts["filled"], parts["depth"], parts["operand_next"]) == (3 / 16, 1 / 16, 1)
    parts = env.step(10)[0]  # done too early: illegal
    assert [name for name, flag in zip(env.failures, parts["failure"], strict=True) if flag] == ["illegal"]
    assert (parts["tokens"].sum(), parts["used"].sum(), parts["attempts_left"]) == (0, 0, 0.5)


def test_the_flat_array_is_the_parts_in_order() -> None:
    flat, parts = make(), make(observation="dict")
    one, other = flat.reset(seed=4)[0], parts.reset(seed=4)[0]
    for token in (*flat.expert_actions()[:-1], 4):
        assert np.array_equal(one, np.concatenate([part.ravel() for part in other.values()]))
        one, other = flat.step(token)[0], parts.step(token)[0]


def test_a_policy_under_a_false_rule_is_told_the_stated_numbers_and_scored_by_the_others() -> None:
    env = make(observation="dict", rule="rank", stated_rule="ten", face_cards="force", info="text")
    parts, _ = env.reset(seed=0)
    assert parts["values"].max() == 1
    assert parts["rule"].tolist() == [1, 1, 1]
    formula = [env.step(token)[4]["formula"] for token in env.expert_actions()][-1]
    assert sorted(parse_formula(formula).expression.numbers) == sorted(env.puzzle.values)


@pytest.mark.parametrize("maker", [make, partial(make_vision, resize=24)])
def test_the_keys_and_types_of_info_never_change(maker: Callable[..., GeneralPointsTokens]) -> None:
    env, rng = maker(), np.random.default_rng(0)
    _, info = env.reset(seed=0)
    types = {key: type(value) for key, value in info.items()}
    assert info["action_mask"].dtype == np.int8
    for _ in range(300):
        _, _, over, truncated, info = env.step(rng.choice(np.flatnonzero(info["action_mask"])))
        assert {key: type(value) for key, value in info.items()} == types
        assert np.array_equal(info["action_mask"], env.action_masks())
        assert info["action_mask"].any()
        assert not truncated
        if over:
            with pytest.raises(ResetNeeded):
                env.step(0)
            _, info = env.reset()


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"strictmask": True}, "unknown setting 'strictmask' .did you mean 'strict_mask'.*attempts"),
        ({"attempts": 0}, "attempts=0: expected an integer from 1 to 64"),
        ({"observation": "flat"}, "observation='flat'"),
        ({"max_tokens": 10}, "max_tokens=10: expected an integer from 11 to 255 for 4 cards"),
        ({"resize": 84}, "here is no picture"),
        ({"resize": [3, 3]}, "resize=.*from 8 to 1600"),
    ],
)
def test_a_wrong_setting_is_one_line(settings: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence) as error:
        make(**settings)
    assert "\n" not in str(error.value)


def test_it_is_made_over_environments_of_generalpoints_alone() -> None:
    with pytest.raises(ValueError, match="expected an environment of GeneralPoints"):
        GeneralPointsTokens(gym.make("CartPole-v1"))


def test_an_action_outside_the_space_is_an_error_that_says_so() -> None:
    env = make()
    env.reset(seed=0)
    with pytest.raises(ValueError, match="from 0 to 10"):
        env.step(11)


def test_it_is_made_over_wrapped_environments_too() -> None:
    env = GeneralPointsTokens(gym.make("verienv/GeneralPoints-L-v0", cards=3, render_mode="ansi"))
    env.reset(seed=0)
    env.step(0)
    assert env.render().endswith(f"[formula so far]\n{env.puzzle.values[0]}")
    json.dumps(env.game.messages)


def test_words_can_be_rendered_as_a_picture_for_libraries_that_ask_for_one() -> None:
    env = gym.make(WORDS_ID, render_mode="rgb_array")
    env.reset(seed=0)
    before = env.render()
    env.step(0)
    assert before.shape == (480, 640, 3)
    assert before.std() > 10
    assert not np.array_equal(before, env.render())


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda env: pickle.loads(pickle.dumps(env))])  # noqa: S301
def test_a_copy_goes_on_exactly_as_the_original_does(copied: Any) -> None:
    env, rng = make(), np.random.default_rng(0)
    env.reset(seed=5)
    env.step(0)
    twin = copied(env)
    for _ in range(60):
        token = rng.choice(np.flatnonzero(env.action_masks()))
        one, other = env.step(token), twin.step(token)
        assert np.array_equal(one[0], other[0])
        assert one[1:4] == other[1:4]
        if one[2]:
            assert np.array_equal(env.reset()[0], twin.reset()[0])


KINDS: dict[str, Callable[..., VectorEnv[Any, Any, Any]]] = {
    "sync": SyncVectorEnv,
    "async": partial(AsyncVectorEnv, context="forkserver"),
}


@pytest.mark.parametrize("mode", list(AutoresetMode), ids=str)
@pytest.mark.parametrize("kind", KINDS)
def test_vectors_play_what_each_environment_plays_alone(kind: str, mode: AutoresetMode) -> None:
    vector = KINDS[kind]([partial(make, attempts=1)] * 3, autoreset_mode=mode)
    alone = [make(attempts=1) for _ in range(3)]
    try:
        observations, infos = vector.reset(seed=[1, 2, 1])
        first = [env.reset(seed=seed)[0] for env, seed in zip(alone, (1, 2, 1), strict=True)]
        assert np.array_equal(observations, first)
        assert infos["action_mask"].shape == (3, 11)
        assert infos["action_mask"].dtype == np.int8
        for tokens in ((0, 8, 0), (4, 0, 10)):
            observations, rewards, terminated, _, infos = vector.step(np.array(tokens))
            steps = [env.step(token) for env, token in zip(alone, tokens, strict=True)]
            assert rewards.tolist() == [step[1] for step in steps]
            assert terminated.tolist() == [step[2] for step in steps]
        over = alone[2].reset()[0] if mode == AutoresetMode.SAME_STEP else steps[2][0]
        assert np.array_equal(observations, [steps[0][0], steps[1][0], over])
        if mode == AutoresetMode.SAME_STEP:
            assert infos["final_info"]["judged"].tolist() == [False, False, True]
        assert np.array_equal(infos["action_mask"], [env.action_masks() for env in alone])
    finally:
        vector.close()


@pytest.mark.parametrize("name", numeric.__all__)
def test_every_public_name_of_the_wrappers_loads(name: str) -> None:
    assert getattr(numeric, name) is not None
    assert name in dir(numeric)


def test_a_spec_makes_the_environment_again() -> None:
    env = gym.make(WORDS_ID, cards=3, strict_mask=True)
    twin = gym.make(env.spec)
    assert np.array_equal(env.reset(seed=8)[0], twin.reset(seed=8)[0])


def test_tokens_play_with_fewer_operators_and_two_cards() -> None:
    env = gym.make("verienv/GeneralPoints-Tokens-v0", cards=2, operators="+*", target=12, side="all").unwrapped
    for seed in range(5):
        _, info = env.reset(seed=seed)
        assert [name for name, allowed in zip(env.token_names, info["action_mask"], strict=True) if allowed] == [
            "card 0", "card 1", "+", "(",
        ]  # fmt: skip
        rewards = [env.step(token)[1] for token in env.expert_actions()]
        assert rewards[-1] == 5.0


@pytest.mark.parametrize("settings", [{"numbers": (1, 99)}, {"largest_card": 19}])
def test_tokens_refuse_what_they_cannot_show(settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="tokens show the ranks from A to K alone: leave out numbers and largest_card"):
        gym.make("verienv/GeneralPoints-Tokens-v0", **settings)
