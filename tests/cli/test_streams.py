"""Standard streams that are closed, full, broken or in a narrow encoding, and signals."""

import os
import re
import signal
import subprocess
import sys
import time

import pytest
from tests.cli.shared import ENV, INSTANCE, SOLVED, VISION, is_one_line_error, lines_of

from verienv import __version__

VERIENV = (sys.executable, "-c", "from verienv.cli import main; main()")
ROW = lines_of({"instance": INSTANCE, "response": SOLVED})

is_posix = pytest.mark.skipif(os.name != "posix", reason="asks for shells, devices and signals as POSIX has them")
pytestmark = is_posix


def shell(line, cwd, **environment):
    """Run a shell's line in which V stands for the command: status, stdout, stderr."""
    line = re.sub(r"\bV\b", f"{sys.executable} -c 'from verienv.cli import main; main()'", line)
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {line}"],
        cwd=cwd,
        env={**os.environ, "PYTHONUNBUFFERED": "", **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (f"V show {ENV} >&-", "verienv: standard output is closed\n"),
        ("V play <&-", "verienv: standard input is closed\n"),
    ],
)
def test_a_command_that_needs_a_closed_stream_says_so_in_one_line(tmp_path, line, told):
    assert shell(line, tmp_path) == (2, "", told)


def test_what_goes_to_a_file_needs_no_stream_and_no_stream_becomes_the_file(tmp_path):
    (tmp_path / "rows.jsonl").write_text(ROW + "bad\n")
    assert shell("V verify rows.jsonl --out verdicts.jsonl <&- >&- 2>&-", tmp_path) == (1, "", "")
    assert (tmp_path / "verdicts.jsonl").read_text().count("\n") == 1
    status, out, _ = shell("V verify rows.jsonl --out - 2>&-", tmp_path)
    assert status == 1
    assert out.count("\n") == 1  # and no note among the rows


def test_files_are_written_before_the_text_for_a_reader_that_has_had_enough(tmp_path):
    files = "--image i.png --replay r.html --sheet s.png"
    assert shell(f"V show {VISION} {files} | head -c 1 >/dev/null", tmp_path)[2] == ""
    assert sorted(path.name for path in tmp_path.iterdir()) == ["i.png", "r.html", "s.png"]


def test_in_a_narrow_encoding_characters_are_escaped(tmp_path):
    status, out, err = shell("V envs", tmp_path, PYTHONIOENCODING="ascii")
    assert (status, err) == (0, "")
    assert out.isascii()


def test_the_version_is_shown(cli):
    assert cli("--version") == (0, f"verienv {__version__}\n", "")


def test_a_signal_leaves_the_old_file_and_nothing_else(tmp_path):
    (tmp_path / "demos.jsonl").write_text("old\n")
    command = [*VERIENV, "demos", ENV, "-n", "1000000", "--out", str(tmp_path / "demos.jsonl")]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        while not any(path.stat().st_size for path in tmp_path.glob("*.part")):
            assert process.poll() is None
            time.sleep(0.02)
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (143, "verienv: terminated\n")
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("demos.jsonl", "old\n")]


def test_what_a_killed_command_left_is_removed_by_the_next(tmp_path):
    command = [*VERIENV, "demos", VISION, "--out", str(tmp_path / "demos.jsonl"), "-n"]
    with subprocess.Popen([*command, "100000"], stderr=subprocess.DEVNULL) as process:
        while len(list(tmp_path.glob("*.part"))) < 2:
            assert process.poll() is None
            time.sleep(0.02)
        process.kill()
    assert len(list(tmp_path.glob("*.part"))) == 2
    subprocess.run([*command, "1"], check=True, capture_output=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["demos.jsonl", "demos_images"]
    assert len(list((tmp_path / "demos_images").iterdir())) == 1


def test_the_library_installs_no_handler(cli):
    before = [signal.getsignal(number) for number in signal.valid_signals()]
    assert cli("show", ENV)[0] == 0
    assert [signal.getsignal(number) for number in signal.valid_signals()] == before


@pytest.mark.parametrize("help_word", ["?", "help", "HELP"])
def test_help_in_play_costs_no_attempt(cli, help_word):
    _, out, _ = cli("play", ENV, "--seed", "1", typed=f"{help_word}\nq\n")
    assert out.count("'give up' for the solutions, 'q' to quit. '?' says this again.") == 2
    assert "Reward" not in out
    assert out.count("Attempt 1 of 5.") == 1


@pytest.mark.parametrize(("typed", "reward"), [("", 0), ("quit\n", 0), ("1+1\n", -2)])
def test_the_end_of_input_and_quit_end_the_game_without_an_attempt(cli, typed, reward):
    status, out, err = cli("play", ENV, "--seed", "1", typed=typed)
    assert (status, err) == (0, "")
    assert out.endswith(f"0 of 1 hand solved, total reward {reward}.\n")


def test_an_error_is_one_line_whatever_is_in_a_name(cli):
    assert is_one_line_error(cli("verify", "no\n\x1b[31m such"), r"\x1b[31m")
