"""The camera: the lamp, the lens and the sensor against what defines them."""

from math import cos, erf, pi, sin, sqrt

import numpy as np
import pytest
from numpy.typing import NDArray

from verienv.generalpoints.pictures.camera import Picture, add_noise, blur, light_up, stretches
from verienv.generalpoints.pictures.drawing import draw

HAND = ("10S", "QC", "7S", "AC")


def grey(level: int, height: int = 336, width: int = 336) -> Picture:
    return np.full((height, width, 3), level, np.uint8)


@pytest.mark.parametrize("towards", [0.0, 1.0, pi / 2, 4.0])
@pytest.mark.parametrize("size", [(96, 96), (100, 333)])
def test_a_lamp_lets_brightness_fall_off_linearly(towards: float, size: tuple[int, int]) -> None:
    picture = draw(HAND, None, size)
    down = np.linspace(-0.5, 0.5, size[0])[:, None] * sin(towards)
    across = np.linspace(-0.5, 0.5, size[1]) * cos(towards)
    shade = 1 - 0.6 * ((down + across) / (abs(sin(towards)) + abs(cos(towards))) + 0.5)
    due = picture * shade[..., None]
    assert np.abs(light_up(picture.copy(), 0.6, towards) - due).max() <= 0.501


def gaussian(picture: Picture, radius: float) -> NDArray[np.float64]:
    reach = int(4 * radius + 2)
    kernel = np.exp(-(np.arange(-reach, reach + 1) ** 2) / (2 * radius * radius))
    levels = np.pad(picture.astype(float), ((reach, reach), (reach, reach), (0, 0)), "edge")
    rows = sum(share * levels[at : at + len(picture)] for at, share in enumerate(kernel / kernel.sum()))
    return np.asarray(
        sum(share * rows[:, at : at + picture.shape[1]] for at, share in enumerate(kernel / kernel.sum()))
    )


@pytest.mark.parametrize("radius", [0.6, 1.0, 1.3, 2.0, 4.0])
def test_a_blur_is_near_to_the_gaussian_of_its_radius(radius: float) -> None:
    picture = draw(HAND, None, (160, 200))
    apart = blur(picture, radius) - gaussian(picture, radius)
    assert np.sqrt((apart**2).mean()) < 1.5
    assert abs(apart.mean()) < 0.5


@pytest.mark.parametrize("radius", [0.5, 1.0, 2.5, 5.0, 19.0])
def test_a_blur_spreads_an_edge_evenly_and_as_far_as_its_radius(radius: float) -> None:
    picture = np.zeros((201, 201, 3), np.uint8)
    picture[60:141, 60:141] = 255
    rows = blur(picture, radius).astype(float)
    assert np.array_equal(rows, rows[::-1])
    assert np.array_equal(rows, rows[:, ::-1])
    assert np.abs(rows - rows.transpose(1, 0, 2)).max() <= 1
    edge = -np.diff(rows[100, 100:, 0])
    places = np.arange(len(edge)) + 0.5 - 40.5
    assert sqrt((edge * places**2).sum() / edge.sum()) == pytest.approx(radius, rel=0.1, abs=0.05)


@pytest.mark.parametrize("radius", [0.1, 0.7, 1.0, 3.3, 19.0])
@pytest.mark.parametrize("size", [(96, 96), (96, 400), (500, 96)])
def test_an_even_picture_stays_as_it_is_under_a_blur(radius: float, size: tuple[int, int]) -> None:
    assert np.array_equal(blur(grey(255, *size), radius), grey(255, *size))


def test_a_blur_is_the_same_in_one_piece_and_in_several(monkeypatch: pytest.MonkeyPatch) -> None:
    picture = draw(HAND)
    pieces = [blur(picture, radius) for radius in (0.6, 1.0, 2.0)]
    monkeypatch.setattr("verienv.generalpoints.pictures.camera._WIDE", 2**40)
    whole = [blur(picture, radius) for radius in (0.6, 1.0, 2.0)]
    assert all(np.array_equal(*pair) for pair in zip(pieces, whole, strict=True))


@pytest.mark.parametrize("deviation", [0.5, 10.0, 24.0, 64.0])
def test_noise_is_the_normal_distribution_rounded_and_clipped(deviation: float) -> None:
    levels = add_noise(grey(128), deviation, [0.3]).reshape(-1)
    for level in (0, 100, 120, 127, 128, 140, 200, 254):
        due = (1 + erf((level + 0.5 - 128) / (deviation * sqrt(2)))) / 2
        assert abs((levels <= level).mean() - due) < 5 * sqrt(0.25 / len(levels))


def test_noise_is_clipped_where_a_sum_does_not_fit() -> None:
    noise = add_noise(grey(128), 30.0, [0.5]).astype(int) - 128
    for level in (0, 7, 250, 255):
        inside = np.abs(noise) < 120
        due = np.clip(level + noise, 0, 255)
        assert np.array_equal(add_noise(grey(level), 30.0, [0.5])[inside], due[inside])


def test_noise_of_neighbours_channels_and_pictures_is_independent() -> None:
    one, other = (add_noise(grey(128), 24.0, [start]).astype(float) - 128 for start in (0.1, 0.100001))
    pairs = [(one[1:], one[:-1]), (one[:, 1:], one[:, :-1]), (one[..., 0], one[..., 1]), (one, other)]
    assert all(abs(np.corrcoef(a.ravel(), b.ravel())[0, 1]) < 0.01 for a, b in pairs)


def test_a_large_picture_takes_its_noise_in_pieces() -> None:
    assert (stretches(336 * 336 * 3), stretches(1600 * 1600 * 3)) == (1, 15)
    noisy = add_noise(grey(128, 600, 600), 24.0, [0.2, 0.7, 0.999999])
    assert abs(noisy.std(axis=(1, 2)) - 24).max() < 3
