import io
import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from verienv.adapters import png
from verienv.cli import run
from verienv.cli.pictures import save_picture
from verienv.evaluation import Evaluation
from verienv.generalpoints import LOOK_BY_RULE, LOOKS, RULE_BY_SIDE, GeneralPointsVisionConfig, Puzzle, verify
from verienv.generalpoints.puzzle import read_instance
from verienv.generalpoints.vision_env import GeneralPointsVisionEnv
from verienv.registry import ENTRY_POINTS
from verienv.virl import VIRLConfig
from verienv.virl.env import VIRLEnv

ENV = "GeneralPoints-L"
VISION = "GeneralPoints-VL"
SOLVED = '{"cards": ["4", "3", "2", "K"], "number": [4, 3, 2, 10], "formula": "4*3+2+10"}'
INSTANCE = "generalpoints:4-3-2-K:24"


@pytest.fixture
def cli(capsys, monkeypatch):
    """Run a command with ``typed`` on stdin: (status, stdout, stderr)."""
    monkeypatch.setenv("COLUMNS", "100")

    def call(*arguments, typed=""):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(typed.encode()), encoding="utf-8"))
        status = run([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return status, out, err

    return call


def is_one_line_error(outcome, told):
    status, out, err = outcome
    return status == 2 and not out and err.startswith("verienv: ") and err.count("\n") == 1 and told in err


def test_without_arguments_the_commands_are_listed(cli):
    status, out, _ = cli()
    assert status == 0
    for command in ("envs", "show", "play", "verify", "demos", "evaluate", "convert"):
        assert re.search(rf"^  {command}\b", out, re.MULTILINE)


def test_envs_lists_ids_splits_and_settings_within_the_width(cli):
    status, out, _ = cli("envs")
    assert status == 0
    for word in (*ENTRY_POINTS, "train, test, rule_ood", "face_cards=condition", "stated_rule", "1 to 64"):
        assert word in out
    assert max(map(len, out.splitlines())) <= 100


def test_envs_lists_settings_and_looks_of_the_task_by_sight_in_80_columns(cli, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    _, out, _ = cli("envs")
    assert max(map(len, out.splitlines())) <= 80
    of_cards = out.partition("split of verienv/VIRL-L-v0")[0]
    for name in GeneralPointsVisionConfig.model_fields:
        assert len(re.findall(rf"^{name}  +\S", of_cards, re.MULTILINE)) == 1
    for name in VIRLConfig.model_fields:
        assert re.search(rf"^{name}  +\S", out.removeprefix(of_cards), re.MULTILINE)
    looks = out.partition("visual=  ")[2]
    for name in LOOKS:
        assert re.search(rf"^{name}  +\S", looks, re.MULTILINE)
    assert re.search(r"^lamplight +background=wood, light=0.6", looks, re.MULTILINE)
    assert re.search(r"^rotation +0.0 +each card is turned", out, re.MULTILINE)


def test_show_prints_the_question_and_no_answer(cli):
    status, out, _ = cli("show", ENV, "--split", "rule_ood", "--seed", "3")
    assert status == 0
    assert "K = 13" in out
    assert "Attempt 1 of 5." in out
    assert "verdict" not in out


def test_show_reads_settings_as_json_or_text(cli):
    _, out, _ = cli("show", ENV, "-s", "attempts=2", "-s", 'rule={"J": 5, "Q": 6, "K": 7}', "--setting", "suits=red")
    assert "J = 5, Q = 6, K = 7" in out
    assert "Attempt 1 of 2." in out


def test_show_with_answer_tells_the_experts_response_and_verdict(cli):
    _, out, _ = cli("show", ENV, "--answer")
    assert re.search(r"is_correct +true", out)


def pixels(path):
    with Image.open(path) as image:
        assert image.format == "PNG"
        return np.asarray(image)


def dealt(seed=0, **settings):
    env = GeneralPointsVisionEnv(**settings)
    env.reset(seed=seed)
    return env


def test_show_writes_the_picture(cli, tmp_path):
    file = tmp_path / "new" / "hand.png"
    status, out, _ = cli("show", VISION, "--seed", "4", "-s", "visual=scattered", "--image", file)
    assert status == 0
    assert out.rstrip().splitlines()[-1] == f"[the picture: {file}]"
    assert np.array_equal(pixels(file), dealt(4, visual="scattered").pictures[0])
    assert [path.name for path in file.parent.iterdir()] == ["hand.png"]


def test_show_says_how_to_see_the_picture_and_does_not_tell_the_cards(cli):
    _, out, _ = cli("show", VISION, "--seed", "4")
    assert out.rstrip().splitlines()[-1] == "[the picture: add --image FILE.png and open that file]"
    assert "J, 3, 10, 8" not in out
    assert "picture" not in cli("show", ENV)[1]


@pytest.mark.parametrize("name", ["GeneralPoints-L", "generalpoints-l-v0", "verienv/GeneralPoints-L-v0"])
def test_an_environment_may_be_named_in_short(cli, name):
    assert cli("show", name)[0] == 0


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["shw"], "show"),
        (["show"], "ENV_ID"),
        (["show", "GenralPoints-L"], "did you mean verienv/GeneralPoints-L-v0"),
        (["show", ENV, "--seed", "x"], "--seed"),
        (["show", ENV, "--split", "trian"], "train, test, rule_ood"),
        (["show", ENV, "-s", "attempts"], "key=value"),
        (["show", ENV, "-s", "atempts=2"], "did you mean 'attempts'"),
        (["show", ENV, "-s", "rule=nine_lives"], "is not a preset"),
        (["show", ENV, "--image", "hand.png"], "has no picture; leave --image out"),
        (["show", VISION, "--image", "hand.jpg"], "give a name that ends in .png"),
        (["play", ENV, "--image", "hand.png"], "has no picture; leave --image out"),
        (["demos", VISION, "-n", "1"], "--out -: the rows come with pictures"),
        (["demos", VISION, "-n", "1", "--out", "/dev/null"], "give a file's path, e.g. --out demos.jsonl"),
        (["demos", VISION, "-n", "1", "--out", "."], "Is a directory"),
        (["evaluate", ENV, "--baseline", "expert", "--splits", "look_by_rule"], "has no visual splits"),
        (["verify", "no/such/file"], "no/such/file: No such file"),
        (["verify", "."], "Is a directory"),
        (["verify", "-", "--rule", "none"], "is not a preset"),
        (["verify", "-", "--rewards", "none"], "paper, binary, binary_format"),
        (["demos", ENV, "--kind", "other"], "sft, revision, preference"),
        (["demos", ENV, "--kind", "revision", "--wrong-attempts", "5"], "expected 1 to 4"),
        (["demos", ENV, "--out", "."], "Is a directory"),
        (["evaluate", ENV], "--model NAME_OR_PATH or --baseline"),
        (["evaluate", ENV, "--baseline", "oracle"], "expert or constant"),
        (["evaluate", ENV, "--baseline", "expert", "--splits", "trian"], "train, test, rule_ood"),
        (["evaluate", ENV, "--model", "/no/such/folder"], "no such folder"),
        (["evaluate", ENV, "--baseline", "expert", "--against", "no/such/file"], "No such file"),
    ],
)
def test_an_error_is_one_line_on_stderr_and_status_2(cli, arguments, told):
    assert is_one_line_error(cli(*arguments), told)


