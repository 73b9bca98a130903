"""The examples are scripts in a folder of their own; one thread keeps small models fast on a shared machine."""

import sys
from pathlib import Path

import pytest
import torch

EXAMPLES = Path(__file__).parents[2] / "examples"
sys.path.insert(0, str(EXAMPLES))


@pytest.fixture(autouse=True, scope="session")
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def policy():
    from verienv.policies import HuggingFacePolicy

    return HuggingFacePolicy.load("tiny-lm", device="cpu")


TEMPLATE = (
    "{% for message in messages %}<|{{ message['role'] }}|>{% for part in message['content'] %}"
    "{% if part['type'] == 'image' %}IMAGE{% else %}{{ part['text'] }}{% endif %}{% endfor %}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
TEXT = {
    "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2,
    "num_key_value_heads": 2, "max_position_embeddings": 2048, "bos_token_id": None, "eos_token_id": 1,
    "pad_token_id": 0,
}  # fmt: skip
VISION = {
    "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2, "image_size": 112,
    "patch_size": 28,
}  # fmt: skip


def tiny_tokenizer(*added):
    from transformers import AutoTokenizer

    from verienv.core.assets import asset_path

    tokenizer = AutoTokenizer.from_pretrained(asset_path("models/tiny-lm"), padding_side="left")
    tokenizer.add_tokens(list(added), special_tokens=True)
    return tokenizer


def widened(model):
    """Random weights large enough that a wrong position, mask or picture shows in the log-probabilities."""
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "gate" in name and weight.numel() == 1:  # Mllama's, through which pictures reach the text
                weight.fill_(1.0)
            elif weight.ndim > 1:
                weight.mul_(6)
    return model


def saved(model, processor, folder):
    from transformers.utils import logging

    logging.disable_progress_bar()
    widened(model).save_pretrained(folder)
    processor.save_pretrained(folder)
    return str(folder)


def build_llava(folder):
    from transformers import LlamaConfig, LlavaConfig, LlavaForConditionalGeneration, LlavaProcessor, SiglipVisionConfig
    from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil

    tokenizer = tiny_tokenizer("<image>")
    config = LlavaConfig(
        vision_config=SiglipVisionConfig(**VISION),
        text_config=LlamaConfig(vocab_size=len(tokenizer), **TEXT),
        image_token_index=tokenizer.convert_tokens_to_ids("<image>"),
        vision_feature_select_strategy="full",
        vision_feature_layer=-1,
    )
    processor = LlavaProcessor(
        SiglipImageProcessorPil(size={"height": 112, "width": 112}), tokenizer, patch_size=28,
        vision_feature_select_strategy="full", chat_template=TEMPLATE.replace("IMAGE", "<image>"),
    )  # fmt: skip
    return saved(LlavaForConditionalGeneration(config), processor, folder)


def build_idefics3(folder):
    from transformers import Idefics3Config, Idefics3ForConditionalGeneration, Idefics3Processor
    from transformers.models.idefics3.image_processing_pil_idefics3 import Idefics3ImageProcessorPil

    tokenizer, side = tiny_tokenizer(), {"longest_edge": 112}
    processor = Idefics3Processor(
        Idefics3ImageProcessorPil(size=side, max_image_size=side, do_image_splitting=False), tokenizer, image_seq_len=4,
        chat_template=TEMPLATE.replace("IMAGE", "<image>"),
    )  # fmt: skip
    config = Idefics3Config(
        vision_config=VISION,
        text_config={"model_type": "llama", "vocab_size": len(tokenizer), **TEXT},
        image_token_id=tokenizer.convert_tokens_to_ids("<image>"),
        scale_factor=2,
    )
    return saved(Idefics3ForConditionalGeneration(config), processor, folder)


def build_mllama(folder):
    from transformers import MllamaConfig, MllamaForConditionalGeneration, MllamaProcessor
    from transformers.models.mllama.image_processing_pil_mllama import MllamaImageProcessorPil

    tokenizer = tiny_tokenizer("<|begin|>", "<|image|>")
    tokenizer.bos_token = "<|begin|>"
    processor = MllamaProcessor(
        MllamaImageProcessorPil(size={"height": 112, "width": 112}, max_image_tiles=1), tokenizer,
        chat_template="<|begin|>" + TEMPLATE.replace("IMAGE", "<|image|>"),
    )  # fmt: skip
    own = {"num_global_layers": 1, "attention_heads": 2, "vision_output_dim": 64, "intermediate_layers_indices": [1]}
    tiles = {"max_num_tiles": 1, "supported_aspect_ratios": [[1, 1]]}
    rope = {"rope_type": "default", "rope_theta": 10000.0}
    config = MllamaConfig(  # as in the real one, the token that stands for a picture is embedded but has no logit
        vision_config={**VISION, **own, **tiles},
        text_config={
            **TEXT,
            "vocab_size": 641,
            "bos_token_id": 640,
            "cross_attention_layers": [1],
            "rope_parameters": rope,
        },
        image_token_index=641,
    )
    return saved(MllamaForConditionalGeneration(config), processor, folder)


@pytest.fixture(scope="session")
def llava(tmp_path_factory):
    """A folder with a tiny LLaVA of random weights."""
    torch.manual_seed(0)
    return build_llava(tmp_path_factory.mktemp("models") / "llava")


@pytest.fixture(scope="session")
def seeing(llava):
    from verienv.policies import HuggingFacePolicy

    return HuggingFacePolicy.load(llava, device="cpu", max_new_tokens=12)


@pytest.fixture(scope="session", params=[build_idefics3, build_mllama], ids=["idefics3", "mllama"])
def other_family(request, tmp_path_factory):
    """A folder with a tiny model of a family that generates by its own code."""
    torch.manual_seed(0)
    return request.param(tmp_path_factory.mktemp("models") / "other")


@pytest.fixture(scope="session")
def qwen2_vl():
    """A tiny Qwen2-VL, and openings put together by hand: its processor needs torchvision."""
    import numpy as np
    from PIL import Image
    from transformers import Qwen2VLConfig, Qwen2VLForConditionalGeneration
    from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

    from verienv.policies import HuggingFacePolicy
    from verienv.policies.hugging_face.sampling import never_say_pictures
    from verienv.policies.hugging_face.tokens import Tokens

    tokenizer = tiny_tokenizer("<|picture|>", "<|begins|>", "<|ends|>", "<|video|>")
    rope = {"rope_type": "default", "rope_theta": 10000.0, "mrope_section": [2, 3, 3]}
    config = Qwen2VLConfig(
        vision_config={
            "depth": 2,
            "embed_dim": 32,
            "hidden_size": 32,
            "num_heads": 2,
            "mlp_ratio": 2,
            "patch_size": 14,
        },
        text_config={**TEXT, "vocab_size": len(tokenizer), "rope_parameters": rope},
        image_token_id=640,
        vision_start_token_id=641,
        vision_end_token_id=642,
        video_token_id=643,
    )
    torch.manual_seed(0)
    model = widened(Qwen2VLForConditionalGeneration(config)).eval()
    never_say_pictures(model)
    process, prompts = Qwen2VLImageProcessorPil(min_pixels=56 * 56, max_pixels=112 * 112), []
    for seed in range(3):
        pixels = np.random.default_rng(seed).integers(0, 255, (112, 56 * (1 + seed % 2), 3), dtype=np.uint8)
        seen = dict(process([Image.fromarray(pixels)], return_tensors="pt"))
        pictures = [640] * (int(seen["image_grid_thw"].prod()) // 4)
        ids = [2, 641, *pictures, 642, *tokenizer("make 24 " * (seed + 1))["input_ids"], 1, 3]
        prompts.append(Tokens(ids, {**seen, "mm_token_type_ids": torch.tensor([[int(one == 640) for one in ids]])}))
    return HuggingFacePolicy(model, tokenizer, 12, processor=object()), prompts


@pytest.fixture
def stopped(capsys):
    """Calls a script that stops with an error; what it says in the one line that it ends with."""

    def said_by(call):
        from endings import kind_endings

        with pytest.raises(SystemExit) as ending, kind_endings(Path("runs/x")):
            call()
        assert ending.value.code == 2
        (said,) = [line for line in capsys.readouterr().err.splitlines() if line.strip() and "FLOP/s" not in line]
        return said

    return said_by
