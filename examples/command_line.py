"""Arguments of the scripts, within bounds, and how a script ends when it cannot go on.

A bound stands beside an argument in its type (``rate: Rate = 6e-5``): a slip ends in one line before any work begins.
"""

from __future__ import annotations

import errno
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from math import isfinite
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import gymnasium as gym
import tyro
from accelerate.tracking import filter_trackers
from accelerate.utils import LoggerType
from tqdm import tqdm

from verienv.core.make import make_env
from verienv.core.settings import read_setting, read_settings
from verienv.policies.hugging_face.checkpoint import first_line, lacks_memory
from verienv.policies.hugging_face.parts import Part


@dataclass(frozen=True)
class Bounds:
    """The least and the greatest value of an argument, both accepted; ``or_zero`` accepts 0 besides."""

    least: float
    most: float
    or_zero: bool = False

    def check(self, name: str, value: Any, *, whole: bool) -> None:
        """Raise ValueError, naming the option, for a value outside, no number, or not whole where it must be."""
        number = isinstance(value, int if whole else (int, float)) and not isinstance(value, bool)
        if number and ((self.or_zero and value == 0) or (isfinite(value) and self.least <= value <= self.most)):
            return
        kind = "an integer" if whole else "a number"
        raise ValueError(
            f"--{name.replace('_', '-')} {str(value)[:40]}: expected {kind} from {self.least:,.10g} to "
            f"{self.most:,.10g}" + (", or 0" if self.or_zero else "")
        )


SHORT = tyro.conf.arg(help_behavior_hint=lambda number: f"(default: {float(number):g})".replace("e+", "e"))
Budget = Annotated[float, Bounds(1, 1e30), SHORT]  # floating-point operations; the largest models cost some 1e26
Rate = Annotated[float, Bounds(1e-12, 1e3)]
Size = Annotated[int, Bounds(1, 100_000)]  # things that are held at once, or an update
Count = Annotated[int, Bounds(1, 10**9)]  # things that come one after the other
OrNone = Annotated[int, Bounds(1, 10**9, or_zero=True)]
Attempts = Annotated[int, Bounds(1, 64)]
Length = Annotated[int, Bounds(1, 1_000_000)]  # tokens of a response
Seed = Annotated[int, Bounds(0, 2**32 - 1)]
Share = Annotated[float, Bounds(0, 1)]
Positive = Annotated[float, Bounds(1e-9, 1)]
Clip = Annotated[float, Bounds(1e-6, 1e3)]
Norm = Annotated[float, Bounds(1e-9, 1e9)]
Weight = Annotated[float, Bounds(0, 1e3)]
Temperature = Annotated[float, Bounds(1e-4, 1e4)]
OrGreedy = Annotated[float, Bounds(1e-4, 1e4, or_zero=True)]
Threads = Annotated[int, Bounds(1, 1024)]
Rank = Annotated[int, Bounds(1, 4096, or_zero=True)]
File = Annotated[Path | None, tyro.conf.arg(metavar="PATH", help_behavior_hint="(none by default)")]
Settings = Annotated[
    tuple[str, ...], tyro.conf.arg(name="setting", aliases=("-s",), metavar="KEY=VALUE"), tyro.conf.UseAppendAction
]


