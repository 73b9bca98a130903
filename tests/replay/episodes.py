"""Episodes to record, and a reader of the page, that the tests of replays share."""

import base64
import io
import json
from html.parser import HTMLParser

import numpy as np
from PIL import Image

from verienv.core.make import make_env
from verienv.virl.env import VIRLEnv

ROUTES, WORDS, CARDS = "verienv/VIRL-L-v0", "verienv/GeneralPoints-L-v0", "verienv/GeneralPoints-VL-v0"
SIDE = 300


class PictureRoutes(VIRLEnv):
    """Routes with a picture at each waypoint: one of a colour of its own."""

    def __init__(self, **settings):
        super().__init__(**settings)
        self.show_pictures((SIDE, SIDE), False)

    def deal(self, rng, instance=None):
        return super().deal(rng, instance).but(vision=True, draw=picture)


def picture(question):
    return np.full((SIDE, SIDE, 3), (10 * question.step, 80, 200), np.uint8)


def routes(seed=3, **settings):
    env = make_env(ROUTES, **settings)
    env.reset(seed=seed)
    return env


def picture_routes(seed=3):
    env = PictureRoutes()
    env.reset(seed=seed)
    return env


def puzzle(env_id=WORDS, **settings):
    env = make_env(env_id, **settings)
    env.reset(seed=0)
    return env


def saying(*responses):
    """Return a policy that says these and then what the expert does."""
    left = list(responses)
    return lambda episode: left.pop(0) if left else episode.expert()


class Page(HTMLParser):
    """A page as a reader of HTML meets it."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.texts, self.inside = [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self.inside.append(tag)

    def handle_endtag(self, tag):
        self.inside = self.inside[: len(self.inside) - self.inside[::-1].index(tag) - 1]

    def handle_data(self, data):
        self.texts.append((self.inside[-1] if self.inside else "", data))

    def all(self, tag, **wanted):
        return [attrs for name, attrs in self.tags if name == tag and wanted.items() <= attrs.items()]

    def words(self, tag):
        return [text for inside, text in self.texts if inside == tag]

    @property
    def pictures(self):
        """The pictures in the figures; thumbnails have no id."""
        return [decoded(attrs["src"]) for attrs in self.all("img") if "id" in attrs]


def decoded(uri):
    head, _, data = uri.partition(",")
    assert head == "data:image/webp;base64"
    with Image.open(io.BytesIO(base64.b64decode(data, validate=True))) as image:
        image.load()
        return image


HOSTILE = [
    "</script><script>alert(1)</script>",
    "</pre></section><img src=x onerror=alert(1)><style>*{display:none}</style><!--",
    '"><a href="https://example.org">x</a>&lt;b&gt;',
    json.dumps({"action": "</code><script>alert(1)</script>", "formula": "<svg onload=alert(1)>"}),
]
