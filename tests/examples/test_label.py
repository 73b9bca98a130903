"""The page on which people label pairs, and the same in the terminal."""

import http.client
import json
import os
import re
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from tests.examples.conftest import EXAMPLES
from tests.preferences.made import pair, verdicts, written

pytest.importorskip("fastapi")
from fastapi.testclient import TestClient

import label
from verienv.pages.guard import Guard
from verienv.pages.html import Page
from verienv.preferences import RecordWriter, read_labels, read_pairs
from verienv.preferences.labelling import Labelling

HERE = "http://127.0.0.1:8000"
PNG = b"\x89PNG\r\n\x1a\n" + b"rest"
NASTY = "</script><script>alert(1)</script><img src=x onerror=alert(1)>\u202e\x1b[2J"


def with_picture(number):
    parts = [{"type": "image"}, {"type": "text", "text": f"Which is it, {number}?"}]
    asked = [{"role": "user", "content": parts}]
    return pair(number, prompt=asked, images=[f"images/{number}.png"], a=NASTY, b="", policy="the policy's name")


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "images").mkdir()
    for number in range(4):
        (tmp_path / f"images/{number}.png").write_bytes(PNG)
    (tmp_path / "images/other.png").write_bytes(PNG)
    written(tmp_path / "pairs.jsonl", *(with_picture(number) for number in range(4)))
    return tmp_path


@pytest.fixture
def page(folder):
    """A browser on the page, which labels go on disk from."""
    pairs = read_pairs(folder / "pairs.jsonl")
    with RecordWriter(folder / "labels.jsonl") as file:
        desk = Labelling(pairs, [], file.add, overlap=1.0, repeats=0.0, guidelines="Be exact </script>.")
        html = Page.read(label.PAGE)
        app = label.application(desk, pairs, folder, html)
        client = TestClient(
            Guard(app, token="t", port=8000, policy=html.policy), base_url=HERE, headers={"Origin": HERE}
        )
        client.get("/?token=t")
        yield client


def due(page, annotator="ann"):
    return page.get("/due", params={"annotator": annotator}).json()


def answer(page, token, said="left", annotator="ann"):
    return page.post("/answer", json={"annotator": annotator, "token": token, "said": said})


def test_the_page_holds_the_guidelines_as_inert_data(page):
    html = page.get("/").text
    assert html.count("</script>") == label.PAGE.read_text().count("</script>")
    assert "Be exact \\u003c/script\\u003e." in html


def test_what_the_page_is_told_names_neither_policy_nor_pair_nor_side(page):
    told = due(page)
    assert set(told) == {"token", "question", "pictures", "left", "right", "done", "total"}
    assert {told["left"], told["right"]} == {NASTY, ""}
    assert "policy" not in json.dumps(told)
    assert not re.search(r"q\d/0-1|GeneralPoints", json.dumps(told))


def test_a_label_is_on_disk_before_the_next_pair_shows(page, folder):
    told = due(page)
    reply = answer(page, told["token"], "right").json()
    [given] = read_labels(folder / "labels.jsonl")
    assert (given.annotator, given.kind) == ("ann", "human")
    assert {"a": NASTY, "b": ""}[given.choice] == told["right"]
    assert (reply["done"], reply["total"]) == (1, 4)
    assert reply["token"] != told["token"]


def test_a_key_pressed_twice_labels_one_pair(page, folder):
    told = due(page)
    assert answer(page, told["token"]).json() == answer(page, told["token"]).json()
    assert len(read_labels(folder / "labels.jsonl")) == 1


def test_undo_shows_the_pair_before_again(page, folder):
    told = due(page)
    answer(page, told["token"])
    assert page.post("/undo", json={"annotator": "ann"}).json() == told
    assert read_labels(folder / "labels.jsonl") == []


