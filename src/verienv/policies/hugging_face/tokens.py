"""Dialogues as token ids with what the processor made of their pictures, and batches of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

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


def together(vision: Sequence[Tensors], mask: Tensor) -> Tensors:
    """Return what several dialogues see, for a batch with this mask.

    Tensors of pictures are put end to end. Those along the tokens are padded as the tokens are, and a token that came
    after the opening is as the opening's last one.
    """
    batch: Tensors = {}
    for name in sorted({name for one in vision for name in one}):
        parts = [one.get(name) for one in vision]
        given = [part for part in parts if part is not None]
        if not name.endswith(_ALONG_TOKENS):
            batch[name] = torch.cat(given).to(mask.device)
            continue
        batch[name] = given[0].new_zeros((*mask.shape, *given[0].shape[2:])).to(mask.device)
        for row, part in enumerate(parts):
            if part is not None:
                begin, length = int(mask[row].argmax()), int(mask[row].sum())
                last = part[0, -1:].expand(length - part.shape[1], *part.shape[2:])
                batch[name][row, begin : begin + length] = torch.cat([part[0], last]).to(mask.device)
    return batch
