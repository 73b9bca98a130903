"""Print what check_verifier finds of every mutation: ``python -m tests.testing.mutations [part of a name ...]``."""

import sys

from tests.testing.mutations.generalpoints import GENERALPOINTS
from tests.testing.mutations.suite import report
from tests.testing.mutations.virl import VIRL

chosen = [m for m in [*GENERALPOINTS, *VIRL] if not sys.argv[1:] or any(part in m.name for part in sys.argv[1:])]
missed = 0
for line in report(chosen):
    print(line, flush=True)
    missed += "MISSED" in line
sys.exit(bool(missed))
