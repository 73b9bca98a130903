"""A replay as a page: every frame is in it, and the script shows one at a time.

Text of a policy is hostile. Every word goes through ``_safe``, and should one ever get past, the page's policy lets
no script and no style run but its own two, by their hashes, and lets it load nothing.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator
from hashlib import sha256
from html import escape
from pathlib import Path

from verienv.core.loose_json import nesting
from verienv.core.scene import Scene
from verienv.core.verdict import Metric
from verienv.replay.replay import Frame, Picture, Replay, visible

THUMB = 96
"""Width and height of thumbnails in px, at most."""

LONGEST_PRETTY = 4096
DEEPEST_PRETTY = 8

_KEYS = "Arrow keys step, space plays"


def html_page(replay: Replay) -> str:
    """Write a replay as a page, whole in one file: it loads nothing, and what the policy wrote is only text in it.

    A player where scripts run, a long page where they do not.
    """
    style, script = inline()
    policy = (
        f"default-src 'none'; img-src data:; style-src '{_hash(style)}'; script-src '{_hash(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    shown: dict[bytes, str] = {}
    frames = [_frame(replay, number, shown) for number in range(1, len(replay.frames) + 1)]
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en">',
            "<head>",
            '<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="referrer" content="no-referrer">',
            f"<title>{_safe(replay.instance)} in {_safe(replay.env_id)}</title>",
            f"<style>{style}</style>",
            "</head>",
            "<body>",
            *_header(replay),
            *_controls(len(replay.frames)),
            *_strip(replay),
            "<main>",
            *frames,
            "</main>",
            f"<footer><p>{_safe(replay.env_id)}, {_safe(replay.instance)}.</p></footer>",
            f"<script>{script}</script>",
            "</body>",
            "</html>",
            "",
        ]
    )


def inline() -> tuple[str, str]:
    """Return the style and the script of every replay's page."""
    style, script = (Path(__file__).with_name(f"page.{kind}").read_text(encoding="utf-8") for kind in ("css", "js"))
    return style, script


def _hash(text: str) -> str:
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"


def _safe(text: str) -> str:
    """Return the text as HTML that shows it and is nothing else."""
    return escape(visible(text), quote=True)


def _header(replay: Replay) -> Iterator[str]:
    attempts = len(replay.frames)
    yield "<header>"
    yield f"<h1>{_safe(replay.subject or replay.env_id)}</h1>"
    kind = "right" if replay.success else "wrong" if replay.over else "open"
    yield '<ul class="chips">'
    yield f'<li class="badge {kind}">{_safe(replay.outcome)}</li>'
    yield f"<li>reward <b>{replay.reward:+g}</b> in {attempts} {'attempt' if attempts == 1 else 'attempts'}</li>"
    yield f"<li>played by <b>{_safe(replay.by)}</b></li>"
    if replay.subject:
        yield f"<li>{_safe(replay.env_id)}</li>"
    yield f"<li>{_safe(replay.instance)}</li>"
    for choice in replay.choices:
        yield f"<li>{_safe(choice)}</li>"
    yield "</ul>"
    yield "</header>"


def _controls(frames: int) -> Iterator[str]:
    yield '<div class="controls" role="group" aria-label="Player" hidden>'
    yield '<button type="button" data-do="back" aria-label="Step back">&#9664;</button>'
    yield '<button type="button" data-do="play">Play</button>'
    yield '<button type="button" data-do="on" aria-label="Step on">&#9654;</button>'
    yield f'<input type="range" min="1" max="{frames}" value="1" aria-label="Frame">'
    yield f'<output aria-live="polite">1 of {frames}</output>'
    yield f"<small>{_KEYS}</small>"
    yield "</div>"


def _strip(replay: Replay) -> Iterator[str]:
    """Yield links to the frames. A repeated attempt has no thumbnail of its own, since it meets the same picture."""
    yield '<nav class="strip" aria-label="Frames">'
    before: Scene | None = None
    for number, frame in enumerate(replay.frames, 1):
        label = f"{frame.title}: {frame.gist}, {frame.verdict.reward:+g}"
        thumb = _thumb(frame.picture) if frame.picture and frame.question.scene is not before else ""
        named = f'aria-label="{_safe(label)}" title="{_safe(label)}"'
        yield f'<a class="{_kind(frame)}" href="#frame-{number}" {named}>{thumb}<span>{frame.label}</span></a>'
        before = frame.question.scene
    yield "</nav>"


def _thumb(picture: Picture) -> str:
    image = picture.image()
    image.thumbnail((THUMB, THUMB))
    return _image(Picture.of(image), "")


def _image(picture: Picture, alt: str, name: str = "") -> str:
    named = f'id="{name}" ' if name else ""
    width, height = picture.size
    data = f"data:image/webp;base64,{b64encode(picture.webp).decode()}"
    return f'<img {named}width="{width}" height="{height}" alt="{_safe(alt)}" src="{data}">'


def _kind(frame: Frame) -> str:
    return "right" if frame.verdict.is_correct else "wrong"


