"""Demonstrations as ShareGPT conversations, which LLaMA-Factory and many scripts read.

    import json
    from verienv import demonstrations
    from verienv.adapters.sharegpt import conversation

    rows = [conversation(row) for row in demonstrations("verienv/GeneralPoints-L-v0", n=1000)]
    json.dump(rows, open("demos.json", "w"))

The command line writes pictures too: ``verienv demos GeneralPoints-VL --format sharegpt --out demos.json``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from verienv.core.dialogue import DIALOGUES, Message, tagged_text

SPEAKERS = {"system": "system", "user": "human", "assistant": "gpt"}


def conversation(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row of ``verienv.demonstrations`` as a conversation.

    Returns:
        ``conversations``, a list of turns, each with ``from`` ("human" or "gpt") and ``value``, in which "<image>"
        stands for each picture; and the row's other columns, ``images`` among them. Of a row with wrong attempts
        ("revision") they are turns of gpt's too: train on the last one alone (``mask_history`` in LLaMA-Factory). A
        "preference" row ends with the question, and has ``chosen`` and ``rejected``, a turn each.
    """
    turns = [_turn(message) for message in [*row["prompt"], *row.get("completion", ())]]
    sides = {name: _turn(row[name][-1]) for name in ("chosen", "rejected") if name in row}
    others = {name: value for name, value in row.items() if name not in DIALOGUES}
    return {"conversations": turns, **sides, **others}


def _turn(message: Message) -> dict[str, str]:
    return {"from": SPEAKERS[message["role"]], "value": tagged_text(message)}
