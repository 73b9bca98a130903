"""V-IRL in numbers: the same episodes, rewards and verdicts as in text, and no more than the text tells."""

import pickle
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.error import ResetNeeded
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AsyncVectorEnv, SyncVectorEnv, VectorEnv
from numpy.typing import NDArray
from tests.virl.routes import reader

from verienv.numeric.navigation import VIRLDiscrete, make, make_vision
from verienv.numeric.sentences import ACTIONS, KINDS, layout, read_sentences, sentences_followed
from verienv.virl import COMPASS, TURNS, action_space, write_answer
from verienv.virl.env import VIRLEnv
from verienv.virl.routes.route import Route, Waypoint
from verienv.virl.routes.sampler import shipped_plans
from verienv.virl.world.geometry import POSITIONS

PARTS = {"montevideo-centre": "train", "montevideo-north": "test", "astana": "visual_ood", "helsinki": "visual_ood"}
DIRECTIONS = ("both", "absolute", "relative", "landmarks")
SETTINGS: list[dict[str, Any]] = [
    {},
    {"split": "rule_ood"},
    {"split": "rule_visual_ood", "both": True, "directions": "relative"},
    {"side": "all", "directions": "landmarks", "pointer": False, "prompt": "diverse"},
    {"city": "grid-7", "turns": (2, 3), "directions": "absolute", "window": 2, "attempts": 5},
    {"city": "organic-1", "side": "test", "spacing": 15.0, "attempts": 1, "rewards": "binary_format", "strict": True},
]
STREETS = layout(0)["streets"]