def test_a_bare_formula_is_judged_as_an_answer(cli):
    status, out, _ = cli("play", ENV, "--seed", "1", typed="(8-5)*(10-2)\n")
    assert status == 0
    assert "Correct. Reward +5." in out
    assert "1 of 2 hands solved, total reward 5." in out


def test_a_whole_json_answer_is_judged_as_it_is(cli):
    _, out, _ = cli("play", "--seed", "1", typed='{"formula": "(8-5)*(J-2)"}\nq\n')
    assert "Wrong: the formula is not legal. Reward -3.\nAttempt 2 of 5." in out


def test_play_reveals_no_solution_before_one_gives_up(cli):
    _, out, _ = cli("play", "--seed", "1", typed="1+2\nhint\nq\n")
    assert "8*(10-2-5)" not in out
    _, out, _ = cli("play", "--seed", "1", typed="1+2\ngive up\nq\n")
    assert "The 3 solutions are  8*(10-2-5)   (2-10)*(5-8)   (8-5)*(10-2)" in out


def test_a_hand_without_attempts_left_is_lost_and_the_next_is_dealt(cli):
    _, out, _ = cli("play", "--seed", "1", "-s", "attempts=2", typed="1\n\n2\n")
    assert out.count("Attempt 1 of 2.") == 2
    assert "0 of 2 hands solved, total reward -4." in out


