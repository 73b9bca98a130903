"""Memory of one update, part by part: what is measured, beside what the plan says (``verienv.policies.memory``).

python benchmarks/memory.py [--check] [--device cpu|cuda] [--only small "small ppo" ...]

Each case is a randomly made model in a process of its own, where memory that tensors free goes back at once. It
samples, trains two micro-batches and steps, as the scripts do. On a CPU the measure is the resident memory beyond that
of a process that has done so with a minute model; on a GPU it is what PyTorch has allocated. With ``--check`` a peak
that differs from the plan by more than 10 % is exit status 1, and so is a lower phase by 10 % and 10 MB, or a part by
3 % and 10 MB.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import subprocess
import sys
import warnings
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from verienv.policies.memory import MemoryPlan
from verienv.policies.shape import Shape

MB = 10**6
PHASE, PART, CONSTANT = 0.10, 0.03, 10 * MB
"""How far measurements may be from the plan: shares, and bytes that parts may differ by whatever their size."""


@dataclass(frozen=True)
class Case:
    """A model, and how it is trained."""

    hidden: int
    layers: int
    method: str = "sft"
    rows: int = 1
    length: int = 1024
    heads: int = 4
    key_heads: int = 4
    vocabulary: int = 8192
    weights: str = "float32"
    autocast: bool = False
    lora: int = 0
    checkpointing: bool = False
    fused: bool = True
    vision: bool = False

    def config(self) -> Any:
        """Llama's, or LLaVA's with a SigLIP tower half as wide and a picture of 256 patches."""
        from transformers import LlamaConfig, LlavaConfig, SiglipVisionConfig

        text = LlamaConfig(
            hidden_size=self.hidden, num_hidden_layers=self.layers, intermediate_size=3 * self.hidden,
            num_attention_heads=self.heads, num_key_value_heads=self.key_heads, vocab_size=self.vocabulary,
            tie_word_embeddings=True,
        )  # fmt: skip
        if not self.vision:
            return text
        half = self.hidden // 2
        sees = SiglipVisionConfig(
            hidden_size=half, num_hidden_layers=self.layers, intermediate_size=3 * half, num_attention_heads=self.heads,
            image_size=224, patch_size=14, vision_use_head=False,
        )  # fmt: skip
        return LlavaConfig(
            text_config=text, vision_config=sees, image_token_index=self.vocabulary - 1, image_seq_length=256,
            vision_feature_select_strategy="full", vision_feature_layer=-1, tie_word_embeddings=True,
        )  # fmt: skip


SIZES = {"small": Case(256, 4), "middle": Case(512, 6), "large": Case(768, 10)}
CASES = {
    **SIZES,
    **{f"{name} ppo": replace(case, method="ppo") for name, case in SIZES.items()},
    "padded": replace(SIZES["middle"], rows=4, length=512),
    "padded ppo": replace(SIZES["middle"], rows=4, length=512, method="ppo"),
    "grouped": replace(SIZES["middle"], key_heads=2, rows=4, length=256),
    "foreach": replace(SIZES["middle"], fused=False, length=64),
    "checkpointing": replace(SIZES["middle"], checkpointing=True, length=2048, vocabulary=1024),
    "autocast": replace(SIZES["middle"], autocast=True),
    "autocast checkpointing": replace(SIZES["middle"], autocast=True, checkpointing=True),
    "autocast ppo": replace(SIZES["middle"], autocast=True, method="ppo", rows=2),
    "bfloat16": replace(SIZES["middle"], weights="bfloat16"),
    "lora": replace(SIZES["middle"], lora=16),
    "lora bfloat16": replace(SIZES["middle"], lora=16, weights="bfloat16"),
    "lora bfloat16 autocast": replace(SIZES["middle"], lora=16, weights="bfloat16", autocast=True),
    "vision": replace(SIZES["middle"], vision=True, rows=4, length=384),
    "vision ppo": replace(SIZES["middle"], vision=True, rows=4, length=384, method="ppo", autocast=True),
}


class Meter:
    """Bytes that tensors take on a device, now and at most since ``begin``."""

    def __init__(self, device: str) -> None:
        self.is_cuda = device.startswith("cuda")

    def begin(self) -> int:
        """Forget the greatest so far; the bytes now."""
        gc.collect()
        if self.is_cuda:
            import torch

            torch.cuda.reset_peak_memory_stats()
        else:
            Path("/proc/self/clear_refs").write_text("5")
        return self.now()

    def now(self) -> int:
        return self._read("memory_allocated", "VmRSS")

    def most(self) -> int:
        return self._read("max_memory_allocated", "VmHWM")

    def _read(self, of_cuda: str, of_process: str) -> int:
        if self.is_cuda:
            import torch

            torch.cuda.synchronize()
            return int(getattr(torch.cuda, of_cuda)())
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(of_process))


def update(case: Case, device: str) -> dict[str, int]:
    """Sample, train two micro-batches and step; bytes of parts and, by "... at most", of phases."""
    import torch
    from transformers import AutoModelForCausalLM, AutoModelForImageTextToText

    from verienv.policies.hugging_face.cache import roomy_cache

    torch.manual_seed(0)
    meter, measured = Meter(device), {}
    empty = meter.begin()
    kind = AutoModelForImageTextToText if case.vision else AutoModelForCausalLM
    with torch.device(device):
        model = kind.from_config(case.config(), dtype=getattr(torch, case.weights), trust_remote_code=False)
    if case.lora:
        import peft

        wanted = peft.LoraConfig(r=case.lora, lora_alpha=2 * case.lora, target_modules="all-linear")
        model = peft.get_peft_model(model, wanted)
    model.eval()
    if case.checkpointing:
        model.gradient_checkpointing_enable({"use_reentrant": False})
        for module in model.modules():
            module.training |= getattr(module, "gradient_checkpointing", False)
    measured["weights"] = meter.begin() - empty

    batch = inputs(case, device)
    autocast = torch.autocast(device, torch.bfloat16, enabled=case.autocast)
    trained = [weight for weight in model.parameters() if weight.requires_grad]
    how = {"fused": True} if case.fused else {"foreach": True}
    optimiser = torch.optim.AdamW(trained, lr=1e-6, **how)

    def sample() -> Any:
        cache = roomy_cache(model, room=1)
        with torch.inference_mode():
            with autocast:
                logits = model(**batch, past_key_values=cache, use_cache=True, logits_to_keep=1).logits
            torch.log_softmax(logits[:, -1].float(), dim=-1).exp().multinomial(1)
        return cache

    for turn in range(2):  # the second is an update in the middle of a run, with gradients and moments in memory
        before = meter.begin()
        if case.method == "ppo":
            cache = sample()
            measured["sampling at most"] = meter.most() - empty
            measured["cache"] = meter.begin() - before
            del cache
        for part in range(2):
            before = meter.begin()
            with autocast:
                output = model(**batch, use_cache=False)
            loss = LOSSES[case.method](logprobs_of(output.logits, batch["input_ids"]))
            del output
            if not (turn or part):
                measured["activations and loss"] = meter.now() - before
            loss.backward()
            del loss
            measured["forward and backward at most"] = meter.most() - empty
            if not (turn or part):
                measured["gradients"] = meter.begin() - before
        before = meter.begin()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimiser.step()
        measured["step at most"] = meter.most() - empty
        if not turn:
            measured["optimiser"] = meter.begin() - before
        optimiser.zero_grad()
    return measured


def inputs(case: Case, device: str) -> dict[str, Any]:
    """A batch whose last row is shorter than the others, if it has several; with vision each begins with a picture."""
    import torch

    ids = torch.randint(0, case.vocabulary - 2, (case.rows, case.length))
    mask = torch.ones_like(ids)
    if case.rows > 1:
        mask[-1, -5:] = 0
    batch = {"input_ids": ids, "attention_mask": mask}
    if case.vision:
        ids[:, :256] = case.vocabulary - 1
        batch["pixel_values"] = torch.rand(case.rows, 3, 224, 224)
    return {name: value.to(device) for name, value in batch.items()}


def supervised(logprobs: Any) -> Any:
    """The loss of ``sft.py``."""
    return -logprobs.mean()


def clipped(logprobs: Any) -> Any:
    """The loss of ``ppo.py``."""
    from torch import minimum, ones_like

    ratio, advantage = (logprobs - logprobs.detach()).exp(), ones_like(logprobs)
    return -minimum(ratio * advantage, ratio.clamp(0.8, 1.2) * advantage).mean()


LOSSES = {"sft": supervised, "ppo": clipped}


def logprobs_of(logits: Any, ids: Any, temperature: float = 0.7) -> Any:
    """Log-probabilities of each token given those before it, as the scripts take them of logits."""
    scores = logits[:, :-1].float() / temperature
    return scores.log_softmax(-1).gather(2, ids[:, 1:, None]).squeeze(2)


def measure(case: Case, device: str) -> dict[str, int]:
    """Bytes as ``update`` takes them, in this process, which should be new and its allocator give memory back."""
    import torch

    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    update(replace(case, hidden=32, layers=1, length=max(8, 264 * case.vision), vocabulary=64), device)
    return update(case, device)


def measured_alone(case: Case, device: str) -> dict[str, int]:
    """Bytes as ``update`` takes them, in a process of its own."""
    giving_back = {f"MALLOC_{name}_": "65536" for name in ("MMAP_THRESHOLD", "TRIM_THRESHOLD")}
    giving_back |= {"ONEDNN_PRIMITIVE_CACHE_CAPACITY": "0"}
    giving_back |= {"MKL_DISABLE_FAST_MM": "1", "MALLOC_TOP_PAD_": "0", "MALLOC_ARENA_MAX": "1", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, __file__, "--device", device, "--measure", json.dumps(asdict(case))]
    done = subprocess.run(command, env={**os.environ, **giving_back}, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"measuring {case} failed: {done.stderr[-2000:]}")
    return dict(json.loads(done.stdout.splitlines()[-1]))


@dataclass(frozen=True)
class Compared:
    """One number measured, and what the plan says of it."""

    name: str
    measured: int
    planned: int
    is_peak: bool = False

    @property
    def holds(self) -> bool:
        """Whether they agree: the peak by a share, and others beyond what a process takes for itself."""
        share = PHASE if self.name.endswith("at most") else PART
        return abs(self.measured - self.planned) <= share * self.measured + CONSTANT * (not self.is_peak)

    def __str__(self) -> str:
        told = "" if self.holds else "  APART"
        sizes = f"{self.measured / MB:10.1f} {self.planned / MB:10.1f}"
        return f"  {self.name:32}{sizes} {self.measured / self.planned:8.3f}{told}"


def compared(case: Case, device: str) -> list[Compared]:
    """What is measured of a case, beside the plan's numbers."""
    measured, planned = measured_alone(case, device), plan_of(case)
    parts = dict(planned.parts)
    graph = 0 if case.checkpointing else parts.get("bfloat16 copies", 0)  # they live as long as the graph does
    parts["activations and loss"] = parts["activations"] + parts["logits"] // 4 + graph
    # The scripts' AdamW of bfloat16 weights (torchao's) keeps its moments in float32; torch's, here, as its weights.
    less = parts.get("optimiser", 0) // 2 if case.weights == "bfloat16" and not case.lora else 0
    parts["optimiser"] = parts.get("optimiser", 0) - less
    parts |= {f"{name} at most": size - less for name, size in planned.phases.items()}
    for name in ("forward and backward at most", "step at most"):  # no critic reads here
        parts[name] -= parts.get("critic's states", 0)
    peak = max((name for name in measured if name.endswith("at most")), key=measured.__getitem__)
    return [Compared(name, size, parts[name], name == peak) for name, size in measured.items()]


def plan_of(case: Case) -> MemoryPlan:
    """The plan of a case."""
    tokens = case.rows * case.length
    alike = {name: getattr(case, name) for name in ("method", "weights", "autocast", "lora", "checkpointing", "fused")}
    batches = {"tokens": tokens, "micro_batch": case.rows, "cached_tokens": tokens, "batch": case.rows}
    return MemoryPlan(Shape.of(case.config()), **alike, **batches)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="a number apart from the plan's is exit status 1")
    parser.add_argument("--device", default="cpu", help="cpu (Linux) or cuda")
    parser.add_argument("--only", nargs="+", choices=CASES, default=list(CASES), metavar="CASE", help=", ".join(CASES))
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.measure:
        print(json.dumps(measure(Case(**json.loads(given.measure)), given.device)))
        sys.exit()
    print(f"{'MB':34}{'measured':>10} {'plan':>10} {'ratio':>8}")
    apart = 0
    for name in given.only:
        print(name)
        for row in compared(CASES[name], given.device):
            print(row, flush=True)
            apart += not row.holds
    print(f"{apart} numbers are apart from the plan's" if apart else "all agree with the plan")
    sys.exit(bool(apart and given.check))
