"""V-IRL by vision as an environment: what the picture shows, what the text does not tell."""

import json
import re
from collections.abc import Iterator
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from numpy.typing import NDArray

from verienv.core.bounded_cache import BoundedCache
from verienv.core.spaces import PRINTABLE
from verienv.virl import SPLITS
from verienv.virl.env import VIRLEnv
from verienv.virl.pictures import street_views
from verienv.virl.pictures.panorama import grid, view
from verienv.virl.prompts import LONGEST_WORDS, PICTURE, describe_streets
from verienv.virl.routes.route import Waypoint
from verienv.virl.routes.sampler import CITIES, shipped_plans
from verienv.virl.vision_env import VIRLVisionEnv
from verienv.virl.world.city import City
from verienv.virl.world.geometry import EARTH_RADIUS, Point, wrap_angle

ENV_ID = "verienv/VIRL-VL-v0"
SMALL: dict[str, Any] = {"view_size": 96}


def make(**settings: Any) -> VIRLVisionEnv:
    return VIRLVisionEnv(**{**SMALL, **settings})


@pytest.mark.parametrize(
    "settings",
    [
        *({"split": split} for split in SPLITS),
        {"city": "grid-7", "visual": "night", "junction_hint": True},
        {"directions": "landmarks", "history": "own", "writable_image": True},
        {"view_size": (64, 128), "fov": 60.0, "pitch": 10.0, "history": "none"},
    ],
    ids=str,
)
def test_gymnasiums_checker_is_content(settings: dict[str, Any]) -> None:
    check_env(gym.make(ENV_ID, **{**SMALL, **settings}).unwrapped)  # any warning is an error in these tests


