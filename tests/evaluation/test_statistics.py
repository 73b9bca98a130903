from math import isnan, nan

import numpy as np
import pytest

from verienv.evaluation.intervals import clopper_pearson
from verienv.evaluation.statistics import Estimate, estimates, ratio_estimates, unpaired, wilson


def test_wilson_agrees_with_published_intervals():
    # Newcombe (1998), Statistics in Medicine 17, table I, method 3.
    published = {
        (81, 263): (0.2553, 0.3662),
        (15, 148): (0.0624, 0.1605),
        (0, 20): (0.0, 0.1611),
        (1, 29): (0.0061, 0.1718),
    }
    for (successes, n), bounds in published.items():
        assert wilson(successes, n) == pytest.approx(bounds, abs=5e-5)


def test_wilson_holds_the_end_of_the_scale_exactly():
    assert wilson(0, 20)[0] == 0.0
    assert wilson(20, 20)[1] == 1.0


def test_wilson_of_no_trials_is_unknown():
    assert all(isnan(bound) for bound in wilson(0, 0))


def exact(successes: float, n: float) -> tuple[float, float]:
    low, high = clopper_pearson(successes, n)
    return float(low), float(high)


def test_a_share_with_each_cluster_once_has_the_exact_interval():
    values = np.array([[1.0]] * 3 + [[0.0]] * 17)
    [found] = estimates(values, [f"hand {i}" for i in range(20)])
    assert found == pytest.approx(Estimate(0.15, *exact(3, 20)))


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_where_all_came_out_alike_each_cluster_counts_once(share):
    [found] = estimates(np.full((40, 1), share), [f"hand {i % 10}" for i in range(40)])
    assert found == Estimate(share, *exact(10 * share, 10))


@pytest.mark.parametrize("successes", range(1, 10))
def test_with_all_episodes_of_a_cluster_alike_the_number_of_clusters_is_what_counts(successes):
    values = np.repeat(np.arange(10) < successes, 7)[:, None]
    [found] = estimates(values, list(np.repeat([f"hand {i}" for i in range(10)], 7)))
    assert found == pytest.approx(Estimate(successes / 10, *exact(successes, 10)))


def test_episodes_of_a_cluster_that_differ_among_themselves_count_nearly_all():
    rng = np.random.default_rng(0)
    values, clusters = rng.random((2000, 1)) < 0.4, [str(i % 200) for i in range(2000)]
    [found] = estimates(values, clusters)
    low, high = exact(values.sum(), 2000)
    assert high - low <= found.high - found.low <= 1.15 * (high - low)


def test_of_one_cluster_a_share_may_be_nearly_anything():
    [found] = estimates(np.array([[1.0], [0.0]]), ["hand", "hand"])
    assert found.mean == 0.5
    assert found.low < 0.01
    assert found.high > 0.99


def test_no_episodes_tell_nothing():
    assert all(isnan(number) for number in estimates(np.zeros((0, 1)), [])[0])


def differences(plus: int, minus: int, pairs: int) -> Estimate:
    values = np.array([1.0] * plus + [-1.0] * minus + [0.0] * (pairs - plus - minus))[:, None]
    [found] = estimates(values, [f"hand {i}" for i in range(pairs)], paired=True)
    return found


def test_pairs_of_which_all_differ_leave_room_for_others():
    assert differences(10, 0, 10) == pytest.approx((1.0, 0.38, 1.0), abs=0.005)
    assert differences(0, 10, 10) == pytest.approx((-1.0, -1.0, -0.38), abs=0.005)


def test_pairs_of_which_none_differ_leave_room_for_others():
    assert differences(0, 0, 50) == pytest.approx((0.0, -0.0711, 0.0711), abs=5e-5)  # 1 - 0.025 ** (1 / 50)


@pytest.mark.parametrize(("pairs", "shown"), [(5, False), (6, True)])
def test_as_many_pairs_prove_a_difference_as_a_sign_test_needs(pairs, shown):
    # 2 / 2**5 is above 5%, 2 / 2**6 is not.
    assert (differences(pairs, 0, pairs).low > 0) == shown


