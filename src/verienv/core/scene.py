"""Scene: the parts of a question that a replay shows beside its text and pictures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image


@dataclass(frozen=True)
class Scene:
    """A question as people watch it. Every part may be missing.

    Attributes:
        map: the map of a route, RGB.
        map_note: the map in words.
        instructions: the sentences of a route.
        current: the index of the sentence that is due, from 0; None where it is not known.
        view: the sentence of the question that tells of the present surroundings.
        truth: the true content of the picture, which the policy is not told.
        subject: the instance in words, such as where a route leads.
        attribution: the owner of the map's data.
    """

    map: Image | None = None
    map_note: str = ""
    instructions: tuple[str, ...] = ()
    current: int | None = None
    view: str = ""
    truth: str = ""
    subject: str = ""
    attribution: str = ""
