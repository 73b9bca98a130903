"""A training run on disk: its configuration, its log, its checkpoints, and how it goes on after an interruption.

<out>/config.json        arguments and versions
<out>/log.jsonl          one line per update
<out>/checkpoint-00012/  model and tokenizer after update 12, readable by from_pretrained
<out>/state.pt           what else the next update needs; always that of the newest checkpoint
"""

from __future__ import annotations

import errno
import json
import math
import pickle
import platform
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from policy import Policy, Stop

PACKAGES = ("verienv", "torch", "transformers", "numpy", "gymnasium")


class Run:
    """The folder of one run. Opening it again with the same arguments goes on where it stopped."""

    def __init__(self, out: Path, arguments: Any, free: tuple[str, ...] = ("out", "device")) -> None:
        """Open or begin. Arguments other than the ``free`` ones must be those with which the run began."""
        self.out = out
        config = {"arguments": plain(arguments), **provenance()}
        path = out / "config.json"
        if path.exists():
            before = read_json(path)["arguments"]
            differing = [
                key for key, value in config["arguments"].items() if before.get(key) != value and key not in free
            ]
            begun = any(kept != path and kept.is_file() and kept.stat().st_size for kept in out.rglob("*"))
            if differing and begun:
                raise Stop(f"{out} holds a run with other arguments ({', '.join(differing)}); choose another --out")
            if not differing:
                return
        out.mkdir(parents=True, exist_ok=True)
        write_whole(path, json.dumps(config, indent=2))

    @property
    def finished(self) -> bool:
        return (self.out / "finished").exists()

    def finish(self) -> None:
        (self.out / "finished").touch()

    def checkpoints(self) -> list[Path]:
        """The folders of the saved policies, oldest first."""
        return sorted(path for path in self.out.glob("checkpoint-*") if path.name[-5:].isdigit())

    def log(self, line: dict[str, Any]) -> None:
        if not all(math.isfinite(value) for value in line.values() if isinstance(value, float)):
            write_whole(self.out / "not_finite.json", json.dumps(line, default=str))
            raise Stop(f"a number is not finite in update {line.get('update')}: {line}; try a lower --learning-rate")
        with (self.out / "log.jsonl").open("a") as file:
            file.write(json.dumps(line) + "\n")

    def lines(self) -> list[dict[str, Any]]:
        """The log so far; a line cut off by a kill is left out."""
        path, lines = self.out / "log.jsonl", []
        for text in path.read_text().splitlines() if path.exists() else []:
            try:
                lines.append(json.loads(text))
            except ValueError:
                break
        return lines

    def save(self, update: int, policy: Policy, state: dict[str, Any]) -> None:
        """A checkpoint after ``update``, and the state from which the next update follows."""
        state = {**state, "update": update, "random": random_state()}
        folder = self.out / f"checkpoint-{update:05d}"
        if not folder.exists():
            policy.save(folder)
        partial = self.out / "state.pt.partial"
        torch.save(state, partial)
        partial.replace(self.out / "state.pt")

    def resume(self, policy: Policy) -> tuple[Policy, dict[str, Any] | None]:
        """The newest checkpoint with its state, or the given policy and None at the start."""
        path = self.out / "state.pt"
        if not path.exists():
            write_whole(self.out / "log.jsonl", "")
            return policy, None
        try:
            state: dict[str, Any] = torch.load(path, weights_only=True, map_location=policy.device)
            folder, _ = self.out / f"checkpoint-{state['update']:05d}", state["random"]
        except (OSError, RuntimeError, EOFError, KeyError, ValueError, pickle.UnpicklingError) as error:
            raise Stop(
                f"the checkpoint {path} cannot be read ({type(error).__name__}); delete {self.out} to start again"
            ) from None
        kept = [line for line in self.lines() if line["update"] <= state["update"]]
        write_whole(self.out / "log.jsonl", "".join(json.dumps(line) + "\n" for line in kept))
        print(f"going on from {folder}")
        return Policy.load(str(folder), device=str(policy.device), max_new_tokens=policy.max_new_tokens), state


def demand_positive(arguments: Any, *names: str) -> None:
    """Raise ValueError for the first of these arguments that is not above 0, or for a seed below 0."""
    for name in names:
        values = getattr(arguments, name)
        for value in values if isinstance(values, tuple) else (values,):
            if not value > 0:
                raise ValueError(f"--{name.replace('_', '-')} {value:g}: expected a number above 0")
    seeds = getattr(arguments, "seeds", None) or (arguments.seed,)
    if min(seeds) < 0:
        raise ValueError(f"seed {min(seeds)}: expected an integer of at least 0")


def scheduled(update: int, done: float, warm_up: int) -> float:
    """The learning rate as a share of its height: a linear rise over ``warm_up`` updates, then a cosine to 0."""
    return min(1.0, (update + 1) / warm_up) * (1 + math.cos(math.pi * min(1.0, done))) / 2


def random_state() -> dict[str, Any]:
    """Where torch's generators stand."""
    return {"cpu": torch.get_rng_state(), "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []}


def restore_random_state(state: dict[str, Any]) -> None:
    """Put torch's generators where they stood; the last thing before a run goes on."""
    torch.set_rng_state(state["cpu"].cpu())
    if state["cuda"] and torch.cuda.device_count() == len(state["cuda"]):
        torch.cuda.set_rng_state_all([one.cpu() for one in state["cuda"]])


@contextmanager
def kind_endings(out: Path) -> Iterator[None]:
    """Ctrl-C, a wrong argument and a full disk end the program with one line; what was saved stays."""
    try:
        yield
    except KeyboardInterrupt:
        print(f"\ninterrupted; the same command goes on from what is in {out}", file=sys.stderr)
        raise SystemExit(130) from None
    except ValueError as error:
        raise Stop(str(error)) from None
    except OSError as error:
        mend = "make room" if error.errno in (errno.ENOSPC, errno.EDQUOT) else "mend that, or choose another --out,"
        raise Stop(f"cannot write to {out} ({error.strerror or error}); {mend} and run the same command") from None


def provenance() -> dict[str, Any]:
    """Versions, the machine's kind and the revision, to be kept beside results."""
    revision = subprocess.run(
        ["git", "rev-parse", "HEAD"], capture_output=True, text=True, cwd=Path(__file__).parent, check=False
    ).stdout.strip()
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else f"{platform.machine()} CPU"
    return {
        "versions": {name: version(name) for name in PACKAGES} | {"python": platform.python_version()},
        "revision": revision or "unknown",
        "device": device,
        "threads": torch.get_num_threads(),
    }


def plain(value: Any) -> Any:
    """Arguments as JSON would hold them."""
    return json.loads(json.dumps(asdict(value) if is_dataclass(value) else value, default=str))  # type: ignore[arg-type]


def write_whole(path: Path, text: str) -> None:
    """Write a file so that it is there whole or not at all."""
    partial = path.with_name(path.name + ".partial")
    partial.write_text(text)
    partial.replace(path)


def read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text())
    except FileNotFoundError:
        raise Stop(f"{path} is not there; there is nothing to draw or go on from") from None
    except ValueError as error:
        raise Stop(f"{path} is damaged ({error}); delete it, or choose another --out") from None