@pytest.mark.parametrize("successes", [0, 1, 3, 10])
def test_pairs_of_a_cluster_that_all_differ_alike_count_once(successes):
    values = np.repeat(np.arange(10) < successes, 7)[:, None].astype(float)
    [found] = estimates(values, list(np.repeat([f"hand {i}" for i in range(10)], 7)), paired=True)
    assert found == pytest.approx(differences(successes, 0, 10))


def test_a_mean_that_is_no_share_has_students_interval():
    # Student's 97.5% point for 3 degrees of freedom is 3.18245.
    [found] = estimates(np.array([[5.0], [-3.0], [5.0], [2.0]]), list("abcd"))
    assert found == pytest.approx((2.25, 2.25 - 3.18245 * 1.88746, 2.25 + 3.18245 * 1.88746), abs=1e-4)


def test_clusters_that_happen_to_agree_make_no_mean_certain():
    [found] = estimates(np.array([[5.0], [-3.0]] * 10), [str(i // 2) for i in range(20)])
    assert found.high - found.low > 2


@pytest.mark.parametrize("paired", [False, True])
@pytest.mark.parametrize("value", [-3.0, 0.1, 5.0])
def test_rewards_that_are_all_one_tell_no_interval(value, paired):
    [found] = estimates(np.full((12, 1), value), [str(i % 4) for i in range(12)], paired=paired)
    assert found.mean == pytest.approx(value)
    assert isnan(found.low)
    assert isnan(found.high)


def test_numbers_that_are_no_shares_are_not_taken_for_any():
    # Attempts: all were the first, which says nothing below 1 is likely.
    [found] = estimates(np.ones((12, 1)), [str(i) for i in range(12)], shares=[False])
    assert isnan(found.low)


def test_shares_of_an_episode_are_surer_than_trials_and_never_certain():
    rng = np.random.default_rng(4)
    progress = np.clip(rng.normal(0.6, 0.1, size=(50, 1)), 0, 1)
    clusters = [str(i) for i in range(50)]
    [found] = estimates(progress, clusters, shares=[True])
    low, high = exact(50 * progress.mean(), 50)
    assert found.low < progress.mean() < found.high
    assert found.high - found.low < 0.5 * (high - low)
    for paired in (False, True):
        [alike] = estimates(np.full((50, 1), 0.5), clusters, shares=[True], paired=paired)
        assert alike.low < 0.5 < alike.high


def test_the_same_data_give_the_same_interval():
    values, clusters = np.random.default_rng(0).normal(size=(60, 2)), [str(i % 20) for i in range(60)]
    assert estimates(values, clusters) == estimates(values, clusters)


def test_the_mean_is_over_episodes_not_over_clusters():
    values = np.array([[1.0], [0.0], [0.0], [1.0], [1.0], [0.0], [1.0]])
    [found] = estimates(values, list("abcdefa"))
    assert found.mean == pytest.approx(4 / 7)


def test_repeating_every_episode_in_its_cluster_makes_no_interval_narrower():
    values, clusters = np.random.default_rng(1).normal(size=(50, 1)), [str(i) for i in range(50)]
    [once], [often] = estimates(values, clusters), estimates(np.repeat(values, 8, axis=0), list(np.repeat(clusters, 8)))
    assert often == pytest.approx(once)


def test_values_and_clusters_of_different_lengths_are_refused():
    with pytest.raises(ValueError, match="episodes x metrics"):
        estimates(np.zeros((3, 1)), ["a", "b"])


def counts(*pairs: tuple[int, int]) -> np.ndarray:
    """Of one ratio, episode by episode: how many were counted, among how many."""
    return np.array(pairs)[:, None, :]


def test_a_ratio_pools_the_attempts_of_all_episodes():
    [found] = ratio_estimates(counts((9, 10), (0, 2)), ["a", "b"])
    assert found.mean == 9 / 12


def test_a_ratio_among_one_attempt_each_is_a_mean_with_the_interval_of_a_mean():
    rng = np.random.default_rng(5)
    values, clusters = (rng.random((40, 1)) < 0.3).astype(float), [str(i % 15) for i in range(40)]
    assert ratio_estimates(np.stack([values, np.ones_like(values)], axis=2), clusters) == estimates(values, clusters)


def test_a_ratio_of_nothing_is_unknown():
    [found] = ratio_estimates(counts((0, 0), (0, 0)), ["a", "b"])
    assert all(isnan(number) for number in found)


def test_no_episodes_tell_no_ratio():
    assert all(isnan(number) for number in ratio_estimates(np.zeros((0, 1, 2)), [])[0])


def test_where_all_attempts_are_counted_each_cluster_that_has_some_counts_once():
    [found] = ratio_estimates(counts(*[(5, 5)] * 10, (0, 0)), [str(i % 8) for i in range(10)] + ["none"])
    assert found == Estimate(1.0, *exact(8, 8))


def test_a_ratio_told_by_few_clusters_has_a_wide_interval_however_many_there_are():
    clusters = [str(i) for i in range(30)]
    [found] = ratio_estimates(counts((1, 2), (1, 3), (2, 2), (0, 1), (1, 1), *[(0, 0)] * 25), clusters)
    low, high = exact(5, 9)
    assert found.mean == 5 / 9
    assert found.high - found.low >= high - low


def test_the_same_attempts_on_both_sides_differ_by_nothing_that_is_known():
    both = np.random.default_rng(2).integers(1, 5, size=(20, 3, 1)) * np.array([1, 2])
    for found in ratio_estimates(both, [str(i) for i in range(20)], minus=both):
        assert found.mean == 0.0
        assert -0.3 < found.low < 0.0 < found.high < 0.3


@pytest.mark.parametrize(("counted", "minus", "mean"), [(0, 0, 0.0), (5, 5, 0.0), (5, 0, 1.0), (0, 5, -1.0)])
def test_ratios_at_the_ends_of_the_scale_differ_as_pairs_of_clusters_do(counted, minus, mean):
    clusters = [str(i) for i in range(10)]
    [found] = ratio_estimates(counts(*[(counted, 5)] * 10), clusters, minus=counts(*[(minus, 5)] * 10))
    assert found == pytest.approx(differences(10 * (mean > 0), 10 * (mean < 0), 10))
    assert found.mean == mean


def test_a_difference_of_ratios_is_not_the_mean_of_differences():
    after, before = counts((1, 1), (10, 10)), counts((0, 1), (1, 20))
    [found] = ratio_estimates(after, ["a", "b"], minus=before)
    assert found.mean == 1 - 1 / 21


@pytest.mark.parametrize("minus", [None, np.zeros((4, 2, 2))])
def test_counts_of_another_shape_are_refused(minus):
    with pytest.raises(ValueError, match=r"shape"):
        ratio_estimates(np.zeros((4, 2)) if minus is None else np.zeros((4, 1, 2)), list("abcd"), minus=minus)


def test_shares_measured_apart_differ_by_newcombes_interval():
    # Newcombe (1998), Statistics in Medicine 17, 873-890, table II, example (a), method 10: 56/70 and 48/80.
    one, other = (Estimate(x / n, *wilson(x, n)) for x, n in ((56, 70), (48, 80)))
    assert unpaired(one, other) == pytest.approx((0.2, 0.0524, 0.3339), abs=5e-5)


@pytest.mark.parametrize("shares", [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0)])
def test_shares_measured_apart_at_the_ends_leave_room(shares):
    one, other = (Estimate(share, *exact(50 * share, 50)) for share in shares)
    found = unpaired(one, other)
    assert found.low <= shares[0] - shares[1] <= found.high
    assert 0.07 < found.high - found.low < 0.15


def test_an_unknown_bound_is_null_in_json_and_comes_back():
    from pydantic import TypeAdapter

    adapter = TypeAdapter(Estimate)
    text = adapter.dump_json(Estimate(0.5, nan, nan))
    assert text == b"[0.5,null,null]"
    assert isnan(adapter.validate_json(text).low)


def test_equal_results_with_unknown_bounds_are_equal():
    once, again = (estimates(np.full((9, 1), -3.0), list("abcdefghi")) for _ in range(2))
    assert once == again
    assert isnan(once[0].low)
