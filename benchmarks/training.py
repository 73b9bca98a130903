"""Speed of the training scripts as ratios: both sides in one process, taking turns; the round of the median ratio.

python benchmarks/training.py [--check] [--rounds 5]

All run on one core, or on the GPU if there is one. The first rows compare rollouts of 64 environments, whose unfinished
dialogues are sampled together, with the same model driven one environment at a time: times are microseconds an
environment step, a response that is judged. Each environment has a question of its own, as in PPO, or eight have one,
as in GRPO. The others compare with TRL's trainers, if TRL is installed, on the same model, rows, batch and lengths,
without dropout, the first step left out: an optimiser step of SFT (microseconds a demonstration; encoded beforehand on
both sides in words, within the step on both with pictures), sampling (a token), and an update of 64 answers to 8
questions (an answer). Below PPO's update stands what each of its passes costs. With
``--check`` a broken bound is exit status 1.
"""

from __future__ import annotations

import copy
import importlib.util
import logging
import sys
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

import gymnasium as gym
import torch

import verienv
from race import Row, report

sys.path.insert(0, str(Path(__file__).parents[1] / "examples"))

import ppo
import sft
from distributed import ALONE
from model import Learner
from sampling import roll_out
from verienv.policies.hugging_face.batch import Batch, Rollout

ENVS, GROUP = 64, 8
TASKS = {
    "in words": ("verienv/GeneralPoints-L-v0", "tiny-lm", 64),
    "with pictures": ("verienv/GeneralPoints-VL-v0", "tiny-vlm", 16),
}
"""Environment, model, and demonstrations a step of SFT."""


def learner_of(arguments: Any) -> Learner:
    """Load what a script trains, without its words on memory."""
    with redirect_stdout(None):
        return Learner(arguments, ALONE, arguments.model)


