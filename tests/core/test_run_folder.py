import subprocess
import sys

import pytest

from verienv.core import reading
from verienv.core.run_folder import RunFolder, read_json

CONFIG = {"arguments": {"batch": 8}}
OTHER = """
import sys
from pathlib import Path
from verienv.core.run_folder import RunFolder

RunFolder(Path(sys.argv[1])).begin({"arguments": {"batch": 8}}, {}, ())
print("begun", flush=True)
sys.stdin.read()
"""


def test_a_folder_in_which_another_process_trains_is_refused_until_that_one_ends_or_is_killed(tmp_path):
    out = tmp_path / "run"
    command = [sys.executable, "-c", OTHER, str(out)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout.readline() == "begun\n"
        with pytest.raises(ValueError, match="is being written by another run; let it end, or choose another --out"):
            RunFolder(out).begin(CONFIG, {}, ())
        other.kill()
    RunFolder(out).begin(CONFIG, {}, ())


def test_a_process_may_begin_in_its_own_folder_again(tmp_path):
    for _ in range(2):
        RunFolder(tmp_path / "run").begin(CONFIG, {}, ())


def test_the_json_of_a_run_is_read_within_bounds(tmp_path):
    path = tmp_path / "study.json"
    with path.open("wb") as file:
        file.truncate(reading.MOST_BYTES + 1)
    with pytest.raises(ValueError, match=r"study.json: is larger than 256 MB, the most that is accepted"):
        read_json(path)


def test_json_of_a_run_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"study.json is not there; there is nothing to draw or go on from"):
        read_json(tmp_path / "study.json")
