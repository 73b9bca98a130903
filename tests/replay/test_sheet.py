import numpy as np
import pytest
from tests.replay.episodes import HOSTILE, picture_routes, puzzle, routes, saying

from verienv.replay import contact_sheet, html_page, record


@pytest.mark.parametrize(
    ("frames", "columns", "size"),
    [(5, 4, (4 * 336 + 16, 74 + 2 * 372)), (5, 2, (2 * 336 + 16, 74 + 3 * 372)), (1, 4, (336 + 16, 74 + 372))],
)
def test_the_sheet_has_a_tile_for_each_frame(frames, columns, size):
    assert contact_sheet(record(routes(), most=frames), columns).size == size


@pytest.mark.parametrize("columns", [0, 21, True, 2.0])
def test_columns_that_are_no_number_of_columns_are_refused(columns):
    replay = record(puzzle())
    with pytest.raises(ValueError, match="columns="):
        contact_sheet(replay, columns)


def test_a_tile_shows_the_picture_in_its_middle():
    sheet = contact_sheet(record(picture_routes(), most=2))
    assert np.allclose(sheet.getpixel((16 + 160, 74 + 160)), (0, 80, 200), atol=6)
    assert np.allclose(sheet.getpixel((16 + 336 + 160, 74 + 160)), (10, 80, 200), atol=6)


@pytest.mark.parametrize("response", ["", "\x00\u202e" * 99, "W" * 65_536, "\n" * 5000, "{" * 5000, HOSTILE[3]])
def test_the_sheet_holds_whatever_is_said(response):
    assert contact_sheet(record(puzzle(), saying(response), most=1)).size == (352, 446)


def test_the_same_episode_gives_the_same_page_and_the_same_sheet():
    one, two = (record(routes(), saying("nonsense"), most=4) for _ in range(2))
    assert html_page(one) == html_page(two)
    assert contact_sheet(one).tobytes() == contact_sheet(two).tobytes()
