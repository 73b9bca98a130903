"""Families of vision-language models whose processors need torchvision or num2words go through what the others do."""

import pytest
from tests.families import FAMILIES

pytestmark = pytest.mark.integrations

TESTS = ["tests/policies/test_families.py", "tests/policies/test_needs.py", "tests/examples/test_families.py"]


@pytest.mark.parametrize("tests", TESTS)
def test_families_that_need_torchvision_pass_the_tests_of_all_families(tests, in_library):
    said = in_library("families", "families.py", tests)
    assert said.get("failed", 0) == 0, said["which"]
    assert said["passed"] >= (1 if "needs" in tests else sum(bool(family.needs) for family in FAMILIES.values()))
