"""crowd-kit finds in labels what verienv finds in them."""

import pytest
from tests.integrations.conftest import InLibrary

pytestmark = pytest.mark.integrations


def test_alpha_and_dawid_skene_are_crowd_kits(in_library: InLibrary) -> None:
    told = in_library("crowdkit", "crowdkit_agreement.py")
    assert told["pairs"] > 290
    assert told["farthest p"] < 1e-6
    ours, theirs = told["alphas"]
    assert ours == pytest.approx(theirs, abs=1e-9)
