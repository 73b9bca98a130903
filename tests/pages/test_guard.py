import asyncio
import socket

import pytest

pytest.importorskip("fastapi")
from fastapi import Request
from fastapi.testclient import TestClient

from verienv.pages.guard import Guard
from verienv.pages.html import Page
from verienv.pages.server import new_app, picture, serve

HTML = (
    '<html><style>p {}</style><script type="application/json" id="data"></script><script>\'use strict\'</script></html>'
)
HERE = "http://127.0.0.1:8000"
TOKEN = "a-token"


def guarded(**how):
    app = new_app()

    @app.get("/")
    async def _page() -> str:
        return "the page"

    @app.post("/echo")
    async def _echo(request: Request) -> int:
        return len(await request.body())

    return Guard(app, token=TOKEN, port=8000, policy=Page(HTML).policy, **how)


@pytest.fixture
def stranger():
    return TestClient(guarded(), base_url=HERE)


@pytest.fixture
def opened(stranger):
    """A browser that has opened the URL."""
    assert stranger.get("/", params={"token": TOKEN}).status_code == 200
    return stranger


def post(client, data=b"{}", **headers):
    return client.post("/echo", content=data, headers={"Origin": HERE, **headers})


def test_the_token_of_the_url_becomes_a_strict_cookie_that_no_script_reads(stranger):
    reply = stranger.get("/", params={"token": TOKEN})
    assert reply.headers["set-cookie"] == f"verienv-8000={TOKEN}; Path=/; HttpOnly; SameSite=Strict"


def test_whoever_opened_the_url_is_let_in(opened):
    assert opened.get("/").status_code == 200
    assert post(opened, b"12345").json() == 5


@pytest.mark.parametrize(
    "query", ["", "?token=", "?token=wrong", f"?token={TOKEN}&token={TOKEN}", "?token=%ff", "?Token=" + TOKEN]
)
def test_a_missing_or_wrong_token_is_refused(query, stranger):
    reply = stranger.get(f"/{query}")
    assert (reply.status_code, "token is missing or wrong" in reply.text) == (403, True)
    assert "set-cookie" not in reply.headers


@pytest.mark.parametrize(
    "cookie", ["verienv-8000=wrong", f"verienv-9000={TOKEN}", f"verienv-8000{TOKEN}", '="', "verienv-8000=\xff"]
)
def test_a_wrong_cookie_is_refused(cookie, stranger):
    assert stranger.get("/", headers={"Cookie": cookie.encode("latin-1")}).status_code == 403


def test_the_token_of_the_url_opens_nothing_but_the_page(stranger):
    assert stranger.post("/echo", params={"token": TOKEN}, headers={"Origin": HERE}).status_code == 403
    assert stranger.get("/other", params={"token": TOKEN}).status_code == 403


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8000", "127.0.0.1:9000", "127.0.0.1", "127.0.0.1:8000.evil.example", ""]
)
def test_a_foreign_host_is_refused(host, opened):
    assert opened.get("/", headers={"Host": host}).status_code == 403


def test_localhost_is_this_machine(stranger):
    assert stranger.get("/", params={"token": TOKEN}, headers={"Host": "localhost:8000"}).status_code == 200


@pytest.mark.parametrize(
    "origin",
    ["http://evil.example", "null", "https://127.0.0.1:8000", "http://127.0.0.1:9000", "http://localhost:8000", ""],
)
def test_a_foreign_origin_is_refused(origin, opened):
    assert post(opened, Origin=origin).status_code == 403
    assert opened.get("/", headers={"Origin": origin}).status_code == 403


def test_a_post_without_an_origin_is_refused(opened):
    assert opened.post("/echo").status_code == 403


@pytest.mark.parametrize("method", ["OPTIONS", "PUT", "DELETE", "TRACE", "PATCH"])
def test_other_methods_are_refused_so_that_no_preflight_succeeds(method, opened):
    reply = opened.request(method, "/echo", headers={"Origin": HERE, "Access-Control-Request-Method": "POST"})
    assert reply.status_code == 405


def test_no_reply_allows_another_origin(opened):
    for reply in (opened.get("/"), post(opened), post(opened, Origin="http://evil.example")):
        assert not [name for name in reply.headers if name.startswith("access-control")]


def test_every_reply_forbids_frames_sniffing_caches_and_referrers(opened):
    for reply in (opened.get("/"), opened.get("/nowhere"), opened.get("/", headers={"Host": "evil.example"})):
        assert reply.headers["x-frame-options"] == "DENY"
        assert reply.headers["x-content-type-options"] == "nosniff"
        assert reply.headers["cache-control"] == "no-store"
        assert reply.headers["referrer-policy"] == "no-referrer"
        assert "default-src 'none'" in reply.headers["content-security-policy"]


def test_a_body_is_bounded_by_what_it_says_and_by_what_it_is():
    client = TestClient(guarded(most_bytes=100), base_url=HERE)
    client.get("/", params={"token": TOKEN})
    assert post(client, b"x" * 100).json() == 100
    assert post(client, b"x" * 101).status_code == 413
    assert post(client, iter([b"x" * 60, b"x" * 60])).status_code == 413


@pytest.mark.parametrize("length", ["-1", "1e9", "9" * 20, "ten"])
def test_a_length_that_is_no_number_is_refused(length, opened):
    assert post(opened, **{"Content-Length": length}).status_code == 413


def test_web_sockets_never_reach_the_application():
    async def none(*_) -> None:
        raise AssertionError

    asyncio.run(guarded()({"type": "websocket", "path": "/", "headers": []}, none, none))


PNG = b"\x89PNG\r\n\x1a\n" + b"rest"


@pytest.fixture
def folder(tmp_path):
    inside = tmp_path / "folder"
    (inside / "images").mkdir(parents=True)
    (inside / "images/0.png").write_bytes(PNG)
    (inside / "images/text.png").write_text("<script>alert(1)</script>")
    (tmp_path / "secret.png").write_bytes(PNG)
    (inside / "link.png").symlink_to(tmp_path / "secret.png")
    return inside


def test_a_picture_of_the_folder_is_served_as_what_it_is(folder):
    reply = picture(folder, "images/0.png")
    assert (reply.body, reply.media_type) == (PNG, "image/png")


@pytest.mark.parametrize(
    "name",
    [
        "../secret.png",
        "../../etc/passwd",
        "/etc/passwd",
        "link.png",
        "images/../../secret.png",
        "images",
        "gone.png",
        "images/text.png",
        "",
    ],
)
def test_no_other_file_is_served(name, folder):
    from fastapi import HTTPException

    with pytest.raises(HTTPException) as refused:
        picture(folder, name)
    assert refused.value.status_code == 404


def test_a_port_that_is_taken_is_told_in_one_line():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(
            ValueError, match=rf"port={port}: cannot be listened on .*; give another, or 0 for a free one"
        ):
            serve(new_app(), Page(HTML), port=port)


@pytest.mark.parametrize("port", [-1, 70_000])
def test_a_number_that_is_no_port_is_told_in_one_line(port):
    with pytest.raises(ValueError, match=f"port={port}: cannot be listened on"):
        serve(new_app(), Page(HTML), port=port)
