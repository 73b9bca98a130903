"""GeneralPoints by vision as a Gymnasium environment."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from verienv.generalpoints.config import GeneralPointsConfig
from verienv.generalpoints.env import GeneralPointsEnv
from verienv.generalpoints.pictures.drawing import table_for
from verienv.generalpoints.question import GeneralPointsQuestion
from verienv.generalpoints.suits import with_suits
from verienv.generalpoints.vision_config import GeneralPointsVisionConfig

_WAYS, _JITTERS = 2**62, 2**32


class GeneralPointsVisionEnv(GeneralPointsEnv):
    """Make 24 from four cards, shown in a picture.

    ## Description
    GeneralPoints-VL of *SFT Memorizes, RL Generalizes* (arXiv 2501.17161). The cards appear only in the picture: the
    policy must read them (``cards``), apply the stated rule (``number``), and solve (``formula``). After a
    wrong answer it is told why and asked again. Every hand dealt has a solution.

    ## Action Space
    ``Text``, as of GeneralPoints in words. Only an answer with a place for ``cards`` shows whether they were read:
    "json", or "tags+cards".

    ## Observation Space
    ``Dict(text=Text, image=Box)``. The text is as in words, and names no card. The
    image is uint8, height x width x 3, RGB (``image_size``, 336 x 336), read-only unless ``writable_image``. It is
    drawn once an episode. In ``info["messages"]`` an ``{"type": "image"}`` placeholder stands for it.

    ## Rewards
    As in words, but for a misread hand: if ``cards`` are not the ranks in the picture, the answer is wrong whatever its
    formula, and pays ``min(category, 0) - 1.5`` (preset "paper"). Where the answer format has no ``cards``, the formula
    alone decides.

    ## Starting State
    A hand drawn exactly from the distribution that the settings describe; then its suits, the jitter of the picture
    and, if diverse, the phrasing. All depend on the seed alone. A hand given by ``options={"instance": id}`` with no
    seed draws them from its id: pairs differ only in what is compared.

    ## Episode End
    Terminated by a correct answer or by the last attempt. Never truncated.

    ## Information
    As in words, and ``suits`` (a letter for each card), ``jitter`` (an integer), ``cards_read`` (how many of the
    cards were read right, if the answer format has a place for ``cards``). Instance, suits, visual, size and jitter
    give the picture (``drawing.draw``).

    ## Arguments
    The fields of ``GeneralPointsVisionConfig``; ``reset``'s options are those in words.

    ## Version History
    * v0: first version.
    """

    settings: ClassVar[type[GeneralPointsConfig]] = GeneralPointsVisionConfig

    config: GeneralPointsVisionConfig

    def __init__(self, render_mode: str | None = None, **settings: Any) -> None:
        super().__init__(render_mode, **settings)
        self.show_pictures(self.config.image_size, self.config.writable_image)

    _shows_cards = True

    def prepare(self) -> None:
        super().prepare()
        config = self.config
        counts = {dealing.count for dealing in self._mixture.dealings}
        self._tables = {count: table_for(config.appearance, config.image_size, count) for count in counts}
        self._undealt = self._undealt.but(table=self._tables[min(counts)])

    def deal(self, rng: np.random.Generator, instance: str | None = None) -> GeneralPointsQuestion:
        question = super().deal(rng, instance)
        return question if len(self._tables) == 1 else question.but(table=self._tables[len(question.puzzle.cards)])

    def _show(self, ranks: tuple[str, ...], rng: np.random.Generator) -> tuple[tuple[str, ...], int]:
        """Return the cards with suits. Two draws, whatever the settings: a pair of visuals shares all it may."""
        jitter = int(rng.integers(_JITTERS))
        dealing = self._mixture.dealings[0]  # all have the same suits and sampling
        return with_suits(ranks, dealing, int(rng.integers(_WAYS))), jitter
