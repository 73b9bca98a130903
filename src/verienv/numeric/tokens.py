"""GeneralPoints in numbers: a formula is built token by token, with an action mask."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from gymnasium.error import ResetNeeded
from numpy.typing import NDArray

from verienv.core.config import validate
from verienv.core.env import kept_info, write_turns
from verienv.core.shown import shown
from verienv.core.spaces import image_space
from verienv.core.text_picture import draw_turns
from verienv.generalpoints.answers import expert_expression, write_answer
from verienv.generalpoints.cards import FACES, RANK_NUMBER, RANKS
from verienv.generalpoints.config import GeneralPointsConfig
from verienv.generalpoints.env import GeneralPointsEnv
from verienv.generalpoints.puzzle import Puzzle
from verienv.numeric.base import NumericEnv, check_writes
from verienv.numeric.formula_builder import DONE, SYMBOLS, FormulaBuilder, Mask
from verienv.numeric.making import entry_point_of, make_numeric
from verienv.numeric.masks import masked, masked_space
from verienv.numeric.pictures import fit_picture
from verienv.numeric.tokens_config import TokensConfig

NUMBER_SCALE = 10.0
"""Observations hold the cards' numbers divided by this."""
LARGEST_NUMBER = 99


class GeneralPointsTokens(NumericEnv):
    """Make 24 from four cards, one token of the formula at a time: a numeric environment over GeneralPoints.

    ## Description
    Made over an environment of GeneralPoints, in words or with pictures. The policy builds a formula from the cards'
    numbers, operators and parentheses. "done" hands it as a JSON answer to that environment, whose verifier judges it:
    an episode here and its counterpart in text earn the same rewards. After a wrong formula the next begins empty.

    ## Action Space
    ``Discrete(n + 7)`` for n cards: 0 to n - 1 the number of card i under the scored rule; then ``+ - * / ( )``, then
    done (``token_names`` lists them). The mask, in ``info["action_mask"]`` and from ``action_masks()``, forbids
    exactly the tokens after which no continuation within ``max_tokens`` is a legal formula: a sign before a factor is
    legal, two numbers in a row are not. Numbers left out or used twice are legal, if wrong: ``strict_mask`` forbids
    them too. A forbidden token is an answer as well: it is added and what then stands there is handed in.

    ## Observation Space
    In words ``Box`` float32 of shape (d,), the parts of ``layout`` one after the other, or ``Dict`` of them by name:

    | part | shape | holds |
    |---|---|---|
    | ranks | n, 13 | one-hot: A, 2, ..., K |
    | values | n | each card's number under the stated rule, divided by 10 |
    | used | n | 1 for a card that stands in the formula |
    | tokens | max_tokens, n + 6 | one-hot: the tokens so far (never done), zeros after them |
    | filled | 1 | tokens so far, divided by max_tokens |
    | depth | 1 | open parentheses, divided by max_tokens |
    | operand_next | 1 | 1 if a number is due, 0 if an operator |
    | rule | 3 | what J, Q, K count under the stated rule, divided by 10 |
    | attempts_left | 1 | divided by attempts |
    | failure | 6, with pictures 7 | one-hot: the latest verdict's among ``failures``; zeros before it and if correct |

    With pictures ``Dict(image=Box uint8, state=Box float32)``: the picture, and those parts but for ranks and values;
    with ``observation="dict"`` the picture and those parts by name.

    ## Rewards
    The verifier's, at the step that hands a formula in; 0 at every other.

    ## Starting State
    As of the environment beneath, with an empty formula.

    ## Episode End
    As of the environment beneath. An attempt takes at most ``max_tokens`` + 1 steps.

    ## Information
    The same keys and types at every reset and step: ``action_mask`` (int8, shape (n + 7,)), ``judged`` (whether this
    step handed a formula in), and the numbers and truth values among those of the environment beneath, which tell of
    the latest verdict; with ``info="text"`` also its texts, and ``formula`` (the text so far, or as handed in). The
    attributes ``info`` and ``final_info`` hold all of the environment beneath, also after the end. With pictures the
    answer names the true cards, so a hand that the policy misread shows as a wrong value, never as misread.

    ## Arguments
    ``env``, an environment of GeneralPoints, wrapped or not, and the fields of ``TokensConfig``. By id (see ``make``)
    the fields of ``GeneralPointsConfig`` too.

    ## Version History
    * v0: first version.
    """

    config: TokensConfig
    game: GeneralPointsEnv

    _mask: Mask

    def __init__(self, env: gym.Env[Any, Any], **settings: Any) -> None:
        game = env.unwrapped
        if not isinstance(game, GeneralPointsEnv):
            raise ValueError(f"env={env}: expected an environment of GeneralPoints, e.g. of verienv/GeneralPoints-L-v0")
        self.config = config = validate(TokensConfig, settings, type(self).__name__)
        cards, target = game.config.cards, game.config.target
        if isinstance(cards, tuple) or isinstance(target, tuple):
            raise ValueError("tokens are observed in one shape, without the target: give one of cards and of target")
        if game.config.numbers or game.config.largest_card > len(RANKS):
            raise ValueError("tokens show the ranks from A to K alone: leave out numbers and largest_card")
        most = 4 * cards if config.max_tokens is None else config.max_tokens
        if not 4 * cards - 5 <= most <= 255:
            raise ValueError(f"max_tokens={most}: expected an integer from {4 * cards - 5} to 255 for {cards} cards")
        if not game.vision and (config.resize or config.channels_first):
            raise ValueError("resize and channels_first are for GeneralPoints with pictures; here is no picture")
        check_writes(game)
        self.env, self.game = env, game
        self.render_mode = env.render_mode
        self.failures = game.task.measures(game.vision).failures  # of every answer format: one shape for all
        """The failure that each entry of the observation's part "failure" stands for."""
        self.token_names = (*(f"card {i}" for i in range(cards)), *SYMBOLS, DONE)
        """The token that each action stands for."""
        self.builder = FormulaBuilder(cards, most, config.strict_mask, game.config.operators)
        """The formula in the making."""
        self.layout = _layout(cards, most, len(self.failures), game.vision)
        """The shapes of the observation's parts, in order."""
        ends = np.cumsum([prod(shape) for shape in self.layout.values()]).tolist()
        self.starts = dict(zip(self.layout, [0, *ends[:-1]], strict=True))
        """The index of each part's first number in the array."""
        self._state = np.zeros(ends[-1], np.float32)
        self.action_space = spaces.Discrete(cards + 7)
        self.observation_space = masked_space(self._space(), cards + 7, config.mask)
        self._over = True

    def _space(self) -> spaces.Space[Any]:
        parts: dict[str, spaces.Space[Any]] = {
            name: spaces.Box(0, LARGEST_NUMBER / NUMBER_SCALE if name in ("values", "rule") else 1, shape, np.float32)
            for name, shape in self.layout.items()
        }
        if self.config.observation == "array":
            parts = {"state": spaces.Box(0, LARGEST_NUMBER / NUMBER_SCALE, self._state.shape, np.float32)}
        if self.game.vision:
            height, width = self.config.resize or self.game.observation_space["image"].shape[:2]  # type: ignore[index]
            first = self.config.channels_first
            image = spaces.Box(0, 255, (3, height, width), np.uint8) if first else image_space(height, width)
            return spaces.Dict({"image": image, **parts})
        return parts["state"] if self.config.observation == "array" else spaces.Dict(parts)

    @property
    def puzzle(self) -> Puzzle:
        """The puzzle in play."""
        return self.game.puzzle

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Deal, as the environment beneath does. Raises ValueError for an option "target"."""
        super().reset(seed=seed)
        check_options(options)
        observation, info = self.env.reset(seed=seed, options=options)
        self._over = False
        self._state[:] = self.hand_numbers(self.puzzle)
        if self.game.vision:
            self._image = fit_picture(observation["image"], self.config.resize, self.config.channels_first)
        self._begin(info)
        return self._observation(), self._info("", False)

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Add a token, or hand the formula in.

        Raises:
            ValueError: if the action is none.
            ResetNeeded: after the end.
        """
        if self._over:
            raise ResetNeeded("the episode is over (or none has begun): call reset() before step()")
        builder, token = self.builder, int(action)
        if not 0 <= token <= builder.done:
            raise ValueError(f"action={shown(action)}: expected an integer from 0 to {builder.done}")
        if token == builder.done or not self._mask[token]:
            return self._hand_in(token)
        self._put(token)
        self._mask = builder.mask()
        formula = builder.text(self.puzzle.values)
        return self._observation(), 0.0, False, False, self._info(formula, False)

    def hand_numbers(self, puzzle: Puzzle) -> NDArray[np.float32]:
        """The parts of the state that tell of a puzzle, all others at 0: float32, of the array's shape."""
        state, at = np.zeros_like(self._state), self.starts
        state[at["rule"] : at["rule"] + 3] = [puzzle.stated_rule.values[face] / NUMBER_SCALE for face in FACES]
        if not self.game.vision:
            for card, (rank, number) in enumerate(zip(puzzle.ranks, puzzle.stated_values, strict=True)):
                state[at["ranks"] + card * len(RANKS) + RANK_NUMBER[rank] - 1] = 1
                state[at["values"] + card] = number / NUMBER_SCALE
        return state

    def _put(self, token: int) -> None:
        """Add a token to the formula, and to the observation."""
        builder, state, at = self.builder, self._state, self.starts
        state[at["tokens"] + len(builder.tokens) * builder.done + token] = 1
        builder.push(token)
        if token < builder.cards:
            state[at["used"] + token] = 1
        state[at["filled"]] = len(builder.tokens) / builder.max_tokens
        state[at["depth"]] = builder.depth / builder.max_tokens
        state[at["operand_next"]] = builder.operand_next

    def _hand_in(self, token: int) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """The verifier's judgement of the formula, with the token if it is another than "done"."""
        formula = self.builder.handed_in(token, self.puzzle.values)
        form = self.game.question.wording.answer_format
        _, reward, over, cut, info = self.env.step(write_answer(self.puzzle, formula, answer_format=form))
        self._over = over or cut
        self._begin(info)
        return self._observation(), float(reward), over, cut, self._info(formula, True)

    def _begin(self, info: dict[str, Any]) -> None:
        """Begin a formula; the environment's info says how far the episode is."""
        state, at = self._state, self.starts
        self.builder.clear()
        self._mask = self.builder.mask()
        self._said = kept_info(info, self.config.info)
        state[at["used"] : at["rule"]] = 0  # the parts that tell of the formula lie between these two
        state[at["operand_next"]] = 1
        state[at["attempts_left"]] = info["attempts_left"] / self.game.attempts
        state[at["failure"] :] = [failure == info["failure"] for failure in self.failures]

    def expert_actions(self) -> list[int]:
        """The tokens of the shortest solution under the scored rule, then done: what to play from an empty formula."""
        formula = expert_expression(self.puzzle).minimal()
        return [*self.builder.tokens_of(formula, self.puzzle.values), self.builder.done]

    def render(self) -> Any:
        """Render as the environment beneath; in words with the formula so far."""
        if self.render_mode is None or (self.game.vision and self.render_mode == "rgb_array"):
            return self.env.render()
        turns = [*self.game.turns, ("formula so far", self.builder.text(self.puzzle.values))]
        return draw_turns(turns) if self.render_mode == "rgb_array" else write_turns(turns)

    def _observation(self) -> Any:
        return masked(self._seen(), self._mask, self.config.mask)

    def _seen(self) -> Any:
        parts: dict[str, NDArray[Any]] = {"image": self._image.copy()} if self.game.vision else {}
        if self.config.observation == "array":
            return {**parts, "state": self._state.copy()} if parts else self._state.copy()
        for name, shape in self.layout.items():
            start = self.starts[name]
            parts[name] = self._state[start : start + prod(shape)].reshape(shape).copy()
        return parts

    def _info(self, formula: str, judged: bool) -> dict[str, Any]:
        written = {"formula": formula} if self.config.info == "text" else {}
        return {**self._said, **written, "judged": judged, "action_mask": self._mask.copy()}


