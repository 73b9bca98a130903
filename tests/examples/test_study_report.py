"""The report of a study and its figures, from studies made of chance."""

import json
import re
from math import gamma, pi, sqrt
from statistics import mean, stdev

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image
from tests.examples.made_studies import GAUGES, HEADINGS, RATES, RECOGNITION, made

from study_comparisons import all_changes, ends_of, secondary, through
from study_figures import draw_runs, percents
from study_judgement import holm
from study_report import answer, comparisons, stopped, write_report
from study_tables import conditions, fitted, published, success_tables

FEW = {"starts": 4, "rates": (1e-4, 1e-3), "seeds": 2, "updates": (20, 60), "items": 120}
PUBLISHED = [
    {"cell": cell, "arm": arm, "start": 40.0, "end": end}
    for cell, arm, end in (("id", "sft", 62.0), ("id", "grpo", 33.0), ("ood", "sft", 3.4), ("ood", "grpo", 15.0))
]


def few(**given):
    return made(**(FEW | given))


def sentences(study):
    """The five sentences of the answer."""
    told = answer(study, ends_of(study), all_changes(study), "")[3].split("\n")
    assert len(told) == 5
    return told


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """A study, its report, and the folder of both."""
    out = tmp_path_factory.mktemp("report")
    study = few(
        keeps=0.1, published=PUBLISHED, source="arXiv 0000.00000", cells=tuple(HEADINGS), gauges=GAUGES | RECOGNITION
    )
    (out / "study.json").write_text(json.dumps(study))
    return study, write_report(json.loads((out / "study.json").read_text()), out), out


def table(text, corner):
    """The rows of a table by its first two columns' names, or by its first: the one that begins with a word."""
    lines = text[text.index(f"| {corner}") :].split("\n\n")[0].splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return rows[0], {row[0]: row[1:] for row in rows[2:]}


def bits(study, run, cell, point):
    digits = run["points"][point]["cells"][cell]["successes"]
    text = bin(int("1" + digits, 16))[3:]
    return [int(bit) for bit in text[: study["study"]["episodes"]]]


def students_point(degrees):
    """The 97.5% point of Student's t, by Simpson's rule over its density."""
    scale = gamma((degrees + 1) / 2) / gamma(degrees / 2) / sqrt(degrees * pi)

    def inside(t, parts=2000):
        density = [scale * (1 + (t * k / parts) ** 2 / degrees) ** (-(degrees + 1) / 2) for k in range(parts + 1)]
        return 2 * t / parts / 3 * (density[0] + density[-1] + 4 * sum(density[1:-1:2]) + 2 * sum(density[2:-1:2]))

    low, high = 0.0, 100.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if inside(middle) < 0.95 else (low, middle)
    return low


def with_interval(study, cell, rows):
    """The mean over starts and its 95% interval, of one row of items a start: starts and items are both by chance."""
    clusters = study["items"][cell]["clusters"]
    number, starts = len(set(clusters)), len(rows)
    means = [mean(row) for row in rows]
    sums = []
    for row, middle in zip(rows, means, strict=True):
        each = dict.fromkeys(clusters, 0.0)
        for cluster, value in zip(clusters, row, strict=True):
            each[cluster] += (value - middle) / len(row)
        sums.append(each)
    pairs = [(one, other) for i, one in enumerate(sums) for j, other in enumerate(sums) if i != j]
    shared = mean(sum(one[c] * other[c] for c in one) for one, other in pairs) * number / (number - 1)
    own, shared = stdev(means) ** 2 / starts, max(shared, 0.0)
    reach = students_point(starts - 1) * sqrt(own + shared)
    return mean(means), mean(means) - reach, mean(means) + reach


