"""V-IRL in numbers: a ``Discrete`` action, and the content of the text as an array."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from verienv.core.config import validate
from verienv.core.env import kept_info
from verienv.core.shown import shown
from verienv.core.spaces import image_space
from verienv.numeric.base import NumericEnv, check_writes
from verienv.numeric.making import entry_point_of, make_numeric
from verienv.numeric.masks import MaskPlace, masked, masked_space
from verienv.numeric.pictures import fit_picture, parse_resize
from verienv.numeric.route_numbers import RouteNumbers
from verienv.numeric.sentences import ACTIONS, HEAD, IN_HEAD, TAIL, WIDTH, Numbers
from verienv.virl.actions import action_space
from verienv.virl.answers import write_answer
from verienv.virl.config import VIRLConfig
from verienv.virl.env import VIRLEnv
from verienv.virl.routes.route import Route


class DiscreteConfig(BaseModel):
    """The keyword arguments of ``VIRLDiscrete``.

    Attributes:
        both: offer the 14 actions of both rules (``ACTIONS``), so that a policy can be taken from one to the other;
            those of the other rule are wrong, as in text.
        pointer: whether the sentences begin with the one to which the steps so far lead; else with the
            first, and a policy needs a memory.
        window: how many sentences are given, 1 to 256. No shipped route has more than 18.
        resize: with pictures, height and width in px to which the picture is reduced, or one integer for a square.
        channels_first: with pictures, whether the picture is 3 x height x width.
        mask: "info", or where the mask is in the observation too: "observation" makes it a ``Dict`` of "observation"
            and "action_mask", "rllib" of "observations" and "action_mask", "tianshou" of "obs" and "mask".
        info: "numbers" for info that tensors can hold, or "text" for the texts too.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    both: bool = Field(default=False, strict=True)
    pointer: bool = Field(default=True, strict=True)
    window: int = Field(default=24, ge=1, le=256, strict=True)
    resize: Annotated[tuple[int, int] | None, BeforeValidator(parse_resize)] = None
    channels_first: bool = Field(default=False, strict=True)
    mask: MaskPlace = "info"
    info: Literal["numbers", "text"] = "numbers"


