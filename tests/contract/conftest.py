"""The tasks from outside are on the list while a module of contract tests runs, and only then."""

from collections.abc import Iterator

import pytest
from tests.contract.playing import outside_tasks


@pytest.fixture(scope="module", autouse=True)
def _with_outside_tasks() -> Iterator[None]:
    with outside_tasks():
        yield
