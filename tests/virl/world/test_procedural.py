import os
import subprocess
import sys
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from verienv.virl.world.building_lines import building_line_offset
from verienv.virl.world.city import City
from verienv.virl.world.city_file import fits, save_city
from verienv.virl.world.geometry import distance, to_local
from verienv.virl.world.network import largest_component
from verienv.virl.world.procedural import procedural_city

KINDS = ("grid", "radial", "organic")
CITIES = [(kind, seed) for kind in KINDS for seed in range(3)]
PINNED = {"grid": "1eaf07135d5396ad", "radial": "9c811cb79f078576", "organic": "043ba33eff633e83"}
"""The first digits of the sha256 of the files of seed 0."""

every_city = pytest.mark.parametrize(("kind", "seed"), CITIES)


def departing(city: City, node: int) -> list[float]:
    """The headings in which streets leave a node, ascending."""
    streets = ((city.streets[index], first) for index, first in city.branches(node))
    return sorted(street.heading(0.0 if first else street.length, first) for street, first in streets)


@pytest.mark.parametrize("kind", KINDS)
def test_a_city_is_the_same_in_every_version(kind: Any, tmp_path: Path) -> None:
    save_city(procedural_city(kind, 0), tmp_path / "city.json")
    assert sha256((tmp_path / "city.json").read_bytes()).hexdigest()[:16] == PINNED[kind]


def test_a_city_is_the_same_in_another_process(tmp_path: Path) -> None:
    code = (
        "import sys; from verienv.virl import procedural_city, save_city; "
        "save_city(procedural_city('organic', 3), sys.argv[1])"
    )
    other = {**os.environ, "PYTHONHASHSEED": "17"}
    subprocess.run([sys.executable, "-c", code, tmp_path / "there.json"], check=True, env=other)
    save_city(procedural_city("organic", 3), tmp_path / "here.json")
    assert (tmp_path / "there.json").read_bytes() == (tmp_path / "here.json").read_bytes()


def test_another_seed_gives_another_city() -> None:
    assert procedural_city("grid", 0).nodes != procedural_city("grid", 1).nodes


@every_city
def test_a_city_hangs_together(kind: Any, seed: int) -> None:
    city = procedural_city(kind, seed)
    assert len(largest_component(len(city.nodes), (street.ends for street in city.streets))) == len(city.nodes)


@every_city
def test_a_city_has_a_few_hundred_junctions(kind: Any, seed: int) -> None:
    city = procedural_city(kind, seed)
    assert 250 <= sum(city.is_junction(node) for node in range(len(city.nodes))) <= 350


@every_city
def test_no_streets_cross_without_a_node(kind: Any, seed: int) -> None:
    city = procedural_city(kind, seed)
    steps = np.array([step for street in city.streets for step in pairwise(street.points)])
    first, last = steps[:, 0], steps[:, 1]

    def side(points: np.ndarray) -> np.ndarray:
        """On which side of each segment (row) each point (column) lies."""
        ahead, offset = (last - first)[:, None], points[None] - first[:, None]
        return np.sign(np.round((ahead[..., 0] * offset[..., 1] - ahead[..., 1] * offset[..., 0]) * 1e12, 3))

    apart = side(first) * side(last)
    shared = (steps[:, None, :, None] == steps[None, :, None, :]).all(-1).any((-1, -2))
    assert not ((apart < 0) & (apart.T < 0) & ~shared).any()


@every_city
def test_streets_leave_a_node_at_least_35_degrees_apart(kind: Any, seed: int) -> None:
    city = procedural_city(kind, seed)
    for node in range(len(city.nodes)):
        headings = departing(city, node)
        assert min(after - before for before, after in pairwise([*headings, headings[0] + 360])) >= 35


@every_city
def test_blocks_are_60_to_160_m_long(kind: Any, seed: int) -> None:
    lengths = [street.length for street in procedural_city(kind, seed).streets]
    assert min(lengths) >= 60
    assert max(lengths) <= 160


@every_city
def test_most_junctions_have_a_landmark(kind: Any, seed: int) -> None:
    city = procedural_city(kind, seed)
    junctions = [node for node in range(len(city.nodes)) if city.is_junction(node)]
    assert sum(city.landmark_at(city.nodes[node]) is not None for node in junctions) > 0.85 * len(junctions)


@every_city
def test_places_stand_on_the_building_line_of_their_street(kind: Any, seed: int) -> None:
    city = procedural_city(kind, seed)
    for place in city.places:
        line = building_line_offset(city.streets[place.street])
        assert distance(place.location, city.foot(place)) == pytest.approx(line, abs=0.2)


@every_city
def test_places_stand_12_m_from_one_another(kind: Any, seed: int) -> None:
    locations = [place.location for place in procedural_city(kind, seed).places]
    flat = to_local(locations[0], np.array(locations))
    apart = np.hypot(*(flat[:, None] - flat[None]).T) + 100 * np.eye(len(flat))
    assert apart.min() >= 11.9


@every_city
def test_only_chains_repeat_and_never_within_190_m(kind: Any, seed: int) -> None:
    places: dict[str, list[Any]] = {}
    for place in procedural_city(kind, seed).places:
        places.setdefault(place.name, []).append(place.location)
    repeated = {name: found for name, found in places.items() if len(found) > 1}
    assert 1 <= len(repeated) <= 8
    for found in repeated.values():
        assert min(distance(a, b) for i, a in enumerate(found) for b in found[:i]) > 190


@every_city
def test_labels_fit(kind: Any, seed: int) -> None:
    city = procedural_city(kind, seed)
    assert all(place.label and fits(place.label, 40) for place in city.places)
    assert all(street.label and fits(street.label, 40) for street in city.streets)


@pytest.mark.parametrize(
    ("kind", "seed", "message"),
    [
        ("square", 0, "kind='square': expected one of grid, radial, organic"),
        ("grid", -1, "seed=-1"),
        ("grid", 0.5, "seed=0.5"),
    ],
)
def test_a_wrong_kind_or_seed_is_an_error_of_one_line(kind: Any, seed: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        procedural_city(kind, seed)
