"""What a family needs beyond torch, transformers and Pillow is told in one line."""

import json
from importlib.util import find_spec

import pytest
from tests.families import FAMILIES, tokenizer_of
from transformers.models.auto.image_processing_auto import IMAGE_PROCESSOR_MAPPING_NAMES
from transformers.models.auto.processing_auto import PROCESSOR_MAPPING_NAMES

from verienv.policies.hugging_face import loading
from verienv.policies.hugging_face.policy import HuggingFacePolicy


def told(folder):
    with pytest.raises(ValueError) as caught:  # noqa: PT011  callers look at all of it
        HuggingFacePolicy.load(str(folder), device="cpu")
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.skipif(find_spec("torchvision") is not None, reason="torchvision is installed")
@pytest.mark.parametrize("name", [name for name, family in FAMILIES.items() if "torchvision" in family.needs])
def test_a_family_whose_processor_needs_torchvision_says_so_and_names_families_that_do_not(name, tmp_path):
    kind = {"pixtral": "llava"}.get(name, name)  # Pixtral is a LLaVA with another eye
    processor = "PixtralProcessor" if name == "pixtral" else PROCESSOR_MAPPING_NAMES[name]
    tokenizer_of().save_pretrained(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps({"model_type": kind}))
    (tmp_path / "processor_config.json").write_text(json.dumps({"processor_class": processor}))
    images = {"image_processor_type": IMAGE_PROCESSOR_MAPPING_NAMES[name]["torchvision"], "processor_class": processor}
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(images))
    said = told(tmp_path)
    assert "pip install torchvision" in said
    assert "LLaVA" in said


@pytest.mark.integrations
def test_smolvlm_without_num2words_says_so(tmp_path, monkeypatch):
    folder = FAMILIES["smolvlm"].save(tmp_path / "smolvlm")
    monkeypatch.setattr("transformers.models.smolvlm.processing_smolvlm.num2words", None)
    assert "pip install num2words" in told(folder)


@pytest.mark.parametrize(
    ("error", "package"),
    [
        (ImportError("Package `num2words` is required. Install it with `pip install num2words`."), "num2words"),
        (ImportError("This needs a newer one: pip install -U --pre flash-attn."), "flash-attn"),
        (ModuleNotFoundError("No module named 'sentencepiece.model'", name="sentencepiece.model"), "sentencepiece"),
        (RuntimeError("operator torchvision::nms does not exist"), "torchvision"),
    ],
)
def test_a_package_that_loading_asks_for_is_named(error, package, tmp_path, monkeypatch):
    def ask(*_, **__):
        raise error

    folder = FAMILIES["llava"].save(tmp_path / "llava")
    monkeypatch.setattr(loading.AutoProcessor, "from_pretrained", ask)
    assert f"pip install {package}" in told(folder)


def test_a_processor_without_a_chat_template_says_to_choose_a_model_that_has_one(tmp_path):
    folder = FAMILIES["gemma3"].save(tmp_path / "gemma3")
    (tmp_path / "gemma3" / "chat_template.jinja").unlink()
    assert "no chat template; choose an instruction-tuned model" in told(folder)
