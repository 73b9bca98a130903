"""The paper's comparison on a rule, a target, a city and in words of one's own: one command each, at a tiny size."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import tyro

import ppo
import study
from command_line import settings_of
from study_report import findings
from study_tasks import measured, task_of

EXAMPLES = Path(study.__file__).parent
SMALL = (
    "--flops 1e9 --episodes 2 --training-cell-episodes 2 --ppo-episodes 2 --ppo-minibatch 2 --sft-batch 2 --attempts 1 "
    "--max-new-tokens 4 --warm-up 1 --model tiny-lm --device cpu"
)
WORDS, ROUTES = "--env verienv/GeneralPoints-L-v0", "--env verienv/VIRL-L-v0"
RULE = EXAMPLES / "cells" / "own_rule.json"
CITY = EXAMPLES / "cells" / "own_city.json"


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run the study's command line: its report, and study.json."""
    distance = study.divergence
    monkeypatch.setattr(study, "divergence", lambda *given: distance(*given, questions=2))
    monkeypatch.chdir(tmp_path)

    def run(command, *words):
        study.main(tyro.cli(study.Arguments, args=[*f"{command} {SMALL} --out own".split(), *words]))
        return Path("own/report.md").read_text(), json.loads(Path("own/study.json").read_text())

    return run


def config_of(arm):
    (path,) = Path("own").glob(f"{arm}-*/config.json")
    return json.loads(path.read_text())["arguments"]


def cells_in_logs():
    (log,) = Path("own").glob("evaluations-*/start.jsonl")
    return json.loads(log.read_text().splitlines()[0])["setup"]["cells"]


def test_on_ones_own_rule_target_and_number_of_cards(run):
    report, results = run(f"{WORDS} --cells {RULE} -s target=36 -s cards=5")
    cells = json.loads(RULE.read_text())
    assert list(results["runs"][0]["points"][-1]["cells"]) == list(cells)
    assert "Trained on train side, 5-6-7, alone." in report
    assert "| rate 0.0001, test side, 8-9-10 " in report
    trained = {"target": 36, "cards": 5, "rule": {"J": 5, "Q": 6, "K": 7}}
    assert [config_of(arm)["settings"] for arm in study.ARMS] == [trained, trained]
    assert cells_in_logs()["test side, 8-9-10"] == {
        "target": 36,
        "attempts": 1,
        "cards": 5,
        **cells["test side, 8-9-10"],
    }


def test_on_ones_own_city(run):
    report, _ = run(f"{ROUTES} --cells {CITY} -s city=grid-7 -s turns=1 -s waypoints=[3,8]")
    assert "| another city, absolute " in report
    assert [config_of(arm)["settings"]["city"] for arm in study.ARMS] == ["grid-7", "grid-7"]
    assert [own["city"] for own in cells_in_logs().values()] == ["grid-7", "grid-7", "radial-0"]


def test_with_ones_own_template_and_answer_format(run):
    Path("template.txt").write_text("Reach {target} from {cards}.\n{rule}\n{format}\n")
    report, results = run(WORDS, "-s", "prompt=@template.txt", "-s", "answer_format=tags")
    assert results["arguments"]["settings"]["prompt"] == "Reach {target} from {cards}.\n{rule}\n{format}"
    assert [config_of(arm)["settings"] for arm in study.ARMS] == [results["arguments"]["settings"]] * 2
    assert "## Validity" in report
    assert "Rule reading" not in report  # for which tags have no field


@pytest.mark.parametrize("count", [1, pytest.param(2, marks=pytest.mark.slow), 5])
def test_any_number_of_cells_is_compared_with_the_first(run, count):
    cells = {f"target {24 + step}": {"target": 24 + step} for step in range(count)}
    Path("cells.json").write_text(json.dumps(cells))
    report, _ = run(f"{WORDS} --cells cells.json")
    for cell in cells:
        assert f", {cell}: " in report
    Path("cells.json").unlink()
    study.main(study.Arguments(out=Path("own"), redraw=True))
    assert Path("own/report.md").read_text() == report


def test_cells_of_ones_own_come_before_settings_and_need_not_hold_them():
    given = study.Arguments(settings=("rule=rank", "cards=5"), env="verienv/GeneralPoints-L-v0", cells=RULE)
    settings_of(given, {"attempts": 1}, study.cells_of(given), are_own=True)
    assert study.training_settings(given) == {"rule": {"J": 5, "Q": 6, "K": 7}, "cards": 5, "split": "train"}


def test_rewards_of_ppo_are_a_table_or_a_function_of_ones_own_too(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    Path("paying_in_study.py").write_text("def pay(verdict): return 3.0 if verdict.is_correct else -1.0\n")
    made = []
    monkeypatch.setattr(ppo, "roll_out", lambda _, envs, *__: made.extend(envs) or 1 / 0)
    few = {"flops": 1e9, "episodes": 2, "minibatch": 2, "batch": 2, "device": "cpu"}
    for number, rewards in enumerate(['{"base": "paper", "correct": 9}', "paying_in_study:pay"]):
        with pytest.raises(ZeroDivisionError):
            ppo.train(ppo.Arguments(out=tmp_path / str(number), rewards=rewards, **few))
    assert made[0].unwrapped.config.rewards.correct == 9
    assert made[-1].unwrapped.config.rewards.name == "paying_in_study:pay"


def test_gauges_that_were_not_measured_are_left_out():
    routes = measured(task_of("verienv/VIRL-L-v0"), {"success", "step_accuracy", "progress"})
    assert set(routes.gauges) == {"success", "step_accuracy", "progress"}
    assert (routes.unsolved, routes.corners) == ("step_accuracy", ())
    cell = {"metrics": {"step_accuracy": [0, 0, 0]}, "difference": {"step_accuracy": [0, 0, 0]}}
    points = [{"cells": dict.fromkeys(routes.cells, cell)}] * 2
    assert findings([{"arm": "ppo", "rate": 1, "seed": 0, "points": points}], routes)


@pytest.mark.slow
@pytest.mark.parametrize("command", ["sft.py --batch 2", "ppo.py --episodes 2 --minibatch 2 --attempts 1"])
def test_the_trainers_take_every_setting_from_a_shell(tmp_path, command):
    words = [
        *command.split(),
        "--flops",
        "1e9",
        "--checkpoints",
        "1",
        "--device",
        "cpu",
        "--out",
        str(tmp_path / "run"),
    ]
    settings = [
        "answer_format=boxed",
        "prompt=Make {target} from {cards}.\n{rule} {format}",
        'rule={"J":5,"Q":6,"K":7}',
    ]
    words += [word for pair in settings for word in ("-s", pair)]
    done = subprocess.run([sys.executable, *words], cwd=EXAMPLES, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
