"""The measures of a study: every checkpoint played in every cell, and how far it went from its start.

<out>/evaluations/<run>/ holds the logs of evaluations, a file a checkpoint and seed of a cell.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from study_plan import Job, Study
from study_statistics import packed
from verienv.core.dialogue import with_pictures
from verienv.demos import demonstrations
from verienv.evaluation import Evaluation, evaluate
from verienv.policies import HuggingFacePolicy, Sampling
from verienv.policies.hugging_face.batch import Batch, Rollout, read
from verienv.policies.hugging_face.checkpoint import path_of
from verienv.policies.hugging_face.policy import evaluating
from verienv.policies.hugging_face.tokens import Tokens

FIELD = re.compile(r'"([a-z][a-z _]{0,40})" {0,4}:')
"""The beginning of a field in an answer as JSON."""


@dataclass(frozen=True)
class Place:
    """Folder, device and threads of a study's runs.

    Attributes:
        out: folder of the study.
        device: of every run.
        temperature: at which policies are evaluated.
        threads: of torch, in each process.
    """

    out: Path
    device: str
    temperature: float
    threads: int

    @property
    def measured(self) -> str:
        """The file of a run's points: one for each temperature."""
        return f"points-temperature{self.temperature:g}.json"

    def run(self, job: Job) -> Path:
        return self.out / "runs" / job.name

    def points(self, job: Job) -> Path:
        return self.run(job) / self.measured


def weights_of(name: str) -> str:
    """Return a hash of a start's weights, "" where they are not at hand. Built elsewhere, a start has others."""
    files = sorted(Path(path_of(name)).glob("*.safetensors"))
    return sha256(b"".join(sha256(file.read_bytes()).digest() for file in files)).hexdigest() if files else ""


def loaded(study: Study, place: Place, name: str) -> HuggingFacePolicy:
    how: dict[str, Any] = {"device": place.device, "max_new_tokens": study.max_new_tokens, "batch_size": study.batch}
    return HuggingFacePolicy.load(name, sampling=Sampling(place.temperature), **how)


def played(study: Study, place: Place, policy: HuggingFacePolicy, run: str, name: str) -> dict[str, Evaluation]:
    """Return a policy's evaluation by cell; cells of one seed are played, and logged, together."""
    folder = place.out / "evaluations" / run
    found: dict[str, Evaluation] = {}
    for seed in sorted({cell.seed for cell in study.cells.values()}):
        cells = {
            name: {**study.settings, "episodes": cell.episodes or study.episodes, **cell.settings}
            for name, cell in study.cells.items()
            if cell.seed == seed
        }
        log = folder / f"{name}-temperature{place.temperature:g}-seed{seed}.jsonl"
        evaluation = evaluate(
            policy, study.env, cells, seed=seed, batch_size=study.batch, log=log, name=f"{run} {name}", progress=False
        )
        found |= dict.fromkeys(cells, evaluation)
    return {name: found[name] for name in study.cells}


def records(evaluation: Evaluation, cell: str) -> list[Any]:
    return sorted((one for one in evaluation.episodes if one.cell == cell), key=lambda one: one.episode)


def cells_of(study: Study, evaluations: dict[str, Evaluation]) -> dict[str, Any]:
    """Return what study.json holds of a checkpoint's cells: means, failures, and each item's success as a bit."""
    found = {}
    for name, evaluation in evaluations.items():
        cell = evaluation.cells[name]
        metrics = {gauge: cell.metrics[gauge].mean for gauge in study.gauges if gauge in cell.metrics}
        successes = np.array([one.success for one in records(evaluation, name)])
        found[name] = {
            "episodes": cell.episodes, "clusters": cell.clusters, "metrics": metrics, "failures": cell.failures,
            "successes": packed(successes),
        }  # fmt: skip
    return found


@torch.inference_mode()
def divergences(study: Study, job: Job, policy: HuggingFacePolicy, start: HuggingFacePolicy) -> dict[str, Any]:
    """Return KL(policy || start) and KL(start || policy) in nats a response, also by field of the answer.

    Each is exact at every token of responses that its first model samples at temperature 1, to questions of the
    training rule.
    """
    prompts = [policy.opening(with_pictures(row["prompt"], row.get("images", ()))) for row in questions(study, job)]
    pair = {"policy_to_start": (policy, start), "start_to_policy": (start, policy)}
    return {name: divergence(*sides, prompts) for name, sides in pair.items()}


@torch.inference_mode()
def losses(study: Study, job: Job, policy: HuggingFacePolicy) -> dict[str, float]:
    """Return the loss on the expert's answers in nats an answer, in all and by field."""
    with evaluating(policy.model):
        rollouts = [Rollout.demonstrated(policy, row) for row in questions(study, job)]
        totals: dict[str, float] = {"all": 0.0}
        for index, few in Batch.of(rollouts, policy).parts(64):
            nats = -read(policy, policy.model, few).logprobs
            for row, own, was in zip(index.tolist(), nats, few.acted, strict=True):
                said = [token for token, acted in zip(rollouts[row].ids, rollouts[row].acted, strict=True) if acted]
                spread_over_fields(totals, own[was > 0], said, policy)
    return {name: total / len(rollouts) for name, total in totals.items()}


def questions(study: Study, job: Job) -> list[Any]:
    """Return questions of the training rule with the expert's answers, at which a run is measured."""
    settings = {**study.settings, **study.trained_on, **study.arms[job.arm].settings}
    settings = {"split": "train", **{name: value for name, value in settings.items() if name != "rewards"}}
    return list(demonstrations(study.env, n=study.kl_questions, seed=7, **settings))


def divergence(one: HuggingFacePolicy, other: HuggingFacePolicy, prompts: Sequence[Tokens]) -> dict[str, float]:
    """Return KL(one || other) in nats a response, in all and by field."""
    with evaluating(one.model), evaluating(other.model), torch.random.fork_rng(one.chances):
        torch.manual_seed(0)
        said, _ = one.sample(prompts, 1.0)
        rollouts = [Rollout(Tokens(prompt, prompt.vision)) for prompt in prompts]
        for rollout, response in zip(rollouts, said, strict=True):
            rollout.respond(response, [0.0] * len(response), 0.0, "")
        totals: dict[str, float] = {"all": 0.0}
        for index, few in Batch.of(rollouts, one).parts(64):
            ours, theirs = (read(each, each.model, few).scores.log_softmax(-1) for each in (one, other))
            acted = few.acted[:, -ours.shape[1] :]
            nats = (ours.exp() * (ours - theirs)).sum(-1) * acted
            for row, own, was in zip(index.tolist(), nats, acted, strict=True):
                spread_over_fields(totals, own[was > 0], said[row], one)
    return {name: total / len(rollouts) for name, total in totals.items()}


def spread_over_fields(totals: dict[str, float], nats: Tensor, response: list[int], policy: HuggingFacePolicy) -> None:
    """Add the nats of each token to the field that it stands in; what comes before the first field is the first's."""
    pieces = [policy.tokenizer.decode([token]) for token in response]
    text = "".join(pieces)
    fields = [(match.start(), match[1]) for match in FIELD.finditer(text[:4096])] or [(0, "no field")]
    place = 0
    for piece, value in zip(pieces, nats.tolist(), strict=True):
        name = next((name for begin, name in reversed(fields) if begin < place + len(piece)), fields[0][1])
        totals["all"] += value
        totals[name] = totals.get(name, 0.0) + value
        place += len(piece)
