"""GeneralPoints by vision as an environment: its contracts, for every split and every look."""

import copy
import gc
import json
import pickle
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

import verienv  # noqa: F401 - registers the ids
from verienv.generalpoints import VISION_SPLITS, VISUALS, Visual, draw, solutions
from verienv.generalpoints.cards import BLACK, RED
from verienv.generalpoints.pictures.drawing import Table
from verienv.generalpoints.vision_env import GeneralPointsVisionEnv

ENV_ID = "verienv/GeneralPoints-VL-v0"
SETTINGS: list[dict[str, Any]] = [
    *({"split": split} for split in VISION_SPLITS),
    *({"visual": look, "suits": "all"} for look in VISUALS),
    {"image_size": [96, 200], "cards": 6, "arrangement": "grid", "side": "all"},
    {"image_size": 1600, "cards": 3, "writable_image": True},
    {"sampling": "iid", "face_cards": "force", "prompt": "diverse", "attempts": 1, "deck": {"hearts": "gold"}},
]
INSTANCE = "generalpoints:4-3-2-K:24"


def make(**settings: Any) -> GeneralPointsVisionEnv:
    return GeneralPointsVisionEnv(**settings)


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_gymnasiums_checker_is_content(settings: dict[str, Any]) -> None:
    check_env(gym.make(ENV_ID, **settings).unwrapped)  # any warning is an error in these tests


@pytest.mark.parametrize("render_mode", ["ansi", "rgb_array"])
def test_gymnasiums_checker_is_content_with_every_render_mode(render_mode: str) -> None:
    check_env(gym.make(ENV_ID, render_mode=render_mode).unwrapped)


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_an_observation_is_a_text_without_the_cards_and_a_picture_of_them(settings: dict[str, Any]) -> None:
    env = make(**settings)
    height, width = env.config.image_size
    for seed in range(5):
        observation, info = env.reset(seed=seed)
        assert observation in env.observation_space
        assert observation["image"].shape == (height, width, 3)
        assert "in the picture" in observation["text"]
        assert not any(f"{rank}, " in observation["text"].split("Make")[0] for rank in env.puzzle.ranks)
        drawn = draw(env.puzzle.cards, env.config.appearance, env.config.image_size, info["jitter"])
        assert np.array_equal(observation["image"], drawn)
        json.dumps(info)


def test_instance_suits_and_jitter_in_info_are_enough_to_draw_the_picture_again() -> None:
    env = make(visual="scattered", suits="all")
    observation, info = env.reset(seed=4)
    ranks = info["instance"].split(":")[1].split("-")
    cards = [rank + suit for rank, suit in zip(ranks, info["suits"], strict=True)]
    assert np.array_equal(draw(cards, Visual.of("scattered"), jitter=info["jitter"]), observation["image"])


@pytest.mark.parametrize("split", VISION_SPLITS)
def test_no_card_of_the_other_colour_is_ever_dealt(split: str) -> None:
    allowed = set(RED if split in ("visual_ood", "rule_visual_ood") else BLACK)
    env, met = make(split=split), set()
    for seed in range(1500):
        info = env.reset(seed=seed)[1]
        met |= set(info["suits"])
        assert set(info["suits"]) <= allowed
        assert len(set(env.puzzle.cards)) == 4
    for hand in env._mixture._samplers[0].hands[:200]:
        info = env.reset(options={"instance": f"generalpoints:{'-'.join(hand)}:24"})[1]
        assert set(info["suits"]) <= allowed
    assert met == allowed


def test_the_splits_differ_in_colour_and_rule_as_the_paper_has_it() -> None:
    named = {split: make(split=split).config for split in VISION_SPLITS}
    assert {split: (config.side, config.rule.name, config.suits) for split, config in named.items()} == {
        "train": ("train", "ten", "black"),
        "test": ("test", "ten", "black"),
        "rule_ood": ("test", "rank", "black"),
        "visual_ood": ("test", "ten", "red"),
        "rule_visual_ood": ("test", "rank", "red"),
    }


