"""The cities in assets/cities: what their README says, whole, apart from one another; and the tool that builds them."""

import importlib.util
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from verienv.core.assets import asset_path
from verienv.virl.world.building_lines import building_line_offset
from verienv.virl.world.city import City
from verienv.virl.world.city_file import SHIPPED_CITIES, fits, shipped_city
from verienv.virl.world.geometry import Point, distance
from verienv.virl.world.lots import Lots
from verienv.virl.world.network import NearestStreet, largest_component

ROOT = Path(__file__).parents[3]
COUNTS = {  # nodes, junctions, junctions with a landmark, streets, places
    "astana": (1105, 902, 69, 1600, 488),
    "helsinki": (129, 95, 79, 184, 668),
    "montevideo-centre": (1092, 1076, 490, 2015, 1450),
    "montevideo-north": (1264, 1230, 315, 2251, 837),
}

every_city = pytest.mark.parametrize("name", SHIPPED_CITIES)


def counts(city: City) -> tuple[int, ...]:
    junctions = [node for node in range(len(city.nodes)) if city.is_junction(node)]
    seen = sum(city.landmark_at(city.nodes[node]) is not None for node in junctions)
    return len(city.nodes), len(junctions), seen, len(city.streets), len(city.places)


def test_the_folder_holds_the_shipped_cities_and_no_other() -> None:
    assert sorted(path.stem for path in asset_path("cities").glob("*.json")) == sorted(SHIPPED_CITIES) == sorted(COUNTS)


@every_city
def test_a_city_has_the_counts_that_are_pinned(name: str) -> None:
    assert counts(shipped_city(name)) == COUNTS[name]


@every_city
def test_the_readme_gives_its_counts(name: str) -> None:
    row = next(line for line in asset_path("cities/README.md").read_text().splitlines() if f"| {name}.json |" in line)
    assert row.endswith(" | " + " | ".join(f"{count:,}" for count in COUNTS[name]) + " |")


@every_city
def test_a_city_hangs_together(name: str) -> None:
    city = shipped_city(name)
    assert len(largest_component(len(city.nodes), (street.ends for street in city.streets))) == len(city.nodes)


@every_city
def test_no_node_is_a_mere_bend(name: str) -> None:
    city = shipped_city(name)
    assert all(len(city.branches(node)) != 2 for node in range(len(city.nodes)))


@every_city
def test_no_street_is_shorter_than_14_m(name: str) -> None:
    assert min(street.length for street in shipped_city(name).streets) >= 14


@every_city
def test_every_place_stands_on_the_building_line_of_its_street(name: str) -> None:
    city = shipped_city(name)
    for place in city.places:
        line = building_line_offset(city.streets[place.street])
        assert distance(place.location, city.foot(place)) == pytest.approx(line, abs=0.2)


@every_city
def test_no_place_stands_on_another_streets_road_or_pavement(name: str) -> None:
    city = shipped_city(name)
    kinds = {building_line_offset(street) for street in city.streets}
    for line in kinds:
        nearest = NearestStreet([street.points for street in city.streets if building_line_offset(street) == line])
        assert min(nearest(place.location)[2] for place in city.places[::5]) >= line - 0.2


@every_city
def test_along_one_side_of_a_street_fronts_are_9_m_apart(name: str) -> None:
    city = shipped_city(name)
    lots = Lots(city)
    fronts: dict[tuple[int, int], list[Point]] = {}
    for place in city.places:
        fronts.setdefault((place.street, lots.side(place.street, place.location)), []).append(place.location)
    assert all(distance(a, b) >= 9 for found in fronts.values() for i, a in enumerate(found) for b in found[:i])


@every_city
def test_labels_are_printable_ascii(name: str) -> None:
    city = shipped_city(name)
    assert all(place.label and fits(place.label, 40) for place in city.places)
    assert all(fits(street.label, 100) for street in city.streets)


@every_city
def test_places_of_one_name_stand_apart(name: str) -> None:
    places: dict[str, list[Point]] = {}
    for place in shipped_city(name).places:
        places.setdefault(place.name, []).append(place.location)
    assert all(distance(a, b) > 30 for found in places.values() for i, a in enumerate(found) for b in found[:i])


@every_city
def test_a_city_says_whose_data_it_is_and_where_it_comes_from(name: str) -> None:
    city = shipped_city(name)
    assert city.attribution == "(c) OpenStreetMap contributors, ODbL 1.0"
    assert "OpenStreetMap data of 20" in city.source


def test_the_licence_is_the_open_database_licence() -> None:
    text = asset_path("cities/LICENSE").read_text(encoding="utf-8")
    assert text.startswith("## ODC Open Database License (ODbL)")
    assert len(text) > 25_000


def test_the_two_parts_of_montevideo_share_no_street_and_no_place() -> None:
    centre, north = (shipped_city(f"montevideo-{part}") for part in ("centre", "north"))
    steps = [{frozenset(p) for s in city.streets for p in pairwise(s.points)} for city in (centre, north)]
    places = [{(place.name, place.location) for place in city.places} for city in (centre, north)]
    assert not steps[0] & steps[1]
    assert not places[0] & places[1]