class Numbers:
    """An observation, read by the names of its parts."""

    def __init__(self, state: NDArray[np.float32]) -> None:
        assert state.dtype == np.float32
        self._state, self._layout = state, layout((len(state) - 104) // 27)

    def __getitem__(self, part: str) -> Any:
        return self._state[self._layout[part]]

    def word(self, part: str, words: tuple[str, ...]) -> str:
        marks = np.flatnonzero(self[part])
        assert len(marks) <= 1
        return words[marks[0]] if len(marks) else ""


class Only:
    """A sampler of one route."""

    def __init__(self, route: Route) -> None:
        self._route = route

    def deal(self, rng: np.random.Generator) -> str:
        return self._route.id

    def route(self, instance: str) -> Route:
        return self._route


def act(state: NDArray[np.float32], actions: tuple[str, ...]) -> int:
    """A policy of the numbers alone that knows how routes are told, as ``reader`` is one of the text."""
    seen, first = Numbers(state), 0
    walked = seen.word("last_action", ACTIONS) == "forward()"
    kind, landmark = seen.word("0/kind", KINDS), seen["0/landmark"][0]
    crossing = seen["at_intersection"][0] or kind == "arrive"
    if walked and kind in ("walk", "arrive") and crossing and (not landmark or seen["0/in_place"][0]):
        first = 1
    kind = seen.word(f"{first}/kind", KINDS)
    if kind != "turn":
        return actions.index("stop()" if kind == "stop" else "forward()")
    compass, side = seen.word(f"{first}/compass", COMPASS), seen.word(f"{first}/turn", TURNS)
    ways = [(int(place), int(word)) for place, word in np.argwhere(seen["streets"].reshape(8, 8))]
    if ways:
        side_of = {k: reader.TURN_OF.get(position, "") for k, position in enumerate(POSITIONS)}
        if compass:
            ways = [way for way in ways if COMPASS[way[1]] == compass and POSITIONS[way[0]] != "behind"]
        elif side:
            ways = [way for way in ways if side_of[way[0]] == side]
        else:
            now = POSITIONS.index(seen.word("position", POSITIONS))
            eighths = now - POSITIONS.index(seen.word(f"{first}/position", POSITIONS))
            ways = [way for way in ways if way[0] not in (0, 4) and (way[0] - eighths + 1) % 8 <= 2]
        assert len(ways) == 1
        compass, side = COMPASS[ways[0][1]], side_of[ways[0][0]]
    return actions.index(f"turn_direction({side if seen['relative'][0] else compass})")


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_gymnasiums_checker_is_content(settings: dict[str, Any]) -> None:
    check_env(make(**settings), skip_render_check=True)  # any warning is an error in these tests


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_random_episodes_earn_what_their_counterparts_in_text_earn(settings: dict[str, Any]) -> None:
    rng, env = np.random.default_rng(0), make(**settings, info="text")
    text = VIRLEnv(**{key: value for key, value in settings.items() if key not in ("both", "pointer", "window")})
    for episode in range(20):
        state, info = env.reset(seed=episode)
        kinds, over = {key: type(value) for key, value in info.items()}, False
        _, told = text.reset(seed=episode)
        while not over:
            assert env.observation_space.contains(state)
            assert info["action_mask"].sum() == len(action_space(text.config.actions))
            action = env.expert_action() if rng.random() < 0.8 else int(rng.integers(len(env.actions)))
            answer = write_answer(text.waypoint, action=env.actions[action])
            state, reward, over, cut, info = env.step(np.int64(action))
            _, owed, over_in_text, _, told = text.step(answer)
            assert (reward, over, cut) == (owed, over_in_text, False)
            assert type(reward) is float
            assert {key: type(value) for key, value in info.items()} == kinds
            assert {key: info[key] for key in told if key != "messages"} == {
                key: value for key, value in told.items() if key != "messages"
            }
        with pytest.raises(ResetNeeded):
            env.step(0)


@pytest.mark.parametrize("actions", ["absolute", "relative"])
@pytest.mark.parametrize("directions", DIRECTIONS)
@pytest.mark.parametrize("part", PARTS)
def test_a_reader_of_the_numbers_alone_walks_the_shipped_routes(part: str, directions: str, actions: str) -> None:
    """What the text tells that matters is in the numbers."""
    env = make(split=PARTS[part], directions=directions, actions=actions, attempts=1, window=2)
    plans = shipped_plans(part)
    for index in range(0, len(plans), 1 if len(plans) < 100 else 20):
        if directions == "landmarks" and not plans[index].by_landmarks:
            continue
        state, _ = env.reset(options={"instance": f"virl:{part}:{index}"})
        over = False
        while not over:
            state, _, over, _, info = env.step(act(state, env.actions))
        assert info["is_success"], index


def test_the_same_text_gives_the_same_numbers() -> None:
    """They tell no more than the text: not where the agent looks, nor what is due, nor what lies ahead."""
    env, twin = make(), make()
    for seed in range(10):
        state, _ = env.reset(seed=seed)
        over = False
        while not over:
            route, passed = env.game.route, env.game.passed
            place = env.game.waypoint
            turned = replace(
                place,
                heading=place.heading + 90,
                landmark_bearing=place.landmark_bearing + 90,
                move="stop",
                sentence="",
            )
            ahead = (Waypoint(landmark="Elsewhere", at_intersection=True),) * 3
            other = replace(route, waypoints=(*route.waypoints[:passed], turned, *ahead))
            twin.game._sampler = Only(other)
            twin.reset(seed=0)
            for _ in range(passed):
                twin.step(twin.expert_action())
            assert np.array_equal(twin._state(), state)
            state, _, over, _, _ = env.step(env.expert_action())


def test_that_a_walk_has_ended_is_for_the_policy_to_see() -> None:
    env, ends = make(split="visual_ood"), 0
    for seed in range(10):
        state, _ = env.reset(seed=seed)
        walking, over = "", False
        while not over:
            seen = Numbers(state)
            if walking and env.game.waypoint.sentence != walking:
                ends += 1
                assert seen.word("0/kind", KINDS) in ("walk", "arrive")
                assert seen.word("1/kind", KINDS) in ("turn", "walk", "stop")
            walking = env.game.waypoint.sentence if env.game.waypoint.move == "forward" else ""
            state, _, over, _, _ = env.step(env.expert_action())
    assert ends > 20


def test_the_pointer_follows_the_sentence_that_the_expert_follows() -> None:
    for part, split in PARTS.items():
        env = VIRLEnv(split=split)
        for index in range(0, len(shipped_plans(part)), 7):
            route = env._sampler.route(f"virl:{part}:{index}")
            sentences, _ = read_sentences(route.instructions)
            for place, (led, followed) in zip(
                route.waypoints, sentences_followed(sentences, route.waypoints), strict=True
            ):
                assert route.instructions[followed] == place.sentence
                assert followed - led in (0, 1)


def test_without_a_pointer_all_sentences_are_told_from_the_first_and_never_move() -> None:
    env, told = make(pointer=False), layout()
    state, _ = env.reset(seed=3)
    first = [state[told[f"{k}/kind"]].copy() for k in range(24)]
    assert sum(kind.sum() for kind in first) == len(env.game.route.instructions)
    for _ in range(5):
        state, *_ = env.step(env.expert_action())
        assert all(np.array_equal(state[told[f"{k}/kind"]], first[k]) for k in range(24))


def test_a_route_of_more_sentences_than_the_window_needs_a_pointer() -> None:
    with pytest.raises(ValueError, match=r"window=3: the route virl:\S+ has \d+ sentences; set a larger window, or po"):
        make(pointer=False, window=3, turns=(3, 6)).reset(seed=0)


def test_wrong_actions_are_remembered_until_a_correct_one() -> None:
    env, told = make(attempts=3), layout()
    env.reset(seed=1)
    due = env.expert_action()
    wrong = [action for action in range(10) if action != due][:2]
    for number, action in enumerate(wrong, 1):
        state, reward, over, _, _ = env.step(action)
        assert (reward, over) == (-1.0, False)
        assert set(np.flatnonzero(state[told["tried"]])) == {ACTIONS.index(env.actions[k]) for k in wrong[:number]}
        assert state[told["attempts_left"]] == pytest.approx(1 - number / 3)
    state, reward, *_ = env.step(due)
    assert reward == 1.0
    assert not state[told["tried"]].any()
    assert np.flatnonzero(state[told["last_action"]]) == [ACTIONS.index(env.actions[due])]


def test_both_rules_share_one_action_space_in_which_the_others_turns_are_wrong() -> None:
    for split, mask in (("test", [1] * 10 + [0] * 4), ("rule_ood", [1] + [0] * 8 + [1] * 5)):
        env = make(split=split, both=True, attempts=1, info="text")
        _, info = env.reset(seed=0)
        assert env.action_space.n == 14
        assert info["action_mask"].tolist() == mask == env.action_masks().tolist()
        *_, info = env.step(mask.index(0))
        assert info["failure"] == "outside_action_space"


def test_the_actions_of_the_absolute_rule_keep_their_numbers_when_both_are_offered() -> None:
    assert make(both=True).actions[:10] == make().actions == action_space("absolute")
    assert make(split="rule_ood").actions == action_space("relative")


def test_seeds_fix_everything_and_a_pickled_copy_goes_on_alike() -> None:
    env, other = make(), make()
    assert np.array_equal(env.reset(seed=5)[0], other.reset(seed=5)[0])
    env.step(env.expert_action())
    copy = pickle.loads(pickle.dumps(env))  # noqa: S301 - written a moment ago
    assert np.array_equal(copy.step(copy.expert_action())[0], env.step(env.expert_action())[0])
    assert np.array_equal(copy.reset()[0], env.reset()[0])


KINDS_OF_VECTORS: dict[str, Callable[..., VectorEnv[Any, Any, Any]]] = {
    "sync": SyncVectorEnv,
    "async": partial(AsyncVectorEnv, context="forkserver"),
}


@pytest.mark.parametrize("kind", KINDS_OF_VECTORS)
def test_a_policy_of_numbers_walks_whole_routes_in_vector_environments(kind: str) -> None:
    envs = KINDS_OF_VECTORS[kind]([partial(make, turns=(1, 2))] * 3)
    try:
        states, infos = envs.reset(seed=[1, 2, 3])
        assert infos["action_mask"].shape == (3, 10)
        ended = 0
        while ended < 6:
            states, rewards, over, _, infos = envs.step(
                np.array([act(state, action_space("absolute")) for state in states])
            )
            assert set(rewards.tolist()) <= {0.0, 1.0}
            ended += int(over.sum())
        assert infos["progress"].dtype == np.float64
    finally:
        envs.close()


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"windows": 3}, "unknown setting 'windows' .did you mean 'window'?"),
        ({"window": 0}, "window=0: expected an integer from 1 to 256"),
        ({"pointer": 1}, "pointer=1: input should be a valid boolean"),
        ({"split": "rule"}, "split='rule': expected one of train, test"),
        ({"resize": 84}, "resize and channels_first are for V-IRL with pictures"),
    ],
)
def test_wrong_settings_are_errors_of_one_line(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said) as caught:
        make(**settings)
    assert "\n" not in str(caught.value)


