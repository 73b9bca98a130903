"""Dialogues as chat completions take them: JSON, with each picture as a data URL."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from verienv.core.dialogue import Message, png
from verienv.core.special_tokens import SpecialTokens

if TYPE_CHECKING:
    from PIL.Image import Image


def chat_messages(dialogue: Sequence[Message], special_tokens: Iterable[str] = ()) -> list[dict[str, Any]]:
    """Return a dialogue as messages that JSON can hold, without ``special_tokens`` in its words. The list is fresh.

    Texts without pictures stay strings; others are lists of ``text`` and ``image_url`` parts. Each
    ``{"type": "image"}`` of the dialogue holds its picture under "image", a PIL image.
    """
    return [
        {
            "role": message["role"],
            "content": message["content"]
            if isinstance(message["content"], str)
            else [
                {"type": "image_url", "image_url": {"url": data_url(part["image"])}}
                if part["type"] == "image"
                else part
                for part in message["content"]
            ],
        }
        for message in SpecialTokens(special_tokens).taken_out_of(dialogue)
    ]


def data_url(image: Image) -> str:
    """Return a picture as "data:image/png;base64,..."."""
    return f"data:image/png;base64,{b64encode(png(image)).decode()}"
