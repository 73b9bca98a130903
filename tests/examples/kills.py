"""Runs in processes of their own, each killed (SIGKILL) at a moment that its case names: tests call ``kill_each``.

    python kills.py CASES.json

The libraries are loaded once, and each case is a fork. What is printed is by which signal each one ended.
"""

import json
import os
import signal
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "examples"))

import torch
from transformers import PreTrainedTokenizerBase, ProcessorMixin

import best_of_n
import dpo
import grpo
import pairs
import ppo
import reward
import sft
from verienv.policies.hugging_face import policy


def kill():
    os.kill(os.getpid(), signal.SIGKILL)


def killed_at(owners, name, call, *, after=False, meanwhile=None):
    """Kill before (or after) that call of a method, of all its owners together."""
    calls = []

    def replaced(method):
        def counted(*arguments, **named):
            calls.append(name)
            if len(calls) == call and not after:
                if meanwhile:
                    meanwhile(*arguments)
                kill()
            result = method(*arguments, **named)
            if len(calls) == call:
                kill()
            return result

        return counted

    for owner in owners:
        setattr(owner, name, replaced(getattr(owner, name)))


def half_written(value, path):
    whole = Path(path).with_name("whole")
    saving(value, whole)
    Path(path).write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    whole.unlink()


saving = torch.save
MOMENTS = {
    "in a rollout": lambda call: killed_at([policy.HuggingFacePolicy], "sample", call, after=True),
    "between the steps of an update": lambda call: killed_at([torch.optim.AdamW], "step", call, after=True),
    "while a model is saved": lambda call: killed_at(
        [PreTrainedTokenizerBase, ProcessorMixin], "save_pretrained", call
    ),
    "while a state is saved": lambda call: killed_at([torch], "save", call, meanwhile=half_written),
    "after a state is saved": lambda call: killed_at([torch], "save", call, after=True),
}


SCRIPTS = {
    "ppo": ppo.train, "sft": sft.train, "dpo": dpo.train, "grpo": grpo.train, "reward": reward.train,
    "pairs": pairs.make, "best_of_n": best_of_n.main,
}  # fmt: skip


def kill_each(cases, folder):
    """Begin runs that are killed, all at once in ``folder``: by its name, a case's arguments, moment and call."""
    listed = [
        {"name": name, "script": type(arguments).__module__, "moment": moment, "call": call,
         "arguments": asdict(arguments)}
        for name, (arguments, moment, call) in cases.items()
    ]  # fmt: skip
    path = folder / "cases.json"
    path.write_text(json.dumps(listed, default=lambda value: {"path": str(value)}))
    told = subprocess.run([sys.executable, __file__, path], capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stderr[-2000:]
    assert json.loads(told.stdout.splitlines()[-1]) == dict.fromkeys(cases, 9)


def main():
    torch.set_num_threads(1)
    endings = {}
    paths = {"object_hook": lambda found: Path(found["path"]) if found.keys() == {"path"} else found}
    for case in json.loads(Path(sys.argv[1]).read_text(), **paths):
        child = os.fork()
        if not child:
            train = SCRIPTS[case["script"]]
            MOMENTS[case["moment"]](case["call"])
            train(sys.modules[case["script"]].Arguments(**case["arguments"]))
            os._exit(0)
        endings[case["name"]] = -os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    print(json.dumps(endings))


if __name__ == "__main__":
    main()
