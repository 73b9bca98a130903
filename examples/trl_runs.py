"""A run that a trainer of TRL's trains: TRL makes the loss and the step of a batch; all else is that of ``Run``.

TRL's trainer is given batches from the update on at which the run stands, and is stopped at the end of the budget. It
saves nothing and never resumes by itself (its counters would begin anew, and a finished run would be trained for a step
more): checkpoints, state.pt, log.jsonl and ``finished`` are those of sft.py and ppo.py.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from time import monotonic
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PrinterCallback, TrainerCallback

from distributed import Team
from model import Learner, trainable
from run import Run
from verienv.policies import HuggingFacePolicy
from verienv.policies.hugging_face.finite import STEPPED, are_finite, demand_finite


def alone(arguments: Any) -> Team:
    """Return the one process of a run, on its device. Raises ValueError for several processes, or a further GPU."""
    team = Team.launched(arguments.device, arguments.shard)
    if team.size > 1 or team.shards:
        raise ValueError("TRL trains here in one process: start the script with python, and without --shard")
    if team.device != "cpu" and (torch.device(team.device).index or torch.cuda.device_count() > 1):
        raise ValueError("TRL takes every GPU that it sees: give CUDA_VISIBLE_DEVICES=0 (or another) and --device auto")
    return team


def start_of(learner: Learner) -> nn.Module:
    """Return the model as it was before training, as one of its own, also where it lies under the adapter."""
    with learner.start() as start:
        if start is not learner.policy.model:
            return getattr(start, "get_base_model", lambda: start)()  # an adapter's layers are in it
    own = HuggingFacePolicy.load(learner.arguments.model, device=learner.team.device, dtype=learner.arguments.dtype)
    return own.model.requires_grad_(False)


def settings_of_trl(arguments: Any, learner: Learner, size: int, fits: int) -> dict[str, Any]:
    """Return the settings of a trainer of TRL's, but those of the learner: updates of ``size``, ``fits`` in memory."""
    part = max(part for part in range(1, max(1, min(size, fits)) + 1) if size % part == 0)
    return {
        "output_dir": str(arguments.out), "max_steps": 10**9, "seed": arguments.seed, "disable_dropout": True,
        "per_device_train_batch_size": part, "gradient_accumulation_steps": size // part,
        "lr_scheduler_type": "constant", "max_grad_norm": arguments.max_grad_norm, "bf16": learner.half,
        "gradient_checkpointing": False, "use_cpu": learner.policy.device.type == "cpu", "logging_steps": 1,
        "logging_nan_inf_filter": False, "save_strategy": "no", "report_to": "none", "disable_tqdm": True,
    }  # fmt: skip


@dataclass
class Fed:
    """Tensors with which TRL called the model, and 1 at tokens that are trained on: see ``Batch``."""

    given: dict[str, Any]
    asked: Tensor
    vision = ()  # its pictures are in what is given, one by one

    def __post_init__(self) -> None:
        self.ids, self.acted = self.given["input_ids"], self.asked[:, 1:].float()

    def inputs(self) -> dict[str, Any]:
        return self.given

    def parts(self, size: int) -> Iterator[tuple[None, Fed]]:
        yield None, self

    def plain(self) -> dict[str, Any]:
        return {name: value.detach().cpu() for name, value in {**self.given, "acted": self.acted}.items()}


class Bridge(TrainerCallback):
    """Carries a run through a trainer of TRL's, update by update.

    Args:
        run: as ``Run`` opens it.
        learner: of that run; its optimiser is the one that the trainer steps.
        cost: FLOPs of a token that is trained on, as a multiple of the parameters.
        told: from TRL's numbers of an update to those that are logged.
        fed: from a part of an update to tensors with which TRL calls the model, and 1 at tokens that are trained on.
    """

    sampled = 0  # tokens that passed the policy in this update when it sampled

    def __init__(self, run: Run, learner: Learner, cost: float, told: Any, fed: Callable[[Any], Any]) -> None:
        self.run, self.learner, self.cost, self.told, self.fed = run, learner, cost, told, fed

    def saw(self, inputs: Any, loss: Tensor) -> None:
        """Take note of a part of an update and its loss."""
        self.batch, self.losses = Fed(*self.fed(inputs)), [*self.losses, loss.detach()]
        self.tokens += int(self.batch.given["attention_mask"].sum())

    def on_step_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if not state.global_step:  # all is drawn that TRL draws to begin with
            torch.manual_seed(args.seed)
            self.run.restore(self.learner)
        self.began, self.rate = monotonic(), self.run.rate()
        self.tokens, self.sampled, self.losses = 0, 0, list[Tensor]()
        for group in self.learner.optimiser.param_groups:
            group["lr"] = torch.full_like(group["lr"], self.rate) if isinstance(group["lr"], Tensor) else self.rate

    def on_pre_optimizer_step(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        gradients = [weight.grad for weight in trainable(self.learner.policy.model) if weight.grad is not None]
        found = {"loss": torch.stack(self.losses), "gradient": are_finite(gradients)}
        demand_finite(self.run.team.gathered, self.batch.plain, found)

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
        if "loss" in logs:  # not among TRL's last words
            found = {STEPPED: are_finite(trainable(self.learner.policy.model))}
            demand_finite(self.run.team.gathered, self.batch.plain, found)
            line = {"learning_rate": self.rate, "loss": logs["loss"], "gradient_norm": logs["grad_norm"]}
            line |= self.told(logs) | {"tokens_a_second": self.tokens / (monotonic() - self.began)}
            spent = self.learner.size * (self.cost * self.tokens + 2.0 * self.sampled)
            self.run.record(self.learner, line, spent, self.batch)
            control.should_training_stop = self.run.done() >= 1

    def train(self, kind: type, config: type, settings: dict[str, Any], batches: Any, **given: Any) -> None:
        """Train to the end, by a kind of trainer; ``batches`` makes of its set the rows of part after part."""

        class Bridged(kind):  # type: ignore[misc, valid-type]
            def get_train_dataloader(trainer) -> Any:
                return map(trainer.data_collator, batches(trainer.train_dataset))

            def compute_loss(trainer, model: Any, inputs: Any, *others: Any, **named: Any) -> Any:
                loss = super().compute_loss(model, inputs, *others, **named)
                self.saw(inputs, loss)
                return loss

            def _send_telemetry(trainer) -> None:
                """Tell TRL's makers nothing."""

        policy, optimisers = self.learner.policy, (self.learner.optimiser, None)
        given |= {
            "processing_class": policy.processor or policy.tokenizer,
            "callbacks": [self],
            "optimizers": optimisers,
        }
        with warnings.catch_warnings(), self.run.going():
            warnings.filterwarnings("ignore", ".*(gradient_checkpointing|rollout_func)")  # old and young names of TRL's
            import_module("datasets").disable_progress_bars()
            trainer = Bridged(policy.model, args=config(**settings), **given)
            trainer.remove_callback(PrinterCallback)
            trainer.train()
