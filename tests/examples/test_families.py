"""Every family of vision-language models goes through SFT, PPO over several turns, a checkpoint and evaluation."""

from itertools import pairwise
from pathlib import Path

import pytest
from safetensors.torch import load_file
from tests.families import FAMILIES, all_families

import ppo
import sft
import verienv
from verienv.policies import HuggingFacePolicy

VISION = "verienv/GeneralPoints-VL-v0"
SFT = {"flops": 6e8, "checkpoints": 1, "batch": 2, "micro_batch": 2, "warm_up": 1, "learning_rate": 1e-3}
PPO = {
    "flops": 1e9, "checkpoints": 1, "episodes": 2, "minibatch": 2, "micro_batch": 2, "batch": 2, "attempts": 2,
    "max_new_tokens": 8, "warm_up": 1, "learning_rate": 1e-3,
}  # fmt: skip
pytestmark = pytest.mark.filterwarnings(  # of PaliGemma's processor
    "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"
)


def moved(before, after, part):
    """Whether training changed a weight of this part, and left none that is not a number."""
    assert all(weight.isfinite().all() for weight in after.values())
    return any(not before[name].equal(after[name]) for name in before if part in name)


@pytest.mark.parametrize("name", all_families(often=("idefics3", "llava", "mllama", "paligemma2")))
def test_a_family_goes_through_sft_ppo_over_two_turns_a_checkpoint_and_evaluation(name, tmp_path):
    start = FAMILIES[name].save(tmp_path / "start")
    tuned = sft.train(sft.Arguments(probes=0, model=start, env=VISION, device="cpu", out=tmp_path / "sft", **SFT))
    (first,) = tuned.checkpoints()
    run = ppo.train(ppo.Arguments(probes=0, model=str(first), env=VISION, device="cpu", out=tmp_path / "ppo", **PPO))
    (last,) = run.checkpoints()
    weights = [load_file(Path(folder) / "model.safetensors") for folder in (start, first, last)]
    for before, after in pairwise(weights):
        assert moved(before, after, "vis")
        assert moved(before, after, "layers.0.self_attn.q_proj") or moved(before, after, "linear_attn")
    update = run.lines()[0]
    assert update["attempts"] == 2
    assert abs(update["kl"]) < 1e-3  # nothing has moved yet: sampling and training agree on every token
    assert update["clip_fraction"] == 0
    policy = HuggingFacePolicy.load(str(last), device="cpu", max_new_tokens=8)
    results = verienv.evaluate(policy, VISION, ("train",), episodes=2, attempts=2)
    assert "misread" in str(results)
