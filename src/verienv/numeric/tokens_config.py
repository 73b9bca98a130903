"""Settings of GeneralPoints in tokens."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from verienv.numeric.masks import MaskPlace
from verienv.numeric.pictures import parse_resize


class TokensConfig(BaseModel):
    """The keyword arguments of ``GeneralPointsTokens``.

    Attributes:
        observation: "array" (one flat array, or picture and state) or "dict" (its parts by name).
        strict_mask: whether the mask also forbids what would be wrong numbers: a card used twice, and "done" before
            all are used.
        max_tokens: the longest formula, 4 n - 5 to 255 for n cards; None stands for 4 n. With 4 n - 5 any tree over
            n numbers can be written with all its parentheses; the five more leave room for needless ones and signs.
        resize: with pictures, height and width in px to which the picture is brought, or one integer for a square.
        channels_first: with pictures, whether the picture has shape (3, height, width); else (height, width, 3).
        mask: "info", or where the mask is in the observation too: "observation" makes it a ``Dict`` of "observation"
            and "action_mask", "rllib" of "observations" and "action_mask", "tianshou" of "obs" and "mask".
        info: "numbers" for info that tensors can hold, or "text" for the texts too.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    observation: Literal["array", "dict"] = "array"
    strict_mask: bool = Field(default=False, strict=True)
    max_tokens: int | None = Field(default=None, strict=True)
    resize: Annotated[tuple[int, int] | None, BeforeValidator(parse_resize)] = None
    channels_first: bool = Field(default=False, strict=True)
    mask: MaskPlace = "info"
    info: Literal["numbers", "text"] = "numbers"
