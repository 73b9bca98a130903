"""A city: positions and headings along its streets, its junctions, landmarks and halves."""

import pickle
from itertools import pairwise

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tests.virl.world.small_city import fields, small_city

from verienv.virl.world.city import AHEAD, LANDMARK_RADIUS, City, Place, Street
from verienv.virl.world.city_file import shipped_city
from verienv.virl.world.geometry import Point, bearing, distance, turn
from verienv.virl.world.procedural import procedural_city

DEGREES = st.floats(-0.005, 0.005).map(lambda degrees: round(degrees, 6))
POINTS = st.lists(st.tuples(DEGREES, DEGREES), min_size=2, max_size=6)
SHARES = st.floats(0, 1)


def street_of(points: list[Point]) -> Street:
    return Street((0, 1), "", "", "residential", tuple(points))


STREETS = POINTS.map(street_of).filter(lambda street: street.length > 1)


def test_a_position_along_a_street_lies_so_many_metres_from_its_first_end() -> None:
    street = street_of([(0.0, 0.0), (0.0, 0.001), (0.001, 0.001)])
    assert street.at(0) == (0.0, 0.0)
    assert distance(street.at(30), (0.0, 0.0)) == pytest.approx(30)
    assert distance(street.at(street.length - 30), (0.001, 0.001)) == pytest.approx(30)
    assert street.at(street.length) == (0.001, 0.001)


def test_a_position_beyond_an_end_is_the_end() -> None:
    street = street_of([(0.0, 0.0), (0.0, 0.001)])
    assert (street.at(-5), street.at(500)) == ((0.0, 0.0), (0.0, 0.001))


@given(STREETS, SHARES, st.booleans())
def test_a_heading_is_defined_everywhere(street: Street, share: float, forward: bool) -> None:
    assert 0 <= street.heading(share * street.length, forward) < 360


@given(STREETS, SHARES)
def test_a_heading_leads_to_the_point_20_m_ahead(street: Street, share: float) -> None:
    along = share * street.length
    assume(along + AHEAD <= street.length)
    assert street.heading(along, True) == bearing(street.at(along), street.at(along + AHEAD))
    back = bearing(street.at(along + AHEAD), street.at(along))
    assert abs(turn(street.heading(along + AHEAD, False), back)) < 1e-6


@given(STREETS, SHARES)
def test_near_an_end_a_heading_is_that_of_the_last_20_m(street: Street, share: float) -> None:
    before = max(0.0, street.length - AHEAD)
    near = before + share * (street.length - before)
    assert street.heading(near, True) == street.heading(street.length, True)
    assert street.heading(street.length, True) == bearing(street.at(before), street.at(before + AHEAD))


@given(STREETS, SHARES)
def test_a_street_the_other_way_round_has_the_same_headings(street: Street, share: float) -> None:
    other = street_of(list(street.points[::-1]))
    along = share * street.length
    start = min(along, max(0.0, street.length - AHEAD))
    assume(distance(street.at(start), street.at(start + AHEAD)) > 1)
    assert turn(street.heading(along, True), other.heading(street.length - along, False)) == pytest.approx(0, abs=1e-3)


def test_a_loop_leaves_its_node_twice() -> None:
    assert small_city().branches(2) == ((1, False), (2, True), (4, False), (6, True), (6, False))


def test_a_junction_has_three_branches() -> None:
    assert [small_city().is_junction(node) for node in range(5)] == [True, False, True, True, False]


def test_the_landmark_is_the_nearest_place_in_sight() -> None:
    city = small_city()
    assert [place and place.label for place in map(city.landmark_at, city.nodes[:3])] == ["Cafe Nandu", "Banco", None]


def test_of_equally_near_places_the_first_is_the_landmark() -> None:
    city = small_city()
    twin = Place("Twin", "Twin", "bar", city.places[0].location, 0, 11.12)
    both = City("twins", "Twins", "", city.nodes, city.streets, (twin, *city.places))
    assert both.landmark_at((0.0, 0.0)) == twin


@settings(max_examples=300)
@given(st.integers(0, 10**6), DEGREES, DEGREES)
def test_the_landmark_is_what_a_search_of_all_places_finds(index: int, north: float, east: float) -> None:
    city = shipped_city("helsinki")
    node = city.nodes[index % len(city.nodes)]
    location = (node[0] + north / 10, node[1] + east / 10)
    metres, first = min((distance(location, place.location), number) for number, place in enumerate(city.places))
    assert city.landmark_at(location) == (city.places[first] if metres <= LANDMARK_RADIUS else None)


def test_a_landmark_is_seen_across_the_date_line() -> None:
    nodes = ((0.0, 179.9999), (0.0, -179.999))
    place = Place("Inn", "Inn", "hotel", (0.0001, -179.9999), 0, 22.2)
    street = Street((0, 1), "", "", "residential", nodes)
    city = City("line", "Line", "", nodes, (street,), (place,))
    assert city.landmark_at((0.0, 179.9999)) == place


def test_a_pickled_city_is_the_same() -> None:
    city = small_city()
    city.landmark_at((0.0, 0.0))
    assert fields(pickle.loads(pickle.dumps(city))) == fields(city)  # noqa: S301


def segments(city: City) -> set[frozenset[Point]]:
    return {frozenset(step) for street in city.streets for step in pairwise(street.points)}


@pytest.mark.parametrize("name", ["helsinki", "montevideo-centre"])
def test_the_halves_of_a_city_share_no_street_and_no_place(name: str) -> None:
    west, east = (shipped_city(name).half(side) for side in ("train", "test"))
    assert not segments(west) & segments(east)
    assert not {(p.name, p.location) for p in west.places} & {(p.name, p.location) for p in east.places}


def test_the_halves_lie_west_and_east_of_one_another() -> None:
    west, east = (procedural_city("grid", 0).half(side) for side in ("train", "test"))
    assert (west.name, east.name) == ("grid-0-west", "grid-0-east")
    assert max(p[1] for s in west.streets for p in s.points) < min(p[1] for s in east.streets for p in s.points)


def test_a_place_of_a_half_stands_beside_the_street_that_it_stood_beside() -> None:
    city = shipped_city("helsinki")
    foot = {(place.name, place.location): city.foot(place) for place in city.places}
    half = city.half("test")
    assert all(half.foot(place) == foot[place.name, place.location] for place in half.places)


def test_a_city_too_small_to_halve_says_so() -> None:
    nodes = ((0.0, 0.0), (0.001, 0.0))
    city = City("line", "Line", "", nodes, (Street((0, 1), "", "", "residential", nodes),), ())
    with pytest.raises(ValueError, match="line has no street west of the median longitude"):
        city.half("train")


def test_an_unknown_half_is_named_in_the_error() -> None:
    with pytest.raises(ValueError, match="side='all': expected 'train'"):
        small_city().half("all")  # type: ignore[arg-type]
