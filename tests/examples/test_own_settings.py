"""Rules, rewards and wordings of one's own in the scripts that train."""

import subprocess
import sys
from pathlib import Path

import pytest

import episodes
import ppo

EXAMPLES = Path(ppo.__file__).parent


def test_rewards_of_ppo_are_a_table_or_a_function_of_ones_own_too(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    Path("paying_in_study.py").write_text("def pay(verdict): return 3.0 if verdict.is_correct else -1.0\n")
    made = []
    monkeypatch.setattr(episodes, "roll_out", lambda _, envs, *__: made.extend(envs) or 1 / 0)
    few = {"flops": 1e9, "episodes": 2, "minibatch": 2, "batch": 2, "device": "cpu"}
    for number, rewards in enumerate(['{"base": "paper", "correct": 9}', "paying_in_study:pay"]):
        with pytest.raises(ZeroDivisionError):
            ppo.train(ppo.Arguments(out=tmp_path / str(number), rewards=rewards, **few))
    assert made[0].unwrapped.config.rewards.correct == 9
    assert made[-1].unwrapped.config.rewards.name == "paying_in_study:pay"


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
