"""Free walks in the environment: on the route they are as on the rail; from anywhere the expert comes home."""

import json

import gymnasium as gym
import numpy as np
import pytest

from verienv.virl.actions import action_space
from verienv.virl.walking.measures import measure
from verienv.virl.walking.streets import Stand
from verienv.virl.world.geometry import COMPASS, distance

CITIES = {"montevideo": "train", "helsinki": "test", "astana": "test", "grid-3": "train"}
MORE = {"organic-2": "test", "radial-1": "train"}
RULES = ("absolute", "relative")


def made(mode="walk", city="montevideo", **settings):
    where = {"city": city, "side": (CITIES | MORE)[city]} | settings
    return gym.make("verienv/VIRL-L-v0", mode=mode, disable_env_checker=True, **where).unwrapped


def said(action):
    return json.dumps({"current observation": "?", "current instruction": "?", "action": action})


@pytest.mark.parametrize("actions", RULES)
@pytest.mark.parametrize("city", CITIES)
def test_without_a_mistake_a_walk_is_as_on_the_rail(city, actions):
    rail, walk = (made(mode, city, actions=actions) for mode in ("rail", "walk"))
    for seed in range(4):
        walk.reset(seed=seed)
        rail.reset(options={"instance": walk.instance})
        over = False
        while not over:
            assert walk.waypoint == rail.waypoint
            assert walk.question.steps == rail.question.steps
            assert walk.view.startswith(f"{rail.view} {walk.question.walk.left} actions are left; ")
            answer = rail.expert_response()
            assert walk.expert_response() == answer
            _, reward, over, _, info = rail.step(answer)
            _, paid, ended, _, told = walk.step(answer)
            assert (paid, ended, told["is_success"]) == (reward, over, info["is_success"])
            assert told["progress"] == pytest.approx(info["progress"])
        assert (told["is_success"], told["spl"], told["ndtw"]) == (True, pytest.approx(1), pytest.approx(1))


def comes_home(walk, counted):
    over = False
    while not over:
        assert counted > 0
        _, _, over, _, info = walk.step(walk.expert_response())
        counted -= 1
    assert (info["is_success"], counted) == (True, 0)


@pytest.mark.parametrize("recovery", ["route", "goal"])
@pytest.mark.parametrize("actions", RULES)
@pytest.mark.parametrize("city", CITIES)
def test_after_any_mistakes_the_expert_comes_home_in_as_many_actions_as_it_counts(city, actions, recovery):
    walk, rng = made(city=city, actions=actions, recovery=recovery), np.random.default_rng(0)
    wrong = [action for action in action_space(actions) if action != "stop()"]
    for seed in range(3):
        walk.reset(seed=seed)
        for _ in range(10):
            walk.step(said("forward()" if rng.random() < 0.5 else wrong[int(rng.integers(len(wrong)))]))
        now = walk.question.walk
        comes_home(walk, now.home.left(now.stand, now.at))


def expert_from_every_junction(city, actions, seeds, radius):
    walk = made(city=city, actions=actions)
    for seed in seeds:
        walk.reset(seed=seed)
        home, points = walk.question.walk.home, [one.location for one in walk.route.waypoints]
        streets = home.streets
        near = [
            (street, along)
            for number, node in enumerate(streets.city.nodes)
            if min(distance(node, point) for point in points) <= radius and streets.city.is_junction(number)
            for street, forward in streets.city.branches(number)[:1]
            for along in [0.0 if forward else streets.city.streets[street].length]
        ]
        assert near
        for street, along in near:
            stand, heading = Stand(street, along, along, 0, 0, float(hash((street, seed)) % 360)), None
            at, left = home.index(stand, astray=True), None
            for _ in range(400):
                now = home.left(stand, at)
                assert left is None or now == left - 1, (seed, street, heading)
                move = home.waypoint(stand, at).action
                if move == "stop()":
                    break
                left, stand = now, home.after(stand, at, move)
                at = home.index(stand, at or 0, astray=at is None, turned=move.startswith("turn"))
            assert streets.location(stand) == home.goal


