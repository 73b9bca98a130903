"""The first updates of SFT and PPO are what they were when the numbers beside this file were written.

They are of the scripts before they stood on accelerate: whoever redraws them again is held by them. A change that is
meant to alter them says so, and writes them anew from the log of the runs below.
"""

import json
from pathlib import Path

import pytest

import ppo
import run as runs
import sft
from verienv.core.run_folder import TIMED, numbers_in

BEFORE = json.loads((Path(__file__).parent / "golden_training.json").read_text())
SHARED = {"checkpoints": 1, "batch": 8, "micro_batch": 3, "learning_rate": 3e-4, "warm_up": 2, "probes": 0}
ROLLOUTS = {"episodes": 8, "minibatch": 4, "attempts": 2, "kl_coef": 0.05, "epochs": 2}
RUNS = {
    ("tiny-lm", "sft"): sft.Arguments(flops=1.2e11, **SHARED),
    ("tiny-lm", "ppo"): ppo.Arguments(flops=3e11, **SHARED, **ROLLOUTS),
    ("tiny-vlm", "sft"): sft.Arguments(flops=3e11, **SHARED),
    ("tiny-vlm", "ppo"): ppo.Arguments(flops=6e11, **SHARED, **ROLLOUTS),
}


class Enough(Exception):
    """Ends a run after the updates that are compared: the rest costs time."""


@pytest.mark.parametrize(("model", "script"), RUNS, ids=["-".join(name) for name in RUNS])
def test_the_first_updates_are_as_they_were(model, script, tmp_path, monkeypatch):
    arguments, log = RUNS[model, script], runs.Run.log
    arguments.model, arguments.device, arguments.out, arguments.log_with = model, "cpu", tmp_path / "run", ()
    arguments.env = f"verienv/GeneralPoints-{'VL' if model == 'tiny-vlm' else 'L'}-v0"
    expected, lines = BEFORE[model][script], []

    def noted(self, line):
        log(self, line)
        lines.append({name: value for name, value in line.items() if name not in TIMED})
        if len(lines) == len(expected):
            raise Enough

    monkeypatch.setattr(runs.Run, "log", noted)
    with pytest.raises(Enough):
        {"sft": sft, "ppo": ppo}[script].train(arguments)
    for number, (line, before) in enumerate(zip(lines, expected, strict=True)):
        # The first loss is one forward pass. Later numbers have gone through a step of Adam, which divides gradients by
        # their size: what is rounded otherwise, on another processor or in another order of sums, weighs more there.
        # PPO's loss is what is left of advantages of about 1 that cancel: it has their rounding, not that of its size.
        near, was = 1e-4 if number else 1e-5, dict(numbers_in(before))
        for name, value in numbers_in(line):
            nothing = 1e-5 if name in ("kl", "explained_variance") else 0.0  # which are 0 at first, but for rounding
            nothing = max(nothing, 1e-6 if name == "loss" and script == "ppo" and number else 0.0)
            assert value == pytest.approx(was.pop(name), rel=near, abs=nothing), f"{name} of update {number + 1}"
        assert not was
