"""Plans: sound ones mean one way alone, and a route of one has what it promises."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from tests.virl.world.small_city import small_city

from verienv.virl.routes.instructions import satisfies, turns_that_fit
from verienv.virl.routes.options import RouteOptions
from verienv.virl.routes.plan import Plan, bends_sharply
from verienv.virl.routes.planner import Planner
from verienv.virl.routes.route import Waypoint
from verienv.virl.routes.sampler import CITIES, shipped_plans
from verienv.virl.world.city import City, Place, Street
from verienv.virl.world.city_file import shipped_city
from verienv.virl.world.geometry import EARTH_RADIUS, distance, turn, turn_word

PARTS = [part for sides in CITIES.values() for part in sides.values()]
METRE = np.degrees(1.0 / EARTH_RADIUS)


def town(*places: tuple[str, float, float, int, float], skew: float = 0.0) -> City:
    """Three crossings in a row along the equator, 100 m apart, with a street to the north and one to the south at each.

    Places are given by name, metres east and north, street, and metres along it. ``skew`` moves the north ends east.
    """
    centre = [(100.0 * k, 0.0) for k in range(5)]
    ends = [(100.0 * k + skew, 100.0) for k in (1, 2, 3)] + [(100.0 * k, -100.0) for k in (1, 2, 3)]
    nodes = tuple((north * METRE, east * METRE) for east, north in centre + ends)
    pairs = [(0, 1), (1, 2), (2, 3), (3, 4), (1, 5), (2, 6), (3, 7), (1, 8), (2, 9), (3, 10)]
    streets = tuple(Street(pair, "", "", "residential", (nodes[pair[0]], nodes[pair[1]])) for pair in pairs)
    standing = tuple(
        Place(name, name, "cafe", (north * METRE, east * METRE), street, along)
        for name, east, north, street, along in places
    )
    return City("town", "Town", "", nodes, streets, standing)


START, CORNER, GOAL = ("Start", 50.0, 10.0, 0, 50.0), ("Corner", 210.0, 10.0, 1, 100.0), ("Goal", 190.0, 50.0, 5, 50.0)
TURNS_NORTH = Plan(0, 1, 90, ((0, 1), (5,)))


def test_a_leg_may_pass_a_junction_to_the_landmark_that_its_sentence_names() -> None:
    city = town(START, GOAL, CORNER)
    assert TURNS_NORTH.is_sound(city)
    route = TURNS_NORTH.route(city, "x", RouteOptions(40.0))
    assert route.instructions == (
        "Walk forward to the intersection where Corner is on your left front.",
        "Turn left to face north.",
        "Walk forward until your destination Goal is on your left.",
        "Stop.",
    )


def test_without_a_landmark_at_its_end_a_leg_of_two_blocks_is_not_sound() -> None:
    assert not TURNS_NORTH.is_sound(town(START, GOAL))
    assert Plan(0, 1, 90, ((0,), (1,), (5,))).is_sound(town(START, GOAL))


def test_a_leg_whose_landmark_is_seen_alike_at_an_earlier_junction_is_not_sound() -> None:
    assert not TURNS_NORTH.is_sound(town(START, GOAL, CORNER, ("Corner", 110.0, 10.0, 0, 100.0)))
    assert TURNS_NORTH.is_sound(town(START, GOAL, CORNER, ("Corner", 110.0, -10.0, 0, 100.0)))


def test_a_destination_whose_like_is_met_before_it_on_the_last_leg_is_not_sound() -> None:
    far, near = ("Goal", 190.0, 80.0, 5, 80.0), ("Goal", 190.0, 35.0, 5, 35.0)
    assert Plan(0, 1, 90, ((0, 1), (5,))).is_sound(town(START, far, CORNER))
    assert not Plan(0, 1, 90, ((0, 1), (5,))).is_sound(town(START, far, CORNER, near))


def test_a_destination_that_another_place_hides_is_not_sound() -> None:
    assert not TURNS_NORTH.is_sound(town(START, GOAL, CORNER, ("Kiosk", 199.0, 50.0, 5, 50.0)))


def test_a_turn_between_streets_of_one_word_is_not_sound() -> None:
    """To the north-east at 60 degrees, and 100 m further east: seen from the crossing both are "slightly left"."""
    city = town(START, GOAL, CORNER)
    twin = Street((2, 7), "", "", "residential", (city.nodes[2], city.nodes[7]))
    fork = City("fork", "Fork", "", city.nodes, (*city.streets, twin), city.places)
    assert turn_word(90.0, twin.heading(0.0, True)) == "slightly left"
    goal = Place("There", "There", "cafe", (58 * METRE, 245 * METRE), 10, 70.0)
    fork = replace(fork, places=(*city.places, goal))
    assert Plan(0, 3, 90, ((0, 1), (10,))).is_sound(fork)
    other = Street((2, 6), "", "", "residential", (city.nodes[2], (30 * METRE, 240 * METRE), city.nodes[6]))
    assert turn_word(90.0, other.heading(0.0, True)) == "slightly left"
    assert not Plan(0, 3, 90, ((0, 1), (10,))).is_sound(replace(fork, streets=(*fork.streets, other)))


def test_a_turn_back_is_not_sound() -> None:
    assert not Plan(0, 1, 265, ((0, 1), (5,))).is_sound(town(START, GOAL, CORNER))


def test_a_street_around_a_sharp_corner_is_not_followed() -> None:
    around = Street((0, 1), "", "", "residential", ((0.0, 0.0), (0.0, 100 * METRE), (100 * METRE, 100 * METRE)))
    assert bends_sharply(around, 0.0, around.length)
    assert not bends_sharply(around, 0.0, 60.0)
    arc = tuple((100 * METRE * np.sin(angle), 100 * METRE * np.cos(angle)) for angle in np.linspace(0, 3, 40))
    assert not bends_sharply(Street((0, 1), "", "", "residential", arc), 0.0, 250.0)


def test_landmarks_tell_a_turn_where_one_street_alone_fits_them() -> None:
    assert TURNS_NORTH.landmarks_suffice(town(START, GOAL, CORNER))
    assert not Plan(0, 1, 90, ((0,), (1,), (5,))).landmarks_suffice(town(START, GOAL))


def test_streets_in_neighbouring_eighths_both_fit_a_landmark() -> None:
    crossing = Waypoint(heading=0.0, landmark="X", landmark_bearing=180.0, streets=(40.0, 80.0, 180.0, 270.0))
    assert turns_that_fit(crossing, 80.0) == [40.0, 80.0]
    assert turns_that_fit(crossing, 270.0) == [270.0]


def test_what_landmarks_tell_always_fits_the_street_that_is_meant() -> None:
    rng = np.random.default_rng(0)
    for _ in range(5000):
        heading, landmark, street = (float(angle) for angle in rng.uniform(0, 360, 3))
        if turn_word(heading, street) and abs(turn(heading, street)) <= 157.5:
            crossing = Waypoint(heading=heading, landmark="X", landmark_bearing=landmark, streets=(street,))
            assert turns_that_fit(crossing, street) == [street]


def test_a_leg_without_a_landmark_ends_at_any_intersection() -> None:
    end, other = Waypoint(at_intersection=True), Waypoint(at_intersection=True, landmark="X")
    assert satisfies(other, end, is_last=False)
    assert not satisfies(Waypoint(), end, is_last=False)
    assert not satisfies(end, other, is_last=False)


@pytest.mark.parametrize("part", PARTS)
def test_every_shipped_plan_is_sound_and_told_by_landmarks_where_it_says_so(part: str) -> None:
    city = shipped_city(part)
    for shipped in shipped_plans(part)[:: 6 if part.startswith("m") else 1]:
        assert shipped.plan.is_sound(city)
        assert shipped.by_landmarks == shipped.plan.landmarks_suffice(city)
        assert 150 <= shipped.plan.length(city) <= 1200
        assert shipped.plan.route(city, "x", RouteOptions(40.0)).turn_count == shipped.turns


@pytest.mark.parametrize("part", PARTS)
def test_no_two_shipped_routes_join_the_same_places(part: str) -> None:
    ends = [(shipped.plan.start, shipped.plan.destination) for shipped in shipped_plans(part)]
    assert len(set(ends)) == len(ends)


@pytest.mark.parametrize("spacing", [15.0, 40.0, 90.0])
def test_waypoints_are_spaced_as_wanted_and_every_leg_moves(spacing: float) -> None:
    city = shipped_city("montevideo-centre")
    for shipped in shipped_plans("montevideo-centre")[:60]:
        waypoints = shipped.plan.route(city, "x", RouteOptions(spacing)).waypoints
        moves = [waypoint.move for waypoint in waypoints]
        assert moves[-1] == "stop"
        assert "stop" not in moves[:-1]
        assert all(pair != ("turn", "turn") for pair in pairwise(moves))
        for one, other in pairwise(waypoints):
            gap = distance(one.location, other.location)
            assert gap == 0 if one.move == "turn" else gap < 2 * spacing
        shortest = min(street.length for street in city.streets)
        gaps = [distance(a.location, b.location) for a, b in pairwise(waypoints) if a.move == "forward"]
        assert min(gaps) > min(spacing * 0.6, shortest * 0.9, 4.9)


def test_a_turn_leads_to_the_heading_that_it_tells() -> None:
    city = shipped_city("astana")
    for shipped in shipped_plans("astana"):
        for one, other in pairwise(shipped.plan.route(city, "x", RouteOptions(40.0)).waypoints):
            if one.move == "turn":
                assert other.heading == one.turn_to
                assert other.location == one.location
                assert 22.5 < abs(turn(one.heading, one.turn_to)) <= 157.5


def test_a_plan_survives_json() -> None:
    plan = shipped_plans("astana")[0].plan
    assert Plan.from_json(plan.to_json()) == plan


@pytest.mark.parametrize(
    "listed", [[], [1, 2, 3], [1, 2, 3, []], [1, 2, 3, [[]]], [1, 2, 3.0, [[1]]], [1, 2, True, [[1]]]]
)
def test_what_is_no_plan_is_refused(listed: object) -> None:
    with pytest.raises((ValueError, TypeError)):
        Plan.from_json(listed)


def test_a_planner_finds_routes_of_every_wanted_number_of_turns_and_length() -> None:
    planner, rng = Planner(shipped_city("montevideo-north")), np.random.default_rng(0)
    for turns, length in ((0, (100.0, 400.0)), (1, (300.0, 500.0)), (3, (600.0, 800.0)), (8, (500.0, 3000.0))):
        plan = planner.plan(rng, turns, length)
        assert length[0] <= plan.length(planner.city) <= length[1]
        assert plan.is_sound(planner.city)
        assert plan.route(planner.city, "x", RouteOptions(40.0)).turn_count == turns


def test_a_planner_says_when_there_is_no_such_route() -> None:
    with pytest.raises(ValueError, match="no route of 3 turns and 150 to 1200 metres was found in Town; ask for fewer"):
        Planner(town(START, GOAL)).plan(np.random.default_rng(0), 3)
    with pytest.raises(ValueError, match="choose a city with more places"):
        Planner(town()).plan(np.random.default_rng(0), 1)


OTHERS = (Plan(-1, 1, 0, ((0,),)), Plan(0, 99, 0, ((0,),)), Plan(0, 1, 0, ((0, 99),)), Plan(0, 1, 0, ()))


@pytest.mark.parametrize("plan", OTHERS)
def test_a_plan_of_another_city_is_refused(plan: Plan) -> None:
    with pytest.raises(ValueError, match="the plan leads"):
        plan.route(small_city(), "x", RouteOptions(40.0))
