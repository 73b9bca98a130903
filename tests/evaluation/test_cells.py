from tests.evaluation.policies import ENV, nonsense

from verienv.evaluation import evaluate
from verienv.evaluation.cells import episode_seed


def test_fewer_episodes_are_the_first_of_more():
    few, more = evaluate("expert", ENV, ["test"], episodes=4), evaluate("expert", ENV, ["test"], episodes=9)
    assert few.episodes == more.episodes[:4]


def test_neighbouring_seeds_share_no_episode():
    seeds = [episode_seed(seed, episode) for seed in range(20) for episode in range(20)]
    assert len(set(seeds)) == 400


def test_cells_named_by_splits_are_the_splits():
    result = evaluate("expert", ENV, ["rule_ood"], episodes=10)
    assert all(set(episode.instance.split(":")[1].split("-")) & set("JQK") for episode in result.episodes)


def test_settings_reach_every_cell_and_a_cells_own_come_first():
    cells = {"short": {"attempts": 1}, "long": {}}
    result = evaluate(nonsense, ENV, cells, episodes=3, attempts=2)
    assert {cell: result.cells[cell].metrics["attempts"].mean for cell in cells} == {"short": 1.0, "long": 2.0}


def test_listed_instances_are_dealt_in_their_order_once_each():
    ids = ["generalpoints:A-4-J-Q:24", "generalpoints:4-3-2-K:24"]
    result = evaluate(nonsense, ENV, {"pairs": {"instances": ids, "side": "all"}}, episodes=50)
    assert [episode.instance for episode in result.episodes] == ids


def test_a_cell_may_have_a_number_of_episodes_of_its_own():
    cells = {"few": {"split": "train"}, "many": {"split": "train", "episodes": 7}}
    result = evaluate(nonsense, ENV, cells, episodes=3)
    assert {name: cell.episodes for name, cell in result.cells.items()} == {"few": 3, "many": 7}
    dealt = {name: [one.instance for one in result.episodes if one.cell == name] for name in cells}
    assert dealt["many"][:3] == dealt["few"]
    assert result.setup.cells["many"]["episodes"] == 7
