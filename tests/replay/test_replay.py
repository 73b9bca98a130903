import numpy as np
import pytest
from PIL import Image

from verienv.core.verdict import Verdict
from verienv.replay import Frame, Picture, ShownQuestion
from verienv.replay.replay import MOST_BYTES, visible


def test_a_picture_that_packs_badly_is_packed_harder():
    noise = np.random.default_rng(0).integers(0, 256, (1284, 1284, 3), np.uint8)
    smooth = Picture.of(Image.new("RGB", (1284, 1284), "red"))
    assert smooth.size == (1284, 1284)
    assert len(smooth.webp) < MOST_BYTES
    soft = Image.fromarray(noise).resize((300, 300)).resize((1284, 1284))
    assert len(Picture.of(soft).webp) < MOST_BYTES


def test_other_scripts_and_pictures_are_shown_as_they_are():
    words = "tab-free: Привет, 你好, שלום, 🙂 \u00e9\nnext"
    assert visible(words) == words


@pytest.mark.parametrize(
    ("answer", "gist"),
    [
        ({"answer": "275"}, "275"),
        ({"answer": "275", "unit": "km"}, "I say 275"),
        ({}, "I say 275"),
        ({"x": 4}, "I say 275"),
    ],
)
def test_the_gist_is_the_only_field_where_the_task_names_none(answer, gist):
    verdict = Verdict(reward=0, is_correct=False, failure="wrong", feedback="No.", answer=answer)
    assert Frame(ShownQuestion(1), 1, "How many?", "I say 275", verdict).gist == gist
