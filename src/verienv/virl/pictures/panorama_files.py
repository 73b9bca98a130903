"""Panoramas on disk: reading one of them, and a user's own folder of them.

Files are trusted in nothing: sizes are bounded, names cannot lead out of the folder, no pickle is run.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from verienv.core.decoding import UnfitPictureError, decode_picture
from verienv.core.reading import is_file, read_bytes, read_json
from verienv.core.shown import shown_path
from verienv.virl.paper_data.converted import read_converted
from verienv.virl.paper_data.format import describe, read_number, read_point
from verienv.virl.paper_data.panoramas import MAPPING, PICTURES, panorama_near, read_panoramas, read_rotation
from verienv.virl.world.geometry import Point

LIST = "panoramas.json"

MOST_PIXELS = 13_312 * 6_656
"""Pixels of a panorama, at most: the largest that street level services hand out."""

MOST_LIST_BYTES = 32 * 2**20

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")

_FORMATS = ("JPEG", "PNG", "WEBP")
_MODES = ("RGB", "RGBA", "RGBX", "L", "LA", "P", "CMYK", "YCbCr")
"""Accepted modes of Pillow, with 8 bits a channel."""

_KEYS = {"file", "location", "rotation"}


def load_panorama(path: Path | str, most_pixels: int = MOST_PIXELS) -> NDArray[np.uint8]:
    """Read a panorama from a JPEG, PNG or WebP.

    Args:
        path: the file.
        most_pixels: a larger picture is refused before it is decoded.

    Returns:
        uint8 RGB, height x width x 3, turned as its EXIF says. What is transparent is taken as if it were not.

    Raises:
        FileNotFoundError: if it is not there.
        ValueError: one line that names the file, if it cannot be read, is truncated, too large, or not twice as wide as
            high within 1%.
    """

    def check(size: tuple[int, int], mode: str) -> None:
        if size[0] * size[1] > most_pixels:
            raise UnfitPictureError(f"has {size[0]} x {size[1]} pixels; at most {most_pixels} are accepted")
        if mode not in _MODES:
            raise UnfitPictureError(f"is of mode {describe(mode)}; 8 bits a channel are accepted")

    raw = read_bytes(Path(path))
    try:
        picture = decode_picture(raw, _FORMATS, check)
        width, height = picture.size
        if abs(width - 2 * height) > 0.01 * 2 * height or height < 2:
            raise UnfitPictureError(f"has {width} x {height} pixels; twice as wide as high is accepted, within 1%")
        return np.array(picture.convert("RGB"))
    except UnfitPictureError as unfit:
        raise ValueError(f"{shown_path(path)}: {unfit}; give a whole panorama of 360 x 180 degrees") from None


class PanoramaFolder:
    """A folder of panoramas, with the position at which each was taken.

    It is in one of three forms, and nothing of it is changed:

    - with ``panoramas.json``, a JSON list of ``{"file": "a.jpg", "location": [latitude, longitude], "rotation": 0.0}``.
      The file is a JPEG, PNG or WebP in the folder or below it, named from the folder on with ``/``. The rotation is in
      degrees and may be left out if it is 0: the compass heading h is at the column ((h + rotation) mod 360) / 360 of
      the width. No two have the same location;
    - as the paper's download has it (``paper_data.panoramas``), with ``gps_pano_mapping.pkl``, which is never run,
      ``street_views/<id>.jpg`` and ``street_views/<id>.metadata.json``;
    - with ``street_views`` alone, or ``street_views`` itself, where ``converted`` says where its panoramas were taken.

    Args:
        folder: the folder.
        converted: a file that ``verienv convert`` wrote; it counts, whatever else the folder holds.

    Attributes:
        folder: the folder that all files lie in, without symbolic links.
        files: the file of each panorama by its location, from ``folder`` on.

    Raises:
        FileNotFoundError: if neither form is there.
        ValueError: one line that names the file, the item, and what is wrong.
    """

    def __init__(self, folder: Path | str, converted: Path | str | None = None) -> None:
        given = Path(folder)
        if converted is not None and given.name == PICTURES:
            given = given.parent
        self._rotations: dict[str, float] = {}
        if converted is not None:
            ids, rotations = _read_table(Path(converted))
            self._rotations = {_picture(panorama): rotation for panorama, rotation in rotations.items()}
            self.files = {where: _picture(panorama) for where, panorama in ids.items()}
        elif is_file(given / LIST):
            self.files, self._rotations = _read_list(given / LIST)
        elif is_file(given / MAPPING):
            self.files = {where: _picture(panorama) for where, panorama in read_panoramas(given).items()}
        else:
            raise FileNotFoundError(f"{shown_path(given)}: holds neither {LIST} nor {MAPPING}; give a folder that does")
        self.folder = _resolved(given)

    def __len__(self) -> int:
        """Return the number of locations."""
        return len(self.files)

    def at(self, location: Point) -> tuple[Path, float]:
        """Return file and rotation in degrees of the panorama at ``location``, or else of the nearest within 20 metres.

        Raises:
            ValueError: with the location and the nearest distance, if there is none; if the file lies outside of the
                folder; if its rotation cannot be read.
            FileNotFoundError: if the file of its rotation is missing. Whether the picture is there is not looked at.
        """
        file = panorama_near(self.files, read_point("the location", list(location)))
        path = self._inside(file)
        if file not in self._rotations:  # in the paper's form, in a file of its own
            panorama = file.removeprefix(f"{PICTURES}/").removesuffix(".jpg")
            self._inside(f"{PICTURES}/{panorama}.metadata.json")
            return path, read_rotation(self.folder, panorama)
        return path, self._rotations[file]

    def _inside(self, file: str) -> Path:
        path = _resolved(self.folder / file)
        if not path.is_relative_to(self.folder):
            raise ValueError(f"{shown_path(self.folder / file)}: leads out of the folder; only what lies in it is read")
        return path


def _resolved(path: Path) -> Path:
    try:
        return path.resolve()
    except (OSError, ValueError, RuntimeError):
        raise ValueError(
            f"{shown_path(path)}: cannot be found out where it leads; give a plain file or folder"
        ) from None


def _picture(panorama: str) -> str:
    return f"{PICTURES}/{panorama}.jpg"


def _read_table(path: Path) -> tuple[Mapping[Point, str], Mapping[str, float]]:
    """Read ids by location and rotations by id from a converted file."""
    data = read_json(path)
    if not isinstance(data, dict):
        raise ValueError(f"{shown_path(path)}: holds {describe(data)}; a file that verienv convert wrote is accepted")
    file = read_converted(data, path)
    if not file.panoramas:
        raise ValueError(
            f"{shown_path(path)}: names no panorama; convert it again where {MAPPING} lies beside the routes"
        )
    return file.panoramas, file.rotations


def _read_list(path: Path) -> tuple[dict[Point, str], dict[str, float]]:
    """Read files by location and rotations by file from a ``panoramas.json``."""
    entries = read_json(path, MOST_LIST_BYTES)
    if not isinstance(entries, list) or not entries:
        raise ValueError(f"{shown_path(path)}: holds {describe(entries)}; a list of at least one panorama is accepted")
    files: dict[Point, str] = {}
    rotations: dict[str, float] = {}
    for number, entry in enumerate(entries):
        try:
            where, file, rotation = _read_entry(entry)
            if where in files:
                raise ValueError(f"an earlier one has the same location, {where[0]:g}, {where[1]:g}")
            if rotations.setdefault(file, rotation) != rotation:
                raise ValueError(f"an earlier one gives the same file another rotation, {rotations[file]:g}")
            files[where] = file
        except ValueError as error:
            raise ValueError(f"{shown_path(path)}: panorama {number}: {error}") from None
    return files, rotations


def _read_entry(entry: Any) -> tuple[Point, str, float]:
    if not isinstance(entry, dict) or not {"file", "location"} <= set(entry) <= _KEYS:
        raise ValueError(f"{describe(entry)} is given; an object of file, location and rotation is expected")
    file = entry["file"]
    if not isinstance(file, str) or not _is_safe(file):
        raise ValueError(
            f"the file is {describe(file)}; a name from the folder on is expected, without '..', ending in "
            f"{', '.join(SUFFIXES)}"
        )
    return (
        read_point("the location", entry["location"]),
        file,
        read_number("the rotation", entry.get("rotation", 0.0), 1e6),
    )


def _is_safe(file: str) -> bool:
    """Return whether a name is relative, printable, that of a picture, and leads out of no folder on any system."""
    if not (len(file) <= 300 and file.isprintable() and file.lower().endswith(SUFFIXES)) or set(file) & set("\\:"):
        return False
    return all(part.strip(" .") for part in file.split("/"))