def test_by_sight_each_hand_is_in_a_file_while_one_plays_and_no_longer(cli, tmp_path, monkeypatch):
    seen = []

    def look(env, path):
        save_picture(env, path)
        seen.append((path, pixels(path), env.pictures[0]))

    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("verienv.cli.play.save_picture", look)
    _, out, _ = cli("play", VISION, "--seed", "1", typed="give up\nq\n")
    assert re.findall(r"^The picture is (.*)$", out, re.MULTILINE) == [str(path) for path, _, _ in seen]
    assert len({path for path, _, _ in seen}) == 2
    assert all(np.array_equal(written, shown) for _, written, shown in seen)
    assert not list(tmp_path.iterdir())


def test_by_sight_the_hand_in_play_is_where_image_says(cli, tmp_path):
    _, out, _ = cli("play", VISION, "--seed", "1", "--image", tmp_path / "hand.png", typed="q\n")
    assert f"The picture is {tmp_path / 'hand.png'}\n" in out
    assert np.array_equal(pixels(tmp_path / "hand.png"), dealt(1).pictures[0])


def test_by_sight_a_bare_formula_counts_as_read_right_and_a_json_answer_as_it_reads(cli):
    misread = '{"cards": ["A", "A", "A", "A"], "number": [1, 1, 1, 1], "formula": "2+5+7+10"}'
    _, out, _ = cli("play", VISION, "--seed", "1", typed=f"{misread}\n2+5+7+10\nq\n")
    assert "The cards are not read right. Reward -1.5.\nAttempt 2 of 5." in out
    assert "Correct. Reward +5." in out
    assert "A bare formula is judged as if you had read the cards right" in out


def test_by_sight_giving_up_tells_the_cards(cli):
    _, out, _ = cli("play", VISION, "--seed", "1", typed="give up\nq\n")
    assert f"The cards are  {' '.join(dealt(1).puzzle.cards)}\nThe 3 solutions are" in out


def test_ctrl_c_in_play_ends_with_status_130():
    command = [sys.executable, "-c", "from verienv.cli import main; main()", "play"]
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a shell's background job ignores it
    )
    with process:
        while "Attempt 1" not in process.stdout.readline():
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err == "verienv: interrupted\n"


def lines_of(*rows):
    return "".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows)


def test_verify_prints_a_summary(cli, tmp_path):
    rows = [
        {"response": SOLVED, "instance": INSTANCE},
        {"response": SOLVED, "cards": ["4", "3", "2", "KS"], "rule": "rank", "id": 7},
        {"response": "I give up", "cards": ["4", "3", "2", "K"], "target": 19},
        {
            "response": '{"formula": "4+3+2+10"}',
            "cards": ["4", "3", "2", "K"],
            "rule": {"J": 1, "Q": 2, "K": 10},
            "target": 19,
        },
    ]
    (tmp_path / "responses.jsonl").write_text(lines_of(*rows))
    status, out, err = cli("verify", tmp_path / "responses.jsonl")
    assert (status, err) == (0, "")
    told = dict(re.findall(r"^(\S.*?)  +(\S+)", out, re.MULTILINE))
    assert told["responses"] == "4"
    assert told["correct"] == "2"
    assert told["wrong numbers"] == told["unreadable"] == "1"
    assert float(told["mean reward"]) == (5 - 2 - 3 + 5) / 4


def test_verify_reads_stdin_and_writes_verdicts(cli, tmp_path):
    status, _, _ = cli(
        "verify", "-", "--out", tmp_path / "verdicts", typed=lines_of({"response": SOLVED, "instance": INSTANCE})
    )
    [verdict] = map(json.loads, (tmp_path / "verdicts").read_text().splitlines())
    assert status == 0
    assert (verdict["line"], verdict["instance"], verdict["reward"]) == (1, INSTANCE, 5.0)


def test_verdicts_on_stdout_are_nothing_but_json_lines(cli):
    _, out, err = cli("verify", "-", "--out", "-", typed=lines_of({"response": SOLVED, "instance": INSTANCE}))
    assert json.loads(out)["is_correct"]
    assert "correct" in err


