"""The statistics of a study over several starts, on studies small enough to be reckoned by hand."""

from math import atan, isnan, nan, pi, sqrt

import numpy as np
import pytest

from study_statistics import (
    contrast,
    effect,
    matched,
    over_starts,
    packed,
    paired_runs,
    success,
    unpacked,
    weights,
)
from verienv.evaluation import estimates
from verienv.evaluation.intervals import t_squared

RL, SFT = ("rl", 3e-4), ("sft", 3e-4)
N = 100
"""Items of a cell."""


def run(side, matching, ood, start="a", seed=0, updates=None, rng=None):
    """A run with so many of N items right at each point: the first ones, or any."""

    def cell(right):
        outcomes = np.arange(N) < right
        if rng is not None:
            outcomes = rng.permuted(outcomes)
        return {"episodes": N, "metrics": {"success": right / N}, "successes": packed(outcomes)}

    points = [
        {"update": u, "flops": 1e9 * u, "kl": 0.0, "cells": {"matching": cell(m), "ood": cell(o), "id": cell(m)}}
        for u, m, o in zip(updates or range(0, 10 * len(matching), 10), matching, ood, strict=True)
    ]
    return {"arm": side[0], "rate": side[1], "start": start, "seed": seed, "points": points}


def study(*runs, clusters=None):
    each = {"clusters": clusters or list(range(N))}
    return {"runs": list(runs), "items": {"matching": each, "ood": each, "id": each}}


def test_the_first_item_is_the_highest_bit_and_zeros_fill_the_last_byte():
    assert packed([1, 0, 0, 0, 0, 0, 0, 1, 1]) == "8180"


@pytest.mark.parametrize("n", [0, 1, 7, 8, 9, 1000])
def test_bits_come_back_as_they_were(n):
    outcomes = np.random.default_rng(n).random(n) < 0.5
    assert (unpacked(packed(outcomes), n) == outcomes).all()


@pytest.mark.parametrize("text", ["81", "818000", "81 80", "8181", "81zz", "8_80", "8180\n", None, 8180])
def test_bits_of_another_number_of_items_are_refused(text):
    with pytest.raises(ValueError, match="successes of 9 items: expected 4 hexadecimal digits"):
        unpacked(text, 9)


def test_between_two_points_a_measure_is_linear():
    assert weights([0, 10, 30], 15, 15) == pytest.approx([0, 0.75, 0.25])
    assert weights([0, 10, 30], 0, 30) == pytest.approx([1 / 6, 1 / 2, 1 / 3])  # the trapezoids' 5/30, 15/30, 10/30


def test_the_first_crossing_counts():
    assert weights([0, 4, 2, 6], 3, 3) == pytest.approx([0.25, 0.75, 0, 0])
    assert weights([0, 4, 2, 6], 5, 5) == pytest.approx([0, 0, 0.25, 0.75])


def test_of_points_at_one_position_the_first_counts():
    assert weights([0, 0, 4, 4, 8], 0, 0) == pytest.approx([1, 0, 0, 0, 0])
    assert weights([0, 0, 4, 4, 8], 4, 4) == pytest.approx([0, 0, 1, 0, 0])
    assert weights([0, 0, 4, 4, 8], 0, 8) == pytest.approx([0, 0.25, 0.25, 0.25, 0.25])


def test_a_position_where_the_run_never_was_has_no_weights():
    assert np.isnan(weights([0, 4, -2], 5, 5)).all()
    assert np.isnan(weights([0, 4, -2], -3, 2)).all()
    assert not np.isnan(weights([0, 4, -2], -2, 4)).any()


def test_the_mean_of_first_crossings_is_that_of_many_positions():
    rng = np.random.default_rng(0)
    for _ in range(50):
        path, measure = np.append(0, rng.integers(-6, 9, 5)), rng.random(6)
        low, high = sorted(rng.uniform(path.min() - 1e-9, path.max() + 1e-9, 2).clip(path.min(), path.max()))
        found = np.full(20_001, nan)
        for k in range(5):
            grid = np.linspace(low, high, len(found))
            first, last = path[k], path[k + 1]
            here = np.isnan(found) & (min(first, last) <= grid) & (grid <= max(first, last))
            share = (grid - first) / ((last - first) or 1)
            found[here] = (measure[k] + share * (measure[k + 1] - measure[k]))[here]
        assert weights(path, low, high) @ measure == pytest.approx(found.mean(), abs=1e-3)


def test_runs_are_matched_over_the_upper_half_of_what_their_ranges_have_in_common():
    (one, other), share = matched((np.array([0.0, 0.08]), np.array([0.0, 0.02, 0.04])))
    assert one == pytest.approx([0.625, 0.375])
    assert other == pytest.approx([0, 0.5, 0.5])
    assert share == pytest.approx(0.5)


