"""The paper's routes, found, sampled and played; files that are hostile."""

import json
import os
import pickle
import warnings
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from tests.virl.paper_data import paper_folders as made

import verienv  # noqa: F401 - registers the ids
from verienv.virl.env import VIRLEnv
from verienv.virl.paper_data.routes import (
    PaperRoutes,
    read_panoramas,
    read_paper_routes,
)
from verienv.virl.routes.options import RouteOptions
from verienv.virl.world.geometry import bearing, turn

BOTH = RouteOptions(40.0, "both")
SAMPLES = sorted((Path(__file__).parents[4] / "shared" / "data" / "virl_samples").glob("route_infos_*.json"))
needs_samples = pytest.mark.skipif(not SAMPLES, reason="the real route files are not beside this checkout")


def test_defective_routes_are_reported_by_their_index(tmp_path: Path) -> None:
    data = made.folder(tmp_path / "nyc", [[7, made.route(), made.changed(made.route(), "init_heading", to="x")], 3])
    file = read_paper_routes(data)
    assert list(file.routes) == [1]
    assert list(file.defects) == [0, 2]
    with pytest.raises(ValueError, match=r"2 of 3 routes cannot be played \(0: the route is 7; .*defects='skip'"):
        read_paper_routes(data, defects="refuse")
    with pytest.raises(ValueError, match="expected skip or refuse"):
        read_paper_routes(data, defects="ignore")  # type: ignore[arg-type]


def test_dealing_skips_what_cannot_be_played_with_one_warning(tmp_path: Path) -> None:
    far = made.route(names=("End",), points=((41.7830, -73.9980),))
    data = made.folder(tmp_path / "nyc", [7, made.route(), far, 8, 9, made.route()])
    with pytest.warns(UserWarning, match=r"4 of 6 routes cannot be played \(.*; and 1 more\)") as caught:
        dealer = PaperRoutes(data, BOTH)
    assert len(caught) == 1
    rng = np.random.default_rng(0)
    assert {dealer.deal(rng) for _ in range(50)} == {"virl:nyc:1", "virl:nyc:5"}
    for index, reason in ((2, "choose a larger spacing"), (8, "the last index is 5"), (0, "the route is 7")):
        with pytest.raises(ValueError, match=reason):
            dealer.route(f"virl:nyc:{index}")
    with pytest.raises(ValueError, match="3 of 6"):
        PaperRoutes(data, BOTH, "refuse")
    with pytest.raises(ValueError, match=r"1 of 2 .*choose a larger spacing"):
        PaperRoutes(made.folder(tmp_path / "far", [made.route(), far]), BOTH, "refuse")


def test_a_file_without_a_playable_route_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="2 of 2 routes cannot be played"):
        PaperRoutes(made.folder(tmp_path / "nyc", [1, 2]), BOTH)


# Finding and dealing


@pytest.mark.parametrize("whole", [[[made.route()], 1], [[made.route()], 99], [made.route()], made.route()])
def test_every_form_of_the_file_is_read(whole: Any, tmp_path: Path) -> None:
    assert list(read_paper_routes(made.folder(tmp_path / "nyc", whole)).routes) == [0]


@pytest.mark.parametrize("below", ["", "VIRL_routes", "a/VIRL_routes"])
def test_routes_are_found_in_the_folder_in_its_parents_and_as_a_file(below: str, tmp_path: Path) -> None:
    data = made.folder(tmp_path / below / "nyc_1k_routes")
    given = [data, data / "route_infos.json", *([data.parent] if below else []), *([data.parents[1]] if below else [])]
    for path in given:
        file = read_paper_routes(path)
        assert (file.name, list(file.routes)) == ("nyc_1k_routes", [0, 1, 2])


def test_several_folders_of_routes_are_named_to_choose_from(tmp_path: Path) -> None:
    made.folder(tmp_path / "VIRL_routes" / "nyc_1k_routes")
    made.folder(tmp_path / "VIRL_routes" / "VLN_mini")
    with pytest.raises(ValueError, match=r"give one of .*VLN_mini, .*nyc_1k_routes"):
        read_paper_routes(tmp_path)
    assert read_paper_routes(tmp_path / "VIRL_routes" / "VLN_mini").name == "vln_mini"


@pytest.mark.parametrize(("name", "folded"), [("NYC 1k: Routes", "nyc-1k-routes"), ("été", "t"), ("東京", "routes")])
def test_instances_are_called_by_the_folder(name: str, folded: str, tmp_path: Path) -> None:
    dealer = PaperRoutes(made.folder(tmp_path / name), BOTH)
    instance = dealer.deal(np.random.default_rng(0))
    assert instance.rpartition(":")[0] == f"virl:{folded}"
    assert dealer.route(instance).id == instance
    assert dealer.city(instance) is None


def test_a_relative_path_is_called_by_where_it_leads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(made.folder(tmp_path / "nyc"))
    assert {read_paper_routes(path).name for path in (".", "../nyc", "./route_infos.json", "../nyc/.")} == {"nyc"}


