"""Panoramas on disk: what is read, what is refused, and in which words."""

import json
import os
import warnings
from io import BytesIO
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import pytest
from PIL import Image
from tests.virl.paper_data import paper_folders as made

from verienv.virl.paper_data.routes import convert
from verienv.virl.pictures.panorama_files import PanoramaFolder, load_panorama
from verienv.virl.world.geometry import between

HERE = (40.7230, -73.9980)
FORMATS = {"a.jpg": "JPEG", "a.png": "PNG", "a.webp": "WEBP"}


def picture(wide: int = 64, tall: int = 32, mode: str = "RGB") -> Image.Image:
    whole = np.zeros((tall, wide, 3), np.uint8)
    whole[:, : wide // 2] = (250, 10, 20)
    whole[tall // 2 :, :, 1] = 200
    return Image.fromarray(whole).convert(mode)


def encoded(kind: str, image: Image.Image | None = None, **options: Any) -> bytes:
    file = BytesIO()
    (image or picture()).save(file, kind, **options)
    return file.getvalue()


def refused(path: Path, **options: Any) -> str:
    with pytest.raises(ValueError, match=r".") as error:
        load_panorama(path, **options)
    told: str = made.one_line(error)
    assert told.startswith(f"{path}: ")
    return told


@pytest.mark.parametrize("name", FORMATS)
def test_a_panorama_is_read_as_rgb(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(encoded(FORMATS[name], quality=95))
    read = load_panorama(tmp_path / name)
    assert (read.shape, read.dtype, read.flags.c_contiguous) == ((32, 64, 3), np.uint8, True)
    assert np.abs(read[4, 8].astype(int) - (250, 10, 20)).max() < 12
    assert np.array_equal(read, load_panorama(str(tmp_path / name)))


@pytest.mark.parametrize("mode", ["L", "RGBA", "LA", "P"])
def test_other_modes_become_rgb(mode: str, tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(encoded("PNG", picture(mode=mode)))
    assert np.array_equal(load_panorama(path), np.asarray(picture(mode=mode).convert("RGB")))


def test_what_a_file_holds_counts_and_not_how_it_is_called(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(encoded("PNG"))
    assert load_panorama(path).shape == (32, 64, 3)


@pytest.mark.parametrize("kind", ["GIF", "BMP", "TIFF", "PPM"])
def test_other_formats_are_refused(kind: str, tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(encoded(kind))
    assert "is no JPEG, PNG or WebP" in refused(tmp_path / "a.jpg")


@pytest.mark.parametrize(
    "raw", [b"", b"\xff\xd8", b"%!PS", b"\x89PNG\r\n\x1a\n", b"RIFF\x10\0\0\0WEBPVP8 ", b"x" * 999]
)
def test_what_is_no_picture_is_refused(raw: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(raw)
    refused(tmp_path / "a.jpg")


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("share", [0.3, 0.6, 0.95])
def test_a_truncated_picture_is_refused(name: str, share: float, tmp_path: Path) -> None:
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (32, 64, 3), dtype=np.uint8))
    raw = encoded(FORMATS[name], noise)
    (tmp_path / name).write_bytes(raw[: int(len(raw) * share)])
    refused(tmp_path / name)


@pytest.mark.parametrize("name", FORMATS)
def test_a_picture_with_any_byte_changed_is_read_or_refused(name: str, tmp_path: Path) -> None:
    rng, raw = np.random.default_rng(1), encoded(FORMATS[name])
    for _ in range(300):
        broken = bytearray(raw)
        for at in rng.integers(0, len(raw), int(rng.integers(1, 6))):
            broken[at] = int(rng.integers(256))
        (tmp_path / name).write_bytes(broken)
        try:
            assert load_panorama(tmp_path / name, most_pixels=100_000).shape[2] == 3
        except ValueError as error:
            assert str(error).startswith(f"{tmp_path / name}: ")  # noqa: PT017
            assert str(error).isprintable()  # noqa: PT017


@pytest.mark.parametrize(("wide", "tall"), [(64, 33), (64, 31), (32, 64), (64, 64), (1, 1), (2, 1), (1, 2)])
def test_a_picture_not_twice_as_wide_as_high_is_refused(wide: int, tall: int, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(encoded("PNG", picture(wide, tall)))
    assert f"has {wide} x {tall} pixels" in refused(tmp_path / "a.png")


@pytest.mark.parametrize("wide", [198, 200, 202])
def test_one_percent_off_is_accepted(wide: int, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(encoded("PNG", picture(wide, 100)))
    assert load_panorama(tmp_path / "a.png").shape == (100, wide, 3)


def test_a_picture_too_large_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(encoded("PNG"))
    assert "at most 2047 are accepted" in refused(path, most_pixels=2047)
    assert load_panorama(path, most_pixels=2048).shape == (32, 64, 3)
    for size in ((16_000, 8_000), (40_000, 20_000), (60_000, 30_000), (2**31 - 1, 2**30)):
        # the header alone claims the size
        header = b"IHDR" + size[0].to_bytes(4, "big") + size[1].to_bytes(4, "big") + b"\x08\x02\0\0\0"
        raw = encoded("PNG")
        path.write_bytes(raw[:12] + header + crc32(header).to_bytes(4, "big") + raw[33:])
        assert "pixels" in refused(path)


def test_a_size_within_the_bound_given_is_read_whatever_pillow_warns_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.png").write_bytes(encoded("PNG"))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 2000)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert load_panorama(tmp_path / "a.png").shape == (32, 64, 3)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 20)
    assert "is larger than" in refused(tmp_path / "a.png")


def test_sixteen_bits_a_channel_are_refused(tmp_path: Path) -> None:
    whole = Image.fromarray(np.full((32, 64), 40_000, np.uint16))
    (tmp_path / "a.png").write_bytes(encoded("PNG", whole))
    assert "8 bits" in refused(tmp_path / "a.png")


def test_a_file_that_is_missing_or_no_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"a\.jpg"):
        load_panorama(tmp_path / "a.jpg")
    assert "no plain file" in refused(tmp_path)
    os.mkfifo(tmp_path / "pipe.jpg")
    assert "no plain file" in refused(tmp_path / "pipe.jpg")


def listed(folder: Path, *entries: Any, text: str | None = None) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "panoramas.json").write_text(json.dumps(list(entries)) if text is None else text)
    return folder


def entry(file: Any = "a.jpg", location: Any = HERE, **more: Any) -> dict[str, Any]:
    return {"file": file, "location": location, **more}


def no_folder(folder: Path) -> str:
    with pytest.raises(ValueError, match=r"panoramas\.json") as error:
        PanoramaFolder(folder)
    told: str = made.one_line(error)
    return told


def test_a_folder_of_ones_own_says_where_each_panorama_was_taken(tmp_path: Path) -> None:
    there = (HERE[0] + 0.001, HERE[1])
    folder = listed(tmp_path, entry(rotation=12.5), entry("sub/Straße 1.PNG", there))
    panoramas = PanoramaFolder(folder)
    assert len(panoramas) == 2
    assert panoramas.at(HERE) == (tmp_path / "a.jpg", 12.5)
    assert panoramas.at(there) == (tmp_path / "sub" / "Straße 1.PNG", 0.0)
    assert PanoramaFolder(str(folder)).at(HERE) == panoramas.at(HERE)


def test_the_nearest_within_20_metres_is_taken_and_none_beyond(tmp_path: Path) -> None:
    there = (HERE[0] + 0.001, HERE[1])  # 111 m
    panoramas = PanoramaFolder(listed(tmp_path, entry(), entry("b.jpg", there)))
    assert panoramas.at(between(HERE, there, 0.15))[0].name == "a.jpg"
    assert panoramas.at(between(HERE, there, 0.85))[0].name == "b.jpg"
    with pytest.raises(ValueError, match=r"40\.723445, -73\.998000: the nearest is 49 m away") as error:
        panoramas.at(between(HERE, there, 0.445))
    made.one_line(error)


@pytest.mark.parametrize("location", [(float("nan"), 0.0), (91.0, 0.0), (0.0,), ("a", "b"), (True, 0.0)])
def test_what_is_no_location_is_refused(location: Any, tmp_path: Path) -> None:
    panoramas = PanoramaFolder(listed(tmp_path, entry()))
    with pytest.raises(ValueError, match="the location") as error:
        panoramas.at(location)
    made.one_line(error)


@pytest.mark.parametrize(
    "file",
    [
        "../a.jpg",
        "sub/../../a.jpg",
        "sub/..",
        "./a.jpg",
        ".. /a.jpg",
        "/etc/a.jpg",
        "//host/a.jpg",
        "sub//a.jpg",
        "..\\a.jpg",
        "C:a.jpg",
        "C:\\a.jpg",
        "a.jpg:b.jpg",
        "~/../a.jpg",
        "a\n.jpg",
        "a\0.jpg",
        "a\ud800.jpg",
        "a" * 300 + ".jpg",
        "a.txt",
        "a.gif",
        "jpg",
        "",
        ".",
        None,
        5,
        ["a.jpg"],
    ],
)
def test_a_name_that_may_lead_elsewhere_is_refused(file: Any, tmp_path: Path) -> None:
    told = no_folder(listed(tmp_path, entry(), entry(file, (1.0, 2.0))))
    assert "panorama 1: the file is" in told


def test_a_link_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "a.jpg").write_bytes(encoded("JPEG"))
    folder = listed(tmp_path / "own", entry(), entry("sub/a.jpg", (1.0, 2.0)), entry("b.jpg", (3.0, 4.0)))
    (folder / "a.jpg").symlink_to(tmp_path / "other" / "a.jpg")
    (folder / "sub").symlink_to(tmp_path / "other")
    (folder / "c.jpg").write_bytes(encoded("JPEG"))
    (folder / "b.jpg").symlink_to(folder / "c.jpg")
    panoramas = PanoramaFolder(folder)
    for location in (HERE, (1.0, 2.0)):
        with pytest.raises(ValueError, match="leads out of the folder") as error:
            panoramas.at(location)
        made.one_line(error)
    assert panoramas.at((3.0, 4.0)) == (folder / "c.jpg", 0.0)


def test_a_loop_of_links_is_an_error_of_one_line(tmp_path: Path) -> None:
    folder = listed(tmp_path, entry())
    (folder / "a.jpg").symlink_to(folder / "a.jpg")
    with pytest.raises(ValueError, match=r"a\.jpg") as error:
        load_panorama(PanoramaFolder(folder).at(HERE)[0])
    made.one_line(error)


def test_the_folder_itself_may_be_a_link(tmp_path: Path) -> None:
    listed(tmp_path / "own", entry())
    (tmp_path / "link").symlink_to(tmp_path / "own")
    assert PanoramaFolder(tmp_path / "link").at(HERE) == (tmp_path / "own" / "a.jpg", 0.0)


@pytest.mark.parametrize(
    "wrong",
    [
        5,
        None,
        [],
        {},
        {"file": "a.jpg"},
        {"location": HERE},
        entry(heading=5),
        entry(location=[1.0]),
        entry(location="here"),
        entry(location=[91.0, 0.0]),
        entry(location=[True, 0.0]),
        entry(rotation="12"),
        entry(rotation=None),
        entry(rotation=1e9),
    ],
)
def test_an_entry_that_is_wrong_is_named_by_its_number(wrong: Any, tmp_path: Path) -> None:
    assert "panorama 1: " in no_folder(listed(tmp_path, entry("b.jpg", (1.0, 2.0)), wrong))


@pytest.mark.parametrize("text", ["", "x", "[]", "{}", "5", "[NaN]", "[" * 100_000, '"' + "a" * 99, "\0"])
def test_a_list_that_is_none_is_refused(text: str, tmp_path: Path) -> None:
    no_folder(listed(tmp_path, text=text))


def test_a_list_too_large_is_refused(tmp_path: Path) -> None:
    folder = listed(tmp_path, entry())
    with (folder / "panoramas.json").open("ab") as file:
        file.truncate(33 * 2**20)
    assert "larger than 32 MB" in no_folder(folder)


def test_two_panoramas_in_one_place_and_two_rotations_of_one_file_are_refused(tmp_path: Path) -> None:
    assert "same location" in no_folder(listed(tmp_path, entry(), entry("b.jpg")))
    told = no_folder(listed(tmp_path, entry(rotation=5), entry(location=(1.0, 2.0))))
    assert "another rotation, 5" in told
    assert len(PanoramaFolder(listed(tmp_path, entry(rotation=5), entry(location=(1.0, 2.0), rotation=5)))) == 2


def test_a_folder_of_neither_form_is_refused(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "missing"):
        with pytest.raises(FileNotFoundError, match=r"neither panoramas\.json nor gps_pano_mapping\.pkl"):
            PanoramaFolder(folder)


def test_the_folder_of_the_papers_data_is_read(tmp_path: Path) -> None:
    folder = made.folder(tmp_path / "nyc", mapping=made.mapped())
    panoramas = PanoramaFolder(folder)
    assert len(panoramas) == len(made.mapped())
    assert panoramas.at(made.START) == (folder / "street_views" / "pano-start_0.jpg", 12.5)
    near = (made.START[0] + 5e-5, made.START[1])
    assert panoramas.at(near) == panoramas.at(made.START)
    with pytest.raises(ValueError, match="m away"):
        panoramas.at((0.0, 0.0))


def test_a_rotation_of_the_papers_data_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    folder = made.folder(tmp_path / "nyc", mapping={HERE: "a.b", (1.0, 2.0): "gone", (3.0, 4.0): "link"})
    views = folder / "street_views"
    (views / "a.b.metadata.json").write_text('{"rotation": "north"}')
    (views / "gone.metadata.json").unlink()
    (views / "link.metadata.json").unlink()
    (tmp_path / "secret.json").write_text('{"rotation": 1.0}')
    (views / "link.metadata.json").symlink_to(tmp_path / "secret.json")
    panoramas = PanoramaFolder(folder)
    with pytest.raises(ValueError, match=r"a\.b\.metadata\.json: the rotation"):
        panoramas.at(HERE)
    with pytest.raises(FileNotFoundError, match=r"gone\.metadata\.json"):
        panoramas.at((1.0, 2.0))
    with pytest.raises(ValueError, match="leads out of the folder"):
        panoramas.at((3.0, 4.0))


@pytest.mark.parametrize("of", ["folder", "street_views"])
def test_a_converted_file_says_where_the_panoramas_of_a_folder_were_taken(of: str, tmp_path: Path) -> None:
    folder = made.folder(tmp_path / "nyc", mapping=made.mapped())
    (folder / "street_views" / "pano-start_0.metadata.json").unlink()
    convert(folder, tmp_path / "routes.json")
    (folder / "gps_pano_mapping.pkl").unlink()
    given = folder if of == "folder" else folder / "street_views"
    panoramas = PanoramaFolder(given, converted=tmp_path / "routes.json")
    assert panoramas.at(made.POINTS[0])[0].parent == folder / "street_views"
    assert panoramas.at(made.POINTS[0])[1] == 12.5
    with pytest.raises(FileNotFoundError, match=r"pano-start_0\.metadata\.json"):
        panoramas.at(made.START)  # its rotation was not known when the file was written, and is not now
    (folder / "street_views" / "pano-start_0.metadata.json").write_text('{"rotation": 7}')
    assert panoramas.at(made.START) == (folder / "street_views" / "pano-start_0.jpg", 7.0)


def test_a_converted_file_without_panoramas_is_refused(tmp_path: Path) -> None:
    convert(made.folder(tmp_path / "nyc"), tmp_path / "routes.json")
    with pytest.raises(ValueError, match=r"routes\.json: names no panorama") as error:
        PanoramaFolder(tmp_path, converted=tmp_path / "routes.json")
    made.one_line(error)
    (tmp_path / "list.json").write_text("[]")
    with pytest.raises(ValueError, match=r"list\.json: holds a list"):
        PanoramaFolder(tmp_path, converted=tmp_path / "list.json")