def _frame(replay: Replay, number: int, shown: dict[bytes, str]) -> str:
    """Return a frame; ``shown`` holds the names of the pictures that the page has already, and those it gets here."""
    frame = replay.frames[number - 1]
    scene = frame.question.scene
    figures = [*_pictures(frame, shown), *_map(replay, frame, shown)]
    kind = ("words", "one", "both")[min(len(figures), 2)]
    return "\n".join(
        [
            f'<section class="frame {kind}" id="frame-{number}" aria-labelledby="title-{number}">',
            f'<h2 id="title-{number}">{frame.title} <code>{_safe(frame.gist)}</code> {_badge(frame)}</h2>',
            *figures,
            '<div class="said">',
            '<div class="asked">',
            *(_route(frame) if scene.instructions else _question(frame)),
            "</div>",
            '<div class="answered">',
            *_answer(frame),
            "</div>",
            "</div>",
            "</section>",
        ]
    )


def _pictures(frame: Frame, shown: dict[bytes, str]) -> Iterator[str]:
    for picture in frame.question.pictures:
        yield _figure(
            picture, f"The picture at step {frame.question.number}.", "The picture given to the policy", shown
        )


def _map(replay: Replay, frame: Frame, shown: dict[bytes, str]) -> Iterator[str]:
    if frame.question.map:
        note = f"The map of the route: {frame.question.scene.map_note}"
        owed = f"Map data: {replay.attribution}." if replay.attribution else "The map of the route."
        yield _figure(frame.question.map, note, owed, shown)


def _figure(picture: Picture, alt: str, caption: str, shown: dict[bytes, str]) -> str:
    """Return a picture with its caption; one that the page has already is a link to it, which the script fills in."""
    name = shown.get(picture.webp)
    if name:
        inside = f'<a class="again" data-of="{name}" href="#{name}">The same picture as before.</a>'
    else:
        name = shown[picture.webp] = f"picture-{len(shown) + 1}"
        inside = _image(picture, alt, name)
    return f"<figure>{inside}<figcaption>{_safe(caption)}</figcaption></figure>"


def _route(frame: Frame) -> Iterator[str]:
    """Yield the sentences, the one that is due marked, and the present view."""
    scene = frame.question.scene
    yield "<h3>Instructions</h3>"
    yield "<ol>"
    for number, sentence in enumerate(scene.instructions):
        mark = ' class="now" aria-current="step"' if number == scene.current else ""
        yield f"<li{mark}>{_safe(sentence)}</li>"
    yield "</ol>"
    yield f"<p><b>Now</b> {_safe(scene.view)}</p>"
    yield from _truth(scene)
    if frame.attempt > 1:
        yield f'<p class="feedback">{_safe(" ".join(frame.text.splitlines()[-2:]))}</p>'
    yield f"<details><summary>All that was asked</summary>{''.join(_system(frame))}{_words(frame.dialogue, 'Question')}"
    yield "</details>"


def _system(frame: Frame) -> Iterator[str]:
    if frame.question.system:
        yield "<h3>System</h3>"
        yield _words(frame.question.system, "System")


def _question(frame: Frame) -> Iterator[str]:
    yield from _system(frame)
    yield "<h3>Question</h3>"
    yield _words(frame.dialogue, "Question")
    yield from _truth(frame.question.scene)


def _truth(scene: Scene) -> Iterator[str]:
    if scene.truth:
        yield f"<p><b>In truth</b> {_safe(scene.truth)}</p>"


def _answer(frame: Frame) -> Iterator[str]:
    verdict = frame.verdict
    yield "<h3>Response</h3>"
    yield _words(_pretty(frame.response) or "(nothing)", "Response", frame.said)
    yield f'<p class="verdict">{_badge(frame)} {_safe(verdict.feedback)}</p>'
    if verdict.reason:
        yield f'<p class="reason">{_safe(verdict.reason)}</p>'
    failure = {"failure": verdict.failure.replace("_", " ")} if verdict.failure else {}
    facts = failure | {name.replace("_", " "): _measure(value) for name, value in verdict.metrics.items()}
    if facts:
        chips = (f"<li>{_safe(name)} <b>{_safe(value)}</b></li>" for name, value in facts.items())
        yield f'<ul class="chips">{"".join(chips)}</ul>'


def _measure(value: Metric) -> str:
    return ("no", "yes")[value] if isinstance(value, bool) else f"{value:g}"


def _words(text: str, label: str, said: str = "") -> str:
    """Return a box of text that scrolls where it is long, by keys too.

    The last place in prose where it says ``said`` is marked, as the last answer decides.
    """
    at = text.rfind(said) if said and text[:1] != "{" else -1
    inside = _safe(text)
    if at >= 0:
        end = at + len(said)
        inside = f"{_safe(text[:at])}<mark>{_safe(text[at:end])}</mark>{_safe(text[end:])}"
    return f'<pre dir="auto" tabindex="0" role="group" aria-label="{label}">{inside}</pre>'


def _badge(frame: Frame) -> str:
    sign = "&#10003;" if frame.verdict.is_correct else "&#10007;"
    word = "correct" if frame.verdict.is_correct else "wrong"
    return f'<span class="badge {_kind(frame)}" title="{word}">{sign} {frame.verdict.reward:+g}</span>'


def _pretty(response: str) -> str:
    """Return a response that is one JSON object indented; any other, and one that this would change, as it is."""
    if len(response) > LONGEST_PRETTY or response[:1] != "{" or nesting(response) > DEEPEST_PRETTY:
        return response
    try:
        fields = json.loads(response)
    except (ValueError, RecursionError):
        return response
    for plain in (True, False):
        if "".join(json.dumps(fields, ensure_ascii=plain).split()) == "".join(response.split()):
            return json.dumps(fields, ensure_ascii=plain, indent=2)
    return response
