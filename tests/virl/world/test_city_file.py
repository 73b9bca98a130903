"""Cities on disk: saved and loaded as they were, whatever a file holds; the shipped ones."""

import json
import os
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.virl.world.small_city import fields, small_city

from verienv.virl.env import VIRLEnv
from verienv.virl.vision_env import VIRLVisionEnv
from verienv.virl.world.city import City
from verienv.virl.world.city_file import load_city, save_city, shipped_city
from verienv.virl.world.geometry import Point
from verienv.virl.world.procedural import procedural_city


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "square.json"
    save_city(small_city(), path)
    return path


def test_a_saved_city_is_loaded_as_it_was(file: Path) -> None:
    assert fields(load_city(file)) == fields(small_city())


def test_a_city_is_loaded_with_the_mark_that_editors_put_before_utf_8(file: Path) -> None:
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes())
    assert fields(load_city(file)) == fields(small_city())


@pytest.mark.parametrize("kind", ["grid", "radial", "organic"])
def test_a_saved_procedural_city_is_loaded_as_it_was(kind: Any, tmp_path: Path) -> None:
    save_city(procedural_city(kind, 1), tmp_path / "city.json")
    assert fields(load_city(tmp_path / "city.json")) == fields(procedural_city(kind, 1))


def test_every_street_and_every_place_has_a_line_of_its_own(file: Path) -> None:
    lines = file.read_text(encoding="utf-8").splitlines()
    assert '["Café Ñandú", "Cafe Nandu", "cafe", 0.0001, 0.0001, 0, 11.12],' in lines
    assert len(lines) == 6 + 5 + 7 + 2 + 6


def test_a_missing_file_is_an_error_of_one_line(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"^no city's file .*give the path"):
        load_city(tmp_path / "nowhere.json")


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
        load_city(file)
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
        load_city(path)
    assert len(str(error.value)) < 400


def test_something_deep_inside_a_file_is_refused(file: Path) -> None:
    deep = "[" * 400 + "]" * 400
    file.write_text(file.read_text(encoding="utf-8").replace('"bank"', deep), encoding="utf-8")
    with pytest.raises(ValueError, match="place 1 holds a list of 1"):
        load_city(file)


def test_a_large_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "city.json"
    with path.open("wb") as sparse:
        sparse.truncate(65 * 2**20)
    with pytest.raises(ValueError, match="is larger than 64 MB"):
        load_city(path)


def test_what_is_no_plain_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe"):
        with pytest.raises(ValueError, match="is no plain file"):
            load_city(path)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_a_damaged_file_raises_nothing_but_a_value_error(tmp_path_factory: pytest.TempPathFactory, data: Any) -> None:
    path = tmp_path_factory.mktemp("damaged") / "city.json"
    save_city(small_city(), path)
    raw = path.read_bytes()
    start = data.draw(st.integers(0, len(raw)))
    junk = data.draw(st.one_of(st.binary(max_size=6), st.sampled_from([b"[", b"{}", b"null", b"1e999", b"-1", b'"'])))
    path.write_bytes(raw[:start] + junk + raw[start + data.draw(st.integers(0, 20)) :])
    with suppress(ValueError):
        load_city(path)


ENVS: list[tuple[type[VIRLEnv], dict[str, Any]]] = [(VIRLEnv, {}), (VIRLVisionEnv, {"view_size": 64})]


def walked(env: VIRLEnv, instance: str) -> tuple[list[Point], list[str], list[bytes]]:
    """Walk a route by the expert, who must succeed; return the positions, the texts and the pictures."""
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
    save_city(own, tmp_path / "town.json")
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
    save_city(procedural_city("grid", 7), tmp_path / "city.json")
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
        save_city(replace(city, places=places), tmp_path / folder / "city.json")
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


@pytest.mark.parametrize("side", ["train", "test"])
def test_a_half_is_a_city_that_can_be_saved_and_loaded(side: Any, tmp_path: Path) -> None:
    half = shipped_city("astana").half(side)
    save_city(half, tmp_path / "half.json")
    assert fields(load_city(tmp_path / "half.json")) == fields(half)


def test_an_unknown_city_is_an_error_that_names_the_shipped_ones() -> None:
    with pytest.raises(ValueError, match=r"city='paris': expected one of astana, helsinki, montevideo-centre"):
        shipped_city("paris")


def test_a_shipped_city_is_read_once() -> None:
    assert shipped_city("helsinki") is shipped_city("helsinki")
