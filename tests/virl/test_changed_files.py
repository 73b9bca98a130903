"""Files of a user's own that are overwritten: an environment that is made again plays what lies there now."""

import os
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.virl.paper_data import paper_folders as made

import verienv
from verienv.virl import procedural_city, save_city
from verienv.virl.env import VIRLEnv
from verienv.virl.paper_data.routes import convert
from verienv.virl.vision_env import VIRLVisionEnv


def first(**settings: Any) -> str:
    env = VIRLEnv(**settings)
    return str(env.reset(seed=0)[0]["text"])


@pytest.fixture
def city(tmp_path: Path) -> Path:
    save_city(procedural_city("grid", 3), tmp_path / "town.json")
    return tmp_path / "town.json"


def test_a_city_file_that_is_overwritten_is_played_anew(city: Path) -> None:
    before = first(city=city)
    assert first(city=city) == before
    save_city(procedural_city("grid", 4), city)
    assert "grid-4" in VIRLEnv(city=city).reset(seed=0)[1]["instance"]
    save_city(procedural_city("grid", 3), city)
    assert first(city=city) == before


def test_damage_to_a_city_file_is_noticed(city: Path) -> None:
    first(city=city)
    os.truncate(city, 5000)
    with pytest.raises(ValueError, match=r"town.json'.* is no JSON in UTF-8"):
        VIRLEnv(city=city)
    city.unlink()
    with pytest.raises(FileNotFoundError, match="no city's file"):
        VIRLEnv(city=city)


def test_an_environment_goes_on_in_the_city_it_was_made_with(city: Path) -> None:
    env = VIRLEnv(city=city)
    texts = [env.reset(seed=seed)[0]["text"] for seed in range(3)]
    save_city(procedural_city("grid", 4), city)
    copied = deepcopy(env)
    assert [env.reset(seed=seed)[0]["text"] for seed in range(3)] == texts
    city.unlink()
    assert [copied.reset(seed=seed)[0]["text"] for seed in range(3)] == texts


def test_a_trusted_row_is_dealt_in_the_city_that_lies_there_now(city: Path) -> None:
    (row,) = verienv.rows("verienv/VIRL-L-v0", n=1, city=str(city))
    verienv.Episode.of(row, trusted=True)
    save_city(procedural_city("grid", 4), city)
    with pytest.raises(ValueError, match="the row's instance is 'virl:grid-3"):
        verienv.Episode.of(row, trusted=True)


def test_a_folder_of_routes_that_is_overwritten_is_played_anew(tmp_path: Path) -> None:
    data = made.folder(tmp_path / "nyc")
    before = first(data=data)
    made.folder(tmp_path / "other", [[made.route(names=("Elsewhere", "Here", "There"))], 1])
    (tmp_path / "other" / "route_infos.json").replace(data / "route_infos.json")
    after = first(data=data)
    assert "Elsewhere" in after
    assert "Elsewhere" not in before
    (data / "route_infos.json").write_text("[")
    with pytest.raises(ValueError, match="is no JSON in UTF-8"):
        VIRLEnv(data=data)


def test_a_converted_file_that_is_overwritten_is_played_anew(tmp_path: Path) -> None:
    convert(made.folder(tmp_path / "one"), tmp_path / "routes.json")
    before = first(data=tmp_path / "routes.json")
    convert(made.folder(tmp_path / "two", [[made.route(names=("A", "B", "C"))], 1]), tmp_path / "routes.json")
    after = first(data=tmp_path / "routes.json")
    assert "destination C" in after
    assert "destination C" not in before


def test_a_panorama_that_is_overwritten_is_seen_anew(tmp_path: Path) -> None:
    data = made.folder(tmp_path / "nyc", mapping=made.mapped())
    pictures = sorted((data / "street_views").glob("*.jpg"))
    for shade in (40, 200):
        for path in pictures:
            Image.new("RGB", (64, 32), (shade, shade, shade)).save(path)
        env = VIRLVisionEnv(data=data, view_size=64)
        picture = env.reset(seed=0)[0]["image"]
        assert abs(int(picture[10, 10, 0]) - shade) < 8
    for path in pictures:
        path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(ValueError, match=r"\.jpg: is truncated or broken"):
        env.reset(seed=0)


def test_a_turned_panorama_is_seen_upright(tmp_path: Path) -> None:
    data = made.folder(tmp_path / "nyc", mapping=made.mapped())
    upright = np.zeros((32, 64, 3), np.uint8)
    upright[:16] = (90, 160, 250)  # the sky
    exif = Image.Exif()
    exif[0x0112] = 6
    for path in (data / "street_views").glob("*.jpg"):
        Image.fromarray(np.ascontiguousarray(np.rot90(upright))).save(path, exif=exif, quality=95)
    picture = VIRLVisionEnv(data=data, view_size=64).reset(seed=0)[0]["image"].astype(int)
    assert np.abs(picture[4:20, :60] - (90, 160, 250)).max() < 16
    assert picture[44:60, :60].max() < 16
