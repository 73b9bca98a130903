"""Measures of walks, against their definitions written out by brute force."""

from functools import cache
from itertools import pairwise
from math import exp

import numpy as np
import pytest

from verienv.virl.walking import measures
from verienv.virl.world.geometry import distance, from_local

HOME = (60.17, 24.94)


def track(*metres):
    """Positions so many metres east and north of one point."""
    return [from_local(HOME, *each) for each in metres]


def along_a_line(*east):
    return track(*((each, 0.0) for each in east))


def drawn(rng, most=9):
    steps = rng.normal(scale=25.0, size=(int(rng.integers(1, most)), 2))
    return track(*np.cumsum(steps, axis=0))


def warped(walk, route):
    """Dynamic time warping by its recursive definition."""

    @cache
    def cost(i, j):
        if i < 0 or j < 0:
            return 0.0 if i == j == -1 else float("inf")
        return distance(walk[i], route[j]) + min(cost(i - 1, j), cost(i, j - 1), cost(i - 1, j - 1))

    return cost(len(walk) - 1, len(route) - 1)


def covered(walk, route):
    """CLS by the formulas of its paper."""
    near = sum(exp(-min(distance(each, one) for one in walk) / 25.0) for each in route) / len(route)
    expected = near * sum(distance(*step) for step in pairwise(route))
    walked = sum(distance(*step) for step in pairwise(walk))
    if expected + abs(expected - walked) == 0:
        return near
    return near * expected / (expected + abs(expected - walked))


def agree(pairs, rng):
    for _ in range(pairs):
        walk, route = drawn(rng), drawn(rng)
        found = measures.measure(walk, route, stopped=True)
        success = distance(walk[-1], route[-1]) <= 25.0
        shortest, walked = measures.length(route), measures.length(walk)
        spl = success * (shortest / max(shortest, walked) if max(shortest, walked) else 1.0)
        ndtw = exp(-warped(tuple(walk), tuple(route)) / (len(route) * 25.0))
        assert found["ndtw"] == pytest.approx(ndtw, rel=1e-6, abs=1e-12)
        assert found["sdtw"] == pytest.approx(success * ndtw, rel=1e-6, abs=1e-12)
        assert found["cls"] == pytest.approx(covered(walk, route), rel=1e-6, abs=1e-12)
        assert found["spl"] == pytest.approx(spl, rel=1e-9)
        assert found["oracle_success"] == float(any(distance(each, route[-1]) <= 25.0 for each in walk))
        assert found["navigation_error"] == distance(walk[-1], route[-1])


def test_measures_agree_with_their_definitions():
    agree(100, np.random.default_rng(0))


@pytest.mark.slow
def test_measures_agree_with_their_definitions_on_10000_pairs():
    agree(10_000, np.random.default_rng(1))


def test_a_walk_along_the_route_has_the_best_of_all():
    route = along_a_line(0, 40, 80, 120)
    found = measures.measure(route, route, stopped=True)
    assert found == {
        "navigation_error": 0.0, "oracle_success": 1.0, "spl": 1.0, "ndtw": 1.0, "sdtw": 1.0, "cls": pytest.approx(1.0),
    }  # fmt: skip


def test_a_walk_twice_as_long_has_half_the_spl():
    route, there_and_back = along_a_line(0, 40, 80), along_a_line(0, -40, 0, 40, 80)
    assert measures.spl(there_and_back, route, success=True) == pytest.approx(0.5, rel=1e-6)
    assert measures.spl(there_and_back, route, success=False) == 0.0


def test_worked_examples():
    route, halfway = along_a_line(0, 40, 80), along_a_line(0, 40)
    assert measures.dtw(halfway, route) == pytest.approx(40.0, rel=1e-4)
    assert measures.ndtw(halfway, route) == pytest.approx(exp(-40 / 75), rel=1e-4)
    coverage = (1 + 1 + exp(-40 / 25)) / 3
    due = coverage * 80
    assert measures.cls(halfway, route) == pytest.approx(coverage * due / (due + abs(due - 40)), rel=1e-4)
    assert measures.navigation_error(halfway, route) == pytest.approx(40.0, rel=1e-4)


def test_who_came_near_and_went_on_has_the_oracle_s_success_alone():
    route, beyond = along_a_line(0, 40, 80), along_a_line(0, 40, 80, 120, 160)
    found = measures.measure(beyond, route, stopped=True)
    assert (found["oracle_success"], found["spl"], found["sdtw"]) == (1.0, 0.0, 0.0)


def test_who_does_not_stop_has_not_succeeded():
    route = along_a_line(0, 40)
    assert measures.measure(route, route, stopped=False)["spl"] == 0.0


def test_pauses_count_once():
    route, waiting = along_a_line(0, 40), along_a_line(0, 0, 0, 40, 40)
    assert measures.measure(waiting, route, True) == measures.measure(route, route, True)


def test_a_track_without_positions_is_refused():
    with pytest.raises(ValueError, match="expected at least one"):
        measures.ndtw([], along_a_line(0))
