"""Measures of a policy beside success: how it explores, how it repairs an answer after feedback.

Each is of a policy in a cell of a study: a number an item, with the item's cluster.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from math import comb, gcd, log, nan
from typing import Any

import numpy as np
import torch

from asking import BestOf, answers, sizes
from best_of_n import picked
from study_plan import Study
from verienv.arithmetic.expression import Expression, IllegalFormula, evaluate, parse_formula
from verienv.arithmetic.solver import solutions
from verienv.core.episode import Episode
from verienv.core.make import make_env
from verienv.core.policy import Policy, dialogue
from verienv.core.reading import read_lines
from verienv.core.response import read_answer
from verienv.core.run_folder import RunFolder
from verienv.generalpoints import Puzzle

SAMPLES = 16
"""Answers to each question."""
KS = (1, 4, 16)
Items = dict[str, list[Any]]
"""By measure, a number an item; and "clusters"."""


def explored(study: Study, policy: Policy, cell: str) -> Items:
    """Ask a policy about the first items of a cell, again and again, then with feedback."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return {**sampled(policy, list(episodes(study, cell, 1))), **repaired(study, policy, cell)}


def episodes(study: Study, cell: str, attempts: int) -> Iterator[Episode]:
    """Yield the episodes of the first items of a cell, with so many attempts."""
    played = study.cells[cell]
    settings = {**study.settings, **played.settings, "attempts": attempts}
    instances = settings.pop("instances", None)
    env = make_env(study.env, **settings)
    for number in range(study.explored if instances is None else min(study.explored, len(instances))):
        env.reset(seed=played.seed + number, options={"instance": instances[number]} if instances else None)
        yield Episode(env.unwrapped.question)


def sampled(policy: Policy, asked: list[Episode]) -> Items:
    """Sample 16 answers to each question: pass at 1, 4 and 16, and the share of the known solutions among them."""
    responses = policy([dialogue(episode) for episode in asked for _ in range(SAMPLES)])
    found: Items = {f"pass_{k}": [] for k in KS} | {"solutions": [], "clusters": []}
    for number, episode in enumerate(asked):
        own = responses[number * SAMPLES : (number + 1) * SAMPLES]
        right = [text for text in own if not episode.question.judge(text).failure]
        for k in KS:
            found[f"pass_{k}"].append(round(pass_at(k, len(right)), 6))
        found["solutions"].append(round(share_found(episode.question.facts, right), 6))
        found["clusters"].append(episode.question.cluster)
    return found


def best_of(study: Study, best: BestOf, cell: str) -> list[dict[str, float]]:
    """Tell what the best of n answers to the first items of a cell is worth, for n = 1, 2, 4, ... and the most.

    The score of what is picked is the reward model's; whether it is right, the program says afterwards.
    """
    asked = list(episodes(study, cell, 1))
    with torch.random.fork_rng():
        torch.manual_seed(0)
        texts, spoken, ended = answers(best.policy, [({}, dialogue(one)) for one in asked for _ in range(best.n)])
    scores = best.scorer(spoken, ended).reshape(-1, best.n)
    verdicts = [one.question.judge(texts[at * best.n + n]) for at, one in enumerate(asked) for n in range(best.n)]
    right = np.array([not verdict.failure for verdict in verdicts], dtype=float).reshape(-1, best.n)
    return [
        {"n": n, "kl": log(n) - (n - 1) / n, "score": picked(scores, scores, n), "success": picked(scores, right, n)}
        for n in sizes(best.n)
    ]


def repaired(study: Study, policy: Policy, cell: str, attempts: int = 3) -> Items:
    """Play with feedback: whether an answer that was wrong at first became right; None where it was right at once."""
    playing = list(episodes(study, cell, attempts))
    while open_ones := [episode for episode in playing if not episode.is_over]:
        for episode, text in zip(open_ones, policy([dialogue(episode) for episode in open_ones]), strict=True):
            episode.answer(text)
    wrong = [bool(episode.verdicts[0].failure) for episode in playing]
    return {"repaired": [float(one.is_success) if was else None for one, was in zip(playing, wrong, strict=True)]}


def pass_at(k: int, right: int, samples: int = SAMPLES) -> float:
    """Return the chance that one of ``k`` answers is right, where so many of the samples are (arXiv 2107.03374)."""
    return 1.0 - comb(samples - right, k) / comb(samples, k)


def share_found(puzzle: Puzzle, right: list[str]) -> float:
    """Return the share of a hand's solutions that right answers hold; NaN for a puzzle that is none of cards."""
    if not isinstance(puzzle, Puzzle):
        return nan
    known = {alike(one) for one in solutions(puzzle.values, puzzle.target, puzzle.operators)}
    found = set()
    for text in right:
        try:
            found.add(alike(parse_formula((read_answer(text, "formula") or {})["formula"]).expression))
        except (IllegalFormula, KeyError, ValueError):
            continue  # an answer that only the verifier's whole grammar reads
    return len(found & known) / len(known)


def alike(expression: Expression) -> tuple[int, int]:
    """Return what formulas that differ by commuting and regrouping share: their value with other numbers in place.

    Powers of 3 modulo a large prime stand in, which have nothing to do with each other.
    """
    drawn = [pow(3, 100 + item, 2**61 - 1) if isinstance(item, int) else item for item in expression.postfix]
    top, bottom = evaluate(drawn) or (0, 0)
    shared = gcd(top, bottom) or 1
    return top // shared, bottom // shared


def truth(run: RunFolder) -> list[dict[str, float]]:
    """Judge what a run said that a reward model paid for, now that it is trained: by update score, success and KL."""
    path, log = run.out / "responses.jsonl", {line["update"]: line for line in run.lines()}
    found: dict[int, list[tuple[float, bool]]] = {}
    if path.exists():
        with path.open("rb") as file:
            for text in read_lines(file, path):
                line = json.loads(text)
                verdict = Episode.of(line).answer(line["response"])
                found.setdefault(line["update"], []).append((line["score"], not verdict.failure))
    return [
        {
            "update": update,
            "episodes": len(said),
            "score": sum(score for score, _ in said) / len(said),
            "success": sum(right for _, right in said) / len(said),
            "kl": log[update].get("kl", nan),
        }
        for update, said in found.items()
        if update in log
    ]