def test_options_of_verify_hold_where_a_line_does_not_say(cli):
    row = {"response": '{"formula": "4*3+2+10"}', "cards": ["4", "3", "2", "K"]}
    _, out, _ = cli("verify", "-", "--vision", "--out", "-", typed=lines_of(row, row | {"vision": False}))
    assert [json.loads(line)["failure"] for line in out.splitlines()] == ["misread", ""]
    _, out, _ = cli("verify", "-", "--rule", "rank", "--rewards", "binary", "--out", "-", typed=lines_of(row))
    assert (json.loads(out)["failure"], json.loads(out)["reward"]) == ("wrong_numbers", 0.0)


def test_of_answers_by_sight_verify_tells_how_many_cards_were_read(cli):
    rows = [
        {"response": SOLVED, "instance": INSTANCE},
        {"response": SOLVED, "cards": ["4C", "3C", "2C", "QC"]},
        {"response": SOLVED, "instance": INSTANCE, "vision": False},
    ]
    _, out, _ = cli("verify", "-", "--vision", typed=lines_of(*rows))
    assert re.search(r"^mean cards read right +3.50$", out, re.MULTILINE)
    assert re.search(r"^with the cards read right +2 ", out, re.MULTILINE)
    assert "mean cards" not in cli("verify", "-", typed=lines_of(*rows))[1]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("not json", "no JSON"),
        ("[1]", "expected a JSON object"),
        ("[" * 100_000, "line 2"),
        ({"response": 3, "instance": INSTANCE}, "response=3"),
        ({"instance": INSTANCE}, "response"),
        ({"response": "x"}, "either 'instance' or 'cards'"),
        ({"response": "x", "instance": INSTANCE, "cards": ["4", "3", "2", "K"]}, "either 'instance' or 'cards'"),
        ({"response": "x", "instance": "virl:3"}, "no GeneralPoints instance"),
        ({"response": "x", "instance": INSTANCE, "target": 25}, "target=25"),
        ({"response": "x", "cards": ["4", "3", "2", "Z"]}, "Z"),
        ({"response": "x", "cards": ["4", "3", "2", "K"], "rule": "none"}, "is not a preset"),
        ({"response": "x", "cards": ["4", "3", "2", "K"], "target": 0}, "target=0"),
    ],
)
def test_a_bad_line_is_named_the_others_are_scored_and_the_status_is_1(cli, line, told):
    good = {"response": SOLVED, "instance": INSTANCE}
    status, out, err = cli("verify", "-", typed=lines_of(good, line, "", good))
    assert status == 1
    assert err.startswith("-, line 2: ")
    assert err.count("\n") == 1
    assert told in err
    assert re.search(r"^correct +2 +100.0%", out, re.MULTILINE)
    assert re.search(r"^lines not read +1$", out, re.MULTILINE)


def test_bytes_that_are_no_text_are_a_bad_line(cli, tmp_path):
    (tmp_path / "file").write_bytes(b'{"response": "\xff\xfe"}\n')
    assert "line 1: no JSON" in cli("verify", tmp_path / "file")[2]


def test_a_thousand_bad_lines_do_not_flood_the_terminal(cli):
    _, _, err = cli("verify", "-", typed="bad\n" * 1000)
    assert err.splitlines()[-1] == "... and 980 more lines that cannot be read"


def test_a_file_without_responses_is_told_by_the_status(cli):
    assert cli("verify", "-")[:2] == (1, "No response was scored.\n")


@pytest.mark.parametrize("kind", ["sft", "revision", "preference"])
def test_demos_writes_rows_that_verify_as_correct(cli, tmp_path, kind):
    status, out, err = cli("demos", ENV, "--kind", kind, "-n", "5", "--steps", "--out", tmp_path / "demos.jsonl")
    assert (status, out) == (0, "")
    assert "5 rows" in err
    rows = [json.loads(line) for line in (tmp_path / "demos.jsonl").read_text().splitlines()]
    answers = [(row.get("completion") or row["chosen"])[-1]["content"] for row in rows]
    scored = [{"response": a, "instance": row["instance"]} for a, row in zip(answers, rows, strict=True)]
    assert re.search(r"^correct +5 ", cli("verify", "-", typed=lines_of(*scored))[1], re.MULTILINE)


def test_demos_goes_to_stdout_by_default(cli):
    _, out, err = cli("demos", ENV, "-n", "2", "--seed", "9", "--split", "test")
    assert len([json.loads(line) for line in out.splitlines()]) == 2
    assert not err


