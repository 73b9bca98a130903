"""The processes of a run, one a device: who works on what, and how the model is spread over them.

    accelerate launch --multi_gpu --num_processes 8 examples/ppo.py --out runs/ppo            # each holds the model
    accelerate launch --multi_gpu --num_processes 8 examples/ppo.py --out runs/ppo --shard    # each holds an eighth
    accelerate launch --config_file examples/launch/fsdp2.yaml examples/ppo.py --out runs/ppo    # or zero3.yaml

``--shard`` is torch's ``fully_shard`` (FSDP2), on CPUs too, where accelerate's FSDP2 is not. Plain python is one
process: then nothing is said, and nothing is computed that plain code would not. A method that says "all processes" is
to be called by all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.utils import broadcast_object_list, gather_object
from torch import Tensor, nn
from torch.distributed.device_mesh import init_device_mesh

from command_line import launched_as
from verienv.policies.hugging_face.chance import chance, restore_chance
from verienv.policies.hugging_face.loading import usable_device
from verienv.policies.hugging_face.sharding import copied, prepared, shard, whole_state, whole_weights
from verienv.policies.hugging_face.zero3 import partition


class Team:
    """This process's place among those of the run."""

    def __init__(
        self, accelerator: Accelerator | None = None, device: str = "cpu", shard: bool = False, by_accelerate: str = ""
    ) -> None:
        self.accelerator, self.shards, self.by_accelerate = accelerator, shard or bool(by_accelerate), by_accelerate
        self.size: int = accelerator.num_processes if accelerator else 1
        self.index: int = accelerator.process_index if accelerator else 0
        self.main = self.index == 0
        """Whether this process is the one that logs and saves."""
        self.device = str(accelerator.device) if accelerator and self.size > 1 else device

    @classmethod
    def launched(cls, device: str, shard: bool = False) -> Team:
        """Join the processes that a launcher started, or be the only one. Raises ValueError where that fails."""
        on_cpu = device == "cpu" or not torch.cuda.is_available()
        size, sharding = launched_as(device, shard, on_cpu)
        # One process takes an Accelerator that is there already, of another library in a notebook, as it is.
        accelerator = Accelerator(cpu=size > 1 and on_cpu, mixed_precision=None if size == 1 or sharding else "no")
        return cls(accelerator, device if size > 1 else usable_device(device), shard, sharding)

    def spread(self, model: nn.Module, optimised: Callable[[], Any], half: bool) -> tuple[nn.Module, Any]:
        """Spread a model over all processes: the module to train, and the optimiser, made for what of it lies here.

        With ``half`` shards compute in bfloat16; weights and the sums of gradients stay float32.
        """
        if self.by_accelerate:
            return prepared(self.accelerator, model, optimised, half)
        self.shard(model, half)
        return copied(model) if self.size > 1 and not self.shards else model, optimised()

    def shard(self, model: nn.Module, half: bool) -> None:
        """Shard the weights of a model that is not trained over all processes, if this team does so."""
        if self.by_accelerate == "DeepSpeed":
            partition(model, self.accelerator.deepspeed_plugin.deepspeed_config, half)
        elif self.shards:
            shard(model, init_device_mesh(torch.device(self.device).type, (self.size,)), half)

    def in_step(self, parts: Iterator[Any], nothing: Callable[[], Any]) -> list[Any]:
        """Return as many parts in each process, with ``nothing`` where it has no more."""
        own = list(parts)
        return own + [nothing() for _ in range(max(self.gathered(len(own))) - len(own))]

    def backward(self, loss: Tensor) -> None:
        """Add a loss's gradients, the sum over all processes."""
        (loss * self.size).backward()  # torch's sharding, and its copies of a model, average over processes

    def share(self, whole: Sequence[Any]) -> Sequence[Any]:
        """Return this process's part of what one process would work on: together they are the whole, in its order."""
        if len(whole) < self.size:
            raise ValueError(f"{len(whole)} episodes or demonstrations are too few for {self.size} processes")
        return whole[len(whole) * self.index // self.size : len(whole) * (self.index + 1) // self.size]

    def shuffled(self, own: int, size: int) -> Iterator[tuple[Tensor, int]]:
        """Yield the rows of all processes (``own`` of them here) in one random order, by ``size``.

        A part is the indices of those of its rows that are here, maybe none, and how many it has in all.
        """
        counts = self.gathered(own)
        first = sum(counts[: self.index])
        order = torch.randperm(sum(counts))
        if self.size > 1:
            (order,) = broadcast_object_list([order])
        for part in order.split(size):
            yield part[(part >= first) & (part < first + own)] - first, len(part)

    def gathered(self, one: Any) -> list[Any]:
        """Return what each process has to say, in their order; any plain object."""
        return [one] if self.size == 1 else gather_object([one])

    def total(self, number: float) -> Any:
        """Return the sum of a number over all processes."""
        return sum(self.gathered(number))

    def summed(self, tensor: Tensor) -> Tensor:
        """Return the sum of a tensor of one shape over all processes."""
        return tensor if self.size == 1 else self.accelerator.reduce(tensor, "sum")

    def joined(self, tensor: Tensor) -> Tensor:
        """Return the tensors of all processes end to end."""
        return tensor if self.size == 1 else torch.cat(self.gathered(tensor.cpu())).to(tensor.device)

    def states(self, model: nn.Module, optimiser: Any) -> tuple[dict[str, Any] | None, dict[str, Any]]:
        """Return weights (None where each process has all) and optimiser whole, for the main process to save."""
        return whole_weights(model) if self.shards else None, whole_state(model, optimiser)

    def sum_gradients(self, parameters: Sequence[nn.Parameter]) -> None:
        """Give each parameter of a small network, whole in each process, the sum of its gradients in all."""
        for parameter in parameters if self.size > 1 else ():
            parameter.grad = self.summed(torch.zeros_like(parameter) if parameter.grad is None else parameter.grad)

    def random(self) -> list[Any]:
        """Return where torch's generators stand in each process."""
        return self.gathered(chance())

    def restore_random(self, states: list[Any]) -> None:
        """Put torch's generators where they stood; in another number of processes each draws chances of its own."""
        same = len(states) == self.size
        restore_chance(states[self.index if same else 0])
        if not same:
            self.seed_apart(int(torch.randint(2**31, ())))

    def seed_apart(self, seed: int) -> None:
        """Let each process but the main one draw chances of its own from here on."""
        if self.index:
            torch.manual_seed(seed * 1_000_003 + self.index)

    def wait(self) -> None:
        """Go on when all processes are here."""
        if self.size > 1:
            self.accelerator.wait_for_everyone()

    def leave(self) -> None:
        """Leave the other processes: the last thing that all do together."""
        if self.size > 1:
            self.accelerator.end_training()


ALONE = Team()
