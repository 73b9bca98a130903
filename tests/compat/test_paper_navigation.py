"""The paper's id of V-IRL, held to facts that were read from its own code at commit 5a6ea55."""

import inspect
import json
import random

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.error import ResetNeeded
from tests.virl.paper_data.paper_folders import folder, mapped, route

import verienv.compat.paper  # noqa: F401 - it registers the id
from verienv.compat.paper.navigation import PaperNavigation

ENV_ID = "gym_virl/Navigation-v0"
ARGUMENTS = {
    "route_info_path": inspect.Parameter.empty,
    "relocation": False,
    "drop_rate": 0.0,
    "straight_line_length": 2,
    "resolution": 1200,
    "verify_iter": 0,
    "platform_cfg": None,
    "navigator_cfg": None,
    "platform_save_dir": None,
    "language_only": True,
    "absolute_action": True,
}
KEYS = [
    "global_instruction",
    "current_instruction",
    "instruction_idx",
    "gt_action",
    "current_obs",
    "obs_act_seq",
    "Verify Info",
    "is_success",
]


@pytest.fixture
def data(tmp_path):
    return folder(tmp_path / "nyc")


@pytest.fixture
def env(data):
    env = gym.make(ENV_ID, route_info_path=str(data / "route_infos.json"), verify_iter=2)
    random.seed(42)
    env.reset(seed=42, options={"route_idx": 1})
    return env


def answer(action, observation="No landmark is near."):
    return json.dumps({"current observation": observation, "current instruction": "?", "action": action})


def walked(env):
    """Walk the route as its info says; return the infos."""
    infos = [env.reset(options={"route_idx": 1})[1]]
    while True:
        _, reward, terminated, truncated, info = env.step(answer(infos[-1]["gt_action"]))
        infos.append(info)
        assert (reward, truncated) == (1.0, False)
        if terminated:
            return infos


def test_arguments_have_the_names_and_defaults_of_the_papers_code():
    parameters = list(inspect.signature(PaperNavigation).parameters.values())
    assert {each.name: each.default for each in parameters} == ARGUMENTS


def test_info_has_the_papers_keys_in_order(env):
    for info in (env.reset()[1], env.step("?")[4]):
        assert list(info) == KEYS


def test_following_the_info_leads_to_the_end_with_success(env):
    infos = walked(env)
    assert infos[-2]["gt_action"] == "stop()"
    assert [info["is_success"] for info in infos] == [True] * len(infos)


def test_the_evaluator_knows_a_correct_action_by_its_words(env):
    assert all("Correct action" in info["Verify Info"] for info in walked(env)[1:])


def test_the_sequence_holds_what_was_observed_and_done_and_ends_with_what_is_due(env):
    first, second, *_ = walked(env)
    assert first["obs_act_seq"] == f"O_1: {first['current_obs']}\nA_1: \n"
    done = f"O_1: {first['current_obs']}\nA_1: {first['gt_action']}\n"
    assert second["obs_act_seq"] == f"{done}O_2: {second['current_obs']}\nA_2: \n"


def test_instructions_are_counted_from_one_but_at_the_reset(env):
    numbers = [info["instruction_idx"] for info in walked(env)]
    assert numbers[:2] == [0, 2] or numbers[:2] == [0, 1]
    assert sorted(numbers) == numbers


def test_instructions_are_numbered_lines(env):
    lines = env.reset(options={"route_idx": 1})[1]["global_instruction"].split("\n")
    assert [line.split(". ")[0] for line in lines[:-1]] == [str(number) for number in range(1, len(lines))]
    assert lines[-1] == ""


@pytest.mark.parametrize(
    ("observation", "reward"), [("No landmarks nearby", -1.0), ("You observe an intersection", -1.5), (7, -1.0)]
)
def test_a_wrong_action_costs_more_where_an_intersection_is_said(env, observation, reward):
    assert env.step(answer("jump()", observation))[1:4] == (reward, False, False)


def test_that_is_so_at_an_intersection_too(env):
    info = env.reset(options={"route_idx": 1})[1]
    while "intersection" not in info["current_obs"]:
        info = env.step(answer(info["gt_action"]))[4]
    assert env.step(answer("jump()", info["current_obs"]))[1] == -1.5


def test_the_step_after_the_last_answer_truncates_and_is_no_success(env):
    for _ in range(2):
        assert env.step("?")[4]["is_success"]
    _, reward, terminated, truncated, info = env.step("?")
    assert (reward, terminated, truncated, info["is_success"]) == (-1.0, False, True, False)
    assert info["Verify Info"] == "Exceed maximum verify steps"


