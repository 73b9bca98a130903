"""The plan of memory: its arithmetic by hand, its advice, and what a model takes that is measured."""

import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from verienv.policies.devices import available_memory, readable
from verienv.policies.memory import GB, MemoryPlan
from verienv.policies.shape import Shape, Tower

ROOT = Path(__file__).parents[2]
TOWER = Tower(layers=2, hidden=8, intermediate=24, queries=8, keys=4, gated=True)
SHAPE = Shape(
    name="made", parameters=1000, matrices=900, linear_sides=100, largest=300, layer=200, outside=600, vocabulary=50,
    text=TOWER,
)  # fmt: skip
SEES = replace(
    SHAPE,
    patches=16,
    vision=Tower(layers=1, hidden=4, intermediate=8, queries=4, keys=4, gated=False, root_mean_square=False),
)
LLAMA_3B = {
    "hidden_size": 3072, "intermediate_size": 8192, "num_hidden_layers": 28, "num_attention_heads": 24,
    "num_key_value_heads": 8, "vocab_size": 128256, "tie_word_embeddings": True,
}  # fmt: skip
QWEN_3B = {
    "text_config": {
        "hidden_size": 2048, "intermediate_size": 11008, "num_hidden_layers": 36, "num_attention_heads": 16,
        "num_key_value_heads": 2, "vocab_size": 151936,
    },
    "vision_config": {"depth": 32, "hidden_size": 1280, "intermediate_size": 3420, "out_hidden_size": 2048},
    "tie_word_embeddings": True,
}  # fmt: skip
LAYER = 4 * (3 * 8 + 3 * 8 + 2 * 8 + 2 * 4 + 4 * 24)
"""Bytes a token: inputs, normed and outputs of two norms, queries, attention, keys and values, and the MLP's four."""


@pytest.mark.parametrize(("name", "parameters"), [("tiny-lm", 935_040), ("tiny-vlm", 1_476_256)])
def test_parameters_are_those_of_the_loaded_model(name, parameters):
    from transformers import AutoConfig

    assert Shape.of(AutoConfig.from_pretrained(ROOT / "assets" / "models" / name)).parameters == parameters


def test_a_vision_tower_and_its_patches_are_read():
    from transformers import AutoConfig

    shape = Shape.of(AutoConfig.from_pretrained(ROOT / "assets" / "models" / "tiny-vlm"))
    assert (shape.vision.layers, shape.vision.hidden, shape.vision.gated, shape.patches) == (3, 96, False, 64)


@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")  # peft asks for it
def test_an_adapter_is_counted_as_peft_makes_it():
    peft = pytest.importorskip("peft")
    from transformers import AutoConfig, AutoModelForCausalLM

    config = AutoConfig.from_pretrained(ROOT / "assets" / "models" / "tiny-lm")
    wanted = peft.LoraConfig(r=16, target_modules="all-linear")
    adapted = peft.get_peft_model(AutoModelForCausalLM.from_config(config), wanted)
    trained = sum(weight.numel() for weight in adapted.parameters() if weight.requires_grad)
    assert 16 * Shape.of(config).linear_sides == trained


def test_experts_count_as_far_as_a_token_passes_them():
    from transformers import Qwen3MoeConfig

    config = Qwen3MoeConfig(
        hidden_size=16, intermediate_size=64, moe_intermediate_size=8, num_hidden_layers=2, num_attention_heads=2,
        num_key_value_heads=1, head_dim=8, num_experts=4, num_experts_per_tok=2, vocab_size=32,
    )  # fmt: skip
    text = Shape.of(config).text
    assert (text.intermediate, text.normed_heads, text.keys) == (2 * 8, True, 8)


def test_training_in_float32_is_as_by_hand():
    plan = MemoryPlan(SHAPE, tokens=10)
    assert plan.parts == {
        "weights": 4000, "gradients": 4000, "optimiser": 8000, "logits": 12 * 50 * 10,
        "activations": 10 * (2 * LAYER + 4 * 3 * 8),
    }  # fmt: skip
    assert plan.phases == {"forward and backward": 16_000 + 10 * (2 * LAYER + 96) + 6000, "step": 16_000}
    assert plan.peak == plan.phases["forward and backward"]


