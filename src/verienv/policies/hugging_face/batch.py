"""Rollouts: a policy's episodes as dialogues of tokens, and as tensors to be trained on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import log_softmax, pad

from verienv.core.dialogue import parts_of, with_pictures
from verienv.policies.hugging_face.policy import HuggingFacePolicy
from verienv.policies.hugging_face.tokens import Tensors, Tokens, padded, together
from verienv.policies.hugging_face.towers import each_picture_once

ALONG = ("acted", "ends", "rewards", "logprobs")
"""Names of the values along the tokens of a rollout."""


@dataclass
class Rollout:
    """One dialogue as tokens. The lists run along its tokens; those not sampled by the policy are 0 in all but ids."""

    ids: Tokens
    """They bring the dialogue's pictures, if it has any."""
    acted: list[int] = field(default_factory=list)
    """1 where the policy sampled the token."""
    ends: list[int] = field(default_factory=list)
    """1 at the last token of each response."""
    logprobs: list[float] = field(default_factory=list)
    rewards: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    """The verdict on each attempt, "" for a correct one."""
    recognised: bool | None = None
    """Whether the first attempt read the picture right; None for a task in words."""

    @classmethod
    def demonstrated(cls, policy: HuggingFacePolicy, row: Mapping[str, Any]) -> Rollout:
        """Return a row of ``prompt``, ``completion`` and ``images`` as a rollout in which the policy says just that.

        Special tokens are taken out of its words, as of a prompt's: no picture stands where one is spelled.

        Raises:
            ValueError: for one that is longer than what the model takes.
        """
        rollout = cls(policy.opening(with_pictures(row["prompt"], row.get("images", ()))))
        said = policy.special.taken_out("".join(part["text"] for part in parts_of(row["completion"][0])))
        answer = [*policy.tokenizer(said, add_special_tokens=False)["input_ids"], policy.stops[0]]
        rollout.respond(answer, [0.0] * len(answer), 0.0, "")
        if policy.context and len(rollout.ids) > policy.context:
            raise ValueError(
                f"a demonstration of {len(rollout.ids)} tokens exceeds the {policy.context} of the model's context; "
                "leave it out, or choose another model"
            )
        return rollout

    def respond(self, response: Sequence[int], logprobs: Sequence[float], reward: float, failure: str) -> None:
        """Add a response, and the reward at its end."""
        for values, own in (
            (self.acted, [1] * len(response)), (self.ends, [0] * (len(response) - 1) + [1]), (self.logprobs, logprobs),
            (self.rewards, [0.0] * (len(response) - 1) + [reward]),
        ):  # fmt: skip
            values += [0] * (len(self.ids) - len(values)) + list(own)
        self.ids += response
        self.failures.append(failure)


