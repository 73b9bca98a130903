"""Judgings in processes of their own: what they open, whether they verify, and kills between their answers.

    python judgings.py FOLDER URL

Every process is watched: to open a file of verdicts, or to make a verdict, is an error there. The libraries are loaded
once, and each judging is a fork. What is printed is how each one ended.
"""

import contextlib
import json
import os
import signal
import sys
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "examples"))

import judge
import verienv
from verienv.core.verdict import Verdict
from verienv.preferences import Judgement, RecordWriter

KILLS = (1, 2, 3)
"""The answer of each judging after which it is killed."""
adding = RecordWriter.add


class WatchedError(BaseException):
    """What no judge may do."""


def watch(event, arguments):
    if event == "open" and "verdicts" in str(arguments[0]):
        raise WatchedError("a judge opens the verdicts")


def refuse(*_, **__):
    raise WatchedError("a judge verifies")


def forked(work, kill=0):
    """Work in a process of its own; return how it ended: the signal, or the status (3 for what is watched)."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    answers = []

    def add(writer, *records):
        adding(writer, *records)
        answers.extend(record for record in records if isinstance(record, Judgement))
        if kill and len(answers) == kill:
            os.kill(os.getpid(), signal.SIGKILL)

    RecordWriter.add = add
    try:
        with contextlib.redirect_stdout(sys.stderr):
            work()
    except WatchedError:
        os._exit(3)
    os._exit(0)


def main():
    folder, url = Path(sys.argv[1]), sys.argv[2]
    [row] = verienv.rows("verienv/GeneralPoints-L-v0", n=1)
    sys.addaudithook(watch)
    Verdict.__init__ = refuse
    by_model = partial(judge.judge, judge.Arguments(folder, model="openai:m", base_url=url, concurrency=1))
    by_rule = partial(judge.judge, judge.Arguments(folder, simulated=("program",)))
    print(
        json.dumps(
            {
                "killed": [forked(by_model, kill) for kill in KILLS],
                "whole": [forked(by_model), forked(by_model)],
                "opens verdicts": forked(by_rule),
                "verifies": forked(lambda: verienv.judge(row, "24")),
            }
        )
    )


if __name__ == "__main__":
    main()