def test_the_main_table_is_what_the_outcomes_of_the_items_say(told):
    study, text, _ = told
    head, rows = table(text[text.index("## Success at the end") :], " ")
    assert head[1:] == [HEADINGS["id"], f"change, {HEADINGS['id']}", HEADINGS["ood"], f"change, {HEADINGS['ood']}"]
    labels = {arm: study["study"]["arms"][arm]["label"] for arm in ("sft", "grpo")}
    for arm, rate, name in (
        ("sft", 1e-4, "1e-4"),
        ("sft", 1e-3, "1e-3"),
        ("grpo", 1e-4, "1e-4"),
        ("grpo", 1e-3, "1e-3"),
    ):
        expected = []
        for cell in ("id", "ood"):
            ends, changes = [], []
            for start in study["study"]["starts"]:
                own = [run for run in study["runs"] if (run["arm"], run["rate"], run["start"]) == (arm, rate, start)]
                last = np.mean([bits(study, run, cell, -1) for run in own], axis=0)
                ends.append(last.tolist())
                changes.append((last - bits(study, own[0], cell, 0)).tolist())
            end, change = (with_interval(study, cell, each) for each in (ends, changes))
            expected.append("{:.1f} ({:.1f} to {:.1f})".format(*(100 * max(min(x, 1.0), 0.0) for x in end)))
            expected.append("{:+.1f} ({:+.1f} to {:+.1f})".format(*(round(100 * x, 1) + 0.0 for x in change)))
        assert rows[f"{labels[arm]}, {name}"] == expected


def test_other_tables_hold_the_means_over_starts(told):
    study, text, _ = told
    runs = [run for run in study["runs"] if (run["arm"], run["rate"]) == ("sft", 1e-3)]

    def over_runs(of):
        return 100 * mean(of(run) for run in runs)

    _, valid = table(text, "validity")
    metric = [
        over_runs(lambda run, place=place: run["points"][place]["cells"]["ood"]["metrics"]["formula_valid"])
        for place in (0, -1)
    ]
    assert valid["SFT, 1e-3"][1] == "{:.1f} to {:.1f}".format(*metric)
    assert "| SFT, 1e-3       | 0.60 / 0.30 | 0.06 / 0.03 | 0.54 / 0.27 |" in text
    _, failed = table(text[text.index("## Failures under") :], " ")
    wrong = over_runs(lambda run: run["points"][-1]["cells"]["ood"]["failures"]["wrong_number"] / FEW["items"])
    assert failed["SFT, 1e-3"][0] == f"{wrong:.1f}"


def test_differences_at_the_end_are_those_of_the_runs(told):
    study, text, _ = told
    _, rows = table(text[text.index("## Comparisons") :], " ")
    ends = {
        arm: [mean(bits(study, run, "ood", -1)) for run in study["runs"] if (run["arm"], run["rate"]) == (arm, 1e-4)]
        for arm in ("sft", "grpo")
    }
    difference = f"{100 * (mean(ends['grpo']) - mean(ends['sft'])):+.1f} ("
    assert rows["RL (GRPO) less SFT, rate 1e-4, at the end"][0].startswith(difference)


def test_p_of_the_secondary_comparisons_is_corrected_for_their_number():
    study = few(spread=0.03)
    found = secondary(study)
    corrected = holm({one.name: one.found.p for one in found})
    _, rows = table("\n\n".join(comparisons(study)), " ")
    assert len(found) == 4
    for one in found:
        p = corrected[one.name]
        assert rows[one.name][1] == ("<0.001" if p < 0.001 else f"{p:.3f}")
    assert any(rows[one.name][1] != f"{one.found.p:.3f}" for one in found)


@pytest.mark.parametrize(
    ("keeps", "said"),
    [(0.4, "RL (GRPO) generalises better than SFT under"), (-0.4, "RL (GRPO) generalises worse than SFT under")],
)
def test_an_effect_is_told_with_its_direction_and_numbers(keeps, said):
    first = sentences(few(keeps=keeps, items=400))[0]
    assert first.startswith(f"In this setting {said} J, Q, K = 11, 12, 13: at equal gain, RL (GRPO) less SFT is ")
    numbers = [float(one) for one in re.findall(r"[+-]\d+\.\d", first)]
    assert len(numbers) == 3
    assert min(numbers) > 0 if keeps > 0 else max(numbers) < 0
    assert first.endswith("from 4 starts, 2 seeds.")


