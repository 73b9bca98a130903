"""Results of one part in one JSON file, written after every measurement, within a budget of time."""

from __future__ import annotations

import gc
import shlex
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch

from verienv.core.provenance import provenance
from verienv.core.run_folder import read_json, write_json
from verienv.policies.hugging_face.checkpoint import first_line, lacks_memory

ROOT = Path(__file__).parents[2]
PACKAGES = ("verienv", "torch", "torchvision", "transformers", "accelerate", "peft", "trl", "tokenizers", "triton",
            "numpy", "gymnasium", "pillow")  # fmt: skip
REVISION = ".wheels/GIT_REVISION"
"""A file that names the revision, for a copy of the tree without its .git; tools/pack_wheels.py writes it."""
Measurement = tuple[str, Callable[[], dict[str, Any]]]


class Skip(Exception):
    """A measurement that cannot be made here; its text says why."""


class OutOfTime(BaseException):
    """The budget is spent. No Exception, so that nothing but the part's end catches it."""


@dataclass(frozen=True)
class Setup:
    """What a part is told: ``tiny`` or ``real`` sizes, the device, a folder for what is large, and when it ends."""

    size: str
    device: str
    work: Path
    ends: float
    minutes: float

    @property
    def real(self) -> bool:
        return self.size == "real"

    def left(self) -> float:
        return self.ends - time.monotonic()


@contextmanager
def until(ends: float) -> Iterator[None]:
    """Raise OutOfTime inside when a moment of ``time.monotonic()`` comes, again every five seconds where it is lost."""

    def ring(*_: Any) -> None:
        raise OutOfTime

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, max(ends - time.monotonic(), 1e-4), 5.0)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


class Results:
    """Measurements by name, in ``<out>/<part>.json``; those that are there are not made again, failed ones are.

    Each says in which sitting it was made: a sitting is one start of the program, with its versions and its machine.
    """

    def __init__(self, out: Path, part: str, setup: Setup) -> None:
        """Open the file, or begin it. Raises ValueError where it holds results of another size or device."""
        self.path, self.part = out / f"{part}.json", part
        machine = machine_of(setup.device)
        self.kept: dict[str, Any] = {"part": part, "size": setup.size, "sittings": [], "measurements": {}}
        if self.path.exists():
            self.kept = read_json(self.path)
            of = [(self.kept["size"], one["device"]) for one in self.kept["sittings"]]
            if of and of[0] != (setup.size, machine["device"]):
                raise ValueError(
                    f"{self.path} holds results of --size {of[0][0]} on {of[0][1]}, not of {setup.size} on "
                    f"{machine['device']}; give another --out"
                )
        told = {"began": datetime.now(UTC).isoformat(timespec="seconds"), "command": command(), **machine}
        self.kept["sittings"].append({**told, "minutes": setup.minutes, "ended": "killed"})
        self.write()

    def write(self) -> None:
        write_json(self.path, self.kept)

    def done(self, name: str) -> bool:
        """Whether a measurement was made, as a whole: what it names as ``left`` is made by the next sitting."""
        return not {"failed", "left"} & {*self.kept["measurements"].get(name, {"failed": ""})}

    def value(self, name: str) -> dict[str, Any]:
        """Return a measurement that was made before, {} without one."""
        return dict(self.kept["measurements"].get(name, {}))

    def run(self, measurements: Iterable[Measurement], ends: float) -> bool:
        """Make those that are not there yet, in order, until the time is up; whether none failed.

        One that is ``left`` unfinished ends the sitting.
        """
        sitting = self.kept["sittings"][-1]
        try:
            with until(ends):
                for name, make in measurements:
                    if not self.done(name):
                        self.kept["measurements"][name] = {
                            "sitting": len(self.kept["sittings"]) - 1,
                            **made(name, make),
                        }
                        self.write()
                        if "left" in self.kept["measurements"][name]:
                            raise OutOfTime
        except OutOfTime:
            sitting["ended"] = "out of time"
            print(f"{self.part}: out of time; the same command goes on from {self.path}", flush=True)
        else:
            sitting["ended"] = "complete"
        self.write()
        return not any("failed" in value for value in self.kept["measurements"].values())


def made(name: str, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Return what was measured or, of a measurement that failed or does not suit the machine, why."""
    print(f"{name} ...", flush=True)
    began = time.monotonic()
    try:
        value = make()
    except Skip as reason:
        value = {"skipped": str(reason)}
    except Exception as error:  # one that breaks must not take the others' time
        kind = "too little memory" if lacks_memory(error) else type(error).__name__
        value = {"failed": f"{kind}: {first_line(error)}", "at": traceback.format_exc().splitlines()[-8:]}
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    seconds = time.monotonic() - began
    told = value.get("failed") or value.get("skipped") or ""
    print(f"{name}: {seconds:.1f} s{f', {told}' if told else ''}", flush=True)
    return {**value, "seconds": round(seconds, 2)}


def machine_of(device: str) -> dict[str, Any]:
    """Return device, driver, versions and revision, the last from a file where there is no .git."""
    told = provenance(ROOT, PACKAGES)
    if told["revision"] == "unknown" and (ROOT / REVISION).exists():
        told["revision"] = (ROOT / REVISION).read_text().strip()[:80]
    there: dict[str, Any] = {"device": "CPU", "threads": torch.get_num_threads()}
    if device.startswith("cuda"):
        about = torch.cuda.get_device_properties(device)
        there = {
            "device": about.name, "memory": about.total_memory, "capability": f"{about.major}.{about.minor}",
            "cuda": torch.version.cuda, "driver": driver(), "conv_tf32": torch.backends.cudnn.allow_tf32,
            "matmul_tf32": torch.backends.cuda.matmul.allow_tf32,
        }  # fmt: skip
    return {**there, **told}


def driver() -> str:
    """Return the version of the GPU's driver, as the kernel module tells it."""
    path = Path("/proc/driver/nvidia/version")
    try:
        return path.read_text().splitlines()[0][:120] if path.exists() else "unknown"
    except OSError:
        return "unknown"


def command() -> str:
    """Return the command line, as one can give it again."""
    first = Path(sys.argv[0]).resolve()
    shown = str(first.relative_to(ROOT)) if first.is_relative_to(ROOT) else first.name
    return shlex.join(["python", shown, *sys.argv[1:]])


def synchronise(device: str) -> None:
    """Wait for what a GPU was told to do."""
    if device.startswith("cuda"):
        torch.cuda.synchronize()
