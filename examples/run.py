"""A training run: it begins or goes on where it stopped, logs every update, saves, and ends at a number that is none.

Its folder (config.json, log.jsonl, checkpoint-00012/, state.pt) is ``verienv.core.run_folder``'s; trackers get the
numbers of the log too (tensorboard --logdir <out>). not_finite.pt is the batch on which a number was not finite, which
ended the run, and not_finite.json says which one.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from accelerate.tracking import filter_trackers
from tqdm import tqdm

from command_line import Stop, plain
from distributed import ALONE, Team
from model import Learner
from sampling import probe
from verienv.core.files import atomic_write
from verienv.core.provenance import provenance
from verienv.core.run_folder import RunFolder, numbers_in
from verienv.policies.hugging_face.batch import Batch, read
from verienv.policies.hugging_face.checkpoint import first_line
from verienv.policies.hugging_face.finite import STEPPED, NotFinite, demand_finite

TIMED = ("steps_a_second", "tokens_a_second", "sampling_share")
"""What the log tells of time: it differs between runs that are otherwise the same, bit for bit."""
FREE = ("out", "device", "log_with")


class Run(RunFolder):
    """One run. Opening it again with the same arguments, but for the ``free`` ones, goes on where it stopped."""

    def __init__(
        self, out: Path, arguments: Any, free: tuple[str, ...] = FREE, team: Team = ALONE, probes: Any = ()
    ) -> None:
        super().__init__(out)
        self.arguments, self.team, self.update, self.spent, self.saved = arguments, team, 0, 0.0, 0
        self.trackers: list[Any] = []
        self.probes = probes
        self.described = {"arguments": plain(arguments), **provenance(Path(__file__).parent), **team.machine()}
        if team.main:
            self.begin(self.described, plain(type(arguments)()), free)
        team.wait()

    def learner(self) -> Learner:
        """Load the start or, of a run that goes on, its newest checkpoint."""
        path, self._state = self.out / "state.pt", None
        torch.manual_seed(self.arguments.seed)
        if path.exists():
            try:
                self._state = state = torch.load(path, weights_only=True, map_location="cpu")
                self.update, self.spent, self.saved, _ = (
                    int(state["update"]),
                    float(state["flops"]),
                    int(state["saved"]),
                    state["random"],
                )
            except Exception as error:  # a damaged file raises many kinds
                raise self._unfit(error) from None
            if not self.folder.is_dir():
                raise ValueError(f"{self.folder} is missing, from which {path} goes on; {self.mend}")
        if self.team.main:
            self.cut(self.update)
        if self.team.main and self._state:
            print(f"going on from {self.folder}")
            if changed := self.resumed(self.described, self.update):
                print(f"with {changed}: from here on the numbers may differ from those of a run without a break")
        self.team.wait()
        learner = Learner(self.arguments, self.team, str(self.folder) if self._state else self.arguments.model)
        if self.team.accelerator:
            self.trackers = trackers(self.team.accelerator, self.arguments.log_with, self.out, self.update)
        return learner

    def restore(self, learner: Learner, **parts: Any) -> None:
        """Put optimiser, modules by their names, and chance where they stood; at the start, let processes differ."""
        if self._state is None:
            self.team.seed_apart(self.arguments.seed)
            return
        try:
            learner.restore(self._state["optimiser"])
            for name, part in parts.items():
                part.load_state_dict(self._state[name])
            self.team.restore_random(self._state["random"])
        except Exception as error:
            raise self._unfit(error) from None

    def _unfit(self, error: Exception) -> ValueError:
        told = f"{self.out / 'state.pt'} cannot be read, or is of another model ({first_line(error)})"
        return ValueError(f"{told}; delete {self.out} to start again")

    @property
    def folder(self) -> Path:
        """That of a checkpoint after the newest update."""
        return self.out / f"checkpoint-{self.update:05d}"

    @property
    def done(self) -> float:
        """How far the run is on its budget: of updates where they are given, else of FLOPs."""
        updates = self.arguments.updates
        return self.update / updates if updates else self.spent / self.arguments.flops

    def rate(self) -> float:
        """Return the learning rate of the next update: a linear rise over the warm-up, and a cosine to 0."""
        return self.arguments.learning_rate * scheduled(self.update, self.done, self.arguments.warm_up)

    @contextmanager
    def going(self) -> Iterator[None]:
        """Draw how far the run is, and stop it at a number that is not finite, in all processes, its batch on disk."""
        total, unit = (self.arguments.updates, "update") if self.arguments.updates else (self.arguments.flops, "FLOP")
        try:
            with tqdm(
                total=total, initial=self.done * total, unit=unit, unit_scale=True, desc=self.out.name,
                disable=not self.team.main,
            ) as self._bar:  # fmt: skip
                yield
        except NotFinite as error:
            batches = self.team.gathered(error.batch())
            ending: SystemExit = SystemExit(2)
            if self.team.main:
                newest = (self.checkpoints() or [None])[-1]
                ending = Stop(error.keep(self.out, self.update + 1, batches, newest))
            self.team.wait()
            raise ending from None
        if self.team.main:
            (self.out / "finished").touch()
        for tracker in self.trackers:
            tracker.finish()

    def record(
        self, learner: Learner, line: dict[str, Any], cost: float, batch: Batch, shown: str, **parts: Any
    ) -> None:
        """End an update that cost so many FLOPs: log its line, and save a checkpoint where one is due."""
        arguments, done = self.arguments, self.done
        update, spent = self.update + 1, self.spent + cost
        after = update / arguments.updates if arguments.updates else spent / arguments.flops
        every = arguments.save_every
        due = after >= 1 or (update % every == 0 if every else after >= (self.saved + 1) / arguments.checkpoints)
        line = {"update": update, "flops": spent, **line}
        if due:
            with torch.no_grad():  # what is saved can be played
                few = next(iter(batch.parts(arguments.micro_batch)))[1]
                said = read(learner.policy, learner.policy.model, few).logprobs * few.acted
            demand_finite(self.team.gathered, batch.plain, {f"log-probabilities with the {STEPPED}": said})
            line |= probe(learner, self.probes) if self.probes else {}
        demand_finite(self.team.gathered, batch.plain, dict(numbers_in(line)))
        self.update, self.spent = update, spent
        if self.team.main:
            self.log(line)
        for tracker in self.trackers:
            tracker.log(dict(numbers_in(line)), step=update)
        ends = math.ceil(1 / (after - done))
        if self.team.main and update == 1 and ends <= arguments.warm_up:
            tqdm.write(
                f"note: an update of this model costs {cost:.2g} FLOPs, so the run ends after about {ends}, within its "
                f"warm-up of {arguments.warm_up}; give a larger --flops or --updates, or a smaller --warm-up"
            )
        self._bar.update(1 if arguments.updates else cost)
        self._bar.set_postfix_str(shown)
        if due:
            self.saved += 1
            self.save(learner, {name: part.state_dict() for name, part in parts.items()})

    def save(self, learner: Learner, state: dict[str, Any]) -> None:
        """Save a checkpoint after the newest update, and what else the next one needs. Called by all processes."""
        weights, optimiser = self.team.states(learner.policy.model, learner.optimiser)
        numbers = {"update": self.update, "flops": self.spent, "saved": self.saved}
        state = {**state, "optimiser": optimiser, **numbers, "random": self.team.random()}
        if self.team.main:
            learner.policy.save(self.folder, weights)
            with atomic_write(self.out / "state.pt") as part:
                torch.save(state, part)
        self.team.wait()

    def tell(self) -> None:
        """Say the last words of a script."""
        if self.team.main:
            print(f"checkpoints: {', '.join(map(str, self.checkpoints()))}")
        self.team.leave()


def trackers(accelerator: Any, names: tuple[str, ...], out: Path, update: int) -> list[Any]:
    """Return accelerate's trackers by name, begun, from ``update`` on; those whose package is missing are left out."""
    accelerator.project_configuration.logging_dir, accelerator.trackers = str(out), []
    how = {"tensorboard": {"purge_step": update + 1}, "wandb": {"dir": str(out), "name": out.name}}
    for name in names:
        accelerator.log_with = filter_trackers([name], str(out))
        if not accelerator.log_with and accelerator.is_main_process:
            print(f"nothing goes to {name}, which is missing (pip install {name}); log.jsonl has the same numbers")
        accelerator.init_trackers("tensorboard" if name == "tensorboard" else "verienv", init_kwargs=how)
    return list(accelerator.trackers)


def scheduled(update: int, done: float, warm_up: int) -> float:
    """Return the learning rate as a share of its height: a linear rise over ``warm_up`` updates, a cosine to 0."""
    return min(1.0, (update + 1) / warm_up) * (1 + math.cos(math.pi * min(1.0, done))) / 2
