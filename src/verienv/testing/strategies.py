"""Strategies for hypothesis: odd responses to any task. Those for a task's facts stand in its own ``strategies``.

They shrink towards the plain.
"""

from __future__ import annotations

import json

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from verienv.core import tasks


def odd_responses(task: str = "generalpoints") -> SearchStrategy[str]:
    """Responses that no one asked for: any Unicode text, lone surrogates included, broken and odd JSON, floods."""
    found = tasks.named(task)
    key, *others = found.fields or ("answer",)
    answer = found.environment(next(iter(found.environments))).deal(np.random.default_rng(0)).expert()
    pieces = [
        f'{{"{key}": ',
        '"',
        answer,
        answer[len(answer) // 2 :],
        "}",
        "{",
        "[",
        "]",
        "'",
        "\\",
        ",",
        ":",
        "=24",
        "\n",
        "\\frac{",
        "\ud800",
        "null",
    ]
    fragments = st.lists(st.one_of(st.sampled_from(pieces), any_text(max_size=3)), max_size=30).map("".join)
    scalars = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), any_text())
    values = st.recursive(
        scalars, lambda inner: st.one_of(st.lists(inner), st.dictionaries(any_text(), inner)), max_leaves=8
    )
    fields = st.fixed_dictionaries({key: values}, optional=dict.fromkeys(others, values))
    objects = st.one_of(fields.map(json.dumps), fields.map(str))
    floods = st.builds(lambda piece, times: piece * times, st.sampled_from(pieces), st.integers(1, 2000))
    cut = st.builds(lambda text, at: text[:at], objects, st.integers(0, 60))
    return st.one_of(any_text(), fragments, objects, cut, floods, st.lists(objects).map("\n".join))


def any_text(min_size: int = 0, max_size: int | None = None) -> SearchStrategy[str]:
    """Text over all code points, lone surrogates included."""
    return st.text(st.characters(exclude_categories=()), min_size=min_size, max_size=max_size)