def test_a_single_micro_batch_has_activations_or_gradients():
    several, single = (MemoryPlan(SHAPE, tokens=10, accumulates=accumulates) for accumulates in (True, False))
    assert several.peak - single.peak == 4000


def test_checkpointing_keeps_one_tensor_a_layer():
    plan = MemoryPlan(SHAPE, tokens=10, checkpointing=True)
    assert plan.parts["activations"] == 10 * (2 * 4 * 8 + 4 * 3 * 8)
    assert plan.parts["recomputed"] == 10 * (LAYER + 4 * 3 * 24)


def test_padding_keeps_a_mask_and_keys_for_every_query():
    alone, padded = (MemoryPlan(SHAPE, tokens=10, micro_batch=rows) for rows in (1, 2))
    assert padded.parts["activations"] - alone.parts["activations"] == 10 * 2 * 4 * (2 * (8 - 4) + 5)


def test_pictures_pass_the_vision_tower():
    alone, seeing = (MemoryPlan(shape, tokens=10) for shape in (SHAPE, SEES))
    layer, way = 4 * (4 * 4 + 4 * 4 + 2 * 8), 4 * (4 * 4 + 2 * 8)
    assert seeing.parts["activations"] - alone.parts["activations"] == 16 * (layer + way)


def test_autocast_copies_matrices_and_halves_products():
    plan = MemoryPlan(SHAPE, tokens=10, autocast=True)
    assert plan.parts["bfloat16 copies"] == 2 * 900
    assert plan.parts["activations"] == 10 * (2 * (26 * 8 + 2 * (2 * 8 + 2 * 4 + 4 * 24)) + 10 * 8)


def test_adamw_that_is_not_fused_takes_a_copy_of_the_weights():
    assert MemoryPlan(SHAPE, fused=False).phases["step"] == 20 * 1000


def test_weights_in_bfloat16_with_8_bit_moments_take_six_bytes():
    plan = MemoryPlan(SHAPE, weights="bfloat16", optimiser="adamw_8bit")
    assert sum(plan.parts[name] for name in ("weights", "gradients", "optimiser")) == 6030


def test_an_adapter_needs_gradients_of_its_own_size():
    plan = MemoryPlan(SHAPE, method="ppo", lora=2, weights="bfloat16")
    assert (plan.parts["weights"], plan.parts["gradients"]) == (2 * 1000 + 4 * 200, 4 * 200)


def test_the_copy_of_a_start_is_as_large_as_what_is_trained_its_adapter_included():
    for plan in (MemoryPlan(SHAPE, start=True), MemoryPlan(SHAPE, start=True, lora=2, shards=2)):
        assert plan.parts["start"] == plan.parts["weights"]
        without = replace(plan, start=False)
        assert {plan.phases[name] - without.phases[name] for name in plan.phases} == {plan.parts["start"]}


def test_the_buckets_of_copies_hold_the_gradients_also_while_the_policy_samples():
    alone = MemoryPlan(SHAPE, method="ppo", tokens=10, cached_tokens=10)
    copied = replace(alone, copied=True)
    assert copied.phases == alone.phases | {"sampling": alone.phases["sampling"] + alone.parts["gradients"]}
    assert replace(copied, shards=2).phases == replace(alone, shards=2).phases


def test_sharding_divides_all_but_activations_and_the_layers_at_work():
    one, two = (MemoryPlan(SHAPE, tokens=10, shards=shards) for shards in (1, 2))
    assert two.parts["weights"] == one.parts["weights"] / 2
    assert two.parts["activations"] == one.parts["activations"]
    assert two.parts["gathered"] == 4 * (2 * 600 + 3 * 200) + 4 * 600


def test_sampling_gathers_all_weights_that_are_sharded():
    plan = MemoryPlan(SHAPE, method="ppo", shards=4, autocast=True)
    assert plan.parts["gathered whole"] == 2 * 1000
    assert plan.phases["sampling"] == (4 + 8) * 1000 / 4 + 2 * 1000 + plan.parts["prompts"]


