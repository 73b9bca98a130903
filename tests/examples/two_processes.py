"""What two processes compute, for test_robust.py.

accelerate launch --multi_gpu --num_processes 2 two_processes.py OUT
"""

import json
import sys
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "examples"))

import gymnasium as gym
import torch

import ppo
import sft
from distributed import ALONE, Team
from model import Learner
from run import Run
from sampling import roll_out
from verienv.policies.hugging_face.batch import Batch

SFT = sft.Arguments(
    probes=0, flops=1.2e10, checkpoints=1, batch=8, micro_batch=3, device="cpu", learning_rate=1e-4, warm_up=1
)
PPO = ppo.Arguments(
    probes=0,
    flops=2.5e10,
    checkpoints=2,
    episodes=5,
    batch=8,
    minibatch=4,
    micro_batch=2,
    attempts=2,
    device="cpu",
    warm_up=1,
)


def updated(team):
    """How far one update of seven episodes moves policy and critic, and what was logged."""
    arguments = replace(PPO, epochs=2, kl_coef=0.1)
    torch.manual_seed(0)
    learner = Learner(arguments, team, "tiny-lm")
    model, learner.optimiser = learner.policy.model, torch.optim.SGD(learner.policy.model.parameters(), lr=0.01)
    critic = ppo.Critic(model.config.hidden_size, 3e-3)
    before = torch.nn.utils.parameters_to_vector(model.parameters()).detach()
    envs = [gym.make("verienv/GeneralPoints-L-v0", attempts=2) for _ in range(7)]
    episodes = team.share(roll_out(learner, envs, range(7), arguments))
    torch.manual_seed(team.index)
    logged = ppo.ppo_update(learner, critic, Batch.of(episodes, learner.policy), arguments, rate=0.01)
    after = torch.nn.utils.parameters_to_vector(model.parameters()).detach()
    return after - before, torch.nn.utils.parameters_to_vector(critic.parameters()).detach(), logged


def distance(one, other):
    return ((one - other).norm() / other.norm()).item()


def main(out):
    torch.set_num_threads(1)
    team = Team.launched("cpu")
    (policy, critic, logged), (alone, critic_alone, logged_alone) = updated(team), updated(ALONE)
    told = {
        "processes": team.size,
        "policy": distance(policy, alone),
        "critic": distance(critic, critic_alone),
        "logged": {name: [value, logged_alone[name]] for name, value in logged.items()},
    }
    sft.train(replace(SFT, out=out / "sft"))
    ppo.train(replace(PPO, out=out / "whole"))
    log, lines = Run.log, []

    def cut(self, line):
        log(self, line)
        lines.append(line)
        if len(lines) == 2:
            raise KeyboardInterrupt

    Run.log = cut
    try:
        ppo.train(replace(PPO, out=out / "cut"))
    except KeyboardInterrupt:
        told["cut"] = len(lines)
    Run.log = log
    ppo.train(replace(PPO, out=out / "cut"))
    if team.index == 1:
        loss = sft.completion_loss
        sft.completion_loss = lambda *given: loss(*given) * float("nan")
    try:
        sft.train(replace(SFT, out=out / "broken"))
    except SystemExit as ending:
        told["ended"] = ending.code
    (out / f"told-{team.index}.json").write_text(json.dumps(told))
    team.leave()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
