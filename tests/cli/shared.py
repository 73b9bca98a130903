import json

import numpy as np
from PIL import Image

from verienv.generalpoints.vision_env import GeneralPointsVisionEnv

ENV = "GeneralPoints-L"


VISION = "GeneralPoints-VL"


SOLVED = '{"cards": ["4", "3", "2", "K"], "number": [4, 3, 2, 10], "formula": "4*3+2+10"}'


INSTANCE = "generalpoints:4-3-2-K:24"


ROUTES = "VIRL-L"


def is_one_line_error(outcome, told):
    status, out, err = outcome
    return status == 2 and not out and err.startswith("verienv: ") and err.count("\n") == 1 and told in err


def pixels(path):
    with Image.open(path) as image:
        assert image.format == "PNG"
        return np.asarray(image)


def dealt(seed=0, **settings):
    env = GeneralPointsVisionEnv(**settings)
    env.reset(seed=seed)
    return env


def lines_of(*rows):
    return "".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows)