def test_no_difference_is_said_only_where_the_interval_lies_within_the_smallest_effect():
    study = few(starts=8, spread=0.002, items=400)
    assert "there is no difference of 5 points between RL (GRPO) and SFT" in sentences(study)[0]
    study["study"]["smallest_effect"] = 0.001
    assert "it is not resolved whether RL (GRPO) or SFT generalises better" in sentences(study)[0]


def test_an_unresolved_contrast_tells_how_many_starts_would_resolve_it():
    first = sentences(few(spread=0.2, seeds=1, starts=3))[0]
    assert "it is not resolved whether RL (GRPO) or SFT generalises better" in first
    assert re.search(r"about \d+ starts give 80% power at 5 points\.$", first)


def test_a_study_of_retention_never_says_that_anything_generalises(tmp_path):
    text = write_report(few(measures="retention", keeps=0.4), tmp_path)
    assert "RL (GRPO) retains more than SFT" in text
    assert "generalis" not in text
    assert "memoris" not in text
    assert all("retention" in line for line in text.splitlines() if line.startswith("#"))


def test_memorising_is_a_gain_where_it_is_trained_and_a_loss_where_it_is_not():
    study = few(forgets=0.5, spread=0.005, items=400)
    assert "RL (GRPO) memorises at 2 of 2 rates and generalises at 0; SFT memorises at 2 of 2" in sentences(study)[3]
    for run in study["runs"]:
        for point in run["points"]:
            point["cells"]["id"] = run["points"][0]["cells"]["id"]
    assert "RL (GRPO) memorises at 0 of 2 rates" in sentences(study)[3]
    risen = few(forgets=-0.4, spread=0.005, items=400)
    assert "SFT memorises at 0 of 2 rates and generalises at 2" in sentences(risen)[3]


def test_figures_are_written_for_screen_and_print_under_the_name_of_the_study(told, tmp_path):
    _, text, out = told
    for name in ("figure", "published", "recognition"):
        assert f"({name}.png)" in text
        assert (out / f"{name}.pdf").read_bytes().startswith(b"%PDF")
        with Image.open(out / f"{name}.png") as image:
            assert image.info["dpi"] == pytest.approx((150, 150), abs=0.1)
    write_report(few(starts=2, seeds=1), tmp_path, "study-temperature0.json")
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "figure-temperature0.pdf", "figure-temperature0.png", "report-temperature0.md",
    ]  # fmt: skip
    assert "(figure-temperature0.png)" in (tmp_path / "report-temperature0.md").read_text()


def test_report_and_figures_are_the_same_when_drawn_again(told, tmp_path):
    study, text, out = told
    assert write_report(study, tmp_path) == text
    for path in out.glob("*.p*"):
        assert (tmp_path / path.name).read_bytes() == path.read_bytes()


def test_axes_hold_every_run_and_leave_little_room_beside_them():
    study = few(seeds=1, items=2000, spread=0.05)
    axis = Figure().subplots()
    draw_runs(axis, study, ["sft", "grpo"], ends_of(study))
    for cell, (low, high) in (("id", axis.get_xlim()), ("ood", axis.get_ylim())):
        met = np.concatenate([percents(run, cell) for run in study["runs"]])
        assert low <= met.min() < met.max() <= high
        assert np.ptp(met) > 0.7 * (high - low)


def test_one_line_a_run_is_drawn_and_one_for_each_mean():
    study = few()
    axis = Figure().subplots()
    draw_runs(axis, study, ["sft", "grpo"], ends_of(study))
    by_width = [
        line.get_linewidth() for line in axis.lines if line.get_linestyle() != "None" and len(line.get_xdata()) > 2
    ]
    assert sum(width < 1 for width in by_width) == len(study["runs"])
    assert sum(width > 1 for width in by_width) == 4


