"""Strategies for any task, and hypothesis loaded with the first of them."""

import subprocess
import sys

import pytest
from hypothesis import find, settings

import verienv
from verienv.core import tasks
from verienv.testing import odd_responses


def test_hypothesis_is_loaded_only_with_a_strategy():
    script = """
import sys
sys.modules["hypothesis"] = None
import verienv.testing
assert verienv.check_verifier
try:
    verienv.testing.odd_responses
except ImportError as error:
    print(error)
"""
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert "pip install hypothesis" in told


@pytest.mark.parametrize("task", verienv.tasks())
def test_odd_responses_shrink_to_the_plain(task):
    once = settings(derandomize=True, database=None)
    assert find(odd_responses(task), lambda text: True, settings=once) == ""


@pytest.mark.parametrize("task", verienv.tasks())
def test_odd_responses_of_a_task_hold_its_fields(task):
    once = settings(derandomize=True, database=None, max_examples=2000)
    (key, *_) = tasks.named(task).fields
    assert find(odd_responses(task), lambda text: f'"{key}": ' in text, settings=once)


def test_odd_responses_of_an_unknown_task_are_an_error_that_lists_the_tasks():
    with pytest.raises(ValueError, match="task='chess': expected generalpoints or virl"):
        odd_responses("chess")
