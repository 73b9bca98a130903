"""Sign lettering: the height of letters and the lines of a label."""

import numpy as np
import pytest
from tests.virl.pictures.streets.signed_places import FONTS

from verienv.virl.pictures.streets.pixels import unpack
from verienv.virl.pictures.streets.sign_lettering import CAP, board_picture, layout


@pytest.mark.parametrize("font", FONTS)
def test_letters_are_as_high_as_they_are_said_to_be(font: str) -> None:
    laid = layout("H", font, 20.0)
    picture = board_picture(laid, font, (0, 0, 0), (255, 255, 255), 0)
    inner = unpack(picture)[12:-12, 12:-12, 0] > 128
    rows = np.flatnonzero(inner.any(axis=1))
    assert abs(rows[-1] - rows[0] + 1 - CAP) <= 3


def test_lines_are_balanced_and_broken_between_words() -> None:
    assert layout("Banco de la Republica Oriental", "plain", 14.0).lines == ("Banco de la", "Republica", "Oriental")
    assert layout("Bar", "plain", 30.0).lines == ("Bar",)