class VIRLDiscrete(NumericEnv):
    """Follow a route through a city by numbers: a numeric environment over V-IRL.

    ## Description
    Made over an environment of V-IRL, in words or with pictures. The observation holds what the question tells at this
    waypoint, and no more: names of landmarks become marks of whether a sentence names the landmark in view, and of what
    lies behind only the last step is told. An action is judged by that environment's verifier, as the JSON answer that
    holds it: an episode here and its counterpart in text earn the same rewards.

    ## Action Space
    ``Discrete(10)`` or ``Discrete(6)``: the actions of the rule in the order of ``action_space(actions)``. With
    ``both``, ``Discrete(14)``: ``ACTIONS``. (``actions`` lists them.) The mask, in ``info["action_mask"]`` and from
    ``action_masks()``, forbids the actions of the other rule alone; taken all the same, they are wrong, as in text.

    ## Observation Space
    In words ``Box`` float32 from 0 to 1, of shape (104 + 27 * window,): the parts of ``sentences.layout`` one after the
    other.

    | part | shape | holds |
    |---|---|---|
    | landmark | 1 | 1 if a landmark is near |
    | position | 8 | one-hot: where it stands, of ``POSITIONS`` |
    | at_intersection | 1 | 1 if streets cross here |
    | streets | 8 x 8 | position by compass word of each street, where the text tells (``directions`` not "both") |
    | relative | 1 | the rule: 1 for left and right |
    | last_action | 14 | one-hot of ``ACTIONS``: the action that led here, zeros at the beginning |
    | tried | 14 | the actions found wrong at this waypoint |
    | attempts_left | 1 | / attempts |

    and for each sentence, in order (zeros where there is none):

    | part | shape | holds |
    |---|---|---|
    | kind | 4 | one-hot of ``KINDS``: turn, walk (to a crossing), arrive (walk to the destination), stop |
    | compass | 8 | one-hot of ``COMPASS``: what a turn is to face, where it says so |
    | turn | 4 | one-hot of ``TURNS``: where a turn leads, where it says so |
    | landmark | 1 | 1 if it names a landmark |
    | position | 8 | one-hot of ``POSITIONS``: where that is to stand |
    | in_view | 1 | 1 if that is the landmark in view |
    | in_place | 1 | 1 if it also stands as the sentence says |

    The heading is left out, as it is in words. That a walk has ended is for the policy to see: the first sentence
    is then still the walk, the second what is due.

    With ``mode="walk"`` further entries follow behind the sentences (``sentences.write_walk``): the last turn taken,
    the strides since, whether the last one led nowhere, and the share of actions left. ``last_action`` is then one's
    own, ``tried`` holds actions that could not be executed alone. A pointer stays at the sentence that was followed
    where one left the route.

    With pictures ``Dict(image=Box uint8, state=Box float32)``; the picture is ``resize``-d and ``channels_first`` as
    asked. Zero in the state is what only the picture shows: landmark, position, in_view, in_place, and at_intersection
    unless ``junction_hint``.

    ## Rewards
    The verifier's, for the action with a true observation: in preset "paper" +1 and -1. Its price for a wrong
    observation (-1.5) is never paid, since numbers say nothing of what they see.

    ## Starting State
    As of the environment beneath.

    ## Episode End
    As of the environment beneath.

    ## Information
    The same keys and types at every reset and step: ``action_mask`` (int8, shape (actions,)), and the numbers and
    truth values among the environment's own; with ``info="text"`` also its texts, such as ``instance`` and
    ``failure``. ``observation_correct`` and ``instruction_correct`` say nothing here. The attributes ``info`` and
    ``final_info`` hold all of it, also after the end.

    ## Arguments
    ``env``, an environment of V-IRL, wrapped or not, and the fields of ``DiscreteConfig``. By id (see ``make``) the
    fields of ``VIRLConfig`` too.

    ## Version History
    * v0: first version.
    """

    config: DiscreteConfig
    game: VIRLEnv

    def __init__(self, env: gym.Env[Any, Any], **settings: Any) -> None:
        game = env.unwrapped
        if not isinstance(game, VIRLEnv):
            raise ValueError(f"env={env}: expected an environment of V-IRL, e.g. of verienv/VIRL-L-v0")
        self.config = config = validate(DiscreteConfig, settings, type(self).__name__)
        if not game.vision and (config.resize or config.channels_first):
            raise ValueError("resize and channels_first are for V-IRL with pictures; this environment has no picture")
        if game.vision and config.pointer and getattr(game.config, "history", "oracle") != "oracle":
            raise ValueError("pointer=True: the text tells it with history='oracle' alone; set pointer=False")
        check_writes(game)
        self.env, self.game = env, game
        self.render_mode = env.render_mode
        legal = action_space(game.config.actions)
        self.actions = ACTIONS if config.both else legal
        """The action that each number stands for."""
        self._mask = np.array([action in legal for action in self.actions], np.int8)
        self.action_space = spaces.Discrete(len(self.actions))
        self.observation_space = masked_space(self._space(), len(self.actions), config.mask)
        self._tried: list[str] = []

    def _space(self) -> spaces.Space[Any]:
        state = spaces.Box(0.0, 1.0, (self.numbers_width,), np.float32)
        if not self.game.vision:
            return state
        height, width = self.config.resize or self.game.observation_space["image"].shape[:2]  # type: ignore[index]
        picture = image_space(height, width)
        if self.config.channels_first:
            picture = spaces.Box(0, 255, (3, height, width), np.uint8)
        return spaces.Dict({"image": picture, "state": state})

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Deal, as the environment beneath does.

        Raises:
            ValueError: for a route of more sentences than ``window``, unless there is a pointer.
        """
        super().reset(seed=seed)
        observation, info = self.env.reset(seed=seed, options=options)
        self._numbers = self.numbers_of(self.game.route)
        self._tried = []
        return self._observation(observation), self._info(info)

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Take an action.

        Raises:
            ValueError: if the action is none.
            ResetNeeded: after the end.
        """
        index = int(action)
        if not 0 <= index < len(self.actions):
            raise ValueError(f"action={shown(action)}: expected an integer from 0 to {len(self.actions) - 1}")
        answer = write_answer(
            self.game.waypoint, action=self.actions[index], answer_format=self.game.question.wording.answer_format
        )
        before = self.game.question.walk
        observation, reward, over, cut, info = self.env.step(answer)
        executed = info["is_correct"] or self.game.question.walk is not before
        self._tried = [] if executed else [*self._tried, self.actions[index]]
        return self._observation(observation), float(reward), over, cut, self._info(info)

    def expert_action(self) -> int:
        """The action that is due."""
        return self.actions.index(self.game.waypoint.action)

    def render(self) -> Any:
        """Render as the environment beneath."""
        return self.env.render()

    def _info(self, info: dict[str, Any]) -> dict[str, Any]:
        return {**kept_info(info, self.config.info), "action_mask": self._mask.copy()}

    def _observation(self, observation: dict[str, Any]) -> Any:
        seen: Any = self._state()
        if self.game.vision:
            image = fit_picture(observation["image"], self.config.resize, self.config.channels_first)
            seen = {"image": image, "state": seen}
        return masked(seen, self._mask, self.config.mask)

    @property
    def mask(self) -> NDArray[np.int8]:
        """``info["action_mask"]``, the same at every step."""
        return self._mask.copy()

    @property
    def numbers_width(self) -> int:
        """The number of entries of the state."""
        return HEAD + WIDTH * self.config.window + (TAIL if self.game.config.mode == "walk" else 0)

    def numbers_of(self, route: Route) -> RouteNumbers:
        """The numbers that tell of a route's waypoints. Raises ValueError for one that ``reset`` refuses."""
        game, config = self.game, self.config
        return RouteNumbers(
            route,
            window=config.window,
            pointer=config.pointer,
            vision=game.vision,
            tells_junctions=not game.vision or getattr(game.config, "junction_hint", False),
            tells_streets=game.config.directions != "both",
            relative=game.config.actions == "relative",
        )

    def _state(self) -> Numbers:
        game, at = self.game, IN_HEAD
        state = self._numbers.row(game.waypoint, game.passed, game.question.walk)
        for action in self._tried:
            state[at["tried"].start + ACTIONS.index(action)] = 1
        state[at["attempts_left"]] = 1 - len(self._tried) / game.attempts
        return state


@entry_point_of(VIRLDiscrete)
def make(render_mode: str | None = None, **settings: Any) -> VIRLDiscrete:
    """Make ``VIRLDiscrete`` over V-IRL in words: the entry point of verienv/VIRL-Discrete-v0.

    Args:
        render_mode: None, "ansi", or "rgb_array": the same text in a picture.
        settings: the fields of ``VIRLConfig`` and of ``DiscreteConfig``.

    Raises:
        ValueError: one line that names the setting that is unknown or wrong, and what is accepted.
    """
    return make_numeric(VIRLDiscrete, DiscreteConfig, VIRLEnv, VIRLConfig, render_mode, settings)


@entry_point_of(VIRLDiscrete)
def make_vision(render_mode: str | None = None, **settings: Any) -> VIRLDiscrete:
    """Make ``VIRLDiscrete`` over V-IRL with pictures, with the fields of ``VIRLVisionConfig``; also "rgb_array"."""
    from verienv.virl.vision_config import VIRLVisionConfig
    from verienv.virl.vision_env import VIRLVisionEnv

    return make_numeric(VIRLDiscrete, DiscreteConfig, VIRLVisionEnv, VIRLVisionConfig, render_mode, settings)
