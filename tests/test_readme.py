"""The blocks of README and documents run as they stand: training ones at a tiny size, with built-in models."""

import os
import re
import runpy
import shlex
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from verienv.cli import run

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
SHELL = [
    (page, line)
    for page in ("README.md", "docs/evaluate.md", "docs/train.md")
    for block in re.findall(r"^```sh\n(.*?)^```", (ROOT / page).read_text(), re.MULTILINE | re.DOTALL)
    for line in block.splitlines()
]
TINY = {
    "examples/sft.py": "--flops 1e10 --checkpoints 1 --batch 8",
    "examples/ppo.py": "--flops 1e10 --checkpoints 1 --episodes 4 --max-new-tokens 48",
    "examples/study.py": "--arms sft --rates 1e-3 --seeds 0 --updates 1 --episodes 2 --jobs 1",
    "verienv evaluate": "--episodes 1 --attempts 1 --max-new-tokens 8",
}
WORDS, LINES = 1100, 130
"""The most of both that a front page may have."""


SHOWN = r"^```python\n(.*?)^```$(?:\n\n```text\n(.*?)^```$)?"


@pytest.mark.parametrize(
    ("block", "shown"),
    [
        pytest.param(block, shown, id=f"{page} {number}")
        for page in ("README.md", "CONTRIBUTING.md")
        for number, (block, shown) in enumerate(
            re.findall(SHOWN, (ROOT / page).read_text(), re.MULTILINE | re.DOTALL), 1
        )
    ],
)
def test_each_python_block_runs_by_itself_in_a_fresh_process_and_prints_what_is_shown(block, shown, tmp_path):
    command = [sys.executable, "-W", "error", "-c", block]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout == shown or not shown


DOCS = [
    pytest.param(block, shown, id=f"{page.name} {number}")
    for page in sorted((ROOT / "docs").glob("*.md"))
    for number, (block, shown) in enumerate(re.findall(SHOWN, page.read_text(), re.MULTILINE | re.DOTALL), 1)
]


@pytest.mark.parametrize(("block", "shown"), DOCS)
def test_each_block_of_the_documents_brings_all_its_names(block, shown):
    """Those of other libraries are run by make test-integrations; nothing but a missing import can be seen here."""
    command = [sys.executable, "-m", "ruff", "check", "--isolated", "--select", "F821,E9", "-"]
    done = subprocess.run(command, input=block, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(("block", "shown"), DOCS)
def test_each_block_of_the_documents_runs_by_itself_where_its_libraries_are_and_prints_what_is_shown(block, shown):
    needed = set(re.findall(r"^(?:import|from) (\w+)", block, re.MULTILINE))
    if missing := sorted(name for name in needed if find_spec(name) is None):
        pytest.skip(f"needs {', '.join(missing)}: see make test-integrations")
    if "trl" in needed:
        pytest.skip("trains a model: tests/adapters/test_trl_documented.py runs it with a small one")
    done = subprocess.run([sys.executable, "-W", "error", "-c", block], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout == shown or not shown


def test_the_front_page_is_short_and_shows_a_question_and_its_verdict():
    assert len(README.splitlines()) <= LINES
    assert len(README.split()) <= WORDS
    assert "**not yet run on a GPU**" in README.split("\n\n")[1]
    (shown,) = re.findall(r"^```text\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    assert "Attempt 1 of 5." in shown
    assert "-2.0 wrong_numbers | Wrong" in shown
    assert "5.0 True True" in shown


def shell(command: str, folder: Path) -> str:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    settings = {**os.environ, "PATH": path, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(["bash", "-c", command], cwd=folder, env=settings, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_commands_that_score_a_file_run(tmp_path):
    commands = [line for page, line in SHELL if "responses.jsonl" in line]
    assert len(commands) == 2
    assert re.search(r"correct\D+1", shell("\n".join(commands), tmp_path))


def test_the_commands_with_settings_of_wording_run_one_after_another(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)  # as the command does itself
    (block,) = re.findall(r"^```sh\n(.*?)^```", (ROOT / "docs/wording.md").read_text(), re.MULTILINE | re.DOTALL)
    for line in filter(None, block.splitlines()):
        if line.startswith("verienv "):  # in this process: starting one for each takes longer than all of them
            assert run(shlex.split(line)[1:]) == 0
        else:
            shell(line, tmp_path)
    said = capsys.readouterr().out
    assert said.count("7, 9, 4, 9. J = 10, Q = 10, K = 10. Make 24.") == 2
    assert "*\\nAttempt 2 of 5." in said


MODELS = {" ".join(line.split()[:3]): line for _, line in reversed(SHELL) if line[:7] == "python " or "--model" in line}
"""The first command of each kind, by the words that tell them apart."""


@pytest.mark.parametrize("command", MODELS.values(), ids=MODELS)
@pytest.mark.usefixtures("one_thread")
def test_the_commands_of_models_run_at_a_tiny_size(command, tmp_path, monkeypatch, capsys):
    """In this process, where torch is loaded once for all."""
    script = "verienv evaluate" if command.startswith("verienv") else command.split()[1]
    command = re.sub(r"--model [\w-]+/\S+", "--model tiny-lm", command)
    command = re.sub(r"--(rates|seeds|attempts|episodes|updates|max-new-tokens)( \d[\d.e-]*)+", "", command)
    _, name, *arguments = shlex.split(f"{command} {TINY[script]}")
    monkeypatch.chdir(tmp_path)
    if script == "verienv evaluate":
        assert run([name, *arguments]) == 0
    else:
        monkeypatch.syspath_prepend(ROOT / "examples")
        monkeypatch.setattr(sys, "argv", [name, *arguments])
        runpy.run_path(str(ROOT / name), run_name="__main__")
    assert capsys.readouterr().out


def test_the_page_of_an_evaluation_is_written(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    first, second = [line for page, line in SHELL if page == "README.md" and line.startswith("verienv ")]
    evaluation = re.sub("--model tiny-vlm", "--baseline constant", first).replace(" --max-new-tokens 48", "")
    assert run(shlex.split(evaluation)[1:]) == 0
    assert run(shlex.split(second)[1:]) == 0
    assert "misread" in (tmp_path / "hands.html").read_text()


def test_every_make_target_named_exists():
    pages = ("README.md", "docs/train.md")
    named = {each for page in pages for each in re.findall(r"(?:`|^)make ([a-z-]+)", (ROOT / page).read_text(), re.M)}
    assert {"demo", "docs", "study"} <= named
    assert named <= set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
