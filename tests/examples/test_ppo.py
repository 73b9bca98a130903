"""PPO's arithmetic against plain references, and its episodes against the environment."""

import gymnasium as gym
import pytest
import torch
from tests.examples.conftest import learning, playing

import ppo
from ppo import Arguments, Critic
from sampling import roll_out
from verienv.policies.hugging_face.batch import Batch, Rollout, read
from verienv.policies.hugging_face.tokens import Tokens

ENV = "verienv/GeneralPoints-L-v0"


def two_episodes():
    """Prompt of 2 tokens, 2 responses of 2 and 1 with feedback of 2 between; and a prompt of 3 with 1 response of 2."""
    one, two = Rollout(Tokens([5, 6])), Rollout(Tokens([5, 6, 7]))
    one.respond([8, 9], [-0.1, -0.2], -1.0, "wrong_value")
    one.ids += [3, 4]
    one.respond([9], [-0.3], 5.0, "")
    two.respond([8, 8], [-0.4, -0.5], -3.0, "illegal")
    return one, two


def batch_of(episodes, policy):
    return Batch.of(episodes, policy)


def reference_advantages(episode, values, discount, trace, token_trace):
    """By the definition, over the sampled tokens of one episode: sums of discounted temporal differences."""
    places = [place for place, acted in enumerate(episode.acted) if acted]
    found = {}
    for index, place in enumerate(places):
        total, weight = 0.0, 1.0
        for later, at in enumerate(places[index:], start=index):
            end = episode.ends[at]
            gamma, decay = (discount, trace) if end else (1.0, token_trace)
            following = values[places[later + 1] - 1] if later + 1 < len(places) else 0.0
            total += weight * (episode.rewards[at] + gamma * following - values[at - 1])
            weight *= gamma * decay
        found[place] = total
    return found