def test_two_annotators_label_side_by_side(page, folder):
    for who in ("ann", "bo") * 4:
        answer(page, due(page, who)["token"], annotator=who)
    assert due(page, "ann") == due(page, "bo") == {"finished": True}
    assert len(read_labels(folder / "labels.jsonl")) == 8


def test_the_picture_of_a_pair_is_served(page):
    [address] = due(page)["pictures"]
    reply = page.get(address)
    assert (reply.content, reply.headers["content-type"]) == (PNG, "image/png")


@pytest.mark.parametrize(
    "name",
    ["../pairs.jsonl", "..%2f..%2fetc%2fpasswd", "%2e%2e/secret", "/etc/passwd", "images/other.png", "labels.jsonl"],
)
def test_no_file_is_served_that_no_pair_shows(name, page):
    assert page.get(f"/picture/{name}").status_code == 404


@pytest.mark.parametrize("name", ["", "a b", "<b>", "a" * 200, "../x"])
def test_a_name_that_is_no_pseudonym_is_refused(name, page, folder):
    token = due(page)["token"]
    assert page.get("/due", params={"annotator": name}).status_code == 422
    assert answer(page, token, annotator=name).status_code == 422
    assert read_labels(folder / "labels.jsonl") == []


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"annotator": "ann"}', b"[" * 50_000])
def test_a_request_that_cannot_be_read_is_refused(body, page, folder):
    reply = page.post("/answer", content=body, headers={"Content-Type": "application/json"})
    assert reply.status_code in (400, 422)
    assert read_labels(folder / "labels.jsonl") == []


def test_an_unknown_answer_is_refused(page):
    assert answer(page, due(page)["token"], "a").status_code == 400


def test_the_application_documents_itself_to_nobody(page):
    assert [page.get(path).status_code for path in ("/docs", "/redoc", "/openapi.json")] == [404] * 3


def test_a_picture_that_leads_out_of_the_folder_is_refused_before_anything_is_served(folder):
    bad = with_picture(0).model_dump(mode="json") | {"images": ["../../etc/passwd"]}
    written(folder / "pairs.jsonl", bad)
    with pytest.raises(ValueError, match=r"line 1: the picture \.\./\.\./etc/passwd is no plain path"):
        label.label(label.Arguments(folder))


def asked(folder, typed, **how):
    """What the terminal shows to an annotator who types these lines."""
    pairs, shown, lines = read_pairs(folder / "pairs.jsonl"), [], iter(typed)

    def read(_):
        try:
            return next(lines)
        except StopIteration:
            raise EOFError from None

    with RecordWriter(folder / "labels.jsonl") as file:
        desk = Labelling(pairs, read_labels(folder / "labels.jsonl"), file.add, overlap=1.0, repeats=0.0)
        label.ask(desk, "ann", folder, read, shown.append)
    return "\n".join(shown)


def test_the_terminal_asks_the_same(folder):
    shown = asked(folder, ["1", "z", "2", "x", "0", "s", "1"])
    assert [each.choice for each in read_labels(folder / "labels.jsonl")].count("skip") == 1
    assert len(read_labels(folder / "labels.jsonl")) == 4
    assert f"[picture: {folder}/images/" in shown
    assert shown.endswith("No pair is left. Thank you.")


def test_the_terminal_obeys_nothing_that_a_policy_wrote(folder):
    shown = asked(folder, [])
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert r"\u202e\x1b[2J" in shown


def test_the_terminal_wants_a_pseudonym(folder):
    with pytest.raises(ValueError, match="--annotator '': give a pseudonym"):
        label.label(replace(label.Arguments(folder), terminal=True))


def test_guidelines_that_are_no_text_are_refused(folder):
    (folder / "guidelines").write_bytes(b"\xff")
    with pytest.raises(ValueError, match="guidelines: is no text in UTF-8"):
        label.label(replace(label.Arguments(folder), guidelines=folder / "guidelines"))


