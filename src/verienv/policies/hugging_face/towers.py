"""A picture that several dialogues of a batch show is read by the model's tower once: a group's questions are alike."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from verienv.policies.hugging_face.sampling import LIKE_LLAVA
from verienv.policies.hugging_face.tokens import Tensors

TOWER = "vision_tower"
PICTURES = "pixel_values"


@contextmanager
def each_picture_once(model: nn.Module, shown: Sequence[Tensors]) -> Iterator[None]:
    """Let a model's tower read each picture of a batch once, whose dialogues show these, and hand it to all of them.

    Pictures are the same if they are one tensor. Where none is shown twice, or a family's tower does not take a picture
    a row, all goes on as without this. What comes out is the same to rounding, and so are gradients.
    """
    places, few = shared(shown)
    unwrapped: Any = getattr(model, "module", model)
    if len(few) == len(places) or unwrapped.config.model_type not in LIKE_LLAVA:
        yield
        return
    tower = next(module for name, module in model.named_modules() if name.rsplit(".", 1)[-1] == TOWER)

    def before(_: nn.Module, given: tuple[Any, ...], named: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        pictures = given[0] if given else named[PICTURES]
        once = pictures[torch.tensor(few, device=pictures.device)]
        return ((once, *given[1:]), named) if given else (given, named | {PICTURES: once})

    def after(_: nn.Module, given: tuple[Any, ...], output: Any) -> Any:
        return handed(output, places)

    hooks = tower.register_forward_pre_hook(before, with_kwargs=True), tower.register_forward_hook(after)
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def shared(shown: Sequence[Tensors]) -> tuple[list[int], list[int]]:
    """Return of each picture of a batch its place among those that differ, and where each of those is met first."""
    places, few, begins, count = list[int](), list[int](), dict[int, int](), 0
    for one in shown:
        pictures = one.get(PICTURES)
        if pictures is None:
            continue
        if id(pictures) not in begins:
            begins[id(pictures)] = len(few)
            few += range(count, count + len(pictures))
        places += range(begins[id(pictures)], begins[id(pictures)] + len(pictures))
        count += len(pictures)
    return places, few


def handed(output: Any, places: list[int]) -> Any:
    """Return what a tower made of few pictures (tensors, also in tuples and by names) as if of all, row by row."""
    if isinstance(output, Tensor):
        return output[torch.tensor(places, device=output.device)]
    if isinstance(output, dict):
        return type(output)(**{name: handed(value, places) for name, value in output.items()})
    if isinstance(output, tuple):
        return tuple(handed(value, places) for value in output)
    return output
