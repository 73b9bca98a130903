"""Pages of the repository as pages of the site: the list of them, sections cut out, links turned to where they lead."""

from __future__ import annotations

import posixpath
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from website.numbers import filled

FENCE = re.compile(r"^(`{3,}|~{3,}).*?^\1[ \t]*$", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"(`+)(?!`).+?(?<!`)\1(?!`)", re.DOTALL)
LINK = re.compile(r"(?P<mark>!?)\[(?P<text>(?:[^\[\]]|\[[^\[\]]*\])*)\]\((?P<to>[^()\s]+)\)")
HEADING = re.compile(r"^(#+) +(.+)$", re.MULTILINE)
MADE = "made:"


@dataclass(frozen=True)
class Section:
    """A section of the menu: its title, and its pages as docs/site.toml names them."""

    title: str
    pages: tuple[str, ...]


def sections(listed: str) -> list[Section]:
    """Read docs/site.toml."""
    return [Section(each["title"], tuple(each["pages"])) for each in tomllib.loads(listed)["section"]]


def target_of(page: str) -> str:
    """Return the path of a page under the site, such as results/words/README.md or glossary.md."""
    path, _, anchor = page.partition("#")
    if path == "README.md":
        return "index.md"
    return f"{anchor.replace('-', '_')}.md" if anchor else path.removeprefix("docs/").replace("CHANGELOG", "changelog")


def slug(heading: str) -> str:
    """Return the anchor that code hosts, and MyST, give a heading."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower().replace("`", "")).replace(" ", "-")


def headings(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield where each heading begins, its level and its words; what stands in code is none."""
    fences = [found.span() for found in FENCE.finditer(text)]
    for found in HEADING.finditer(text):
        if not any(start <= found.start() < end for start, end in fences):
            yield found.start(), len(found[1]), found[2]


def span(text: str, anchor: str) -> tuple[int, int, int]:
    """Return where the section of an anchor begins and ends, and its level."""
    found = list(headings(text))
    for number, (start, level, words) in enumerate(found):
        if slug(words) == anchor:
            ends = [begin for begin, other, _ in found[number + 1 :] if other <= level]
            return start, ends[0] if ends else len(text), level
    raise ValueError(f"#{anchor}: no heading of this page; it has {', '.join(slug(words) for *_, words in found)}")


def section(text: str, anchor: str) -> str:
    """Return a section as a page of its own, its heading the first."""
    start, end, level = span(text, anchor)
    cut = text[start:end]
    marks = [begin for begin, *_ in headings(cut)]
    for begin in reversed(marks):
        cut = cut[:begin] + cut[begin + level - 1 :]
    return cut.strip() + "\n"


def without(text: str, anchors: Iterable[str]) -> str:
    """Return a page without the sections that are pages of their own, each replaced by a link to it."""
    for anchor in anchors:
        start, end, level = span(text, anchor)
        heading = text[start:end].splitlines()[0]
        words = heading.lstrip("# ")
        text = f"{text[:start]}{'#' * level} {words}\n\n[A page of its own](#{anchor}).\n\n{text[end:]}"
    return text


def outside_code(text: str, change: Callable[[str], str]) -> str:
    """Return the text with everything changed but blocks and spans of code that stand alone."""
    parts, at = list[str](), 0
    for fence in FENCE.finditer(text):
        parts += [change(text[at : fence.start()]), fence[0]]
        at = fence.end()
    return "".join([*parts, change(text[at:])])


@dataclass(frozen=True)
class Site:
    """The pages of a site.

    Attributes:
        root: the repository.
        pages: those of the repository, as docs/site.toml names them.
        files: is called with the path of each file that a page leads to, and shall bring it below files/.
    """

    root: Path
    pages: tuple[str, ...]
    files: Callable[[str], None]

    def text(self, page: str) -> str:
        """Return the text of a page of the repository, its links those of the site."""
        path, _, anchor = page.partition("#")
        text = filled((self.root / path).read_text("utf-8"))
        if anchor:
            text = section(text, anchor)
        else:
            text = without(text, [other.partition("#")[2] for other in self.pages if other.startswith(f"{path}#")])
        return outside_code(text, lambda part: LINK.sub(lambda link: self.link(page, link), part))

    def link(self, page: str, link: re.Match[str]) -> str:
        """Return a link of a page as the site has it. Raises ValueError if it leads nowhere."""
        to, path = link["to"], page.partition("#")[0]
        if re.match(r"[a-z]+:", to):
            return link[0]
        place, _, anchor = to.partition("#")
        leads = posixpath.normpath(posixpath.join(posixpath.dirname(path), place)) if place else path
        if not (self.root / leads).exists():
            raise ValueError(f"{page}: the link to {to} leads to {leads}, which is not there")
        for found, at in ((f"{leads}#{anchor}", ""), (leads, anchor)):
            if found in self.pages:
                way = posixpath.relpath(target_of(found), posixpath.dirname(target_of(page)) or ".")
                to = f"#{at}" if found == page and at else f"{way}#{at}" if at else way
                return f"{link['mark']}[{self.words(page, link['text'])}]({to})"
        if (self.root / leads).is_dir():
            words = link["text"]
            return words if words.strip("`") == leads else f"{words} (`{leads}`)"
        self.files(leads)
        way = posixpath.relpath(f"files/{leads}", posixpath.dirname(target_of(page)) or ".")
        scheme = "" if link["mark"] else "path:"
        return f"{link['mark']}[{self.words(page, link['text'])}]({scheme}{way})"

    def words(self, page: str, text: str) -> str:
        """Return the words of a link; a picture within them has a link too."""
        return LINK.sub(lambda link: self.link(page, link), text)


def menu(site_sections: Iterable[Section], made: dict[str, list[str]]) -> str:
    """Return the menu, which stands below the front page: a toctree for each section."""
    blocks = []
    for each in site_sections:
        lines = [
            target.removesuffix(".md")
            for page in each.pages
            for target in (made[page.removeprefix(MADE)] if page.startswith(MADE) else [target_of(page)])
        ]
        blocks.append("\n".join(["```{toctree}", ":hidden:", f":caption: {each.title}", "", *lines, "```"]))
    return "\n\n".join(blocks) + "\n"