class Loop:
    """What PPO trains: a policy, its environments, and all that an update needs."""

    def __init__(
        self, env_id: str, model: str, advantage: Any = "critic", attempts: int = 5, questions: int = ENVS // GROUP
    ) -> None:
        self.arguments = ppo.Arguments(
            model=model, env=env_id, attempts=attempts, advantage=advantage, group=GROUP, episodes=ENVS, batch=ENVS,
            minibatch=ENVS, micro_batch=ENVS, learning_rate=1e-9, critic_learning_rate=1e-9,
        )  # fmt: skip
        self.learner = learner_of(self.arguments)
        self.envs = [gym.make(env_id, disable_env_checker=True, attempts=attempts) for _ in range(ENVS)]
        width = self.learner.policy.model.config.get_text_config().hidden_size
        self.critic = ppo.Critic(width, 1e-9) if advantage == "critic" else None
        rows = verienv.rows(env_id, n=questions, attempts=attempts)
        self.passes: list[dict[str, float]] = []
        self.seeds = [row["seed"] for row in rows for _ in range(ENVS // questions)]

    def together(self) -> list[Rollout]:
        """One episode of each environment, sampled together."""
        return roll_out(self.learner, self.envs, self.seeds, self.arguments)

    def one_by_one(self) -> list[Rollout]:
        """The same of every fourth, one after the other."""
        pairs = list(zip(self.envs, self.seeds, strict=True))[::4]
        return [roll_out(self.learner, [env], [seed], self.arguments)[0] for env, seed in pairs]

    def update(self) -> None:
        """An update: a rollout together, and what is learned from it."""
        batch = Batch.of(self.together(), self.learner.policy)
        ppo.ppo_update(self.learner, self.critic, batch, self.arguments, 1e-9)

    def timed_update(self) -> None:
        """The same, and the seconds of each of its passes."""
        spent: Counter[str] = Counter()
        model = self.learner.policy.model

        def timed(name: Callable[..., str], call: Callable[..., Any]) -> Callable[..., Any]:
            def within(*given: Any, **named: Any) -> Any:
                began = time.perf_counter()
                try:
                    return call(*given, **named)
                finally:
                    spent[name(*given)] += time.perf_counter() - began

            return within

        def reader(policy: Any, read: Any, *_: Any) -> str:
            return "policy, forward" if torch.is_grad_enabled() else "critic reads" if read is model else "start reads"

        with (
            patch.object(self, "together", timed(lambda: "sampling", self.together)),
            patch.object(ppo, "read", timed(reader, ppo.read)),
            patch.object(ppo.Critic, "fit", timed(lambda *_: "critic is fitted", ppo.Critic.fit)),
            patch.object(ALONE, "backward", timed(lambda *_: "policy, backward", ALONE.backward)),
            patch.object(self.learner, "step", timed(lambda *_: "policy, step", self.learner.step)),
        ):
            began = time.perf_counter()
            self.update()
            spent["the rest"] = time.perf_counter() - began - sum(spent.values())
        self.passes.append(spent)


def middle(ours: Sequence[float], theirs: Sequence[float]) -> tuple[float, float]:
    """Return the round whose ratio is the median; the first warms up."""
    pairs = sorted(zip(ours[1:], theirs[1:], strict=True), key=lambda pair: pair[0] / pair[1])
    return pairs[len(pairs) // 2]


def seconds(run: Callable[[], Any]) -> float:
    began = time.perf_counter()
    run()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter() - began


def rollouts(rounds: int) -> Iterator[Row]:
    """Rollouts together and one at a time."""

    def a_step(play: Callable[[], Sequence[Rollout]]) -> float:
        said: list[Rollout] = []
        took = seconds(lambda: said.extend(play()))
        return took * 1e6 / sum(len(rollout.failures) for rollout in said)

    for name, (env_id, model, _) in TASKS.items():
        for questions in (ENVS, ENVS // GROUP):
            loop = Loop(env_id, model, questions=questions)
            times = [(a_step(loop.together), a_step(loop.one_by_one)) for _ in range(rounds + 1)]
            pair = middle(*zip(*times, strict=True))
            what = f"rollouts of {ENVS} envs {name}, {questions} questions"
            yield Row(f"{what} / one env at a time", *pair, most=1 / 5)


def trl_or_none(measure: Callable[[int], Iterator[Row]]) -> Callable[[int], Iterator[Row]]:
    """Leave a comparison out where TRL is missing."""
    return measure if importlib.util.find_spec("trl") else lambda _: iter(())


@contextmanager
def trainer_of(kind: str, **given: Any) -> Iterator[Any]:
    """One of TRL's trainers, quiet, in full precision, on the same footing as the scripts here."""
    with TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import datasets
        import trl
        from transformers import PrinterCallback
        from transformers.utils import logging as transformers_logging

        datasets.disable_progress_bars()
        transformers_logging.set_verbosity_error()
        logging.getLogger("trl").setLevel(logging.ERROR)
        settings = {
            "output_dir": folder, "learning_rate": 1e-9, "report_to": "none", "save_strategy": "no",
            "logging_strategy": "no", "disable_tqdm": True, "log_level": "error", "bf16": False,
            "gradient_checkpointing": False, "use_cpu": not torch.cuda.is_available(), "dataloader_pin_memory": False,
            **given.pop("settings"),
        }  # fmt: skip
        trainer = getattr(trl, f"{kind}Trainer")(args=getattr(trl, f"{kind}Config")(**settings), **given)
        trainer.remove_callback(PrinterCallback)
        yield trainer


def in_turns(trainer: Any, *ours: Callable[[], Any]) -> list[list[float]]:
    """Seconds of a trainer's steps, the loading of their rows included, and of ours, which are taken in between."""
    from transformers import TrainerCallback

    class Turns(TrainerCallback):  # type: ignore[misc]
        began = 0.0

        def on_train_begin(self, *_: Any, **__: Any) -> None:
            self.began = time.perf_counter()

        def on_step_end(self, *_: Any, **__: Any) -> None:
            rounds.append([time.perf_counter() - self.began, *map(seconds, ours)])
            self.began = time.perf_counter()

    rounds: list[list[float]] = []
    trainer.add_callback(Turns)
    trainer.train()
    return [list(side) for side in zip(*rounds, strict=True)]


def each(size: int, took: Sequence[float]) -> list[float]:
    """Microseconds of each of ``size`` things, from the seconds of all."""
    return [one * 1e6 / size for one in took]


class Sampler:
    """Keeps what a policy or model samples; the n-th call draws the n-th chances, on either side."""

    def __init__(self, owner: Any, name: str, tokens: Callable[..., list[list[int]]]) -> None:
        self.said: list[list[int]] = []
        self.a_token: list[float] = []
        """Microseconds, of each call."""
        sample = getattr(owner, name)

        def kept(*given: Any, **named: Any) -> Any:
            torch.manual_seed(len(self.a_token))
            began = time.perf_counter()
            drawn = sample(*given, **named)
            took = time.perf_counter() - began
            said = tokens(drawn, **named)
            self.said += said
            self.a_token.append(took * 1e6 / sum(map(len, said)))
            return drawn

        setattr(owner, name, kept)


def sft_steps(rounds: int) -> Iterator[Row]:
    """An optimiser step of SFT on the same rows; one batch is an epoch, so that each side has them all in each step."""
    from verienv.adapters.trl import dataset

    for name, (env_id, model, size) in TASKS.items():
        learner = learner_of(sft.Arguments(model=model, env=env_id, micro_batch=size))
        policy, rows = learner.policy, list(verienv.demonstrations(env_id, n=size))
        encoded = [Rollout.demonstrated(policy, row) for row in rows]
        losses: list[float] = []

        def step(learner: Learner = learner, rows: Any = rows, encoded: Any = encoded, losses: Any = losses) -> None:
            encode = learner.policy.processor is not None
            shown = [Rollout.demonstrated(learner.policy, row) for row in rows] if encode else encoded
            losses.append(sft.sft_update(learner, Batch.of(shown, learner.policy), 1e-9)["loss"])

        with trainer_of(
            "SFT", model=copy.deepcopy(policy.model), processing_class=policy.processor or policy.tokenizer,
            train_dataset=dataset(env_id, kind="sft", n=size),
            settings={"per_device_train_batch_size": size, "max_steps": rounds + 1, "max_length": None},
        ) as trainer:  # fmt: skip
            theirs, ours = in_turns(trainer, step)
            loss = trainer.state.log_history[-1]["train_loss"]
        apart = f"loss {abs(median(losses) / loss - 1):.0e}"
        yield Row(f"SFT step of {size} {name} / TRL's", *middle(each(size, ours), each(size, theirs)), apart, 1.0)


def updates(rounds: int) -> Iterator[Any]:
    """Sampling, and an update over groups and of PPO, against TRL's GRPO on the same questions."""
    from verienv.adapters.trl import dataset, reward

    for name, (env_id, model, _) in TASKS.items():
        group, critic = Loop(env_id, model, "group", attempts=1), Loop(env_id, model, attempts=1)
        policy, passes = group.learner.policy, critic.passes
        trained = copy.deepcopy(policy.model)

        def until_stop(rows: Any, input_ids: Any, stops: Sequence[int] = policy.stops, **_: Any) -> list[list[int]]:
            said = rows[:, input_ids.shape[1] :].tolist()
            ends = [next((n + 1 for n, token in enumerate(row) if token in stops), len(row)) for row in said]
            return [row[:end] for row, end in zip(said, ends, strict=True)]

        with trainer_of(
            "GRPO", model=trained, processing_class=policy.processor or policy.tokenizer, reward_funcs=reward,
            train_dataset=dataset(env_id, n=ENVS // GROUP, attempts=1),
            settings={
                "per_device_train_batch_size": ENVS, "num_generations": GROUP, "max_steps": rounds + 1, "beta": 0.0,
                "max_completion_length": group.arguments.max_new_tokens, "shuffle_dataset": False,
            },
        ) as trainer:  # fmt: skip
            ours, theirs = (
                Sampler(policy, "sample", lambda said, **_: said[0]),
                Sampler(trained, "generate", until_stop),
            )
            grpo, grouped, with_critic = in_turns(trainer, group.update, critic.timed_update)
        same = [mine == yours for mine, yours in zip(ours.said, theirs.said, strict=True)]
        told = f"{sum(same) / len(same):.0%} the same"
        yield Row(f"sampling of {ENVS} {name} / TRL's generation", *middle(ours.a_token, theirs.a_token), told, 1.0)
        pair = middle(each(ENVS, grouped), each(ENVS, grpo))
        yield Row(f"update of {ENVS} {name}, --advantage group / TRL's GRPO step", *pair, most=1.0)
        pair = middle(each(ENVS, with_critic), each(ENVS, grpo))
        yield Row(f"update of {ENVS} {name}, PPO / TRL's GRPO step", *pair)
        for what in passes[0]:
            yield Pass(what, *middle(each(ENVS, [one[what] for one in passes]), each(ENVS, grpo)))


@dataclass
class Pass:
    """A pass of PPO's update: microseconds an answer, and those of a step of GRPO."""

    name: str
    ours: float
    step: float
    holds = True

    def __str__(self) -> str:
        return f"  of it {self.name:68} {self.ours:10.1f} {self.step:10.1f} {self.ours / self.step:7.2f} x"


if __name__ == "__main__":
    torch.set_num_threads(1)
    raise SystemExit(report(__doc__, [rollouts, trl_or_none(sft_steps), trl_or_none(updates)], rounds=5))
