import json
import os
import pickle
from contextlib import suppress
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from verienv.virl.env import VIRLEnv
from verienv.virl.vision_env import VIRLVisionEnv
from verienv.virl.world.city import AHEAD, SIGHT, City, Place, Street, shipped_city
from verienv.virl.world.geometry import Point, bearing, distance, turn
from verienv.virl.world.procedural import procedural_city

DEGREES = st.floats(-0.005, 0.005).map(lambda degrees: round(degrees, 6))
POINTS = st.lists(st.tuples(DEGREES, DEGREES), min_size=2, max_size=6)
SHARES = st.floats(0, 1)


def street_of(points: list[Point]) -> Street:
    return Street((0, 1), "", "", "residential", tuple(points))


STREETS = POINTS.map(street_of).filter(lambda street: street.length > 1)


def small_city() -> City:
    """A square of streets of 111 m with a way across, a loop at one corner, a dead end at another, and two places."""
    nodes = ((0.0, 0.0), (0.0, 0.001), (0.001, 0.001), (0.001, 0.0), (0.002, 0.0))
    ends = ((0, 1), (1, 2), (2, 3), (3, 0), (0, 2), (3, 4))
    streets = [
        Street(pair, f"Calle {i}", f"Calle {i}", "residential", tuple(nodes[e] for e in pair))
        for i, pair in enumerate(ends)
    ]
    loop = (nodes[2], (0.002, 0.001), (0.002, 0.002), nodes[2])
    streets.append(Street((2, 2), "", "", "living_street", loop))
    places = (
        Place("Café Ñandú", "Cafe Nandu", "cafe", (0.0001, 0.0001), 0, 11.12),
        Place("Banco", "Banco", "bank", (-0.0001, 0.0008), 0, 88.96),
    )
    return City("square", "Square", "", nodes, tuple(streets), places, "by hand")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "square.json"
    small_city().save(path)
    return path


def fields(city: City) -> tuple[Any, ...]:
    return city.name, city.title, city.attribution, city.nodes, city.streets, city.places, city.source


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
    assert city.landmark_at(location) == (city.places[first] if metres <= SIGHT else None)


def test_a_landmark_is_seen_across_the_date_line() -> None:
    nodes = ((0.0, 179.9999), (0.0, -179.999))
    place = Place("Inn", "Inn", "hotel", (0.0001, -179.9999), 0, 22.2)
    street = Street((0, 1), "", "", "residential", nodes)
    city = City("line", "Line", "", nodes, (street,), (place,))
    assert city.landmark_at((0.0, 179.9999)) == place


def test_a_saved_city_is_loaded_as_it_was(file: Path) -> None:
    assert fields(City.load(file)) == fields(small_city())


@pytest.mark.parametrize("kind", ["grid", "radial", "organic"])
def test_a_saved_procedural_city_is_loaded_as_it_was(kind: Any, tmp_path: Path) -> None:
    procedural_city(kind, 1).save(tmp_path / "city.json")
    assert fields(City.load(tmp_path / "city.json")) == fields(procedural_city(kind, 1))


def test_a_pickled_city_is_the_same() -> None:
    city = small_city()
    city.landmark_at((0.0, 0.0))
    assert fields(pickle.loads(pickle.dumps(city))) == fields(city)  # noqa: S301


def test_every_street_and_every_place_has_a_line_of_its_own(file: Path) -> None:
    lines = file.read_text(encoding="utf-8").splitlines()
    assert '["Café Ñandú", "Cafe Nandu", "cafe", 0.0001, 0.0001, 0, 11.12],' in lines
    assert len(lines) == 6 + 5 + 7 + 2 + 6


def test_a_missing_file_is_an_error_of_one_line(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"^no city's file .*give the path"):
        City.load(tmp_path / "nowhere.json")


