"""What two processes compute, for test_processes.py: each holds the model ("copied"), or half of it ("sharded").

accelerate launch --multi_gpu --num_processes 2 two_processes.py OUT KIND [KIND] [--killed RANK] [--more] [--forced]

Each kind has a folder of its name in OUT, which is there; --killed takes one kind.
"""

import json
import os
import signal
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path
from unittest.mock import patch

sys.path.insert(0, str(Path(__file__).parents[2] / "examples"))

import gymnasium as gym
import torch
from accelerate import Accelerator, FullyShardedDataParallelPlugin
from accelerate.state import AcceleratorState, PartialState
from accelerate.utils import DistributedType
from torch.distributed.tensor import DTensor

import ppo
import sft
from distributed import ALONE, Team
from model import Learner, trainable
from run import Run
from sampling import held_out, roll_out, seeds_of
from verienv.policies.hugging_face.batch import Batch, Rollout, read
from verienv.policies.hugging_face.zero3 import whole_of

SIGHT = {"model": "tiny-vlm", "env": "verienv/GeneralPoints-VL-v0"}
SFT = sft.Arguments(
    probes=2,
    updates=3,
    save_every=1,
    batch=7,
    micro_batch=2,
    device="cpu",
    learning_rate=1e-4,
    warm_up=1,
)
SFTS = {
    "words": SFT,
    "pictures": replace(SFT, batch=3, micro_batch=1, probes=0, updates=2, **SIGHT),
    "priced": replace(SFT, loss="dft", kl_coef=0.5, probes=0, updates=2),
}
LORA = replace(SFT, lora=4, gradient_checkpointing=True, kl_coef=0.5)
TAUGHT = replace(SFT, teacher="start", lora=4, probes=0, updates=2, settings=("attempts=1",))
PPO = ppo.Arguments(
    probes=0,
    updates=3,
    checkpoints=2,
    episodes=5,
    batch=8,
    minibatch=4,
    micro_batch=2,
    attempts=2,
    max_new_tokens=32,
    device="cpu",
    warm_up=1,
)
UPDATES = {
    "words": {},
    "pictures": SIGHT | {"max_new_tokens": 16, "epochs": 1},
    "group": {"advantage": "group", "group": 4, "episodes": 8, "temperature": 1.5, "kl_coef": 0.0},
    "lora": {"lora": 4, "gradient_checkpointing": True},
    "one row": {"minibatch": 1, "episodes": 3, "epochs": 1},
}
FIRST = ("words", "pictures")
"""Those that do without --more."""


def vector(weights):
    """Weights, whole, in a row."""
    return torch.cat([entire(one).detach().flatten() for one in weights])


def entire(weight):
    if hasattr(weight, "ds_tensor"):  # DeepSpeed's, in tests/integrations
        return whole_of(weight, weight.ds_tensor)
    return getattr(weight, "full_tensor", lambda: weight)()


def arbitrary(episode, verdict):
    """Return a reward in which the responses to one question differ."""
    return sum(map(ord, str(episode.messages))) % 7 / 7


def updated(team, **how):
    """Return the weights after one update of seven episodes, how far they moved, the critic's, and what was logged."""
    arguments = replace(PPO, **{"epochs": 2, "kl_coef": 0.1, "episodes": 7} | how)
    torch.manual_seed(0)
    with patch("model.optimiser_of", lambda _, weights: torch.optim.SGD(weights, lr=0.01)):
        learner, critic = Learner(arguments, team, arguments.model), None
    weights = trainable(learner.policy.model)
    if arguments.advantage == "critic":
        torch.manual_seed(0)
        critic = ppo.Critic(learner.policy.model.config.get_text_config().hidden_size, 3e-3)
    before = vector(weights)
    envs = [gym.make(arguments.env, attempts=2) for _ in range(arguments.episodes)]
    torch.manual_seed(0)
    episodes = team.share(roll_out(learner, envs, seeds_of(0, arguments), arguments, arbitrary))
    torch.manual_seed(team.index)
    logged = ppo.ppo_update(learner, critic, Batch.of(episodes, learner.policy), arguments, rate=0.01)
    after = vector(weights)
    return after, after - before, vector(critic.parameters()) if critic else torch.ones(1), logged


def distance(one, other):
    return ((one - other).norm() / other.norm()).item()


updated_alone = cache(lambda **how: updated(ALONE, **how))


def compared(team, **how):
    """Return how far an update of all processes is from that of one, relative to it, and what both logged."""
    (*ours, logged), (*theirs, alone) = updated(team, **how), updated_alone(**how)
    apart = dict(zip(("weights", "movement", "critic"), map(distance, ours, theirs), strict=True))
    return {**apart, "moved": theirs[1].norm().item(), "logged": {name: [logged[name], alone[name]] for name in alone}}