def test_a_run_that_goes_on_from_another_arm_is_drawn_through_its_checkpoint():
    study = few(arms=("sft", "grpo"))
    study["study"]["arms"]["grpo"].update(after="sft", at=20)
    own = next(run for run in study["runs"] if run["arm"] == "grpo")
    before = next(run for run in study["runs"] if run["arm"] == "sft" and run["rate"] == own["rate"])
    drawn = next(run for run in through(study)["runs"] if run["arm"] == "grpo")
    assert drawn["points"] == [own["points"][0], before["points"][1], *own["points"][1:]]


def test_numbers_of_a_publication_stand_beside_ours_with_a_verdict(told):
    _, text, _ = told
    section = text[text.index("## Beside the publication") :].split("\n## ")[0]
    assert "arXiv 0000.00000" in section
    assert re.search(
        r"\*\*RL \(GRPO\) less SFT under J, Q, K = 11, 12, 13: shown in this setting\*\*, \+11\.6 points", section
    )
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in section.splitlines() if line.startswith("| J")]
    verdicts = {tuple(row[:2]): row[-1] for row in rows}
    assert verdicts[HEADINGS["id"], "SFT, 1e-3"] == "shown"
    assert verdicts[HEADINGS["id"], "RL (GRPO), 1e-3"] == "contrary"
    assert verdicts[HEADINGS["ood"], "SFT, 1e-3"] == "shown"
    assert verdicts[HEADINGS["ood"], "RL (GRPO), 1e-4"] in ("shown", "not shown", "contrary")


def test_a_publication_of_another_metric_is_compared_by_its_means_over_starts():
    text = "\n".join(published(few(headline="formula_valid", published=PUBLISHED[2:], forgets=0.6), ""))
    row = next(line for line in text.splitlines() if line.startswith("| J, Q, K = 11, 12, 13 |       SFT, 1e-3"))
    assert row.rstrip(" |").endswith("shown")


def test_a_run_that_stopped_at_a_number_not_finite_is_told():
    study = few()
    run = study["runs"][0]
    run["stopped"], run["points"] = "a number was not finite", run["points"][:2]
    assert "- SFT, 1e-4, start-0, seed 0: a number was not finite after update 20, its end here." in stopped(study)


def without_gain():
    """A study whose first arm never gains, so that the arms share no range of gain."""
    study = few()
    for run in study["runs"]:
        for point in run["points"] if run["arm"] == "grpo" else ():
            point["cells"]["matching"] = run["points"][0]["cells"]["matching"]
    return study


def without_measures():
    study = few()
    for run in study["runs"]:
        for point in run["points"]:
            point["kl"] = {}
            for cell in point["cells"].values():
                cell["metrics"] = {"success": cell["metrics"]["success"], "numbers_correct": None}
                cell["failures"] = {}
    return study


SMALL = {
    "one run": made(starts=1, seeds=1, rates=(1e-3,), updates=(2,), items=8, arms=("sft",), contrast=None),
    "one start": few(starts=1, seeds=1),
    "no contrast": few(contrast=None),
    "one cell": few(cells=("ood",)),
    "no cell to match by": few(cells=("id", "ood")),
    "nothing held out": few(cells=("matching", "id")),
    "three arms": few(arms=("sft", "grpo", "dft")),
    "no overlap": without_gain(),
    "nothing else measured": without_measures(),
}


@pytest.mark.parametrize("study", SMALL.values(), ids=SMALL)
def test_a_small_study_has_an_honest_report(tmp_path, study):
    text = write_report(study, tmp_path)
    told = text.split("\n\n")[3].split("\n")
    assert len(told) == 5
    assert all(sentence.endswith(".") for sentence in told)
    assert text.count("In this setting") == 1
    assert "nan" not in text


