"""The instruction and the true observations are enough: a reader of the text alone walks every route."""

import json
from typing import Any

import pytest
from tests.virl.routes import reader

from verienv.virl import SPLITS
from verienv.virl.env import VIRLEnv
from verienv.virl.routes.sampler import shipped_plans

PARTS = {"montevideo-centre": "train", "montevideo-north": "test", "astana": "visual_ood", "helsinki": "visual_ood"}
DIRECTIONS = ("both", "absolute", "relative", "landmarks")
RULES = ("absolute", "relative")


def walk(env: VIRLEnv, instance: str) -> bool:
    observation, info = env.reset(options={"instance": instance})
    over = False
    while not over:
        answer = json.dumps({"action": reader.read(observation["text"])})
        observation, _, over, _, info = env.step(answer)
        if not info["is_correct"]:
            return False
    return bool(info["is_success"])


def walked(part: str, directions: str, every: int, **settings: Any) -> None:
    for actions in RULES:
        env = VIRLEnv(split=PARTS[part], actions=actions, directions=directions, attempts=1, **settings)
        plans = shipped_plans(part)
        chosen = [k for k in range(0, len(plans), every) if directions != "landmarks" or plans[k].by_landmarks]
        assert chosen
        failed = [k for k in chosen if not walk(env, f"virl:{part}:{k}")]
        assert not failed, (part, directions, actions, failed)


@pytest.mark.parametrize("directions", DIRECTIONS)
@pytest.mark.parametrize("part", PARTS)
def test_a_reader_of_the_text_alone_walks_the_shipped_routes(part: str, directions: str) -> None:
    walked(part, directions, every=1 if len(shipped_plans(part)) < 100 else 12)


@pytest.mark.parametrize("spacing", [15.0, 23.7, 100.0, 1000.0])
def test_no_spacing_makes_a_sentence_ambiguous(spacing: float) -> None:
    for part in PARTS:
        walked(part, "relative", every=1 if len(shipped_plans(part)) < 100 else 29, spacing=spacing)


@pytest.mark.slow
@pytest.mark.parametrize("spacing", [15.0, 40.0, 200.0])
@pytest.mark.parametrize("directions", DIRECTIONS)
@pytest.mark.parametrize("part", PARTS)
def test_a_reader_of_the_text_alone_walks_every_shipped_route(part: str, directions: str, spacing: float) -> None:
    walked(part, directions, every=1, spacing=spacing)


@pytest.mark.parametrize("city", ["grid-3", "radial-1", "organic-2"])
@pytest.mark.parametrize("directions", DIRECTIONS)
def test_a_reader_of_the_text_alone_walks_planned_routes(city: str, directions: str) -> None:
    for actions in RULES:
        env = VIRLEnv(city=city, directions=directions, actions=actions)
        env.reset(seed=1)
        for _ in range(8):
            instance = env.instance
            assert walk(env, instance), (instance, actions)
            env.reset()


@pytest.mark.parametrize("split", SPLITS)
def test_the_reader_fails_where_it_is_told_the_wrong_rule(split: str) -> None:
    """What makes the check above one that can fail."""
    env = VIRLEnv(split=split)
    observation, _ = env.reset(seed=0)
    other = "north" if env.config.actions == "relative" else "left"
    told = (
        observation["text"].replace("x is one of", f"x is one of {other},") if other == "north" else observation["text"]
    )
    if other == "left":
        told = told.replace("north", "n0rth")
    over = False
    while not over:
        observation, _, over, _, info = env.step(json.dumps({"action": reader.read(told)}))
        told = (
            observation["text"].replace("north", "n0rth")
            if other == "left"
            else observation["text"].replace("x is one of", "x is one of north,")
        )
    assert not info["is_success"]
