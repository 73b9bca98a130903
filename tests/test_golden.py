"""Instances, prompts, feedback and demonstrations stay as published; tools/build_golden.py writes them anew."""

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest

TOOL = Path(__file__).parents[1] / "tools" / "build_golden.py"


@pytest.fixture(scope="module")
def now() -> dict[str, Any]:
    spec = importlib.util.spec_from_file_location("build_golden", TOOL)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    made: dict[str, Any] = json.loads(json.dumps(module.golden()))
    return made


PINNED: dict[str, Any] = json.loads((Path(__file__).parent / "golden" / "generalpoints.json").read_text())


@pytest.mark.parametrize("setting", PINNED["instances"])
def test_the_instances_of_a_seed_are_pinned(now: dict[str, Any], setting: str) -> None:
    assert now["instances"][setting] == PINNED["instances"][setting]


def test_the_wording_of_every_phrasing_is_pinned(now: dict[str, Any]) -> None:
    assert now["phrasings"] == PINNED["phrasings"]
    assert now["first observation"] == PINNED["first observation"]


def test_the_feedback_lines_are_pinned(now: dict[str, Any]) -> None:
    assert now["feedback"] == PINNED["feedback"]


@pytest.mark.parametrize("kind", ["sft", "revision", "preference"])
def test_the_demonstrations_of_a_seed_are_pinned(now: dict[str, Any], kind: str) -> None:
    assert now["demonstrations"][kind] == PINNED["demonstrations"][kind]
