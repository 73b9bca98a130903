// Success by cell with intervals, and failures grouped; a click leads to the episodes.

function showSuccess() {
  const place = found("success");
  if (!all.success.length) return place.replaceChildren(nothing("There are no episodes."));
  const groups = all.sources.map((source, number) => {
    const lines = all.success.filter((line) => line.source === number);
    if (!lines.length) return null;
    const hasMisread = lines.some((line) => line.misread);
    const heads = ["cell", "episodes (clusters)", "success, %", ...(hasMisread ? ["misread, %"] : []), "solved at once", "mean attempts", "mean reward"];
    const rows = lines.map((line) => openable(make("tr", {},
      make("th", {scope: "row", class: "wide"}, cellName(line.cell)),
      make("td", {class: "number", "data-name": "episodes"}, `${whole(line.episodes)} (${whole(line.clusters)})`,
        line.unfinished ? make("div", {class: "note"}, `and ${whole(line.unfinished)} unfinished`) : null),
      make("td", {class: "wide"}, share(line.success)),
      ...(hasMisread ? [make("td", {class: "wide"}, line.misread ? share(line.misread) : "")] : []),
      make("td", {class: "number", "data-name": "at once"}, whole(line.solved_at_once)),
      make("td", {class: "number", "data-name": "mean attempts"}, line.attempts === null ? "" : line.attempts.toFixed(2)),
      make("td", {class: "number", "data-name": "mean reward"}, line.reward === null ? "" : line.reward.toFixed(2))),
    () => go("episodes", {source: number, cell: line.cell})));
    return make("section", {class: "group"}, make("h2", {}, sourceName(number)), make("p", {class: "note"}, `${source.env}, seed ${source.seed}, ${source.name}`),
      make("div", {class: "scroll"}, make("table", {class: "rows"},
        make("thead", {}, make("tr", {}, ...heads.map((head, at) => make("th", {scope: "col", class: at === 1 || at > heads.length - 4 ? "number" : ""}, head)))),
        make("tbody", {}, ...rows))));
  });
  place.replaceChildren(make("p", {class: "note"}, "Percent of finished episodes, with 95% intervals over clusters."), ...groups.filter(Boolean));
}

function showFailures() {
  const place = found("failures");
  if (!all.failed.length) return place.replaceChildren(nothing("No episode failed."));
  const most = Math.max(...all.failed.map((group) => group.episodes));
  const groups = all.failed.map((group) => make("section", {class: "group"},
    make("h2", {}, badge("failed", group.failure || "no failure named"), ` ${plural(group.episodes, "episode")}`),
    make("div", {class: "scroll"}, make("table", {class: "rows"}, make("tbody", {}, ...group.cells.map((line) => openable(make("tr", {},
      make("td", {class: "wide"}, sourceName(line.source)), make("td", {}, cellName(line.cell)), make("td", {class: "wide"}, bar(line.episodes / most)),
      make("td", {class: "number"}, whole(line.episodes))),
    () => go("episodes", {source: line.source, cell: line.cell, failure: group.failure, state: "failed"}))))))));
  place.replaceChildren(make("p", {class: "note"}, "Failed episodes by the failure of their last attempt."), ...groups);
}

function bar(part) {
  return make("span", {class: "share"}, drawn("svg", {viewBox: "0 0 100 10", preserveAspectRatio: "none", "aria-hidden": "true"},
    drawn("rect", {class: "whole", x: 0, y: 2, width: 100, height: 6}), drawn("rect", {class: "mean", x: 0, y: 2, width: 100 * part, height: 6})));
}

const nothing = (words) => make("p", {class: "nothing"}, words);
