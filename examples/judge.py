"""Label pairs without a person: by a model, by the program, or by simulated annotators whose errors are known.

    python examples/judge.py runs/pairs --model Qwen/Qwen2.5-7B-Instruct
    OPENAI_API_KEY=... python examples/judge.py runs/pairs --model openai:gpt-5-mini --price-in 0.25 --price-out 2
    python examples/judge.py runs/pairs --model openai:my-model --base-url http://127.0.0.1:8000/v1
    verienv agreement runs/pairs/labels-judge.jsonl --pairs runs/pairs/pairs.jsonl --verdicts runs/pairs-verdicts.jsonl

A model is shown every pair in both orders, with its pictures if it sees, and the guidelines that people are given; its
label is the mean of the two. The file --cache keeps each answer: the same command goes on where it stopped, and
nothing is asked, or paid for, twice (what was under way when a process was killed may be). A judge reads no verdicts.

    python examples/judge.py runs/pairs --simulated flip:0.25
    python examples/judge.py runs/pairs --simulated program flip:0.1 bradley-terry:2 biased:first=1,longer=0.5 myopic
    verienv agreement runs/pairs/labels-simulated.jsonl --verdicts runs/pairs-verdicts.jsonl

The program and simulated annotators read the verdicts, by definition; every line says so (kind "program" or
"simulated"). flip:E is wrong with probability E where the rewards differ; bradley-terry:T prefers a with probability
sigmoid((reward of a - reward of b) / T); biased adds a preference for the response shown first, for the longer one, or
for the one with JSON; myopic sees which parts of an answer are in order, not whether it is right. One that is named
twice is two annotators. The same command goes on where it stopped.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import tyro

from judge_models import LocalJudge, ServerJudge
from judging import Judge, ask, both_orders, labels_of, told, unlike
from label import GUIDELINES, text_of
from verienv.policies.server import OpenAIPolicy
from verienv.preferences import (
    Pair,
    RecordWriter,
    agreement,
    read_judgements,
    read_labels,
    read_pairs,
    read_verdicts,
)
from verienv.preferences.simulated import SimulatedAnnotator


@dataclass
class Arguments:
    """Arguments of judging."""

    folder: tyro.conf.Positional[Path]
    """Folder of the pairs, as examples/pairs.py makes it."""
    simulated: tuple[str, ...] = ()
    """Annotators: program, flip:0.25, bradley-terry:2, biased:first=1,longer=0.5,json=1,temperature=2, myopic."""
    model: str = ""
    """Model in their place: built in, a folder, a name on the hub, or openai:NAME behind a server."""
    verdicts: Path | None = None
    """File of the verdicts, for --simulated; <folder>-verdicts.jsonl by default."""
    labels: Path | None = None
    """File that labels are added to; <folder>/labels-judge.jsonl or <folder>/labels-simulated.jsonl by default."""
    most: int = 0
    """Label the first so many pairs; 0 for all."""
    seed: int = 0
    """Fixes what is drawn, for --simulated."""
    guidelines: Path | None = None
    """Text that the model is given, by default that of label.py; its hash goes into every label."""
    margin: float = 0.05
    """The label is a tie where the mean probability is at most so far from 0.5."""
    cache: Path | None = None
    """File that keeps the answers of models; <folder>/judgements.jsonl by default."""
    device: str = "auto"
    """Device of a model on this machine: cpu, cuda, cuda:1, ...; auto takes a GPU if there is one."""
    dtype: Literal["float32", "bfloat16"] | None = None
    """Type of its weights; by default that of a checkpoint, else float32."""
    batch: int = 16
    """Prompts that it reads at once."""
    base_url: str | None = None
    """Server of an openai: model; by default OPENAI_BASE_URL, else OpenAI's own. The key is OPENAI_API_KEY."""
    concurrency: int = 8
    """Requests under way at once."""
    retries: int = 6
    """How often a request is sent again that failed."""
    timeout: float = 300.0
    """Seconds to wait for a reply."""
    max_new_tokens: int = 512
    """Longest answer, hidden reasoning included: a model that answers at once needs few."""
    temperature: float | None = 0.0
    """Temperature of the answers; None leaves it to the server, as some reasoning models demand."""
    logprobs: bool = True
    """Ask for the likeliest tokens: where they come, they tell how sure the judge is."""
    price_in: float = 0.0
    """US dollars for a million prompt tokens; with --price-out, for the cost that is told at the end."""
    price_out: float = 0.0
    """US dollars for a million tokens of answers."""


def pool(names: Sequence[str], seed: int) -> list[SimulatedAnnotator]:
    """Return the annotators of these names; the second of one name is another one, NAME/2."""
    read = [SimulatedAnnotator.read(text, seed) for text in names]
    before = [names[:at].count(text) for at, text in enumerate(names)]
    return [replace(one, name=f"{one.name}/{n + 1}") if n else one for one, n in zip(read, before, strict=True)]


