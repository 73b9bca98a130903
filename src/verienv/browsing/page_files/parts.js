// Elements of the page. Text goes in as text: nothing here, or anywhere in these scripts, parses HTML.

const found = (id) => document.getElementById(id);

function make(tag, about = {}, ...inside) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(about)) {
    if (name === "class") element.className = value;
    else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== undefined && value !== null && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...inside.filter((each) => each !== null && each !== undefined).map((each) => each instanceof Node ? each : String(each)));
  return element;
}

function drawn(tag, about = {}, ...inside) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(about)) element.setAttribute(name, value);
  element.append(...inside);
  return element;
}

const spoken = (name) => name.replaceAll("_", " ");
const whole = (number) => number.toLocaleString("en");
const percent = (share) => `${(100 * share).toFixed(1).replace("100.0", "100")}`;
const signed = (share) => `${share > 0 ? "+" : ""}${(100 * share).toFixed(1)}`;
const plural = (number, noun) => `${whole(number)} ${noun}${number === 1 ? "" : "s"}`;

function badge(kind, words = kind) {
  return make("span", {class: `badge ${kind}`}, spoken(words));
}

// A share and its interval, drawn and in numbers; of a difference the scale goes from -100 to 100.
function share(estimate, isDifference = false) {
  if (!estimate || estimate[0] === null) return make("span", {class: "share"}, "?");
  const [mean, low, high] = estimate;
  const at = (value) => isDifference ? 50 + 50 * value : 100 * value;
  const picture = drawn("svg", {viewBox: "0 0 100 10", preserveAspectRatio: "none", "aria-hidden": "true"},
    drawn("rect", {class: "whole", x: 0, y: 3, width: 100, height: 4}));
  if (isDifference) picture.append(drawn("line", {class: "middle", x1: 50, x2: 50, y1: 0, y2: 10}));
  if (low !== null) picture.append(drawn("rect", {class: "range", x: at(low), y: 2, width: Math.max(at(high) - at(low), .5), height: 6}));
  picture.append(drawn("rect", {class: "mean", x: Math.min(Math.max(at(mean) - .75, 0), 98.5), y: 0, width: 1.5, height: 10}));
  const write = isDifference ? signed : percent;
  const range = low === null ? "(?)" : `(${write(low)} to ${write(high)})`;
  return make("span", {class: "share"}, picture, make("span", {}, make("b", {}, write(mean)), ` ${range}`));
}

function options(select, given, chosen = "") {
  select.replaceChildren(...given.map(([value, words]) => make("option", {value}, words)));
  select.value = given.some(([value]) => String(value) === String(chosen)) ? chosen : given.length ? given[0][0] : "";
}

function pager(place, first, count, total, go) {
  place.replaceChildren();
  if (total <= count) return;
  const last = Math.min(first + count, total);
  place.append(
    make("button", {type: "button", class: "back", disabled: first === 0, onclick: () => go(Math.max(first - count, 0))}, "Before"),
    make("span", {}, `${whole(first + 1)} to ${whole(last)} of ${whole(total)}`),
    make("button", {type: "button", class: "on", disabled: last >= total, onclick: () => go(first + count)}, "Next"),
  );
}

// Rows of a table that a click or Enter opens, and j and k walk through.
function openable(row, open) {
  row.tabIndex = 0;
  row.addEventListener("click", open);
  row.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.target !== row) return;
    event.preventDefault();
    open();
  });
  return row;
}
