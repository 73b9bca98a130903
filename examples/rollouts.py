"""Episodes of a policy in its environments, as dialogues of tokens and as tensors to be trained on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import log_softmax

import verienv
from finite import demand_finite
from processes import ALONE, Team
from verienv.core.dialogue import with_pictures
from verienv.policies import HuggingFacePolicy
from verienv.policies.hugging_face.policy import evaluating
from verienv.policies.hugging_face.tokens import Tensors, Tokens, padded, together


@dataclass
class Episode:
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

    def respond(self, response: Sequence[int], logprobs: Sequence[float], reward: float, failure: str) -> None:
        self._skip()
        length = len(response)
        self.ids += response
        self.acted += [1] * length
        self.ends += [0] * (length - 1) + [1]
        self.logprobs += logprobs
        self.rewards += [0.0] * (length - 1) + [reward]
        self.failures.append(failure)

    def _skip(self) -> None:
        """Bring the lists up to the tokens that were given, not sampled."""
        given = len(self.ids) - len(self.acted)
        self.acted += [0] * given
        self.ends += [0] * given
        self.logprobs += [0.0] * given
        self.rewards += [0.0] * given


def rollout(
    policy: HuggingFacePolicy, envs: Sequence[gym.Env], seeds: Sequence[int], arguments: Any, team: Team = ALONE
) -> list[Episode]:
    """One episode of each environment; the unfinished ones are sampled together, in batches.

    Raises NotFinite, in all processes, for a reward or a sampled token's log-probability that is not finite in any.
    """
    dialogues, episodes = [], []
    for env, seed in zip(envs, seeds, strict=True):
        env.reset(seed=int(seed))
        dialogues.append(verienv.Episode.of(env))
        messages = with_pictures(dialogues[-1].messages, dialogues[-1].pictures)
        episodes.append(Episode(policy.opening(messages)))
    unfinished = list(range(len(envs)))
    while unfinished:
        going_on = []
        for start in range(0, len(unfinished), arguments.batch):
            chosen = unfinished[start : start + arguments.batch]
            try:
                with evaluating(policy.model):
                    responses, logprobs = policy.sample([episodes[i].ids for i in chosen], arguments.temperature)
            except FloatingPointError:
                asked = partial(saved, [episodes[i] for i in chosen])
                demand_finite(team, asked, {"log-probability of a sampled token": float("nan")})
                raise
            for i, response, scores in zip(chosen, responses, logprobs, strict=True):
                dialogue = dialogues[i]
                verdict = dialogue.answer(policy.text(response))
                episodes[i].respond(response, scores, verdict.reward, verdict.failure)
                if len(episodes[i].failures) == 1:
                    episodes[i].recognised = verdict.metrics.get(dialogue.measures.recognition)
                if not dialogue.is_over:
                    episodes[i].ids += policy.continuation(dialogue.messages, response)
                    going_on.append(i)
        unfinished = going_on
    paid = [reward for episode in episodes for reward in episode.rewards]
    demand_finite(team, partial(saved, episodes), {"reward": paid})
    return episodes


def summary(episodes: Sequence[Episode], kinds: Sequence[str] = ()) -> dict[str, Any]:
    """What the policy did, before the update. Failures are counted by kind, those that there could be too."""
    attempts = [failure for episode in episodes for failure in episode.failures]
    recognised = [episode.recognised for episode in episodes if episode.recognised is not None]
    return {
        "reward": float(np.mean([sum(episode.rewards) for episode in episodes])),
        "success": float(np.mean([episode.failures[-1] == "" for episode in episodes])),
        "first_attempt": float(np.mean([episode.failures[0] == "" for episode in episodes])),
        "attempts": len(attempts) / len(episodes),
        "failures": dict.fromkeys(kinds, 0) | dict(Counter(failure for failure in attempts if failure)),
        **({"recognition": float(np.mean(recognised))} if recognised else {}),
    }


def saved(episodes: Sequence[Episode]) -> dict[str, Any]:
    """Episodes as plain lists, to be looked into."""
    return {"vision": [getattr(episode.ids, "vision", {}) for episode in episodes]} | {
        name: [getattr(episode, name) for episode in episodes] for name in ("ids", "acted", "logprobs", "rewards")
    }


@dataclass
class Batch:
    """Episodes as tensors of shape (episodes, longest - 1): column t is about token t + 1, predicted from t."""

    ids: Tensor  # (episodes, longest)
    mask: Tensor  # (episodes, longest)
    acted: Tensor
    ends: Tensor
    rewards: Tensor
    logprobs: Tensor
    """Of the sampled tokens under the policy that sampled them."""
    vision: list[Tensors]
    """What each episode's pictures became."""

    @classmethod
    def of(cls, episodes: Sequence[Episode], policy: HuggingFacePolicy) -> Batch:
        tokens = [episode.ids for episode in episodes]
        ids, mask = padded(tokens, policy.tokenizer.pad_token_id, device=policy.device)

        def column(name: str) -> Tensor:
            values = torch.zeros(ids.shape)
            for row, episode in enumerate(episodes):
                along = torch.tensor(getattr(episode, name), dtype=torch.float32)
                values[row, : len(along)] = along
            return values[:, 1:].to(policy.device)

        along = [column(name) for name in ("acted", "ends", "rewards", "logprobs")]
        return cls(ids, mask, *along, [getattr(row, "vision", {}) for row in tokens])

    def parts(self, size: int, index: Tensor | None = None) -> Iterator[tuple[Tensor, Batch]]:
        """The episodes (of ``index``) by ``size``, those of like length together: their indices and they themselves."""
        index = torch.arange(len(self.ids), device=self.ids.device) if index is None else index
        for part in index[self.mask[index].sum(1).argsort()].split(size):
            if len(part):  # a process may have none of a minibatch
                yield part, self.rows(part)

    def rows(self, index: Tensor) -> Batch:
        """Some of the episodes, cut to the longest of them."""
        longest = int(self.mask[index].sum(1).max())
        ids, mask = self.ids[index, :longest], self.mask[index, :longest]
        along = [getattr(self, name)[index, : longest - 1] for name in ("acted", "ends", "rewards", "logprobs")]
        return Batch(ids, mask, *along, [self.vision[row] for row in index.tolist()])

    def plain(self, index: Tensor | None = None) -> dict[str, Any]:
        """The tensors (of some of the episodes) by their names, to be looked into."""
        index = torch.arange(len(self.ids)) if index is None else index
        along = {name: value[index] for name, value in vars(self).items() if name != "vision"}
        return {**along, "vision": [self.vision[row] for row in index.tolist()]}

    def inputs(self) -> Tensors:
        """What the model takes in."""
        return {"input_ids": self.ids, "attention_mask": self.mask, **together(self.vision, self.mask)}