@pytest.mark.parametrize(
    "instance", ["virl:other:0", "virl:nyc:x", "virl:nyc:-1", "virl:nyc:", "", "virl:nyc:٣", 7, "v" * 500]
)
def test_an_unknown_instance_is_refused(instance: Any, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no route here") as error:
        PaperRoutes(made.folder(tmp_path / "nyc"), BOTH).route(instance)
    assert "virl:nyc:0" in made.one_line(error)


# The environment


def play(env: VIRLEnv, **options: Any) -> dict[str, Any]:
    observation, info = env.reset(seed=3, **options)
    over = False
    while not over:
        assert observation in env.observation_space
        observation, reward, over, _, info = env.step(env.expert_response())
        assert reward == 1.0
        assert info["observation_correct"]
        assert info["instruction_correct"]
    return info


@pytest.mark.parametrize("actions", ["absolute", "relative"])
@pytest.mark.parametrize("directions", ["both", "same"])
def test_the_environment_plays_the_data(actions: str, directions: str, tmp_path: Path) -> None:
    data = made.folder(tmp_path / "nyc")
    told = actions if directions == "same" else directions
    env = gym.make("verienv/VIRL-L-v0", data=str(data), actions=actions, directions=told, prompt="diverse").unwrapped
    assert isinstance(env, VIRLEnv)
    assert play(env)["is_success"]
    for index in range(3):
        assert play(env, options={"instance": f"virl:nyc:{index}"})["is_success"]


@needs_samples
@pytest.mark.parametrize("actions", ["absolute", "relative"])
@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_the_real_files_are_played_to_success(path: Path, actions: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        env = gym.make("verienv/VIRL-L-v0", data=path, actions=actions, spacing=15.0).unwrapped
    assert isinstance(env, VIRLEnv)
    info = play(env)
    assert info["is_success"]
    assert info["instance"] == f"virl:{path.stem}:0"


@needs_samples
@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_in_the_real_files_headings_and_landmarks_agree_with_the_geometry(path: Path) -> None:
    route = read_paper_routes(path, defects="refuse").routes[0]
    for start, milestone in zip(route.points, route.milestones, strict=False):
        assert abs(turn(milestone.heading, bearing(start, milestone.location))) < 1.1
        assert (milestone.landmark_bearing - milestone.heading) % 45 != 0  # measured, not the middle of a sector


# Hostile files

DEEP = "[" * 200_000
HOSTILE_FILES = {
    "nothing": b"",
    "truncated": json.dumps([[made.route()], 1]).encode()[:-40],
    "deep": DEEP.encode(),
    "deep and closed": (DEEP + "]" * 200_000).encode(),
    "a long number": b"[" + b"9" * 1_000_000 + b"]",
    "NaN": b'[{"init_heading": NaN}]',
    "-Infinity": b"[-Infinity]",
    "no UTF-8": b"[\xff\xfe]",
    "a string": b'"route"',
    "a number": b"7",
    "null": b"null",
    "an empty list": b"[]",
    "an empty list and a number": b"[[], 1000]",
    "another object": b'{"route": 1}',
    "another format": b'{"format": "verienv-city", "version": 1}',
    "a later version": b'{"format": "verienv-routes", "version": 2}',
    "a pickle": pickle.dumps([1]),
}


@pytest.mark.parametrize("name", HOSTILE_FILES)
def test_a_hostile_file_is_an_error_of_one_line(name: str, tmp_path: Path) -> None:
    path = made.folder(tmp_path / "nyc") / "route_infos.json"
    path.write_bytes(HOSTILE_FILES[name])
    with pytest.raises(ValueError, match=r"route_infos\.json: ") as error:
        read_paper_routes(path.parent)
    made.one_line(error)


def test_a_number_too_large_is_a_defect(tmp_path: Path) -> None:
    raw = json.dumps([made.changed(made.route(), "init_heading", to=-1)]).replace(
        '"init_heading": -1', '"init_heading": 1' + "0" * 4000
    )
    data = made.folder(tmp_path / "nyc", json.loads(raw))
    assert "init_heading is 1000" in read_paper_routes(data).defects[0]
    data = made.folder(tmp_path / "far")
    (data / "route_infos.json").write_text(raw.replace("1" + "0" * 4000, "1e999"))
    assert "init_heading is inf" in read_paper_routes(data).defects[0]


def test_surrogates_and_deep_entries_are_defects(tmp_path: Path) -> None:
    deep: Any = []
    for _ in range(400):
        deep = [deep]
    data = made.folder(tmp_path / "nyc", [made.route(names=("\ud800", None, "End")), deep, {"start_place": deep}])
    assert list(read_paper_routes(data).defects) == [0, 1, 2]


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for path in (tmp_path / "none", tmp_path / "empty", tmp_path / "x.json", Path("a\0b"), Path("x" * 5000)):
        with pytest.raises(FileNotFoundError) as error:
            read_paper_routes(path)
        assert "route_infos.json" in str(error.value)


def test_a_loop_of_links_and_a_pipe_are_refused(tmp_path: Path) -> None:
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "route_infos.json").symlink_to(inside / "route_infos.json")
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path in (loop, inside, pipe):
        with pytest.raises((ValueError, FileNotFoundError)):
            read_paper_routes(path)
        with pytest.raises((ValueError, FileNotFoundError)):
            read_panoramas(path)


def test_a_file_beyond_the_bound_is_refused(tmp_path: Path) -> None:
    path = made.folder(tmp_path / "nyc") / "route_infos.json"
    os.truncate(path, 256 * 2**20 + 1)  # a hole: it takes no room
    with pytest.raises(ValueError, match="larger than 256 MB"):
        read_paper_routes(path)