WRONG: list[tuple[list[Any], Any, str]] = [
    (["format"], "other", "is of the format 'other', version 1; 'verienv-city', version 1, is accepted"),
    (["version"], 2, "is of the format 'verienv-city', version 2"),
    (["version"], True, "version True"),
    (["name"], "a:b", "name is 'a:b'; small letters, digits and hyphens"),
    (["name"], None, "name is None"),
    (["title"], "", "title holds ''; 1 to 80 characters"),
    (["attribution"], "\u00a9 them", r"attribution holds '\\xa9 them'"),
    (["nodes"], {}, "nodes must be a list of lists"),
    (["streets"], [1], "streets must be a list of lists"),
    (["streets"], [], "streets is empty"),
    (["nodes", 1], [0.0], "node 1 is a list of 1"),
    (["nodes", 1, 0], 86, "node 1 has the latitude 86; degrees from -85 to 85"),
    (["nodes", 1, 1], float("nan"), "node 1 has the longitude nan"),
    (["nodes", 1, 1], float("inf"), "node 1 has the longitude inf"),
    (["nodes", 1, 1], 10**400, "node 1 has the longitude 1000"),
    (["nodes", 1, 1], True, "node 1 has the longitude True"),
    (["nodes", 1, 1], "0", "node 1 has the longitude '0'"),
    (["nodes", 1], [50.0, 50.0], r"street 0 is \d+\.\d m long; 0.1 to 20000 m"),
    (["nodes"], [[0, 0]] * 6, "street 0 is 0.0 m long"),
    (["streets", 2], [2, 3, "a", "a"], "street 2 has 4 entries"),
    (["streets", 2], [2, 3, "a", "a", "b", 0.5], "street 2 has 6 entries"),
    (["streets", 2, 0], 5, "street 2 names number 5; an integer from 0 to 4"),
    (["streets", 2, 0], -1, "street 2 names number -1"),
    (["streets", 2, 0], 1.0, "street 2 names number 1.0"),
    (["streets", 2, 2], "a\nb", r"street 2 is named 'a\\nb'; 0 to 200 printable"),
    (["streets", 2, 3], "Größe", "street 2 holds"),
    (["streets", 2, 4], "", "street 2 holds ''; 1 to 40"),
    (["streets", 5], [2, 3, "", "", "residential"], "streets do not join all nodes"),
    (["places", 1], ["Banco"], "place 1 has 1 entries"),
    (["places", 1, 0], "", "place 1 is named ''"),
    (["places", 1, 0], "\ud800", r"place 1 is named '\\ud800'"),
    (["places", 1, 1], "x" * 41, "place 1 holds 'xxx"),
    (["places", 1, 1], 'a "b"', "place 1 holds"),
    (["places", 1, 1], "A is on your left", "place 1 holds 'A is on your left'; single spaces"),
    (["places", 1, 1], "a  b", "place 1 holds 'a  b'; single spaces"),
    (["places", 1, 2], ["bank"], "place 1 holds a list of 1"),
    (["places", 1, 4], 0.1, r"place 1 stands \d+ m off street 0; at most 100 m"),
    (["places", 1, 5], 7, "place 1 names number 7"),
    (["places", 1, 6], 500.0, "place 1 stands 500.0 m along street 0; 0 to 111.2 m"),
    (["places", 1, 6], float("nan"), "place 1 stands nan m along"),
    (["places", 1, 6], None, "place 1 stands None m along"),
]


@pytest.mark.parametrize(("way", "value", "message"), WRONG)
def test_a_file_with_something_wrong_is_refused_in_one_line_that_says_what(
    way: list[Any], value: Any, message: str, file: Path
) -> None:
    data = json.loads(file.read_text(encoding="utf-8"))
    inner = data
    for key in way[:-1]:
        inner = inner[key]
    inner[way[-1]] = value
    file.write_text(json.dumps(data))
    with pytest.raises(ValueError, match=message) as error:
        City.load(file)
    assert len(str(error.value).splitlines()) == 1
    assert "square.json" in str(error.value)


@pytest.mark.parametrize(
    "raw",
    [b"", b"{", b"[" * 200_000, b'{"nodes":' * 100_000, b"\xff\xfe", b"1" * 5000, b"null", b"[]", b"{}", b'"\\ud800"'],
    ids=["empty", "cut", "deep-list", "deep-object", "utf-16", "large-number", "null", "list", "object", "surrogate"],
)
def test_a_file_that_is_no_city_is_refused(raw: bytes, tmp_path: Path) -> None:
    path = tmp_path / "city.json"
    path.write_bytes(raw)
    with pytest.raises(ValueError, match=r"the city's file .*city\.json': it ") as error:
        City.load(path)
    assert len(str(error.value)) < 400


def test_something_deep_inside_a_file_is_refused(file: Path) -> None:
    deep = "[" * 400 + "]" * 400
    file.write_text(file.read_text(encoding="utf-8").replace('"bank"', deep), encoding="utf-8")
    with pytest.raises(ValueError, match="place 1 holds a list of 1"):
        City.load(file)


def test_a_large_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "city.json"
    with path.open("wb") as sparse:
        sparse.truncate(65 * 2**20)
    with pytest.raises(ValueError, match="is larger than 64 MB"):
        City.load(path)


def test_what_is_no_plain_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe"):
        with pytest.raises(ValueError, match="is no plain file"):
            City.load(path)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_a_damaged_file_raises_nothing_but_a_value_error(tmp_path_factory: pytest.TempPathFactory, data: Any) -> None:
    path = tmp_path_factory.mktemp("damaged") / "city.json"
    small_city().save(path)
    raw = path.read_bytes()
    start = data.draw(st.integers(0, len(raw)))
    junk = data.draw(st.one_of(st.binary(max_size=6), st.sampled_from([b"[", b"{}", b"null", b"1e999", b"-1", b'"'])))
    path.write_bytes(raw[:start] + junk + raw[start + data.draw(st.integers(0, 20)) :])
    with suppress(ValueError):
        City.load(path)


