"""The optimisers of torchao: learning goes on, small updates arrive in bfloat16, and runs go on after a break."""

import pytest

pytestmark = pytest.mark.integrations

FLOAT32 = "adamw float32"
OTHERS = ["adamw bfloat16", "adamw_8bit float32", "adamw_8bit bfloat16"]


@pytest.fixture(scope="module")
def said(in_library, tmp_path_factory):
    return in_library("torchao", "torchao_training.py", tmp_path_factory.mktemp("runs"))


@pytest.mark.parametrize("kind", OTHERS)
def test_losses_fall_as_those_of_adamw_in_float32(said, kind):
    expected, losses = said["losses"][FLOAT32], said["losses"][kind]
    fall = expected[0] - expected[-1]
    assert fall > 0.2 * expected[0]
    # bfloat16 weights have 8 bits: what they say differs by that before any update; moments differ from the second on.
    assert losses == pytest.approx(expected, abs=0.05 * fall)


@pytest.mark.parametrize("kind", [FLOAT32, *OTHERS])
def test_a_resumed_run_is_that_without_a_break_bit_for_bit(said, kind):
    assert said["resumed"][kind]


@pytest.mark.parametrize("optimiser", ["adamw", "adamw_8bit"])
@pytest.mark.parametrize("rate", ["1e-05", "1e-06"])
def test_small_updates_arrive_in_bfloat16_on_average(said, optimiser, rate):
    moved = said["moved"][rate]
    assert moved["plainly"] < 0.15
    assert moved[optimiser] == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize("optimiser", ["adamw", "adamw_8bit"])
def test_second_moments_of_bfloat16_weights_fall_with_the_gradients(said, optimiser):
    assert said["second_moment"][optimiser] == pytest.approx(1, abs=0.05)
