import json
import re
from base64 import b64encode
from hashlib import sha256

import pytest

from verienv.pages.html import Page, embedded

PLACE = '<script type="application/json" id="data"></script>'
HTML = f"<style>p {{}}</style>{PLACE}<script>\n'use strict';\n</script>"


def hash_of(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


def test_the_policy_admits_the_pages_own_script_and_style_by_hash_and_nothing_else():
    rules = dict(rule.split(" ", 1) for rule in Page(HTML).policy.split("; "))
    assert rules["script-src"] == hash_of("\n'use strict';\n")
    assert rules["style-src"] == hash_of("p {}")
    assert rules["default-src"] == "'none'"
    assert (rules["img-src"], rules["connect-src"]) == ("'self'", "'self'")
    assert {rules[name] for name in ("base-uri", "form-action", "frame-ancestors")} == {"'none'"}


def test_a_page_without_scripts_admits_none():
    assert "script-src 'none'" in Page(PLACE).policy


NASTY = [
    "</script><script>alert(1)</script>",
    "<!--<script>",
    "]]>",
    "\u2028",
    "&lt;",
    "'\"\\",
    "<img src=x onerror=alert(1)>",
]


@pytest.mark.parametrize("text", NASTY)
def test_no_text_among_the_data_ends_the_element_or_begins_one(text):
    html = Page(HTML).holding({"text": text, text: 1})
    assert html.count("<script") == HTML.count("<script")
    assert html.count("</script") == HTML.count("</script")
    [data] = re.findall(r'id="data">(.*?)</script>', html, re.DOTALL)
    assert json.loads(data) == {"text": text, text: 1}
    assert data.isascii()


def test_data_that_is_no_json_is_refused():
    with pytest.raises(ValueError, match="JSON"):
        embedded(float("nan"))


@pytest.mark.parametrize("html", ["", PLACE * 2])
def test_a_page_has_one_place_for_data(html):
    with pytest.raises(ValueError, match=f"has {html.count(PLACE)} places for data"):
        Page(html)
