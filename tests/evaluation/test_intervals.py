from math import isnan

import numpy as np
import pytest

from verienv.evaluation.intervals import beta_quantile, clopper_pearson, paired_shares, t_squared


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
    for a in (0.5, 1.0, 3.0, 1e4):
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