@pytest.fixture
def blank_streets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every panorama is of one colour, which costs no time; what others have drawn stays as it is."""
    monkeypatch.setattr(street_views, "_panoramas", BoundedCache(0))
    monkeypatch.setattr(street_views, "_lots", lambda city: None)
    monkeypatch.setattr(street_views, "draw_panorama", lambda *args: np.full((2, 4, 3), 77, np.uint8))


def play_with_pictures(env: VIRLVisionEnv, instance: str) -> None:
    """Let the expert walk a route; it must succeed, and the text beside the instructions tell nothing of what is seen.

    The environment's history is "none": the lines of it are actions alone.
    """
    observation, info = env.reset(options={"instance": instance})
    over = False
    while not over:
        asked = observation["text"].partition("\nSteps so far:\n")[2]
        history, _, now = asked.rpartition("\nNow: ")
        told = describe_streets(env.waypoint) if env.config.directions != "both" else ""
        assert now.partition("\n")[0] == " ".join(filter(None, [PICTURE, told]))
        assert not re.search(r"is (on|in front of|behind) you|intersection", asked)
        assert not env.waypoint.landmark or not re.search(rf"\b{re.escape(env.waypoint.landmark)}\b", asked), instance
        assert all(re.fullmatch(r"none|(forward|turn_direction)\([a-z ]*\)", line) for line in history.split("\n"))
        observation, reward, over, _, info = env.step(env.expert_response())
        assert reward == env.best_reward
        assert info["is_correct"], instance
        assert info["observation_correct"], instance
    assert info["is_success"], instance


@pytest.mark.parametrize("directions", ["both", "landmarks"])
@pytest.mark.parametrize("actions", ["absolute", "relative"])
@pytest.mark.parametrize("city", CITIES)
@pytest.mark.usefixtures("blank_streets")
def test_the_expert_with_pictures_succeeds_in_every_city_under_every_rule(
    city: str, actions: str, directions: str
) -> None:
    for side, part in CITIES[city].items():
        env = make(view_size=64, city=city, side=side, actions=actions, directions=directions, history="none")
        plans = [number for number, plan in enumerate(shipped_plans(part)) if plan.by_landmarks]
        for number in plans[:: len(plans) // 10]:
            play_with_pictures(env, f"virl:{part}:{number}")


@pytest.mark.parametrize("actions", ["absolute", "relative"])
@pytest.mark.parametrize("city", CITIES)
@pytest.mark.usefixtures("blank_streets")
@pytest.mark.slow
def test_the_expert_with_pictures_succeeds_on_every_shipped_route_that_landmarks_tell(city: str, actions: str) -> None:
    for side, part in CITIES[city].items():
        env = make(view_size=64, city=city, side=side, actions=actions, directions="landmarks", history="none")
        for number, plan in enumerate(shipped_plans(part)):
            if plan.by_landmarks:
                play_with_pictures(env, f"virl:{part}:{number}")


def waypoints(count: int, **settings: Any) -> Iterator[tuple[City, Waypoint]]:
    """At least so many waypoints of random routes at which a landmark is said to be on one side, and their city."""
    env, found = VIRLEnv(**settings), 0
    env.reset(seed=11)
    while found < count:
        assert env.city is not None
        sides = [each for each in env.route.waypoints if re.search(r" is on your (left|right)", each.observation)]
        yield from ((env.city, waypoint) for waypoint in sides)
        found += len(sides)
        env.reset()


def metres(start: Point, end: NDArray[np.float64]) -> NDArray[np.float64]:
    """East and north in metres, on a plane that touches the earth at ``start``; ``end`` is in degrees, n x 2."""
    north, east = np.radians(end - np.array(start)).T * EARTH_RADIUS
    return np.stack([east * np.cos(np.radians(start[0])), north], axis=1)


@pytest.mark.parametrize(
    "settings",
    [
        *({"city": city, "side": side} for city, sides in CITIES.items() for side in sides),
        {"city": "organic-3", "side": "all"},
    ],
    ids=lambda settings: "-".join(settings.values()),
)
def test_a_landmark_that_is_said_to_be_on_one_side_is_seen_there(settings: dict[str, Any]) -> None:
    poses = list(waypoints(100, **settings))
    assert len(poses) >= 100
    for city, waypoint in poses:
        label, _, told = waypoint.observation.partition(" is on your ")
        side = told.split()[0].rstrip(".")
        away = metres(waypoint.location, np.array([place.location for place in city.places]))
        nearest = int(np.hypot(*away.T).argmin())
        assert city.places[nearest].label == label
        east, north = away[nearest]
        ahead = np.radians(waypoint.heading)
        rightwards = east * np.cos(ahead) - north * np.sin(ahead)
        assert (rightwards > 0) == (side == "right")
        panorama = np.zeros((64, 720, 3), np.uint8)  # lit where the place stands
        panorama[:, round(np.degrees(np.arctan2(east, north)) * 2) % 720] = 255
        seen = grid(panorama, waypoint.heading, size=(32, 360), line=0)
        left = (seen[:32, :180], seen[32:, 180:360], seen[32:, 360:])  # of front, of back, and the view to the left
        lit = sum(int(part.sum()) for part in left) / int(seen.sum())
        assert (lit < 0.01) if side == "right" else (lit > 0.99)


@pytest.mark.parametrize("pitch", [0.0, 10.0])
def test_pictures_are_numpys_to_the_pixel_whatever_is_installed(pitch: float) -> None:
    env = make(pitch=pitch)
    env.reset(seed=3)
    panorama, rotation = env.panorama
    arguments: dict[str, Any] = {"size": (96, 96), "pitch": pitch, "rotation": rotation, "engine": "numpy"}
    assert np.array_equal(env.pictures[0], grid(panorama, env.waypoint.heading, **arguments))


@pytest.mark.parametrize("split", SPLITS)
def test_the_expert_succeeds_and_every_step_shows_its_picture(split: str) -> None:
    env = make(split=split)
    for seed in range(2):
        observation, info = env.reset(seed=seed)
        over = False
        while not over:
            assert env.observation_space.contains(observation)
            assert observation["image"].shape == (196, 196, 3)
            assert not observation["image"].flags.writeable
            assert set(observation["text"]) <= set(PRINTABLE)
            observation, reward, over, _, info = env.step(env.expert_response())
            assert reward == env.best_reward
        assert info["is_success"]


def test_what_is_seen_is_not_told() -> None:
    env = make(history="none")
    env.reset(seed=0)
    over = False
    while not over:
        asked = env.messages[0]["content"][1]["text"]
        told = asked.partition("\nSteps so far:\n")[2]
        assert "is on your" not in told
        assert "intersection" not in told
        assert env.waypoint.landmark not in told or not env.waypoint.landmark
        assert "four views" in told
        *_, over, _, _ = env.step(env.expert_response())


def test_the_message_holds_a_place_for_the_picture() -> None:
    env = make()
    env.reset(seed=0)
    assert [part["type"] for part in env.messages[0]["content"]] == ["image", "text"]
    assert [picture.shape for picture in env.pictures] == [(196, 196, 3)]


def test_a_turn_shows_the_same_panorama_from_another_heading() -> None:
    env = make(turns=(2, 2))
    env.reset(seed=1)
    while env.waypoint.move != "turn":
        env.step(env.expert_response())
    before, place = env.panorama[0], env.waypoint.location
    env.step(env.expert_response())
    assert env.waypoint.location == place
    assert env.panorama[0] is before


def test_the_four_views_are_front_right_back_and_left() -> None:
    env = make()
    env.reset(seed=3)
    picture, (panorama, rotation) = env.pictures[0], env.panorama
    corners = [(0, 0), (0, 100), (100, 0), (100, 100)]
    for number, (row, column) in enumerate(corners):
        turned = wrap_angle(env.waypoint.heading + 90 * number)
        expected = view(panorama, turned, size=(96, 96), rotation=rotation, engine="numpy")
        assert (picture[row : row + 96, column : column + 96] == expected).all()


def test_the_junction_hint_tells_whether_streets_cross() -> None:
    env = make(junction_hint=True)
    env.reset(seed=0)
    over, seen = False, set()
    while not over:
        hint = "You are at an intersection." in env.view
        assert hint == env.waypoint.at_intersection
        assert ("You are not at an intersection." in env.view) != hint
        seen.add(hint)
        *_, over, _, _ = env.step(env.expert_response())
    assert seen == {True, False}


@pytest.mark.parametrize(
    ("history", "line"),
    [("oracle", "{truth} -> {action}"), ("own", "I see a shop -> {action}"), ("none", "{action}")],
)
def test_the_history_says_what_earlier_steps_are_said_to_have_shown(history: str, line: str) -> None:
    env = make(history=history)
    env.reset(seed=0)
    truth, action = env.waypoint.observation, env.waypoint.action
    observation, *_ = env.step(f'{{"current observation": "I \\u0000 see\\n a shop", "action": "{action}"}}')
    told = observation["text"].partition("\nSteps so far:\n")[2].partition("\nNow: ")[0]
    assert told == line.format(truth=truth, action=action)


@pytest.mark.parametrize("said", ["x" * 9999, "\u202e\ud800", ["a"], None, ""])
def test_whatever_a_policy_says_the_history_stays_short_and_printable(said: Any) -> None:
    env = make(history="own")
    env.reset(seed=0)
    observation, *_ = env.step(json.dumps({"current observation": said, "action": env.waypoint.action}))
    assert env.observation_space.contains(observation)
    line = observation["text"].partition("\nSteps so far:\n")[2].partition("\nNow: ")[0]
    assert len(line) <= LONGEST_WORDS + 40


def test_an_unseen_city_and_another_look_of_a_city_are_other_pictures_of_the_same_routes() -> None:
    day, night = make(), make(visual="night")
    _, info = day.reset(seed=0)
    night.reset(options={"instance": info["instance"]})
    assert day.route == night.route
    assert day.pictures[0].shape == night.pictures[0].shape
    assert (day.pictures[0] != night.pictures[0]).mean() > 0.5


def test_words_and_sight_deal_the_same_routes() -> None:
    words, sight = VIRLEnv(split="rule_ood"), make(split="rule_ood")
    for seed in range(5):
        assert words.reset(seed=seed)[1]["instance"] == sight.reset(seed=seed)[1]["instance"]


def test_rendering_gives_the_picture() -> None:
    env = gym.make(ENV_ID, render_mode="rgb_array", **SMALL)
    observation, _ = env.reset(seed=0)
    assert np.array_equal(env.render(), observation["image"])  # type: ignore[arg-type]


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"visual": "dawn"}, "visual='dawn': expected one of default"),
    ({"view_size": 32}, "view_size=32: expected (height, width), each an integer from 64 to 1024 px"),
    ({"fov": 10.0}, "fov=10.0: expected a number from 30 to 120"),
    ({"history": "all"}, "history='all'"),
    ({"panoramas": "no/such/folder"}, "no/such/folder"),
    ({"tim": "day"}, "unknown setting 'tim' (did you mean 'time'?"),
]


@pytest.mark.parametrize(("settings", "message"), WRONG, ids=str)
def test_a_wrong_setting_is_named_with_what_is_accepted(settings: dict[str, Any], message: str) -> None:
    with pytest.raises((ValueError, FileNotFoundError), match=re.escape(message)) as raised:
        VIRLVisionEnv(**settings)
    assert "\n" not in str(raised.value)
