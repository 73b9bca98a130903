"""Lots and fronts: on no road, in their order, and the places on them, in real and made-up cities."""

import os
import subprocess
import sys
from dataclasses import replace
from functools import cache
from hashlib import sha256
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from verienv.virl.world.building_lines import building_line_offset, road_width
from verienv.virl.world.city import City, Place, Street
from verienv.virl.world.city_file import SHIPPED_CITIES, shipped_city
from verienv.virl.world.geometry import Array, Point, distance, to_local
from verienv.virl.world.lots import Lot, Lots, move_to_fronts
from verienv.virl.world.network import NearestStreet
from verienv.virl.world.procedural import procedural_city

CITIES = [*SHIPPED_CITIES, "grid-1", "radial-1", "organic-1"]
SELDOM = {"helsinki", "montevideo-centre", "radial-1"}
"""Cities for the slow tests: the others have streets of each kind too."""
SPOTS = 6
"""Neighbourhoods that are looked at in each city."""

every_city = pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow) if name in SELDOM else name for name in CITIES]
)


def city_of(name: str) -> City:
    kind, _, seed = name.partition("-")
    return shipped_city(name) if name in SHIPPED_CITIES else procedural_city(kind, int(seed))  # type: ignore[arg-type]


@cache
def neighbourhoods(name: str) -> list[tuple[Lots, Point, tuple[Lot, ...]]]:
    """The lots of a city, a position, and the lots within 100 m of it."""
    city = city_of(name)
    city_lots = Lots(city)
    nodes = np.random.default_rng(7).integers(len(city.nodes), size=SPOTS)
    return [(city_lots, city.nodes[node], city_lots.near(city.nodes[node], 100.0)) for node in nodes]


def outline(lot: Lot, origin: Point) -> tuple[Array, Array]:
    """A lot's facade and the other three sides of its house, every half metre, in metres around ``origin``."""
    start, end = to_local(origin, np.array([lot.start, lot.end]))
    ahead = (end - start) / np.hypot(*(end - start))
    back = np.array([-ahead[1], ahead[0]]) * lot.depth
    shares = np.linspace(0.0, 1.0, int(2 * max(lot.width, lot.depth)) + 2)[:, None]
    facade = start + (end - start) * shares
    return facade, np.concatenate([facade + back, start + back * shares, end + back * shares])


def crossing(*streets: tuple[Point, ...], kind: str = "residential", places: tuple[Place, ...] = ()) -> City:
    """A city of straight streets in metres east and north; those that share an end hang together."""
    degrees = [tuple((round(n / 111_195, 7), round(e / 111_195, 7)) for e, n in street) for street in streets]
    nodes = sorted({end for points in degrees for end in (points[0], points[-1])})
    lines = [Street((nodes.index(p[0]), nodes.index(p[-1])), "", "", kind, p) for p in degrees]
    return City("drawn", "Drawn", "", tuple(nodes), tuple(lines), places)


CROSS = crossing(((-100, 0), (0, 0)), ((0, 0), (100, 0)), ((0, -100), (0, 0)), ((0, 0), (0, 100)))


@pytest.mark.parametrize(
    ("kind", "width"), [("primary", 14), ("secondary", 12), ("tertiary", 10), ("residential", 8), ("pedestrian", 7)]
)
def test_the_building_line_is_3_m_behind_the_kerb(kind: str, width: float) -> None:
    street = Street((0, 1), "", "", kind, ((0.0, 0.0), (0.0, 0.001)))
    assert road_width(street) == width
    assert building_line_offset(street) == width / 2 + 3


def test_a_street_of_a_kind_unheard_of_is_8_m_wide() -> None:
    assert road_width(Street((0, 1), "", "", "boreen", ((0.0, 0.0), (0.0, 0.001)))) == 8


Lines = list[tuple[int, float, Array]]