def test_sharding_gathers_layers_where_logits_are_gone():
    plan = MemoryPlan(SHAPE, tokens=1, shards=2)
    held = 4000 // 2 * 4 + plan.parts["activations"]
    assert plan.phases["forward and backward"] == held + plan.parts["gathered"]
    longer = replace(plan, tokens=100)
    assert longer.peak == held + 99 * plan.parts["activations"] + 4 * 600 + longer.parts["logits"]


def test_logits_are_made_of_scored_tokens_alone():
    plan = MemoryPlan(SHAPE, tokens=40, micro_batch=4, scored_tokens=8)
    assert plan.parts["logits"] == 12 * 50 * 8
    assert plan.lowered(plan.peak - 1).scored_tokens == 4


def test_a_price_on_the_divergence_from_the_start_takes_16_bytes_a_logit_more():
    free, priced = (MemoryPlan(SHAPE, tokens=10, priced=priced) for priced in (False, True))
    assert [plan.parts["logits"] for plan in (free, priced)] == [12 * 50 * 10, 28 * 50 * 10]


def test_sampling_holds_keys_and_values_of_all_dialogues():
    plan = MemoryPlan(SHAPE, method="evaluate", cached_tokens=30, batch=3)
    assert plan.parts["cache"] == 2 * 4 * 2 * 4 * 30
    assert plan.phases == {"sampling": 4000 + 2 * 4 * 2 * 4 * 30 + (12 * 24 + 12 * 8) * 30 + 16 * 50 * 3}


def test_a_3b_model_takes_16_bytes_a_weight_and_20_where_adamw_is_not_fused():
    from transformers import LlamaConfig

    plan = MemoryPlan(Shape.of(LlamaConfig(**LLAMA_3B)), method="ppo", autocast=True, start=True, tokens=8192)
    held = [plan.parts[name] for name in ("weights", "gradients", "optimiser")]
    assert sum(held) == pytest.approx(51 * GB, rel=0.02)
    assert sum(held) + replace(plan, fused=False).parts["step"] == pytest.approx(64 * GB, rel=0.02)
    assert plan.parts["bfloat16 copies"] == pytest.approx(6.4 * GB, rel=0.02)
    assert plan.parts["start"] == pytest.approx(12.8 * GB, rel=0.02)
    in_bfloat16 = replace(plan, weights="bfloat16", autocast=False).parts["activations"]
    assert in_bfloat16 == pytest.approx(3.7e6 * 8192, rel=0.02)
    assert plan.parts["activations"] - in_bfloat16 == 8192 * 3072 * (28 * (26 - 16))  # float32 between the layers


def test_qwen_of_3b_has_the_parameters_of_its_checkpoint():
    from transformers import Qwen2_5_VLConfig

    shape = Shape.of(Qwen2_5_VLConfig(**QWEN_3B))
    assert (shape.parameters, shape.patches) == (3_754_622_976, None)
    assert "its patches depend on the picture" in str(MemoryPlan(shape, tokens=1024))


@pytest.mark.parametrize("available", [8, 12, 24, 48, 80])
def test_advice_names_flags_that_give_the_peak_it_says(available):
    from transformers import LlamaConfig

    plan = MemoryPlan(
        Shape.of(LlamaConfig(**LLAMA_3B)), method="ppo", autocast=True, start=True, tokens=8192, micro_batch=8,
        cached_tokens=65536, batch=64,
    )  # fmt: skip
    lines = plan.advice(available * GB)
    assert lines
    for line in lines:
        changed = followed(plan, line)
        assert line.endswith(f": {changed.peak / GB:.1f} GB")
        assert changed.fits(available * GB)


