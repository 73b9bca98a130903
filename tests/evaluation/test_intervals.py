from math import isnan

import numpy as np
import pytest

from verienv.evaluation.intervals import beta_quantile, clopper_pearson, paired_shares, t_probability, t_squared


def test_the_exact_interval_agrees_with_published_ones():
    # Newcombe (1998), Statistics in Medicine 17, 857-872, table I, method 5 (Clopper and Pearson).
    published = {
        (81, 263): (0.2527, 0.3676),
        (15, 148): (0.0578, 0.1617),
        (0, 20): (0.0, 0.1684),
        (1, 29): (0.0009, 0.1776),
    }
    for (successes, n), bounds in published.items():
        assert clopper_pearson(successes, n) == pytest.approx(bounds, abs=5e-5)


def test_the_exact_interval_holds_the_end_of_the_scale_exactly_and_mirrors():
    assert clopper_pearson(0, 20)[0] == 0.0
    assert clopper_pearson(20, 20)[1] == 1.0
    low, high = clopper_pearson([0, 1, 3.5], 20)
    mirrored = clopper_pearson([20, 19, 16.5], 20)
    assert low == pytest.approx(1 - mirrored[1])
    assert high == pytest.approx(1 - mirrored[0])


def test_of_no_trials_nothing_is_known():
    assert all(isnan(bound) for bound in clopper_pearson(0, 0))


def test_the_exact_bounds_are_where_the_binomial_tails_say():
    from math import comb

    low, high = clopper_pearson(7, 23)
    above = sum(comb(23, k) * low**k * (1 - low) ** (23 - k) for k in range(7, 24))
    below = sum(comb(23, k) * high**k * (1 - high) ** (23 - k) for k in range(8))
    assert (above, below) == pytest.approx((0.025, 0.025), abs=1e-9)


def test_quantiles_of_beta_agree_with_closed_forms():
    shares = np.array([1e-6, 0.025, 0.5, 0.975])
    for a in (0.03, 0.5, 1.0, 3.0, 1e4):
        assert beta_quantile(shares, a, 1.0) == pytest.approx(shares ** (1 / a), rel=1e-9)
        assert beta_quantile(shares, 1.0, a) == pytest.approx(1 - (1 - shares) ** (1 / a), rel=1e-6)
    assert beta_quantile(0.5, 1e5, 1e5) == pytest.approx(0.5)


def test_students_points_agree_with_the_printed_table():
    printed = {1: 12.7062, 2: 4.3027, 5: 2.5706, 9: 2.2622, 29: 2.0452, 120: 1.9799, 1e6: 1.9600}
    assert np.sqrt(t_squared(list(printed))) == pytest.approx(list(printed.values()), abs=5e-5)
    assert np.isinf(t_squared([0.0, -1.0])).all()


@pytest.mark.parametrize("pairs", [1, 5, 6, 10, 50, 1000])
def test_no_interval_of_pairs_is_empty_and_each_holds_what_was_seen(pairs):
    steps = np.arange(0, pairs + 1, max(1, pairs // 10))
    plus, minus = (part.ravel() for part in np.meshgrid(steps, steps))
    plus, minus = plus[plus + minus <= pairs], minus[plus + minus <= pairs]
    low, high = paired_shares(plus, minus, pairs)
    seen = (plus - minus) / pairs
    assert ((low <= seen) & (seen <= high)).all()
    assert (high - low > 1 / pairs).all()
    assert (low[plus <= minus] <= 0).all()
    mirrored = paired_shares(minus, plus, pairs)
    assert low == pytest.approx(-mirrored[1])


def test_students_p_values_agree_with_the_printed_table():
    # Abramowitz and Stegun (1964), table 26.10.
    printed = {
        (12.706, 1): 0.05,
        (4.303, 2): 0.05,
        (9.925, 2): 0.01,
        (1.833, 9): 0.1,
        (3.250, 9): 0.01,
        (2.617, 120): 0.01,
    }
    for (t, degrees), p in printed.items():
        assert t_probability(t, degrees) == pytest.approx(p, rel=2e-3)


def test_students_p_values_have_their_closed_forms_at_one_and_two_degrees():
    t = np.array([-30.0, -2.0, 0.001, 0.0, 1.0, 1e6])
    assert t_probability(t, 1) == pytest.approx(1 - 2 / np.pi * np.arctan(np.abs(t)), abs=1e-12)
    assert t_probability(t, 2) == pytest.approx(1 - np.abs(t) / np.sqrt(2 + t**2), abs=1e-12)


def test_students_p_value_is_5_percent_at_its_own_point():
    degrees = np.array([1.0, 2.5, 9.0, 333.3, 1e5])
    assert t_probability(np.sqrt(t_squared(degrees)), degrees) == pytest.approx(0.05, rel=1e-9)


def test_students_p_value_of_an_infinite_t_is_0_and_of_no_t_none():
    assert t_probability(np.inf, 3) == 0.0
    assert isnan(t_probability(np.nan, 3))


def test_students_p_values_agree_with_scipy():
    stats = pytest.importorskip("scipy.stats")
    t, degrees = np.meshgrid([0.01, 0.5, 2.0, 7.0, 40.0], [1.0, 1.7, 9.0, 120.0, 1e6])
    assert t_probability(t, degrees) == pytest.approx(2 * stats.t.sf(t, degrees), rel=1e-8, abs=1e-300)
