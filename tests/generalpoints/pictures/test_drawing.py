"""Drawing: what a picture depends on, and what each setting does."""

import numpy as np
import pytest
from tests.generalpoints.pictures.lying import box

from verienv.generalpoints.pictures.drawing import Table, draw, table_for
from verienv.generalpoints.pictures.tabletop import tabletop
from verienv.generalpoints.pictures.visuals import VISUALS, Visual

HAND = ("10S", "QC", "7S", "AC")
STILL = [name for name in VISUALS if Visual.of(name).arrangement != "scattered" and not Visual.of(name).rotation]


@pytest.mark.parametrize("look", VISUALS)
def test_a_picture_is_a_pure_function_of_cards_look_size_and_jitter(look: str) -> None:
    first = draw(HAND, Visual.of(look), (120, 160), jitter=5)
    table_for.cache_clear()
    again = draw(HAND, Visual.of(look), (120, 160), jitter=5)
    assert first.shape == (120, 160, 3)
    assert first.dtype == np.uint8
    assert np.array_equal(first, again)
    assert not np.shares_memory(first, again)


@pytest.mark.parametrize("look", VISUALS)
def test_jitter_changes_what_a_look_leaves_to_chance_and_nothing_else(look: str) -> None:
    chance = look in ("rotated", "scattered", "noisy", "lamplight")
    same = np.array_equal(draw(HAND, Visual.of(look), jitter=1), draw(HAND, Visual.of(look), jitter=2))
    assert same is not chance


@pytest.mark.parametrize("look", VISUALS)
def test_two_looks_draw_two_pictures(look: str) -> None:
    others = [draw(HAND, Visual.of(name), (96, 96), 3) for name in VISUALS if name != look]
    mine = draw(HAND, Visual.of(look), (96, 96), 3)
    assert not any(np.array_equal(mine, other) for other in others)


@pytest.mark.parametrize("look", VISUALS)
def test_a_card_changes_its_own_place_and_no_other(look: str) -> None:
    fields = {**VISUALS[look], "blur": 0.0}  # a blur reaches a few px beyond
    table = Table(Visual(**fields), (336, 336), 4)
    before, after = table.draw(HAND, 9), table.draw(("10S", "QC", "8D", "AC"), 9)
    changed = np.argwhere((before != after).any(axis=2))
    left, top, right, bottom = box(table.poses(9)[2])
    assert len(changed) > 100
    assert changed.min(axis=0)[0] >= top - 2
    assert changed.min(axis=0)[1] >= left - 2
    assert changed.max(axis=0)[0] <= bottom + 2
    assert changed.max(axis=0)[1] <= right + 2


@pytest.mark.parametrize("look", VISUALS)
def test_the_table_around_the_cards_is_bare(look: str) -> None:
    plain = Visual(**{**VISUALS[look], "blur": 0.0, "noise": 0.0, "light": 0.0})
    table = Table(plain, (200, 300), 4)
    picture, bare = table.draw(HAND, 3), tabletop(plain.background, 200, 300)
    around = np.ones((200, 300), bool)
    for pose in table.poses(3):
        left, top, right, bottom = box(pose)
        around[int(top) - 1 : int(bottom) + 2, int(left) - 1 : int(right) + 2] = False
    assert np.array_equal(picture[around], bare[around])
    assert not np.array_equal(picture, bare)


def test_blur_light_and_noise_do_what_they_say() -> None:
    plain = draw(HAND).astype(float)
    blurred, noisy = (draw(HAND, Visual(**field)).astype(float) for field in ({"blur": 3.0}, {"noise": 10.0}))
    assert np.abs(np.diff(blurred, axis=1)).mean() < 0.7 * np.abs(np.diff(plain, axis=1)).mean()
    inside = (plain > 40).all(axis=2) & (plain < 215).all(axis=2)  # where no level is clipped
    assert 9 < (noisy - plain)[inside].std() < 11
    shade = draw(HAND, Visual(background="white", light=0.5)).astype(float)[[0, 0, -1, -1], [0, -1, 0, -1]].mean(axis=1)
    assert shade.max() <= 255
    assert 0.45 * 255 < shade.min() < 0.75 * 255


def test_a_look_at_twice_the_size_is_the_same_look() -> None:
    for look in STILL:
        small = draw(HAND, Visual.of(look), (168, 168)).astype(float)
        large = draw(HAND, Visual.of(look), (336, 336)).astype(float)
        halved = large.reshape(168, 2, 168, 2, 3).mean(axis=(1, 3))
        assert np.abs(halved.mean(axis=(0, 1)) - small.mean(axis=(0, 1))).max() < 8


def test_a_table_is_shared_and_its_copies_are_itself() -> None:
    import copy
    import pickle

    table = table_for(Visual(), (336, 336), 4)
    assert table_for(Visual(), (336, 336), 4) is table
    assert copy.deepcopy(table) is table
    assert pickle.loads(pickle.dumps(table)) is table  # noqa: S301


def test_a_jitter_has_one_lamp_and_one_noise_whatever_else_is_set() -> None:
    grey = {"background": "#808080", "arrangement": "row"}
    lit, noisy, both = (draw(HAND, Visual(**grey, **more), jitter=7) for more in (
        {"light": 0.5}, {"noise": 9.0}, {"light": 0.5, "noise": 9.0},
    ))  # fmt: skip
    inside = (lit > 60) & (lit < 190)
    noise = noisy.astype(int) - draw(HAND, Visual(**grey))
    assert np.array_equal((both.astype(int) - lit)[inside & (draw(HAND, Visual(**grey)) == 128)],
                          noise[inside & (draw(HAND, Visual(**grey)) == 128)])  # fmt: skip


@pytest.mark.parametrize("cards", [("10S", "QC", "7S"), ("10S", "QC", "7S", "AC", "AC")])
def test_another_number_of_cards_than_the_table_is_for_is_refused(cards: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="zip"):
        table_for(Visual(), (336, 336), 4).draw(cards, 0)
