"""Labelled pairs of an expert's answers and wrong ones: no policy is asked."""

from pathlib import Path

import numpy as np

import pairs
from verienv.core.rows import questions
from verienv.preferences import Label, RecordWriter, read_verdicts

WORDS = "verienv/GeneralPoints-L-v0"


def made(folder: Path, env: str = WORDS, n: int = 8, **settings) -> Path:
    """Write n pairs, labels of the better one by "ann" and of the worse one by "bob", and the verdicts beside all."""
    arguments, rng = pairs.Arguments(out=folder, env=env), np.random.default_rng(0)
    verdicts = folder.with_name(f"{folder.name}-verdicts.jsonl")
    with RecordWriter(folder / "pairs.jsonl") as own, RecordWriter(verdicts) as apart:
        for number, (row, question) in enumerate(questions(env, "train", n, 0, attempts=1, **settings)):
            said = {0: question.expert(), 1: question.wrong("wrong_numbers", rng)}
            found, judged = pairs.records(arguments, number, row, question, said)
            own.add(*found)
            apart.add(*judged)
    with RecordWriter(folder / "labels.jsonl") as labels:
        for name, judged in read_verdicts(verdicts).items():
            other = {"a": "b", "b": "a"}[judged.better]
            labels.add(Label(pair=name, annotator="ann", kind="human", choice=judged.better))
            labels.add(Label(pair=name, annotator="bob", kind="human", choice=other))
    return folder
