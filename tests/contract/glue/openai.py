"""A loop around a client of OpenAI's: ``from openai import OpenAI``."""

from collections.abc import Iterator
from typing import Any

from verienv import Episode, rows
from verienv.adapters import openai


def scores(client: Any, model: str, env_id: str, split: str = "test", n: int = 100, **settings: Any) -> Iterator[Any]:
    for row in rows(env_id, split, n, **settings):
        episode = Episode.of(row)
        while not episode.is_over:
            reply = client.chat.completions.create(model=model, messages=openai.messages(episode))
            episode.answer(openai.response(reply.choices[0].message, episode))
        yield episode.score()
