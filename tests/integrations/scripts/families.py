"""Runs the tests of families whose processors need torchvision or num2words, here where both are installed.

    python families.py tests/policies/test_families.py ...

Prints as JSON how many tests ended in which way, and which failed.
"""

import json
import sys
from collections import Counter

import pytest
from torchvision_alone import import_torchvision


class Outcomes:
    """Counts how tests end."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.failed: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed or report.when == "call" or report.skipped:
            self.counts[report.outcome] += 1
        if report.failed:
            self.failed.append(report.nodeid)


import_torchvision()
outcomes = Outcomes()
pytest.main(["-m", "integrations", "-p", "no:cacheprovider", "--tb=short", *sys.argv[1:]], plugins=[outcomes])
print()
print(json.dumps({**outcomes.counts, "which": outcomes.failed}))