def test_equal_curves_walked_at_unlike_speeds_do_not_differ_at_equal_gain():
    fast, slow = run(RL, [60, 70, 80], [50, 45, 40]), run(SFT, [60, 65, 70, 75, 80], [50, 47.5, 45, 42.5, 40])
    assert contrast(study(), (fast, run(SFT, [60, 80], [50, 40])), "ood").value == pytest.approx(0.0)
    assert slow["points"][1]["cells"]["matching"]["metrics"]["success"] == 0.65


def test_a_contrast_at_equal_gain_is_the_mean_of_the_vertical_distance():
    one, other = run(RL, [60, 70, 80], [50, 50, 50]), run(SFT, [60, 70, 80], [50, 46, 30])
    found = contrast(study(), (one, other), "ood")
    assert found.value == pytest.approx((4 + 20) / 2 / 100)
    assert found.overlap == 1.0
    assert contrast(study(), (one, other), "ood", at=0.05).value == pytest.approx(0.02)


def test_a_contrast_at_equal_updates_or_flops_interpolates_each_run():
    one = run(RL, [60, 70, 80], [50, 50, 50], updates=[0, 30, 60])
    other = run(SFT, [60, 70, 80], [50, 46, 30], updates=[0, 20, 40])
    assert contrast(study(), (one, other), "ood", "update", 30).value == pytest.approx(0.12)
    assert contrast(study(), (one, other), "ood", "flops", 20e9).value == pytest.approx(0.04)
    assert contrast(study(), (one, other), "id", "update", 30).value == pytest.approx(-0.05)


def test_runs_that_share_no_gain_have_no_contrast_but_a_reason():
    found = contrast(study(), (run(RL, [60, 10], [50, 2]), run(SFT, [60, 70], [50, 40])), "ood")
    assert isnan(found.value)
    assert found.overlap == 0.0
    assert found.reason == "the runs share no range of gain (rl -50 to 0, sft 0 to 10)"


def test_a_gain_that_a_run_does_not_reach_is_no_contrast_but_a_reason():
    found = contrast(study(), (run(RL, [60, 90], [50, 2]), run(SFT, [60, 70], [50, 40])), "ood", at=0.2)
    assert found.reason == "not both runs reach 20 in gain (rl 0 to 30, sft 0 to 10)"


def test_another_axis_is_refused():
    with pytest.raises(ValueError, match="along='kl': expected 'gain', 'update' or 'flops'"):
        contrast(study(), (run(RL, [60, 90], [50, 2]), run(SFT, [60, 70], [50, 40])), "ood", "kl")


def several(starts=4, seeds=2, seed=0):
    rng = np.random.default_rng(seed)
    return [
        run(side, [60, 75, 80 + rng.integers(5)], [50, 48, 40 + kept + rng.integers(9)], f"s{start}", one, rng=rng)
        for start in range(starts)
        for one in range(seeds)
        for side, kept in ((RL, 6), (SFT, 0))
    ]


def test_the_start_is_the_unit_and_copies_of_seeds_tell_nothing_new():
    runs = several(seeds=1)
    copies = [{**one, "seed": seed} for one in runs for seed in (1, 2, 3)]
    found, more = effect(study(*runs), RL, SFT), effect(study(*runs, *copies), RL, SFT)
    assert more[:4] == pytest.approx(found[:4])
    assert {start: len(each) for start, each in more.starts.items()} == dict.fromkeys(found.starts, 4)


def test_seeds_are_averaged_in_their_start():
    runs = several()
    found = effect(study(*runs), RL, SFT, along="update", at=20)
    by_hand = [
        np.mean([pair[0]["points"][-1]["cells"]["ood"]["metrics"]["success"] for pair in each])
        - np.mean([pair[1]["points"][-1]["cells"]["ood"]["metrics"]["success"] for pair in each])
        for each in (
            [pair for key, pair in paired_runs(study(*runs), RL, SFT).items() if key[0] == f"s{start}"]
            for start in range(4)
        )
    ]
    assert [np.mean(each) for each in found.starts.values()] == pytest.approx(by_hand)
    assert found.mean == pytest.approx(np.mean(by_hand))


def test_the_interval_over_starts_is_students():
    mean, low, high, p, shared = over_starts(np.array([0.01, 0.03, 0.05, 0.07]), {}, {})
    assert (mean, high - mean, mean - low) == pytest.approx((0.04, *[3.182446 * sqrt(0.002 / 3 / 4)] * 2))
    assert shared == 0.0
    assert p == pytest.approx(0.05, abs=0.005)  # t = 3.10, the table's 5% point is 3.18
    assert over_starts(np.array([0.01, 0.03]), {}, {})[3] == pytest.approx(1 - 2 / pi * atan(2))


def test_what_items_do_to_all_starts_alike_widens_the_interval():
    means, clusters = np.array([0.01, 0.03, 0.05, 0.07]), np.repeat(np.arange(50), 2)
    alike = np.tile(np.repeat(np.random.default_rng(0).normal(0, 0.2, 50), 2), (4, 1))
    [one] = estimates(alike[:1].T, clusters, shares=[False])
    found = over_starts(means, {"ood": alike}, {"ood": clusters})
    assert found[4] == pytest.approx((one.high - one.mean) / sqrt(float(t_squared(49))))
    assert found[2] - found[1] > over_starts(means, {}, {})[2] - over_starts(means, {}, {})[1]