@pytest.mark.parametrize("actions", RULES)
@pytest.mark.parametrize("city", CITIES)
def test_the_expert_comes_home_from_every_junction_nearby(city, actions):
    expert_from_every_junction(city, actions, [1], 150.0)


@pytest.mark.slow
@pytest.mark.parametrize("actions", RULES)
@pytest.mark.parametrize("city", [*CITIES, *MORE])
def test_the_expert_comes_home_from_every_junction_of_a_neighbourhood(city, actions):
    expert_from_every_junction(city, actions, range(10), 500.0)


def test_a_stop_near_the_goal_is_a_success_and_one_elsewhere_is_none():
    walk = made()
    walk.reset(seed=0)
    _, reward, over, _, info = walk.step(said("stop()"))
    assert (over, info["is_success"], info["spl"], reward < 0) == (True, False, 0.0, True)
    walk.reset(seed=0)
    while walk.waypoint.move != "stop":
        walk.step(walk.expert_response())
    _, reward, over, _, info = walk.step(said("stop()"))
    assert (over, info["is_success"], reward) == (True, True, 1.0)


def test_a_walk_ends_after_four_times_the_expert_s_actions_and_20():
    walk = made()
    walk.reset(seed=0)
    most, over, taken = 4 * len(walk.route.waypoints) + 20, False, 0
    while not over:
        word = ("north", "south")[taken % 2]
        _, _, over, _, info = walk.step(said(f"turn_direction({word})"))
        taken += 1
    assert (taken, info["is_success"]) == (most, False)
    assert "This is the last action; " in walk.view


def test_the_last_action_is_no_success_if_it_is_no_stop():
    walk = made()
    walk.reset(seed=0)
    while walk.question.walk.left > 1:
        walk.step(said("turn_direction(north)"))
    _, _, over, _, info = walk.step(walk.expert_response())
    assert (over, info["is_correct"], info["is_success"]) == (True, True, False)


def test_a_response_that_is_no_legal_action_may_be_mended_and_moves_nobody():
    walk = made(attempts=2)
    walk.reset(seed=0)
    before = walk.waypoint
    for response in ("no JSON", said("turn_direction(left)")):
        _, _, over, _, info = walk.step(response)
        assert (walk.waypoint, info["is_success"]) == (before, False)
    assert over
    walk.reset(seed=0)
    walk.step("no JSON")
    walk.step(said("turn_direction(south)"))
    assert walk.question.walk.taken == 1


def test_the_history_tells_what_one_did_and_that_it_led_nowhere():
    walk = made("walk", "grid-3")
    walk.reset(seed=0)
    streets, stand = walk.question.walk.home.streets, walk.question.walk.stand
    turned = {word: streets.after(stand, f"turn_direction({word})") for word in COMPASS}
    blind = next(word for word, to in turned.items() if streets.after(to, "forward()") == to)
    walk.step(said(f"turn_direction({blind})"))
    walk.step(said("forward()"))
    first, second = walk.question.steps
    assert first.endswith(f"-> turn_direction({blind})")
    assert second.endswith("-> forward() (no street lies ahead: you stay where you are)")
    assert len(walk.question.walk.track) == 1


def test_an_episode_of_a_row_walks_too():
    import verienv

    row = verienv.rows("verienv/VIRL-L-v0", n=1, seed=3, mode="walk")[0]
    episode = verienv.Episode.of(row)
    while not episode.is_over:
        episode.answer(episode.expert())
    assert episode.is_success


def test_a_question_s_row_is_judged_as_the_walk_is():
    import verienv

    walk = made(spacing=15)
    walk.reset(seed=0)
    while walk.waypoint.move != "stop" and not (walk.question.near_goal and walk.waypoint.move == "forward"):
        walk.step(walk.expert_response())
    row = walk.question.row() | {"env_id": "verienv/VIRL-L-v0"}
    assert walk.waypoint.move == "forward"
    assert verienv.judge(row, said("stop()")) == walk.judge(said("stop()"))
    assert walk.judge(said("stop()")).is_correct
    assert type(walk.question).from_row(row).prompt == walk.question.prompt


