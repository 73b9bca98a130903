"""Benchmark v1 with a few hands in words alone, so that playing and checking it takes no time."""

from verienv.evaluation.benchmark.questions import check_questions, hash_questions
from verienv.evaluation.benchmark.specification import load_benchmark

PART = "verienv/GeneralPoints-L-v0"
ROOMS = ("evaluation.benchmark.questions", "evaluation.benchmark.results", "evaluation.benchmark.checking")


def shrink(monkeypatch, hands):
    """Let v1 be a small benchmark, with the hash of what that asks."""
    whole = load_benchmark("v1")
    few = {name: ids[:hands] for name, ids in whole.instances.items()}
    part = whole.parts[PART]
    made = whole.model_copy(update={"instances": few, "parts": {PART: part}})
    made.parts[PART] = part.model_copy(update={"asks": hash_questions(made, PART)})
    for room in (*ROOMS, "evaluation.benchmark.tables", "cli.benchmark"):
        monkeypatch.setattr(f"verienv.{room}.load_benchmark", lambda _: made)
    check_questions.cache_clear()
