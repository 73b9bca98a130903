"""The server of ``verienv view``: a thin shell that answers the page's requests from a collection."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from verienv.browsing.collection import Collection
from verienv.browsing.page import view_page
from verienv.browsing.pairs import CHANGES
from verienv.browsing.replaying import Reader
from verienv.browsing.table import MOST_ROWS, Filters, whole
from verienv.core.shown import cut
from verienv.pages.server import new_app, serve

Query = Mapping[str, str]


class Answers:
    """The answers to the page's requests, as JSON. Each raises ValueError for a wrong request.

    Args:
        collection: all that is shown.
        own: settings that are trusted: paths among them may be opened where a log names the same.
    """

    def __init__(self, collection: Collection, own: Mapping[str, Any] | None = None) -> None:
        self._all, self._reader = collection, Reader(collection, own)

    def rows(self, query: Query) -> dict[str, Any]:
        """Return a page of the rows that pass the filters, and the number of all of them."""
        found = self._all.rows(Filters.of(query), query.get("sort", ""), query.get("down") == "1")
        return {"total": len(found), "rows": self._all.table.described(_part(found, query))}

    def comparison(self, query: Query) -> dict[str, Any]:
        """Return what changed from one source to another."""
        return self._all.comparison(*_two(query))

    def pairs(self, query: Query) -> dict[str, Any]:
        """Return a page of the pairs of two sources that changed in one way, or of all."""
        pairs, table = self._all.pairs(*_two(query)), self._all.table
        cell = query.get("cell", "")
        number = None if not cell else table.cells.index(cell) if cell in table.cells else -1
        found = pairs.matching(query.get("change", ""), number, table)
        chosen = _part(found, query)
        told = [
            {"before": before, "after": after, "change": CHANGES[pairs.change[one]]}
            for one, before, after in zip(
                chosen, table.described(pairs.before[chosen]), table.described(pairs.after[chosen]), strict=True
            )
        ]
        return {"total": len(found), "pairs": told}

    def episode(self, query: Query) -> dict[str, Any]:
        """Return an episode as it was logged."""
        return self._reader.episode(whole("row", query.get("row", "")))

    def replay(self, query: Query) -> dict[str, Any]:
        """Return an episode's replay."""
        return self._reader.replay(whole("row", query.get("row", "")))

    def run(self, query: Query) -> dict[str, Any]:
        """Return a training run's curves."""
        number = whole("run", query.get("run", ""))
        if number >= len(self._all.runs):
            raise ValueError(f"run={number}: there are {len(self._all.runs)}, from 0")
        return self._all.runs[number].described()


def _two(query: Query) -> tuple[int, int]:
    return whole("before", query.get("before", "")), whole("after", query.get("after", ""))


def _part(found: Any, query: Query) -> Any:
    first, count = whole("from", query.get("from", "0")), whole("count", query.get("count", "50"))
    return found[first : first + min(count, MOST_ROWS)]


def application(collection: Collection, own: Mapping[str, Any] | None = None) -> Any:
    """Return the application of the page. Its functions run one after another."""
    from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse

    app, page, answers = new_app(), view_page(), Answers(collection, own)

    @app.get("/", response_class=HTMLResponse)
    async def _page() -> str:
        return page.holding({"overview": collection.overview})

    def answering(answer: Callable[[Query], dict[str, Any]]) -> Callable[[Any], Any]:
        async def respond(request: Any) -> Any:
            try:
                return JSONResponse(answer(dict(request.query_params)))
            except (ValueError, OSError) as error:
                return PlainTextResponse(cut(error, 500), 400)

        return respond

    for name in ("rows", "comparison", "pairs", "episode", "replay", "run"):
        app.add_route(f"/{name}", answering(getattr(answers, name)), methods=["GET"])
    return app


def show(
    collection: Collection,
    *,
    own: Mapping[str, Any] | None = None,
    port: int = 0,
    ready: Callable[[str], None] = print,
) -> None:
    """Show a collection to a browser on this machine until it is interrupted; see ``pages.server.serve``."""
    serve(application(collection, own), view_page(), port=port, ready=ready)
