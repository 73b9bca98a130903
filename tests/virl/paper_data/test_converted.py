"""Converting public routes once: the file plays as the folder does, and is trusted no more."""

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest
import typer
from tests.virl.paper_data import paper_folders as made

from verienv.cli.convert import convert as convert_command
from verienv.virl.paper_data.routes import PaperRoutes, convert, panorama_near, read_paper_routes
from verienv.virl.routes.options import RouteOptions

SAMPLES = sorted((Path(__file__).parents[4] / "shared" / "data" / "virl_samples").glob("route_infos_*.json"))
NAMES = ("Café “Zoë”", None, "東京" if importlib.util.find_spec("anyascii") else "Tøkyo")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    routes = [[made.route(), 7, made.route(names=NAMES, first=200)], 3]
    return made.folder(tmp_path / "NYC 1k", routes, made.mapped())


@pytest.fixture
def converted(data: Path, tmp_path: Path) -> Path:
    convert(data, tmp_path / "out.json")
    return tmp_path / "out.json"


@pytest.mark.filterwarnings("ignore:.*1 of 3 routes cannot be played")
@pytest.mark.parametrize("spacing", [15.0, 40.0, 1000.0])
def test_a_converted_file_plays_as_the_folder_does(spacing: float, data: Path, converted: Path) -> None:
    options = RouteOptions(spacing, "both")
    folder, file = PaperRoutes(data, options), PaperRoutes(converted, options)
    for index in (0, 2):
        assert folder.route(f"virl:nyc-1k:{index}") == file.route(f"virl:nyc-1k:{index}")


@pytest.mark.skipif(not SAMPLES, reason="the real route files are not beside this checkout")
@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_the_real_files_play_as_before_when_converted(path: Path, tmp_path: Path) -> None:
    report = convert(path, tmp_path / "out.json", defects="refuse")
    assert (report.routes, report.defects, report.panoramas) == (1, {}, None)
    assert read_paper_routes(tmp_path / "out.json").routes == read_paper_routes(path).routes


def test_the_report_counts_routes_defects_and_panoramas(data: Path, tmp_path: Path) -> None:
    report = convert(data, tmp_path / "out.json")
    assert (report.name, report.routes, list(report.defects)) == ("nyc-1k", 2, [1])
    assert report.panoramas == len(made.mapped())
    assert report.missing == ()
    (data / "street_views" / "pano-start_0.jpg").unlink()
    assert convert(data, tmp_path / "out.json").missing == ("street_views/pano-start_0.jpg",)


def test_panoramas_near_the_routes_are_kept_with_their_rotations_and_no_others(tmp_path: Path) -> None:
    mapping = made.mapped()
    data = made.folder(tmp_path / "nyc", mapping=mapping | {(40.7230, -73.9990): "far", (40.72305, -73.9975): "aside"})
    (data / "street_views" / "aside.metadata.json").unlink()
    convert(data, tmp_path / "out.json")
    (data / "gps_pano_mapping.pkl").write_bytes(b"no longer needed")
    file = read_paper_routes(tmp_path / "out.json")
    assert file.panoramas == mapping | {(40.72305, -73.9975): "aside"}
    assert file.rotations == dict.fromkeys(mapping.values(), 12.5)
    for route in file.routes.values():
        for point in route.points:
            assert panorama_near(file.panoramas, point) == mapping[point]


def test_the_file_is_plain_ascii_json_with_the_documented_fields(converted: Path) -> None:
    whole = json.loads(converted.read_bytes().decode("ascii"))
    assert (whole["format"], whole["version"], whole["name"]) == ("verienv-routes", 1, "nyc-1k")
    assert set(whole) == {"format", "version", "name", "routes", "panoramas"}
    assert [route["index"] for route in whole["routes"]] == [0, 2]


def test_an_old_file_stays_when_a_conversion_fails(data: Path, converted: Path) -> None:
    before = converted.read_bytes()
    (data / "gps_pano_mapping.pkl").write_bytes(b"\x80\x02cos\nsystem\n.")
    with pytest.raises(ValueError, match=r"global 'os\.system' is forbidden"):
        convert(data, converted)
    assert converted.read_bytes() == before
    assert [path.name for path in converted.parent.iterdir() if path.suffix == ".part"] == []


def test_what_cannot_be_converted_is_refused(data: Path, converted: Path, tmp_path: Path) -> None:
    for out in (data, data / "route_infos.json"):
        with pytest.raises(ValueError, match="give a file of its own"):
            convert(data, out)
    with pytest.raises(ValueError, match="is converted already"):
        convert(converted, tmp_path / "again.json")
    with pytest.raises(ValueError, match="1 of 3 routes cannot be played"):
        convert(data, tmp_path / "refused.json", defects="refuse")
    with pytest.raises(ValueError, match="1 of 1 routes cannot be played"):
        convert(made.folder(tmp_path / "none", [7]), tmp_path / "refused.json")
    assert not (tmp_path / "refused.json").exists()