def test_the_dialogue_is_rendered_as_text_or_as_a_picture() -> None:
    env, shown = make("ansi"), make("rgb_array")
    for each in (env, shown):
        each.reset(seed=0)
        each.step(1)
    assert "turn_direction(north)" in env.render()
    assert shown.render().shape == (480, 640, 3)
    assert make().render() is None


def test_other_environments_and_actions_are_refused() -> None:
    with pytest.raises(ValueError, match="expected an environment of V-IRL"):
        VIRLDiscrete(gym.make("verienv/GeneralPoints-L-v0"))
    env = make()
    env.reset(seed=0)
    for action in (-1, 10):
        with pytest.raises(ValueError, match=r"expected an integer from 0 to 9"):
            env.step(action)


def test_with_pictures_the_picture_is_shown_and_what_it_shows_is_not_told() -> None:
    env = make_vision(view_size=64, resize=(40, 48), channels_first=True, both=True)
    check_env(env, skip_render_check=True)
    shown = [
        at
        for part, at in layout().items()
        if part in ("landmark", "position", "at_intersection", "streets") or part.endswith(("in_view", "in_place"))
    ]
    seen, _ = env.reset(seed=0)
    over = False
    while not over:
        assert seen["image"].shape == (3, 40, 48)
        assert not any(seen["state"][at].any() for at in shown)
        seen, reward, over, _, _ = env.step(env.expert_action())
        assert reward == 1.0


def test_with_pictures_a_picture_is_reduced_by_averages_and_whole_otherwise() -> None:
    whole, small = make_vision(view_size=64), make_vision(view_size=64, resize=22)
    one, other = whole.reset(seed=2)[0]["image"], small.reset(seed=2)[0]["image"]
    assert one.shape == (132, 132, 3)
    means = one.reshape(22, 6, 22, 6, 3).mean(axis=(1, 3))
    assert np.abs(means - other).max() <= 1


def test_a_pointer_with_pictures_needs_a_history_that_tells_it() -> None:
    with pytest.raises(ValueError, match="pointer=True: the text tells it with history='oracle' alone"):
        make_vision(view_size=64, history="none")
    make_vision(view_size=64, history="none", pointer=False).reset(seed=0)


def test_with_pictures_the_junction_hint_is_told() -> None:
    env, crossing = make_vision(view_size=64, junction_hint=True), layout()["at_intersection"]
    seen, _ = env.reset(seed=1)
    met = set()
    for _ in range(8):
        assert bool(seen["state"][crossing][0]) == env.game.waypoint.at_intersection
        met.add(env.game.waypoint.at_intersection)
        seen, *_ = env.step(env.expert_action())
    assert met == {True, False}
