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

from collections.abc import Iterable
from typing import Any

from verienv.core.chat import chat_messages
from verienv.core.dialogue import response_of
from verienv.core.episode import Episode
from verienv.core.policy import dialogue


def messages(episode: Episode, special_tokens: Iterable[str] = ()) -> list[dict[str, Any]]:
    """Return the dialogue in which an episode stands, pictures as data URLs of PNG files in their places.

    Texts without pictures stay strings; others are lists of ``text`` and ``image_url`` parts. The list is fresh: JSON
    can hold it, and the last message is the user's.

    Args:
        episode: the episode.
        special_tokens: texts to take out of the words, such as a tokenizer's ``all_special_tokens``: servers of open
            models read them as marks of their chat template, and a policy that spells them would forge a turn.
    """
    return chat_messages(dialogue(episode), special_tokens)


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