def changed(path: Path, *keys: Any, to: Any) -> Path:
    whole = json.loads(path.read_bytes())
    inner = whole
    for key in keys[:-1]:
        inner = inner[key]
    if to is KeyError:
        del inner[keys[-1]]
    else:
        inner[keys[-1]] = to
    path.write_text(json.dumps(whole))
    return path


@pytest.mark.parametrize(
    ("keys", "to", "told"),
    [
        (("version",), True, "version True; verienv-routes version 1"),
        (("format",), 7, "it is 7 version 1"),
        (("name",), "A B", "the name is 'A B'"),
        (("name",), KeyError, "it holds 4 fields"),
        (("extra",), 1, "it holds 6 fields"),
        (("routes",), {}, "routes is an object"),
        (("routes", 1), [], "route 1: a list of 0 is given"),
        (("routes", 1, "index"), 0, "route 1: the index 0 is there twice"),
        (("routes", 1, "index"), -1, "route 1: the index is -1"),
        (("routes", 1, "start"), "\u00e9", "route 1: start is"),
        (("routes", 1, "start"), ["x"], "route 1: start is"),
        (("routes", 1, "location"), [91, 0], "route 1: the latitude of the location is 91"),
        (("routes", 1, "heading"), float("inf"), "Infinity is no number"),
        (("routes", 1, "heading"), "x", "route 1: the heading is 'x'"),
        (("routes", 1, "milestones"), [], "route 1: milestones is a list of 0"),
        (("routes", 1, "milestones", 0), [1], "route 1: a milestone is a list of 1"),
        (("routes", 1, "milestones", 0, 3), "a\nb", "route 1: the name"),
        (("routes", 1, "milestones", 0, 3), "two  spaces", "route 1: a label is"),
        (("routes", 1, "milestones", 0, 4), "", "route 1: a name is ''"),
        (("routes", 1, "milestones", 0, 4), 7, "route 1: a name is 7"),
        (("routes", 1, "milestones", 2, 3), "", "route 1: the name ''"),
        (("routes", 1, "milestones", 2, slice(3, 5)), ["", ""], "route 1: the last milestone has no landmark"),
        (("panoramas", 0), [1, 2], "panorama 0: it is a list of 2"),
        (("panoramas", 0, 2), "../x", "panorama 0: the id is '../x'"),
        (("panoramas", 0, 3), "x", "panorama 0: the rotation is 'x'"),
    ],
)
def test_a_converted_file_that_was_changed_is_refused(keys: Any, to: Any, told: str, converted: Path) -> None:
    with pytest.raises(ValueError, match=r"out\.json: ") as error:
        read_paper_routes(changed(converted, *keys, to=to))
    assert told in str(error.value)
    assert str(error.value).isprintable()


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Any:
    app = typer.Typer(add_completion=False)
    app.command()(convert_command)

    def call(*arguments: Any) -> tuple[str, str]:
        app(args=[str(argument) for argument in arguments], standalone_mode=False)
        out, err = capsys.readouterr()
        return out, err

    return call


def test_the_command_tells_what_was_found(cli: Any, data: Path, tmp_path: Path) -> None:
    out, err = cli(data, tmp_path / "new" / "out.json")
    assert f"routes: 2 of nyc-1k in {tmp_path / 'new' / 'out.json'}, 1 left out" in out
    assert f"panoramas: {len(made.mapped())} found near the routes, none missing" in out
    assert err == "route 1 is left out: the route is 7; an object is expected\n"
    assert len(read_paper_routes(tmp_path / "new" / "out.json").routes) == 2


def test_the_command_tells_what_is_missing(cli: Any, data: Path, tmp_path: Path) -> None:
    (data / "street_views" / "pano-start_0.jpg").unlink()
    assert "1 missing: street_views/pano-start_0.jpg" in cli(data, tmp_path / "out.json")[0]
    (data / "gps_pano_mapping.pkl").unlink()
    assert "panoramas: none (there is no gps_pano_mapping.pkl" in cli(data, tmp_path / "out.json")[0]


def test_many_defects_are_counted(cli: Any, tmp_path: Path) -> None:
    _, err = cli(made.folder(tmp_path / "nyc", [made.route(), *range(30)]), tmp_path / "out.json")
    assert err.count("\n") == 21
    assert err.endswith("... and 10 more routes are left out\n")


def test_the_command_refuses_defects_if_told(cli: Any, data: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="1 of 3 routes cannot be played"):
        cli(data, tmp_path / "out.json", "--defects", "refuse")
    with pytest.raises(ValueError, match="expected skip or refuse"):
        cli(data, tmp_path / "out.json", "--defects", "ignore")
