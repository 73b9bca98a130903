"""V-IRL by vision as a Gymnasium environment."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from verienv.core.question import Picture
from verienv.virl.config import VIRLConfig
from verienv.virl.env import VIRLEnv
from verienv.virl.pictures.panorama import grid_size
from verienv.virl.pictures.street_views import StreetViews, panorama_folder
from verienv.virl.question import VIRLQuestion
from verienv.virl.vision_config import VIRLVisionConfig


class VIRLVisionEnv(VIRLEnv):
    """Follow a route through a city by instructions, with street views.

    ## Description
    V-IRL-VL of *SFT Memorizes, RL Generalizes* (arXiv 2501.17161). The sentences name landmarks, and these must be
    found in the street views: signs on the building fronts bear the names of the places. The text does not tell the
    view, so the policy must read it, follow the sentence that is due, and act. Street views are drawn from the
    street network and its places, or taken from real panoramas.

    ## Action Space
    ``Text``, as of V-IRL in words.

    ## Observation Space
    ``Dict(text=Text, image=Box)``. The text is as in words, without the view. The image is uint8, RGB, two by two
    views in reading order front, right, back, left of the agent's heading, each ``view_size`` px (640 x 640), with a
    line of 4 px between: 1284 x 1284 x 3. Read-only unless ``writable_image``. In ``info["messages"]`` an
    ``{"type": "image"}`` placeholder stands for it.

    ## Rewards
    As in words.

    ## Starting State
    As in words; nothing of the picture is left to chance.

    ## Episode End
    As in words.

    ## Information
    As in words.

    ## Arguments
    The fields of ``VIRLVisionConfig``; ``reset``'s options are those in words.

    ## Version History
    * v0: first version.
    """

    settings: ClassVar[type[VIRLConfig]] = VIRLVisionConfig

    config: VIRLVisionConfig

    def __init__(self, render_mode: str | None = None, **settings: Any) -> None:
        super().__init__(render_mode, **settings)
        self._views = street_views(self.config)
        self.show_pictures(grid_size(self.config.view_size), self.config.writable_image)

    def prepare(self) -> None:
        super().prepare()
        config = self.config
        self._undealt = self._undealt.but(
            vision=True, junction_hint=config.junction_hint, history=config.history, draw=self._draw
        )

    def _draw(self, question: VIRLQuestion) -> Picture:
        return self._views.draw(question.city, question.waypoint)

    @property
    def panorama(self) -> tuple[NDArray[np.uint8], float]:
        """The panorama here, height x width x 3, and its rotation in degrees (see ``panorama.view``)."""
        return self._views.panorama(self.city, self.waypoint.location)


def street_views(config: VIRLVisionConfig) -> StreetViews:
    """Return what draws the views that a configuration describes."""
    return StreetViews(
        folder=panorama_folder(config.data, config.panoramas),
        appearance=config.appearance,
        panorama_size=config.panorama_size,
        view_size=config.view_size,
        pitch=config.pitch,
        fov=config.fov,
        engine=config.engine,
    )
