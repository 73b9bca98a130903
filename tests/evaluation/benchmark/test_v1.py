"""Benchmark v1 asks what was published: its specification, every question and reply, and pictures by their pixels."""

from hashlib import sha256

import numpy as np
import pytest

from verienv.core.assets import asset_path
from verienv.evaluation.benchmark import BENCHMARKS, Benchmark, check_questions, hash_questions, load_benchmark
from verienv.evaluation.cells import Cell

PUBLISHED = {"v1": "f397c98cca757875dc8f736ce8443a930769441d946bc180827358b516a78086"}
"""Never change a line here: what a benchmark asks stays; a change is a new benchmark."""
PIXELS = {
    (
        "verienv/GeneralPoints-VL-v0",
        "train side, J=Q=K=10, black suits",
    ): "24ee5dddfccf1ea8a7c5a3d3d75d937d39d726e219b325dd19ca5077a1811a8d",
    (
        "verienv/GeneralPoints-VL-v0",
        "test side, 11-12-13, red suits",
    ): "2ffa67d51fe30d730ec8e556356e22712a39ada193447c96aa00bb478e3c8dda",
    ("verienv/VIRL-VL-v0", "new cities, relative"): "a6f8439dbd14ac7088b89d22c9913664496a75110e7633d986e22066753b5683",
}
"""The first pictures of a few cells, for the versions of Pillow and numpy in constraints.txt."""


def test_the_published_specifications_are_the_shipped_ones():
    assert BENCHMARKS == PUBLISHED
    for name, digest in PUBLISHED.items():
        raw = asset_path(f"benchmarks/{name}.json").read_bytes()
        assert sha256(raw).hexdigest() == digest
        assert load_benchmark(name).to_json().encode() == raw


@pytest.mark.parametrize("env_id", ["GeneralPoints-L", "GeneralPoints-VL", "VIRL-L", "VIRL-VL"])
def test_v1_asks_and_pays_what_was_published(env_id):
    check_questions("v1", f"verienv/{env_id}-v0")


@pytest.mark.parametrize("where", PIXELS, ids=str)
def test_v1_shows_the_pictures_that_were_published(where):
    env_id, name = where
    pictures = Cell(env_id, load_benchmark("v1").cells(env_id)[name], 1, 0).deal(0).pictures
    assert sha256(b"".join(np.ascontiguousarray(one).tobytes() for one in pictures)).hexdigest() == PIXELS[where]


def test_v1_asks_both_tasks_in_words_and_by_vision_greedily_on_shared_instances():
    benchmark = load_benchmark("v1")
    assert benchmark.temperature == 0
    assert [env_id.partition("/")[2] for env_id in benchmark.parts] == [
        "GeneralPoints-L-v0", "GeneralPoints-VL-v0", "VIRL-L-v0", "VIRL-VL-v0",
    ]  # fmt: skip
    assert {name: len({*ids}) for name, ids in benchmark.instances.items()} == {
        "hands, train side": 100, "hands, test side": 100,
        "routes, train side": 50, "routes, test side": 50, "routes, new cities": 50,
    }  # fmt: skip
    assert not {*benchmark.instances["hands, train side"]} & {*benchmark.instances["hands, test side"]}


def a_part(**settings):
    cell = {"settings": {"split": "train", **settings}, "instances": "few"}
    part = {"settings": {"attempts": 2}, "cells": {"train": cell}, "asks": ""}
    few = {"few": ["generalpoints:Q-Q-4-2:24", "generalpoints:6-7-K-J:24"]}
    parts = {"verienv/GeneralPoints-L-v0": part}
    return Benchmark.model_validate({"name": "x", "temperature": 0.0, "instances": few, "parts": parts})


def test_the_hash_changes_with_wording_feedback_prices_and_attempts():
    changes = [
        {},
        {"think_first": True},
        {"feedback": "none"},
        {"rewards": "binary"},
        {"attempts": 3},
        {"rule": "rank"},
    ]
    assert len({hash_questions(a_part(**each), "verienv/GeneralPoints-L-v0") for each in changes}) == len(changes)


def test_a_version_that_asks_otherwise_refuses_the_benchmark(monkeypatch):
    monkeypatch.setattr("verienv.evaluation.benchmark.questions.load_benchmark", lambda name: a_part())
    with pytest.raises(
        ValueError, match=r"asks other questions of verienv/GeneralPoints-L-v0 than benchmark x"
    ) as caught:
        check_questions("x", "verienv/GeneralPoints-L-v0")
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_the_published_one_is_refused(monkeypatch, tmp_path):
    load_benchmark.cache_clear()
    (tmp_path / "v1.json").write_bytes(asset_path("benchmarks/v1.json").read_bytes().replace(b"K-7-3-2", b"K-7-3-3"))
    monkeypatch.setattr("verienv.evaluation.benchmark.specification.asset_path", lambda _: tmp_path / "v1.json")
    with pytest.raises(ValueError, match="is not the one that was published"):
        load_benchmark("v1")
    with pytest.raises(ValueError, match="benchmark 'v9': expected one of v1"):
        load_benchmark("v9")
