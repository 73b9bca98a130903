"""The processes of a run, one a device: who works on what, and how the model is spread over them.

    accelerate launch --multi_gpu --num_processes 8 examples/ppo.py --out runs/ppo            # each holds the model
    accelerate launch --multi_gpu --num_processes 8 examples/ppo.py --out runs/ppo --shard    # each holds an eighth
    accelerate launch --config_file examples/accelerate/zero3.yaml examples/ppo.py --out runs/ppo

``--shard`` is torch's ``fully_shard`` (FSDP2), on CPUs too, where accelerate's FSDP2 and DeepSpeed's ZeRO-3 are not.
Plain python is one process: then nothing is said, and nothing is computed that plain code would not. What says "all
processes" must be called by all of them.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from accelerate import Accelerator, DistributedDataParallelKwargs
from accelerate.utils import DistributedType, broadcast_object_list, gather_object
from torch import Tensor, nn
from torch.distributed.device_mesh import init_device_mesh

from verienv.policies.hugging_face.loading import usable_device
from verienv.policies.hugging_face.sharding import shard, whole_state, whole_weights

Part = tuple[Any, Any]
SHARDING = {"ACCELERATE_USE_FSDP": DistributedType.FSDP, "ACCELERATE_USE_DEEPSPEED": DistributedType.DEEPSPEED}


class Team:
    """This process's place among those of the run."""

    def __init__(self, accelerator: Accelerator | None = None, device: str = "cpu", shard: bool = False) -> None:
        self.accelerator, self.shards = accelerator, shard
        self.size: int = accelerator.num_processes if accelerator else 1
        self.index: int = accelerator.process_index if accelerator else 0
        self.main = self.index == 0
        """Whether this process is the one that logs and saves."""
        self.device = str(accelerator.device) if accelerator and self.size > 1 else device
        self.kind = accelerator.distributed_type if accelerator else DistributedType.NO

    @classmethod
    def launched(cls, device: str, shard: bool = False) -> Team:
        """Join the processes that a launcher started, or be the only one. Raises ValueError for a launch that fails."""
        size = int(os.environ.get("WORLD_SIZE", "1"))
        on_cpu = size > 1 and (device == "cpu" or not torch.cuda.is_available())
        unused = DistributedDataParallelKwargs(find_unused_parameters=True)  # such as the end of a vision tower
        # One process takes an Accelerator that is there already, of another library in a notebook, as it is.
        options: dict[str, Any] = {"mixed_precision": None if size == 1 else "no", "kwargs_handlers": [unused]}
        wanted = next(
            (kind for name, kind in SHARDING.items() if os.environ.get(name, "").lower() in ("true", "1")), None
        )
        if wanted and not on_cpu:
            options["mixed_precision"] = None  # its sharding needs to know, and computes so itself
        accelerator = Accelerator(cpu=on_cpu, **options)
        size = max(size, accelerator.num_processes)
        if wanted and accelerator.distributed_type != wanted:
            raise ValueError(
                f"accelerate was asked to shard ({wanted.value}) and does not on this device: each process would train "
                "a model of its own; start with --multi_gpu and give the script --shard, which shards by torch itself"
            )
        if wanted and shard:
            raise ValueError(f"the launcher shards already ({wanted.value}); leave --shard out")
        if not wanted and os.environ.get("ACCELERATE_MIXED_PRECISION", "no") != "no":
            raise ValueError("the launcher chose a --mixed_precision; give it no, and --precision to the script")
        if size > 1 and device not in ("auto", "cpu"):
            raise ValueError(f"--device {device} with {size} processes: give auto or cpu, or start one process")
        lone = size == 1 and {"ACCELERATE_MIXED_PRECISION", "MASTER_ADDR"} <= os.environ.keys()
        if lone or accelerator.num_processes != size:
            raise ValueError(
                "the launcher was asked for more processes, but this one is alone; give it --multi_gpu, not --cpu"
            )
        if shard and size == 1:
            raise ValueError("--shard with one process has nothing to shard over; start more with accelerate launch")
        return cls(accelerator, device if size > 1 else usable_device(device), shard)

    def spread(self, model: nn.Module, optimised: Callable[[], Any], half: bool) -> tuple[nn.Module, Any]:
        """Spread a model over all processes: the module to train, and the optimiser, made for what of it lies here.

        With ``half`` shards compute in bfloat16; weights and the sums of gradients stay float32.
        """
        if self.kind in SHARDING.values():
            return self.accelerator.prepare(model, optimised())
        if self.shards:
            self.shard(model, half)
        elif self.size > 1:
            return self.accelerator.prepare_model(model), optimised()
        return model, optimised()

    def shard(self, model: nn.Module, half: bool) -> None:
        """Shard the weights of a model over all processes, if this team does so."""
        if self.shards:
            shard(model, init_device_mesh(torch.device(self.device).type, (self.size,)), half)

    def in_step(self, parts: Iterator[Part], nothing: Callable[[], Part]) -> Iterator[tuple[Any, Any, bool]]:
        """Yield as many parts in each process, of ``nothing`` where it has no more, and whether each is the last."""
        own = list(parts)
        most = max(self.gathered(len(own)))
        for number in range(most):
            yield *(own[number] if number < len(own) else nothing()), number == most - 1

    def backward(self, loss: Tensor, last: bool = True) -> None:
        """Add a loss's gradients, the sum over all processes; ``last`` is that of the last part before a step."""
        if self.size == 1:
            loss.backward()
            return
        self.accelerator.sync_gradients = last  # which DeepSpeed goes by
        self.accelerator.backward(loss * self.size)  # the others average over processes

    def share(self, whole: Sequence[Any]) -> Sequence[Any]:
        """Return this process's part of what one process would work on: together they are the whole, in its order."""
        if len(whole) < self.size:
            raise ValueError(f"{len(whole)} episodes or demonstrations an update are too few for {self.size} processes")
        return whole[len(whole) * self.index // self.size : len(whole) * (self.index + 1) // self.size]

    def shuffled(self, own: int, size: int) -> Iterator[tuple[Tensor, int]]:
        """Yield the rows of all processes (``own`` of them here) in one random order, by ``size``.

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
        spread = self.shards or self.kind in SHARDING.values()
        return whole_weights(model) if spread else None, whole_state(model, optimiser)

    def sum_gradients(self, parameters: Sequence[nn.Parameter]) -> None:
        """Give each parameter of a small network, whole in each process, the sum of its gradients in all."""
        for parameter in parameters if self.size > 1 else ():
            parameter.grad = self.summed(torch.zeros_like(parameter) if parameter.grad is None else parameter.grad)

    def random(self) -> list[Any]:
        """Return where torch's generators stand in each process."""
        cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []
        return self.gathered({"cpu": torch.get_rng_state(), "cuda": cuda})

    def restore_random(self, states: list[Any]) -> None:
        """Put torch's generators where they stood; in another number of processes each draws chances of its own."""
        same = len(states) == self.size
        state = states[self.index if same else 0]
        torch.set_rng_state(state["cpu"].cpu())
        if state["cuda"] and torch.cuda.device_count() == len(state["cuda"]):
            torch.cuda.set_rng_state_all([one.cpu() for one in state["cuda"]])
        if not same:
            self.seed_apart(int(torch.randint(2**31, ())))

    def machine(self) -> dict[str, Any]:
        """Return what the run computes on, to be kept beside results."""
        device = torch.cuda.get_device_name() if torch.cuda.is_available() else f"{platform.machine()} CPU"
        threads = torch.get_num_threads()
        return {"device": device, "gpus": torch.cuda.device_count(), "threads": threads, "processes": self.size}

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
