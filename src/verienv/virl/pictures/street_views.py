"""Street views: the four views of a waypoint, from a drawn panorama or a real one."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from verienv.core.bounded_cache import BoundedCache
from verienv.core.file_cache import stamp
from verienv.core.question import Picture
from verienv.core.shown import shown_path
from verienv.virl.paper_data.files import ROUTES, find_routes
from verienv.virl.pictures.panorama import Engine, grid, projector
from verienv.virl.pictures.panorama_files import PanoramaFolder, load_panorama
from verienv.virl.pictures.streets.panorama_drawing import draw_panorama
from verienv.virl.pictures.streets.visuals import StreetVisual
from verienv.virl.routes.route import Waypoint
from verienv.virl.world.city import City
from verienv.virl.world.geometry import Point
from verienv.virl.world.lots import Lots

MOST_CACHED = 256 * 2**20
"""Bytes of panoramas that are kept, for all environments of a process together."""

_panoramas = BoundedCache(MOST_CACHED)


@lru_cache(maxsize=4)
def _lots(city: City) -> Lots:
    return Lots(city)


def panorama_folder(data: Path | None, panoramas: Path | None) -> PanoramaFolder | None:
    """Return the real panoramas that settings name, None where streets are drawn. Errors as ``PanoramaFolder``'s."""
    if data is None:
        return PanoramaFolder(panoramas) if panoramas else None
    routes = find_routes(data)
    if routes.name == ROUTES:
        return PanoramaFolder(panoramas or routes.parent)
    if panoramas is None:
        raise ValueError(
            f"data={shown_path(routes)!r} names panoramas; give panoramas= the folder that holds street_views"
        )
    return PanoramaFolder(panoramas, converted=routes)


@dataclass(frozen=True)
class StreetViews:
    """Draws the street views of waypoints.

    Attributes:
        folder: the real panoramas; None where streets are drawn.
        appearance: the visual of drawn streets.
        panorama_size: height and width of drawn panoramas in px.
        view_size: height and width of each of the four views in px.
        pitch: degrees by which each view looks up.
        fov: the horizontal field of view of each view, in degrees.
        engine: the engine of ``panorama.view``.

    Raises:
        ImportError: if the engine is not installed.
    """

    folder: PanoramaFolder | None
    appearance: StreetVisual
    panorama_size: tuple[int, int]
    view_size: tuple[int, int]
    pitch: float
    fov: float
    engine: Engine

    def __post_init__(self) -> None:
        projector(self.engine)

    def draw(self, city: City | None, waypoint: Waypoint) -> Picture:
        """Draw front, right, back and left of a waypoint's heading as one picture, read-only."""
        panorama, rotation = self.panorama(city, waypoint.location)
        picture = grid(
            panorama,
            waypoint.heading,
            size=self.view_size,
            pitch=self.pitch,
            fov=self.fov,
            rotation=rotation,
            engine=self.engine,
        )
        picture.flags.writeable = False
        return picture

    def panorama(self, city: City | None, location: Point) -> tuple[NDArray[np.uint8], float]:
        """Return the panorama at a place, height x width x 3, and its rotation in degrees (see ``panorama.view``)."""
        if self.folder:
            file, rotation = self.folder.at(location)
            return _panoramas.get((str(file), stamp(file)), lambda: load_panorama(file)), rotation
        assert city is not None  # noqa: S101 - routes without a city come with panoramas
        visual, size = self.appearance, self.panorama_size
        key = (city, location, visual, size)
        return _panoramas.get(key, lambda: draw_panorama(_lots(city), location, visual, size)), 0.0