def by_sight(cli, file, *more):
    """Status and stderr of writing demonstrations by sight in small pictures."""
    status, out, err = cli("demos", VISION, "-s", "image_size=96", "--out", file, *more)
    assert not out
    return status, err


def names(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


@pytest.mark.parametrize("kind", ["sft", "revision", "preference"])
def test_demos_by_sight_writes_the_pictures_beside_the_file(cli, tmp_path, kind):
    status, err = by_sight(cli, tmp_path / "demos.jsonl", "--kind", kind, "-n", "3", "--seed", "7")
    assert (status, err) == (
        0,
        f"3 rows in {tmp_path / 'demos.jsonl'}, their pictures in {tmp_path / 'demos_images'}\n",
    )
    env = GeneralPointsVisionEnv(image_size=96)
    for number, line in enumerate((tmp_path / "demos.jsonl").read_text().splitlines()):
        row = json.loads(line)
        env.reset(seed=7 if number == 0 else None)
        assert row["images"] == [f"demos_images/{number:06d}.png"]
        assert np.array_equal(pixels(tmp_path / row["images"][0]), env.pictures[0])
        [part] = (row.get("completion") or row["chosen"])[-1]["content"]
        ranks, target = read_instance(row["instance"])
        assert verify(part["text"], Puzzle(ranks, target=target), vision=True).reward == 5.0


def test_demos_by_sight_load_as_a_dataset_of_images(cli, tmp_path, monkeypatch):
    from datasets import Image as ImageFeature
    from datasets import load_dataset

    by_sight(cli, tmp_path / "demos.jsonl", "-n", "2")
    monkeypatch.chdir(tmp_path)  # the paths are as seen from the file
    rows = load_dataset("json", data_files="demos.jsonl", cache_dir="cache")["train"]
    first = rows.cast_column("images", [ImageFeature()])[0]
    assert first["images"][0].size == (96, 96)
    assert first["prompt"][0]["content"][0]["type"] == "image"


def test_demos_by_sight_replaces_its_own_pictures_of_before(cli, tmp_path):
    by_sight(cli, tmp_path / "demos.jsonl", "-n", "3")
    by_sight(cli, tmp_path / "demos.jsonl", "-n", "1", "--seed", "2")
    assert names(tmp_path) == ["demos.jsonl", "demos_images", "demos_images/000000.png"]
    assert np.array_equal(pixels(tmp_path / "demos_images" / "000000.png"), dealt(2, image_size=96).pictures[0])


def test_demos_by_sight_touches_no_folder_in_which_other_things_are(cli, tmp_path):
    (tmp_path / "demos_images").mkdir()
    (tmp_path / "demos_images" / "me.png").write_text("precious")
    status, err = by_sight(cli, tmp_path / "demos.jsonl", "-n", "1")
    assert status == 2
    assert "me.png, which is none of them; move it away or choose another --out" in err
    assert names(tmp_path) == ["demos_images", "demos_images/me.png"]


@pytest.mark.parametrize("cause", [KeyboardInterrupt, OSError(28, "No space left on device")])
def test_demos_by_sight_that_are_interrupted_leave_file_and_pictures_as_they_were(cli, tmp_path, monkeypatch, cause):
    by_sight(cli, tmp_path / "demos.jsonl", "-n", "2")
    before = {name: (tmp_path / name).read_bytes() for name in names(tmp_path) if "." in name}
    written = []

    def png_until_the_third(image):
        written.append(image)
        if len(written) == 3:
            raise cause
        return png(image)

    monkeypatch.setattr("verienv.cli.pictures.png", png_until_the_third)
    status, _ = by_sight(cli, tmp_path / "demos.jsonl", "-n", "4", "--seed", "9")
    assert status == (130 if cause is KeyboardInterrupt else 2)
    assert {name: (tmp_path / name).read_bytes() for name in names(tmp_path) if "." in name} == before


def test_an_old_file_never_stands_beside_new_pictures(cli, tmp_path, monkeypatch):
    by_sight(cli, tmp_path / "demos.jsonl", "-n", "1")
    rename = Path.rename

    def fails(path, target):
        if target.name == "demos_images":
            raise OSError(5, "Input/output error", str(path))
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", fails)
    assert by_sight(cli, tmp_path / "demos.jsonl", "-n", "1", "--seed", "9")[0] == 2
    assert not [name for name in names(tmp_path) if name.endswith(("jsonl", "part"))]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_is_one_line_on_stderr(cli):
    assert is_one_line_error(cli("demos", ENV, "-n", "200", "--out", "/dev/full"), "/dev/full: No space left")


def test_a_failed_command_leaves_the_file_it_would_have_replaced(cli, tmp_path, monkeypatch):
    file = tmp_path / "demos.jsonl"
    file.write_text("precious\n")

    def broken(*_, **__):
        yield {"a": 1}
        raise ValueError("broken")

    monkeypatch.setattr("verienv.cli.app.demonstrations", broken)
    assert is_one_line_error(cli("demos", ENV, "--out", file), "broken")
    assert file.read_text() == "precious\n"
    assert [path.name for path in tmp_path.iterdir()] == ["demos.jsonl"]


def test_a_reader_that_has_had_enough_ends_the_command_quietly():
    command = f'{sys.executable} -c "from verienv.cli import main; main()" demos {ENV} -n 100000 | head -n 1'
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=False, timeout=60)  # noqa: S602
    assert done.stdout.count("\n") == 1
    assert done.stderr == ""