def test_what_cannot_be_compared_is_not_resolved_and_says_why():
    first, second, *_ = sentences(SMALL["no overlap"])
    assert (
        "it is not resolved whether RL (GRPO) or SFT generalises better: at equal gain they cannot be compared" in first
    )
    assert second.startswith("The reason is that start-0, seed 0")
    assert sentences(SMALL["no cell to match by"])[1] == "The reason is that there is no cell 'matching'."
    assert "the study names no contrast" in sentences(SMALL["no contrast"])[0]
    assert "memorises" not in sentences(SMALL["nothing held out"])[3]


def test_of_one_start_nothing_is_said_of_others():
    study = SMALL["one start"]
    text = "\n".join(success_tables(study, ends_of(study), all_changes(study)))
    assert (
        "One start: in brackets 95% intervals over other items of it, clustered; of other starts they say nothing."
        in text
    )
    assert "of this start alone" in sentences(SMALL["one start"])[0]


def test_pairs_without_overlap_are_left_out_and_counted():
    study = few()
    for point in study["runs"][0]["points"]:
        point["cells"]["matching"] = study["runs"][0]["points"][0]["cells"]["matching"]
    assert "1 of 16 pairs of runs share none and are left out." in sentences(study)[1]
    assert "Left out of RL (GRPO) less SFT: start-0, seed 0 at rate 1e-4: " in "\n".join(comparisons(study))


def test_rates_that_differ_between_arms_are_compared_in_their_order():
    study = few()
    for run in study["runs"]:
        run["rate"] /= 10 if run["arm"] == "grpo" else 1
    names = [one.name for one in secondary(study)]
    assert "RL (GRPO) less SFT, rate 1e-5 and 1e-4, at the end" not in names  # 1e-4 is a rate of both
    assert "RL (GRPO) less SFT, rate 1e-4, at the end" in names
    for run in study["runs"]:
        run["rate"] *= 3 if run["arm"] == "grpo" else 1
    assert "RL (GRPO) less SFT, rate 3e-5 and 1e-4, at the end" in [one.name for one in secondary(study)]


def test_names_may_hold_any_sign(tmp_path):
    study = few(starts=2, seeds=1, title="$x^{$ | <b>", arms=("sft", "grpo"))
    study["study"]["arms"]["sft"]["label"] = "S|F$_{T"
    study["study"]["cells"]["ood"]["heading"] = "rule | $\\frac{$"
    text = write_report(study, tmp_path)
    assert "| S\\|F$_{T, 1e-4" in text


@pytest.mark.parametrize(
    "rubbish", [{}, [], {"study": {}}, {"study": 3, "runs": [], "items": {}}, {"runs": [1], "study": {}}]
)
def test_rubbish_is_an_error_that_the_study_tells(tmp_path, rubbish):
    with pytest.raises((KeyError, TypeError, AttributeError, IndexError, ValueError)):
        write_report(rubbish, tmp_path)


def test_a_study_with_no_run_done_has_nothing_to_tell(tmp_path):
    with pytest.raises(ValueError, match="holds no run that is done"):
        write_report({**few(), "runs": []}, tmp_path)


def test_rates_are_written_in_short():
    study = made(starts=1, seeds=1, rates=(2.5e-5, *RATES))
    assert "rates 2.5e-5, 1e-4, 3e-4, 1e-3, 3e-3;" in "\n".join(conditions(study, "study.json"))


def test_what_is_fitted_is_told_by_field():
    text = "\n".join(fitted(few()))
    assert "nats an answer" in text
    assert "2.00 to 1.25" in text
    assert "0.50 to 0.25" in text
    without = few()
    assert not list(fitted({**without, "runs": [dict(run, loss_of_start={}) for run in without["runs"]]}))


def test_a_headline_that_is_not_success_is_told_beside_the_comparisons():
    told = "They are of success, as outcomes item by item are kept of that alone"
    assert told in "\n".join(comparisons(few(headline="formula_valid")))
    assert told not in "\n".join(comparisons(few()))