def test_the_two_parts_of_montevideo_lie_north_and_south_of_one_another() -> None:
    centre, north = (shipped_city(f"montevideo-{part}") for part in ("centre", "north"))
    assert max(p[0] for s in centre.streets for p in s.points) < min(p[0] for s in north.streets for p in s.points)


@pytest.fixture
def tool(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A module of tools/ by its name, one that needs no further packages."""

    def load(name: str) -> Any:
        spec = importlib.util.spec_from_file_location(name, ROOT / "tools" / f"{name}.py")
        assert spec
        assert spec.loader
        module = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, name, module)
        spec.loader.exec_module(module)
        return module

    return load


def test_ways_are_split_where_they_meet(tool: Any) -> None:
    lines = tool("street_lines")
    along = lines.Line(((0.0, 0.0), (0.0, 0.001), (0.0, 0.002)), "Along", "residential")
    across = lines.Line(((-0.001, 0.001), (0.0, 0.001), (0.001, 0.001)), "Across", "residential")
    assert {line.ends for line in lines.split([along, across])} == {
        ((0.0, 0.0), (0.0, 0.001)),
        ((0.0, 0.001), (0.0, 0.002)),
        ((-0.001, 0.001), (0.0, 0.001)),
        ((0.0, 0.001), (0.001, 0.001)),
    }


def test_a_chain_keeps_the_name_of_most_of_its_metres(tool: Any) -> None:
    lines = tool("street_lines")
    chain = [
        lines.Line(((0.0, 0.001), (0.0, 0.0)), "Short", "residential"),
        lines.Line(((0.0, 0.001), (0.0, 0.003)), "Long", "tertiary"),
    ]
    assert lines.joined(chain) == [lines.Line(((0.0, 0.0), (0.0, 0.001), (0.0, 0.003)), "Long", "tertiary")]


def test_junctions_a_few_metres_apart_become_one(tool: Any) -> None:
    lines = tool("street_lines")
    near, far = (0.0, 0.0), (0.0, 0.0001)  # 11 m
    legs = [((0.001, 0.0), near), ((0.0, -0.001), near), ((0.001, 0.0001), far), ((0.0, 0.001), far), (near, far)]
    found = lines.merged([lines.Line(leg, "", "residential") for leg in legs], metres=15, widest=25)
    assert {line.ends[1] for line in found} == {(0.0, 0.00005)}
    assert len(found) == 4


def test_the_two_ways_of_a_narrow_dual_carriageway_become_one(tool: Any) -> None:
    lines = tool("street_lines")
    ends = ((0.0, 0.0), (0.0, 0.002))
    ways = [
        lines.Line((ends[0], (north, 0.001), ends[1]), "Avenue", "primary") for north in (0.00006, -0.00006, 0.0005)
    ]
    assert len(lines.without_doubles(ways, apart=20)) == 2


def test_a_simplified_line_is_off_by_a_metre_at_most(tool: Any) -> None:
    lines = tool("street_lines")
    points = tuple((round(0.00001 * (step % 3), 6), round(0.0001 * step, 6)) for step in range(30))
    line = lines.simplified(lines.Line(points, "", "residential"), 1.0)
    nearest = NearestStreet([line.points])
    assert len(line.points) < len(points)
    assert max(nearest(point)[2] for point in points) <= 1.0


def varint(value: int) -> bytes:
    return bytes([value]) if value < 128 else bytes([value & 127 | 128]) + varint(value >> 7)


def message(*parts: tuple[int, Any]) -> bytes:
    """A protobuf message of numbered fields: int, text, bytes, or a list of int (packed)."""
    packed = b""
    for number, value in parts:
        if isinstance(value, int):
            packed += varint(number << 3) + varint(value)
            continue
        raw = value.encode() if isinstance(value, str) else value
        raw = b"".join(map(varint, raw)) if isinstance(raw, list) else raw
        packed += varint(number << 3 | 2) + varint(len(raw)) + raw
    return packed


def tile_of_a_street(start: tuple[int, int], east: int) -> bytes:
    """A vector tile of extent 4096 with a line from ``start`` straight on to the east."""
    geometry = [9, start[0] << 1, start[1] << 1, 10, east << 1, 0]
    feature = message((2, [0, 0, 1, 1]), (3, 2), (4, geometry))
    tags = [(3, "highway"), (3, "@id"), (4, message((1, "residential"))), (4, message((4, 7)))]
    return message((3, message((1, "osm"), (2, feature), *tags, (5, 4096))))


def test_a_street_that_a_tiles_border_cuts_goes_on_in_the_next_tile(tool: Any) -> None:
    tiles = [("12-1-2048.mvt", tile_of_a_street((0, 1), 50)), ("12-0-2048.mvt", tile_of_a_street((4000, 0), 96))]
    west, east = tool("osm_data").read_tiles(tiles)
    assert west.tags == east.tags == {"highway": "residential", "@id": "7"}
    assert west.points[1] == east.points[0] == (0.0, pytest.approx(-180 + 360 / 4096))
