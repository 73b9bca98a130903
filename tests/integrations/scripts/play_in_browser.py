"""Drive `verienv play --window` in Chromium, and print what came of it as JSON.

The answers are a script's: the logs are made to be looked at here, and thrown away.
"""

import json
import sys
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, expect, sync_playwright

import verienv
from browsing import is_within, kill, new_page, start
from verienv.evaluation import read_evaluation
from verienv.evaluation.cells import make_cells
from verienv.evaluation.lines import Seat

HANDS, ROUTES = "verienv/GeneralPoints-VL-v0", "verienv/VIRL-VL-v0"


def lines(log: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.read_text().splitlines()]


def begin(page: Page, url: str) -> None:
    page.goto(url)
    page.click("#begin")
    expect(page.locator("#question")).to_be_visible()


def play_hands(browser: Browser, folder: Path, problems: list[str]) -> dict[str, Any]:
    """Play two hands from a picture, with a SIGKILL in the middle of the first."""
    told, log = dict[str, Any](), folder / "hands.jsonl"
    command = ("play", HANDS, "--window", "--log", log, "--player", "script", "--episodes", "2", "-s", "attempts=3")
    server, url = start(*command)
    try:
        page = new_page(browser, problems)
        page.goto(url)
        expect(page.locator("#welcome")).to_be_visible()
        told["lines before a person is there"] = len(lines(log))
        begin(page, url)
        picture = page.locator("#pictures img")
        expect(picture).to_be_visible()
        told["picture"] = picture.evaluate("async one => { await one.decode(); return one.naturalWidth > 100; }")
        page.fill("#words", "1+1")
        page.keyboard.press("Enter")
        expect(page.locator("#feedback")).to_contain_text("Reward")
        told["lines when the feedback shows"] = len(lines(log))
        kill(server)
        page.fill("#words", "1+2")
        page.keyboard.press("Enter")
        expect(page.locator("#problem")).to_contain_text("Not kept")
        server, url = start(*command)
        problems.clear()
        begin(page, url)
        told["after the kill"] = page.locator("#where").text_content()
        told["lines after the kill"] = len(lines(log))
        cell = make_cells(("train",), HANDS, 2, 0, {"attempts": 3, "answer_format": "line"})["train"]
        page.fill("#words", cell.deal(0).expert())
        page.keyboard.press("Enter")
        expect(page.locator("#outcome")).to_have_text("Solved")
        page.keyboard.press("Enter")
        expect(page.locator("#where")).to_contain_text("episode 2")
        for _ in range(3):
            told["pictures of the second"] = page.locator("#pictures img").count()
            page.click("#pass")
            page.wait_for_function(
                "document.querySelector('#result').offsetParent || document.querySelector('#feedback').textContent"
            )
        expect(page.locator("#outcome")).to_have_text("Not solved")
        told["solution"] = page.locator("#solution").text_content()
        page.click("#next")
        expect(page.locator("#finished")).to_be_visible()
        told["scores"] = page.locator("#scores").text_content()
    finally:
        kill(server)
    human = read_evaluation(log)
    expert = verienv.evaluate("expert", HANDS, ("train",), episodes=2, attempts=3, progress=False)
    told["policy"] = human.setup.policy
    told["difference to the expert"] = verienv.compare(expert, human).cells["train"].metrics["success"].mean
    return told


def play_route(browser: Browser, folder: Path, problems: list[str]) -> dict[str, Any]:
    """Walk a route to its end by the keys of its actions, on a phone."""
    told, log = dict[str, Any](), folder / "route.jsonl"
    cell = make_cells(("train",), ROUTES, 1, 0, {"answer_format": "line"})["train"]
    seat = Seat("train", 0, cell.deal(0))
    server, url = start("play", ROUTES, "--window", "--log", log, "--player", "script", "--episodes", "1")
    try:
        page = new_page(browser, problems, viewport={"width": 390, "height": 844}, color_scheme="dark")
        begin(page, url)
        told["inside the page"] = is_within(page)
        told["map while one plays"] = page.locator("#map img").count()
        steps = 0
        while not seat.episode.is_over:
            action = seat.episode.expert()
            seat.step(action)
            page.locator("#choices button", has_text=action).click()
            steps += 1
            if not seat.episode.is_over:
                expect(page.locator("#where")).to_contain_text(f"step {steps + 1}", timeout=60_000)
        expect(page.locator("#outcome")).to_have_text("Solved", timeout=60_000)
        told["map at the end"] = page.locator("#map img").evaluate(
            "async one => { await one.decode(); return one.naturalWidth > 100; }"
        )
        told["steps"], told["lines of the route"] = steps, len(lines(log)) - 1
        told["responses"] = sorted({line["response"] for line in lines(log)[1:]})
    finally:
        kill(server)
    server, url = start("view", log, folder / "hands.jsonl")
    try:
        page.goto(url)
        expect(page.locator("#count")).to_have_text("3 episodes")
        told["policies"] = sorted(page.locator("#rows td.wide:first-child").all_text_contents())
    finally:
        kill(server)
    return told


def main() -> None:
    chromium, folder = sys.argv[1], Path(sys.argv[2])
    folder.mkdir(parents=True)
    problems = list[str]()
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        told = {**play_hands(browser, folder, problems), **play_route(browser, folder, problems)}
        print(json.dumps({**told, "problems": problems}))
        browser.close()


if __name__ == "__main__":
    main()