@dataclass
class Training:
    """Arguments that sft.py and ppo.py share."""

    model: str = "tiny-lm"
    """Built in: tiny-lm, gp-arithmetic, gp-rule; for pictures tiny-vlm, gp-sight; or any chat model by name or path."""
    out: Path = Path("runs/training")
    """Folder of the configuration, the log and the checkpoints."""
    env: str = "verienv/GeneralPoints-L-v0"
    """Environment: GeneralPoints-L is enough, or with pictures GeneralPoints-VL; module:id names one of your own.
    `verienv envs` lists them."""
    split: str = "train"
    """Split to train on: which instances are dealt, under which rule. `verienv envs` lists them."""
    settings: Settings = ()
    """Settings of the environment, as for gym.make: -s cards=5 -s rule=rank."""
    flops: Budget = 6e12
    """Stop when this many floating-point operations are spent (6 a parameter and token trained on, 2 read or sampled):
    the default is for the built-in models, and a larger one wants more in proportion."""
    updates: OrNone = 0
    """Stop after so many updates instead."""
    checkpoints: Count = 3
    """Checkpoints, evenly spaced over the budget; the last one ends the run."""
    save_every: OrNone = 0
    """Save a checkpoint every so many updates instead, and at the end."""
    learning_rate: Rate = 6e-5
    """Highest learning rate, to which it rises over --warm-up updates."""
    schedule: Literal["cosine", "constant"] = "cosine"
    """After the warm-up the rate falls to 0 by a cosine, or stays: then each checkpoint is the end of a shorter run."""
    warm_up: Count = 10
    """Updates until the learning rate is at its height."""
    micro_batch: Size = 32
    """Dialogues in memory at once when training, on a device."""
    max_grad_norm: Norm = 1.0
    """Norm to which longer gradients are clipped."""
    probes: OrNone = 16
    """Questions of the test side on which every checkpoint's loss, and its KL to the start, are logged; 0 for none."""
    held_out: File = None
    """File whose first demonstrations take the place of --probes, as `verienv demos --out` writes them."""
    seed: Seed = 0
    """Fixes what is dealt, its order, and what is sampled."""
    device: str = "auto"
    """cpu, cuda, cuda:1, ...; auto takes a GPU if there is one, or what the launcher gives."""
    dtype: Literal["float32", "bfloat16"] = "float32"
    """Type of the weights. bfloat16 takes half the memory, and without --lora is rounded by chance, by torchao."""
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    """Type that the model computes in; auto is bf16 on a GPU (autocast, or by shards), with weights as --dtype says."""
    optimiser: Literal["adamw", "adamw_8bit"] = "adamw"
    """adamw_8bit keeps its moments in 8 bits, by torchao: 2 bytes a weight in place of 8. Its first step takes a minute
    more, in which it is compiled; TORCHDYNAMO_DISABLE=1 leaves that out, and steps are slower."""
    lora: Rank = 0
    """Rank of the adapter to train (with peft) in place of the model, whose weights stay; 0 trains them all."""
    lora_alpha: Weight = 0.0
    """LoRA's alpha, the scale of the adapter times its rank; 0 is twice the rank."""
    freeze: tuple[Part, ...] = ()
    """Parts of a model that sees to keep as they are: tower, connector, or both; none, and all of it is trained."""
    gradient_checkpointing: bool = False
    """Compute activations twice in place of keeping them: less memory, a third more time."""
    shard: bool = False
    """Shard weights, gradients and moments over the launched processes (FSDP2)."""
    log_with: tuple[str, ...] = ("tensorboard",)
    """Trackers that get the numbers of log.jsonl, by accelerate's names: tensorboard, wandb, mlflow, ..."""


def bounds_in(hint: Any) -> tuple[Bounds, type] | None:
    """Return the bounds within a type, as in ``tuple[Rate, ...]`` or ``Size | None``, and the type of the number."""
    if get_origin(hint) is Annotated:
        return next(((each, hint.__origin__) for each in hint.__metadata__ if isinstance(each, Bounds)), None)
    return next((found for part in get_args(hint) if (found := bounds_in(part))), None)


def check(arguments: Any) -> None:
    """Raise ValueError, in one line, for a number outside its bounds, a list with none, and a tracker there is not."""
    for name, hint in get_type_hints(type(arguments), include_extras=True).items():
        found, value = bounds_in(hint), getattr(arguments, name)
        if found is None or value is None:
            continue
        if value == ():
            raise ValueError(f"--{name.replace('_', '-')}: expected at least one number")
        for each in value if isinstance(value, tuple) else (value,):
            found[0].check(name, each, whole=found[1] is int)
    if unknown := [name for name in getattr(arguments, "log_with", ()) if name not in LoggerType.list()]:
        raise ValueError(f"--log-with {unknown[0]}: expected names among {', '.join(LoggerType.list())}")
    if getattr(arguments, "lora_alpha", 0) and not arguments.lora:
        raise ValueError("--lora-alpha scales an adapter: give --lora and its rank too")


def rewards_of(arguments: Any) -> Any:
    """Return the meaning of ``--rewards``: a preset's name, a table, or the name of a function of the user's own."""
    given = arguments.rewards
    return read_setting("rewards", given) if isinstance(given, str) else given


def settings_of(arguments: Any, own: Mapping[str, Any], make: Callable[..., Any] = make_env) -> dict[str, Any]:
    """Return the settings of ``-s``, after ``make`` took them with the script's ``own`` ones.

    Raises:
        ValueError: for one that cannot be read or that the environment refuses, and for one of which the script has an
            option.
    """
    settings = read_settings(arguments.settings)
    for name in settings:
        if name in own:
            raise ValueError(f"-s {name}=...: the script has an option for it, --{name}")
    make(arguments.env, **own, **settings)
    return settings


def trackers(accelerator: Any, names: tuple[str, ...], out: Path, update: int) -> list[Any]:
    """Begin accelerate's trackers by name, from ``update`` on; those whose package is missing are left out."""
    accelerator.project_configuration.logging_dir, accelerator.trackers = str(out), []
    how = {"tensorboard": {"purge_step": update + 1}, "wandb": {"dir": str(out), "name": out.name}}
    for name in names:
        accelerator.log_with = filter_trackers([name], str(out))
        if not accelerator.log_with and accelerator.is_main_process:
            print(f"nothing goes to {name}, which is missing (pip install {name}); log.jsonl has the same numbers")
        accelerator.init_trackers("tensorboard" if name == "tensorboard" else "verienv", init_kwargs=how)
    return list(accelerator.trackers)


