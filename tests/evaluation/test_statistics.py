from math import isnan, nan

import numpy as np
import pytest

from verienv.evaluation.statistics import Estimate, estimates, ratio_estimates, wilson


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


def test_a_share_with_each_cluster_once_has_wilsons_interval():
    values = np.array([[1.0]] * 3 + [[0.0]] * 17)
    [found] = estimates(values, [f"hand {i}" for i in range(20)])
    assert found == Estimate(0.15, *wilson(3, 20))


def test_where_all_succeed_each_cluster_counts_once():
    [found] = estimates(np.ones((40, 1)), [f"hand {i % 10}" for i in range(40)])
    assert found == Estimate(1.0, *wilson(10, 10))


def test_one_cluster_tells_a_mean_and_no_interval():
    [found] = estimates(np.array([[1.0], [0.0]]), ["hand", "hand"])
    assert found.mean == 0.5
    assert isnan(found.low)
    assert isnan(found.high)


def test_no_episodes_tell_nothing():
    assert all(isnan(number) for number in estimates(np.zeros((0, 1)), [])[0])


def test_differences_are_never_taken_for_shares():
    [found] = estimates(np.ones((10, 1)), [f"hand {i}" for i in range(10)], paired=True)
    assert found == Estimate(1.0, 1.0, 1.0)


def test_fewer_than_six_clusters_prove_no_difference():
    [found] = estimates(np.ones((5, 1)), [f"hand {i}" for i in range(5)], paired=True)
    assert found.mean == 1.0
    assert isnan(found.low)


def test_the_same_data_give_the_same_interval():
    values, clusters = np.random.default_rng(0).normal(size=(60, 2)), [str(i % 20) for i in range(60)]
    assert estimates(values, clusters) == estimates(values, clusters)


def test_the_mean_is_over_episodes_not_over_clusters():
    values = np.array([[1.0], [0.0], [0.0], [1.0], [1.0], [0.0], [1.0]])
    [found] = estimates(values, list("abcdefa"))
    assert found.mean == pytest.approx(4 / 7)


def test_repeating_every_episode_in_its_cluster_makes_no_interval_narrower():
    values, clusters = np.random.default_rng(1).random((50, 1)), [str(i) for i in range(50)]
    [once], [often] = estimates(values, clusters), estimates(np.repeat(values, 8, axis=0), list(np.repeat(clusters, 8)))
    assert often == pytest.approx(once)


def test_values_and_clusters_of_different_lengths_are_refused():
    with pytest.raises(ValueError, match="episodes x metrics"):
        estimates(np.zeros((3, 1)), ["a", "b"])


def _correlated(rng: np.random.Generator, groups: int) -> tuple[np.ndarray, list[str]]:
    """Zeros and ones with mean 0.4; those of one cluster share a chance that is their own. Sizes vary."""
    chances, sizes = rng.beta(0.8, 1.2, size=groups), rng.integers(1, 8, size=groups)
    clusters = np.repeat(np.arange(groups), sizes)
    return (rng.random(len(clusters)) < chances[clusters]).astype(float)[:, None], [str(c) for c in clusters]


def test_intervals_of_correlated_clusters_hold_the_truth_as_often_as_they_say():
    rng, trials = np.random.default_rng(7), 400
    bootstrap = naive = 0
    for _ in range(trials):
        values, clusters = _correlated(rng, 60)
        [found] = estimates(values, clusters, resamples=400)
        low, high = wilson(float(values.sum()), len(values))
        bootstrap += found.low <= 0.4 <= found.high
        naive += low <= 0.4 <= high
    assert 0.91 <= bootstrap / trials <= 0.98
    assert naive / trials < 0.85  # what clustering is for


