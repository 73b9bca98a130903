// The answers to the page's questions: the server's, or those that an exported file holds.

const data = JSON.parse(found("data").textContent);
const all = data.overview;

async function ask(what, query = {}) {
  const given = Object.fromEntries(Object.entries(query).filter(([, value]) => value !== "" && value !== undefined && value !== null));
  if (data.held) return held[what](given);
  const reply = await fetch(`/${what}?${new URLSearchParams(given)}`);
  if (!reply.ok) throw new Error(await reply.text());
  return reply.json();
}

const sourceName = (number) => {
  const {policy, name} = all.sources[number];
  const isAlone = all.sources.filter((other) => other.policy === policy).length === 1;
  return policy ? (isAlone ? policy : `${policy} (${name})`) : name;
};

// An exported file: a part of the rows, filtered here as the server does it.
const part = (rows, {from = 0, count = 50}) => rows.slice(Number(from), Number(from) + Number(count));
const among = (text, wanted) => text.toLowerCase().includes(wanted.toLowerCase());

function passes(row, {source, cell, state, failure, misread, attempts, problem, text}) {
  return (source === undefined || row.source === Number(source)) && (!cell || row.cell === cell) && (!state || row.state === state)
    && (!failure || row.failure === failure) && (!misread || row.misread === misread)
    && (attempts === undefined || row.attempts === Number(attempts)) && (!problem || among(row.problem, problem))
    && (!text || (data.held.episodes[row.row]?.lines ?? []).some((line) => among(line.response, text)));
}

const held = {
  async rows(query) {
    const rows = data.held.rows.filter((row) => passes(row, query));
    const {sort, down} = query;
    if (sort) {
      const order = (one, other) => (one[sort] > other[sort]) - (one[sort] < other[sort]);
      rows.sort(down === "1" ? (one, other) => order(other, one) : order);
    }
    return {total: rows.length, rows: part(rows, query)};
  },
  async comparison({before, after}) {
    const found = data.held.comparisons[`${before} ${after}`];
    if (!found) throw new Error("This file does not compare these two; verienv view does.");
    return found;
  },
  async pairs(query) {
    const pairs = (await held.comparison(query)).pairs.filter((one) =>
      (!query.change || one.change === query.change) && (!query.cell || one.before.cell === query.cell));
    return {total: pairs.length, pairs: part(pairs, query)};
  },
  async episode({row}) {
    if (!data.held.episodes[row]) throw new Error("This file does not hold the responses of this episode; verienv view shows them.");
    return data.held.episodes[row];
  },
  async replay({row}) {
    if (!data.held.replays[row]) throw new Error("This file does not hold the replay of this episode; verienv view plays it.");
    return data.held.replays[row];
  },
  async run({run}) {
    return data.held.runs[run];
  },
};