@dataclass
class Read:
    """What a model makes of a batch. Column t is about token t + 1, as it looks from t."""

    logprobs: Tensor  # (episodes, longest - 1)
    """Of each token given those before it."""
    hidden: Tensor  # (episodes, longest - 1, width)
    """The last hidden states, before each token."""
    scores: Tensor  # (episodes, longest - 1, vocabulary)
    """Log-probabilities of every token that could have come."""

    @classmethod
    def of(cls, model: nn.Module, batch: Batch, temperature: float) -> Read:
        output = model(**batch.inputs(), output_hidden_states=True, use_cache=False)
        scores = log_softmax(output.logits[:, :-1].float() / temperature, dim=-1)
        ids = batch.ids[:, 1:].clamp(max=scores.shape[2] - 1)  # Mllama's picture token has no score; none is ever said
        logprobs = scores.gather(2, ids[..., None]).squeeze(2)
        return cls(logprobs, output.hidden_states[-1][:, :-1], scores)

    @torch.no_grad()
    def known(self, acted: Tensor) -> Tensor:
        """What the critic sees, (episodes, longest - 1, width + 3): an unlikely token is often the mistake."""
        said = self.logprobs * acted
        before = said.cumsum(1) - said
        newest = torch.cat([torch.zeros_like(said[:, :1]), said[:, :-1]], dim=1)
        entropy = -(self.scores.exp() * self.scores).sum(-1)
        return torch.cat([self.hidden.float(), torch.stack([before, newest, entropy], dim=-1)], dim=-1)


def seeds_of(update: int, arguments: Any) -> Iterator[int]:
    """The seeds of an update's episodes: the same whenever the run is resumed."""
    yield from np.random.SeedSequence([arguments.seed, update]).generate_state(arguments.episodes).tolist()
