// The whole page: its parts by the address, and the keys.

const SHOWS = {episodes: showEpisodes, success: showSuccess, failures: showFailures, side: showSide, training: showTraining};

// Leads to a part of the page; the address remembers it.
function go(part, query = {}) {
  const given = Object.entries(query).filter(([, value]) => value !== "" && value !== undefined && value !== null);
  const address = `#/${part}${given.length ? `?${new URLSearchParams(given)}` : ""}`;
  if (address === location.hash) return show();
  location.hash = address;
}

function show() {
  const [, name, query = ""] = /^#\/([a-z]*)\??(.*)$/.exec(location.hash) ?? [];
  const part = Object.hasOwn(SHOWS, name) ? name : all.episodes || !all.runs.length ? "episodes" : "training";
  for (const each of Object.keys(SHOWS)) {
    const tab = found(`tab-${each}`);
    found(each).hidden = each !== part;
    tab.setAttribute("aria-selected", String(each === part));
    tab.tabIndex = each === part ? 0 : -1;
  }
  SHOWS[part](Object.fromEntries(new URLSearchParams(query)));
}

function prepare() {
  const counts = [plural(all.episodes, "episode"), plural(all.sources.length, "evaluation"), plural(all.runs.length, "training run")];
  found("about").textContent = `${counts.join(", ")}. ${data.about ?? ""}`;
  const faults = [...(data.left_out ?? []), ...all.faults, ...all.sources.flatMap((source) => source.faults.map((fault) => `${source.name}, ${fault}`)),
    ...all.runs.flatMap((run) => run.faults.map((fault) => `${run.name}, ${fault}`))];
  found("notes").hidden = !faults.length;
  found("notes").replaceChildren(...faults.map((fault) => make("li", {}, fault)));
  const tabs = [...document.querySelectorAll("#tabs [role=tab]")];
  for (const [at, tab] of tabs.entries()) {
    tab.addEventListener("click", () => go(tab.getAttribute("aria-controls")));
    tab.addEventListener("keydown", (event) => {
      const to = {ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: tabs.length - 1}[event.key];
      if (to === undefined) return;
      event.preventDefault();
      const next = tabs[(to + tabs.length) % tabs.length];
      next.focus();
      next.click();
    });
  }
  prepareEpisodes();
  prepareOpened();
  prepareSide();
  document.addEventListener("keydown", press);
  addEventListener("hashchange", show);
  show();
}

function press(event) {
  if (event.ctrlKey || event.altKey || event.metaKey || event.target.closest("input, select, textarea")) return;
  if (found("opened").open) {
    if (event.key === "j") step(1);
    else if (event.key === "k") step(-1);
    return;
  }
  const part = [...document.querySelectorAll("main > section")].find((section) => !section.hidden);
  const rows = [...part.querySelectorAll("table.rows tbody tr[tabindex]")];
  const at = rows.indexOf(document.activeElement);
  if (event.key === "/") {
    event.preventDefault();
    if (part.id !== "episodes") go("episodes");
    found("filters").text.focus();
  } else if (event.key === "j" && rows.length) rows[Math.min(at + 1, rows.length - 1)].focus();
  else if (event.key === "k" && rows.length) rows[Math.max(at - 1, 0)].focus();
  else if (event.key === "[") part.querySelector(".pager .back:enabled")?.click();
  else if (event.key === "]") part.querySelector(".pager .on:enabled")?.click();
}

prepare();
