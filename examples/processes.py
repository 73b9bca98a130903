"""The processes of a run, one a device. Plain python is one; accelerate's launcher starts more:

    accelerate launch --multi_gpu --num_processes 2 examples/ppo.py --out runs/ppo

(``--multi_gpu`` without a GPU is as many processes on CPUs, and torchrun --nproc_per_node 2 is the same.)
Every process holds the whole model and works on its share of an update's episodes or demonstrations; the gradients are
summed, so that all take the same step. What they say to each other is here. With one process nothing is said, and
nothing is computed that plain code would not.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.utils import DistributedType, broadcast_object_list, gather_object
from torch import Tensor

from endings import Stop
from verienv.policies.hugging_face.loading import usable_device


class Team:
    """This process's place among those of the run. What says "all processes" must be called by all of them."""

    def __init__(self, accelerator: Accelerator | None = None, device: str = "auto") -> None:
        self.accelerator = accelerator
        self.size: int = accelerator.num_processes if accelerator else 1
        self.index: int = accelerator.process_index if accelerator else 0
        self.main = self.index == 0
        """Whether this process is the one that logs and saves."""
        self.device = str(accelerator.device) if accelerator and self.size > 1 else device

    @classmethod
    def launched(cls, device: str) -> Team:
        """As the launcher says, or one process. ``device`` is auto, cpu or, for one process, any."""
        size, precision = int(os.environ.get("WORLD_SIZE", "1")), os.environ.get("ACCELERATE_MIXED_PRECISION", "no")
        on_cpu = size > 1 and (device == "cpu" or not torch.cuda.is_available())  # one process asks only the policy
        # One process takes an Accelerator that is there already, of another library in a notebook, as it is.
        accelerator = Accelerator(cpu=on_cpu, mixed_precision="no" if size > 1 else None)
        kind, size = accelerator.distributed_type, max(size, accelerator.num_processes)
        if kind != DistributedType.NO and not kind.value.startswith("MULTI_"):
            raise Stop(
                f"the launcher chose {kind.value}, but every device holds the whole model here; give --multi_gpu"
            )
        if precision != "no":
            raise Stop(f"the launcher chose --mixed_precision {precision}; give it no, and --dtype to the script")
        if size > 1 and device not in ("auto", "cpu"):
            raise Stop(f"--device {device} with {size} processes: give auto or cpu, or start one process")
        lone = size == 1 and {"ACCELERATE_MIXED_PRECISION", "MASTER_ADDR"} <= os.environ.keys()
        if lone or accelerator.num_processes != size:
            raise Stop(
                "the launcher was asked for more processes, but this one is alone; give it --multi_gpu, not --cpu"
            )
        return cls(accelerator, device if size > 1 else usable_device(device))

    def share(self, whole: Sequence[Any]) -> Sequence[Any]:
        """This process's part of what one process would work on: together they are the whole, in its order."""
        if len(whole) < self.size:
            raise Stop(f"{len(whole)} episodes or demonstrations an update are too few for {self.size} processes")
        return whole[len(whole) * self.index // self.size : len(whole) * (self.index + 1) // self.size]

    def shuffled(self, own: int, size: int) -> Iterator[tuple[Tensor, int]]:
        """The rows of all processes (``own`` of them here) in one random order, by ``size``.

        Of each part, the indices of the rows that are here, maybe none, and how many it has in all.
        """
        counts = self.gathered(own)
        first = sum(counts[: self.index])
        order = torch.randperm(sum(counts))
        if self.size > 1:
            (order,) = broadcast_object_list([order])
        for part in order.split(size):
            yield part[(part >= first) & (part < first + own)] - first, len(part)

    def gathered(self, one: Any) -> list[Any]:
        """What each process has to say, in their order; any plain object."""
        return [one] if self.size == 1 else gather_object([one])

    def total(self, number: float) -> Any:
        """The sum of a number over all processes."""
        return sum(self.gathered(number))

    def summed(self, tensor: Tensor) -> Tensor:
        """The sum of a tensor of one shape over all processes."""
        return tensor if self.size == 1 else self.accelerator.reduce(tensor, "sum")

    def joined(self, tensor: Tensor) -> Tensor:
        """The tensors of all processes end to end."""
        return tensor if self.size == 1 else torch.cat(self.gathered(tensor.cpu())).to(tensor.device)

    def sum_gradients(self, parameters: Sequence[torch.nn.Parameter]) -> None:
        """Give each parameter the sum of its gradients in all processes; one that has none anywhere keeps none."""
        if self.size == 1:
            return
        has = self.gathered([parameter.grad is not None for parameter in parameters])
        for parameter, anywhere in zip(parameters, map(any, zip(*has, strict=True)), strict=True):
            if anywhere:
                own = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
                parameter.grad = self.summed(own.detach())

    def seed_apart(self, seed: int) -> None:
        """Let each process but the main one draw chances of its own from here on."""
        if self.index:
            torch.manual_seed(seed * 1_000_003 + self.index)

    def wait(self) -> None:
        """Go on when all processes are here."""
        if self.size > 1:
            self.accelerator.wait_for_everyone()

    def leave(self) -> None:
        """The last thing that all processes do together."""
        if self.size > 1:
            self.accelerator.end_training()


def demand_one_process(script: str, instead: str) -> None:
    """Stop where a launcher started this script more than once, with one line for all of them."""
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        if int(os.environ.get("RANK", "0")):
            raise SystemExit(2)
        raise Stop(f"{script} runs as one process, but a launcher started several: start it with python, or {instead}")


ALONE = Team()
