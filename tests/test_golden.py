"""Instances, prompts, feedback, demonstrations and pictures stay as published; `make golden` writes them anew."""

import importlib.util
import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from verienv.generalpoints import VISUALS
from verienv.generalpoints.pictures.drawn_deck import DRAWN
from verienv.virl.pictures.streets.visuals import VISUALS as STREET_VISUALS
from verienv.virl.world.city_file import SHIPPED_CITIES

TOOL = Path(__file__).parents[1] / "tools" / "build_golden.py"


def built() -> Any:
    spec = importlib.util.spec_from_file_location("build_golden", TOOL)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def now() -> dict[str, Any]:
    made: dict[str, Any] = json.loads(json.dumps(built().golden()))
    return made


@pytest.fixture(scope="module")
def seen() -> dict[str, Any]:
    made: dict[str, Any] = built().pictures()
    return made


@pytest.fixture(scope="module")
def walked() -> dict[str, Any]:
    made: dict[str, Any] = json.loads(json.dumps(built().routes()))
    return made


ROOT = Path(__file__).parents[1]
ROUTES: dict[str, Any] = json.loads((ROOT / "tests" / "golden" / "virl.json").read_text())
PINNED: dict[str, Any] = json.loads((ROOT / "tests" / "golden" / "generalpoints.json").read_text())
PICTURES: dict[str, Any] = json.loads((ROOT / "tests" / "golden" / "pictures.json").read_text())
CONSTRAINTS = (ROOT / "constraints.txt").read_text().split()


@pytest.mark.parametrize("setting", PINNED["instances"])
def test_the_instances_of_a_seed_are_pinned(now: dict[str, Any], setting: str) -> None:
    assert now["instances"][setting] == PINNED["instances"][setting]


def test_the_wording_of_every_phrasing_is_pinned(now: dict[str, Any]) -> None:
    assert now["phrasings"] == PINNED["phrasings"]
    assert now["first observation"] == PINNED["first observation"]


def test_the_feedback_lines_are_pinned(now: dict[str, Any]) -> None:
    assert now["feedback"] == PINNED["feedback"]


@pytest.mark.parametrize("kind", ["sft", "revision", "preference"])
def test_the_demonstrations_of_a_seed_are_pinned(now: dict[str, Any], kind: str) -> None:
    assert now["demonstrations"][kind] == PINNED["demonstrations"][kind]


@pytest.mark.parametrize("split", PICTURES["instances"])
def test_the_hands_suits_and_jitters_of_a_seed_are_pinned(seen: dict[str, Any], split: str) -> None:
    assert seen["instances"][split] == PICTURES["instances"][split]


PIXELS_ARE_PINNED = pytest.mark.skipif(
    not {f"{name}=={version(name)}" for name in ("pillow", "numpy")} <= set(CONSTRAINTS),
    reason="pixels are pinned for the versions of Pillow and numpy in constraints.txt",
)


@PIXELS_ARE_PINNED
@pytest.mark.parametrize("visual", PICTURES["pixels"])
def test_the_pixels_of_every_visual_are_pinned(seen: dict[str, Any], visual: str) -> None:
    assert seen["pixels"][visual] == PICTURES["pixels"][visual]


def test_every_visual_has_its_pixels_pinned() -> None:
    assert {*VISUALS, *(f"deck {deck}" for deck in DRAWN)} == set(PICTURES["pixels"])


@pytest.mark.parametrize("setting", ROUTES["instances"])
def test_the_routes_of_a_seed_are_pinned(walked: dict[str, Any], setting: str) -> None:
    assert walked["instances"][setting] == ROUTES["instances"][setting]
    assert walked["walks"][setting] == ROUTES["walks"][setting]


def test_the_wording_of_every_phrasing_of_routes_is_pinned(walked: dict[str, Any]) -> None:
    assert walked["phrasings"] == ROUTES["phrasings"]


@pytest.mark.parametrize("kind", ["sft", "revision", "preference"])
def test_the_demonstrations_of_routes_of_a_seed_are_pinned(walked: dict[str, Any], kind: str) -> None:
    assert walked["demonstrations"][kind] == ROUTES["demonstrations"][kind]


STREETS: dict[str, str] = json.loads((ROOT / "tests" / "golden" / "streets.json").read_text())


@pytest.fixture(scope="module")
def drawn() -> dict[str, str]:
    made: dict[str, str] = built().streets()
    return made


@PIXELS_ARE_PINNED
@pytest.mark.parametrize("street", STREETS)
def test_the_pixels_of_streets_are_pinned(drawn: dict[str, str], street: str) -> None:
    assert drawn[street] == STREETS[street]


def test_every_city_and_every_visual_of_streets_has_its_pixels_pinned() -> None:
    assert {*SHIPPED_CITIES, *(f"helsinki, {visual}" for visual in STREET_VISUALS)} <= set(STREETS)
