"""Policy: a callable from a batch of dialogues to a batch of responses, and asking one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from verienv.core.dialogue import Message, with_pictures
from verienv.core.episode import Episode

if TYPE_CHECKING:
    from concurrent.futures import Future

Policy = Callable[[list[list[Message]]], Sequence[str]]
"""Maps a batch of dialogues (chat messages, the question last) to a response to each.

With vision each ``{"type": "image"}`` of a dialogue holds its picture under "image", a PIL image in RGB.
"""


@runtime_checkable
class ConcurrentPolicy(Protocol):
    """A policy that answers several dialogues at once, each in its own time, as one behind a server does.

    ``evaluate`` keeps ``concurrency`` episodes with it: none of them waits for the answer to another, and each is
    written to the log as it ends.
    """

    concurrency: int

    def __call__(self, dialogues: list[list[Message]]) -> Sequence[str]: ...

    def submit(self, dialogue: list[Message]) -> Future[str]:
        """Begin to answer a dialogue; the response is the future's result."""
        ...


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
