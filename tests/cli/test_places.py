"""No command writes over what it reads, or twice to one file, or under the name of another kind of file."""

import gzip
import json
import os

import numpy as np
import pytest
from PIL import Image
from tests.cli.shared import ENV, INSTANCE, ROUTES, SOLVED, VISION, is_one_line_error, lines_of

from verienv.evaluation import Evaluation

ROW = lines_of({"response": SOLVED, "instance": INSTANCE})
EVALUATE = ("evaluate", ENV, "--baseline", "constant", "--splits", "test", "--episodes", "2")
OTHER_NAMES = {
    "the same name": lambda path: path,
    "another spelling": lambda path: f"{path.parent}/./{path.name}",
    "a hard link": lambda path: linked(path, os.link),
    "a symbolic link": lambda path: linked(path, os.symlink),
}
other_name = pytest.mark.parametrize("other", OTHER_NAMES.values(), ids=OTHER_NAMES)


def linked(path, link):
    other = path.with_name(f"other{path.suffix}")
    link(path, other)
    return other


@other_name
def test_verify_does_not_write_over_the_responses(cli, tmp_path, other):
    file = tmp_path / "rows.jsonl"
    file.write_text(ROW)
    assert is_one_line_error(cli("verify", file, "--out", other(file)), "this is the file of FILE; give a file of its")
    assert file.read_text() == ROW


@other_name
def test_evaluate_does_not_write_over_its_log_or_earlier_results(cli, tmp_path, other):
    file = tmp_path / "earlier.json"
    assert cli(*EVALUATE, "--out", file)[0] == 0
    before = file.read_bytes()
    name = other(file)
    assert is_one_line_error(cli(*EVALUATE, "--against", file, "--out", name), "this is the file of --against")
    assert is_one_line_error(cli(*EVALUATE, "--log", file, "--out", name), "this is the file of --log")
    assert is_one_line_error(cli(*EVALUATE, "--log", name, "--against", file), "this is the file of --against")
    assert file.read_bytes() == before


def test_show_and_play_do_not_write_twice_to_one_file(cli, tmp_path):
    picture = tmp_path / "a.png"
    for command in ("show", "play"):
        words = (command, "VIRL-VL", "--image", picture, "--map", f"{tmp_path}/./a.png")
        assert is_one_line_error(cli(*words), "this is the file of --image")
    (tmp_path / "b.html").symlink_to(tmp_path / "a.png")
    words = ("show", VISION, "--image", picture, "--replay", tmp_path / "b.html")
    assert is_one_line_error(cli(*words), "this is the file of --image")
    assert not picture.exists()


def test_show_does_not_write_over_the_responses_it_replays(cli, tmp_path):
    file = tmp_path / "rows.html"
    file.write_text(ROW)
    assert is_one_line_error(cli("show", ENV, "--responses", file, "--replay", file), "this is the file of --responses")
    assert file.read_text() == ROW


def test_no_picture_of_a_deck_in_play_is_written_over(cli, tmp_path):
    deck = tmp_path / "deck"
    deck.mkdir()
    Image.fromarray(np.zeros((9, 9, 3), np.uint8)).save(deck / "ace.png")
    before = (deck / "ace.png").read_bytes()
    status, _, err = cli("show", VISION, "-s", f"deck={deck}", "--image", deck / "ace.png")
    assert status == 2
    assert err.count("\n") == 1
    assert (deck / "ace.png").read_bytes() == before


def test_no_file_that_a_setting_names_is_written_over(cli, tmp_path):
    city = tmp_path / "city.json"
    city.write_text("{}")
    for words in (("evaluate", ROUTES, "--baseline", "expert", "--out"), ("demos", ROUTES, "--out")):
        outcome = cli(*words, city, "-s", f'city=["astana", "{city}"]')
        assert is_one_line_error(outcome, "this is the file of -s city (1)")
    assert city.read_text() == "{}"


def test_an_evaluation_of_instances_needs_no_environment_with_that_setting(cli, tmp_path):
    words = ("evaluate", ENV, "--baseline", "expert", "--splits", "test", "-s", f'instances=["{INSTANCE}"]')
    assert cli(*words, "--out", tmp_path / "r.json")[0] == 0


def test_no_file_of_a_model_is_written_over(cli, tmp_path):
    (tmp_path / "config.json").write_text("{}")
    words = ("evaluate", ENV, "--model", tmp_path, "--out")
    assert is_one_line_error(cli(*words, tmp_path / "config.json"), "this is a file of the folder of --model")
    assert (tmp_path / "config.json").read_text() == "{}"
    status, _, err = cli(*words, tmp_path / "results.json")  # a new file is none of the model's
    assert (status, "cannot be loaded" in err) == (2, True)


def test_results_may_have_the_longest_name(cli, tmp_path):
    name = "n" * 250 + ".json"
    assert cli(*EVALUATE, "--out", tmp_path / name)[0] == 0
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_convert_keeps_every_file_of_the_data(cli, tmp_path):
    for name in ("route_infos.json", "gps_pano_mapping.json"):
        (tmp_path / name).write_text("[]")
        assert is_one_line_error(cli("convert", tmp_path, tmp_path / name), "this is a file of the folder of SOURCE")
        assert (tmp_path / name).read_text() == "[]"


