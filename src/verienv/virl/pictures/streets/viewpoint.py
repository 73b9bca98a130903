"""A viewpoint: all that a picture of streets depends on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from verienv.virl.pictures.streets.camera import Camera
from verienv.virl.pictures.streets.visuals import StreetVisual
from verienv.virl.world.city import City
from verienv.virl.world.geometry import Array, Point, to_local
from verienv.virl.world.lots import Lots


@dataclass(frozen=True)
class Viewpoint:
    """A camera at a position in a city.

    Attributes:
        lots: the lots of the city.
        location: the position of the camera, latitude and longitude in degrees.
        visual: the appearance of the streets.
        camera: the geometry of the panorama.
    """

    lots: Lots
    location: Point
    visual: StreetVisual
    camera: Camera

    @property
    def city(self) -> City:
        """The city that the lots belong to."""
        return self.lots.city

    def to_local(self, points: Sequence[Point]) -> Array:
        """Convert n positions to metres east and north of the camera: n x 2."""
        return to_local(self.location, np.array(points).reshape(-1, 2))
