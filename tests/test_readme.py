"""The README's blocks run as they stand: training ones at a tiny size, with the built-in model in place of others."""

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
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)
SHELL = [line for language, block in BLOCKS if language == "sh" for line in block.splitlines()]
TINY = {
    "examples/sft.py": "--flops 1e10 --checkpoints 1 --batch 8",
    "examples/ppo.py": "--flops 1e10 --checkpoints 1 --episodes 4 --max-new-tokens 48",
    "examples/study.py": "--arms sft --rates 1e-3 --seeds 0 --updates 1 --episodes 2 --jobs 1",
    "verienv evaluate": "--episodes 1 --attempts 1 --max-new-tokens 8",
}


def python_blocks(page: str) -> list[str]:
    text = (ROOT / page).read_text()
    return re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize(
    "block",
    [
        pytest.param(block, id=f"{page} {number}")
        for page in ("README.md", "CONTRIBUTING.md")
        for number, block in enumerate(python_blocks(page), 1)
    ],
)
def test_each_python_block_runs_by_itself_in_a_fresh_process(block, tmp_path):
    command = [sys.executable, "-W", "error", "-c", block]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


DOCS = [
    pytest.param(block, shown, id=f"{page.name} {number}")
    for page in sorted((ROOT / "docs").glob("*.md"))
    for number, (block, shown) in enumerate(
        re.findall(r"^```python\n(.*?)^```$(?:\n\n```text\n(.*?)^```$)?", page.read_text(), re.MULTILINE | re.DOTALL), 1
    )
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


def test_the_first_block_says_what_the_readme_promises(capsys):
    exec(python_blocks("README.md")[0], {})  # noqa: S102
    said = capsys.readouterr().out
    assert "-2.0 wrong_numbers | Wrong" in said
    assert "5.0 True True" in said


def shell(command: str, folder: Path) -> str:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    settings = {**os.environ, "PATH": path, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(["bash", "-c", command], cwd=folder, env=settings, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_commands_that_score_a_file_run(tmp_path):
    commands = [line for line in SHELL if line.startswith(("echo ", "verienv ")) and "--model" not in line]
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


@pytest.mark.parametrize("command", [line for line in SHELL if line.startswith("python ") or "--model" in line])
@pytest.mark.usefixtures("one_thread")
def test_the_commands_of_models_run_at_a_tiny_size(command, tmp_path, monkeypatch, capsys):
    """In this process, where torch is loaded once for all."""
    script = "verienv evaluate" if command.startswith("verienv") else command.split()[1]
    command = re.sub(r"--model \S+", "--model tiny-lm", command)
    command = re.sub(r"--(rates|seeds|attempts|max-new-tokens)( \d[\d.e-]*)+", "", command)
    _, name, *arguments = shlex.split(f"{command} {TINY[script]}")
    monkeypatch.chdir(tmp_path)
    if script == "verienv evaluate":
        assert run([name, *arguments]) == 0
    else:
        monkeypatch.syspath_prepend(ROOT / "examples")
        monkeypatch.setattr(sys, "argv", [name, *arguments])
        runpy.run_path(str(ROOT / name), run_name="__main__")
    assert capsys.readouterr().out


def test_every_make_target_named_exists():
    named = set(re.findall(r"(?:`|^)make ([a-z-]+)", (ROOT / "README.md").read_text(), re.MULTILINE))
    assert {"demo", "test"} <= named
    assert named <= set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