def test_a_symbolic_link_is_written_through(cli, tmp_path):
    (tmp_path / "rows.jsonl").write_text(ROW)
    for command, name in (
        (("verify", tmp_path / "rows.jsonl", "--out"), "v.jsonl"),
        (("demos", ENV, "-n", "1", "--out"), "d.jsonl"),
        ((*EVALUATE, "--out"), "e.json"),
        (("show", ENV, "--replay"), "r.html"),
        (("show", ENV, "--sheet"), "s.png"),
        (("show", ROUTES, "--map"), "m.png"),
        (("show", VISION, "--image"), "i.png"),
    ):
        (tmp_path / name).symlink_to(f"far-{name}")
        assert cli(*command, tmp_path / name)[0] == 0
        assert (tmp_path / name).is_symlink()
        assert (tmp_path / f"far-{name}").stat().st_size > 50
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([*EVALUATE, "--out", "r.txt"], "--out r.txt: give a name that ends in .json, .md, .csv or .tex"),
        ([*EVALUATE, "--out", "r.csv.zip"], ".json, .md, .csv or .tex, also with .gz after it"),
        ([*EVALUATE, "--out", "-"], ".json, .md, .csv or .tex"),
        ([*EVALUATE, "--log", "r.csv"], "--log r.csv: give a name that ends in .jsonl"),
        ([*EVALUATE, "--log", "r.jsonl.gz"], "--log r.jsonl.gz: give a name that ends in .jsonl"),
        (["verify", "-", "--out", "r.csv"], "--out r.csv: give a name that ends in .jsonl"),
        (["demos", ENV, "--out", "r.parquet"], "--out r.parquet: give a name that ends in .jsonl"),
        (["convert", ".", "r.png"], "OUT r.png: give a name that ends in .json"),
        (["convert", ".", "-"], "OUT -: give a name that ends in .json"),
        (["show", VISION, "--image", "r.txt"], "give a name that ends in .png"),
        (["show", ROUTES, "--map", "r"], "give a name that ends in .png"),
        (["show", ENV, "--replay", "r.png"], "give a name that ends in .html"),
        (["show", ENV, "--sheet", "r.html"], "give a name that ends in .png"),
        (["play", VISION, "--image", "-"], "give a name that ends in .png"),
    ],
    ids=str,
)
def test_a_name_of_another_kind_of_file_is_refused_before_any_work(cli, tmp_path, monkeypatch, arguments, told):
    monkeypatch.chdir(tmp_path)
    assert is_one_line_error(cli(*arguments), told)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["r.CSV", "r.tex", "r.Md", "r.json", "r", "r.csv.gz", "r.JSON.GZ"])
def test_the_ending_of_out_decides_on_the_format_whatever_its_case(cli, tmp_path, name):
    assert cli(*EVALUATE, "--out", tmp_path / name)[0] == 0
    assert [path.name for path in tmp_path.iterdir()] == [name]
    data = (tmp_path / name).read_bytes()
    text = (gzip.decompress(data) if name.lower().endswith(".gz") else data).decode()
    format = name.lower().removesuffix(".gz").partition(".")[2]
    beginning = {"csv": "cell,metric,mean,low,high,", "tex": "% verienv/", "md": "verienv/"}.get(format, '{\n "setup"')
    assert text.startswith(beginning)
    if beginning.startswith("{"):
        assert Evaluation.load(tmp_path / name).cells["test"].episodes == 2
        assert "Differences to" in cli(*EVALUATE, "--against", tmp_path / name)[1]


def test_verify_and_show_read_and_verify_and_demos_write_by_gzip(cli, tmp_path):
    (tmp_path / "rows").write_bytes(gzip.compress(ROW.encode(), mtime=0))  # the content decides, not the name
    status, _, err = cli("verify", tmp_path / "rows", "--out", tmp_path / "verdicts.jsonl.gz")
    assert (status, err) == (0, "")
    assert json.loads(gzip.decompress((tmp_path / "verdicts.jsonl.gz").read_bytes()))["is_correct"]
    assert cli("show", ENV, "--responses", tmp_path / "rows")[1].startswith(f"[{INSTANCE}, ")
    assert cli("demos", ENV, "-n", "3", "--out", tmp_path / "d.jsonl.gz")[0] == 0
    assert len(gzip.decompress((tmp_path / "d.jsonl.gz").read_bytes()).splitlines()) == 3


@pytest.mark.parametrize(
    "command",
    [
        ("verify",),
        ("verify", "-", "--out"),
        ("show", ENV, "--responses"),
        ("show", ENV, "--replay"),
        ("demos", ENV, "-n", "1", "--out"),
        (*EVALUATE, "--against"),
        (*EVALUATE, "--out"),
        (*EVALUATE, "--log"),
        ("convert",),
        ("convert", "."),
    ],
    ids=str,
)
def test_hostile_file_arguments_are_one_line(cli, tmp_path, monkeypatch, command):
    monkeypatch.chdir(tmp_path)
    ending = {"--replay": ".html"}.get(command[-1], ".json")
    (tmp_path / f"folder{ending}").mkdir()
    (tmp_path / f"file{ending}").write_bytes(bytes(range(256)) * 3)
    (tmp_path / f"empty{ending}").write_text("")
    (tmp_path / f"loop{ending}").symlink_to(f"loop{ending}")
    is_output = command[-1] in ("--out", "--log", "--replay", ".")
    names = [f"folder{ending}", f"loop{ending}", f"{'n' * 300}{ending}", f"file{ending}/below{ending}"]
    names += [] if is_output else [f"missing{ending}", f"empty{ending}", f"file{ending}", f"new\nline{ending}"]
    for name in names:
        more = ("out.json",) if command == ("convert",) else ()
        status, _, err = cli(*command, name, *more)
        assert status == 2 or (status == 1 and command == ("verify",)), name
        assert err.count("\n") <= (4 if status == 1 else 1), name  # the binary file has four lines
        assert len(err) < 600
    assert not [path.name for path in tmp_path.iterdir() if path.name.endswith((".part", "out.json"))]
