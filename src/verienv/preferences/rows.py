"""Labelled pairs as rows to train on: prompt, chosen, rejected."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal, get_args

from verienv.core.dialogue import in_parts
from verienv.core.shown import shown
from verienv.preferences.consensus import Method, aggregate
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
        response is better, a soft label), ``labels`` (how many it is made of), ``pair``, ``question`` and, where there
        are pictures, ``images``: paths relative to the file of pairs, with contents as lists of parts.

    Raises:
        ValueError: for an unknown way of aggregating or of handling ties, or a label of an unknown pair.
    """
    for name, value, known in (("method", method, Method), ("ties", ties, Ties)):
        if value not in get_args(known):
            raise ValueError(f"{name}={shown(value)}: expected {' or '.join(get_args(known))}")
    return _rows(pairs, aggregate(labels, method), ties)


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
        }
        yield in_parts(row) | {"images": list(pair.images)} if pair.images else row
