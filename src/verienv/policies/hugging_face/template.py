"""Chat templates of models: not all of them tell a system message."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from verienv.core.dialogue import Message, without_system


def for_template(reader: Any, *, in_parts: bool = False) -> Callable[[list[Message]], list[Message]]:
    """Return what makes dialogues that a chat template tells whole: without a system message where it would be lost.

    ``in_parts``: the template takes the content of messages as a list of parts.
    """
    probe, asked = "verienv-system", "verienv-question"
    told: list[Message] = [{"role": "system", "content": probe}, {"role": "user", "content": asked}]
    if in_parts:
        told = [{**each, "content": [{"type": "text", "text": each["content"]}]} for each in told]
    try:
        text = reader.apply_chat_template(told, tokenize=False)
    except Exception:  # a template raises what it likes
        text = ""
    return list if probe in text else without_system