def test_suits_come_up_alike() -> None:
    env = make(suits="all")
    met = Counter(suit for seed in range(2000) for suit in env.reset(seed=seed)[1]["suits"])
    assert all(abs(count - 2000) < 150 for count in met.values())
    assert len(met) == 4


def test_an_explicit_setting_beats_the_looks_and_the_splits() -> None:
    config = make(split="visual_ood", visual="scattered", rotation=5.0, suits="all").config
    assert (config.arrangement, config.rotation, config.suits) == ("scattered", 5.0, "all")
    assert config.appearance == Visual(arrangement="scattered", rotation=5.0)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"visual": "foggy"}, r"visual='foggy': expected one of default, four_color"),
        ({"visual": ["noisy"]}, r"visual=\['noisy'\]: expected one of default"),
        ({"split": "ood"}, r"split='ood': expected one of train, test, rule_ood, visual_ood, rule_visual_ood"),
        ({"image_size": 95}, r"image_size=95: expected \(height, width\), each an integer from 96 to 1600"),
        ({"image_size": (336,)}, r"image_size=\(336,\): expected"),
        ({"image_size": (336.0, 336)}, r"image_size=\(336.0, 336\): expected"),
        ({"image_size": "large"}, r"image_size='large': expected"),
        ({"image_size": True}, r"image_size=True: expected"),
        ({"rotation": 90.0}, r"rotation=90.0"),
        ({"deck": "nowhere"}, r"deck='nowhere': expected one of classic"),
        ({"look": "noisy"}, r"unknown setting 'look'"),
        ({"writable_image": 1}, r"writable_image=1"),
    ],
)
def test_a_wrong_setting_is_an_error_of_one_line_that_names_what_is_accepted(
    settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        gym.make(ENV_ID, **settings)
    assert "\n" not in str(caught.value)


def test_a_user_deck_that_lacks_faces_is_refused_when_the_environment_is_made(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"lacks 52 of 52 faces"):
        gym.make(ENV_ID, deck=str(tmp_path))


# --- pairs


@pytest.mark.parametrize("visual", VISUALS)
@pytest.mark.parametrize("split", ["rule_ood", "visual_ood", "rule_visual_ood", "test"])
def test_the_same_instance_in_every_look_and_rule_is_the_same_hand(visual: str, split: str) -> None:
    here, there = (make(side="all", image_size=96, **other) for other in ({}, {"split": split, "visual": visual}))
    pairs = 0
    for seed in range(12):
        instance = there.reset(seed=seed)[1]["instance"]
        if here.config.dealing.holds(there.puzzle.ranks):
            there.reset(options={"instance": instance})
            here.reset(options={"instance": instance})
            assert there.puzzle.ranks == here.puzzle.ranks
            assert there.question.jitter == here.question.jitter
            assert there.instance == here.instance == instance
            to_black = {"D": "C", "H": "S"}
            there_suits = [to_black.get(card[-1], card[-1]) for card in there.puzzle.cards]
            assert there_suits == [card[-1] for card in here.puzzle.cards]
            pairs += 1
    assert pairs >= 5


def test_a_pair_that_compares_rules_shows_one_picture_and_differs_in_the_rule_alone() -> None:
    ten, rank = make(side="all", prompt="diverse"), make(side="all", prompt="diverse", rule="rank")
    seen = {env.config.rule.name: env.reset(options={"instance": INSTANCE})[0] for env in (ten, rank)}
    assert np.array_equal(seen["ten"]["image"], seen["rank"]["image"])
    assert seen["ten"]["text"] != seen["rank"]["text"]
    restated = seen["ten"]["text"].replace("J = 10, Q = 10, K = 10", "J = 11, Q = 12, K = 13")
    assert restated == seen["rank"]["text"]


@pytest.mark.parametrize("other", [{"visual": "wood"}, {"suits": "red"}, {"visual": "noisy"}, {"deck": "flat"}])
def test_a_pair_that_compares_looks_has_one_text_and_two_pictures(other: dict[str, Any]) -> None:
    here, there = (
        make(side="all", prompt="diverse", **settings).reset(options={"instance": INSTANCE})[0]
        for settings in ({}, other)
    )
    assert here["text"] == there["text"]
    assert not np.array_equal(here["image"], there["image"])


def test_a_pair_that_compares_phrasings_shows_one_picture() -> None:
    here, there = (
        make(visual="scattered", prompt=prompt).reset(options={"instance": INSTANCE})[0]
        for prompt in ("default", "diverse")
    )
    assert np.array_equal(here["image"], there["image"])


def test_a_hand_that_two_suits_cannot_show_is_refused() -> None:
    with pytest.raises(ValueError, match="suits black"):
        make().reset(options={"instance": "generalpoints:3-3-3-8:24"})
    assert make(suits="all").reset(options={"instance": "generalpoints:3-3-3-8:24"})[1]["suits"]


# --- pictures in memory


def test_a_step_does_not_draw_again(monkeypatch: pytest.MonkeyPatch) -> None:
    env, drawn = make(), []
    draw_table = Table.draw
    monkeypatch.setattr(Table, "draw", lambda *args: drawn.append(1) or draw_table(*args))
    first, _ = env.reset(seed=0)
    seen = [env.step("wrong")[0]["image"] for _ in range(5)]
    assert drawn == [1]
    assert all(np.array_equal(image, first["image"]) for image in seen)


def test_pictures_are_read_only_unless_asked_otherwise() -> None:
    for writable in (False, True):
        env = make(writable_image=writable)
        for observation in (env.reset(seed=0)[0], env.step("wrong")[0]):
            assert observation["image"].flags.writeable is writable
        assert not env.pictures[0].flags.writeable


def test_writing_into_an_observation_changes_nothing_else() -> None:
    env = make(writable_image=True)
    first, _ = env.reset(seed=0)
    before = first["image"].copy()
    first["image"][:] = 0
    assert np.array_equal(env.step("wrong")[0]["image"], before)
    assert np.array_equal(env.pictures[0], before)


def test_no_two_observations_share_memory() -> None:
    env = make()
    seen = [env.reset(seed=0)[0], env.step("wrong")[0], env.step("wrong")[0], env.reset()[0]]
    images = [observation["image"] for observation in seen]
    assert not any(np.shares_memory(a, b) for number, a in enumerate(images) for b in images[:number])


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda env: pickle.loads(pickle.dumps(env))])  # noqa: S301
@pytest.mark.parametrize("visual", ["default", "scattered"])
def test_a_copy_goes_on_exactly_as_the_original_does(copied: Any, visual: str) -> None:
    env = make(visual=visual)
    env.reset(seed=5)
    twin = copied(env)
    for one, other in ((twin.step("x")[0], env.step("x")[0]), (twin.reset()[0], env.reset()[0])):
        assert one["text"] == other["text"]
        assert np.array_equal(one["image"], other["image"])


