"""Evaluations in processes of their own, which tests kill: python evaluating.py.

A line of stdin starts some: their number, a pause before each batch in seconds, and a log. Each is a fork, since the
libraries are slow to load; they begin together, and their ids are printed. At the next line, an empty one, they are
waited for, and what is printed is how each has ended: 0 for an evaluation that came to its end, 3 for one that was
refused the log, minus the signal for one that was killed.
"""

import os
import signal
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.evaluation.policies import is_solved_by_hash, run


def evaluate(log: str, pause: float, gate: int) -> int:
    """Evaluate once the gate is shut; return the status."""

    def slow(dialogues):
        time.sleep(pause)
        return is_solved_by_hash(dialogues)

    os.read(gate, 1)
    try:
        run(slow, log)
    except ValueError as error:
        return 3 if str(error) == f"{log} is being written by another evaluation; let it end, or log elsewhere" else 4
    return 0


def main() -> None:
    run(is_solved_by_hash)  # what is loaded late is loaded
    print("ready", flush=True)
    while line := sys.stdin.readline():
        count, pause, log = line.rstrip("\n").split(" ", 2)
        gate, shut = os.pipe()
        children = []
        for _ in range(int(count)):
            child = os.fork()
            if not child:
                os.close(shut)
                signal.signal(signal.SIGTERM, signal.SIG_DFL)
                os._exit(evaluate(log, float(pause), gate))
            children.append(child)
        print(*children, flush=True)
        os.close(shut)
        os.close(gate)
        sys.stdin.readline()
        print(*(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children), flush=True)


if __name__ == "__main__":
    main()
