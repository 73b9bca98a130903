import json
import re

from verienv.browsing import export
from verienv.browsing.export import exported


def data_of(html):
    [data] = re.findall(r'id="data">(.*?)</script>', html, re.DOTALL)
    return json.loads(data)


def test_a_file_holds_rows_responses_replays_comparisons_and_curves(collection):
    html, left_out = exported(collection)
    held = data_of(html)["held"]
    assert (len(held["rows"]), len(held["episodes"]), len(held["replays"])) == (24, 24, 16)
    assert len(held["comparisons"]["0 1"]["pairs"]) == 8
    assert held["runs"][0]["name"] == "runs/ppo"
    assert left_out == []


def test_a_file_asks_no_server_and_nothing_hostile_is_html_in_it(collection):
    html, _ = exported(collection)
    [policy] = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', html)
    assert "default-src 'none'" in policy
    assert "connect-src 'none'" in policy
    assert "'self'" not in policy
    assert "<img" not in html
    assert html.count("</script>") == 2


def test_a_file_is_bounded_and_says_what_it_leaves_out(collection, monkeypatch):
    monkeypatch.setattr(export, "MOST_ROWS", 6)
    monkeypatch.setattr(export, "MOST_BYTES", 4000)
    monkeypatch.setattr(export, "MOST_COMPARED", 2)
    html, left_out = exported(collection, replays=0)
    data = data_of(html)
    assert {row["episode"] for row in data["held"]["rows"]} == {0}
    assert data["left_out"] == left_out
    assert left_out[0] == "This file holds 6 of 24 episodes; verienv view shows all."
    assert re.match(r"This file holds \d of 24 episodes with their responses", left_out[1])
    assert left_out[2:] == [
        "This file holds 0 of 16 replays; verienv view shows all.",
        "This file holds 2 of 3 evaluations compared with each other; verienv view shows all.",
    ]


def test_a_replay_that_will_hardly_fit_is_not_drawn(collection, monkeypatch):
    drawn, replay = [], export.Reader.replay

    def large(reader, row):
        drawn.append(row)
        return {**replay(reader, row), "html": "x" * 3000 * int(collection.table.attempts[row])}

    monkeypatch.setattr(export.Reader, "replay", large)
    monkeypatch.setattr(export, "MOST_BYTES", 10_000)
    held = data_of(exported(collection)[0])["held"]["replays"]
    assert len(drawn) == len(held) < 4
