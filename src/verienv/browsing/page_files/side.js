// Two evaluations side by side: what changed on the problems that both played.

const CHANGES = {gained: "gained: solved by the second alone", lost: "lost: solved by the first alone", both: "solved by both", neither: "solved by neither"};
let pairsFrom = 0;

function prepareSide() {
  const [form, changes] = [found("sides"), found("changes")];
  for (const select of [form.before, form.after]) options(select, all.sources.map((_, number) => [number, sourceName(number)]));
  if (all.sources.length > 1) form.after.value = 1;
  options(changes.change, [["", "all"], ...Object.entries(CHANGES)]);
  options(changes.cell, [["", "all"], ...all.cells.map((cell) => [cell, cellName(cell)])]);
  const changed = () => { pairsFrom = 0; rememberSide(); };
  for (const each of [form, changes]) {
    each.addEventListener("change", changed);
    each.addEventListener("submit", (event) => event.preventDefault());
  }
  found("swap").addEventListener("click", () => {
    [form.before.value, form.after.value] = [form.after.value, form.before.value];
    changed();
  });
}

function rememberSide() {
  const {before, after} = found("sides");
  const {change, cell} = found("changes");
  go("side", {before: before.value, after: after.value, change: change.value, cell: cell.value, from: pairsFrom || ""});
}

async function showSide(query) {
  const [{before, after}, {change, cell}] = [found("sides"), found("changes")];
  if (query.before !== undefined) before.value = query.before;
  if (query.after !== undefined) after.value = query.after;
  [change.value, cell.value] = [query.change ?? "", query.cell ?? ""];
  pairsFrom = Number(query.from ?? 0) || 0;
  const place = found("compared");
  found("changes").hidden = true;
  found("pair-count").textContent = "";
  found("pairs").tBodies[0].replaceChildren();
  found("pair-pager").replaceChildren();
  found("sides").hidden = all.sources.length < 2;
  if (all.sources.length < 2) return place.replaceChildren(nothing("Open two evaluations to compare them: verienv view one.jsonl other.jsonl"));
  try {
    const two = {before: before.value, after: after.value};
    const told = await ask("comparison", two);
    if (!told.cells.length) return place.replaceChildren(nothing("These two share no problem: evaluate both with the same cells, seed and episodes."));
    drawComparison(told, two);
    const {total, pairs} = await ask("pairs", {...two, change: change.value, cell: cell.value, from: pairsFrom, count: COUNT});
    found("changes").hidden = false;
    found("pair-count").textContent = plural(total, "pair") + (told.left_out ? ` in this file, of ${whole(told.left_out + total)}` : "");
    drawPairs(pairs);
    pager(found("pair-pager"), pairsFrom, COUNT, total, (from) => { pairsFrom = from; rememberSide(); });
  } catch (error) {
    place.replaceChildren(problem(error.message));
  }
}

function drawComparison(told, two) {
  const heads = ["cell", "pairs (clusters)", "gained", "lost", "both", "neither", "difference of success, points"];
  const count = (line, change) => make("td", {class: "number", "data-name": change}, make("span", {class: "links"},
    make("button", {type: "button", "aria-label": `${change} in ${line.cell}: ${line[change]}`, onclick: (event) => {
      event.stopPropagation();
      go("side", {...two, change, cell: line.cell});
    }}, whole(line[change]))));
  const rows = told.cells.map((line) => make("tr", {},
    make("th", {scope: "row", class: "wide"}, cellName(line.cell)),
    make("td", {class: "number", "data-name": "pairs"}, `${whole(line.pairs)} (${whole(line.clusters)})`),
    ...["gained", "lost", "both", "neither"].map((change) => count(line, change)),
    make("td", {class: "wide"}, share(line.difference, true))));
  const [alone, others] = told.alone;
  const notes = [
    alone || others ? `Without a partner: ${plural(alone, "episode")} of the first, ${whole(others)} of the second. They count here in nothing.` : "",
    told.differences.length ? `The two were asked under different conditions: ${told.differences.join("; ")}.` : "",
  ].filter(Boolean);
  found("compared").replaceChildren(...notes.map((words) => make("p", {class: "problem"}, words)),
    make("p", {class: "count"}, "After minus before, with 95% intervals over clusters; episodes of one cell, number and problem are a pair."),
    make("div", {class: "scroll"}, make("table", {class: "rows"},
      make("thead", {}, make("tr", {}, ...heads.map((head, at) => make("th", {scope: "col", class: at && at < 6 ? "number" : ""}, head)))), make("tbody", {}, ...rows))));
}

function drawPairs(pairs) {
  const table = found("pairs");
  table.tHead.replaceChildren(make("tr", {}, ...["cell", "episode", "problem", "before", "after", "change"].map((head, at) =>
    make("th", {scope: "col", class: at === 1 ? "number" : ""}, head))));
  const end = (row) => make("td", {}, badge(row.state), ` ${spoken(row.failure)}`);
  table.tBodies[0].replaceChildren(...pairs.map((one, place) => openable(make("tr", {},
    make("td", {}, one.before.cell), make("td", {class: "number", "data-name": "episode"}, one.before.episode),
    make("td", {class: "wide"}, make("code", {}, one.before.problem)), end(one.before), end(one.after), make("td", {}, badge(one.change))),
  () => openPairs(pairs, place))));
}
