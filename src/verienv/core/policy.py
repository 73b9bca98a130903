"""Policy: a callable from a batch of dialogues to a batch of responses, and asking one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from verienv.core.dialogue import Message, with_pictures
from verienv.core.episode import Episode

Policy = Callable[[list[list[Message]]], Sequence[str]]
"""Maps a batch of dialogues (chat messages, the question last) to a response to each.

With vision each ``{"type": "image"}`` of a dialogue holds its picture under "image", a PIL image in RGB.
"""


def dialogue(episode: Episode) -> list[Message]:
    """Return the dialogue of an episode, as a policy is given it: with its pictures in their places."""
    pictures = episode.pictures
    return with_pictures(episode.messages, pictures) if pictures else episode.messages


def checked_responses(responses: Any, expected: int, name: str = "policy") -> Sequence[str]:
    """Return a policy's responses. Raises ValueError unless they are a list of ``expected`` strings."""
    if isinstance(responses, str) or not isinstance(responses, Sequence):
        raise ValueError(f"the {name} returned a {type(responses).__name__}; it must return a list of strings")
    if len(responses) != expected:
        raise ValueError(f"the {name} returned {len(responses)} responses to {expected} dialogues; expected one each")
    for response in responses:
        if not isinstance(response, str):
            raise ValueError(f"the {name} returned a {type(response).__name__} as a response; each must be a string")
    return responses
