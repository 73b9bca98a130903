"""A training run on disk: its configuration, its log, its checkpoints, and how it goes on after an interruption.

<out>/config.json        arguments, versions, git revision, and on what it was resumed if that was something else
<out>/log.jsonl          one line per update
<out>/tensorboard/       the same numbers: tensorboard --logdir <out>
<out>/checkpoint-00012/  model and tokenizer after update 12, readable by from_pretrained
<out>/state.pt           what else the next update needs; always that of the newest checkpoint
<out>/not_finite.pt      the batch on which a number was not finite, which ended the run; not_finite.json says which one
"""

from __future__ import annotations

import json
import math
import platform
import shutil
import subprocess
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from tqdm import tqdm

from disk import plain, recorded, save_whole, update_of, write_whole
from endings import Stop
from finite import NotFinite, numbers_in
from processes import ALONE, Team
from verienv.policies import HuggingFacePolicy
from verienv.policies.hugging_face.checkpoint import first_line

PACKAGES = ("verienv", "torch", "transformers", "accelerate", "peft", "tokenizers", "numpy", "gymnasium", "pillow")
TIMED = ("steps_a_second", "tokens_a_second", "sampling_share")
"""What the log tells of time: it differs between runs that are otherwise the same, bit for bit."""


class Run:
    """The folder of one run. Opening it again with the same arguments goes on where it stopped."""

    def __init__(
        self, out: Path, arguments: Any, free: tuple[str, ...] = ("out", "device"), team: Team = ALONE
    ) -> None:
        """Open or begin. Arguments other than the ``free`` ones must be those with which the run began."""
        self.out, self.team = out, team
        self.update = 0
        """The newest one that was logged."""
        self.board: Any = None
        self.config = {"arguments": plain(arguments), **provenance(team.size)}
        self.defaults = plain(type(arguments)())
        if team.main:
            self._open(free)
        team.wait()

    def _open(self, free: tuple[str, ...]) -> None:
        out, config, path = self.out, self.config, self.out / "config.json"
        if path.exists():
            before = {**self.defaults, **recorded(path)["arguments"]}  # a run begun when there were fewer of them
            differing = [key for key, value in config["arguments"].items() if before[key] != value and key not in free]
            begun = any(kept != path and kept.is_file() and kept.stat().st_size for kept in out.rglob("*"))
            if differing and begun:
                raise Stop(f"{out} holds a run with other arguments ({', '.join(differing)}); choose another --out")
            if not differing:
                return
        out.mkdir(parents=True, exist_ok=True)
        write_whole(path, json.dumps(config, indent=2))

    @property
    def finished(self) -> bool:
        """Whether the run has ended. Stops where its last checkpoint is gone since."""
        if not (self.out / "finished").exists():
            return False
        if not self.checkpoints():
            raise Stop(f"{self.out} holds a finished run whose checkpoints are gone; delete it to train again")
        return True

    def finish(self) -> None:
        if self.team.main:
            (self.out / "finished").touch()
        if self.board:
            self.board.close()

    def tell(self) -> None:
        """The last words of a script."""
        if self.team.main:
            print(f"checkpoints: {', '.join(map(str, self.checkpoints()))}")
        self.team.leave()

    def checkpoints(self) -> list[Path]:
        """The folders of the saved policies, oldest first."""
        return sorted((path for path in self.out.glob("checkpoint-*") if update_of(path)), key=update_of)

    def bar(self, flops: float, spent: float) -> Any:
        """How far the run is on its budget; drawn by the main process."""
        return tqdm(
            total=flops, initial=spent, unit="FLOP", unit_scale=True, desc=self.out.name, disable=not self.team.main
        )

    def tell_if_short(self, cost: float, flops: float, warm_up: int) -> None:
        """After the first update: whether the budget ends before the learning rate is at its height."""
        updates = math.ceil(flops / cost)
        if self.team.main and self.update == 1 and updates <= warm_up:
            tqdm.write(
                f"note: an update of this model costs {cost:.2g} FLOPs, so the run ends after about {updates}, within "
                f"its warm-up of {warm_up}; give a larger --flops, or a smaller --warm-up"
            )

    def log(self, line: dict[str, Any]) -> None:
        self.update = line.get("update", 0)
        if not self.team.main:
            return
        with (self.out / "log.jsonl").open("a") as file:
            file.write(json.dumps(line, allow_nan=False) + "\n")
        if self.board:
            for name, value in numbers_in(line):
                if name != "update":
                    self.board.add_scalar(name, value, self.update)
            self.board.flush()  # a point is there as soon as its line is

    def lines(self) -> list[dict[str, Any]]:
        """The log so far; a line cut off by a kill is left out."""
        path, lines = self.out / "log.jsonl", []
        texts = path.read_text(errors="replace").splitlines() if path.exists() else []
        for number, text in enumerate(texts, 1):
            try:
                lines.append(json.loads(text))
                if lines[-1]["update"] != number:
                    raise ValueError
            except (ValueError, KeyError, TypeError, RecursionError):
                if number == len(texts) and not lines[number - 1 :]:
                    break
                raise Stop(
                    f"{path}, line {number}: expected the numbers of update {number}; put back what was there, or "
                    f"delete {self.out} to start again"
                ) from None
        return lines

    def save(self, update: int, policy: HuggingFacePolicy, state: dict[str, Any]) -> None:
        """A checkpoint after ``update``, and the state from which the next update follows. Called by all processes."""
        state = {**state, "update": update, "random": self.team.gathered(random_state())}
        if not self.team.main:
            return
        self.update = update
        policy.save(self.folder)
        save_whole(self.out / "state.pt", state)

    def resume(self, policy: HuggingFacePolicy) -> tuple[HuggingFacePolicy, dict[str, Any] | None]:
        """The newest checkpoint with its state, or the given policy and None at the start."""
        path, state = self.out / "state.pt", None
        if path.exists():
            try:
                state = torch.load(path, weights_only=True, map_location=policy.device)
                self.update, _ = int(state["update"]), state["random"]
            except Exception as error:  # a damaged file raises many kinds
                raise self.unfit(error) from None
            if not self.folder.is_dir():
                raise Stop(
                    f"{self.folder} is missing, from which {path} goes on; put it back, or delete {self.out} to start "
                    "again"
                )
        if self.team.main:
            kept = self.lines()[: self.update]
            if len(kept) < self.update:
                raise Stop(
                    f"{self.out / 'log.jsonl'} ends before update {self.update}, which {path} goes on from; put back "
                    f"what was there, or delete {self.out} to start again"
                )
            write_whole(self.out / "log.jsonl", "".join(json.dumps(line) + "\n" for line in kept))
            for folder in self.checkpoints():  # those that a kill left without the state that belongs to them
                if update_of(folder) > self.update:
                    shutil.rmtree(folder)
            for folder in self.out.glob("checkpoint-*.partial"):
                shutil.rmtree(folder)
            for part in self.out.glob("*.part"):  # what a kill left of a file that was being written
                part.unlink()
            self.board = board(self.out / "tensorboard", self.update + 1)
            if self.board:
                weakref.finalize(self, self.board.close)
        self.team.wait()
        if state is None:
            return policy, None
        if self.team.main:
            print(f"going on from {self.folder}")
            if policy.device.type != "cpu":
                print("a GPU adds in an order of its own: expect what a run without a break gives up to rounding")
            self._tell_what_differs()
        return HuggingFacePolicy.load(
            str(self.folder), device=str(policy.device), max_new_tokens=policy.max_new_tokens
        ), state

    @property
    def folder(self) -> Path:
        """That of a checkpoint after the newest update."""
        return self.out / f"checkpoint-{self.update:05d}"

    def unfit(self, error: Exception) -> Stop:
        """The end of a run whose state is damaged, or is not that of its newest checkpoint."""
        return Stop(
            f"{self.out / 'state.pt'} cannot be read, or is of another model ({first_line(error)}); delete {self.out} "
            "to start again"
        )

    def restore(self, state: dict[str, Any], **parts: Any) -> None:
        """Put optimisers and modules where the state left them, each under its name. Stops where they do not fit."""
        try:
            float(state["flops"])
            for name, part in parts.items():
                part.load_state_dict(state[name])
                for weight, kept in getattr(part, "state", {}).items():
                    if any(getattr(one, "ndim", 0) and one.shape != weight.shape for one in kept.values()):
                        raise ValueError(f"the shapes of {name} differ")
            restore_random_state(state["random"], self.team)
        except Exception as error:
            raise self.unfit(error) from None

    def _tell_what_differs(self) -> None:
        """Say, and keep in config.json, on what other software or machine the run goes on than that it began on."""
        began = recorded(self.out / "config.json")
        asked, asks = (config["arguments"].get("device") for config in (began, self.config))
        before = {**dict(numbers_in(began)), "asked for device": asked}
        now = {**dict(numbers_in(self.config)), "asked for device": asks}
        changed = {
            name.removeprefix("versions/"): [before[name], value]
            for name, value in now.items()
            if not name.startswith("arguments/") and before.get(name, value) != value
        }
        if changed:
            told = ", ".join(f"{name} {new} (was {old})" for name, (old, new) in changed.items())
            print(f"with {told}: from here on the numbers may differ from those of a run without a break")
            began["resumed"] = [*began.get("resumed", []), {"after": self.update, **changed}]
            write_whole(self.out / "config.json", json.dumps(began, indent=2))

    @contextmanager
    def guarded(self) -> Iterator[None]:
        """Stop at a number that is not finite, in all processes, with the batch that it came of on disk."""
        try:
            yield
        except NotFinite as error:
            reason = f"the {error.what} is not finite in update {self.update + 1}"
            batches = self.team.gathered(on_cpu(error.batch))
            ending: SystemExit = SystemExit(2)
            if self.team.main:
                told = {"reason": reason, "update": self.update + 1}
                save_whole(self.out / "not_finite.pt", {**told, "batches": batches})
                write_whole(self.out / "not_finite.json", json.dumps(told))
                newest = f", from --model {self.checkpoints()[-1]}" if self.checkpoints() else ""
                ending = Stop(
                    f"{reason}; {error.step}, and its batch is in {self.out / 'not_finite.pt'}; "
                    f"{error.mend} in another --out{newest}"
                )
            self.team.wait()
            raise ending from None