def test_at_the_destination_that_terminates_too(env):
    info = env.reset(options={"route_idx": 1})[1]
    while info["gt_action"] != "stop()":
        info = env.step(answer(info["gt_action"]))[4]
    for _ in range(2):
        env.step("?")
    assert env.step("?")[1:4] == (-1.0, True, True)


def test_answers_are_counted_anew_at_each_waypoint(env):
    info = env.reset(options={"route_idx": 1})[1]
    for _ in range(3):
        env.step("?")
        info = env.step(answer(info["gt_action"]))[4]
    assert info["is_success"]


def test_a_step_after_the_end_is_refused(env):
    for _ in range(3):
        env.step("?")
    with pytest.raises(ResetNeeded):
        env.step("?")


def test_routes_are_drawn_by_random_alone(env):
    def drawn(seed):
        random.seed(7)
        return [env.reset(seed=seed)[1]["global_instruction"] for _ in range(5)]

    assert drawn(1) == drawn(2)


def test_routes_and_first_headings_after_a_seed_are_those_of_the_papers_code(tmp_path):
    names, near = ("Prince St", "Joe", "MoMA"), ((40.7230, -73.9965), (40.7230001, -73.9965), (40.7252, -73.9978))
    routes = [route(names), route(names, first=90), route((None, None, "End")), route(names, near)]
    data = folder(tmp_path / "nyc", [routes, len(routes)])
    env = PaperNavigation(str(data), verify_iter=2, drop_rate=0.5, straight_line_length=5)
    random.seed(12)
    drawn = []
    for _ in range(8):
        env.reset()
        at = env._question.route
        drawn.append((int(at.id.rpartition(":")[2]), at.waypoints[0].heading))
    assert drawn == [(3, 137), (1, 90), (3, 227), (3, 311), (2, 353), (0, 281), (3, 281), (0, 126)]


def test_a_route_with_a_defect_is_never_drawn(tmp_path):
    data = folder(tmp_path / "nyc", [[{}, route(), {}], 3])
    env = gym.make(ENV_ID, route_info_path=str(data), verify_iter=2)
    assert len({env.reset()[1]["global_instruction"].partition("\n")[2] for _ in range(9)}) == 1


def test_where_a_route_says_no_heading_the_first_turn_is_told_from_a_random_one(env):
    told = {env.reset(options={"route_idx": 0})[1]["global_instruction"].split("\n")[0] for _ in range(40)}
    assert len(told) > 1


def test_under_the_relative_rule_turns_are_left_and_right(data):
    env = gym.make(ENV_ID, route_info_path=str(data), verify_iter=2, absolute_action=False)
    turns = {info["gt_action"] for info in walked(env) if info["gt_action"].startswith("turn")}
    assert turns
    assert all("left" in turn or "right" in turn for turn in turns)


def test_in_words_there_is_no_observation(env):
    assert env.reset()[0] is None


def test_observations_are_four_views_with_a_line_between(tmp_path):
    from PIL import Image

    data = folder(tmp_path / "nyc", [[route()], 1], mapped())
    for picture in (data / "street_views").glob("*.jpg"):
        Image.new("RGB", (512, 256), "gray").save(picture)
    env = gym.make(
        ENV_ID, route_info_path=str(data / "route_infos.json"), verify_iter=2, resolution=64, language_only=False
    )
    seen, info = env.reset(options={"route_idx": 0})
    assert env.observation_space.shape == seen.shape == (133, 133, 3)
    assert seen.dtype == np.uint8
    assert "the view in the picture" in info["obs_act_seq"]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"verify_iter": 0}, "verify_iter=0: expected an integer from 1 to 64"),
        ({"absolute_action": "yes"}, "absolute_action='yes': expected True or False"),
        ({"route_info_path": ""}, "expected the path of route_infos.json"),
        ({"resolution": 4096}, "resolution=4096: expected an integer from 64 to 2048"),
    ],
)
def test_an_argument_that_cannot_be_is_refused(data, wrong, told):
    with pytest.raises(ValueError, match=told):
        PaperNavigation(**{"route_info_path": str(data), "verify_iter": 2, **wrong})


@pytest.mark.parametrize("index", [9, -1, "0", None])
def test_a_route_that_is_not_there_is_refused(env, index):
    with pytest.raises(ValueError, match=r"route_idx=.*: cannot be played"):
        env.reset(options={"route_idx": index})