def test_advantages_agree_with_the_definition(policy):
    episodes = two_episodes()
    batch = batch_of(episodes, policy)
    values = torch.randn(batch.acted.shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    advantages, returns = ppo.critic_advantages(batch, batch.rewards.double(), values, 0.9, 0.95, 0.8)
    for row, episode in enumerate(episodes):
        expected = reference_advantages(episode, values[row].tolist(), 0.9, 0.95, 0.8)
        for place, value in expected.items():
            assert advantages[row, place - 1].item() == pytest.approx(value, abs=1e-9)
            assert returns[row, place - 1].item() == pytest.approx(value + values[row, place - 1].item(), abs=1e-9)
    assert advantages[batch.acted == 0].abs().max() == 0


def test_one_episodes_rewards_do_not_reach_anothers_advantages(policy):
    one, two = two_episodes()
    values = torch.zeros(batch_of([one, two], policy).acted.shape)
    batch = batch_of([one, two], policy)
    before = ppo.critic_advantages(batch, batch.rewards, values, 0.9, 0.95, 1.0)[0]
    two.rewards[-1] = 100.0
    batch = batch_of([one, two], policy)
    after = ppo.critic_advantages(batch, batch.rewards, values, 0.9, 0.95, 1.0)[0]
    assert torch.equal(before[0], after[0])
    assert not torch.equal(before[1], after[1])


def test_values_of_padding_and_of_tokens_that_were_given_reach_no_advantage(policy):
    episodes = two_episodes()
    batch = batch_of(episodes, policy)
    values = torch.randn(batch.acted.shape, generator=torch.Generator().manual_seed(0))
    before = ppo.critic_advantages(batch, batch.rewards, values, 0.9, 0.95, 0.8)[0]
    elsewhere = torch.where(batch.acted > 0, values, 1e6)
    assert torch.equal(before, ppo.critic_advantages(batch, batch.rewards, elsewhere, 0.9, 0.95, 0.8)[0])
    last = len(episodes[1].ids) - 2  # the column of the shorter episode's last token: nothing follows it
    assert before[1, last] == batch.rewards[1, last] - values[1, last]


def test_the_clipped_loss_and_its_gradient_agree_with_a_plain_loop():
    generator = torch.Generator().manual_seed(1)
    new = torch.randn(3, 4, generator=generator, dtype=torch.float64).mul(0.3).requires_grad_()
    old, advantages = (torch.randn(3, 4, generator=generator, dtype=torch.float64) * scale for scale in (0.3, 2.0))
    acted = torch.tensor([[1, 1, 0, 0], [1, 1, 1, 1], [0, 1, 0, 1]]).double()
    loss, held = (total / acted.sum() for total in ppo.clipped_loss(new, old, advantages, acted, 0.2))
    loss.backward()
    total, outside, gradient = 0.0, 0, torch.zeros(3, 4, dtype=torch.float64)
    count = acted.sum().item()
    for i in range(3):
        for j in range(4):
            if not acted[i, j]:
                continue
            ratio = float(torch.exp(new[i, j].detach() - old[i, j]))
            a = float(advantages[i, j])
            clipped = min(max(ratio, 0.8), 1.2)
            total -= min(ratio * a, clipped * a) / count
            outside += abs(ratio - 1) > 0.2
            if ratio * a <= clipped * a:
                gradient[i, j] = -ratio * a / count
    assert loss.item() == pytest.approx(total, abs=1e-12)
    assert held.item() == pytest.approx(outside / count)
    torch.testing.assert_close(new.grad, gradient)


def test_episodes_carry_the_environments_rewards_and_the_samplers_log_probabilities(policy):
    arguments = Arguments(probes=0, attempts=3)
    envs = [gym.make(ENV, attempts=3) for _ in range(6)]
    torch.manual_seed(0)
    episodes = roll_out(playing(policy), envs, range(6), arguments)
    for episode in episodes:
        assert len(episode.ids) == len(episode.acted) == len(episode.rewards)
        assert sum(episode.ends) == len(episode.failures) <= 3
        assert (sum(episode.rewards) > 0) == (episode.failures[-1] == "") or len(episode.failures) > 1
    batch = batch_of(episodes, policy)
    with torch.inference_mode():
        again = read(policy, policy.model, batch, arguments.temperature).logprobs
    acted = batch.acted > 0
    torch.testing.assert_close(again[acted], batch.logprobs[acted], atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("episode", ["route", "waypoint"])
def test_an_episode_of_several_dialogues_is_refused_and_one_of_a_waypoint_is_played(policy, monkeypatch, episode):
    env = gym.make("verienv/VIRL-L-v0", city="grid-7", turns=1, attempts=1, episode=episode, rewards="binary")
    env.reset(seed=0)
    right = env.unwrapped.expert_response()
    monkeypatch.setattr(type(policy), "text", lambda *_: right)
    arguments = Arguments(attempts=1, batch=1, max_new_tokens=2)
    if episode == "route":
        with pytest.raises(ValueError, match=r"a further question in a dialogue of its own.*set episode=waypoint"):
            roll_out(playing(policy), [env], [0], arguments)
    else:
        (rollout,) = roll_out(playing(policy), [env], [0], arguments)
        assert (rollout.failures, sum(rollout.rewards)) == ([""], 1.0)


def test_cutting_a_batch_to_fewer_episodes_keeps_their_log_probabilities(policy):
    batch = batch_of(two_episodes(), policy)
    with torch.inference_mode():
        whole = read(policy, policy.model, batch).logprobs
        few = batch.rows(torch.tensor([1]))
        part = read(policy, policy.model, few).logprobs
    acted = few.acted > 0
    torch.testing.assert_close(part[acted], whole[1:, : part.shape[1]][acted], atol=1e-5, rtol=1e-5)


def updated(policy, micro_batch):
    """The weights after one update of 6 episodes, and what was logged."""
    torch.manual_seed(0)
    arguments = Arguments(probes=0, attempts=2, minibatch=6, micro_batch=micro_batch, epochs=1)
    learner = learning(arguments, rate=0.01)
    critic = Critic(learner.policy.model.config.hidden_size, arguments.critic_learning_rate)
    episodes = roll_out(learner, [gym.make(ENV, attempts=2) for _ in range(6)], range(6), arguments)
    logged = ppo.ppo_update(learner, critic, Batch.of(episodes, learner.policy), arguments, rate=0.01)
    return torch.cat([weights.detach().flatten() for weights in learner.policy.model.parameters()]), logged


def test_an_update_is_the_same_however_few_episodes_fit_in_memory(policy):
    before = torch.cat([weights.detach().flatten() for weights in policy.model.parameters()])
    (whole, logged), (by_two, _) = updated(policy, 6), updated(policy, 2)
    assert (whole - before).norm() > 1e-4
    assert (whole - by_two).norm() < 1e-3 * (whole - before).norm()
    assert logged["clip_fraction"] < 1e-3  # the first step is on policy
    assert abs(logged["kl"]) < 1e-3  # and the policy is still its start


def test_parts_hold_each_episode_once_and_those_of_like_length_together(policy):
    batch = batch_of([*two_episodes(), *two_episodes()], policy)
    parts = [part.tolist() for part, _ in batch.parts(2)]
    assert sorted(map(sorted, parts)) == [[0, 2], [1, 3]]


def test_the_critic_learns_returns_from_hidden_states():
    torch.manual_seed(0)
    hidden = torch.randn(512, 19)
    returns = hidden[:, 0] - 2 * hidden[:, 1]
    critic = Critic(16, 1e-2)
    before = critic.fit(hidden, returns, passes=100)
    assert before == pytest.approx(returns.square().mean().item(), rel=0.2)
    assert (critic(hidden) - returns).square().mean() < 0.05 * returns.var()


def test_the_critic_sees_nothing_of_what_comes_after(policy):
    one, _ = two_episodes()
    batch, changed = batch_of([one], policy), batch_of([one], policy)
    changed.ids[0, 4:] = 11
    with torch.inference_mode():
        known, other = (read(policy, policy.model, some).before(some.acted) for some in (batch, changed))
    torch.testing.assert_close(known[:2], other[:2])  # tokens 2 and 3 are sampled, then 6
    assert not torch.allclose(known[2], other[2])


def test_the_critic_does_not_move_the_policy():
    arguments = Arguments(probes=0, minibatch=1)
    learner = learning(arguments, rate=1e-9)
    before = [weight.detach().clone() for weight in learner.policy.model.parameters()]
    critic = Critic(learner.policy.model.config.hidden_size, 1e-2)
    one = roll_out(learner, [gym.make(ENV, attempts=2)], [0], arguments)
    ppo.ppo_update(learner, critic, Batch.of(one, learner.policy), arguments, rate=0.0)
    assert critic.head[-1].weight.abs().sum() > 0
    assert all(map(torch.equal, before, learner.policy.model.parameters()))
