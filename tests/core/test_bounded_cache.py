"""BoundedCache: bounded in bytes, the least recently used goes first."""

import pickle

import numpy as np
import pytest

from verienv.core.bounded_cache import BoundedCache


def array(count: int) -> np.ndarray:
    return np.zeros(count, np.uint8)


def test_an_object_is_made_once_while_it_is_held() -> None:
    cache = BoundedCache(10)
    first = cache.get("a", lambda: array(4))
    assert cache.get("a", lambda: array(9)) is first
    assert (len(cache), cache.nbytes) == (1, 4)


def test_arrays_come_back_read_only_held_or_not() -> None:
    cache = BoundedCache(4)
    for size in (4, 5):
        with pytest.raises(ValueError, match="read-only"):
            cache.get(size, lambda size=size: array(size))[0] = 1  # type: ignore[misc]


def test_the_least_recently_used_goes_first() -> None:
    cache = BoundedCache(10)
    for name in "ab":
        cache.get(name, lambda: array(5))
    kept = cache.get("a", lambda: array(5))
    cache.get("c", lambda: array(5))
    assert cache.get("a", lambda: array(5)) is kept
    assert cache.get("b", lambda: array(3)).nbytes == 3
    assert cache.nbytes <= 10


def test_an_object_larger_than_the_bound_is_made_anew_and_displaces_none() -> None:
    cache = BoundedCache(10)
    kept = cache.get("small", lambda: array(10))
    assert cache.get("large", lambda: array(11)) is not cache.get("large", lambda: array(11))
    assert cache.get("small", lambda: array(1)) is kept


def test_a_pickle_is_empty_and_keeps_the_bound() -> None:
    cache = BoundedCache(10)
    cache.get("a", lambda: array(4))
    copy = pickle.loads(pickle.dumps(cache))  # noqa: S301 - our own bytes
    assert (len(copy), copy.nbytes, copy.most_bytes) == (0, 0, 10)


def test_a_negative_bound_is_refused() -> None:
    with pytest.raises(ValueError, match="most_bytes=-1: expected at least 0"):
        BoundedCache(-1)