def test_evaluate_prints_a_table_and_saves_the_results(cli, tmp_path):
    out_file = tmp_path / "result.json"
    status, out, _ = cli("evaluate", ENV, "--baseline", "expert", "--episodes", "10", "--out", out_file)
    assert status == 0
    assert "policy expert" in out
    assert list(Evaluation.load(out_file).cells) == ["train", "test", "rule_ood"]
    assert [path.name for path in tmp_path.iterdir()] == ["result.json"]
    assert max(map(len, out.splitlines())) <= 100


def test_results_are_markdown_where_the_file_is_named_so(cli, tmp_path):
    cli("evaluate", ENV, "--baseline", "expert", "--episodes", "3", "--splits", "test", "--out", tmp_path / "result.md")
    assert "| test |" in (tmp_path / "result.md").read_text()


def test_rule_by_side_has_four_cells(cli):
    _, out, _ = cli("evaluate", ENV, "--baseline", "expert", "--episodes", "3", "--splits", "rule_by_side")
    assert all(f" {cell} " in out for cell in RULE_BY_SIDE)


def test_look_by_rule_has_four_cells_by_sight(cli):
    status, out, _ = cli("evaluate", VISION, "--baseline", "expert", "--episodes", "3", "--splits", "look_by_rule")
    assert status == 0
    assert all(f" {cell} " in out for cell in LOOK_BY_RULE)


def test_the_expert_is_evaluated_by_sight(cli, tmp_path):
    file = tmp_path / "result.json"
    status, _, _ = cli("evaluate", VISION, "--baseline", "expert", "--episodes", "3", "--out", file)
    assert status == 0
    assert [cell.metrics["success"].mean for cell in Evaluation.load(file).cells.values()] == [1.0, 1.0, 1.0]


def test_evaluate_shows_differences_to_earlier_results(cli, tmp_path):
    common = ["evaluate", ENV, "--episodes", "10", "--splits", "train"]
    cli(*common, "--baseline", "constant", "--out", tmp_path / "before.json")
    _, out, _ = cli(*common, "--baseline", "expert", "--against", tmp_path / "before.json")
    assert re.search(r"after - before.*train +10 +\+[89]\d\.\d|train +10 +\+[89]\d\.\d", out, re.DOTALL)


def test_an_interrupted_evaluation_keeps_its_episodes_and_goes_on(cli, tmp_path, monkeypatch):
    asked = []

    def interrupted(dialogues):
        if len(asked) == 3:
            asked.append("interrupt")
            raise KeyboardInterrupt
        asked.append(dialogues)
        return ["no answer"] * len(dialogues)

    monkeypatch.setattr("verienv.adapters.transformers.load_policy", lambda model, **_: interrupted)
    command = ["evaluate", ENV, "--model", "mine", "--episodes", "4", "--batch-size", "2", "--splits", "train"]
    command += ["--setting", "attempts=2", "--out", tmp_path / "result.json"]
    status, _, err = cli(*command)
    assert status == 130
    assert "the same command goes on" in err
    before = len(asked)
    status, _, err = cli(*command)
    assert status == 0
    assert "going on with" in err
    assert len(asked) - before == 2
    assert [path.name for path in tmp_path.iterdir()] == ["result.json"]


def test_a_log_that_was_asked_for_stays(cli, tmp_path):
    cli("evaluate", ENV, "--baseline", "expert", "--episodes", "2", "--splits", "train", "--log", tmp_path / "log")
    assert len((tmp_path / "log").read_text().splitlines()) == 3


