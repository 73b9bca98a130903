"""Drive `verienv view` in Chromium, served and exported, and print what came of it as JSON."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from time import perf_counter
from typing import Any
from zlib import crc32

from playwright.sync_api import Browser, Page, expect, sync_playwright

import verienv
from browsing import COMMAND, HTML, is_within, kill, new_page, start

ENV = "verienv/GeneralPoints-L-v0"
MANY = 100_000
PARTS = ("episodes", "success", "failures", "side?before=0&after=1", "training")


def make_logs(folder: Path) -> None:
    """Write the log of a hostile policy that solves nothing, that of the expert, and a training run."""
    folder.mkdir(parents=True)
    how: dict[str, Any] = {"episodes": 30, "attempts": 2, "progress": False}

    def hostile(dialogues: list[Any]) -> list[str]:
        return [f"{HTML} let us see {json.dumps({'cards': [HTML], 'number': [1], 'formula': HTML})}" for _ in dialogues]

    verienv.evaluate(hostile, ENV, ("train", "test"), log=folder / "a.jsonl", name=f"hostile {HTML}", **how)
    verienv.evaluate("expert", ENV, ("train", "test"), log=folder / "b.jsonl", **how)
    run = folder / "run"
    run.mkdir()
    (run / "config.json").write_text(json.dumps({"arguments": {"model": HTML}}))
    updates = [json.dumps({"update": update, "loss": 1 / update, HTML: update}) for update in range(1, 50)]
    (run / "log.jsonl").write_text("\n".join(updates) + "\n")


def make_many(path: Path, source: Path) -> int:
    """Write a log of many episodes of one to three attempts; return its lines."""
    setup, *lines = [json.loads(line) for line in source.read_text().splitlines()]
    setup["setup"]["episodes"] = MANY
    count = 0
    with path.open("w") as file:
        file.write(json.dumps(setup) + "\n")
        for episode in range(MANY):
            attempts = episode % 3 + 1
            for attempt in range(1, attempts + 1):
                about = {
                    "cell": "train",
                    "episode": episode,
                    "attempt": attempt,
                    "instance": f"generalpoints:{episode}:24",
                }
                line = {**lines[episode % len(lines)], **about, "cluster": f"c{episode}", "over": attempt == attempts}
                line.pop("crc32", None)
                file.write(json.dumps({**line, "crc32": crc32(json.dumps(line).encode())}) + "\n")
                count += 1
    return count


def counted(page: Page, words: str) -> None:
    expect(page.locator("#count")).to_have_text(words)


def filtered(page: Page) -> dict[str, Any]:
    """What the table of episodes shows under some filters; the same served and exported."""
    told = dict[str, Any]()
    counted(page, "120 episodes")
    page.select_option("#filters [name=state]", "failed")
    counted(page, "60 episodes")
    page.select_option("#filters [name=cell]", "test")
    counted(page, "30 episodes")
    page.fill("#filters [name=text]", "LET US see")
    expect(page).to_have_url(re.compile("text="))  # a function's text would be refused by the page's policy
    counted(page, "30 episodes")
    told["address"] = page.evaluate("location.hash")
    page.fill("#filters [name=text]", "nowhere")
    counted(page, "0 episodes")
    page.click("#filters [type=reset]")
    counted(page, "120 episodes")
    problem = page.locator("#rows tbody tr").nth(3).locator("code").text_content() or ""
    page.fill("#filters [name=problem]", problem)
    counted(page, "2 episodes")
    page.click("#filters [type=reset]")
    counted(page, "120 episodes")
    page.locator("#rows th button", has_text="reward").click()
    expect(page.locator("#rows th[aria-sort=ascending]")).to_contain_text("reward")
    page.keyboard.press("]")
    expect(page.locator("#pager span")).to_have_text("51 to 100 of 120")
    return told


def opened(page: Page) -> dict[str, Any]:
    """What an episode of the hostile policy shows, and its replay."""
    page.evaluate("location.hash = '/episodes?state=failed'")
    counted(page, "60 episodes")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    told = {"response": (page.locator(".attempt pre").first.text_content() or "")[: len(HTML)]}
    page.click("button.replay")
    frame = page.frame_locator("#opened iframe")
    expect(frame.locator(".frame:not([hidden]) h2")).to_contain_text("Step 1")
    frame.locator("[data-do=on]").click()
    expect(frame.locator(".frame:not([hidden]) h2")).to_contain_text("attempt 2")
    told["images in the replay"] = str(frame.locator("img").count())
    page.click("#close")  # the keys belong to the frame, which is of no origin
    return told


def side_by_side(page: Page) -> dict[str, Any]:
    page.click("#tab-side")
    rows = page.locator("#compared tbody tr")
    expect(rows).to_have_count(2)
    told: dict[str, Any] = {"cells": rows.all_text_contents()}
    expect(page.locator("#pair-count")).to_have_text("60 pairs")
    page.select_option("#changes [name=change]", "lost")
    expect(page.locator("#pair-count")).to_have_text("0 pairs")
    page.click("#swap")
    expect(page.locator("#pair-count")).to_have_text("60 pairs")
    page.locator("#pairs tbody tr").first.click()
    expect(page.locator("#opened .side")).to_have_count(2)
    expect(page.locator("#opened .attempt")).to_have_count(3)
    page.keyboard.press("Escape")
    return told


def browse(browser: Browser, folder: Path) -> dict[str, Any]:
    problems, told = list[str](), dict[str, Any]()
    server, url = start("view", folder)
    try:
        page = new_page(browser, problems)
        page.goto(url)
        told["served"] = {**filtered(page), **opened(page), **side_by_side(page)}
        page.click("#tab-failures")
        page.locator("#failures tbody tr").first.click()
        counted(page, "30 episodes")
        page.go_back()
        expect(page.locator("#failures")).to_be_visible()
        page.click("#tab-training")
        expect(page.locator("#training .chart")).to_have_count(2)
        told["charts"] = page.locator("#training figcaption").all_text_contents()
        phone = new_page(browser, problems, viewport={"width": 390, "height": 844}, color_scheme="dark")
        phone.goto(url)
        counted(phone, "120 episodes")
        for part in PARTS:
            phone.evaluate("part => { location.hash = `/${part}`; }", part)
            phone.locator(f"#{part.partition('?')[0]}").wait_for()
            told[f"inside the page: {part.partition('?')[0]}"] = is_within(phone)
        told["titles"] = [page.title(), phone.title()]
        for one in (page, phone):  # before their server is gone
            one.close()
    finally:
        kill(server)
    told["problems"] = problems
    return told


def export(browser: Browser, folder: Path) -> dict[str, Any]:
    problems, file = list[str](), folder.with_suffix(".html")
    subprocess.run([*COMMAND, "view", str(folder), "--export", str(file), "--replays", "120"], check=True, text=True)
    page = new_page(browser, problems)
    page.goto(file.as_uri())
    told = {**filtered(page), **opened(page), **side_by_side(page), "title": page.title()}
    return {"exported": told, "problems of the file": problems}


def busy(process: subprocess.Popen[str]) -> float:
    """Seconds for which a process had the processor, which do not hang on what else the machine does."""
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def open_many(browser: Browser, path: Path) -> dict[str, Any]:
    """Seconds from the command to the table, those of the server's processor, and of a filter, over many episodes."""
    page = new_page(browser, [])
    begun = perf_counter()
    server, url = start("view", path)
    try:
        page.goto(url)
        counted(page, f"{MANY:,} episodes")
        told = {"seconds": perf_counter() - begun, "seconds of the processor": busy(server)}
        begun = perf_counter()
        page.select_option("#filters [name=attempts]", "3")
        counted(page, f"{MANY // 3:,} episodes")
        return {**told, "seconds of a filter": perf_counter() - begun}
    finally:
        kill(server)


def main() -> None:
    chromium, folder = sys.argv[1], Path(sys.argv[2])
    make_logs(folder)
    many = folder.with_name("many.jsonl")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        told = {**browse(browser, folder), **export(browser, folder)}
        lines = make_many(many, folder / "a.jsonl")
        best = min((open_many(browser, many) for _ in range(3)), key=lambda one: one["seconds"])
        print(json.dumps({**told, **best, "lines": lines}))
        browser.close()


if __name__ == "__main__":
    main()
