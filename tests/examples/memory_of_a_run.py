"""The memory that a training run takes beside what is printed before it, for test_memory_plan.py.

python memory_of_a_run.py sft|ppo FOLDER

A minute model is trained first, so that what libraries take once is not counted; then one of some 25 million weights.
Prints the bytes that the latter took at most, and those of its plan, as JSON.
"""

import gc
import json
import sys
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "examples"))

import torch
from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

import ppo
import sft
from verienv.core.assets import asset_path
from verienv.policies.hugging_face import planning, policy

ALIKE = {"device": "cpu", "updates": 2, "save_every": 1, "probes": 4, "warm_up": 1, "log_with": ()}
SCRIPTS = {
    "sft": (sft, sft.Arguments(**ALIKE, batch=32, micro_batch=16)),
    "ppo": (ppo, ppo.Arguments(**ALIKE, episodes=16, batch=16, minibatch=16, micro_batch=8, attempts=2)),
}


def saved(folder, **sizes):
    """A folder with a Llama of random weights that reads as tiny-lm does."""
    tokenizer = AutoTokenizer.from_pretrained(asset_path("models/tiny-lm"))
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(tokenizer), num_attention_heads=4, num_key_value_heads=4, tie_word_embeddings=True,
        eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id, **sizes,
    )  # fmt: skip
    LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return str(folder)


def resident(name):
    """Bytes of this process: VmRSS now, VmHWM at most."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(name))


def main(method, folder):
    torch.set_num_threads(1)
    policy.keep_freed_memory = lambda: None  # what is freed leaves the process
    script, arguments = SCRIPTS[method]
    minute = saved(folder / "minute", hidden_size=32, intermediate_size=64, num_hidden_layers=1)
    model = saved(folder / "model", hidden_size=512, intermediate_size=2048, num_hidden_layers=6)
    script.train(replace(arguments, model=minute, out=folder / "minute run"))
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5")
    before = resident("VmRSS")
    arguments = replace(arguments, model=model, out=folder / "run")
    script.train(arguments)
    taken = resident("VmHWM") - before
    plan = planning.plan_for(arguments, model, autocast=False)
    print(json.dumps({"taken": taken, "planned": plan.peak, "parameters": plan.shape.parameters}))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