@pytest.mark.parametrize("module", ["typer", "rich"])
def test_without_typer_or_rich_one_line_says_what_to_install(module):
    program = f"import sys; sys.modules[{module!r}] = None; from verienv.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", program, "envs"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert 'pip install "verienv[cli]"' in done.stderr


ROUTES = "VIRL-L"


def test_show_draws_the_map_of_a_route_and_tells_where_the_expert_has_come(cli, tmp_path):
    status, out, _ = cli("show", ROUTES, "--seed", "3", "--after", "2", "--map", tmp_path / "map.png")
    assert status == 0
    assert f"[the map: {tmp_path / 'map.png'}]" in out
    assert "Steps so far:\nnone" not in out
    with Image.open(tmp_path / "map.png") as drawn:
        assert drawn.size == (1000, 1000)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["show", ENV, "--map", "map.png"], "this task has no routes; maps are for V-IRL"),
        (["show", ROUTES, "--map", "map.jpg"], "give a name that ends in .png"),
        (["show", ROUTES, "--after", "500"], "the expert is done before that"),
        (["play", ENV, "--map", "map.png"], "this task has no routes"),
        (["show", ROUTES, "-s", "city=paris"], "expected one of montevideo, astana, helsinki"),
        (["convert", "no/such/folder", "out.json"], "no/such/folder"),
    ],
    ids=str,
)
def test_on_routes_too_a_mistake_is_one_line_that_helps(cli, arguments, told):
    status, out, err = cli(*arguments)
    assert status != 0
    assert told in " ".join(err.split())
    assert out == ""


def test_a_person_walks_a_route_by_bare_words_and_the_map_follows(cli, tmp_path):
    env = VIRLEnv(turns=(1, 1))
    env.reset(seed=5)
    words = [waypoint.action("absolute").replace("turn_direction(", "").strip("()") for waypoint in env.route.waypoints]
    typed = "\n".join([words[0], " Turn_Direction( 'Nowhere' )", *words[1:], "q"]) + "\n"
    settings = ("-s", "turns=[1, 1]", "--seed", "5", "--map", tmp_path / "map.png")
    status, out, _ = cli("play", ROUTES, *settings, typed=typed)
    assert status == 0
    assert out.count("Correct. Reward +1.") == len(words)
    assert "Wrong: the action is not one call of forward()" in out
    assert out.count("\nNow: ") == len(words) + 1  # in each route's question, and after each step but the last
    assert "1 of 2 routes walked" in out
    assert (tmp_path / "map.png").exists()


def test_giving_up_on_a_route_tells_the_experts_action(cli):
    env = VIRLEnv()
    env.reset(seed=3)
    _, out, _ = cli("play", ROUTES, "--seed", "3", typed="give up\nq\n")
    assert f"The expert's action here is  {env.waypoint.action('absolute')}" in out


def test_show_writes_an_episode_as_a_page_and_as_one_picture(cli, tmp_path):
    page, sheet = tmp_path / "film.html", tmp_path / "sheet.png"
    settings = ("-s", "turns=[1, 1]", "-s", "view_size=96")
    status, out, _ = cli("show", "VIRL-VL", *settings, "--film", page, "--sheet", sheet)
    assert status == 0
    assert f"[the film: {page}]" in out
    assert "data:image/webp" in page.read_text()
    with Image.open(sheet) as picture:
        assert picture.width > 320


def test_verify_judges_answers_at_waypoints_among_others(cli):
    waypoint = {"move": "turn", "heading": 0.0, "turn_to": 90.0}
    lines = [
        {"response": '{"action": "turn_direction(right)"}', "waypoint": waypoint, "actions": "relative"},
        {"response": '{"action": "turn_direction(east)"}', "waypoint": waypoint, "actions": "relative"},
        {"response": SOLVED, "instance": INSTANCE},
    ]
    status, out, _ = cli("verify", "-", typed=lines_of(*lines))
    assert status == 0
    assert re.search(r"^correct +2 +66.7%", out, re.MULTILINE)
    assert re.search(r"^outside action space +1 ", out, re.MULTILINE)
    status, _, err = cli("verify", "-", typed=lines_of({"response": "x", "waypoint": {"move": "fly"}}))
    assert status == 1
    assert "line 1" in err