ENVS: list[tuple[type[VIRLEnv], dict[str, Any]]] = [(VIRLEnv, {}), (VIRLVisionEnv, {"view_size": 64})]


def walked(env: VIRLEnv, instance: str) -> tuple[list[Point], list[str], list[bytes]]:
    """Where the expert comes by on a route, which must succeed, what it is told and what it is shown."""
    observation, info = env.reset(options={"instance": instance})
    locations, texts, pictures, over = list[Point](), list[str](), list[bytes](), False
    while not over:
        locations.append(env.waypoint.location)
        texts.append(observation["text"])
        pictures += [observation["image"].tobytes()] if "image" in observation else []
        observation, reward, over, _, info = env.step(env.expert_response())
        assert reward == env.best_reward
    assert info["is_success"]
    return locations, texts, pictures


@pytest.mark.parametrize("side", ["train", "test", "all"])
@pytest.mark.parametrize(("env_type", "settings"), ENVS)
def test_a_city_of_ones_own_is_walked_from_its_file(
    env_type: type[VIRLEnv], settings: dict[str, Any], side: str, tmp_path: Path
) -> None:
    city = procedural_city("grid", 7)
    own = City("our-town", "Our Town", "", city.nodes, city.streets, city.places, "by hand")
    own.save(tmp_path / "town.json")
    env = env_type(city=str(tmp_path / "town.json"), side=side, turns=(1, 2), **settings)
    _, info = env.reset(seed=5)
    part = {"train": "our-town-west", "test": "our-town-east", "all": "our-town"}[side]
    assert info["instance"].startswith(f"virl:{part}:")
    locations, texts, pictures = walked(env, info["instance"])
    assert walked(env, info["instance"]) == (locations, texts, pictures)
    assert len(set(texts)) == len(locations)
    assert len(pictures) == (len(locations) if env_type is VIRLVisionEnv else 0)
    if side != "all":
        half = own.half(side)  # type: ignore[arg-type]
        longitudes = [point[1] for street in half.streets for point in street.points]
        assert all(min(longitudes) <= location[1] <= max(longitudes) for location in locations)


@pytest.mark.parametrize(("env_type", "settings"), ENVS)
def test_the_file_of_a_procedural_city_gives_the_routes_of_its_name(
    env_type: type[VIRLEnv], settings: dict[str, Any], tmp_path: Path
) -> None:
    procedural_city("grid", 7).save(tmp_path / "city.json")
    named, read = (env_type(city=city, **settings) for city in ("grid-7", str(tmp_path / "city.json")))
    for seed in range(3):
        assert named.reset(seed=seed)[1]["instance"] == read.reset(seed=seed)[1]["instance"]
        assert named.route == read.route


def test_two_cities_of_one_name_do_not_share_their_pictures(tmp_path: Path) -> None:
    city = procedural_city("grid", 7)
    renamed = tuple(replace(place, name=f"{place.name} Two", label=f"{place.label[:36]} Two") for place in city.places)
    pictures = []
    for folder, places in (("one", city.places), ("other", renamed)):
        (tmp_path / folder).mkdir()
        replace(city, places=places).save(tmp_path / folder / "city.json")
        env = VIRLVisionEnv(city=str(tmp_path / folder / "city.json"), view_size=96)
        pictures.append(env.reset(options={"instance": "virl:grid-7-west:2-1"})[0]["image"])
    assert (pictures[0] != pictures[1]).any()


@pytest.mark.parametrize("env_type", [VIRLEnv, VIRLVisionEnv])
def test_an_environment_says_in_one_line_what_is_wrong_with_a_citys_file(env_type: type[VIRLEnv], file: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"^no city's file .*nowhere\.json") as missing:
        env_type(city=str(file.with_name("nowhere.json")))
    file.write_bytes(file.read_bytes()[:-9])
    with pytest.raises(ValueError, match=r"^the city's file .*square\.json.*: it is no JSON") as cut:
        env_type(city=str(file))
    for error in (missing, cut):
        assert str(error.value).isprintable()
        assert len(str(error.value)) < 400


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


@pytest.mark.parametrize("side", ["train", "test"])
def test_a_half_is_a_city_that_can_be_saved_and_loaded(side: Any, tmp_path: Path) -> None:
    half = shipped_city("astana").half(side)
    half.save(tmp_path / "half.json")
    assert fields(City.load(tmp_path / "half.json")) == fields(half)


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


def test_an_unknown_city_is_an_error_that_names_the_shipped_ones() -> None:
    with pytest.raises(ValueError, match=r"city='paris': expected one of astana, helsinki, montevideo-centre"):
        shipped_city("paris")


def test_a_shipped_city_is_read_once() -> None:
    assert shipped_city("helsinki") is shipped_city("helsinki")
