import pytest

from verienv.playing.session import Session

ENV = "verienv/GeneralPoints-L-v0"


@pytest.fixture
def play(tmp_path):
    """Open a session on one log, again where it is there already; all are closed after the test."""
    opened = []

    def open_session(splits=("train", "test"), player="ann", env_id=ENV, **how):
        for session in opened:
            session.close()
        how = {"episodes": 2, "attempts": 2, **how}
        opened.append(Session(env_id, splits, player, tmp_path / "human.jsonl", **how))
        return opened[-1]

    yield open_session
    for session in opened:
        session.close()
