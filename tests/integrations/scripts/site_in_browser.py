"""Build the site, follow its links, open a page of every kind in Chromium, and print what came of it as JSON."""

import json
import subprocess
import sys
from functools import partial
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import unquote, urldefrag, urljoin, urlparse

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).parents[3]
KINDS = (
    "index", "glossary", "gallery", "generalpoints", "environments/GeneralPoints-VL-v0",
    "environments/VIRL-Discrete-v0", "contract", "contract/virl", "wording", "results", "results/words/report",
    "api/index", "api/verienv.testing", "changelog", "genindex",
)  # fmt: skip
WIDTHS, SCHEMES = (1280, 390), ("light", "dark")
EXAMINED = {(1280, "dark"), (390, "light")}
"""Where axe goes through each kind of page, which takes it some seconds: both widths, both schemes."""


class Links(HTMLParser):
    """The places that a page leads to, its own anchors, and its pictures without words."""

    def __init__(self) -> None:
        super().__init__()
        self.leads, self.anchors, self.wordless = list[str](), {""}, list[str]()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.anchors |= {value for name in ("id", "name") if (value := given.get(name))}
        self.leads += [value for name in ("href", "src") if (value := given.get(name))]
        if tag == "img" and not given.get("alt"):
            self.wordless.append(str(given.get("src")))


def follow(html: Path) -> tuple[dict[str, Links], list[str]]:
    """Return every page by its address, and the links of this site that lead nowhere."""
    pages = dict[str, Links]()
    for path in html.rglob("*.html"):
        links = Links()
        links.feed(path.read_text("utf-8"))
        pages[path.relative_to(html).as_posix()] = links
    broken = list[str]()
    for name, links in pages.items():
        for to in links.leads:
            if urlparse(to).scheme or to.startswith("//"):
                continue
            place, anchor = urldefrag(urljoin(name, to))
            leads = unquote(place.partition("?")[0]) or name
            known = pages.get(leads)
            if not (html / leads).is_file() or (known and unquote(anchor) not in known.anchors):
                broken.append(f"{name}: {to}")
    return pages, broken


def listen(page: Page, address: str, problems: list[str], elsewhere: list[str]) -> None:
    """Write down what the console says, and each request that goes elsewhere."""
    page.on("console", lambda said: problems.append(said.text) if said.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("requestfailed", lambda asked: problems.append(asked.url))
    page.on(
        "request",
        lambda asked: elsewhere.append(asked.url) if not asked.url.startswith((address, "data:")) else None,
    )


def serious(page: Page) -> list[str]:
    """Return what axe finds serious or critical on a page."""
    found = Axe().run(page, options={"preload": False, "resultTypes": ["violations"]}).response["violations"]
    return [
        f"{each['id']} ({len(each['nodes'])}) {[node['target'] for node in each['nodes'][:3]]}"
        for each in found
        if each["impact"] in ("serious", "critical")
    ]


def look(browser: Browser, address: str, told: dict[str, Any]) -> None:
    """Open a page of every kind at both widths, light and dark; axe goes through each."""
    for width in WIDTHS:
        for scheme in SCHEMES:
            context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
            page = context.new_page()
            listen(page, address, told["problems"], told["elsewhere"])
            for kind in KINDS:
                answer = page.goto(f"{address}/{kind}.html")
                assert answer
                if answer.status != 200:
                    told["problems"].append(f"{kind}: {answer.status}")
                where = f"{kind} at {width} px, {scheme}"
                if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                    told["wider than the page"].append(where)
                if (width, scheme) in EXAMINED:
                    told["serious"] += [f"{where}: {found}" for found in serious(page)]
                told["opened"] += 1
            context.close()


def search(browser: Browser, address: str) -> str:
    """Return what the search of the site finds for a word, with no server behind it."""
    page = browser.new_page()
    page.goto(f"{address}/search.html?q=check_verifier")
    page.wait_for_selector("ul.search li a")
    return str(page.locator("ul.search").inner_text())


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


def main() -> None:
    chromium, folder = sys.argv[1], Path(sys.argv[2])
    subprocess.run([sys.executable, str(ROOT / "tools/build_site.py"), "--out", str(folder)], check=True)
    html = folder / "html"
    pages, broken = follow(html)
    told: dict[str, Any] = {"pages": len(pages), "broken": broken, "kinds": len(KINDS), "opened": 0}
    told |= {name: [] for name in ("problems", "elsewhere", "wider than the page", "serious")}
    told["without words"] = [f"{name}: {src}" for name, links in pages.items() for src in links.wordless]
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(html)))
    Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        look(browser, address, told)
        told["found"] = search(browser, address)
        browser.close()
    server.shutdown()
    print(json.dumps(told))


if __name__ == "__main__":
    main()
