"""Sentences of routes, read as numbers need them."""

import pytest

from verienv.numeric.sentences import Sentence


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("Stop.", Sentence("stop")),
        ("Turn slightly left to face northwest.", Sentence("turn", "northwest", "slightly left")),
        ("Turn to face north.", Sentence("turn", "north")),
        ("Turn right.", Sentence("turn", side="right")),
        ("Turn until A is on your left is behind you.", Sentence("turn", "", "", "A is on your left", "behind")),
        ("Walk forward to the next intersection.", Sentence("walk")),
        (
            "Walk forward to the intersection where X. is behind you is on your left front.",
            Sentence("walk", landmark="X. is behind you", position="left front"),
        ),
        (
            "Walk forward until your destination B is in front of you.",
            Sentence("arrive", landmark="B", position="front"),
        ),
    ],
)
def test_sentences_are_read(text: str, sentence: Sentence) -> None:
    assert Sentence.read(text) == sentence


@pytest.mark.parametrize("text", ["", "Stop", "Turn around.", "Turn left to face up.", "Walk on."])
def test_what_is_no_sentence_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match="is no instruction of a route"):
        Sentence.read(text)
