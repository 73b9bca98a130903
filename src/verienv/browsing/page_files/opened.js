// An episode opened, or two side by side: attempts as they were logged, and the replay, a page in a frame of its own.

let opened = {count: 0, at: 0, rows: () => []};

function openEpisodes(rows, place) {
  open({count: rows.length, at: place, rows: (at) => [rows[at]]});
}

function openPairs(pairs, place) {
  open({count: pairs.length, at: place, rows: (at) => [pairs[at].before, pairs[at].after]});
}

function open(what) {
  opened = what;
  drawOpened();
  if (!found("opened").open) found("opened").showModal();
}

function step(by) {
  const at = opened.at + by;
  if (at < 0 || at >= opened.count) return;
  opened.at = at;
  drawOpened();
}

function drawOpened() {
  const rows = opened.rows(opened.at);
  found("opened-title").textContent = rows[0].problem;
  found("earlier").disabled = opened.at === 0;
  found("later").disabled = opened.at === opened.count - 1;
  found("opened-sides").replaceChildren(...rows.map(side));
}

function side(row) {
  const inside = make("div", {class: "lines"});
  const whole = make("article", {class: "side"},
    make("h3", {}, sourceName(row.source)),
    make("ul", {class: "chips"}, make("li", {}, badge(row.state)), make("li", {}, `${row.cell}, episode ${row.episode}`),
      make("li", {}, `reward ${Number(row.reward.toFixed(4))}`), row.failure ? make("li", {}, spoken(row.failure)) : null,
      row.misread !== "not measured" && row.misread !== row.failure ? make("li", {}, row.misread === "read" ? "read right" : "misread") : null),
    inside);
  ask("episode", {row: row.row}).then(({lines, notes}) => {
    const play = make("button", {type: "button", class: "replay", onclick: () => replay(row, inside)}, "Replay");
    inside.replaceChildren(...notes.map(problem), ...(lines.length ? [make("div", {class: "links"}, play, elsewhere(row))] : []),
      ...lines.map(attempt));
  }, (error) => inside.replaceChildren(problem(error.message)));
  return whole;
}

const problem = (words) => make("p", {class: "problem"}, words);

function elsewhere(row) {
  return make("button", {type: "button", onclick: () => {
    found("opened").close();
    go("episodes", {problem: row.problem});
  }}, "This problem everywhere");
}

function attempt(line) {
  const metrics = Object.entries(line.metrics).map(([name, value]) =>
    make("li", {}, `${spoken(name)} `, make("b", {}, value === true ? "yes" : value === false ? "no" : value)));
  return make("section", {class: "attempt", "aria-label": `Attempt ${line.attempt}`},
    make("p", {}, make("b", {}, `Attempt ${line.attempt} `), badge(line.correct ? "right" : "wrong", line.correct ? "correct" : "wrong"),
      ` ${line.reward > 0 ? "+" : ""}${line.reward} `, line.failure ? spoken(line.failure) : ""),
    make("pre", {dir: "auto", tabindex: 0, class: line.response ? "" : "empty"}, line.response || "(nothing)"),
    line.left_out ? make("p", {class: "note"}, `${whole(line.left_out)} more characters are in the replay.`) : null,
    make("p", {}, line.feedback),
    line.reason ? make("p", {class: "reason"}, line.reason) : null,
    metrics.length ? make("ul", {class: "chips"}, ...metrics) : null);
}

async function replay(row, place) {
  place.replaceChildren(make("p", {class: "note", role: "status"}, "Dealing the episode anew ..."));
  const back = make("div", {class: "links"}, make("button", {type: "button", onclick: () => drawOpened()}, "Responses"));
  try {
    const {html, notes} = await ask("replay", {row: row.row});
    const frame = make("iframe", {sandbox: "allow-scripts", title: "Replay of the episode"});
    frame.srcdoc = html; // a page of its own with its own policy, of no origin: it reaches nothing of this one
    place.replaceChildren(back, ...notes.map(problem), frame);
  } catch (error) {
    place.replaceChildren(back, problem(`No replay: ${error.message}`));
  }
}

function prepareOpened() {
  found("close").addEventListener("click", () => found("opened").close());
  found("earlier").addEventListener("click", () => step(-1));
  found("later").addEventListener("click", () => step(1));
  found("opened").addEventListener("close", () => found("opened-sides").replaceChildren());
}
