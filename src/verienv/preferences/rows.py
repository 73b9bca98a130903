"""Labelled pairs as rows to train on: prompt, chosen, rejected."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, get_args

from verienv.core.dialogue import in_parts
from verienv.core.reading import file_within
from verienv.core.shown import cut, shown, shown_path
from verienv.preferences.consensus import Method, aggregate
from verienv.preferences.files import read_labels, read_pairs
from verienv.preferences.records import Label, Pair

Ties = Literal["drop", "soft"]


def training_rows(
    pairs: Mapping[str, Pair], labels: Iterable[Label], *, method: Method = "majority", ties: Ties = "drop"
) -> Iterator[dict[str, Any]]:
    """Yield a row for each labelled pair, as trainers of preferences (TRL's DPOTrainer, RewardTrainer) read them.

    Args:
        pairs: of ``read_pairs``.
        labels: of ``read_labels``; what several say of a pair is aggregated.
        method: of ``aggregate``.
        ties: "drop" leaves out pairs of which neither response is better; with "soft" they stay, at p = 0.5.

    Yields:
        Dicts with ``prompt``, ``chosen`` and ``rejected`` (chat messages), ``p`` (the probability that the chosen
        response is better, a soft label), ``labels`` (how many it is made of), ``pair``, ``question``, ``cluster`` and,
        where there are pictures, ``images``: paths relative to the file of pairs, with contents as lists of parts.

    Raises:
        ValueError: for an unknown way of aggregating or of handling ties, or a label of an unknown pair.
    """
    for name, value, known in (("method", method, Method), ("ties", ties, Ties)):
        if value not in get_args(known):
            raise ValueError(f"{name}={shown(value)}: expected {' or '.join(get_args(known))}")
    return _rows(pairs, aggregate(labels, method), ties)


def labelled(
    folder: str | Path,
    labels: str | Path | Iterable[str | Path],
    annotator: str = "",
    method: Method = "majority",
    ties: Ties = "drop",
) -> list[dict[str, Any]]:
    """Return the rows of a folder of pairs (``examples/pairs.py`` makes it) and files of their labels.

    Args:
        folder: holds ``pairs.jsonl`` and the pictures. No verdict is read.
        labels: files of labels.
        annotator: whose labels count; "" for all.
        method, ties: as ``training_rows``'.

    Returns:
        Dicts as ``training_rows`` yields them, with ``images`` as paths that can be opened, all within the folder.

    Raises:
        ValueError: for a file that cannot be read or is damaged, an annotator without labels, or labels that leave no
            row.
    """
    folder = Path(folder)
    pairs = read_pairs(folder / "pairs.jsonl")
    given = read_labels(labels, pairs)
    names = sorted({label.annotator for label in given})
    if annotator and annotator not in names:
        there = f"expected one of {cut(', '.join(names))}" if names else "there are no labels at all"
        raise ValueError(f"annotator={shown(annotator)}: {there}")
    chosen = [label for label in given if annotator in ("", label.annotator)]
    rows = list(training_rows(pairs, chosen, method=method, ties=ties))
    if not rows:
        tied = len(aggregate(chosen, method))
        raise ValueError(
            f"{shown_path(folder)}: the labels leave no row to train on ({len(chosen)} labels, skipped ones included; "
            f"{tied} pairs on which they come to a tie, as where annotators disagree); label more pairs, take one "
            "annotator, or keep ties as soft labels"
        )
    return [
        {**row, "images": [str(file_within(folder, name)) for name in row["images"]]} if "images" in row else row
        for row in rows
    ]


def responses(folder: str | Path) -> list[dict[str, Any]]:
    """Return the responses of all pairs of a folder, labelled or not, as demonstrations.

    Returns:
        Dicts with ``prompt``, ``completion`` (chat messages) and, where there are pictures, ``images``, as
        ``labelled`` has them; those of a pair follow one another.

    Raises:
        ValueError: for a file that cannot be read or is damaged.
    """
    folder, made = Path(folder), list[dict[str, Any]]()
    for pair in read_pairs(folder / "pairs.jsonl").values():
        row: dict[str, Any] = {"prompt": [message.model_dump(mode="json") for message in pair.prompt]}
        if pair.images:
            row["images"] = [str(file_within(folder, name)) for name in pair.images]
        said = ({**row, "completion": [{"role": "assistant", "content": text}]} for text in (pair.a, pair.b))
        made += [in_parts(each) if pair.images else each for each in said]
    return made


def _rows(pairs: Mapping[str, Pair], consensus: Mapping[str, Any], ties: Ties) -> Iterator[dict[str, Any]]:
    for name, found in consensus.items():
        if name not in pairs:
            raise ValueError(f"pair={shown(name)} is none of the pairs; give the file that the labels belong to")
        if found.choice == "tie" and ties == "drop":
            continue
        pair = pairs[name]
        chosen, rejected, p = (pair.b, pair.a, 1 - found.p) if found.choice == "b" else (pair.a, pair.b, found.p)
        row = {
            "prompt": [message.model_dump(mode="json") for message in pair.prompt],
            "chosen": [{"role": "assistant", "content": chosen}],
            "rejected": [{"role": "assistant", "content": rejected}],
            "p": 0.5 if found.choice == "tie" else p,
            "labels": found.labels,
            "pair": name,
            "question": pair.question,
            "cluster": pair.cluster,
        }
        yield in_parts(row) | {"images": list(pair.images)} if pair.images else row