def followed(plan, line):
    """The plan with the flags of a line of advice."""
    given = dict(re.findall(r"--([a-z-]+)(?: on)?(?: ([a-z_0-9]+))?", line))
    changes = {"accumulates": True, "checkpointing": "gradient-checkpointing" in given}
    if rows := int(given.get("micro-batch", 0)):
        changes |= {"micro_batch": rows, "tokens": plan.tokens // plan.micro_batch * rows}
    if rows := int(given.get("batch", 0)):
        changes |= {"batch": rows, "cached_tokens": plan.cached_tokens // plan.batch * rows}
    if "dtype" in given:
        changes |= {"weights": given["dtype"], "autocast": "lora" in given}
    changes |= {"lora": int(given.get("lora", 0)), "shards": int(given.get("shard", 1))}
    changes |= {"start": False} if "lora" in given else {}  # a new adapter, which leaves the start
    return replace(plan, **changes, optimiser=given.get("optimiser", "adamw"))


def test_advice_is_cheap_where_smaller_batches_are_enough():
    plan = MemoryPlan(SHAPE, tokens=80, micro_batch=8)
    lines = plan.advice(plan.peak - 1)
    assert lines[0].startswith("--micro-batch 4: ")
    assert all("--lora" not in line and "--shard" not in line for line in lines)


def test_advice_is_empty_where_all_fits():
    plan = MemoryPlan(SHAPE, tokens=80)
    assert plan.advice(plan.peak) == []


def test_advice_says_so_where_nothing_is_enough():
    (line,) = MemoryPlan(SHAPE, tokens=80).advice(100)
    assert line.startswith("too large: ")


def test_evaluation_is_advised_no_training():
    plan = MemoryPlan(SHAPE, method="evaluate", cached_tokens=1000, batch=10)
    assert plan.advice(plan.peak - 1) == [f"--batch 5: {readable(replace(plan, batch=5, cached_tokens=500).peak)}"]


def test_a_plan_prints_each_part_and_the_phase_of_its_peak():
    plan = MemoryPlan(SHAPE, method="ppo", tokens=10, cached_tokens=10)
    assert all(re.search(rf"^  (= )?{name} .*MB$", str(plan), re.MULTILINE) for name in (*plan.parts, *plan.phases))
    assert str(plan).splitlines()[-1].endswith("in forward and backward")


def test_settings_that_are_not_accepted_are_named():
    with pytest.raises(ValueError, match="optimiser is 'sgd'; give adamw or adamw_8bit"):
        MemoryPlan(SHAPE, optimiser="sgd")
    with pytest.raises(ValueError, match="shards is 0; give 1 or more"):
        MemoryPlan(SHAPE, shards=0)


def files(root, texts):
    for name, text in texts.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)


MEMINFO = {"proc/meminfo": "MemTotal: 4000 kB\nMemFree: 1000 kB\nMemAvailable: 3000 kB\n"}


@pytest.mark.parametrize(
    ("texts", "free"),
    [
        ({}, 3000 * 1024),
        (
            {
                "proc/self/cgroup": "0::/box/inner\n",
                "sys/fs/cgroup/box/memory.max": "2000000\n",
                "sys/fs/cgroup/box/memory.current": "700000\n",
                "sys/fs/cgroup/box/memory.stat": "anon 600000\ninactive_file 50000\n",
                "sys/fs/cgroup/box/inner/memory.max": "max\n",
                "sys/fs/cgroup/box/inner/memory.current": "700000\n",
                "sys/fs/cgroup/box/inner/memory.stat": "",
            },
            2_000_000 - 700_000 + 50_000,
        ),
        (
            {
                "proc/self/cgroup": "5:cpu:/\n4:memory:/box\n",
                "sys/fs/cgroup/memory/memory.limit_in_bytes": "1000000\n",
                "sys/fs/cgroup/memory/memory.usage_in_bytes": "400000\n",
                "sys/fs/cgroup/memory/memory.stat": "total_inactive_file 100\n",
            },
            1_000_000 - 400_000 + 100,
        ),
    ],
    ids=["machine", "cgroup 2", "cgroup 1"],
)
def test_free_memory_is_the_least_of_machine_and_cgroups(tmp_path, texts, free):
    files(tmp_path, {**MEMINFO, **texts})
    assert available_memory("cpu", tmp_path) == free


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the measure is Linux's")
@pytest.mark.parametrize(
    "cases",
    [
        ["small", "middle", "large", "small ppo", "middle ppo", "large ppo"],
        ["vision", "autocast", "checkpointing", "lora bfloat16", "foreach"],
    ],
    ids=["sizes", "ways"],
)
def test_what_a_model_takes_is_what_the_plan_says(cases):
    pytest.importorskip("torch")
    command = [sys.executable, str(ROOT / "benchmarks" / "memory.py"), "--check", "--only", *cases]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]
    assert "all agree with the plan" in done.stdout
    assert json.dumps(cases[0]).strip('"') in done.stdout
