"""A dialogue of chat messages: question, response, feedback, response, ..."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL import Image as Pillow

Message = dict[str, Any]
"""``{"role": "user" | "assistant", "content": str}``; with a picture, content is a list of parts."""


def question_message(text: str, images: int = 0) -> Message:
    """The opening user message; each picture is an ``{"type": "image"}`` placeholder before the text."""
    if not images:
        return {"role": "user", "content": text}
    parts: list[Message] = [{"type": "image"} for _ in range(images)]
    return {"role": "user", "content": [*parts, {"type": "text", "text": text}]}


def turn_messages(response: str, feedback: str) -> list[Message]:
    """Return the messages of one attempt: the response, and the feedback on it."""
    return [{"role": "assistant", "content": response}, {"role": "user", "content": feedback}]


def attempt_line(attempt: int, attempts: int) -> str:
    """The line that tells the policy where it stands; ``attempt`` counts from 1."""
    return f"Attempt {attempt} of {attempts}."


def copy_messages(messages: list[Message]) -> list[Message]:
    """Return a copy that shares nothing mutable with ``messages``."""
    return [
        {**message}
        if type(message["content"]) is str
        else {**message, "content": [{**part} for part in message["content"]]}
        for message in messages
    ]


def parts_of(message: Message) -> list[Message]:
    """The content of a message as a list of parts; a text is one part."""
    content = message["content"]
    return [{"type": "text", "text": content}] if isinstance(content, str) else list(content)


DIALOGUES = ("prompt", "completion", "chosen", "rejected")
"""Columns of rows that hold messages."""


def in_parts(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row in which the content of every message is a list of parts, as it is where there are pictures."""
    spoken = {
        name: [message | {"content": parts_of(message)} for message in row[name]] for name in DIALOGUES if name in row
    }
    return {**row, **spoken}


def with_pictures(messages: list[Message], pictures: Sequence[NDArray[np.uint8] | Pillow.Image]) -> list[Message]:
    """A copy in which each ``{"type": "image"}`` holds its picture too, as a PIL image under "image".

    Chat templates with processors read it so. ``pictures``, one for each placeholder, are arrays, RGB, height x width
    x 3, or PIL images.

    Raises:
        ValueError: if there are more placeholders than pictures, or fewer.
    """
    from PIL import Image

    filled = copy_messages(messages)
    places = [part for message in filled for part in parts_of(message) if part["type"] == "image"]
    if len(places) != len(pictures):
        raise ValueError(f"{len(places)} image placeholders in the messages, but {len(pictures)} pictures")
    for place, picture in zip(places, pictures, strict=True):
        place["image"] = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    return filled


def images_of(pictures: Sequence[NDArray[np.uint8]]) -> list[Pillow.Image]:
    """Return pictures as PIL images."""
    from PIL import Image

    return [Image.fromarray(picture) for picture in pictures]


def png(image: Pillow.Image) -> bytes:
    """Return an image as a PNG file, packed as far as is quick: a tenth less would take twice the time."""
    file = BytesIO()
    image.save(file, "PNG", compress_level=4)
    return file.getvalue()
