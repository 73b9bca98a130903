"""Label pairs without a person: by the program, or by simulated annotators whose errors are known.

    python examples/judge.py runs/pairs --simulated flip:0.25
    python examples/judge.py runs/pairs --simulated program flip:0.1 bradley-terry:2 biased:first=1,longer=0.5 myopic
    verienv agreement runs/pairs/labels-simulated.jsonl --verdicts runs/pairs-verdicts.jsonl

Both read the program's verdicts, by definition; every line says so (kind "program" or "simulated"). flip:E is wrong
with probability E where the rewards differ; bradley-terry:T prefers a with probability sigmoid((reward of a - reward of
b) / T); biased adds a preference for the response shown first, for the longer one, or for the one with JSON; myopic
sees which parts of an answer are in order, not whether it is right. One that is named twice is two annotators. The same
command goes on where it stopped.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import tyro

from verienv.preferences import RecordWriter, read_labels, read_pairs, read_verdicts
from verienv.preferences.simulated import SimulatedAnnotator


@dataclass
class Arguments:
    """Arguments of judging."""

    folder: tyro.conf.Positional[Path]
    """Folder of the pairs, as examples/pairs.py makes it."""
    simulated: tuple[str, ...] = ()
    """Annotators: program, flip:0.25, bradley-terry:2, biased:first=1,longer=0.5,json=1,temperature=2, myopic."""
    verdicts: Path | None = None
    """File of the verdicts; <folder>-verdicts.jsonl by default."""
    labels: Path | None = None
    """File that labels are added to; <folder>/labels-simulated.jsonl by default."""
    most: int = 0
    """Label the first so many pairs; 0 for all."""
    seed: int = 0
    """Fixes what is drawn."""


def pool(names: Sequence[str], seed: int) -> list[SimulatedAnnotator]:
    """Return the annotators of these names; the second of one name is another one, NAME/2."""
    read = [SimulatedAnnotator.read(text, seed) for text in names]
    before = [names[:at].count(text) for at, text in enumerate(names)]
    return [replace(one, name=f"{one.name}/{n + 1}") if n else one for one, n in zip(read, before, strict=True)]


def judge(arguments: Arguments) -> int:
    """Label the pairs that each annotator has not labelled yet; return how many labels were given."""
    if not arguments.simulated:
        raise ValueError("--simulated: name at least one annotator, such as program or flip:0.25")
    if arguments.most < 0:
        raise ValueError(f"--most {arguments.most}: expected a number of pairs, or 0 for all")
    annotators = pool(arguments.simulated, arguments.seed)
    folder = arguments.folder
    pairs = read_pairs(folder / "pairs.jsonl")
    path = arguments.verdicts or folder.with_name(f"{folder.name}-verdicts.jsonl")
    verdicts = read_verdicts(path)
    chosen = list(pairs.values())[: arguments.most or None]
    if missing := [pair.pair for pair in chosen if pair.pair not in verdicts]:
        raise ValueError(
            f"{path}: holds no verdicts on {len(missing)} of the pairs; give the file that belongs to them"
        )
    with RecordWriter(arguments.labels or folder / "labels-simulated.jsonl") as file:
        there = {(label.pair, label.annotator) for label in read_labels(file.path, pairs)}
        given = [
            annotator.label(pair, verdicts[pair.pair])
            for annotator in annotators
            for pair in chosen
            if (pair.pair, annotator.name) not in there
        ]
        file.add(*given)
    return len(given)


if __name__ == "__main__":
    arguments = tyro.cli(Arguments, description=__doc__)
    try:
        print(f"{judge(arguments)} labels given")
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
