import gymnasium as gym
import pytest
from tests.evaluation.walks import WALK, Walk


@pytest.fixture(autouse=True, scope="module")
def _walk_is_registered():
    gym.register(WALK, entry_point=Walk)
    yield
    del gym.registry[WALK]