class Stop(SystemExit):
    """An error that the user can mend: one line on the terminal, exit status 2."""

    def __init__(self, message: str) -> None:
        tqdm.write(f"error: {message}", file=sys.stderr)  # on a line of its own, whatever bar is being drawn
        super().__init__(2)


@contextmanager
def kind_endings(out: Path) -> Iterator[None]:
    """Ctrl-C, a wrong argument and a full disk end the program with one line; what was saved stays."""
    try:
        yield
    except KeyboardInterrupt:
        print(f"\ninterrupted; the same command goes on from what is in {out}", file=sys.stderr)
        raise SystemExit(130) from None
    except (ValueError, FloatingPointError, gym.error.Error) as error:
        let_the_first_tell()
        raise Stop(str(error)) from None
    except OSError as error:
        mend = "make room" if error.errno in (errno.ENOSPC, errno.EDQUOT) else "mend that, or choose another --out,"
        raise Stop(f"cannot write to {out} ({error.strerror or error}); {mend} and run the same command") from None


def let_the_first_tell(seconds: float = 20.0) -> None:
    """Let the first of several processes tell an error that all have: launchers end the others when it has ended."""
    if int(os.environ.get("RANK", "0")):
        time.sleep(seconds)


@contextmanager
def enough_memory(lower: str) -> Iterator[None]:
    """End with one line that says what to lower, where memory runs out."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if not lacks_memory(error):
            raise
        raise Stop(f"too little memory ({first_line(error)}); {lower}") from None


SHARDING = {"ACCELERATE_USE_FSDP": "FSDP", "ACCELERATE_USE_DEEPSPEED": "DeepSpeed"}
"""How a launcher asks accelerate to shard, by the variable that says so."""

ZERO3 = {"ZERO_STAGE": "3", "ZERO3_INIT": "false", "OFFLOAD_OPTIMIZER_DEVICE": "none", "OFFLOAD_PARAM_DEVICE": "none"}
"""Settings of DeepSpeed that a launcher must give, by the ends of its variables."""


def launched_as(device: str, shard: bool, on_cpu: bool) -> tuple[int, str]:
    """Return how many processes a launcher started, and whether accelerate shards over them: FSDP, DeepSpeed or "".

    Raises ValueError for what launchers let pass, such as a model of its own in each process.
    """
    told = os.environ
    size, alone = int(told.get("WORLD_SIZE", "1")), "RANK" not in told
    sharding = next((kind for name, kind in SHARDING.items() if told.get(name, "").lower() in ("1", "true")), "")
    start = "accelerate launch --multi_gpu --num_processes 2 (on CPUs too)"
    refused = {
        f"the launcher was asked for more processes, but this one is alone; start with {start}": alone
        and (size > 1 or {"ACCELERATE_MIXED_PRECISION", "MASTER_ADDR"} <= told.keys()),
        f"accelerate shards by {sharding} on GPUs alone: here each process would train a model of its own; start with "
        f"{start}, and give the script --shard, which shards by torch itself": sharding and on_cpu,
        'DeepSpeed is missing: pip install "verienv[deepspeed]"; or start with '
        f"{start}, and give the script --shard": sharding == "DeepSpeed" and not find_spec("deepspeed"),
        f"the launcher shards already, by {sharding}; leave --shard out": sharding and shard,
        "fsdp_config must say fsdp_version: 2 and fsdp_cpu_ram_efficient_loading: false, as examples/launch/fsdp2.yaml "
        "does; or leave it out, and give the script --shard": sharding == "FSDP"
        and (told.get("FSDP_VERSION"), told.get("FSDP_CPU_RAM_EFFICIENT_LOADING")) != ("2", "false"),
        "deepspeed_config must say zero_stage: 3, zero3_init_flag: false and no offload, as examples/launch/zero3.yaml "
        "does; or leave it out, and give the script --shard": sharding == "DeepSpeed"
        and any(told.get(f"ACCELERATE_DEEPSPEED_{name}", "none") != value for name, value in ZERO3.items()),
        "the launcher chose a --mixed_precision; give it no, and --precision to the script": sharding != "FSDP"
        and told.get("ACCELERATE_MIXED_PRECISION", "no") != "no",
        f"--device {device} with {size} processes: give auto or cpu, or start one process": size > 1
        and device not in ("auto", "cpu"),
        f"one process has nothing to shard over; start more, with {start}": size == 1 and (shard or sharding),
    }
    for reason, holds in refused.items():
        if holds:
            raise ValueError(reason)
    return size, sharding