def lines_around(city: City, origin: Point) -> Lines:
    """The streets within 200 m: number, distance of the building line, and points in metres around ``origin``."""
    lines = [to_local(origin, np.array(street.points)) for street in city.streets]
    return [
        (index, building_line_offset(city.streets[index]), line)
        for index, line in enumerate(lines)
        if not ((line.min(axis=0) > 200).any() or (line.max(axis=0) < -200).any())
    ]


def room(lines: Lines, points: Array, spared: int = -1) -> float:
    """Metres from the nearest of some points to a building line, that of the street ``spared`` left out."""
    least = np.inf
    for index, offset, line in lines:
        if index == spared:
            continue
        for start, end in pairwise(line):
            share = np.clip((points - start) @ (end - start) / ((end - start) @ (end - start)), 0.0, 1.0)
            away = np.hypot(*(points - start - share[:, None] * (end - start)).T)
            least = min(least, away.min() - offset)
    return float(least)


@every_city
def test_no_facade_stands_on_another_streets_road_or_pavement(name: str) -> None:
    for city_lots, origin, lots in neighbourhoods(name):
        lines = lines_around(city_lots.city, origin)
        for street in {lot.street for lot in lots}:
            facades = np.concatenate([outline(lot, origin)[0] for lot in lots if lot.street == street])
            assert room(lines, facades, spared=street) >= -0.1


@every_city
def test_no_house_stands_on_a_road_or_a_pavement(name: str) -> None:
    for city_lots, origin, lots in neighbourhoods(name):
        lines = lines_around(city_lots.city, origin)
        walls = np.concatenate([outline(lot, origin)[1] for lot in lots])
        assert room(lines, walls) >= -0.6  # of its own street, where that bends
        for street in {lot.street for lot in lots}:
            walls = np.concatenate([outline(lot, origin)[1] for lot in lots if lot.street == street])
            assert room(lines, walls, spared=street) >= -0.2


@every_city
def test_a_facade_stands_on_the_building_line_of_its_street(name: str) -> None:
    for city_lots, _, lots in neighbourhoods(name):
        for lot in lots:
            street = city_lots.city.streets[lot.street]
            nearest = NearestStreet([street.points])
            ends = [nearest(end)[2] for end in (lot.start, lot.end)]
            assert ends == pytest.approx([building_line_offset(street)] * 2, abs=0.15)
            assert lot.width == pytest.approx(distance(lot.start, lot.end), abs=0.05)


@every_city
def test_lots_are_4_to_20_m_wide_and_2_to_16_m_deep(name: str) -> None:
    lots = [lot for _, _, found in neighbourhoods(name) for lot in found]
    assert len(lots) > 25 * SPOTS
    assert all(3.5 <= lot.width <= 20.05 and 2 <= lot.depth <= 16 for lot in lots)
    assert sum(lot.width < 8 for lot in lots) < 0.35 * len(lots)


@every_city
def test_start_is_on_the_left_for_one_who_looks_from_the_street(name: str) -> None:
    for city_lots, _, lots in neighbourhoods(name):
        for lot in lots:
            middle = ((lot.start[0] + lot.end[0]) / 2, (lot.start[1] + lot.end[1]) / 2)
            _, along, _ = NearestStreet([city_lots.city.streets[lot.street].points])(middle)
            foot = city_lots.city.streets[lot.street].at(along)
            start, end = to_local(foot, np.array([lot.start, lot.end]))
            assert start[0] * end[1] - start[1] * end[0] < 0
            assert city_lots.side(lot.street, middle) == lot.side


@every_city
def test_lots_follow_one_another_along_a_side_and_do_not_overlap(name: str) -> None:
    for city_lots, _, lots in neighbourhoods(name):
        for street in {lot.street for lot in lots}:
            for side in (1, -1):
                row = [lot for lot in city_lots.of_street(street) if lot.side == side]
                assert [lot.number for lot in row] == sorted({lot.number for lot in row})
                nearest = NearestStreet([city_lots.city.streets[street].points])
                for before, after in pairwise(row):
                    last, first = (before.end, after.start) if side > 0 else (before.start, after.end)
                    assert nearest(last)[1] <= nearest(first)[1] + 0.1


