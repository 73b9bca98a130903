"""Best of n: a policy answers n times, and a reward model picks. The cheapest way to exploit one, without any training.

    python examples/best_of_n.py --model gp-arithmetic --reward runs/reward --out runs/best-of-n
    python examples/best_of_n.py --judge --out runs/best-of-n    # the program, afterwards

Each question is answered --n times, and every answer, with its score, goes to <out>/responses.jsonl. The table tells
for n = 1, 2, 4, ... the mean score of what is picked (the proxy), over all choices of n answers, and the divergence
from the policy, log n - (n - 1) / n nats (arXiv 2210.10760). Who picks does not know which answers are right; --judge,
a process of its own, adds mean reward and success. The same command goes on with an interrupted run.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import comb, log
from pathlib import Path
from typing import Any

import numpy as np
import tyro
from numpy.typing import NDArray
from tqdm import tqdm

import command_line as cli
import verienv
from asking import Questions, answers, sizes
from plain_arguments import plain
from scoring import Scorer, checkpoint_of
from verienv.core.make import full_id
from verienv.core.provenance import provenance
from verienv.core.reading import read_whole
from verienv.core.rows import row_seed
from verienv.core.run_folder import RunFolder, write_json
from verienv.policies import HuggingFacePolicy, Sampling


@dataclass
class Arguments:
    """Arguments of best of n."""

    model: str = "tiny-lm"  # Policy that answers: built in, a folder such as a checkpoint, or a name on the hub.
    reward: Path = Path("runs/reward")  # Folder of the reward model that picks, as examples/reward.py makes it.
    out: Path = Path("runs/best-of-n")  # Folder of the responses and the table.
    judge: bool = False  # Judge the responses in --out, and tell the table with the truth; nothing is sampled.
    env: str = "verienv/GeneralPoints-L-v0"  # Environment: GeneralPoints-L is enough, or GeneralPoints-VL to see.
    split: str = "train"  # Split whose questions are asked.
    settings: cli.Settings = ()  # Settings of the environment: -s cards=5 -s rule=rank.
    questions: cli.Count = 256  # Questions to ask.
    n: cli.Size = 16  # Answers to each.
    temperature: cli.Temperature = 1.0
    top_p: cli.Positive = 1.0
    max_new_tokens: cli.Length = 48
    batch: cli.Size = 16  # Questions that are asked at once.
    seed: cli.Seed = 0  # Fixes the questions.
    device: str = "auto"  # cpu, cuda, cuda:1, ...; auto takes a GPU if there is one.


def picked(scores: NDArray[Any], values: NDArray[Any], n: int) -> float:
    """Return the mean value of the response of the highest score among n, over all choices of n of each row."""
    rank, most = np.argsort(scores, axis=1, kind="stable"), scores.shape[1]
    weights = np.array([comb(below, n - 1) / comb(most, n) for below in range(most)])
    return float((np.take_along_axis(values, rank, 1) @ weights).mean())


def table(rows: Sequence[dict[str, Any]], most: int, judged: bool) -> list[dict[str, float]]:
    """Return the numbers for n = 1, 2, 4, ... and the most; the program is asked only if it is to judge."""
    known = {"proxy": [row["score"] for row in rows]}
    if judged:
        verdicts = [verienv.judge(row, row["response"]) for row in rows]
        known |= {"reward": [one.reward for one in verdicts], "success": [one.is_correct for one in verdicts]}
    values = {name: np.array(each, dtype=float).reshape(-1, most) for name, each in known.items()}
    means = [{name: picked(values["proxy"], each, n) for name, each in values.items()} for n in sizes(most)]
    return [{"n": n, "kl": log(n) - (n - 1) / n, **mean} for n, mean in zip(sizes(most), means, strict=True)]


def sample(arguments: Arguments, folder: RunFolder) -> None:
    """Ask, score and write down, from where an earlier run stopped."""
    make = {"split": arguments.split, "attempts": 1} | cli.settings_of(arguments, {"split": arguments.split})
    asking, n = Questions(arguments.env, **make), arguments.n
    told = {"arguments": plain(arguments), **provenance(Path(__file__).parent)}
    folder.begin(told, plain(Arguments()), free=("out", "device"))
    done = min(len(folder.lines()) * arguments.batch, arguments.questions)
    folder.cut(len(folder.lines()))
    folder.cut_file("responses.jsonl", done * n)
    if done == arguments.questions:
        return
    how, longest = Sampling(arguments.temperature, arguments.top_p), arguments.max_new_tokens
    policy = HuggingFacePolicy.load(arguments.model, device=arguments.device, max_new_tokens=longest, sampling=how)
    scorer = Scorer.load(arguments.reward, arguments.device)
    for start in tqdm(range(done, arguments.questions, arguments.batch), desc=arguments.out.name):
        dealt = [asking.ask(row_seed(arguments.seed, at)) for at in range(start, start + arguments.batch)]
        asked = [one for one in dealt[: arguments.questions - start] for _ in range(n)]
        texts, spoken, ended = answers(policy, asked)
        with (folder.out / "responses.jsonl").open("a") as file:
            for (row, _), text, end, score in zip(asked, texts, ended, scorer(spoken, ended).tolist(), strict=True):
                file.write(json.dumps({**row, "response": text, "ended": end, "score": score}) + "\n")
        folder.log({"update": start // arguments.batch + 1})


def main(arguments: Arguments) -> list[dict[str, float]]:
    """Sample and pick, or judge what was picked; write and return the table."""
    cli.check(arguments)
    folder = RunFolder(arguments.out)
    if not arguments.judge:
        sample(replace(arguments, env=full_id(arguments.env), reward=checkpoint_of(arguments.reward)), folder)
    elif not (folder.out / "config.json").exists():
        raise ValueError(f"--judge: {arguments.out} holds no run of best of n; sample there first, without --judge")
    try:
        most, lines = folder.config()["arguments"]["n"], read_whole(folder.out / "responses.jsonl").splitlines()
        rows = [{**row, "score": float(row["score"])} for row in map(json.loads, lines)]
        whole = len(rows) > 0 == len(rows) % most
    except (LookupError, TypeError, json.JSONDecodeError):
        whole = False
    if not whole:
        raise ValueError(
            f"{arguments.out}: config.json and responses.jsonl are no whole run of best of n; sample again"
        )
    found = table(rows, most, arguments.judge)
    write_json(folder.out / "best_of_n.json", found)
    return found


if __name__ == "__main__":
    given = tyro.cli(Arguments, description=__doc__)
    with cli.kind_endings(given.out):
        for line in main(given):
            print("  ".join(f"{name} {value:.3g}" for name, value in line.items()))
