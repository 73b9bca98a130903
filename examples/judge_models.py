"""Models as judges: one on this machine, and one behind a server.

A model on this machine is read, not asked to speak: the probabilities of the letters A and B as its next token, in one
pass for each order, as in RLAIF (arXiv 2309.00267). transformers' pipeline("decision") does likewise, one prompt after
the other and with a wording of its own; these lines are batched, and the wording is ours.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from hashlib import sha256
from itertools import islice, takewhile
from typing import Any

from judging import Asked
from model import parameters_of
from verienv.policies import load
from verienv.policies.server import OpenAIPolicy
from verienv.preferences.judging import BY_LETTER, BY_WORD, Answer, read_answer


class LocalJudge:
    """A model on this machine, which sees where it can. ``read_tokens`` counts what it has read."""

    asks = BY_LETTER

    def __init__(self, name: str, *, device: str = "auto", dtype: str | None = None, batch: int = 16) -> None:
        policy: Any = load(name, device=device, dtype=dtype, max_new_tokens=1)
        self.policy, self.batch, self.read_tokens = policy, batch, 0
        self.lead, self.letters = letters_of(policy.tokenizer, name)
        weights = sha256()  # a folder may hold another model tomorrow
        for part, values in policy.model.state_dict().items():
            some = values.flatten()[:: max(1, values.numel() // 64)].double().cpu()
            weights.update(f"{part} {tuple(values.shape)}".encode() + some.numpy().tobytes())
        self.about = {"model": name, "weights": weights.hexdigest(), "dtype": str(policy.model.dtype)}

    def __str__(self) -> str:
        parameters = parameters_of(self.policy.model)
        flops = 2 * parameters * self.read_tokens
        return f"{self.read_tokens:,} tokens read by {parameters:,} parameters, {flops:.3g} FLOPs"

    def answers(self, asked: Sequence[Asked]) -> Iterator[tuple[Asked, Answer]]:
        waiting, longest = iter(asked), self.policy.context or 2**62
        while window := list(islice(waiting, 8 * self.batch)):
            rows = [(each, self.policy.opening(each.dialogue) + self.lead) for each in window]
            for each, _ in (row for row in rows if len(row[1]) > longest):
                yield each, Answer(None, said="longer than its context")
            fitting = sorted((row for row in rows if len(row[1]) <= longest), key=lambda row: len(row[1]))
            for start in range(0, len(fitting), self.batch):
                some = fitting[start : start + self.batch]
                for (each, row), (p, mass) in zip(some, self._read([row for _, row in some]), strict=True):
                    self.read_tokens += len(row)
                    yield each, Answer(p, mass, prompt_tokens=len(row))

    def _read(self, rows: Sequence[Any]) -> list[tuple[float, float]]:
        """Return the probability of A among the letters, and that of both letters, after each row of tokens."""
        import torch

        policy = self.policy
        with torch.inference_mode(), policy.computing():
            found = policy.model.generate(
                **policy.batch(rows, left=True), max_new_tokens=1, do_sample=False, num_beams=1, output_logits=True,
                return_dict_in_generate=True, pad_token_id=policy.tokenizer.pad_token_id,
            )  # fmt: skip
        chances = found.logits[0].double().log_softmax(1).exp()
        if not bool(chances.isfinite().all()):
            raise FloatingPointError("the judge's probabilities are not finite: its weights are broken")
        both = torch.stack([chances[:, ids].sum(1) for ids in self.letters], 1).clamp(min=1e-300)
        mass = both.sum(1)
        return list(zip((both[:, 0] / mass).tolist(), mass.clamp(max=1.0).tolist(), strict=True))


def letters_of(tokenizer: Any, name: str) -> tuple[list[int], list[list[int]]]:
    """Return the tokens with which both letters begin, and those that are A, and B, after these, or after a space."""
    one, other, *spaced = (tokenizer(text, add_special_tokens=False)["input_ids"] for text in ("A", "B", " A", " B"))
    begun = sum(1 for _ in takewhile(lambda two: two[0] == two[1], zip(one, other, strict=False)))
    letters = [one[begun : begun + 1], other[begun : begun + 1]]
    if not all(letters):
        raise ValueError(f"--model {name}: its tokens do not tell A from B; choose another judge")
    if not begun and all(len(ids) == 1 for ids in spaced) and spaced[0] != spaced[1]:
        letters = [list(dict.fromkeys(ids + more)) for ids, more in zip(letters, spaced, strict=True)]
    return one[:begun], letters


class ServerJudge:
    """A model behind a server: read where the server tells its likeliest tokens, else taken at its word."""

    asks = BY_WORD

    def __init__(self, policy: OpenAIPolicy, **about: Any) -> None:
        self.policy, self.about = policy, about

    def __str__(self) -> str:
        return str(self.policy.usage)

    def answers(self, asked: Sequence[Asked]) -> Iterator[tuple[Asked, Answer]]:
        """Yield answers as they come. After a failure those that are under way are waited for: they are paid for."""
        waiting, under_way, failure = iter(asked), dict[Future[Any], Asked](), None
        while True:
            for each in islice(waiting, 0 if failure else self.policy.concurrency - len(under_way)):
                under_way[self.policy.complete(each.dialogue)] = each
            if not under_way:
                break
            for future in wait(under_way, return_when=FIRST_COMPLETED).done:
                each = under_way.pop(future)
                try:
                    said = future.result()
                except (ValueError, OSError) as error:
                    failure = failure or error
                    continue
                p, mass = read_answer(said.response, is_cut=said.is_cut, logprobs=said.logprobs)
                yield each, Answer(p, mass, said.response[-2000:], said.prompt_tokens, said.completion_tokens)
        if failure:
            raise failure
