"""Instances of routes: each is written in one way, and what is dealt bears the id it was asked for."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.virl.paper_data import paper_folders as made

from verienv.virl.env import VIRLEnv

SPELLINGS = (
    "virl:grid-7-west:03-7", "virl:grid-7-west:3-01", "virl:grid-7-west:+3-1", "virl:grid-7-west: 3-1",
    "virl:grid-7-west:3-1 ", "VIRL:grid-7-west:3-1", "virl:GRID-7-WEST:3-1", "virl:grid-7-west:3-1\n",
    "virl:grid-7-west:3_1", "virl:grid-7-west:3-1.0", "virl:grid-7-west:\u0663-1", "virl:grid-7-west:3--1",
    "virl:grid-7-west:\uff13-1", "virl:grid-7-west:3-", "virl:grid-7-west:-1", "virl:grid-7-west:3-1e1",
    "virl:grid-07-west:3-1", "virl:grid-7-west:00",
)  # fmt: skip
NUMBERS = ("01", "+1", " 1", "1 ", "1\n", "1_0", "\u0661", "\u00b9", "\uff11", "1.0", "1-0", "0x1", "00")


@pytest.mark.parametrize("instance", SPELLINGS)
def test_another_spelling_of_a_planned_route_is_refused(instance: str) -> None:
    with pytest.raises(ValueError, match=r"instance='.*' is no (route here|V-IRL instance)"):
        VIRLEnv(city="grid-7").reset(options={"instance": instance})


@pytest.mark.parametrize("number", NUMBERS)
def test_another_spelling_of_a_shipped_route_is_refused(number: str) -> None:
    with pytest.raises(ValueError, match=r"instance='.*' is no (route here|V-IRL instance)"):
        VIRLEnv().reset(options={"instance": f"virl:montevideo-centre:{number}"})


@pytest.mark.parametrize("number", NUMBERS)
def test_another_spelling_of_a_route_of_data_is_refused(number: str, tmp_path: Path) -> None:
    env = VIRLEnv(data=made.folder(tmp_path / "nyc"))
    with pytest.raises(ValueError, match=r"instance=.* is no route here"):
        env.reset(options={"instance": f"virl:nyc:{number}"})


@pytest.mark.parametrize("settings", [{}, {"city": "grid-7"}, {"city": "grid-007"}, {"city": "astana", "side": "test"}])
def test_what_is_dealt_can_be_asked_for_and_bears_that_id(settings: dict[str, Any]) -> None:
    env = VIRLEnv(**settings)
    for seed in range(5):
        instance = env.reset(seed=seed)[1]["instance"]
        assert env.reset(options={"instance": instance})[1]["instance"] == instance == env.route.id


def test_several_planned_cities_are_drawn_equally_often() -> None:
    env = VIRLEnv(city=("grid-7", "organic-1"), side="test", turns=1)
    rng = np.random.default_rng(0)
    drawn = [env.deal(rng).instance.split(":")[1] for _ in range(60)]
    assert set(drawn) == {"grid-7-east", "organic-1-east"}
    assert 15 < drawn.count("grid-7-east") < 45


def test_among_several_cities_a_route_is_that_of_its_own_city() -> None:
    several, alone = (VIRLEnv(city=city, turns=1) for city in (("grid-7", "organic-1"), "organic-1"))
    instance = alone.reset(seed=0)[1]["instance"]
    several.reset(options={"instance": instance})
    assert (several.route, several.city) == (alone.route, alone.city)
    with pytest.raises(ValueError, match=r"there are routes of grid-7, grid-7-west, .*organic-1-east"):
        several.reset(options={"instance": "virl:grid-8-west:1-1"})


@pytest.mark.parametrize("instance", ["\ud800", "x" * 10**6, ["virl"] * 10**5, b"virl:astana:3", {}])
def test_what_is_no_instance_is_told_in_a_short_line(instance: Any) -> None:
    with pytest.raises(ValueError, match=r".") as error:
        VIRLEnv().deal(np.random.default_rng(0), instance)
    assert len(str(error.value)) < 250