@every_city
def test_keys_are_distinct(name: str) -> None:
    city_lots = Lots(city_of(name))
    keys = [lot.key for street in range(0, len(city_lots.city.streets), 5) for lot in city_lots.of_street(street)]
    assert len(set(keys)) == len(keys)
    assert all(0 <= key < 2**64 for key in keys)


@every_city
def test_every_place_has_its_front_on_a_lot(name: str) -> None:
    city = city_of(name)
    city_lots = Lots(city)
    on = {
        index: lot
        for street in sorted({place.street for place in city.places})
        for lot in city_lots.of_street(street)
        for index in lot.places
    }
    assert sorted(on) == list(range(len(city.places)))
    for index, lot in on.items():
        nearest = NearestStreet([(lot.start, lot.end)])
        assert nearest(city.places[index].location)[2] < 0.5


@every_city
def test_no_lot_ends_within_a_place_s_front(name: str) -> None:
    city = city_of(name)
    city_lots = Lots(city)
    inside = [
        min(distance(city.places[index].location, end) for end in (lot.start, lot.end)) >= min(3.5, lot.width / 2 - 0.5)
        for street in sorted({place.street for place in city.places})[::3]
        for lot in city_lots.of_street(street)
        for index in lot.places
    ]
    assert sum(inside) >= 0.97 * len(inside)


@every_city
def test_places_on_a_lot_are_listed_from_left_to_right(name: str) -> None:
    city = city_of(name)
    for _, _, lots in neighbourhoods(name):
        for lot in lots:
            away = [distance(lot.start, city.places[index].location) for index in lot.places]
            assert away == sorted(away)