def judge(arguments: Arguments) -> int:
    """Label the pairs that each annotator has not labelled yet; return how many labels were given."""
    if bool(arguments.simulated) == bool(arguments.model):
        raise ValueError("give either --model NAME, or --simulated and at least one annotator, such as flip:0.25")
    if arguments.most < 0:
        raise ValueError(f"--most {arguments.most}: expected a number of pairs, or 0 for all")
    pairs = read_pairs(arguments.folder / "pairs.jsonl")
    if not pairs:
        raise ValueError(f"{arguments.folder}: there are no pairs to label; make some with examples/pairs.py")
    chosen = list(pairs.values())[: arguments.most or None]
    return by_model(arguments, pairs, chosen) if arguments.model else by_rules(arguments, pairs, chosen)


def by_rules(arguments: Arguments, pairs: dict[str, Pair], chosen: list[Pair]) -> int:
    """Label pairs by simulated annotators."""
    annotators = pool(arguments.simulated, arguments.seed)
    folder = arguments.folder
    path = arguments.verdicts or folder.with_name(f"{folder.name}-verdicts.jsonl")
    verdicts = read_verdicts(path)
    if missing := [pair.pair for pair in chosen if pair.pair not in verdicts]:
        raise ValueError(
            f"{path}: holds no verdicts on {len(missing)} of the pairs; give the file that belongs to them"
        )
    with RecordWriter(arguments.labels or folder / "labels-simulated.jsonl") as file:
        there = {label.key: label.choice for label in read_labels(file.path, pairs)}
        every = [annotator.label(pair, verdicts[pair.pair]) for annotator in annotators for pair in chosen]
        if other := [label for label in every if there.get(label.key, label.choice) != label.choice]:
            raise ValueError(
                f"{file.path}: holds {len(other)} other labels of {other[0].annotator}, of another --seed or other "
                "verdicts; give --labels FILE for these"
            )
        given = [label for label in every if label.key not in there]
        file.add(*given)
    return len(given)


def judge_of(arguments: Arguments) -> Judge:
    """Return the judge that is named."""
    given = arguments
    if not given.model.startswith("openai:"):
        if given.base_url:
            raise ValueError(f"--base-url is of models behind a server; give --model openai:{given.model} for one")
        return LocalJudge(given.model, device=given.device, dtype=given.dtype, batch=given.batch)
    how: dict[str, Any] = {"max_new_tokens": given.max_new_tokens, "temperature": given.temperature}
    prices = (given.price_in, given.price_out) if given.price_in or given.price_out else None
    policy = OpenAIPolicy(
        given.model.removeprefix("openai:"), given.base_url, **how, concurrency=given.concurrency,
        retries=given.retries, timeout=given.timeout, prices=prices, top_logprobs=5 * given.logprobs,
    )  # fmt: skip
    return ServerJudge(policy, model=given.model, **how, logprobs=given.logprobs)


def by_model(arguments: Arguments, pairs: dict[str, Pair], chosen: list[Pair]) -> int:
    """Label pairs by a model, which sees each in both orders, and tell what its labels are like."""
    if not 0 <= arguments.margin < 0.5:
        raise ValueError(f"--margin {arguments.margin}: expected a number from 0 to below 0.5")
    if arguments.batch < 1:
        raise ValueError(f"--batch {arguments.batch}: expected a number of prompts from 1")
    folder, model = arguments.folder, arguments.model
    if arguments.cache and arguments.labels and arguments.cache.resolve() == arguments.labels.resolve():
        raise ValueError(f"--cache {arguments.cache}: this is the file of --labels; give a file of its own")
    guidelines = text_of(arguments.guidelines) if arguments.guidelines else GUIDELINES
    with (
        RecordWriter(arguments.cache or folder / "judgements.jsonl") as cache,
        RecordWriter(arguments.labels or folder / "labels-judge.jsonl") as file,
    ):
        known, there, judge = read_judgements(cache.path), read_labels(file.path, pairs), judge_of(arguments)
        asked = both_orders(chosen, judge, guidelines, folder)
        each = [one for two in asked for one in two]
        try:
            new = ask(judge, each, model, known, cache)
        finally:
            labels = labels_of(asked, known, model, arguments.margin)
            given = unlike(labels, there)
            file.add(*given)
    print(told(judge, [known[one.key] for one in each], new))
    print(agreement(labels, pairs))
    return len(given)


if __name__ == "__main__":
    arguments = tyro.cli(Arguments, description=__doc__)
    try:
        print(f"{judge(arguments)} labels given")
    except KeyboardInterrupt:
        sys.exit(130)
    except (ValueError, OSError, FloatingPointError) as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
