"""The one-file PPO on numeric environments: it learns, keeps to masks, and reads what the environments have."""

import json
from functools import partial

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium import spaces

from cleanrl_ppo import Agent, Arguments, Reader, evaluate, mask_of, policy, train
from verienv.numeric import make_vec
from verienv.numeric.vectors.base import NumericVector

TINY = {"envs": 4, "rollout": 16, "steps": 128, "evaluations": 1, "episodes": 6, "width": 16}
WORDS_ID, VISION_ID = "verienv/GeneralPoints-Tokens-v0", "verienv/GeneralPoints-VL-Tokens-v0"


def test_a_tiny_run_writes_what_it_did(tmp_path) -> None:
    settings = (("cards=3", "strict_mask=true"), ("attempts=1",))
    result = train(Arguments(out=tmp_path, settings=settings, **TINY))
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [64, 128]
    assert [point["step"] for point in result["curve"]] == [0, 128]
    assert json.loads((tmp_path / "result.json").read_text()) == json.loads(json.dumps(result))
    assert set(result["random"]) == {"train", "test"}
    assert (tmp_path / "agent.pt").exists()


def test_the_same_seed_gives_the_same_run(tmp_path) -> None:
    runs = [train(Arguments(out=tmp_path / name, settings=(("cards=3",),), **TINY)) for name in ("a", "b")]
    assert runs[0]["curve"] == runs[1]["curve"]


@pytest.mark.parametrize(
    ("env", "settings"),
    [
        (WORDS_ID, ("cards=3", "strict_mask=true", "attempts=1")),
        ("verienv/VIRL-Discrete-v0", ("turns=[1,2]", "window=2")),
    ],
)
def test_the_curve_is_that_of_single_environments(tmp_path, monkeypatch, env, settings) -> None:
    """Losses and returns at each update, the weights, and the evaluations after them, to the last digit."""
    made = {"arrays": make_vec, "single": partial(gym.make_vec, vectorization_mode="sync")}
    runs, curves, kinds = [], [], []
    for name, make in made.items():
        monkeypatch.setattr(
            "cleanrl_ppo.make_vec", lambda *given, m=make, **kw: kinds.append(m(*given, **kw)) or kinds[-1]
        )
        runs.append(train(Arguments(env=env, out=tmp_path / name, settings=(settings,), **(TINY | {"steps": 320}))))
        lines = [json.loads(line) for line in (tmp_path / name / "log.jsonl").read_text().splitlines()]
        curves.append([{**line, "steps_a_second": None} for line in lines])
    assert [isinstance(kind, NumericVector) for kind in kinds] == [True, False]
    assert len(curves[0]) == 5
    assert sum(line["episodes"] for line in curves[0]) > 10
    assert curves[0] == curves[1]
    assert runs[0]["curve"] == runs[1]["curve"]
    weights = [torch.load(tmp_path / name / "agent.pt") for name in made]
    assert all(torch.equal(weights[0][key], weights[1][key]) for key in weights[0])


@pytest.mark.slow
def test_it_learns_three_cards(tmp_path) -> None:
    settings = (("cards=3", "strict_mask=true"), ("attempts=1",))
    result = train(Arguments(out=tmp_path, settings=settings, steps=60_000, evaluations=1, episodes=300))
    assert result["curve"][-1]["train"]["success"][0] > 4 * result["random"]["train"]["success"][0]


@pytest.mark.parametrize("channels_first", ["true", "false"])
def test_pictures_go_through_the_eye(tmp_path, channels_first) -> None:
    settings = (("image_size=96", "resize=48", f"channels_first={channels_first}", "cards=3", "attempts=1"),)
    result = train(Arguments(env=VISION_ID, out=tmp_path, settings=settings, splits=("visual_ood",), **TINY))
    assert result["curve"][-1]["visual_ood"]["problems"] > 1


def test_every_part_of_a_dictionary_is_laid_out_flat() -> None:
    space = spaces.Dict(
        {
            "a": spaces.Box(0, 1, (2, 3), np.float32),
            "b": spaces.Discrete(4, start=1),
            "c": spaces.MultiBinary(2),
            "image": spaces.Box(0, 255, (20, 30, 3), np.uint8),
        }
    )
    reader = Reader(space, "cpu")
    batch = {
        "a": np.full((5, 2, 3), 0.5, np.float32),
        "b": np.full(5, 2),
        "c": np.ones((5, 2), np.int8),
        "image": np.arange(5 * 20 * 30 * 3).reshape(5, 20, 30, 3).astype(np.uint8),
    }
    flat, picture = reader(batch, 5)
    assert reader.width == flat.shape[1] == 12
    assert flat[0].tolist() == [0.5] * 6 + [0, 1, 0, 0] + [1, 1]
    assert reader.picture_shape() == tuple(picture.shape[1:]) == (3, 20, 30)
    assert picture[1, 2, 3, 4] == batch["image"][1, 3, 4, 2]


def test_a_forbidden_action_is_never_taken_and_has_no_part_in_the_entropy() -> None:
    reader = Reader(spaces.Box(0, 1, (3,), np.float32), "cpu")
    agent = Agent(reader, 5, 8)
    mask = torch.tensor([[True, False, True, False, False]])
    distribution, _ = agent(torch.rand(1, 3), torch.zeros(1, 0), mask)
    assert distribution.probs[0, ~mask[0]].eq(0).all()
    assert 0 < distribution.entropy().item() <= np.log(2) + 1e-6


def test_an_environment_without_a_mask_allows_all() -> None:
    assert mask_of({}, 2, 3).tolist() == [[True] * 3] * 2
    assert mask_of({"action_mask": np.array([1, 0, 1], np.int8)}, 1, 3).tolist() == [[True, False, True]]


def test_evaluation_counts_returns_and_success_and_keeps_to_the_mask() -> None:
    env = gym.make(WORDS_ID, cards=3, strict_mask=True, attempts=2)
    experts = []

    def expert(_, mask):
        if not experts:
            experts.extend(env.unwrapped.expert_actions())
        token = experts.pop(0)
        assert mask[0, token]
        return token

    found = evaluate(env, expert, 12, seed=0)
    assert (found["return"][0], found["success"][0]) == (5.0, 1.0)
    reader = Reader(env.observation_space, "cpu")
    agent = Agent(reader, int(env.action_space.n), 8)
    for greedy in (True, False):
        choose = policy(agent, reader, greedy, torch.Generator().manual_seed(0))
        assert evaluate(env, choose, 4, seed=0)["return"][0] >= -2.0  # two wrong values at worst: nothing illegal