# --- reading, judging, showing


def test_the_expert_scores_maximal_on_every_hand_of_every_split() -> None:
    for split in VISION_SPLITS:
        env = make(split=split)
        for hand in env._mixture._samplers[0].hands:
            env.reset(options={"instance": f"generalpoints:{'-'.join(hand)}:24"})
            verdict = env.judge(env.expert_response())
            assert verdict.reward == env.best_reward == 5.0
            assert verdict.metrics["cards_read"] == 4


@pytest.mark.parametrize(
    ("cards", "formula", "reward", "failure", "read"),
    [
        (["4", "3", "2", "K"], "4*3+2+10", 5.0, "", 4),
        (["K", "2", "3", "4"], "4*3+2+10", 5.0, "", 4),
        (["4", "3", "2", "Q"], "4*3+2+10", -1.5, "misread", 3),
        (["A", "A", "A", "A"], "4*3+2+10", -1.5, "misread", 0),
        (["4", "3", "2"], "4*3+2+10", -1.5, "misread", 3),
        (["4", "3", "2", "K", "K"], "4*3+2+10", -1.5, "misread", 4),
        (["5", "6", "7", "8", "4", "3", "2", "K"], "4*3+2+10", -1.5, "misread", 0),
        (["4", "3", "2", "Q"], "4*3*2*10", -2.5, "misread", 3),
        (["4", "3", "2", "Q"], "4*3*2", -3.5, "misread", 3),
        (["4", "3", "2", "Q"], "4^3", -4.5, "misread", 3),
        (["4", "3", "2", "K"], "4*3*2", -2.0, "wrong_numbers", 4),
        (None, "4*3+2+10", -1.5, "misread", 0),
    ],
)
def test_reading_is_part_of_the_answer(cards: Any, formula: str, reward: float, failure: str, read: int) -> None:
    env = make()
    env.reset(options={"instance": INSTANCE})
    answer = {"formula": formula} | ({} if cards is None else {"cards": cards})
    _, paid, over, _, info = env.step(json.dumps(answer))
    assert (paid, info["failure"], info["cards_read"]) == (reward, failure, read)
    assert over is info["is_correct"] is (not failure)
    assert info["cards_correct"] is (read == 4 and cards is not None and len(cards) == 4)


