"""Serving a page to a browser on this machine."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from verienv.core.reading import file_within, read_bytes
from verienv.core.shown import cut
from verienv.pages.guard import App, Guard
from verienv.pages.html import Page

if TYPE_CHECKING:
    from fastapi import FastAPI, Response

LARGEST_PICTURE = 2**26
"""The bytes of the largest picture that is served."""
_BEGINNINGS = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF8": "image/gif",
}


def new_app() -> FastAPI:
    """Return an application without pages of documentation.

    Raises:
        ImportError: if FastAPI is not installed.
    """
    try:
        from fastapi import FastAPI
    except ImportError:
        raise ImportError('pages need FastAPI and uvicorn: pip install "verienv[pages]"') from None
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)

    @app.get("/favicon.ico", status_code=204)
    async def _icon() -> None:
        """Say that there is no icon, which browsers ask for by themselves."""

    return app


def picture(folder: Path, name: str) -> Response:
    """Return a reply with a picture of a folder; 404 for what is none, lies outside of it or behind a link."""
    from fastapi import HTTPException, Response

    try:
        data = read_bytes(file_within(folder, name), LARGEST_PICTURE)
    except (ValueError, FileNotFoundError) as error:
        raise HTTPException(404, cut(error)) from None
    kind = next((kind for beginning, kind in _BEGINNINGS.items() if data.startswith(beginning)), "")
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        kind = "image/webp"
    if not kind:
        raise HTTPException(404, "the file is no picture (PNG, JPEG, WebP or GIF)")
    return Response(data, media_type=kind)


def serve(app: App, page: Page, *, port: int = 0, ready: Callable[[str], None] = print) -> None:
    """Serve an application behind a guard until it is interrupted.

    Args:
        app: of ``new_app``.
        page: the one that it shows, whose policy every reply has.
        port: on 127.0.0.1; 0 takes a free one.
        ready: is told the URL, with its token, once connections are taken.

    Raises:
        ValueError: if the port is taken.
        ImportError: if uvicorn is not installed.
    """
    try:
        import uvicorn
    except ImportError:
        raise ImportError('pages need FastAPI and uvicorn: pip install "verienv[pages]"') from None
    with socket.socket() as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind(("127.0.0.1", port))
        except (OSError, OverflowError) as error:
            raise ValueError(
                f"port={port}: cannot be listened on ({error}); give another, or 0 for a free one"
            ) from None
        listening.listen(64)
        port, token = listening.getsockname()[1], secrets.token_urlsafe(32)
        guard = Guard(app, token=token, port=port, policy=page.policy)
        how = uvicorn.Config(
            guard,
            log_level="warning",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            ws="none",
            lifespan="off",
        )
        ready(f"http://127.0.0.1:{port}/?token={token}")
        uvicorn.Server(how).run(sockets=[listening])
