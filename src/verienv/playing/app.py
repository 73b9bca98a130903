"""The server of ``verienv play --window``: a thin shell around a session."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from verienv.core.dialogue import images_of, png
from verienv.core.episode import Episode
from verienv.core.shown import cut
from verienv.pages.html import Page
from verienv.pages.server import new_app, serve
from verienv.playing.session import Answered, NotDueError, Session

_FILES = Path(__file__).parent / "page_files"


class Given(BaseModel):
    """The body of a request with an answer."""

    token: str
    text: str


def play_page() -> Page:
    """Return the page."""
    html = (_FILES / "page.html").read_text(encoding="utf-8")
    for kind, element in (("css", "style"), ("js", "script")):
        own = (_FILES / f"page.{kind}").read_text(encoding="utf-8")
        html = html.replace(f"<{element}></{element}>", f"<{element}>\n{own}</{element}>")
    return Page(html)


class Desk:
    """The answers to the page of a session, which tell nothing that a policy is not told until an episode is over.

    Attributes:
        session: the session.
        is_person: whether somebody has said at the page that a person answers; before that no answer is taken.
    """

    def __init__(self, session: Session) -> None:
        self.session, self.is_person = session, False
        self._over: Answered | None = None

    def about(self) -> dict[str, Any]:
        """Return the conditions of the session."""
        session = self.session
        return {
            "player": session.player,
            "env": session.env_id,
            "log": session.path.name,
            "cells": list(session.settings),
            "with_map": session.with_map,
        }

    def due(self) -> dict[str, Any]:
        """Return the question that is due, and the scores."""
        told: dict[str, Any] = {
            "is_person": self.is_person,
            "scores": {name: asdict(score) for name, score in self.session.scores().items()},
        }
        seat = self.session.seat
        if seat is None:
            return {**told, "finished": True}
        episode = seat.episode
        question, task = episode.question, episode.task
        form = question.wording.answer_format
        can_pick = not task.fields or not form.parts(task.shape)
        return {
            **told,
            "token": self.session.token,
            "cell": seat.cell,
            "number": seat.number,
            "attempt": question.attempt,
            "attempts": question.attempts,
            "step": sum(verdict.is_correct for verdict in episode.verdicts) + 1,
            "text": episode.text,
            "news": task.news(question) if seat.lines and question.attempt == 1 else "",
            "pictures": [f"/picture/{self.session.token}/{number}" for number in range(question.picture_count)],
            "map": f"/map/{self.session.token}" if self.session.with_map and task.has_map else "",
            "choices": list(task.choices(question)) if can_pick else [],
        }

    def answer(self, given: Given) -> dict[str, Any]:
        """Take an answer; return its verdict, and after the end the solution. Errors as ``Session.answer``'s."""
        if not self.is_person:
            raise ValueError("nobody has said yet that a person answers; load the page again")
        answered = self.session.answer(given.token, given.text)
        verdict, episode = answered.verdict, answered.episode
        told = {
            "response": answered.response,
            "correct": verdict.is_correct,
            "reward": verdict.reward,
            "feedback": verdict.feedback,
            "over": episode.is_over,
        }
        if episode.is_over:
            self._over = answered
            solved = episode.is_success
            told |= {
                "solved": solved,
                "solution": [] if solved else [cut(line, 2000) for line in episode.task.revealed(episode.question)],
                "map": f"/over/{self.session.token or 'end'}" if episode.task.has_map else "",
            }
        return told

    def picture(self, token: str, number: int) -> bytes | None:
        """Return a picture of the question that is due as PNG; None if another is due."""
        seat = self.session.seat
        if seat is None or token != self.session.token or not 0 <= number < len(seat.episode.pictures):
            return None
        return png(images_of(seat.episode.pictures)[number])

    def map(self, token: str) -> bytes | None:
        """Return the map at the question that is due as PNG; None if another is due, or it is not to be shown."""
        seat = self.session.seat
        if seat is None or token != self.session.token or not self.session.with_map:
            return None
        return _map(seat.episode)

    def map_over(self) -> bytes | None:
        """Return the map of the episode that ended last; None if there is none."""
        return _map(self._over.episode) if self._over else None


def _map(episode: Episode) -> bytes | None:
    drawn = episode.task.map(episode.question, episode.is_success)
    return png(drawn) if drawn else None


def application(session: Session, page: Page) -> Any:
    """Return the application of the page. Its functions run one after another, so that no two answers cross."""
    from fastapi import HTTPException, Response
    from fastapi.responses import HTMLResponse

    app, desk = new_app(), Desk(session)

    @app.get("/", response_class=HTMLResponse)
    async def _page() -> str:
        return page.holding(desk.about())

    @app.get("/due")
    async def _due() -> dict[str, Any]:
        return desk.due()

    @app.post("/begin")
    async def _begin() -> dict[str, Any]:
        desk.is_person = True
        return desk.due()

    @app.post("/answer")
    async def _answer(given: Given) -> dict[str, Any]:
        try:
            return desk.answer(given)
        except NotDueError as error:
            raise HTTPException(409, str(error)) from None
        except ValueError as error:
            raise HTTPException(400, str(error)) from None
        except OSError as error:
            raise HTTPException(507, cut(error, 300)) from None

    def shown(data: bytes | None) -> Response:
        if data is None:
            raise HTTPException(404, "another question is due")
        return Response(data, media_type="image/png")

    @app.get("/picture/{token}/{number}")
    async def _picture(token: str, number: int) -> Any:
        return shown(desk.picture(token, number))

    @app.get("/map/{token}")
    async def _map_now(token: str) -> Any:
        return shown(desk.map(token))

    @app.get("/over/{token}")
    async def _map_over(token: str) -> Any:
        return shown(desk.map_over())

    return app


def serve_session(session: Session, *, port: int = 0, ready: Callable[[str], None] = print) -> None:
    """Show a session to a browser on this machine until it is interrupted; see ``pages.server.serve``."""
    page = play_page()
    serve(application(session, page), page, port=port, ready=ready)
