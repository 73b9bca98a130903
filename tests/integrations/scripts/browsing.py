"""Shared by the scripts that drive pages in Chromium: commands that print a URL, and pages that tell their problems."""

import subprocess
import sys
from typing import Any

from playwright.sync_api import Browser, Page, expect

expect.set_options(timeout=60_000)  # of a machine under load
COMMAND = [sys.executable, "-c", "from verienv.cli import main; main()"]
HTML = "<img src=x onerror=\"document.title='hacked'\"></script><script>document.title='hacked'</script>"


def start(*arguments: object) -> tuple[subprocess.Popen[str], str]:
    """Start a command of verienv that serves a page: the process, and the URL."""
    server = subprocess.Popen([*COMMAND, *map(str, arguments)], stdout=subprocess.PIPE, text=True)
    assert server.stdout
    return server, server.stdout.readline().strip()


def kill(server: subprocess.Popen[str]) -> None:
    """End a server at once, as no program can prevent."""
    server.kill()
    server.wait()


def new_page(browser: Browser, problems: list[str], **how: Any) -> Page:
    """A page in a browser of its own, whose errors and foreign requests are problems."""
    page = browser.new_context(**how).new_page()
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("request", lambda asked: problems.append(asked.url) if not is_own(asked.url) else None)
    return page


def is_own(url: str) -> bool:
    return url.startswith(("http://127.0.0.1:", "file:", "data:", "about:"))


def is_within(page: Page) -> bool:
    """Whether nothing of a page stands out to the right."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))
