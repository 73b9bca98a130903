"""The benchmarks are scripts in a folder of their own, which stand on the examples and tools."""

import sys
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).parents[2]
for folder in ("", "tools", "examples", "benchmarks"):
    sys.path.insert(0, str(ROOT / folder))


@pytest.fixture(autouse=True, scope="session")
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
