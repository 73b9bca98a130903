"""The comparison of methods at a tiny size: killed at every stage it goes on; no trainer opens verdicts."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.examples.test_methods import PLAN
from tests.examples.test_study_plan import SMALL

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
SPY = """
import multiprocessing, os, sys

def told(event, given):
    if event == "open" and "verdicts" in str(given[0]) and multiprocessing.parent_process() is not None:
        with open(os.environ["SEEN"], "a") as file:
            print(given[0], file=file)

sys.addaudithook(told)
"""
TINY = """
[stages.pairs]
script = "pairs"
options = { questions = 24, samples = 4, max_new_tokens = 48, batch = 24 }

[stages.flip]
script = "judge"
needs = ["pairs"]
options = { folder = "{stages}/pairs", simulated = ["flip:0.25"] }

[stages.judge]
script = "judge"
needs = ["pairs"]
options = { folder = "{stages}/pairs", model = "{start}", margin = 0.0, most = 4 }

[stages.reward]
script = "reward"
needs = ["pairs", "flip"]
options = { pairs = "{stages}/pairs", labels = ["{stages}/flip.jsonl"], batch = 4, updates = 1, log_with = [] }

[arms.dpo]
label = "DPO"
script = "dpo"
needs = ["pairs", "judge"]
options = { pairs = "{stages}/pairs", labels = ["{stages}/judge.jsonl"], batch = 2 }

[arms.rlhf]
label = "RM + PPO"
script = "ppo"
needs = ["reward"]
options = { reward = "{stages}/reward", episodes = 4, rewards = "binary", max_new_tokens = 24 }

[arms.best]
label = "best of 2"
script = "best_of_n"
needs = ["reward"]
options = { reward = "{stages}/reward", n = 2 }
"""


def command(folder):
    head = SMALL[: SMALL.index("[arms.rl]")].replace('["tiny-lm", "tiny-lm"]', '["tiny-lm"]')
    head = head.replace('contrast = ["rl", "sft"]\n', "explored = 2\n").replace("[1e-4, 1e-3]", "[1e-4]")
    cells = SMALL[SMALL.index("[cells.matching]") :].replace("[cells.ood]", '[cells.id]\nheading = "10"\n\n[cells.ood]')
    (folder / "tiny.toml").write_text(head.replace("seeds = [0, 1]", "seeds = [0]") + TINY + cells)
    return [sys.executable, str(ROOT / "examples/methods.py"), str(folder / "tiny.toml"), "--out", str(folder / "out")]


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory):
    folder = tmp_path_factory.mktemp("methods")
    (folder / "sitecustomize.py").write_text(SPY)
    paths = os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")])
    told = os.environ | {"PYTHONPATH": paths, "SEEN": str(folder / "seen")}
    subprocess.run([*command(folder), "--jobs", "1"], env=told, check=True, capture_output=True, timeout=900)
    return folder


def results(folder):
    found = json.loads((folder / "out/study.json").read_text())
    for run in found["runs"]:
        for name in ("cpu_seconds", "training_seconds", "log"):
            run.pop(name)
    return [found["items"], found["runs"], found["labels"]]


def test_neither_judges_nor_trainers_open_the_verdicts(unbroken):
    assert not (unbroken / "seen").exists()
    assert (unbroken / "out/stages/tiny-lm/pairs-verdicts.jsonl").stat().st_size
    assert len(json.loads((unbroken / "out/study.json").read_text())["runs"]) == 3


def test_the_spy_sees_a_process_that_opens_them(tmp_path):
    (tmp_path / "sitecustomize.py").write_text(SPY)
    (tmp_path / "pairs-verdicts.jsonl").write_text("")
    code = f"""
import multiprocessing
if __name__ == "__main__":
    one = multiprocessing.get_context("fork").Process(target=open, args=({str(tmp_path / "pairs-verdicts.jsonl")!r},))
    one.start(); one.join()
"""
    told = os.environ | {"PYTHONPATH": str(tmp_path), "SEEN": str(tmp_path / "seen")}
    subprocess.run([sys.executable, "-c", code], env=told, check=True, timeout=60)
    assert (tmp_path / "seen").read_text()


def test_killed_at_every_stage_it_ends_with_the_same_numbers(unbroken, tmp_path):
    call, stages = command(tmp_path), tmp_path / "out/stages/tiny-lm"
    for mark in ("pairs.json", "flip.json", "judge.json", "reward.json", "../../runs/*/points*.json"):
        with subprocess.Popen([*call, "--jobs", "1"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as run:
            end = time.monotonic() + 300
            while not any(stages.glob(mark)) and run.poll() is None and time.monotonic() < end:
                time.sleep(0.02)
            run.send_signal(signal.SIGKILL)
    subprocess.run([*call, "--jobs", "1"], check=True, capture_output=True, timeout=900)
    assert results(tmp_path) == results(unbroken)


def test_a_greedy_column_trains_nothing_again_and_lies_beside_the_other(unbroken):
    files = [
        *unbroken.glob("out/runs/*/checkpoint-*/*"),
        *unbroken.glob("out/runs/*/log.jsonl"),
        unbroken / "out/study.json",
    ]
    before = [(file, file.stat().st_mtime_ns) for file in files]
    call = [*command(unbroken), "--jobs", "1", "--temperature", "0"]
    subprocess.run(call, check=True, capture_output=True, timeout=900)
    assert [(file, file.stat().st_mtime_ns) for file in files] == before
    warm, cold = (json.loads((unbroken / "out" / f"study{name}.json").read_text()) for name in ("", "-temperature0"))
    assert [run["training_seconds"] for run in cold["runs"]] == [run["training_seconds"] for run in warm["runs"]]
    assert not [point for run in cold["runs"] for point in run["points"] if "explored" in point]
    assert (unbroken / "out/report-temperature0.md").exists()
    subprocess.run([*call, "--redraw"], check=True, capture_output=True, timeout=300)


def test_the_arms_of_the_study_that_learn_from_labels_are_trained_apart():
    for name, arm in PLAN.arms.items():
        assert bool(arm.needs) == any("{stages}" in str(option) for option in arm.options.values()), name
