"""Models small enough to train in a test, with random weights, and the settings of TRL's trainers for them."""

import pytest

from verienv.generalpoints import Puzzle

# TRL 1.16 uses names that transformers is about to rename.
trains = pytest.mark.filterwarnings("ignore:`(is_)?gradient_checkpointing:FutureWarning")


def tokenizer(template):
    """Make a tokenizer of bytes, with the marks of a chat template."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    core = Tokenizer(models.BPE({letter: index for index, letter in enumerate(alphabet)}, merges=[]))
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    marks = ["<|im_start|>", "<tool_call>", "</tool_call>", "<think>", "</think>"]
    made = PreTrainedTokenizerFast(
        tokenizer_object=core, eos_token="<|im_end|>", pad_token="<|pad|>", padding_side="left"
    )
    made.add_tokens(marks)
    made.chat_template = template
    return made


PLAIN = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def tiny_model(words, positions=4096):
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.set_num_threads(1)  # the model is too small for more
    torch.manual_seed(0)
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(words),
            hidden_size=32,
            intermediate_size=64,
            num_hidden_layers=2,
            num_attention_heads=2,
            max_position_embeddings=positions,
            eos_token_id=words.eos_token_id,
            pad_token_id=words.pad_token_id,
        )
    )


def weights(model):
    return {name: value.clone() for name, value in model.state_dict().items()}


def changed(model, before):
    return any((value != before[name]).any() for name, value in model.state_dict().items())


def quiet(tmp_path, **settings):
    return {
        "output_dir": str(tmp_path),
        "use_cpu": True,
        "report_to": "none",
        "save_strategy": "no",
        "disable_tqdm": True,
        "logging_steps": 1,
        "max_steps": 2,
        "per_device_train_batch_size": 4,
        "learning_rate": 1e-2,
        "seed": 0,
        **settings,
    }


def speak(model, words, say):
    """Let ``say`` (row number, the whole text so far, the pixels if any) write the samples of the policy."""
    import torch

    def generate(input_ids, pixel_values=None, **_):
        pixels = [()] * len(input_ids) if pixel_values is None else [(picture,) for picture in pixel_values]
        said = [
            [*words.encode(say(row, words.decode(ids), *seen), add_special_tokens=False), words.eos_token_id]
            for row, (ids, seen) in enumerate(zip(input_ids, pixels, strict=True))
        ]
        longest = max(map(len, said))
        padded = [ids + [words.pad_token_id] * (longest - len(ids)) for ids in said]
        return torch.cat([input_ids, torch.tensor(padded)], dim=1)

    model.generate = generate


PIXELS, PATCH = 28, 14


def tiny_processor(stacked=False):
    """Make a LLaVA's processor: ``tokenizer``, and pictures shrunk to four patches, ``stacked`` as Qwen-VL's are."""
    from transformers import LlavaProcessor, SiglipImageProcessorPil
    from trl.chat_template_utils import qwen3_vl_chat_template

    class Stacking(SiglipImageProcessorPil):
        def preprocess(self, images, *args, **settings):
            return super().preprocess(images, *args, **settings | {"return_tensors": "pt"})

    words = tokenizer(qwen3_vl_chat_template)
    words.add_tokens(["<|image_pad|>", "<|vision_start|>", "<|vision_end|>"])
    return LlavaProcessor(
        (Stacking if stacked else SiglipImageProcessorPil)(size={"height": PIXELS, "width": PIXELS}),
        words,
        patch_size=PATCH,
        vision_feature_select_strategy="full",
        chat_template=words.chat_template,
        image_token="<|image_pad|>",
    )


def tiny_llava(processor, positions=4096):
    import torch
    from transformers import LlavaConfig, LlavaForConditionalGeneration, SiglipVisionConfig

    language = tiny_model(processor.tokenizer, positions).config
    torch.manual_seed(0)
    size = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    return LlavaForConditionalGeneration(
        LlavaConfig(
            text_config=language,
            vision_config=SiglipVisionConfig(**size, image_size=PIXELS, patch_size=PATCH),
            image_token_id=processor.image_token_id,
            vision_feature_select_strategy="full",
            vision_feature_layer=-1,
        )
    )


def shrunk(processor, rows):
    """Return the pixels of each row that the model is to get: rows x 3 x PIXELS x PIXELS."""
    return processor.image_processor([row["images"][0] for row in rows], return_tensors="pt")["pixel_values"]


def watched(model):
    """Return a list to which all pixels that reach the model will be added."""
    seen = []

    def look(_, args, settings):
        seen.append(settings.get("pixel_values", args[0] if args else None).detach().clone())

    model.model.vision_tower.register_forward_pre_hook(look, with_kwargs=True)
    return seen


def same(these, those):
    """Return whether two stacks hold the same pictures, in whatever order."""
    return sorted(map(hash, map(bytes, these.numpy()))) == sorted(map(hash, map(bytes, those.numpy())))


def vision_weights(model):
    return {name: value.clone() for name, value in model.state_dict().items() if "vision_tower" in name}


def has_changed(model, before):
    return any((model.state_dict()[name] != value).any() for name, value in before.items())


def looked_up(processor, rows):
    """Return a function from pixels to the puzzle that they show."""
    pictures, puzzles = shrunk(processor, rows), [Puzzle(row["cards"], row["rule"], row["target"]) for row in rows]

    def puzzle(pixels):
        (match,) = [puzzle for puzzle, picture in zip(puzzles, pictures, strict=True) if (picture == pixels).all()]
        return match

    return puzzle
