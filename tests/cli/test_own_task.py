"""The commands on a task of one's own: examples/my_task.py, named from its folder."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
ENV_ID = "my_task:mine/Countdown-v0"
INSTANCE = "countdown:3-7-8-25:67"
COLUMNS = {"env_id": "mine/Countdown-v0", "numbers": [3, 7, 8, 25], "target": 67}


def verienv(*arguments, typed=""):
    """Run a command in the folder of examples, in a process of its own: the task is registered there alone."""
    command = [sys.executable, "-c", "from verienv.cli import main; main()", *arguments]
    return subprocess.run(command, cwd=EXAMPLES, input=typed, capture_output=True, text=True, check=False)


def expert():
    done = verienv("show", ENV_ID, "--instance", INSTANCE, "--answer")
    return next(line for line in done.stdout.splitlines() if line.startswith('{"formula"'))


@pytest.mark.parametrize(
    ("arguments", "typed", "found"),
    [
        (["show", ENV_ID, "--instance", INSTANCE], "", "Make 67 with some of 3, 7, 8, 25"),
        (["play", ENV_ID, "--seed", "1"], "x\ngive up\nq\n", "0 of 2 rounds solved, total reward 0."),
        (["demos", ENV_ID, "-n", "2", "--kind", "preference"], "", '"failure": '),
        (["evaluate", ENV_ID, "--baseline", "expert", "--episodes", "3"], "", "mine/Countdown-v0, policy expert"),
        (["envs", "--import", "my_task"], "", "mine/Countdown-v0"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_a_task_of_ones_own_is_named_with_its_module(arguments, typed, found):
    done = verienv(*arguments, typed=typed)
    assert (done.returncode, done.stderr) == (0, "")
    assert found in done.stdout


def test_verify_judges_lines_of_an_imported_task():
    rows = [COLUMNS | {"response": expert(), "instance": INSTANCE}, COLUMNS | {"response": "no"}]
    typed = "".join(json.dumps(row) + "\n" for row in rows)
    done = verienv("verify", "-", "--import", "my_task", "--out", "-", typed=typed)
    assert [json.loads(line)["failure"] for line in done.stdout.splitlines()] == ["", "unreadable"]
    assert done.returncode == 0
    done = verienv("verify", "-", typed=typed)  # a row never imports
    assert done.returncode == 1
    assert "line 1: env_id='mine/Countdown-v0': expected one of verienv/GeneralPoints-L-v0" in done.stderr