def check_options(options: Mapping[str, Any] | None) -> None:
    """Raise ValueError for an option of a reset that would change what observations do not tell."""
    if options and "target" in options:
        given = f"reset options target={shown(options['target'])}"
        raise ValueError(f"{given}: tokens are observed without the target, so it stays as in gym.make")


def _layout(cards: int, max_tokens: int, failures: int, vision: bool) -> dict[str, tuple[int, ...]]:
    """The observation's parts and their shapes. What tells of the formula stands between "used" and "rule"."""
    hand = {} if vision else {"ranks": (cards, len(RANKS)), "values": (cards,)}
    formula = {
        "used": (cards,),
        "tokens": (max_tokens, cards + len(SYMBOLS)),
        "filled": (1,),
        "depth": (1,),
        "operand_next": (1,),
    }
    return {**hand, **formula, "rule": (len(FACES),), "attempts_left": (1,), "failure": (failures,)}


@entry_point_of(GeneralPointsTokens)
def make(render_mode: str | None = None, **settings: Any) -> GeneralPointsTokens:
    """Make ``GeneralPointsTokens`` over GeneralPoints in words: the entry point of verienv/GeneralPoints-Tokens-v0.

    Args:
        render_mode: None, "ansi", or "rgb_array": the same text in a picture.
        settings: the fields of ``GeneralPointsConfig`` and of ``TokensConfig``.

    Raises:
        ValueError: one line that names the setting that is unknown or wrong, and what is accepted.
    """
    return make_numeric(GeneralPointsTokens, TokensConfig, GeneralPointsEnv, GeneralPointsConfig, render_mode, settings)


@entry_point_of(GeneralPointsTokens)
def make_vision(render_mode: str | None = None, **settings: Any) -> GeneralPointsTokens:
    """Make it over GeneralPoints with pictures, with the fields of ``GeneralPointsVisionConfig``; also "rgb_array"."""
    from verienv.generalpoints.vision_config import GeneralPointsVisionConfig
    from verienv.generalpoints.vision_env import GeneralPointsVisionEnv

    return make_numeric(
        GeneralPointsTokens, TokensConfig, GeneralPointsVisionEnv, GeneralPointsVisionConfig, render_mode, settings
    )