@dataclass
class Batch:
    """Rollouts as tensors of shape (rollouts, longest - 1): column t is about token t + 1, predicted from t."""

    ids: Tensor  # (rollouts, longest)
    mask: Tensor  # (rollouts, longest)
    acted: Tensor
    ends: Tensor
    rewards: Tensor
    logprobs: Tensor
    """Log-probabilities of the sampled tokens under the policy that sampled them."""
    vision: list[Tensors]
    """Tensors of each rollout's pictures."""

    @classmethod
    def of(cls, rollouts: Sequence[Rollout], policy: HuggingFacePolicy) -> Batch:
        """Put rollouts together, on the policy's device."""
        tokens = [rollout.ids for rollout in rollouts]
        ids, mask = padded(tokens, policy.tokenizer.pad_token_id, device=policy.device)
        along = dict[str, Tensor]()
        for name in ALONG:
            values = np.zeros(ids.shape, dtype=np.float32)
            for row, rollout in enumerate(rollouts):
                values[row, : len(getattr(rollout, name))] = getattr(rollout, name)
            along[name] = torch.from_numpy(values)[:, 1:].to(policy.device)
        return cls(ids, mask, vision=[getattr(row, "vision", {}) for row in tokens], **along)

    def parts(self, size: int, index: Tensor | None = None) -> Iterator[tuple[Tensor, Batch]]:
        """Yield the rollouts (of ``index``) by ``size``, those of like length together: their indices and they."""
        index = torch.arange(len(self.ids), device=self.ids.device) if index is None else index
        for part in torch.split(index[self.mask[index].sum(1).argsort()], size):
            if len(part):  # a process may have none of a minibatch
                yield part, self.rows(part)

    def nothing(self) -> tuple[Tensor, Batch]:
        """Return a part in which nothing was sampled, for a process to keep step with others that have more parts."""
        first = torch.zeros(1, dtype=torch.long, device=self.ids.device)
        none = self.rows(first)
        none.acted = torch.zeros_like(none.acted)
        return first, none

    def inputs(self) -> Tensors:
        """Return what the model takes in."""
        return {"input_ids": self.ids, "attention_mask": self.mask, **together(self.vision, self.mask)}

    def rows(self, index: Tensor) -> Batch:
        """Return some of the rollouts, cut to the longest of them."""
        longest = int(self.mask[index].sum(1).max())
        along = {name: getattr(self, name)[index, : longest - 1] for name in ALONG}
        vision = [self.vision[row] for row in index.tolist()]
        return Batch(self.ids[index, :longest], self.mask[index, :longest], vision=vision, **along)

    def plain(self, index: Tensor | None = None) -> dict[str, Any]:
        """Return the tensors (of some of the rollouts) by their names, on the CPU, to be looked into."""
        index = torch.arange(len(self.ids)) if index is None else index
        along = {name: value[index].detach().cpu() for name, value in vars(self).items() if name != "vision"}
        return {**along, "vision": [self.vision[row] for row in index.tolist()]}


@dataclass
class Read:
    """A model's reading of a batch: column t is about token t + 1; before the first sampled token all is 0."""

    logprobs: Tensor  # (rollouts, longest - 1)
    """Log-probabilities of each token given those before it."""
    scores: Tensor  # (rollouts, longest - 1 - first, vocabulary)
    """Logits of every token that could have come, from the column of the first sampled token on."""
    hidden: Tensor  # (rollouts, longest - 1 - first, width)
    """The last hidden states, from which those were made."""

    @torch.no_grad()
    def before(self, acted: Tensor) -> Tensor:
        """Return what there is to know before each sampled token, for a critic, (tokens, width + 3).

        That is the hidden state, the log-probability of what was said before and of the newest token (an unlikely one
        is often the mistake), and the entropy of what could come.
        """
        said = self.logprobs * acted
        earlier = said.cumsum(1) - said
        newest = torch.cat([torch.zeros_like(said[:, :1]), said[:, :-1]], dim=1)
        first, scores = said.shape[1] - self.scores.shape[1], log_softmax(self.scores, dim=-1)
        entropy = -(scores.exp() * scores).sum(-1)
        noted = torch.stack([earlier[:, first:], newest[:, first:], entropy], dim=-1)
        return torch.cat([self.hidden.float(), noted], dim=-1)[acted[:, first:] > 0]


def read(policy: HuggingFacePolicy, model: nn.Module, batch: Batch, temperature: float = 1.0) -> Read:
    """Read rollouts with a model, the policy's or its start: the log-probabilities of what was said, and more.

    Logits are made from the first sampled token on alone, where a model can do so: a question is longer than an answer.
    """
    first, length = int(batch.acted.any(0).float().argmax()), batch.ids.shape[1]
    states: list[Tensor] = []
    unwrapped: Any = getattr(model, "module", model)
    head = unwrapped.get_output_embeddings()
    catching = head.register_forward_pre_hook(lambda _, given: states.append(given[0]))
    with policy.computing(), each_picture_once(model, batch.vision):
        output = model(
            **batch.inputs(), use_cache=False, **({"logits_to_keep": length - first} if policy.cuts_logits else {})
        )
    catching.remove()
    since = slice(first - length, -1)  # the last token predicts nothing
    scores = output.logits[:, since].float() / temperature
    ids = batch.ids[:, first + 1 :].clamp(max=scores.shape[2] - 1)  # Mllama's picture token has no score; none is said
    logprobs = log_softmax(scores, dim=-1).gather(2, ids[..., None]).squeeze(2)
    return Read(pad(logprobs, (first, 0)), scores, states[-1][:, since])
