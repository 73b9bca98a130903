"""Docstrings as Sphinx reads them: ours are English with Google's sections, and code that stands as a paragraph."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

INDENTED = 4
"""The spaces before a block of commands that stands alone."""


def is_code(paragraph: str) -> bool:
    """Whether a paragraph is Python: it parses, and is more than names and numbers that prose might be too."""
    try:
        tree = ast.parse(paragraph)
    except SyntaxError:
        return False
    kinds = (ast.Import, ast.ImportFrom, ast.Assign, ast.With, ast.For, ast.Assert, ast.Call)
    return any(isinstance(node, kinds) for node in ast.walk(tree))


def paragraphs(lines: list[str]) -> Iterator[list[str]]:
    """Yield runs of lines that are not blank, and the blank lines between them, one by one."""
    run = list[str]()
    for line in lines:
        if line.strip():
            run.append(line)
            continue
        if run:
            yield run
        yield [line]
        run = []
    if run:
        yield run


def as_rst(lines: list[str], link: str = "") -> list[str]:
    """Return a docstring in reStructuredText; of one in Markdown with headings, its first paragraph and ``link``."""
    if any(line.startswith("## ") for line in lines):
        head = next(paragraphs(lines))
        return [*head, "", link, ""]
    written = list[str]()
    for paragraph in paragraphs(lines):
        deep = min((len(line) - len(line.lstrip()) for line in paragraph if line.strip()), default=0)
        before = next((line for line in reversed(written) if line.strip()), "")
        if before.endswith("::") and deep:
            written += paragraph
        elif is_code("\n".join(line[deep:] for line in paragraph)):
            written += ["", f"{' ' * deep}.. code-block:: python", "", *(f"    {line}" for line in paragraph), ""]
        elif deep >= INDENTED:  # Google's sections stand below a heading, in one paragraph with it
            written += ["", "::", "", *paragraph, ""]
        else:
            written += [_escape(line) for line in paragraph]
    return written


def _escape(line: str) -> str:
    """Return a line in which a star within quotation marks is a star."""
    parts = re.split(r"(``.*?``)", line)
    return "".join(
        part if part.startswith("``") else re.sub(r'"[^"]*\*[^"]*"', lambda found: found[0].replace("*", r"\*"), part)
        for part in parts
    )
