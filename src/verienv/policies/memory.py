"""The memory that training or evaluating a model takes, planned before it is loaded.

    plan = MemoryPlan(Shape.of(config), method="sft", tokens=8 * 1024, micro_batch=8)
    print(plan)
    print(*plan.advice(available_memory("cuda")), sep="\\n")  # of verienv.policies.devices

It counts the tensors that PyTorch keeps; ``benchmarks/memory.py`` holds it against what is measured.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

from verienv.policies.devices import readable
from verienv.policies.shape import Shape, Tower

GB = 10**9
_CHOICES = {
    "method": ("sft", "ppo", "evaluate"), "weights": ("float32", "bfloat16"), "optimiser": ("adamw", "adamw_8bit"),
}  # fmt: skip
_IN_BFLOAT16 = {"weights": "bfloat16", "autocast": False}
_CURES: tuple[dict[str, Any], ...] = (
    {},
    {"optimiser": "adamw_8bit"},
    *({"shards": 2**power} for power in range(1, 8)),
    _IN_BFLOAT16,
    {**_IN_BFLOAT16, "optimiser": "adamw_8bit"},
    {"lora": 16, "start": False},
    {"lora": 16, "start": False, "weights": "bfloat16"},
)
"""Changes beyond smaller batches and checkpointing, cheapest first; the last ones train something else."""


@dataclass(frozen=True)
class MemoryPlan:
    """Bytes on one device, by part and by phase. Raises ValueError for a setting other than those accepted."""

    shape: Shape
    method: Literal["sft", "ppo", "evaluate"] = "sft"
    tokens: int = 0
    """Tokens of a micro-batch, padding included: its sequences times the longest of them."""
    scored_tokens: int | None = None
    """Those of them whose logits are made: the scripts begin at the first sampled token. By default all."""
    micro_batch: int = 1
    """Sequences of a micro-batch. Several are padded, which keeps a mask of length times length for each layer."""
    cached_tokens: int = 0
    """Tokens of the dialogues that are sampled together: dialogues times the longest of them at its end."""
    batch: int = 1
    """Dialogues that are sampled together."""
    weights: Literal["float32", "bfloat16"] = "float32"
    autocast: bool = False
    """Whether matrix products are in bfloat16. Sharded weights are gathered in it; others are copied to it."""
    optimiser: Literal["adamw", "adamw_8bit"] = "adamw"
    lora: int = 0
    """Rank of an adapter, in float32, on all linear layers but the head; 0 trains all weights."""
    checkpointing: bool = False
    shards: int = 1
    """Processes that share weights, gradients and moments; tokens and dialogues are each one's own."""
    start: bool = False
    """Whether a frozen copy of the start is in memory. A new adapter needs none: switched off, it leaves the start."""
    priced: bool = False
    """Whether all log-probabilities are compared with the start's, for a price on the divergence: 28 bytes a logit."""
    copied: bool = False
    """Whether other processes hold copies of the model: the buckets of gradients that they add up then stay."""
    fused: bool = True
    """Whether AdamW is fused; PyTorch's other way on a GPU (foreach) takes one copy of the weights as it steps."""
    accumulates: bool = True
    """Whether a step has several micro-batches, so that gradients lie beside the activations of the next."""
    patches: int | None = None
    """Patches of the pictures of a sequence; by default those of one picture, where the shape tells."""

    def __post_init__(self) -> None:
        for name, accepted in _CHOICES.items():
            if getattr(self, name) not in accepted:
                raise ValueError(f"{name} is {getattr(self, name)!r}; give {' or '.join(accepted)}")
        least = {"micro_batch": 1, "batch": 1, "shards": 1, "tokens": 0, "cached_tokens": 0, "lora": 0}
        for name, smallest in least.items():
            if getattr(self, name) < smallest:
                raise ValueError(f"{name} is {getattr(self, name)}; give {smallest} or more")

    @property
    def peak(self) -> int:
        """Bytes in the phase that takes most."""
        return max(self.phases.values())

    @property
    def fullest(self) -> str:
        """The phase that takes most."""
        return max(self.phases, key=self.phases.__getitem__)

    def fits(self, available: int) -> bool:
        """Whether that many bytes are enough."""
        return self.peak <= available

    @cached_property
    def phases(self) -> dict[str, int]:
        """Bytes in memory in each phase."""
        held = self._sum("weights", "start", "optimiser")
        phases = {}
        if self.method != "sft" or self.cached_tokens:
            phases["sampling"] = held + self._sum("gathered whole", "bfloat16 copies", "cache", "prompts")
            phases["sampling"] += self._sum("gradients") * (self.copied and self.shards == 1)
        if self.method != "evaluate":
            held += self._sum("critic's states")
            before = held + self._sum("activations") + self._sum("gradients") * self.accumulates
            copies, logits = self._sum("bfloat16 copies"), self._sum("logits")
            outside = self._low * self.shape.outside * (self.shards > 1)
            forward = before + outside + copies + logits * 2 // 3
            before += copies * (not self.checkpointing)
            backward = before + max(outside + logits, self._sum("gathered", "recomputed"))
            phases["forward and backward"] = max(forward, backward, held + self._sum("gradients"))
            phases["step"] = held + self._sum("gradients", "step")
        return phases

    def _sum(self, *names: str) -> int:
        return sum(self.parts.get(name, 0) for name in names)

    @cached_property
    def parts(self) -> dict[str, int]:
        """Bytes of each part; not all of them are in memory at once."""
        shape, parts = self.shape, {}
        adapter = self.lora * shape.linear_sides
        trained, width = (adapter, 4) if self.lora else (shape.parameters, self._width)
        parts["weights"] = (self._width * shape.parameters + 4 * adapter) / self.shards
        if self.start:
            parts["start"] = parts["weights"]
        if self._copies:
            parts["bfloat16 copies"] = 2.0 * shape.matrices
        if self.method != "evaluate":
            parts["gradients"] = width * trained / self.shards
            parts["optimiser"] = (8.0 if self.optimiser == "adamw" else 2.03) * trained / self.shards
            if self.optimiser == "adamw_8bit" or width == 2:  # torchao computes in float32, tensor by tensor
                parts["step"] = 4.0 * shape.largest / self.shards
            elif not self.fused:
                parts["step"] = width * trained / self.shards
            parts["activations"] = sum(self._kept(tower, tokens) for tower, tokens in self._towers)
            parts["activations"] += self._around_the_layers
            if self.checkpointing:
                parts["recomputed"] = max(self._recomputed(tower, tokens) for tower, tokens in self._towers)
            scored = self.tokens if self.scored_tokens is None else self.scored_tokens
            parts["logits"] = (12.0 + 16 * self.priced) * shape.vocabulary * scored  # one is kept, two for its gradient
            if self.shards > 1:  # layers at work and what is outside of them, with gradients that are summed in float32
                values, summed = 2.0 * shape.outside + 3 * shape.layer, max(shape.outside, shape.layer)
                parts["gathered"] = self._low * values + 4 * summed
        if self.method != "sft" or self.cached_tokens:
            text = shape.text
            if self.shards > 1:  # all weights are in each process while it samples
                parts["gathered whole"] = float(self._low * shape.parameters)
            parts["cache"] = 2.0 * self._low * text.layers * text.keys * self.cached_tokens
            seen = self.batch * self._patches
            passed = [self._passing(text) * self.cached_tokens]
            passed += [self._passing(tower) * seen for tower, _ in self._towers[1:]]
            parts["prompts"] = float(max(passed) + 16 * shape.vocabulary * self.batch)
        if self.method == "ppo":  # what the critic reads, in float32
            parts["critic's states"] = 4.0 * shape.text.hidden * self.cached_tokens
        return {name: round(value) for name, value in parts.items()}

    @property
    def _width(self) -> int:
        """Bytes of a weight."""
        return 4 if self.weights == "float32" else 2

    @property
    def _low(self) -> int:
        """Bytes of a value that matrix products give."""
        return 2 if self.autocast or self.weights == "bfloat16" else 4

    @property
    def _copies(self) -> bool:
        """Whether autocast copies weights."""
        return self.autocast and self.weights == "float32" and self.shards == 1

    @property
    def _stream(self) -> int:
        """Bytes of a value between layers: under autocast those of the weights, which sharding gathers in bfloat16."""
        return 2 if self.weights == "bfloat16" or (self.autocast and self.shards > 1) else 4

    @property
    def _patches(self) -> int:
        """Patches of a sequence."""
        return (self.shape.patches if self.patches is None else self.patches) or 0

    @property
    def _towers(self) -> list[tuple[Tower, int]]:
        """Towers that a micro-batch passes, and how many of its tokens or patches do."""
        vision = self.shape.vision
        passed = [(self.shape.text, self.tokens)]
        return passed if vision is None else [*passed, (vision, self.micro_batch * self._patches)]

    def _passing(self, tower: Tower) -> int:
        """Bytes a token of a layer at work without gradients, at the widest place of its MLP."""
        return 3 * self._low * tower.intermediate + 3 * self._stream * tower.hidden

    def _kept(self, tower: Tower, tokens: int) -> float:
        """Bytes that all layers keep for the backward pass."""
        if self.checkpointing:
            return float(self._stream * tower.hidden * tower.layers * tokens)
        return self._layer(tower) * tower.layers * tokens

    def _recomputed(self, tower: Tower, tokens: int) -> float:
        """Bytes of the layer at work in the backward pass: what it keeps, gradients at its widest place, its copies."""
        return (self._layer(tower) + 3 * self._low * tower.intermediate) * tokens + 2 * self.shape.layer * self._copies

    def _layer(self, tower: Tower) -> float:
        """Bytes a token that one layer keeps: inputs of norms, linear layers, attention and MLP, each tensor once."""
        low, hidden, mixed = self._low, tower.hidden, self._stream > self._low
        is_text = tower is self.shape.text
        padded = self.micro_batch > 1 and is_text
        keys = tower.queries if padded else tower.keys  # a mask makes attention repeat shared keys
        mask = low * self.tokens / self.micro_batch if padded else 0
        kept = low * (2 * tower.queries + 2 * keys) + low * (4 if tower.gated else 2) * tower.intermediate + mask
        if self.lora:  # frozen weights need no inputs; adapters take them in float32, or autocast for each layer
            linear = 8 if low == 4 else 10 if self.autocast else 20
            kept += (8 + linear) * hidden + 7 * self.lora * (2 if self.autocast else 4)
            if low == 2:  # what attention and MLP give, once more
                kept += 2 * tower.queries if self.autocast else 4 * tower.queries + 2 * tower.intermediate
        elif tower.root_mean_square:  # what it is given and what it normed, in float32, and what it gives
            kept += (24 if low == 4 else 26 if mixed else 16) * hidden
        else:
            kept += (16 if low == 4 or mixed else 8) * hidden
        kept += 8 * tower.extra_norms * hidden
        return kept + (8 if low == 4 else 6) * (tower.queries + tower.keys) * tower.normed_heads

    @property
    def _around_the_layers(self) -> float:
        """Bytes that the last norm, the input of the head and a picture's way into the text keep."""
        low, text = self._low, self.shape.text
        ways = (low * (4 * tower.hidden + 2 * text.hidden) * patches for tower, patches in self._towers[1:])
        head = 2 * self.shape.vocabulary * text.hidden * (self._copies and self.checkpointing)  # its copy is kept
        return float((8 + low) * text.hidden * self.tokens + sum(ways) + head)

    def advice(self, available: int) -> list[str]:
        """Changes that make it fit, each enough alone, as the flags of the scripts and the peak that they give.

        Cheapest first: smaller batches and checkpointing and, only where these are not enough, others. None if it fits.
        """
        if self.fits(available):
            return []
        enough: list[str] = []
        least = self
        for cure in filter(self._can_take, _CURES):
            if "shards" in cure and any("--shard" in line for line in enough):
                continue  # fewer processes are enough
            for checkpointing in sorted({self.checkpointing, self.checkpointing or self.method != "evaluate"}):
                plan = replace(self, **cure, checkpointing=checkpointing).lowered(available)
                least = min(least, plan, key=lambda one: one.peak)
                if plan.fits(available):
                    enough.append(f"{self._flags(plan)}: {readable(plan.peak)}")
                    if cure or plan.micro_batch == self.micro_batch:
                        break
            if enough and not cure:
                break
        short = f"too large: {self._flags(least)} would still take {readable(least.peak)} of {readable(available)}"
        return enough or [short]

    def _can_take(self, cure: dict[str, Any]) -> bool:
        """Whether a change is one: evaluation has but its weights, and nobody shrinks an adapter."""
        if self.method == "evaluate" and not cure.keys() <= _IN_BFLOAT16.keys():
            return False
        changes = {name: value for name, value in cure.items() if name not in ("autocast", "start")}
        if changes.get("shards", self.shards + 1) <= self.shards or (self.lora and "lora" in changes):
            return False
        return all(getattr(self, name) != value for name, value in changes.items())

    def lowered(self, available: int) -> MemoryPlan:
        """The plan with batches halved until each phase fits, or until halving helps no more."""
        plan = self
        while plan.micro_batch > 1 and plan.phases.get("forward and backward", 0) > available:
            half = plan.micro_batch // 2
            tokens = plan.tokens // plan.micro_batch * half
            scored = None if plan.scored_tokens is None else plan.scored_tokens // plan.micro_batch * half
            plan = replace(plan, micro_batch=half, tokens=tokens, scored_tokens=scored, accumulates=True)
        while plan.batch > 1 and plan.phases.get("sampling", 0) > available:
            half = plan.batch // 2
            plan = replace(plan, batch=half, cached_tokens=plan.cached_tokens // plan.batch * half)
        return plan

    def _flags(self, plan: MemoryPlan) -> str:
        """The flags of the scripts that lead from this plan to that one."""
        flags = {
            "micro_batch": f"--micro-batch {plan.micro_batch}", "batch": f"--batch {plan.batch}",
            "checkpointing": "--gradient-checkpointing", "optimiser": f"--optimiser {plan.optimiser}",
            "shards": f"--shard on {plan.shards} processes", "weights": f"--dtype {plan.weights}",
            "lora": f"--lora {plan.lora}",
        }  # fmt: skip
        return " ".join(flag for name, flag in flags.items() if getattr(self, name) != getattr(plan, name))

    def __str__(self) -> str:
        shape = self.shape
        where = "on one device" if self.shards == 1 else f"on each of {self.shards} devices"
        lines = [f"{self.method} of {shape.name}, {shape.parameters:,} parameters, {where}"]
        lines += [f"  {name:22}{readable(value):>12}" for name, value in self.parts.items()]
        lines += [f"  = {name:20}{readable(value):>12}" for name, value in self.phases.items()]
        if shape.vision is not None and self.patches is None and shape.patches is None:
            lines.append("  Without the vision tower's activations: its patches depend on the picture.")
        return "\n".join([*lines, f"peak {readable(self.peak)}, in {self.fullest}"])
