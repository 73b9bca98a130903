"""What tests share. They need no network: a model that is not in the cache is an error at once, not after minutes."""

import os
from collections.abc import Callable, Iterator
from functools import lru_cache

import pytest

os.environ["HF_HUB_OFFLINE"] = "1"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--fuzz-share", type=float, default=1.0, help="the share of each fuzzing test's size that is run")
    parser.addoption("--fuzz-seed", type=int, default=0, help="the seed of the fuzzing tests")


@pytest.fixture
def fuzz_size(request: pytest.FixtureRequest) -> Callable[[int], int]:
    """Turn the full size of a fuzzing test into the size that this run asked for."""
    share = float(request.config.getoption("--fuzz-share"))
    return lambda full: max(1, round(full * share))


@pytest.fixture
def fuzz_seed(request: pytest.FixtureRequest) -> int:
    return int(request.config.getoption("--fuzz-seed"))


@pytest.fixture(scope="session")
def scanning() -> list[tuple[object, str, object]]:
    """The two functions that look through a text sign by sign, each with a memory: a module, a name, the function."""
    from verienv.core import loose_json, response

    each = [(response, "find_objects"), (loose_json, "nesting")]
    return [(module, name, lru_cache(maxsize=None)(getattr(module, name))) for module, name in each]


@pytest.fixture(scope="module")
def texts_scanned_once(scanning: list[tuple[object, str, object]]) -> Iterator[None]:
    """Let texts be looked through once: those of check_verifier, some of 64 KiB, come back with every verifier."""
    with pytest.MonkeyPatch.context() as patch:
        for module, name, function in scanning:
            patch.setattr(module, name, function)
        yield


@pytest.fixture(scope="module")
def one_thread() -> Iterator[None]:
    """Let torch use one thread: more only wait for each other on small models, the longer the busier the machine."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
