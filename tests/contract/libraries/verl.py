"""Stand-in for verl (0.9.1): the classes with the signatures that an agent loop meets, and a model of letters.

A token is a letter; marks of the chat template are letters of the private use area.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

MARKS = {"system": "\ue000", "user": "\ue001", "assistant": "\ue002"}
END, IMAGE = "\ue003", "\ue004"


class Tokenizer:
    """A tokenizer, and by ``image_token`` a processor, whose template marks who speaks."""

    all_special_tokens = (*MARKS.values(), END, IMAGE)
    all_special_ids = tuple(map(ord, all_special_tokens))
    eos_token_id = ord(END)
    image_token_id = ord(IMAGE)

    def __call__(self, text: str, add_special_tokens: bool = True) -> dict[str, list[int]]:
        return {"input_ids": [ord(letter) for letter in text]}

    def decode(self, ids: list[int], skip_special_tokens: bool = False) -> str:
        return "".join(chr(i) for i in ids if not (skip_special_tokens and i in self.all_special_ids))

    def apply_chat_template(
        self, messages: list[Any], tokenize: bool = False, add_generation_prompt: bool = False
    ) -> str:
        def said(content: Any) -> str:
            if isinstance(content, str):
                return content
            return "".join(IMAGE if part["type"] == "image" else part["text"] for part in content)

        text = "".join(MARKS[message["role"]] + said(message["content"]) + END for message in messages)
        return text + MARKS["assistant"] * add_generation_prompt


@dataclass(frozen=True)
class MergeResult:
    token_ids: list[int]
    appended_token_count: int
    kind: str = "context"


class ContinuousTokenBuilder:
    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer

    def _ids(self, messages: list[Any]) -> list[int]:
        return self._tokenizer(self._tokenizer.apply_chat_template(messages, add_generation_prompt=True))["input_ids"]

    def build_initial_tokens(self, messages: list[Any], *, images: list[Any] | None = None) -> list[int]:
        ids = self._ids(messages)
        assert ids.count(ord(IMAGE)) == len(images or ())
        return ids

    def merge_context_tokens(self, previous: list[Any], updated: list[Any], ids: list[int]) -> MergeResult:
        assert updated[: len(previous)] == previous
        new = self._ids(updated[len(previous) :])
        return MergeResult([*ids, *new], len(new))

    def merge_assistant_tokens(self, ids: list[int], new: list[int]) -> MergeResult:
        return MergeResult([*ids, *new], len(new), "assistant")

    def align_response_metadata(
        self,
        merged: MergeResult,
        response_mask: list[int],
        response_logprobs: list[float] | None = None,
        *,
        assistant_logprobs: list[float] | None = None,
    ) -> tuple[list[int], list[float] | None]:
        count, is_own = merged.appended_token_count, merged.kind == "assistant"
        assert response_logprobs is not None
        new = assistant_logprobs if is_own else [0.0] * count
        assert new is not None
        assert len(new) == count
        return response_mask + [int(is_own)] * count, response_logprobs + new


@dataclass
class AgentLoopOutput:
    prompt_ids: list[int]
    response_ids: list[int]
    response_mask: list[int]
    metrics: dict[str, float]
    response_logprobs: list[float] | None = None
    routed_experts: Any = None
    multi_modal_data: dict[str, Any] | None = None
    reward_score: float | None = None
    num_turns: int = 0
    extra_fields: dict[str, Any] = field(default_factory=dict)
    mm_processor_kwargs: dict[str, Any] | None = None


@dataclass
class TokenOutput:
    token_ids: list[int]
    log_probs: list[float] | None = None
    routed_experts: Any = None
    extra_fields: dict[str, Any] = field(default_factory=dict)


class AgentLoopBase:
    def __init__(self, *, config: Any, server_manager: Any, tokenizer: Any, processor: Any, **_: Any) -> None:
        self.rollout_config, self.server_manager = config, server_manager
        self.tokenizer, self.processor = tokenizer, processor
        self.continuous_token_builder = ContinuousTokenBuilder(tokenizer)

    def _assert_mm_supported(self, has_multi_modal: bool) -> None:
        if has_multi_modal and self.processor is None:
            raise ValueError("Multimodal inputs require a non-None processor")

    def _get_mm_processor_kwargs(self) -> dict[str, Any]:
        return {}


@contextmanager
def simple_timer(name: str, timing: dict[str, float]) -> Iterator[None]:
    yield
    timing[name] = timing.get(name, 0.0)


def get_processor_token_id(processor: Any, token_name: str) -> int | None:
    return getattr(processor, f"{token_name}_token_id", None)


def modules() -> dict[str, Any]:
    """The modules that a loop imports from, by name."""
    return {
        "verl": SimpleNamespace(),
        "verl.experimental.agent_loop.agent_loop": SimpleNamespace(
            AgentLoopBase=AgentLoopBase, AgentLoopOutput=AgentLoopOutput
        ),
        "verl.utils.profiler": SimpleNamespace(simple_timer=simple_timer),
        "verl.utils.tokenizer": SimpleNamespace(get_processor_token_id=get_processor_token_id),
    }
