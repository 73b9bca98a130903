"""Pairs of responses that a policy sampled to the same question, for somebody to say which is better.

    python examples/pairs.py --model gp-arithmetic --out runs/pairs
    python examples/pairs.py --model tiny-vlm --env verienv/GeneralPoints-VL-v0 --out runs/pairs-vision
    python examples/pairs.py --model runs/sft/checkpoint-00040 -s rule=rank --samples 8 --out runs/pairs-rank

Each question is answered --samples times; of the answers that differ two by two become pairs, in an order drawn by
chance. One that was cut off at --max-new-tokens is in no pair: it has no end to be trained on. <out>/pairs.jsonl and
<out>/images/ are for whoever labels them: nothing in that folder says which is better. The program's verdicts go to a
file apart, <out>-verdicts.jsonl, which no labeller and no trainer is given. The same command goes on with an
interrupted run; with more --questions it goes on from fewer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import tyro
from tqdm import tqdm

import command_line as cli
from model import parameters_of
from plain_arguments import plain
from verienv.core.dialogue import Message, images_of, png, with_pictures
from verienv.core.files import atomic_write
from verienv.core.make import full_id
from verienv.core.policy import Policy
from verienv.core.provenance import provenance
from verienv.core.response import clean_response
from verienv.core.rows import questions
from verienv.core.run_folder import RunFolder
from verienv.policies import HuggingFacePolicy, OpenAIPolicy, load
from verienv.preferences import Pair, PairVerdicts, RecordWriter

Asked = Sequence[tuple[dict[str, Any], Any]]
"""Rows, each with its question."""
COUNTED = ("questions", "responses", "cut", "distinct", "pairs")


@dataclass
class Arguments:
    """Arguments of making pairs."""

    model: str = "tiny-lm"
    """Policy that answers: built in, a folder such as a checkpoint, a name on the hub, or openai:NAME."""
    out: Path = Path("runs/pairs")
    """Folder of the pairs and their pictures."""
    verdicts: cli.File = None
    """File of the verdicts, outside of that folder; by default beside it, <out>-verdicts.jsonl."""
    env: str = "verienv/GeneralPoints-L-v0"
    """Environment: GeneralPoints-L is enough, or with pictures GeneralPoints-VL; module:id names one of your own."""
    split: str = "train"
    """Split whose questions are asked."""
    settings: cli.Settings = ()
    """Settings of the environment: -s cards=5 -s rule=rank. One answer is asked for, as attempts=1."""
    questions: cli.Count = 512
    """Questions to ask."""
    samples: cli.Size = 4
    """Answers to each."""
    pairs_each: cli.Size = 1
    """Most pairs of one question; no answer stands in two."""
    temperature: cli.Temperature = 1.0
    top_p: cli.Positive = 1.0
    max_new_tokens: cli.Length = 48
    batch: cli.Size = 64
    """Questions that are asked at once."""
    seed: cli.Seed = 0
    """Fixes the questions, which answers are paired, and their order."""
    device: str = "auto"
    """cpu, cuda, cuda:1, ...; auto takes a GPU if there is one."""
    base_url: str | None = None
    """Server of an openai: model."""


def paired(responses: Mapping[int, str], most: int, rng: np.random.Generator) -> list[tuple[int, int]]:
    """Pair the numbers of responses whose texts differ, at most so many times and each once; the order is drawn."""
    distinct = list({text: number for number, text in reversed(responses.items())}.values())
    drawn = [int(number) for number in rng.permutation(sorted(distinct))]
    return list(zip(drawn[0::2], drawn[1::2], strict=False))[:most]


def answered(policy: Policy, asked: Asked, samples: int) -> list[dict[int, str]]:
    """Ask a policy each question so many times; return its responses by their numbers, without those cut off."""
    dialogues = [with_pictures(row["prompt"], images_of(question.pictures)) for row, question in asked]
    said = whole([dialogue for dialogue in dialogues for _ in range(samples)], policy)
    return [
        {
            number: clean_response(text, getattr(question, "reasoning_tags", ()))
            for number, text in enumerate(said[at * samples : (at + 1) * samples])
            if text is not None
        }
        for at, (_, question) in enumerate(asked)
    ]


def whole(dialogues: Sequence[list[Message]], policy: Policy) -> list[str | None]:
    """Return a policy's responses, None for one that was cut off; a policy that tells of none has none."""
    if isinstance(policy, HuggingFacePolicy):
        return [policy.text(each) if each[-1] in policy.stops else None for each in policy.responses(dialogues)]
    if isinstance(policy, OpenAIPolicy):
        return [None if each.is_cut else each.response for each in policy.completions(dialogues)]
    return list(policy(dialogues))