def test_info_keeps_its_keys_and_types() -> None:
    env = make(prompt="diverse", suits="all")
    kinds = {key: type(value) for key, value in env.reset(seed=0)[1].items()}
    assert type(None) not in kinds.values()
    assert {"suits": str, "jitter": int, "cards_read": int, "cards_correct": bool}.items() <= kinds.items()
    for response in ("", env.wrong_response("misread", env.np_random), env.expert_response()):
        assert {key: type(value) for key, value in env.step(response or "")[4].items()} == kinds


def test_the_messages_hold_a_placeholder_where_the_picture_is() -> None:
    env = make()
    observation, info = env.reset(seed=0)
    (question,) = info["messages"]
    assert question["content"] == [{"type": "image"}, {"type": "text", "text": observation["text"]}]
    assert len(env.pictures) == 1
    assert np.array_equal(env.pictures[0], observation["image"])
    assert len(env.step("wrong")[4]["messages"]) == 3


def test_neither_text_nor_info_tells_more_of_the_hand_than_the_instance_does() -> None:
    env = make()
    for seed in range(20):
        observation, info = env.reset(seed=seed)
        told = observation["text"] + json.dumps({key: info[key] for key in info if key != "instance"})
        for solution in solutions(env.puzzle.values, 24):
            assert solution.minimal() not in told.replace(" ", "")


def test_rendering_gives_the_picture_or_the_dialogue() -> None:
    env = gym.make(ENV_ID, render_mode="rgb_array")
    observation, _ = env.reset(seed=0)
    assert np.array_equal(np.asarray(env.render()), observation["image"])
    told = gym.make(ENV_ID, render_mode="ansi")
    told.reset(seed=0)
    assert str(told.render()).startswith("[environment]\n[picture]\nMake 24")
    with pytest.raises(ValueError, match=r"render_mode='human': expected None or one of \['ansi', 'rgb_array'\]"):
        make(render_mode="human")


def play(env: GeneralPointsVisionEnv, episodes: int) -> None:
    for _ in range(episodes):
        env.reset()
        env.step('{"cards": ["A"], "formula": "1"}')


def test_an_episode_leaves_nothing_in_memory() -> None:
    env = make(image_size=96)
    play(env, 2000)
    gc.collect()
    before = sys.getallocatedblocks()
    play(env, 2000)
    gc.collect()
    assert sys.getallocatedblocks() - before < 500


@pytest.mark.slow
def test_memory_stays_flat_over_a_hundred_thousand_episodes() -> None:
    psutil = pytest.importorskip("psutil")
    env, process = make(image_size=96), psutil.Process()
    held = []
    for count in (5_000, 95_000):
        play(env, count)
        held.append(process.memory_info().rss)
    assert held[1] - held[0] < 4 * 2**20