def held(team):
    """Return which share of weights, gradients and moments is here, and the large weights that are no DTensor."""
    learner = Learner(SFT, team, SFT.model)
    batch = Batch.of([Rollout.demonstrated(learner.policy, row) for row in held_out(SFT, {})], learner.policy)
    team.backward(sft.completion_loss(read(learner.policy, learner.trained, batch), batch))
    weights = dict(learner.policy.model.named_parameters())
    gradients = [one.grad for one in weights.values()]
    learner.step(1e-4, 1.0, batch.plain)
    moments = [one for state in learner.optimiser.state.values() for one in state.values() if one.ndim]
    kinds = {
        "weights": list(weights.values()),
        "gradients": gradients,
        "moments": moments,
    }
    shares = {
        kind: sum(getattr(one, "_local_tensor", one).nbytes for one in tensors) / sum(one.nbytes for one in tensors)
        for kind, tensors in kinds.items()
    }
    return {**shares, "whole": [n for n, one in weights.items() if one.numel() > 1000 and not isinstance(one, DTensor)]}


def stopped(script, arguments, ending):
    """Train, and call what ends it when the second update has been recorded."""
    record, lines = Run.record, []

    def recorded(self, learner, line, *rest, **parts):
        record(self, learner, line, *rest, **parts)
        lines.append(line)
        if len(lines) == 2:
            ending()

    Run.record = recorded
    try:
        script.train(arguments)
    except KeyboardInterrupt:
        return len(lines)
    finally:
        Run.record = record


def interrupt():
    raise KeyboardInterrupt


def main(out, shard, more):
    """Train all that is told of, and return the team."""
    team, loss = Team.launched("cpu", shard), sft.completion_loss
    told = {"processes": team.size, "held": held(team)}
    told["updates"] = {name: compared(team, **how) for name, how in UPDATES.items() if more or name in FIRST}
    for name, arguments in (SFTS | ({"lora": LORA} if more else {})).items():
        sft.train(replace(arguments, shard=shard, out=out / f"sft-{name}"))
    if more:
        sft.train(replace(TAUGHT, shard=shard, out=out / "taught"))
    begun_by_two, begun_by_one, whole, cut = (
        replace(arguments, shard=shard, out=out / name)
        for name, arguments in {"by-two": SFT, "by-one": SFT, "whole": PPO, "cut": PPO}.items()
    )
    ppo.train(whole)
    told["cut"] = [stopped(ppo, cut, interrupt), stopped(sft, begun_by_two, interrupt)]
    ppo.train(cut)
    if begun_by_one.out.exists():
        sft.train(begun_by_one)
    if team.index == 1:
        sft.completion_loss = lambda *given: loss(*given) * float("nan")
    try:
        sft.train(replace(SFT, shard=shard, out=out / "broken"))
    except SystemExit as ending:
        told["ended"] = ending.code
    sft.completion_loss = loss
    (out / f"told-{team.index}.json").write_text(json.dumps(told))
    return team


def force_accelerate():
    """Let accelerate shard on CPUs by FSDP2, which it does on GPUs alone: by its private state, so in tests alone."""
    import distributed

    def forced(**_):
        plugin = FullyShardedDataParallelPlugin(
            fsdp_version=2, auto_wrap_policy="transformer_based_wrap", cpu_ram_efficient_loading=False
        )
        accelerator = Accelerator(cpu=True, fsdp_plugin=plugin)
        for state in (PartialState, AcceleratorState):
            state._shared_state["distributed_type"] = DistributedType.FSDP
        AcceleratorState._shared_state["fsdp_plugin"] = plugin
        return accelerator

    distributed.launched_as = lambda *_: (2, "FSDP")
    distributed.Accelerator = forced


def be_killed(out, shard, rank):
    """Train by PPO; the process of that rank is killed on the way."""
    arguments = replace(PPO, shard=shard, out=out / "cut")
    if os.environ["RANK"] == rank:
        stopped(ppo, arguments, lambda: os.kill(os.getpid(), signal.SIGKILL))
    else:
        ppo.train(arguments)


if __name__ == "__main__":
    torch.set_num_threads(1)
    if "--forced" in sys.argv:
        force_accelerate()
    folder, kinds = Path(sys.argv[1]), [kind for kind in ("copied", "sharded") if kind in sys.argv]
    if "--killed" in sys.argv:
        be_killed(folder / kinds[0], kinds[0] == "sharded", sys.argv[sys.argv.index("--killed") + 1])
    else:
        for kind in kinds:
            together = main(folder / kind, kind == "sharded", "--more" in sys.argv)
        together.leave()
