"""Demonstrations as rows of ``messages``, which many SFT trainers and servers of fine-tuning read.

import json
from verienv import demonstrations
from verienv.adapters.chat import messages_row

rows = [messages_row(row) for row in demonstrations("verienv/GeneralPoints-L-v0", n=1000)]
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from verienv.core.dialogue import DIALOGUES


def messages_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row of ``verienv.demonstrations`` with its whole dialogue in one column, ``messages``.

    Of a "revision" the wrong attempts are turns of the assistant's too: train on the last one alone.

    Raises:
        ValueError: for a "preference", which is no dialogue but two.
    """
    if "completion" not in row:
        raise ValueError("expected a demonstration of kind='sft' or 'revision': a preference is two dialogues")
    others = {name: value for name, value in row.items() if name not in DIALOGUES}
    return {"messages": [*row["prompt"], *row["completion"]], **others}
