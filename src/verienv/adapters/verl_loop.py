"""verienv in verl 0.9: an agent loop that plays whole episodes, with feedback and pictures in every turn.

Rows of ``verienv.adapters.verl.rows(..., episodes=True)`` name the loop, and ``examples/verl/loop.yaml``, which verl's
``actor_rollout_ref.rollout.agent.agent_loop_config_path`` names, says where it is and how it plays::

    - name: verienv
      _target_: verienv.adapters.verl_loop.episode_loop
      turn_length: 512        # tokens of one answer; null: all that are left
      per_question: false     # true: a sample for each question (each waypoint), as a dialogue of its own
      metrics: true           # false where files of several tasks are mixed: verl wants the same keys in all samples
      trusted: false          # whether settings of rows may open paths of this machine

The reward is the sum over the episode's attempts. A turn begins if its words, its pictures and an answer of
``turn_length`` tokens fit into ``data.max_response_length``, and a sample's first question into
``data.max_prompt_length``; otherwise the episode ends there, paid for the answers given.
"""

from __future__ import annotations

from asyncio import get_running_loop, to_thread
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from typing import Any
from uuid import uuid4

from verienv.adapters.verl import read_ground_truth
from verienv.adapters.verl_talk import Talk, TalkWriter
from verienv.core.episode import Episode
from verienv.core.policy import dialogue

_ALONE = ThreadPoolExecutor(1, "verienv")
"""Deals, draws and judges beside the event loop, on which the worker's other episodes wait for their answers."""


def episode_loop(**given: Any) -> Any:
    """Make the loop of one episode, of what verl gives to every agent loop and the settings in ``loop.yaml``."""
    return _loop_class()(**given)


@cache
def _loop_class() -> type[Any]:
    try:
        from verl.experimental.agent_loop.agent_loop import AgentLoopBase, AgentLoopOutput
        from verl.utils.profiler import simple_timer
        from verl.utils.tokenizer import get_processor_token_id
    except ModuleNotFoundError as error:
        raise ImportError(f'this adapter needs verl: pip install "verl[verl-core]>=0.9" ({error})') from None

    class EpisodeLoop(AgentLoopBase):
        def __init__(
            self,
            *,
            turn_length: int | None = None,
            per_question: bool = False,
            metrics: bool = True,
            trusted: bool = False,
            **given: Any,
        ) -> None:
            super().__init__(**given)
            self.turn_length, self.per_question = turn_length, per_question
            self.has_metrics, self.trusted = metrics, trusted
            pictures = {get_processor_token_id(self.processor, kind) for kind in ("image", "video", "audio")} - {None}
            self.writer = TalkWriter(self.continuous_token_builder, self.tokenizer, self.processor, pictures)

        async def run(self, sampling_params: dict[str, Any], **row: Any) -> Any:
            """Play the episode of a row: one output, or with ``per_question`` a list of them."""
            columns, request = read_ground_truth(row["reward_model"]["ground_truth"]), uuid4().hex
            episode = await _aside(lambda: Episode.of(columns, trusted=self.trusted))
            told, timing = list[tuple[Talk, Any]](), dict[str, float]()  # what is trained on; seconds
            talk: Talk | None = None
            since: Any = None  # the version of the weights that gave the first answer
            while not episode.is_over:
                with simple_timer("tool_calls", timing):
                    asked = await _aside(partial(dialogue, episode))
                opens = talk is None or (self.per_question and not episode.feedback)
                if talk is None or opens:
                    self._assert_mm_supported(episode.question.vision)
                    heard = await to_thread(self.writer.opened, asked)
                else:
                    heard = await to_thread(self.writer.continued, talk, asked[-1])
                if not self._has_room(heard):
                    if talk is None:
                        longest = f"data.max_prompt_length={self.rollout_config.prompt_length}"
                        fault = (
                            f"the question of {columns.get('id')!r} takes {len(heard.ids)} tokens, more than {longest}"
                        )
                        raise ValueError(f"{fault}: set that higher, or data.filter_overlong_prompts=True")
                    break
                with simple_timer("generate_sequences", timing):
                    said = await self._generated(heard, request, sampling_params)
                since = said.extra_fields.get("min_global_steps") if talk is None else since
                said.extra_fields["min_global_steps"] = since
                answered, words = await to_thread(self.writer.answered, heard, said.token_ids, said.log_probs)
                if opens:
                    told.append((answered, said))
                elif answered.mask[-1]:  # an answer without a token leaves the dialogue as it stood
                    told[-1] = (answered, said)
                talk = answered
                with simple_timer("tool_calls", timing):
                    await _aside(partial(episode.answer, words))
            kept = [each for each in told if each[0].mask] or [(told[0][0].closed(self.writer.closing), told[0][1])]
            outputs = [self._output(*each, episode, timing) for each in kept]
            return outputs if self.per_question else outputs[0]

        def _has_room(self, talk: Talk) -> bool:
            prompt, longest = self.rollout_config.prompt_length, self.rollout_config.response_length
            needed = len(talk.mask) + min(self.turn_length or 1, longest)
            return bool(talk.prompt_length <= prompt and needed <= longest)

        async def _generated(self, talk: Talk, request: str, sampling_params: dict[str, Any]) -> Any:
            room = self.rollout_config.response_length - len(talk.mask)
            return await self.server_manager.generate(
                request_id=request,
                prompt_ids=talk.ids,
                sampling_params={**sampling_params, "max_tokens": min(room, self.turn_length or room)},
                image_data=talk.images or None,
                mm_processor_kwargs=self._get_mm_processor_kwargs(),
            )

        def _output(self, talk: Talk, said: Any, episode: Episode, timing: dict[str, float]) -> Any:
            score = episode.score()
            reward = score.pop("reward")
            shown = score if self.has_metrics else {name: score[name] for name in ("success", "attempts", "failure")}
            return AgentLoopOutput(
                prompt_ids=talk.ids[: talk.prompt_length],
                response_ids=talk.ids[talk.prompt_length :],
                response_mask=list(talk.mask),
                response_logprobs=list(talk.logprobs) if said.log_probs else None,
                routed_experts=said.routed_experts,
                multi_modal_data={"images": talk.images} if talk.images else {},
                mm_processor_kwargs=self._get_mm_processor_kwargs(),
                reward_score=reward,
                num_turns=sum(message["role"] != "system" for message in talk.messages),
                metrics=timing,
                extra_fields={
                    **said.extra_fields,
                    "reward_extra_info": {"acc": score["success"], "cut": float(not episode.is_over), **shown},
                    "turn_scores": [verdict.reward for verdict in episode.verdicts],
                    "tool_rewards": [],
                },
            )

    return EpisodeLoop


async def _aside(work: Callable[[], Any]) -> Any:
    return await get_running_loop().run_in_executor(_ALONE, work)
