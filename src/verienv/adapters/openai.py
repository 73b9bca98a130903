"""Episodes as messages of OpenAI-style chat completions, which most servers and clients of language models speak.

from openai import OpenAI
from verienv import Episode, rows
from verienv.adapters import openai

client = OpenAI()
for row in rows("verienv/GeneralPoints-VL-v0", "rule_ood", n=100):
    episode = Episode.of(row)
    while not episode.is_over:
        reply = client.chat.completions.create(model="...", messages=openai.messages(episode))
        episode.answer(openai.response(reply.choices[0].message, episode))
    print(episode.score())
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from verienv.core.dialogue import images_of, parts_of, png, response_of
from verienv.core.episode import Episode
from verienv.core.special_tokens import SpecialTokens

if TYPE_CHECKING:
    from PIL.Image import Image


def messages(episode: Episode, special_tokens: Iterable[str] = ()) -> list[dict[str, Any]]:
    """Return the dialogue in which an episode stands, pictures as data URLs of PNG files in their places.

    Texts without pictures stay strings; others are lists of ``text`` and ``image_url`` parts. The list is fresh: JSON
    can hold it, and the last message is the user's.

    Args:
        episode: the episode.
        special_tokens: texts to take out of the words, such as a tokenizer's ``all_special_tokens``: servers of open
            models read them as marks of their chat template, and a policy that spells them would forge a turn.
    """
    urls = iter(map(data_url, images_of(episode.pictures)))
    return [
        {
            "role": message["role"],
            "content": message["content"]
            if isinstance(message["content"], str)
            else [
                {"type": "image_url", "image_url": {"url": next(urls)}} if part["type"] == "image" else part
                for part in parts_of(message)
            ],
        }
        for message in SpecialTokens(special_tokens).taken_out_of(episode.messages)
    ]


def response(message: Any, episode: Episode | None = None) -> str:
    """Return the response in a reply's message, an object of the client's or a mapping: what ``Episode.answer`` takes.

    That is its content (a text, or its parts of type "text"), and after it the arguments of its last tool call. A
    message without either is an empty response.

    Args:
        message: the reply's.
        episode: the one that it answers. Its answers may have another format than JSON: then the arguments of a tool
            call, which are JSON, are written in it.
    """
    if episode is None:
        return response_of(message)
    return response_of(message, lambda answer: episode.task.respell(episode.question, answer))


def data_url(image: Image) -> str:
    """Return a picture as "data:image/png;base64,..."."""
    return f"data:image/png;base64,{b64encode(png(image)).decode()}"
