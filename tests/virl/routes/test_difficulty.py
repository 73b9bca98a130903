"""The difficulty of routes: what is told of them, and dealing by it."""

import pickle
from pathlib import Path
from typing import Any

import pytest
from tests.virl.paper_data import paper_folders as made

import verienv
from verienv.virl.env import VIRLEnv


def test_info_and_rows_tell_turns_waypoints_and_landmarks() -> None:
    row = verienv.rows("verienv/VIRL-L-v0", n=1, seed=4)[0]
    env = VIRLEnv()
    _, info = env.reset(seed=row["seed"])
    waypoints = env.route.waypoints
    told = {
        "turns": sum(each.action.startswith("turn") for each in waypoints),
        "waypoints": len(waypoints),
        "landmarks": len({each.landmark for each in waypoints if each.landmark}),
    }
    assert {name: info[name] for name in told} == {name: row[name] for name in told} == told


def test_they_are_told_alike_all_along_the_route() -> None:
    env = VIRLEnv()
    _, first = env.reset(seed=0)
    over = False
    while not over:
        *_, over, _, info = env.step(env.expert_response())
        assert {name: info[name] for name in MEASURES} == {name: first[name] for name in MEASURES}


MEASURES = ("turns", "waypoints", "landmarks")


def test_of_a_waypoint_alone_they_are_not_known() -> None:
    info = verienv.Episode.of({"waypoint": {"move": "stop"}}).info
    assert [info[name] for name in MEASURES] == [-1, -1, -1]


@pytest.mark.parametrize("city", ["montevideo", "grid-5"])
def test_routes_in_the_ranges_alone_are_dealt(city: str) -> None:
    env = VIRLEnv(city=city, turns=2, waypoints=(8, 14), landmarks=[3, 9])
    for seed in range(10):
        info = env.reset(seed=seed)[1]
        assert info["turns"] == 2
        assert 8 <= info["waypoints"] <= 14
        assert 3 <= info["landmarks"] <= 9


def test_a_range_keeps_to_the_side() -> None:
    env = VIRLEnv(side="test", waypoints=(5, 12))
    assert {env.reset(seed=seed)[1]["instance"].split(":")[1] for seed in range(20)} == {"montevideo-north"}


def test_a_sampler_with_a_range_can_be_pickled() -> None:
    sampler = VIRLEnv(city="grid-5", turns=2, waypoints=(8, 14))._sampler
    again = pickle.loads(pickle.dumps(sampler))  # noqa: S301 - made here
    assert again._wanted == sampler._wanted  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"waypoints": (500, 600)}, r"no route has 500 to 600 waypoints: those there are have 4 to \d+ waypoints and"),
        (
            {"waypoints": 9, "landmarks": (40, 50)},
            r"no route has 9 to 9 waypoints and 40 to 50 landmarks: those there are have \d+ to \d+ waypoints",
        ),
        (
            {"waypoints": (9, 3)},
            r"waypoints=\(9, 3\): expected an integer from 0 to 100000, or the fewest and the most",
        ),
    ],
)
def test_a_range_without_a_route_is_an_error_that_says_what_there_is(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        VIRLEnv(**settings)


def test_a_search_through_a_procedural_city_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("verienv.virl.routes.sampler.MOST_PLANS", 5)
    env = VIRLEnv(city="grid-5", waypoints=(900, 999))
    with pytest.raises(ValueError, match="no route has 900 to 999 waypoints: those there are have"):
        env.reset(seed=0)


def test_the_papers_routes_are_chosen_by_range_too(tmp_path: Path) -> None:
    data = made.folder(tmp_path / "nyc", [made.route(), made.route()])
    length = VIRLEnv(data=data).reset(seed=0)[1]["waypoints"]
    assert VIRLEnv(data=data, waypoints=length).reset(seed=0)[1]["waypoints"] == length
    with pytest.raises(ValueError, match=f"no route has 1 to 1 waypoints: those there are have {length} to {length}"):
        VIRLEnv(data=data, waypoints=1)
