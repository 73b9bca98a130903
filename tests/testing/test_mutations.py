"""The mutations: check_verifier finds each flawed verifier, but for those that are argued harmless by name."""

import pytest
from tests.testing.mutations.generalpoints import GENERALPOINTS
from tests.testing.mutations.suite import LEVELS, Mutation
from tests.testing.mutations.virl import VIRL

pytestmark = pytest.mark.usefixtures("texts_scanned_once")
MUTATIONS = [*GENERALPOINTS, *VIRL]
FOUND_WHILE_USED = (
    "cached_by_response",
    "digits_concatenated",
    "better_of_24_and_the_target",
    "tolerance_of_a_millionth",
)


def name_of(mutation: Mutation) -> str:
    return f"{mutation.task}-{mutation.name}"


def test_there_are_enough_and_each_says_what_is_wrong_in_one_line():
    assert len(GENERALPOINTS) >= 60
    assert len(VIRL) >= 40
    assert len({name_of(mutation) for mutation in MUTATIONS}) == len(MUTATIONS)
    assert not [mutation.name for mutation in MUTATIONS if not mutation.text or "\n" in mutation.text]


def test_few_are_argued_harmless():
    harmless = [mutation.name for mutation in MUTATIONS if mutation.harmless]
    assert harmless == ["tolerance_of_a_billionth", "ties_broken_by_hash", "returns_a_bool"]


@pytest.mark.parametrize("name", FOUND_WHILE_USED)
def test_what_once_passed_is_found(name):
    (mutation,) = [mutation for mutation in GENERALPOINTS if mutation.name == name]
    assert mutation.kinds_found("full", questions=3) == {mutation.kind}


@pytest.mark.slow
@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("mutation", MUTATIONS, ids=name_of)
def test_each_mutation_is_found_unless_it_is_argued_harmless(mutation, level):
    assert (mutation.kind in mutation.kinds_found(level)) == mutation.owed(level)
