"""Rows as samples of Inspect's, and responses as scores, as plain data; used by ``verienv.adapters.inspect_ai``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from verienv.adapters import openai
from verienv.core.dialogue import parts_of
from verienv.core.episode import Episode
from verienv.evaluation.lines import Seat, episode_of
from verienv.evaluation.records import EpisodeRecord

CLUSTER = "cluster"
"""Key of a sample's metadata: its unit of inference."""
RECOGNITION = "recognition"
_OPENED: set[str] = set()
"""Settings, as JSON, that a caller in this process trusted: a log names its solver's and scorer's arguments itself."""


def sample(row: Mapping[str, Any], *, trusted: bool = False) -> dict[str, Any]:
    """Return a row as the fields of a sample: ``id``, ``input`` (messages, pictures as data URLs) and ``metadata``.

    ``metadata`` is the row without its prompt, and ``cluster``, the unit of inference.

    Args:
        row: of ``verienv.rows``.
        trusted: whether its settings may open paths of this machine, here and where the sample is played and scored in
            this process.

    Raises:
        ValueError: as ``Episode.of``'s.
    """
    episode = begun(row, trusted)
    about = {name: value for name, value in row.items() if name != "prompt"}
    return {
        "id": row.get("id") or episode.instance,
        "input": messages(episode),
        "metadata": {**about, CLUSTER: episode.question.cluster},
    }


def begun(row: Mapping[str, Any], trusted: bool = False) -> Episode:
    """Begin the episode of a row or of a sample's metadata. Errors as ``Episode.of``'s."""
    settings = row.get("settings")
    if trusted and isinstance(settings, str):
        _OPENED.add(settings)
    return Episode.of(row, trusted=isinstance(settings, str) and settings in _OPENED)


def messages(episode: Episode) -> list[dict[str, Any]]:
    """Return the dialogue of an episode in Inspect's parts."""
    return [
        {
            "role": message["role"],
            "content": [
                {"type": "image", "image": part["image_url"]["url"]} if "image_url" in part else part
                for part in parts_of(message)
            ],
        }
        for message in openai.messages(episode)
    ]


def scored(row: Mapping[str, Any], responses: Sequence[str]) -> tuple[dict[str, float], EpisodeRecord]:
    """Return the metrics of the episode of a row, given the responses in it, and the record that they come from.

    They have the names and values of ``verienv.evaluate``; by sight recognition is called by that word. An episode
    that a limit cut short is none solved, and without any response it is that of an empty one.

    Args:
        row: of ``verienv.rows``, or the metadata of a sample.
        responses: what the policy said, in order. Those behind the end of the episode do not count.

    Raises:
        ValueError: for a row, as ``Episode.of``'s. Never for a response.
    """
    seat = Seat("", 0, begun(row))
    for response in [*responses] or [""]:
        if seat.step(response):
            break
    episode, last = seat.episode, seat.lines[-1]
    found = episode_of([*seat.lines[:-1], {**last, "outcomes": episode.outcomes}], episode.measures.ratios)
    headings = episode.measures.headings if episode.question.vision else {}
    named = {
        RECOGNITION if headings.get(name.removesuffix("_per_episode")) == RECOGNITION else name: value
        for name, value in found.metrics.items()
    }
    return named, found
