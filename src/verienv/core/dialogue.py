"""A dialogue of chat messages: question, response, feedback, response, ..."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from io import BytesIO
from typing import TYPE_CHECKING, Any

from verienv.core.loose_json import CALLS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL import Image as Pillow

Message = dict[str, Any]
"""``{"role": "system" | "user" | "assistant", "content": str}``; with a picture, content is a list of parts."""


def question_message(text: str, images: int = 0) -> Message:
    """The opening user message; each picture is an ``{"type": "image"}`` placeholder before the text."""
    if not images:
        return {"role": "user", "content": text}
    parts: list[Message] = [{"type": "image"} for _ in range(images)]
    return {"role": "user", "content": [*parts, {"type": "text", "text": text}]}


def system_message(text: str, images: int = 0) -> Message:
    """The message before a question with so many pictures: in parts where that is, for a column holds no mixture."""
    return {"role": "system", "content": [{"type": "text", "text": text}] if images else text}


def without_system(messages: list[Message]) -> list[Message]:
    """Return a dialogue whose system prompt stands at the head of its first question instead."""
    if not messages or messages[0]["role"] != "system":
        return messages
    said, asked = (parts_of(message) for message in messages[:2])
    words = "\n\n".join(part["text"] for part in (*said, *asked) if part["type"] == "text")
    pictures = [part for part in asked if part["type"] == "image"]
    content = [*pictures, {"type": "text", "text": words}] if isinstance(messages[1]["content"], list) else words
    return [{**messages[1], "content": content}, *messages[2:]]


def turn_messages(response: str, feedback: str) -> list[Message]:
    """Return the messages of one attempt: the response, and the feedback on it."""
    return [{"role": "assistant", "content": response}, {"role": "user", "content": feedback}]


def last_response(messages: Sequence[Message]) -> Message:
    """Return the newest response of a dialogue, which feedback follows.

    Raises:
        ValueError: where there is none: a further question has begun a dialogue of its own.
    """
    if len(messages) < 2:
        raise ValueError(
            "the episode asks a further question in a dialogue of its own, where one dialogue is trained on; on routes "
            "set episode=waypoint (-s episode=waypoint)"
        )
    return messages[-2]


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


def response_of(said: Any, respell: Callable[[str], str] = str) -> str:
    """Return the response in what a model said, as chat servers and trainers give it; "" where there is none.

    Args:
        said: a text; a message, whose content is a text or a list of parts, of which those of type "text" alone count
            (reasoning is no answer); an object with the same attributes, such as a client's; or a list of messages, of
            which the last of the assistant's counts. Lists may be arrays, as a table read by pandas holds them.
        respell: from the fields of an answer, in JSON, to an answer of the format that is read (``Task.respell``).

    The arguments of a message's last tool call, an object or its JSON, follow its content: the last answer decides.
    """
    if isinstance(said, str):
        return said
    said = _listed(said)
    messages = [
        message
        for message in (said if isinstance(said, list | tuple) else [said])
        if (isinstance(message, Mapping) or hasattr(message, "content"))
        and _field(message, "role", "assistant") == "assistant"
    ]
    if not messages:
        return ""
    content = _field(messages[-1], "content")
    if isinstance(content, list | tuple):
        texts = [_field(part, "text") for part in content if _field(part, "type") == "text"]
        content = "".join(text for text in texts if isinstance(text, str))
    words = [content if isinstance(content, str) else "", _submitted(messages[-1], respell)]
    return "\n".join(filter(None, words))


def _submitted(message: Any, respell: Callable[[str], str]) -> str:
    """Return the arguments of the last tool call of a message as text, "" where there is none."""
    calls = _field(message, "tool_calls")
    call = calls[-1] if isinstance(calls, list | tuple) and calls else _field(message, "function_call")
    called = _field(call, "function") or _field(call, "custom") or call  # a table makes the other forms null
    text = fields = next(filter(None, (_field(called, name) for name in CALLS)), None)
    for _ in range(2):  # some servers write the object as JSON, and some write that as a JSON string again
        if isinstance(fields, str):
            text = fields
            try:
                fields = json.loads(text)
            except (ValueError, RecursionError):
                return text
    if not isinstance(fields, Mapping):
        return ""
    given = {name: value for name, value in fields.items() if value is not None}
    if list(given) == ["response"] and isinstance(given["response"], str):
        return given["response"]  # of a tool that takes the response as a whole
    try:
        return respell(text if isinstance(text, str) else json.dumps(given, default=str))
    except (TypeError, ValueError, RecursionError):
        return ""


def _field(whole: Any, name: str, otherwise: Any = None) -> Any:
    """Return an entry of a mapping, or an attribute of a client's object."""
    if isinstance(whole, Mapping):
        return _listed(whole.get(name, otherwise))
    return otherwise if whole is None or isinstance(whole, str) else getattr(whole, name, otherwise)


def _listed(value: Any) -> Any:
    """Return an array of numpy's as a list, all else as it is."""
    return value.tolist() if type(value).__name__ == "ndarray" else value


def parts_of(message: Message) -> list[Message]:
    """The content of a message as a list of parts; a text is one part."""
    content = message["content"]
    return [{"type": "text", "text": content}] if isinstance(content, str) else list(content)


def tagged_text(message: Message) -> str:
    """Return a message's content in one text, "<image>" for each picture, of which verl and others make parts again."""
    return "".join("<image>" if part["type"] == "image" else part["text"] for part in parts_of(message))


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