def test_labels_there_that_follow_other_guidelines_are_told(folder, monkeypatch, capsys):
    asking = label.ask
    monkeypatch.setattr(label, "ask", lambda *how: asking(*how, read=lambda _: "1", write=lambda _: None))
    mine = label.Arguments(folder, terminal=True, annotator="ann")
    label.label(mine)
    assert capsys.readouterr().err == ""
    (folder / "guidelines").write_text("Choose the shorter one.")
    label.label(replace(mine, guidelines=folder / "guidelines"))
    count = len(read_labels(folder / "labels.jsonl"))
    assert f"note: {count} labels in {folder / 'labels.jsonl'} follow other guidelines" in capsys.readouterr().err


def started(folder: Path) -> tuple[subprocess.Popen, str]:
    command = [sys.executable, EXAMPLES / "label.py", folder, "--overlap", "1", "--repeats", "0"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ | {"OMP_NUM_THREADS": "1"})
    return server, server.stdout.readline().strip()


def request(url: str, path: str, body: dict | None = None, **headers: str) -> tuple[int, str, bytes]:
    """Status, cookie and body of the reply of the server at ``url``."""
    place = urlsplit(url)
    own = {"Origin": f"http://{place.netloc}", "Content-Type": "application/json", **headers}
    with closing(http.client.HTTPConnection(place.hostname, place.port, timeout=60)) as connection:
        connection.request("POST" if body else "GET", path, json.dumps(body) if body else None, own)
        reply = connection.getresponse()
        return reply.status, (reply.getheader("set-cookie") or "").split(";")[0], reply.read()


def test_labels_outlive_a_server_that_is_killed_between_them_and_no_stranger_gives_any(folder):
    for number in (1, 2):
        server, url = started(folder)
        with server:
            try:
                assert url.startswith("http://127.0.0.1:")
                assert request(url, "/due?annotator=ann")[0] == 403
                assert request(url, f"/?{urlsplit(url).query}", Host="evil.example")[0] == 403
                status, cookie, _ = request(url, f"/?{urlsplit(url).query}")
                assert status == 200
                token = json.loads(request(url, "/due?annotator=ann", Cookie=cookie)[2])["token"]
                body = {"annotator": "ann", "token": token, "said": "tie"}
                assert request(url, "/answer", body, Cookie=cookie, Origin="http://evil.example")[0] == 403
                assert request(url, "/answer", body, Cookie=cookie)[0] == 200
            finally:
                server.kill()
        assert len(read_labels(folder / "labels.jsonl")) == number


SPYING = """
import atexit, json, runpy, sys
opened = set()
sys.addaudithook(lambda event, given: opened.add(str(given[0])) if event == "open" else None)
atexit.register(lambda: print(json.dumps([sorted(opened), sorted(sys.modules)]), file=sys.stderr))
script, *sys.argv = sys.argv[1:]
sys.path.insert(0, script.rpartition("/")[0])
runpy.run_path(script, run_name="__main__")
"""


def spied(script: Path, *arguments: str, typed: str = "") -> tuple[list[str], list[str]]:
    """The files that a script opens, and the modules that it loads."""
    command = [sys.executable, "-c", SPYING, str(script), str(script), *arguments]
    done = subprocess.run(
        command, input=typed, capture_output=True, text=True, env=os.environ | {"OMP_NUM_THREADS": "1"}
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stderr.splitlines()[-1])


def test_whoever_asks_people_opens_no_verdicts_and_loads_no_verifier(folder):
    written(folder / "pairs-verdicts.jsonl", verdicts(0))
    opened, modules = spied(label.__file__, str(folder), "--terminal", "--annotator", "ann", typed="1\n2\n")
    assert len(read_labels(folder / "labels.jsonl")) == 2
    assert str(folder / "pairs.jsonl") in opened
    assert not [path for path in opened if "verdicts" in path]
    assert not [name for name in modules if name.startswith("verienv.") and name.endswith((".verifier", ".simulated"))]