def board(folder: Path, update: int) -> Any:
    """What writes TensorBoard's files from ``update`` on, purging what was there of it; None where it is missing."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        print(f"no {folder}, since tensorboard is missing (pip install tensorboard); log.jsonl has the same numbers")
        return None
    return SummaryWriter(str(folder), purge_step=update)


def scheduled(update: int, done: float, warm_up: int) -> float:
    """The learning rate as a share of its height: a linear rise over ``warm_up`` updates, then a cosine to 0."""
    return min(1.0, (update + 1) / warm_up) * (1 + math.cos(math.pi * min(1.0, done))) / 2


def random_state() -> dict[str, Any]:
    """Where torch's generators stand in this process."""
    return {"cpu": torch.get_rng_state(), "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []}


def restore_random_state(states: Any, team: Team) -> None:
    """Put torch's generators where they stood in each process; the last thing before a run goes on."""
    states = states if isinstance(states, list) else [states]  # runs begun before there could be several
    same = len(states) == team.size
    state = states[team.index if same else 0]
    torch.set_rng_state(state["cpu"].cpu())
    if state["cuda"] and torch.cuda.device_count() == len(state["cuda"]):
        torch.cuda.set_rng_state_all([one.cpu() for one in state["cuda"]])
    if not same:  # which resume has told
        team.seed_apart(int(torch.randint(2**31, ())))


def provenance(processes: int = 1) -> dict[str, Any]:
    """Versions, the machine's kind and the revision, to be kept beside results."""
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else f"{platform.machine()} CPU"
    revision, changes = git("rev-parse", "HEAD"), git("status", "--porcelain")
    return {
        "versions": {name: version_of(name) for name in PACKAGES} | {"python": platform.python_version()},
        "revision": revision or "unknown",
        "uncommitted_changes": bool(changes) if revision else "unknown",
        "device": device,
        "gpus": torch.cuda.device_count(),
        "threads": torch.get_num_threads(),
        "processes": processes,
    }


def version_of(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "missing"


def git(*arguments: str) -> str:
    """What git says of the folder of this file, nothing if it is in no repository."""
    try:
        told = subprocess.run(
            ["git", *arguments], capture_output=True, text=True, cwd=Path(__file__).parent, check=False
        )
    except OSError:
        return ""
    return told.stdout.strip()


def on_cpu(value: Any) -> Any:
    """A batch as plain lists, dicts and tensors in the computer's own memory."""
    if isinstance(value, Tensor):
        return value.detach().cpu()
    if isinstance(value, dict):
        return {key: on_cpu(one) for key, one in value.items()}
    return [on_cpu(one) for one in value] if isinstance(value, list | tuple) else value