def test_two_starts_that_happen_to_agree_do_not_pass_for_sure():
    alike = np.tile(np.random.default_rng(0).normal(0, 0.2, 100), (2, 1))
    mean, low, high, p, shared = over_starts(np.array([0.04, 0.04]), {"ood": alike}, {"ood": np.arange(100)})
    assert high - mean == pytest.approx(mean - low) == pytest.approx(12.7062 * shared, rel=1e-4)
    assert p > 0.05


def test_what_items_do_to_each_start_by_itself_is_in_the_spread_of_the_starts_already():
    opposed = np.random.default_rng(0).normal(0, 0.2, 100) * np.array([[1], [-1], [1], [-1]])
    found = over_starts(np.array([0.01, 0.03, 0.05, 0.07]), {"ood": opposed}, {"ood": np.arange(100)})
    assert found == over_starts(np.array([0.01, 0.03, 0.05, 0.07]), {}, {})


def test_starts_that_do_not_vary_have_no_interval():
    assert all(isnan(each) for each in over_starts(np.array([0.02, 0.02]), {}, {})[1:4])


def test_one_start_has_the_interval_of_its_items_and_says_so():
    one, other = several(starts=1, seeds=1)
    clusters = [i // 2 for i in range(N)]
    found = effect(study(one, other, clusters=clusters), RL, SFT, along="update", at=20)
    ends = [unpacked(each["points"][-1]["cells"]["ood"]["successes"], N).astype(float) for each in (one, other)]
    [by_hand] = estimates((ends[0] - ends[1])[:, None], clusters, paired=True)
    assert found[:3] == pytest.approx(tuple(by_hand), abs=1e-12)
    assert isnan(found.p)
    assert found.about == "other items, of this start alone"


def test_one_start_is_less_sure_at_equal_gain_than_its_ood_items_tell():
    runs = several(starts=1, seeds=1)
    found = effect(study(*runs), RL, SFT)
    parts = contrast(study(*runs), (runs[0], runs[1]), "ood").items
    [by_hand] = estimates(parts["ood"][:, None], list(range(N)), paired=True, shares=[True])
    assert found.mean == pytest.approx(by_hand.mean)
    assert found.high - found.low > by_hand.high - by_hand.low


def test_seeds_that_differ_widen_the_interval_of_one_start():
    one, other = several(starts=1, seeds=1)
    alike = [{**each, "seed": 1} for each in (one, other)]
    apart = [run(RL, [60, 75, 82], [50, 48, 20], "s0", 1), run(SFT, [60, 75, 82], [50, 48, 60], "s0", 1)]
    narrow, wide = (effect(study(one, other, *more), RL, SFT) for more in (alike, apart))
    assert wide.high - wide.low > 2 * (narrow.high - narrow.low)


def test_pairs_that_cannot_be_compared_are_named_and_left_out():
    ruined = [run(RL, [60, 40, 10], [50, 20, 5], "s9"), run(SFT, [60, 65, 70], [50, 48, 45], "s9")]
    found = effect(study(*several(), *ruined), RL, SFT)
    assert list(found.starts) == ["s0", "s1", "s2", "s3"]
    assert found.left_out == ("s9, seed 0: the runs share no range of gain (rl -50 to 0, sft 0 to 10)",)
    assert 0.5 < found.overlap < 0.9


def test_where_no_pair_can_be_compared_nothing_is_known():
    ruined = [run(RL, [60, 40, 10], [50, 20, 5]), run(SFT, [60, 65, 70], [50, 48, 45])]
    found = effect(study(*ruined), RL, SFT)
    assert all(isnan(each) for each in found[:4])
    assert found.about == "nothing: no pair could be compared"


def test_sides_without_a_common_start_are_refused_with_the_sides_there_are():
    runs = [run(RL, [60, 70], [50, 40], "a"), run(SFT, [60, 70], [50, 40], "b")]
    with pytest.raises(ValueError, match=r"there are runs of rl at 0\.0003, sft at 0\.0003"):
        paired_runs(study(*runs), RL, SFT)


def test_the_table_is_recomputed_from_the_bits():
    runs = several()
    for one in runs:
        for point in one["points"]:
            point["cells"]["ood"]["metrics"] = {}
    found = success(study(*runs), "ood")
    assert list(found) == [RL, SFT]
    ends = [unpacked(one["points"][-1]["cells"]["ood"]["successes"], N).mean() for one in runs if one["arm"] == "sft"]
    assert found[SFT].mean == pytest.approx(np.mean(ends))
    assert found[SFT].low < found[SFT].mean < found[SFT].high
    assert success(study(*runs), "ood", point=0)[RL].mean == pytest.approx(0.5)


def test_no_interval_leaves_the_scale():
    rare = [run(RL, [60, 70], [50, right], start) for start, right in (("a", 0), ("b", 0), ("c", 3))]
    assert success(study(*rare), "ood")[RL].low == 0.0
