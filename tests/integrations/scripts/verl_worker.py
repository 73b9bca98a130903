"""verl's agent loop worker without Ray, its engine a server of scripted answers."""

# ruff: noqa: E402
from torchvision_alone import import_torchvision

import_torchvision()  # before transformers looks for it

import asyncio
import logging
from pathlib import Path
from typing import Any

import transfer_queue as tq
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf
from transformers import (
    AutoProcessor,
    AutoTokenizer,
    Qwen2_5_VLConfig,
    Qwen2_5_VLProcessor,
    Qwen2VLImageProcessor,
    Qwen2VLVideoProcessor,
)
from verl.trainer.ppo.v1.agent_loop_tq import AgentLoopWorkerTQ
from verl.workers.rollout.replica import TokenOutput

import verl
from verienv.core.dialogue import parts_of

logging.getLogger("transfer_queue").setLevel(logging.ERROR)
ROOT = Path(__file__).parents[3]
EXAMPLES = ROOT / "examples" / "verl"
MODELS = ROOT / "assets" / "models"
TURN = OmegaConf.load(EXAMPLES / "loop.yaml")[0].turn_length
ROOM = {"prompt_length": 3000, "response_length": 12000}
CHATML = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{% if message['content'] is string %}"
    "{{ message['content'] }}{% else %}{% for part in message['content'] %}{% if part['type'] == 'image' %}"
    "<|vision_start|><|image_pad|><|vision_end|>{% else %}{{ part['text'] }}{% endif %}{% endfor %}{% endif %}"
    "<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def qwen(folder: Path) -> Path:
    """Write what verl reads of a Qwen2.5-VL but its weights: a family whose tokens it joins by rules of its own."""
    tokenizer = AutoTokenizer.from_pretrained(MODELS / "tiny-lm")
    pictures = ["<|image_pad|>", "<|video_pad|>", "<|vision_start|>", "<|vision_end|>"]
    tokenizer.add_special_tokens({"additional_special_tokens": ["<|im_start|>", "<|im_end|>", *pictures]})
    tokenizer.eos_token = "<|im_end|>"
    images = Qwen2VLImageProcessor(size={"shortest_edge": 56 * 56, "longest_edge": 112 * 112})
    Qwen2_5_VLProcessor(images, tokenizer, Qwen2VLVideoProcessor(), chat_template=CHATML).save_pretrained(folder)
    names = ("image", "video", "vision_start", "vision_end")
    ids = zip(names, tokenizer.convert_tokens_to_ids(pictures), strict=True)
    config = Qwen2_5_VLConfig(**{f"{name}_token_id": token for name, token in ids})
    config.architectures = ["Qwen2_5_VLForConditionalGeneration"]
    config.save_pretrained(folder)
    return folder


class Server:
    """Answers as it is scripted, token by token, and keeps what it was asked."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.asked: list[tuple[int, int]] = []
        self.tokenizer: Any = None
        self.picture: int | None = None

    async def generate(self, request_id: str, *, prompt_ids: list[int], sampling_params: Any, **given: Any) -> Any:
        await asyncio.sleep(0)
        self.asked.append((prompt_ids.count(self.picture), len(given["image_data"] or ())))
        ids = [*self.tokenizer(self.texts.pop(0), add_special_tokens=False)["input_ids"], self.tokenizer.eos_token_id]
        ids = ids[: sampling_params["max_tokens"]]
        steps = {"min_global_steps": len(self.asked), "max_global_steps": len(self.asked)}
        return TokenOutput(token_ids=ids, log_probs=[-0.5] * len(ids), extra_fields=steps)


def composed(*flags: str) -> Any:
    with initialize_config_dir(str(Path(verl.__file__).parent / "trainer" / "config"), version_base=None):
        return compose("ppo_trainer", list(flags))


class Worker:
    """verl's agent loop worker of its trainer, but for Ray: what it would put into its queue is kept."""

    def __init__(self, model: str, folder: Path) -> None:
        [shipped] = OmegaConf.load(EXAMPLES / "loop.yaml")
        entries = [shipped, {**shipped, "name": "by question", "per_question": True}]
        OmegaConf.save(OmegaConf.create(entries), folder / "loop.yaml")
        path = f"actor_rollout_ref.rollout.agent.agent_loop_config_path={folder / 'loop.yaml'}"
        self.config = composed(
            f"actor_rollout_ref.model.path={qwen(folder / model) if model == 'qwen' else MODELS / model}",
            "actor_rollout_ref.rollout.name=vllm",
            path,
        )
        self.server = Server()
        tq.init = lambda *_: None
        self.worker = AgentLoopWorkerTQ.__ray_metadata__.modified_class(self.config, self.server)
        if model == "tiny-vlm":  # of a family that verl makes no processor for
            self.worker.processor = AutoProcessor.from_pretrained(MODELS / model)
        self.reader = self.worker.processor or self.worker.tokenizer
        self.server.tokenizer = self.worker.tokenizer
        self.server.picture = self.picture = getattr(self.worker.processor, "image_token_id", None)

    async def _told(self, tag: dict[str, Any], **_: Any) -> None:
        self.status = tag["status"]

    async def _kept(self, fields: Any, tags: list[Any], **_: Any) -> None:
        self.samples = [{name: fields[i][name] for name in fields.keys()} for i in range(len(tags))]  # noqa: SIM118

    def play(self, row: dict[str, Any], texts: list[str], agent_name: str = "verienv", **room: int) -> list[Any]:
        """Play a row of verl's dataset: its samples."""
        rollout = self.config.actor_rollout_ref.rollout
        rollout.prompt_length, rollout.response_length = (ROOM | room).values()
        self.server.texts, self.server.asked, self.samples = list(texts), [], []
        tq.async_kv_put, tq.async_kv_batch_put = self._told, self._kept
        prompt = {**row, "agent_name": agent_name, "uid": "0", "global_steps": 1}
        trajectory = {"step": 1, "sample_index": 0, "rollout_n": 0, "validate": False}
        asyncio.run(self.worker._run_prompt(prompt, {"logprobs": True}, trajectory))
        assert self.status == "finished"
        return self.samples

    def per_picture(self, image: Any) -> int:
        """How many tokens a picture takes."""
        processor = self.worker.processor
        ids = processor(text=[processor.image_token], images=[image])["input_ids"][0]
        return list(ids).count(self.picture)

    def ids(self, messages: list[dict[str, Any]]) -> list[int]:
        """The tokens of a whole dialogue, by the chat template alone."""
        if self.worker.processor is None:
            text = self.reader.apply_chat_template(messages, tokenize=False)
            return list(self.reader(text, add_special_tokens=False)["input_ids"])
        told = [{**message, "content": parts_of(message)} for message in messages]
        images = [part["image"] for message in told for part in message["content"] if part["type"] == "image"]
        text = self.reader.apply_chat_template(told, tokenize=False)
        return list(self.reader(text=[text], images=images or None)["input_ids"][0])
