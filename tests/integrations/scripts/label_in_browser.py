"""Drive the page of examples/label.py in Chromium, and print what came of it as JSON."""

import json
import subprocess
import sys
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright

ROOT = Path(__file__).parents[3]
HTML = "<img src=x onerror=\"document.title='hacked'\"></script><script>document.title='hacked'</script>"
TEXTS = (HTML, "שלום, 4*6=24 " * 40, "no", "x" * 4000, "", '{"formula": "1+1"}')
SIZE = (300, 200)


def make_pairs(folder: Path) -> None:
    """Write six pairs with pictures, whose responses are hostile, long, empty or written from right to left."""
    (folder / "images").mkdir(parents=True)
    with (folder / "pairs.jsonl").open("w") as file:
        for number, text in enumerate(TEXTS):
            Image.new("RGB", SIZE, (40 * number, 90, 60)).save(folder / f"images/{number}.png")
            parts = [{"type": "image"}, {"type": "text", "text": f"Question {number}? {HTML}"}]
            about = dict.fromkeys(("env_id", "split", "instance", "cluster", "question"), f"q{number}")
            asked = {"prompt": [{"role": "user", "content": parts}], "images": [f"images/{number}.png"]}
            file.write(json.dumps({"pair": f"q{number}", "a": text, "b": "the other", **asked, **about}) + "\n")


def start(folder: Path) -> tuple[subprocess.Popen[str], str]:
    command = [sys.executable, str(ROOT / "examples/label.py"), str(folder), "--overlap", "1", "--repeats", "0"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert server.stdout
    return server, server.stdout.readline().strip()


def opened(browser: Browser, url: str, annotator: str, problems: list[str]) -> Page:
    """A page of an annotator's own browser, past the guidelines."""
    page = browser.new_context().new_page()
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.goto(url)
    page.fill("#pseudonym", annotator)
    page.keyboard.press("Enter")
    expect(page.locator("#help")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.locator("#count")).to_have_text("0 of 6")
    return page


def press(page: Page, key: str, count: str) -> None:
    page.keyboard.press(key)
    expect(page.locator("#count")).to_have_text(count)


def shown(page: Page) -> dict[str, str]:
    return {name: page.locator(f"#{name}").text_content() or "" for name in ("question", "left", "right")}


def attack(browser: Browser, url: str) -> list[str]:
    """What a page of another origin gets from the server: the errors of its requests, and the title of a frame."""

    class Evil(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"<title>evil</title>")

        def log_message(self, *_: Any) -> None:
            pass

    evil = HTTPServer(("127.0.0.1", 0), Evil)
    Thread(target=evil.serve_forever, daemon=True).start()
    page = browser.contexts[0].new_page()  # in the browser of an annotator, who has the cookie
    page.goto(f"http://localhost:{evil.server_port}/")
    script = """async ([address, body, mode]) => {
        try { return String((await fetch(address, {method: "POST", body, mode, credentials: "include"})).status); }
        catch (error) { return "blocked"; }
    }"""
    here = url.partition("?")[0]
    body = json.dumps({"annotator": "ann", "token": "x", "said": "tie"})
    found = [
        page.evaluate(script, [f"{here}{path}", body, mode])
        for path in ("answer", "undo")
        for mode in ("cors", "no-cors")
    ]
    evil.shutdown()
    return found


def labels(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "labels.jsonl").read_text().splitlines()]


def play(browser: Browser, folder: Path) -> dict[str, Any]:
    problems, told = list[str](), dict[str, Any]()
    server, url = start(folder)
    try:
        ann, bo = (opened(browser, url, name, problems) for name in ("ann", "bo"))
        picture = ann.locator("#pictures img")
        expect(picture).to_be_visible()
        told["picture"] = picture.evaluate("one => [one.naturalWidth, one.width, one.complete]")
        before = shown(ann)
        ann.reload()
        expect(ann.locator("#count")).to_have_text("0 of 6")
        told["reload shows the same"] = shown(ann) == before
        press(ann, "1", "1 of 6")
        told["on disk at once"] = len(labels(folder)) == 1
        press(ann, "z", "0 of 6")
        told["undo shows it again"] = shown(ann) == before
        press(ann, "2", "1 of 6")
        press(bo, "0", "1 of 6")
        press(ann, "s", "2 of 6")
        ann.keyboard.press("?")
        expect(ann.locator("#help")).to_be_visible()
        ann.keyboard.press("1")  # no label while the help is open
        ann.keyboard.press("Escape")
        told["attack"] = attack(browser, url)
        told["lines before the kill"] = len(labels(folder))
        server.kill()
        server.wait()
        ann.keyboard.press("1")
        expect(ann.locator("#problem")).to_contain_text("Not saved")
        server, url = start(folder)
        problems.clear()
        ann.goto(f"{url}&annotator=ann")
        expect(ann.locator("#count")).to_have_text("2 of 6")
        for done in range(3, 6):
            told[f"inside the page {done}"] = ann.evaluate("document.documentElement.scrollWidth <= innerWidth")
            press(ann, "1", f"{done} of 6")
        ann.locator("button[data-key='1']").click()
        expect(ann.locator("#finished")).to_be_visible()
        told["titles"] = [ann.title(), bo.title()]
        told["problems"] = problems
    finally:
        server.kill()
        server.wait()
    given = labels(folder)
    told["choices of ann"] = [one["choice"] for one in given if one["annotator"] == "ann"]
    told["lines of bo"] = sum(one["annotator"] == "bo" for one in given)
    told["annotated"] = len({one["pair"] for one in given if one["annotator"] == "ann"})
    return told


def main(act: Callable[[Browser, Path], dict[str, Any]] = play) -> None:
    chromium, folder = sys.argv[1], Path(sys.argv[2])
    make_pairs(folder)
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        print(json.dumps(act(browser, folder)))
        browser.close()


if __name__ == "__main__":
    main()
