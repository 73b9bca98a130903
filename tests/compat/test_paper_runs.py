"""The paper's modules and programs over ours."""

import subprocess
import sys

EVALUATOR = """
import json, random, sys
import gymnasium as gym
import gym_cards
try:
    import gym_virl
except ImportError:
    pass
random.seed(42)
env = gym.make(**{"id": "gym_cards/GeneralPoint-oneline-v0", "resolution": 64}, language_only=True)
observation, info = env.reset(seed=42)
print(sys.argv, info["Plain Cards"])
"""
"""A program that makes the environment as the paper's evaluator does."""


def run(folder, *arguments):
    command = [sys.executable, "-m", "verienv.compat.paper.run", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)


def test_a_module_runs_with_its_own_arguments_and_imports_as_ever(tmp_path):
    (tmp_path / "launcher.py").write_text(EVALUATOR)
    done = run(tmp_path, "launcher", "-f", "config.yaml")
    assert done.stdout == f"['{tmp_path}/launcher.py', '-f', 'config.yaml'] ['K', '5', '2', '4']\n"


def test_without_a_module_it_says_how_in_one_line(tmp_path):
    done = run(tmp_path)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "python -m verienv.compat.paper.run evaluation.launcher" in done.stderr


def test_where_the_papers_own_module_was_imported_before_it_is_refused(tmp_path):
    (tmp_path / "gym_cards.py").write_text("")
    done = subprocess.run(
        [sys.executable, "-c", "import gym_cards, verienv.compat.paper"],
        cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert "gym_cards is imported already" in done.stderr


def test_importing_verienv_alone_registers_none_of_it():
    code = "import gymnasium, verienv; print([each for each in gymnasium.registry if each.startswith('gym_')])"
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "[]\n"
