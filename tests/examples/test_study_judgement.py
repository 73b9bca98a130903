"""Judgement of a study's effects: words, corrected p values, power."""

from math import isnan, nan

import numpy as np
import pytest

from study_judgement import detectable, holm, judge, power, spearman, spread, starts_needed
from study_statistics import Effect


def found(mean, low, high, starts=(0.01, 0.05), shared=0.0):
    named = {f"s{i}": (one,) for i, one in enumerate(starts)}
    return Effect(mean, low, high, nan, named, shared, "")


def test_holm_agrees_with_a_worked_example():
    # By hand: 4 x 0.005; 3 x 0.01; 2 x 0.03; 0.04, but not below the one before.
    assert holm({"a": 0.01, "b": 0.04, "c": 0.03, "d": 0.005}) == pytest.approx(
        {"a": 0.03, "b": 0.06, "c": 0.06, "d": 0.02}
    )


def test_holm_never_exceeds_one_and_does_not_count_what_could_not_be_tested():
    corrected = holm({"a": 0.6, "b": 0.04, "c": nan})
    assert corrected["a"] == 0.6
    assert corrected["b"] == 0.08
    assert isnan(corrected["c"])
    assert holm({"a": 0.7, "b": 0.8}) == {"a": 1.0, "b": 1.0}


@pytest.mark.parametrize(
    ("effect", "p", "words"),
    [
        (found(0.06, 0.01, 0.11), None, "shown: higher: +6.0 points (+1.0 to +11.0)"),
        (found(-0.06, -0.11, -0.01), 0.04, "shown: lower: -6.0 points (-11.0 to -1.0)"),
        (found(0.02, 0.01, 0.03), None, "shown: higher, smaller than 5 points: +2.0 points (+1.0 to +3.0)"),
        (found(0.01, -0.02, 0.04), None, "no difference of 5 points: +1.0 points (-2.0 to +4.0)"),
        (found(0.02, 0.01, 0.03), 0.3, "no difference of 5 points: +2.0 points (+1.0 to +3.0)"),
    ],
)
def test_an_interval_is_put_into_words(effect, p, words):
    assert judge(effect, p) == words


def test_what_is_not_resolved_comes_with_the_starts_that_would():
    words = judge(found(0.02, -0.02, 0.06, starts=(-0.05, 0.0, 0.09)))
    starts = starts_needed(0.05, float(np.std([-0.05, 0.0, 0.09], ddof=1)))
    assert words == f"not resolved: +2.0 points (-2.0 to +6.0); about {starts} starts give 80% power at 5 points"


def test_what_many_comparisons_may_bring_about_by_chance_is_not_shown():
    words = judge(found(0.06, 0.01, 0.11, starts=(0.03, 0.09)), p=0.2)
    assert words.startswith(
        "not resolved: +6.0 points (+1.0 to +11.0); its own interval excludes 0, but not among so many;"
    )


def test_where_the_items_are_the_limit_more_starts_are_no_remedy():
    words = judge(found(0.02, -0.08, 0.12, starts=(0.01, 0.03), shared=0.05))
    assert words.endswith("no number of starts with these items gives 80% power at 5 points: take more items")


def test_enough_starts_are_not_asked_for_again():
    words = judge(found(0.04, -0.01, 0.09, starts=(0.02, 0.03, 0.04, 0.05, 0.06)))
    assert words.endswith("its starts are enough for 80% power at 5 points")


def test_one_start_is_judged_as_one():
    alone = found(0.06, -0.01, 0.11, starts=(0.06,))
    assert "(-1.0 to +11.0), of this start alone; from one start it cannot be told" in judge(alone)
    assert judge(found(0.06, nan, nan, starts=(0.06,))) == "not resolved, of this start alone: no interval"


@pytest.mark.parametrize(("size", "starts"), [(0.2, 199), (0.5, 34), (0.8, 15), (1.0, 10)])
def test_the_starts_needed_agree_with_the_known_sample_sizes_of_a_paired_t_test(size, starts):
    # Two-sided at 5%, power 80%, as G*Power 3.1 and the tables after Cohen (1988) have them.
    assert starts_needed(size, 1.0) == starts


def test_power_without_an_effect_is_the_level():
    assert [power(0.0, starts, 0.03) for starts in (2, 3, 10, 1000)] == pytest.approx([0.05] * 4, abs=1e-5)


def test_power_is_the_share_of_simulated_studies_that_find_the_effect():
    rng = np.random.default_rng(0)
    draws = 0.05 + rng.normal(0, 0.04, (200_000, 5)) + rng.normal(0, 0.03, (200_000, 5, 3)).mean(axis=2)
    t = draws.mean(axis=1) / (draws.std(axis=1, ddof=1) / 5**0.5)
    assert power(0.05, 5, 0.04, 0.03, seeds=3) == pytest.approx(np.mean(np.abs(t) > 2.776445), abs=0.004)


def test_power_with_shared_items_is_the_share_of_simulated_studies_that_find_the_effect():
    rng = np.random.default_rng(0)
    means = 0.05 + rng.normal(0, 0.03, (200_000, 4)) + rng.normal(0, 0.01, (200_000, 1))
    error = np.sqrt(means.var(axis=1, ddof=1) / 4 + 0.01**2)
    found = np.mean(np.abs(means.mean(axis=1)) > 3.182446 * error)
    assert power(0.05, 4, 0.03, shared=0.01) == pytest.approx(found, abs=0.004)


def test_the_detectable_effect_has_a_power_of_80_percent():
    for starts in (2, 3, 10):
        effect = detectable(starts, 0.03, 0.02, seeds=2, shared=0.005)
        assert power(effect, starts, 0.03, 0.02, seeds=2, shared=0.005) == pytest.approx(0.8, abs=1e-6)


def test_power_agrees_with_scipy():
    stats = pytest.importorskip("scipy.stats")
    for starts, effect in ((2, 0.3), (3, 0.05), (10, 0.03), (40, 0.01)):
        point, shift = stats.t.ppf(0.975, starts - 1), effect / 0.03 * starts**0.5
        expected = stats.nct.sf(point, starts - 1, shift) + stats.nct.cdf(-point, starts - 1, shift)
        assert power(effect, starts, 0.03) == pytest.approx(expected, abs=1e-6)


def test_the_spread_between_starts_is_told_from_that_of_seeds():
    rng = np.random.default_rng(0)
    starts = {str(i): tuple(rng.normal(0, 0.04) + rng.normal(0, 0.02, 3)) for i in range(4000)}
    assert spread(Effect(0, 0, 0, 0, starts, 0, "")) == pytest.approx((0.04, 0.02), rel=0.03)


def test_one_seed_a_start_does_not_tell_the_spread_of_seeds():
    between, within = spread(found(0.03, 0, 0.06))
    assert between == pytest.approx(0.04 / 2**0.5)
    assert isnan(within)


def test_spearman_gives_ties_their_mean_rank():
    assert spearman([1, 2, 3, 4], [10, 20, 30, 5]) == pytest.approx(-0.2)
    # Ranks 1, 2.5, 2.5, 4 against 1, 2, 3, 4: 4.5 / sqrt(4.5 x 5).
    assert spearman([1, 2, 2, 3], [1, 2, 3, 4]) == pytest.approx(0.9486833)
    assert isnan(spearman([1, 1, 1], [1, 2, 3]))
