"""A training run: it begins or goes on where it stopped, logs every update, saves, and stops at a number not finite.

Its folder is ``verienv.core.run_folder``'s; not_finite.pt in it is the batch that ended it, not_finite.json says why.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from math import ceil
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

from command_line import Stop, trackers
from distributed import ALONE, Team
from model import Learner, scheduled
from plain_arguments import plain
from sampling import probe
from verienv.core.files import atomic_write
from verienv.core.provenance import provenance
from verienv.core.run_folder import RunFolder, counted, name_of, numbers_in
from verienv.policies.hugging_face.batch import Batch, read
from verienv.policies.hugging_face.checkpoint import first_line
from verienv.policies.hugging_face.finite import STEPPED, NotFinite, demand_finite
from verienv.policies.hugging_face.loading import machine


class Run(RunFolder):
    """One run. Opening it again with the same arguments, but for where it is computed, goes on where it stopped."""

    def __init__(self, out: Path, arguments: Any, team: Team = ALONE, probes: Any = ()) -> None:
        super().__init__(out)
        self.arguments, self.team, self.update, self.spent, self.saved = arguments, team, 0, 0.0, 0
        self.probes, self.trackers, self._state = probes, list[Any](), None
        self.described = {"arguments": plain(arguments), **provenance(Path(__file__).parent), **machine(team.size)}
        if team.main:
            self.begin(self.described, plain(type(arguments)()), free=("out", "device", "log_with", "shard"))
        team.wait()

    def learner(self, kind: type[Learner] = Learner) -> Learner:
        """Load the start or, of a run that goes on, its newest checkpoint, as a learner of a kind."""
        path = self.out / "state.pt"
        torch.manual_seed(self.arguments.seed)
        if path.exists():
            try:
                self._state = torch.load(path, weights_only=True, map_location="cpu", mmap=True)  # one for all
                self.update, self.spent, self.saved = counted(self._state)
            except Exception as error:  # a damaged file raises many kinds
                raise self.unfit(first_line(error)) from None
        start = str(self.checkpoint(self.update)) if self._state else self.arguments.model
        if self.team.main:
            self.cut(self.update)
            if self._state:
                print(f"going on from {start}{self.resumed(self.described, self.update)}")
        self.team.wait()
        learner = kind(self.arguments, self.team, start)
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
            raise self.unfit(first_line(error)) from None

    def done(self, more: int = 0, cost: float = 0.0) -> float:
        """Return how far the run is on its budget, of updates or FLOPs, or will be after ``more`` updates at a cost."""
        total = self.arguments.updates or self.arguments.flops
        return (self.update + more if self.arguments.updates else self.spent + cost) / total

    def due(self, cost: float = 0.0) -> bool:
        """Return whether a checkpoint is saved after the next update, which costs so many FLOPs."""
        arguments, done, each = self.arguments, self.done(1, cost), self.arguments.save_every
        return done >= 1 or (not (self.update + 1) % each if each else done >= (self.saved + 1) / arguments.checkpoints)

    def rate(self) -> float:
        """Return the learning rate of the next update."""
        done = self.done() if self.arguments.schedule == "cosine" else 0.0
        return self.arguments.learning_rate * scheduled(self.update, done, self.arguments.warm_up)

    @contextmanager
    def going(self) -> Iterator[None]:
        """Draw how far the run is, and stop it at a number that is not finite, in all processes, its batch on disk."""
        total, unit = (self.arguments.updates, "update") if self.arguments.updates else (self.arguments.flops, "FLOP")
        drawn = {"unit": unit, "unit_scale": True, "desc": self.out.name, "disable": not self.team.main}
        try:
            with tqdm(total=total, initial=self.done() * total, **drawn) as self._bar:
                yield
        except NotFinite as error:
            batches, (*_, newest) = self.team.gathered(error.batch()), (None, *self.checkpoints())
            told = error.keep(self.out, self.update + 1, batches, newest) if self.team.main else ""
            self.team.wait()
            raise (Stop(told) if told else SystemExit(2)) from None
        if self.team.main:
            (self.out / "finished").touch()
        for tracker in self.trackers:
            tracker.finish()

    def record(self, learner: Learner, line: dict[str, Any], cost: float, batch: Batch, **parts: Any) -> None:
        """End an update that cost so many FLOPs: log its line, and save a checkpoint where one is due."""
        arguments, before, done, due = self.arguments, self.done(), self.done(1, cost), self.due(cost)
        update, spent = self.update + 1, self.spent + cost
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
        if self.team.main and update == 1 and (ends := ceil(1 / (done - before))) <= arguments.warm_up:
            tqdm.write(f"note: about {ends} updates in all, within --warm-up {arguments.warm_up}: the rate stays low")
        self._bar.update(1 if arguments.updates else cost)
        self._bar.set_postfix({name: f"{line[name]:.3f}" for name in ("success", "loss") if name in line})
        if due:
            self.saved += 1
            self.save(learner, {name: part.state_dict() for name, part in parts.items()})

    def save(self, learner: Learner, state: dict[str, Any]) -> None:
        """Save a checkpoint after the newest update, and what else the next one needs. Called by all processes."""
        weights, state["optimiser"] = self.team.states(learner.policy.model, learner.optimiser)
        state |= {"update": self.update, "flops": self.spent, "saved": self.saved, "random": self.team.random()}
        if self.team.main:
            learner.saved.save(self.out / name_of(self.update), weights)
            with atomic_write(self.out / "state.pt") as part:
                torch.save(state, part)
        self.team.wait()

    def tell(self) -> None:
        """Say the last words of a script."""
        if self.team.main:
            print(f"checkpoints: {', '.join(map(str, self.checkpoints()))}")
        self.team.leave()