def test_a_map_and_a_replay_show_the_walker_where_it_is():
    walk = made()
    walk.reset(seed=0)
    on_route = walk.task.map(walk.question)
    for action in ("turn_direction(east)", "forward()"):
        walk.step(said(action))
    scene = walk.task.scene(walk.question)
    assert scene.map_note.startswith("Off the route, ")
    assert scene.current is None
    assert scene.map.tobytes() != on_route.resize(scene.map.size).tobytes()
    assert "-> forward()" in walk.task.news(walk.question)


def test_a_recovery_without_a_walk_is_refused():
    with pytest.raises(ValueError, match="set mode='walk'"):
        gym.make("verienv/VIRL-L-v0", recovery="goal")


LOOP = "virl:montevideo-north:8"


def test_a_route_that_ends_where_it_begins_is_not_walked_freely():
    rail, walk = made("rail", side="test"), made(side="test")
    rail.reset(options={"instance": LOOP})
    with pytest.raises(ValueError, match="would be a success; name another"):
        walk.reset(options={"instance": LOOP})
    seed = next(seed for seed in range(2000) if rail.deal(np.random.default_rng(seed)).instance == LOOP)
    walk.reset(seed=seed)
    assert walk.instance != LOOP
    assert walk.question.walk.trace.error > 25


@pytest.mark.parametrize("settings", [{"episode": "waypoint"}, {"data": "nowhere.json"}])
def test_settings_that_do_not_go_with_a_walk_are_refused(settings):
    with pytest.raises(ValueError, match="mode='walk'"):
        gym.make("verienv/VIRL-L-v0", mode="walk", **settings)


def test_street_views_are_those_of_where_one_stands():
    walk = gym.make("verienv/VIRL-VL-v0", mode="walk", view_size=64, disable_env_checker=True).unwrapped
    walk.reset(seed=0)
    turned, *_ = walk.step(said("turn_direction(north)"))
    again, *_ = walk.step(said("turn_direction(south)"))
    assert not np.array_equal(turned["image"], again["image"])
    assert np.array_equal(walk.pictures[0], walk._views.draw(walk.city, walk.waypoint))


def test_measures_so_far_are_those_of_the_track():
    walk, rng = made(), np.random.default_rng(0)
    walk.reset(seed=0)
    over = False
    while not over:
        action = "forward()" if rng.random() < 0.6 else str(rng.choice(action_space("absolute")[1:-1]))
        _, _, over, _, info = walk.step(said(action))
        route = [one.location for one in walk.route.waypoints]
        told = measure(walk.question.walk.track, route, stopped=False)
        assert {name: info[name] for name in told} == pytest.approx(told)


def test_turns_count_as_right_at_the_first_visit_alone():
    walk = made()
    walk.reset(seed=0)
    while walk.waypoint.move != "turn":
        walk.step(walk.expert_response())
    right = walk.waypoint.action
    wrong = next(f"turn_direction({word})" for word in COMPASS if word not in right)
    *_, missed = walk.step(said(wrong))
    over = False
    while not over:
        _, _, over, _, info = walk.step(walk.expert_response())
    turns = walk.route.turn_count
    assert (missed["turns_right"], info["turns_right"]) == (0, (turns - 1) / turns)


def test_success_in_the_block_is_a_stop_between_the_crossings_around_the_goal():
    walk = made(spacing=15)
    walk.reset(seed=0)
    home = walk.question.walk.home
    last = max(at for at, one in enumerate(walk.route.waypoints) if one.at_intersection)
    found = [home.in_block(stand) for stand in home.stands]
    assert found[last:] == [True] * (len(found) - last)
    assert not any(found[: last - 1])
