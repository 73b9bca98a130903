"""Dialogues as token ids with what the processor made of their pictures, and batches of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor
from torch.nn.functional import pad

Tensors = dict[str, Tensor]
"""Tensors by the names under which the model takes them."""
_ALONG_TOKENS = ("token_type_ids", "cross_attention_mask")  # how their names end


class Tokens(list[int]):
    """A dialogue's token ids and, in ``vision``, what a processor made of its pictures: its other tensors, of batch 1.

    Tokens that are added (``+`` and ``+=``) leave ``vision`` as it is: only openings hold pictures.
    """

    def __init__(self, ids: Iterable[int] = (), vision: Tensors | None = None) -> None:
        super().__init__(ids)
        self.vision: Tensors = vision or {}

    def __add__(self, more: Sequence[int]) -> Tokens:  # type: ignore[override]
        return Tokens([*self, *more], self.vision)


def padded(
    rows: Sequence[Sequence[int]], fill: int, *, left: bool = False, device: torch.device | str = "cpu"
) -> tuple[Tensor, Tensor]:
    """Return rows of differing length as one tensor (rows, longest), and the mask of what is not filling."""
    longest = max(map(len, rows))
    ids = torch.full((len(rows), longest), fill)
    mask = torch.zeros((len(rows), longest), dtype=torch.long)
    for index, row in enumerate(rows):
        where = slice(longest - len(row), longest) if left else slice(0, len(row))
        ids[index, where] = torch.tensor(list(row))
        mask[index, where] = 1
    return ids.to(device), mask.to(device)


def together(shown: Sequence[Tensors], mask: Tensor) -> Tensors:
    """Return what several dialogues see, for a batch with this mask.

    Tensors of pictures are put end to end. Those along the tokens are padded as the tokens are, and a token that came
    after the opening is as the opening's last one; but PaliGemma, whose processor gives labels too, reads an opening at
    once (its tokens have type 0) and what follows in order (type 1).
    """
    batch: Tensors = {}
    for name in sorted({name for one in shown for name in one} - {"labels"}):
        rows = [row for row, one in enumerate(shown) if name in one]
        if not name.endswith(_ALONG_TOKENS):
            batch[name] = torch.cat(of_one_size([shown[row][name] for row in rows])).to(mask.device)
            continue
        parts = of_one_size([shown[row][name][0] for row in rows])
        batch[name] = parts[0].new_zeros((*mask.shape, *parts[0].shape[1:])).to(mask.device)
        for row, part in zip(rows, parts, strict=True):
            begin, length = int(mask[row].argmax()), int(mask[row].sum())
            last = torch.ones_like(part[-1:]) if "labels" in shown[row] else part[-1:]
            after = last.expand(length - len(part), *part.shape[1:])
            batch[name][row, begin : begin + length] = torch.cat([part, after]).to(mask.device)
    return batch


def of_one_size(parts: Sequence[Tensor]) -> list[Tensor]:
    """Return tensors that differ at most along their first axis: each is filled with zeros at the end of the others.

    So do processors with pictures of one batch that differ in number, tiles, height or width (LLaVA-NeXT, Idefics,
    Pixtral); models know the filling by the sizes or masks beside them, or by its being zero.
    """
    whole = [max(sizes) for sizes in zip(*(part.shape[1:] for part in parts), strict=True)]
    lacking = [[size - own for size, own in zip(whole, part.shape[1:], strict=True)] for part in parts]
    return [
        pad(part, [side for lack in reversed(lacks) for side in (0, lack)])
        for part, lacks in zip(parts, lacking, strict=True)
    ]
