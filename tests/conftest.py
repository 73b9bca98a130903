"""The tests need no network: a model that is not in the cache is an error at once, not after minutes of trying."""

import os
from collections.abc import Callable, Iterator

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


@pytest.fixture(scope="module")
def one_thread() -> Iterator[None]:
    """Let torch use one thread: more only wait for each other on small models, the longer the busier the machine."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
