"""V-IRL by sight as a Gymnasium environment."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from verienv.core.env import Picture
from verienv.virl.config import VIRLConfig
from verienv.virl.env import VIRLEnv
from verienv.virl.paper_data.files import ROUTES, find_routes
from verienv.virl.pictures.panorama import BoundedCache, PanoramaFolder, grid, grid_size, load_panorama, projector
from verienv.virl.pictures.streets.panorama_drawing import draw_panorama
from verienv.virl.prompts import PICTURE, streets_told
from verienv.virl.verifier import OBSERVATION, field_of
from verienv.virl.vision_config import VIRLVisionConfig
from verienv.virl.world.city import City
from verienv.virl.world.lots import Lots

MOST_CACHED = 256 * 2**20
"""Bytes of panoramas that are kept, for all environments of a process together."""

LONGEST_WORDS = 80
"""Characters of the policy's own words that a line of the history holds."""

_panoramas = BoundedCache(MOST_CACHED)


@lru_cache(maxsize=4)
def _frontage(city: City) -> Lots:
    return Lots(city)


def _panorama_folder(config: VIRLVisionConfig) -> PanoramaFolder | None:
    """The real panoramas that settings name, None where streets are drawn. Errors as from ``PanoramaFolder``."""
    if config.data is None:
        return PanoramaFolder(config.panoramas) if config.panoramas else None
    routes = find_routes(config.data)
    if routes.name == ROUTES:
        return PanoramaFolder(config.panoramas or routes.parent)
    if config.panoramas is None:
        raise ValueError(f"data={str(routes)!r} names panoramas; give panoramas= the folder that holds street_views")
    return PanoramaFolder(config.panoramas, converted=routes)


class VIRLVisionEnv(VIRLEnv):
    """Follow a route through a city by instructions, the streets seen in a picture.

    ## Description
    V-IRL-VL of *SFT Memorizes, RL Generalizes* (arXiv 2501.17161). The sentences name landmarks, and these must be
    found in the street views: signs on the building fronts bear the names of the places. What is seen is told nowhere
    in the text, so the policy must read it, follow the sentence that is due, and act. Street views are drawn from the
    street network and its places, or taken from real panoramas.

    ## Action Space
    ``Text``, as of V-IRL in words.

    ## Observation Space
    ``Dict(text=Text, image=Box)``. The text is as in words without what is seen. The image is uint8, RGB, two by two
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
    The fields of ``VIRLVisionConfig``; ``reset(options={"instance": id})`` deals a given route.

    ## Version History
    * v0: first version.
    """

    metadata: ClassVar[dict[str, Any]] = {"render_modes": ["ansi", "rgb_array"], "render_fps": 1}  # type: ignore[misc]

    metric_headings: ClassVar[dict[str, str]] = {**VIRLEnv.metric_headings, "observation_accuracy": "recognition"}

    settings: ClassVar[type[VIRLConfig]] = VIRLVisionConfig

    config: VIRLVisionConfig

    def __init__(self, render_mode: str | None = None, **settings: Any) -> None:
        super().__init__(render_mode, **settings)
        self._folder = _panorama_folder(self.config)
        self._look, self._panorama_size = self.config.look, self.config.panorama_size
        projector(self.config.engine)  # complains now if it is missing
        self._show_pictures(grid_size(self.config.view_size), self.config.writable_image)

    @property
    def view(self) -> str:
        """What the question says in place of what is seen here."""
        told = [PICTURE]
        if self.config.junction_hint:
            told.append(f"You are {'' if self.waypoint.at_intersection else 'not '}at an intersection.")
        if self.config.directions != "both":
            told.append(streets_told(self.waypoint))
        return " ".join(filter(None, told))

    @property
    def panorama(self) -> tuple[NDArray[np.uint8], float]:
        """The panorama here, height x width x 3, and its rotation in degrees (see ``panorama.view``)."""
        location, look, size = self.waypoint.location, self._look, self._panorama_size
        if self._folder:
            file, rotation = self._folder.at(location)
            return _panoramas.get(str(file), lambda: load_panorama(file)), rotation
        city = self.city
        assert city is not None  # noqa: S101 - routes without a city come with panoramas
        key = (city, location, look, size)
        return _panoramas.get(key, lambda: draw_panorama(city, _frontage(city), location, look, size)), 0.0

    def _picture(self) -> Picture:
        config = self.config
        panorama, rotation = self.panorama
        picture = grid(
            panorama,
            self.waypoint.heading,
            size=config.view_size,
            pitch=config.pitch,
            fov=config.fov,
            rotation=rotation,
            engine=config.engine,
        )
        picture.flags.writeable = False
        return picture

    def _told_of_step(self) -> str:
        if self.config.history == "oracle":
            return super()._told_of_step()
        action = self.waypoint.action(self.config.actions)
        if self.config.history == "none":
            return action
        said = field_of(self.verdict.answer, OBSERVATION) if self.verdict else ""
        words = "".join(letter for letter in str(said) if " " <= letter <= "~") if isinstance(said, str) else ""
        return f"{' '.join(words.split())[:LONGEST_WORDS] or '(nothing said)'} -> {action}"
