"""Walks on a small grid against theory: exact hitting probabilities by a Markov chain, and values by value iteration.

The theory shares no code with the package: a position is a column and a row, a heading one of eight.
"""

from functools import cache
from math import sqrt

import numpy as np
import pytest

from verienv.virl.actions import action_space
from verienv.virl.routes.options import RouteOptions
from verienv.virl.routes.plan import Plan
from verienv.virl.verifier import VIRLRewards
from verienv.virl.walking.expert import WayHome
from verienv.virl.walking.verdicts import worth
from verienv.virl.walking.walk import Walk, most_actions
from verienv.virl.world.city import City, Place, Street
from verienv.virl.world.geometry import from_local

BLOCK = 100.0
STEPS = {"north": (0, 1), "east": (1, 0), "south": (0, -1), "west": (-1, 0)}
SIZE, START, GOAL = 3, (0, 0), (2, 1)


def at(column, row):
    return from_local((0.0, 10.0), BLOCK * column, BLOCK * row)


def home_of(size):
    """The expert of the route along the first row of a grid of so many columns and rows, and up by one."""
    nodes = {(column, row): row * size + column for row in range(size) for column in range(size)}
    streets = [
        Street((nodes[place], nodes[there]), "", "", "residential", (at(*place), at(*there)))
        for place in nodes
        for there in ((place[0] + 1, place[1]), (place[0], place[1] + 1))
        if there in nodes
    ]
    named = {street.ends: number for number, street in enumerate(streets)}
    row = tuple(named[column, column + 1] for column in range(size - 1))
    up = named[size - 1, 2 * size - 1]
    places = (
        Place("Start", "Start", "cafe", at(*START), row[0], 0.0),
        Place("Goal", "Goal", "cafe", at(size - 1, 1), up, streets[up].length),
    )
    city = City("grid", "Grid", "", tuple(at(*place) for place in nodes), tuple(streets), places)
    plan, options = Plan(0, 1, 0, (row, (up,))), RouteOptions(BLOCK * 0.9, "both", "absolute")
    return WayHome(city, plan, plan.route(city, "virl:grid:0", options), options, "route")


@pytest.fixture(scope="module")
def home():
    return home_of(SIZE)


def moved(place, heading):
    """Where forward() leads: along the street that lies straight ahead, if there is one."""
    step = STEPS.get(heading)
    there = (place[0] + step[0], place[1] + step[1]) if step else place
    return there if all(0 <= each < SIZE for each in there) else place


EVENLY = dict.fromkeys(action_space("absolute"), 0.1)
OFTEN_AHEAD = {"forward()": 0.5, "stop()": 0.1} | {f"turn_direction({word})": 0.1 for word in STEPS}


def chances(chance, steps):
    """The chances that a walk which draws its actions stops at the goal, and that it ever comes there."""
    now, hit, near = {(START, "north", False): 1.0}, 0.0, 0.0
    for _ in range(steps):
        then = {}
        for (place, heading, was_near), weight in now.items():
            for action, share in chance.items():
                if action == "stop()":
                    hit += weight * share * (place == GOAL)
                    near += weight * share * was_near
                    continue
                word = action.removeprefix("turn_direction(").removesuffix(")")
                there = moved(place, heading) if action == "forward()" else place
                state = there, heading if action == "forward()" else word, was_near or there == GOAL
                then[state] = then.get(state, 0.0) + weight * share
        now = then
    return hit, near + sum(weight for (*_, was_near), weight in now.items() if was_near)


def chance_in_streets(home, chance, steps):
    """The first of ``chances``, along the moves of the package."""
    now, hit, after = {home.stands[0]: 1.0}, 0.0, cache(home.streets.after)
    for _ in range(steps):
        then = {}
        for stand, weight in now.items():
            hit += weight * chance["stop()"] * (home.streets.location(stand) == home.goal)
            for action, share in chance.items():
                if action != "stop()":
                    there = after(stand, action)
                    then[there] = then.get(there, 0.0) + weight * share
        now = then
    return hit


def walks(home, choose, episodes):
    """Ends of walks: whether each stopped near the goal, whether it ever was there, and metres to the goal."""
    found = []
    for _ in range(episodes):
        walk, action = Walk.begin(home), ""
        while action != "stop()" and walk.left > 0:
            action = choose()
            success = action == "stop()" and walk.is_near
            walk = walk.after(action)
        told = walk.measures(success)
        found.append((success, told["oracle_success"], told["navigation_error"]))
    return np.array(found, float)


@pytest.mark.parametrize("chance", [EVENLY, OFTEN_AHEAD])
def test_a_random_walk_stops_at_the_goal_with_the_chance_of_its_markov_chain(home, chance):
    steps = most_actions(home.actions)
    assert chance_in_streets(home, chance, steps) == pytest.approx(chances(chance, steps)[0], rel=1e-9)


def test_random_walks_succeed_as_often_as_their_markov_chain_says(home):
    rng, episodes = np.random.default_rng(0), 500
    drawn = iter(rng.choice(list(OFTEN_AHEAD), size=100_000, p=list(OFTEN_AHEAD.values())).tolist())
    found = walks(home, lambda: next(drawn), episodes).mean(axis=0)
    for measured, expected in zip(found, chances(OFTEN_AHEAD, most_actions(home.actions)), strict=False):
        assert 0.01 < expected < 0.5
        assert abs(measured - expected) < 4 * sqrt(expected * (1 - expected) / episodes)


def test_always_forward_walks_straight_to_the_edge_and_never_stops(home):
    [[success, came_near, error]] = walks(home, lambda: "forward()", 1)
    assert (success, came_near) == (0, 0)
    assert error == pytest.approx(BLOCK * sqrt(5), rel=1e-3)  # from (0, 2) to (2, 1)


def values(home, rewards, gamma, steps=60):
    """The best action values of every state of a walk, by value iteration; without the limit on actions."""
    legal = tuple(OFTEN_AHEAD)
    first = Walk.begin(home)

    @cache
    def led(key):
        return {action: walk_of[key].after(action) for action in legal}

    def key_of(walk):
        return walk.stand, walk.at, walk.furthest

    walk_of, newest = {key_of(first): first}, [first]
    while newest:
        for there in led(key_of(newest.pop())).values():
            if key_of(there) not in walk_of:
                walk_of[key_of(there)] = there
                newest.append(there)
    paid = {key: {action: worth(walk, rewards, action) for action in legal} for key, walk in walk_of.items()}
    value = dict.fromkeys(walk_of, 0.0)
    for _ in range(steps):
        q = {
            key: {
                action: paid[key][action] + (gamma * value[key_of(there)] if action != "stop()" else 0.0)
                for action, there in led(key).items()
            }
            for key in walk_of
        }
        value = {key: max(each.values()) for key, each in q.items()}
    return q


def test_shaping_by_progress_cannot_change_the_best_policy():
    home, gamma = home_of(2), 0.9
    plain = values(home, VIRLRewards.of("success"), gamma)
    shaped = values(home, VIRLRewards.of({"base": "progress", "gamma": gamma}), gamma)
    assert len(plain) > 50

    def best(q):
        return {key: {a for a, each in of.items() if each > max(of.values()) - 1e-6} for key, of in q.items()}

    assert best(shaped) == best(plain)
    for key, of in plain.items():
        differences = [of[action] - shaped[key][action] for action in of]
        assert np.ptp(differences) < 1e-6  # one potential for each state, whatever the action