def test_paired_intervals_of_no_difference_exclude_0_as_rarely_as_they_say():
    rng, trials, found_one = np.random.default_rng(8), 400, 0
    for _ in range(trials):
        chances = np.repeat(rng.beta(0.8, 1.2, size=60), 4)
        difference = (rng.random(240) < chances).astype(float) - (rng.random(240) < chances)
        [found] = estimates(difference[:, None], [str(i // 4) for i in range(240)], paired=True, resamples=400)
        found_one += not found.low <= 0 <= found.high
    assert 0.02 <= found_one / trials <= 0.09


def test_many_clusters_are_resampled_in_bounded_memory_to_the_same_kind_of_interval(monkeypatch):
    values, clusters = np.random.default_rng(3).normal(size=(200, 1)), [str(i) for i in range(200)]
    [whole] = estimates(values, clusters)
    monkeypatch.setattr("verienv.evaluation.statistics._CHUNK", 1000)
    assert estimates(values, clusters)[0] == pytest.approx(whole)


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
    assert found == Estimate(1.0, *wilson(8, 8))


def test_a_ratio_told_by_few_clusters_has_no_interval_however_many_there_are():
    clusters = [str(i) for i in range(30)]
    [found] = ratio_estimates(counts((1, 2), (1, 3), (2, 2), (0, 1), (1, 1), *[(0, 0)] * 25), clusters)
    assert found.mean == 5 / 9
    assert isnan(found.low)
    [found] = ratio_estimates(counts((1, 2), (1, 3), (2, 2), (0, 1), (1, 1), (0, 1), *[(0, 0)] * 24), clusters)
    assert found.low < 5 / 10 < found.high


def test_the_same_attempts_on_both_sides_differ_by_nothing():
    both = np.random.default_rng(2).integers(1, 5, size=(20, 3, 1)) * np.array([1, 2])
    assert ratio_estimates(both, [str(i) for i in range(20)], minus=both) == [Estimate(0.0, 0.0, 0.0)] * 3


def test_a_difference_of_ratios_is_not_the_mean_of_differences():
    after, before = counts((1, 1), (10, 10)), counts((0, 1), (1, 20))
    [found] = ratio_estimates(after, ["a", "b"], minus=before)
    assert found.mean == 1 - 1 / 21


@pytest.mark.parametrize("minus", [None, np.zeros((4, 2, 2))])
def test_counts_of_another_shape_are_refused(minus):
    with pytest.raises(ValueError, match=r"shape"):
        ratio_estimates(np.zeros((4, 2)) if minus is None else np.zeros((4, 1, 2)), list("abcd"), minus=minus)


def _attempts(rng: np.random.Generator, clusters: int, gain: float = 0.0) -> np.ndarray:
    """Counts of routes that end at the first wrong attempt or at their length; each has a chance of its own."""
    chances, lengths = rng.beta(6, 2, size=clusters), rng.integers(5, 25, size=clusters)
    found = []
    for chance, length in zip(np.clip(chances + gain, 0, 1), lengths, strict=True):
        right = min(int(rng.geometric(1 - chance)) - 1 if chance < 1 else length, length)
        found.append((right, min(right + 1, length)))
    return counts(*found)


def test_intervals_of_ratios_hold_the_truth_about_as_often_as_they_say():
    rng, trials, held = np.random.default_rng(9), 300, 0
    routes = _attempts(np.random.default_rng(10), 100_000).sum(axis=(0, 1))
    truth = routes[0] / routes[1]
    for _ in range(trials):
        [found] = ratio_estimates(_attempts(rng, 80), [str(i) for i in range(80)], resamples=400)
        held += found.low <= truth <= found.high
    assert 0.90 <= held / trials <= 0.98


def test_differences_of_ratios_exclude_0_as_rarely_as_they_say_and_find_what_is_there():
    rng, trials = np.random.default_rng(11), 300
    clusters, by_gain = [str(i) for i in range(80)], {}
    for gain in (0.0, 0.15):
        excluded = 0
        for _ in range(trials):
            before, after = _attempts(rng, 80), _attempts(rng, 80, gain)
            [found] = ratio_estimates(after, clusters, minus=before, resamples=400)
            excluded += not found.low <= 0 <= found.high
        by_gain[gain] = excluded / trials
    assert 0.02 <= by_gain[0.0] <= 0.09
    assert by_gain[0.15] > 0.9


def test_an_unknown_bound_is_null_in_json_and_comes_back():
    from pydantic import TypeAdapter

    adapter = TypeAdapter(Estimate)
    text = adapter.dump_json(Estimate(0.5, nan, nan))
    assert text == b"[0.5,null,null]"
    assert isnan(adapter.validate_json(text).low)
