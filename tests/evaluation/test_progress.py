"""Whatever stands in stderr's place, an evaluation runs: with a bar where one can be drawn."""

import io
import sys

import pytest
from tests.evaluation.policies import ENV

from verienv.evaluation import evaluate


class Writes:
    """Only ``write``: no isatty, no flush, no encoding, no fileno."""

    def __init__(self):
        self.text = ""

    def write(self, text):
        self.text += text


class Terminal(Writes):
    def isatty(self):
        return True


class Odd(Terminal):
    def isatty(self):
        raise RuntimeError("no answer")


class Broken(Terminal):
    """A terminal that is gone: every write fails."""

    encoding = "utf-8"

    def write(self, text):
        raise BrokenPipeError(32, "Broken pipe")

    def flush(self):
        raise BrokenPipeError(32, "Broken pipe")


class Ascii(io.TextIOWrapper):
    def __init__(self):
        super().__init__(io.BytesIO(), encoding="ascii", errors="strict")

    def isatty(self):
        return True


def closed():
    stream = io.StringIO()
    stream.close()
    return stream


STREAMS = [lambda: None, closed, object, Writes, Terminal, Odd, Broken, Ascii, io.StringIO]


@pytest.mark.parametrize("progress", [None, True, False])
@pytest.mark.parametrize("stream", STREAMS, ids=lambda stream: stream.__name__)
def test_no_stream_stops_an_evaluation(stream, progress, monkeypatch):
    monkeypatch.setattr(sys, "stderr", stream())
    assert evaluate("expert", ENV, ["train"], episodes=2, progress=progress).cells["train"].episodes == 2


@pytest.mark.parametrize(
    ("stream", "progress", "is_drawn"), [(Writes, None, 0), (Writes, True, 1), (Terminal, None, 1)]
)
def test_a_bar_is_drawn_on_what_can_write(stream, progress, is_drawn, monkeypatch):
    monkeypatch.setattr(sys, "stderr", made := stream())
    evaluate("expert", ENV, ["train"], episodes=2, progress=progress)
    assert ("2/2" in made.text) == is_drawn


def test_a_stream_that_is_closed_meanwhile_stops_nothing(monkeypatch):
    made = io.StringIO()
    monkeypatch.setattr(sys, "stderr", made)

    def closes(dialogues):
        made.close()
        return ["?"] * len(dialogues)

    assert evaluate(closes, ENV, ["train"], episodes=2, progress=True).cells["train"].episodes == 2
