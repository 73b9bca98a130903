"""Chat templates in TRL's trainers. Used by ``verienv.adapters.trl_environments``."""

from __future__ import annotations

from typing import Any


def check_shows_pictures(processor: Any) -> None:
    """Look whether the chat template of a processor shows the pictures in a tool's reply.

    Raises:
        ValueError: if it drops them, or refuses such a reply.
    """
    marks = [mark for name in ("image_token", "boi_token") if isinstance(mark := getattr(processor, name, None), str)]
    if not marks:
        raise ValueError(f"processor={type(processor).__name__}: expected the processor of a vision-language model")
    call = {"type": "function", "function": {"name": "act", "arguments": {"action": "stop()"}}}
    asked = [
        {"role": "user", "content": [{"type": "text", "text": "?"}]},
        {"role": "assistant", "content": [{"type": "text", "text": ""}], "tool_calls": [call]},
    ]
    reply = {"role": "tool", "name": "act", "content": [{"type": "image"}, {"type": "text", "text": "!"}]}
    try:
        text = processor.apply_chat_template([*asked, reply], tokenize=False)
    except Exception:  # whatever the code of a template raises
        text = ""
    if not any(mark in text for mark in marks):
        raise ValueError(
            f"the chat template of this {type(processor).__name__} drops pictures in a tool's reply, so that the model "
            "would train on routes that it does not see: choose a model whose template shows them, such as Qwen3-VL"
        )
