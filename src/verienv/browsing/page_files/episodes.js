// The table of episodes, with its filters. What is chosen stands in the address, so that "back" works.

const COUNT = 50;
const COLUMNS = [["source", "evaluation"], ["cell", "cell"], ["episode", "episode"], ["problem", "problem"], ["state", "ended"],
  ["attempts", "attempts"], ["failure", "failure"], ["reward", "reward"]];
const NUMBERS = ["episode", "attempts", "reward"];
const chosen = {from: 0, sort: "", down: ""};
let shownRows = [];
let asked = 0;

function prepareEpisodes() {
  const form = found("filters");
  const any = [["", "all"]];
  options(form.source, [...any, ...all.sources.map((_, number) => [number, sourceName(number)])]);
  options(form.cell, [...any, ...all.cells.map((cell) => [cell, cellName(cell)])]);
  options(form.state, [...any, ["solved", "solved"], ["failed", "failed"], ["unfinished", "unfinished"]]);
  options(form.failure, [...any, ...all.failures.map((failure) => [failure, spoken(failure)])]);
  options(form.misread, [...any, ["read", "read right"], ["misread", "misread"]]);
  options(form.attempts, [...any, ...all.attempts.map((number) => [number, number])]);
  form.misread.closest("label").hidden = !all.has_vision;
  form.source.closest("label").hidden = all.sources.length < 2;
  let clock = 0;
  const changed = () => { chosen.from = 0; remember(); };
  form.addEventListener("change", (event) => { if (event.target.tagName === "SELECT") changed(); });
  form.addEventListener("input", (event) => {
    if (event.target.tagName !== "INPUT") return;
    clearTimeout(clock);
    clock = setTimeout(changed, 250);
  });
  form.addEventListener("submit", (event) => { event.preventDefault(); changed(); });
  form.addEventListener("reset", () => { chosen.sort = chosen.down = ""; setTimeout(changed); });
}

// The name of a cell, with the split that it deals from where that is another word.
function cellName(cell) {
  const splits = new Set(all.sources.map((source) => source.splits[cell]).filter(Boolean));
  return splits.size === 1 && !splits.has(cell) ? `${cell} (${[...splits][0]})` : cell;
}

function filters() {
  return Object.fromEntries([...new FormData(found("filters"))].filter(([, value]) => value !== ""));
}

function remember() {
  go("episodes", {...filters(), ...Object.fromEntries(Object.entries(chosen).filter(([, value]) => value))});
}

function showEpisodes(query) {
  const form = found("filters");
  for (const input of form.elements) if (input.name) input.value = query[input.name] ?? "";
  Object.assign(chosen, {from: Number(query.from ?? 0) || 0, sort: query.sort ?? "", down: query.down ?? ""});
  return loadEpisodes();
}

async function loadEpisodes() {
  const number = ++asked;
  try {
    const {total, rows} = await ask("rows", {...filters(), ...chosen, count: COUNT});
    if (number !== asked) return; // a later question has been answered, or will be
    shownRows = rows;
    found("count").textContent = plural(total, "episode");
    drawRows(rows);
    pager(found("pager"), chosen.from, COUNT, total, (from) => { chosen.from = from; remember(); scrollTo(0, 0); });
  } catch (error) {
    if (number === asked) found("count").textContent = error.message;
  }
}

function drawRows(rows) {
  const table = found("rows");
  const columns = COLUMNS.filter(([name]) => name !== "source" || all.sources.length > 1);
  table.tHead.replaceChildren(make("tr", {}, ...columns.map(([name, words]) => {
    const isSorted = chosen.sort === name;
    const sort = () => {
      Object.assign(chosen, isSorted ? {down: chosen.down ? "" : "1"} : {sort: name, down: ""}, {from: 0});
      remember();
    };
    return make("th", {scope: "col", class: NUMBERS.includes(name) ? "number" : "", "aria-sort": isSorted ? (chosen.down ? "descending" : "ascending") : undefined},
      make("button", {type: "button", onclick: sort}, words, isSorted ? (chosen.down ? " \u25bc" : " \u25b2") : ""));
  })));
  table.tBodies[0].replaceChildren(...rows.map((row, place) => openable(
    make("tr", {}, ...columns.map(([name, words]) => cellOf(row, name, words))), () => openEpisodes(rows, place))));
}

function cellOf(row, name, words) {
  if (name === "source") return make("td", {class: "wide"}, sourceName(row.source));
  if (name === "problem") return make("td", {class: "wide"}, make("code", {}, row.problem));
  if (name === "state") return make("td", {}, badge(row.state));
  if (name === "failure") {
    const isMisread = row.misread === "misread" && row.failure !== "misread";
    return make("td", {}, spoken(row.failure), isMisread ? make("span", {class: "note"}, " (misread)") : null);
  }
  if (name === "reward") return make("td", {class: "number", "data-name": words}, Number(row.reward.toFixed(4)));
  return make("td", {class: NUMBERS.includes(name) ? "number" : "", "data-name": NUMBERS.includes(name) ? words : undefined}, row[name]);
}