def records(
    arguments: Arguments, number: int, row: dict[str, Any], question: Any, responses: Mapping[int, str]
) -> tuple[list[Pair], list[PairVerdicts]]:
    """Return the pairs of a question and their verdicts; pictures are drawn where there is a pair to show them."""
    chosen = paired(responses, arguments.pairs_each, np.random.default_rng([arguments.seed, number]))
    images = [f"images/{number:06d}-{at}.png" for at in range(len(question.pictures))] if chosen else []
    for name, image in zip(images, images_of(question.pictures), strict=False):
        with atomic_write(arguments.out / name) as part:
            part.write_bytes(png(image))
    verdicts = {at: question.judge(responses[at]) for two in chosen for at in two}
    about = {name: row[name] for name in ("prompt", "env_id", "split", "instance")} | {
        "cluster": question.cluster,
        "question": row["id"],
        "images": images,
        "policy": arguments.model,
        "temperature": arguments.temperature,
        "seed": arguments.seed,
    }
    names = [f"{row['id']}/{a}-{b}" for a, b in chosen]
    return (
        [Pair(pair=name, a=responses[a], b=responses[b], **about) for name, (a, b) in zip(names, chosen, strict=True)],
        [
            PairVerdicts(pair=name, cluster=question.cluster, a=verdicts[a], b=verdicts[b])
            for name, (a, b) in zip(names, chosen, strict=True)
        ],
    )


@cli.enough_memory("lower --batch or --samples")
def make(arguments: Arguments) -> dict[str, int]:
    """Make pairs up to the last question, from where an earlier run stopped; return what was counted."""
    cli.check(arguments)
    arguments = replace(arguments, env=full_id(arguments.env))
    out, apart = arguments.out, arguments.verdicts or arguments.out.with_name(f"{arguments.out.name}-verdicts.jsonl")
    if apart.resolve().is_relative_to(out.resolve()):
        raise ValueError(f"--verdicts {apart}: labellers are given the folder {out}; choose a file outside of it")
    settings = {"attempts": 1, **cli.settings_of(arguments, {"split": arguments.split})}
    every = questions(arguments.env, arguments.split, arguments.questions, arguments.seed, unit="question", **settings)
    folder = RunFolder(out)
    if not (out / "config.json").exists():  # what else made them would be taken away
        for path in (out / "pairs.jsonl", apart):
            if path.exists() and path.stat().st_size:
                raise ValueError(f"{path} is there already, and of no run in {out}; choose another --out or --verdicts")
    described = {"arguments": plain(arguments), **provenance(Path(__file__).parent)}
    folder.begin(described, plain(Arguments()), free=("out", "verdicts", "device", "questions", "base_url"))
    lines = folder.lines()
    folder.cut(len(lines))
    total = {name: sum(line.get(name, 0) for line in lines) for name in COUNTED}
    asked = list(islice(every, total["questions"], None))
    if not asked:
        return total
    policy = load(
        arguments.model,
        max_new_tokens=arguments.max_new_tokens,
        temperature=arguments.temperature,
        top_p=arguments.top_p,
        batch_size=None if arguments.model.startswith("openai:") else arguments.batch,
        device=arguments.device,
        base_url=arguments.base_url,
    )
    size, read = parameters_of(policy.model) if isinstance(policy, HuggingFacePolicy) else 0, 0
    with (
        RecordWriter(out / "pairs.jsonl") as pairs,
        RecordWriter(apart) as verdicts,
        tqdm(total=arguments.questions, initial=total["questions"], unit="question", desc=out.name) as bar,
    ):
        pairs.cut(total["pairs"])
        verdicts.cut(total["pairs"])
        for start in range(0, len(asked), arguments.batch):
            some = asked[start : start + arguments.batch]
            responses = answered(policy, some, arguments.samples)
            found = [
                records(arguments, total["questions"] + at, row, question, said)
                for at, ((row, question), said) in enumerate(zip(some, responses, strict=True))
            ]
            verdicts.add(*(each for _, those in found for each in those))
            pairs.add(*(each for these, _ in found for each in these))
            counted = {
                "questions": len(some),
                "responses": len(some) * arguments.samples,
                "cut": sum(arguments.samples - len(said) for said in responses),
                "distinct": sum(len(set(said.values())) for said in responses),
                "pairs": sum(len(these) for these, _ in found),
            }
            spent = 2.0 * size * (getattr(policy, "generated_tokens", 0) - read)  # of a server's nothing is known
            read = getattr(policy, "generated_tokens", 0)
            lines.append({"update": len(lines) + 1, **counted, "flops": spent})
            folder.log(lines[-1])
            total = {name: total[name] + more for name, more in counted.items()}
            bar.update(len(some))
    return total


if __name__ == "__main__":
    given = tyro.cli(Arguments, description=__doc__)
    with cli.kind_endings(given.out):
        counts = make(given)
        print(", ".join(f"{count} {name}" for name, count in counts.items()), f"in {given.out}")
        if 2 * counts["cut"] > counts["responses"]:
            print(
                f"most responses were cut off at --max-new-tokens {given.max_new_tokens} and are in no pair; raise it"
            )