@every_city
@pytest.mark.parametrize("radius", [10.0, 120.0])
def test_the_lots_near_are_those_that_a_search_of_all_finds(name: str, radius: float) -> None:
    city = city_of(name)
    city_lots = Lots(city)
    middle = city.nodes[len(city.nodes) // 2]
    location = (middle[0] + 2e-5, middle[1] - 3e-5)
    everything = [
        lot
        for street in range(len(city.streets))
        if NearestStreet([city.streets[street].points])(location)[2] < radius + 50
        for lot in city_lots.of_street(street)
    ]
    found = [lot for lot in everything if NearestStreet([(lot.start, lot.end)])(location)[2] <= radius]
    assert list(city_lots.near(location, radius)) == found


@every_city
def test_streets_and_nodes_near_are_those_that_a_search_of_all_finds(name: str) -> None:
    city = city_of(name)
    city_lots = Lots(city)
    for location in city.nodes[:: len(city.nodes) // 4]:
        away = [NearestStreet([street.points])(location)[2] for street in city.streets]
        assert city_lots.streets_near(location, 90.0) == tuple(i for i, metres in enumerate(away) if metres <= 90)
        nodes = tuple(i for i, node in enumerate(city.nodes) if distance(node, location) <= 90)
        assert city_lots.nodes_near(location, 90.0) == nodes


def test_lots_do_not_depend_on_what_was_asked_before() -> None:
    city = shipped_city("helsinki")
    other = Lots(city)
    for node in range(0, len(city.nodes), 9):
        other.near(city.nodes[node], 60.0)
    assert other.near(city.nodes[50], 120.0) == Lots(city).near(city.nodes[50], 120.0)


def test_few_streets_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("verienv.virl.world.lots.MOST_KEPT", 5)
    city_lots = Lots(shipped_city("helsinki"))
    lots = [city_lots.of_street(street) for street in range(9)]
    assert city_lots._kept.cache_info().currsize == 5
    assert [city_lots.of_street(street) for street in range(9)] == lots


def test_lots_are_the_same_in_another_process() -> None:
    code = (
        "from verienv.virl.world.city_file import shipped_city as s; from verienv.virl.world.lots import Lots as F; "
        "from hashlib import sha256; c = s('helsinki'); "
        "print(sha256(repr(F(c).near(c.nodes[60], 200.0)).encode()).hexdigest())"
    )
    other = subprocess.run(
        [sys.executable, "-c", code], check=True, env={**os.environ, "PYTHONHASHSEED": "17"}, capture_output=True
    )
    city = shipped_city("helsinki")
    here = sha256(repr(Lots(city).near(city.nodes[60], 200.0)).encode()).hexdigest()
    assert other.stdout.decode().strip() == here


def test_at_a_crossing_the_fronts_end_at_the_corner() -> None:
    lots = Lots(CROSS).of_street(1)
    edges = [min(to_local((0.0, 0.0), np.array([lot.start, lot.end]))[:, 0]) for lot in lots if lot.number == 0]
    assert edges == pytest.approx([7.0, 7.0], abs=0.1)


def test_where_a_street_goes_on_as_another_the_fronts_do_too() -> None:
    city = crossing(((-100, 0), (0, 0)), ((0, 0), (100, 0)), ((0, -100), (0, 0)))
    city_lots = Lots(city)
    left = [lot for street in (0, 1) for lot in city_lots.of_street(street) if lot.side == 1]
    east = sorted(end for lot in left for end in to_local((0.0, 0.0), np.array([lot.start, lot.end]))[:, 0])
    assert max(after - before for before, after in pairwise(east) if abs(before + after) < 2) < 0.1


def test_between_carriageways_15_m_apart_nothing_is_built() -> None:
    city = crossing(((0, 0), (0, 15)), ((0, 0), (200, 0)), ((0, 15), (200, 15)), kind="secondary")
    city_lots = Lots(city)
    north = [
        to_local((0.0, 0.0), np.array([lot.start, lot.end]))[:, 1] for s in range(3) for lot in city_lots.of_street(s)
    ]
    assert not any(((each > 0) & (each < 15)).all() and abs(each[0] - each[1]) < 1 for each in north)


def test_around_a_bend_there_are_fronts_without_a_gap() -> None:
    city = crossing(((0, 0), (60, 0), (60, 60)))
    lots = [lot for lot in Lots(city).of_street(0) if lot.side == -1]
    assert all(distance(before.start, after.end) < 0.1 for before, after in pairwise(lots))
    assert min(lot.width for lot in lots) >= 3.5


def test_fronts_turn_round_a_street_that_bends_to_and_fro_across_the_date_line() -> None:
    points = ((10.0, 179.9995), (10.0003, -179.9997), (10.0, -179.999))
    city = City("line", "Line", "", (points[0], points[-1]), (Street((0, 1), "", "", "primary", points),), ())
    lots = Lots(city).near((10.0, 180.0), 300.0)
    assert len(lots) > 10
    assert all(abs(lot.start[1]) > 179.99 for lot in lots)


def test_a_place_where_a_map_has_it_is_on_the_nearest_lot_of_its_side() -> None:
    north = Place("Inn", "Inn", "hotel", (0.00018, 0.0004), 1, 44.5)
    south = Place("Bank", "Bank", "bank", (-0.0003, 0.0004), 1, 44.5)
    city = replace(CROSS, places=(north, south))
    found = {index: lot for lot in Lots(city).of_street(1) for index in lot.places}
    assert [found[index].side for index in (0, 1)] == [1, -1]
    for lot in found.values():
        assert min(lot.start[1], lot.end[1]) <= 0.0004 <= max(lot.start[1], lot.end[1])


def test_a_lot_holds_a_place_for_every_8_m_at_most() -> None:
    crowd = tuple(Place(f"Inn {i}", f"Inn {i}", "hotel", (0.0001, 0.0004 + i * 1e-5), 1, 44.5 + i) for i in range(12))
    lots = Lots(replace(CROSS, places=crowd)).of_street(1)
    assert sum(len(lot.places) for lot in lots) == 2
    assert all(len(lot.places) * 8 <= lot.width for lot in lots)


def moved(*places: tuple[str, Point]) -> City:
    """``CROSS`` with places at the street to the east, in metres east and north, moved to their fronts."""
    found = (Place(name, name, "cafe", (n / 111_195, e / 111_195), 1, max(e, 0.0)) for name, (e, n) in places)
    return move_to_fronts(replace(CROSS, places=tuple(found)))


def test_a_front_is_on_the_side_where_the_place_was() -> None:
    city = moved(("A", (40, 20)), ("B", (60, -4)))
    flat = to_local((0.0, 0.0), np.array([place.location for place in city.places]))
    assert flat == pytest.approx(np.array([(40, 7), (60, -7)]), abs=0.1)
    assert [place.along for place in city.places] == pytest.approx([40, 60], abs=0.1)


def test_a_place_in_the_middle_of_a_crossing_moves_to_4_m_from_the_corner() -> None:
    (place,) = moved(("A", (1, 1))).places
    assert to_local((0.0, 0.0), np.array([place.location]))[0] == pytest.approx((11, 7), abs=0.15)


def test_a_place_more_than_35_m_from_its_front_is_left_out() -> None:
    assert [place.name for place in moved(("A", (40, 41)), ("B", (60, 43))).places] == ["A"]


def test_of_places_too_near_each_other_the_one_nearer_to_its_front_stays() -> None:
    assert [place.name for place in moved(("A", (40, 20)), ("B", (45, 9)), ("C", (52, 12))).places] == ["B"]


def test_of_places_as_near_the_first_stays() -> None:
    assert [place.name for place in moved(("A", (40, 20)), ("B", (45, 20))).places] == ["A"]


def test_of_places_too_near_each_other_the_lower_rank_stays() -> None:
    city = replace(CROSS, places=moved(("A", (40, 7)), ("B", (60, 7))).places)
    near = tuple(replace(place, location=(8 / 111_195, (40 + i) / 111_195)) for i, place in enumerate(city.places))
    assert [place.name for place in move_to_fronts(replace(city, places=near), [1, 0]).places] == ["B"]


def test_of_one_name_within_30_m_one_stays() -> None:
    city = moved(("A", (40, 8)), ("A", (60, 9)), ("A", (80, -8)))
    assert len(city.places) == 2


def test_a_place_without_room_on_its_side_is_left_out() -> None:
    city = crossing(((0, 0), (0, 15)), ((0, 0), (200, 0)), ((0, 15), (200, 15)), kind="secondary")
    places = (Place("A", "A", "cafe", (6 / 111_195, 100 / 111_195), 1, 100.0),)
    assert move_to_fronts(replace(city, places=places)).places == ()


@pytest.mark.slow
@pytest.mark.parametrize("name", SHIPPED_CITIES)
def test_moving_places_that_stand_at_their_fronts_changes_little(name: str) -> None:
    city: Any = shipped_city(name)
    again = {(place.name, place.street): place for place in move_to_fronts(city).places}
    assert len(again) >= 0.98 * len({(place.name, place.street) for place in city.places})


def test_headings_lead_along_the_streets_at_a_position() -> None:
    lots = Lots(shipped_city("astana"))
    city = lots.city
    street = max(city.streets, key=lambda each: each.length)
    middle = street.length / 2
    both = {round(street.heading(middle, forward), 1) for forward in (True, False)}
    assert {round(heading, 1) for heading in lots.headings_at(street.at(middle))} == both
    node = next(node for node in range(len(city.nodes)) if city.is_junction(node))
    setting_out = {
        round(city.streets[index].heading(0.0 if forward else city.streets[index].length, forward), 1)
        for index, forward in city.branches(node)
    }
    assert setting_out <= {round(heading, 1) for heading in lots.headings_at(city.nodes[node])}
