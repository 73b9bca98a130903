"use strict";
// The page of `verienv play --window`. Text goes in as text alone; the server knows what is due, this only shows it.

const found = (id) => document.getElementById(id);
const data = JSON.parse(found("data").textContent);
const KEYS = "1234567890";
let due = null;
let waiting = false;

const spoken = (number) => `${number > 0 ? "+" : ""}${Number(number.toFixed(4))}`;

function only(id) {
  for (const section of document.querySelectorAll("main > section")) section.hidden = section.id !== id;
}

function line(id, words, kind = "") {
  found(id).textContent = words;
  found(id).className = kind;
  found(id).hidden = !words;
}

function picture(address, alt) {
  const image = document.createElement("img");
  image.src = address;
  image.alt = alt;
  return image;
}

async function request(address, body) {
  if (waiting) return null;
  waiting = true;
  try {
    const how = body === undefined ? {} : {method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify(body)};
    const reply = await fetch(address, how);
    if (reply.ok) return await reply.json();
    const told = await reply.text();
    if (reply.status === 409) return {moved: true};
    let words = told;
    try { words = String(JSON.parse(told).detail); } catch { /* a refusal in plain words */ }
    throw new Error(words);
  } catch (error) {
    found("problem").textContent = `Not kept: ${error.message || "the server does not answer"}. Answer again when it does.`;
    return null;
  } finally {
    waiting = false;
  }
}

function drawScores(scores) {
  found("scores").replaceChildren(...Object.entries(scores).map(([name, score]) => {
    const item = document.createElement("li");
    item.textContent = `${name}: ${score.solved} of ${score.played} solved, reward ${spoken(score.reward)}, ${score.of - score.played} to go`;
    return item;
  }));
}

function show(next) {
  due = next;
  drawScores(next.scores);
  found("problem").textContent = "";
  if (!next.is_person) return only("welcome");
  if (next.finished) return only("finished");
  only("question");
  const step = next.step > 1 ? `, step ${next.step}` : "";
  found("where").textContent = `${next.cell}, episode ${next.number + 1}${step}. Attempt ${next.attempt} of ${next.attempts}.`;
  line("news", next.news);
  found("text").textContent = next.text;
  const pictures = next.pictures.map((address, at) => picture(address, `Picture ${at + 1} of the question`));
  if (next.map) pictures.push(picture(next.map, "The map"));
  found("pictures").replaceChildren(...pictures);
  found("choices").replaceChildren(...next.choices.map((choice, at) => {
    const button = document.createElement("button");
    const key = document.createElement("kbd");
    button.type = "button";
    key.textContent = KEYS[at] ?? "";
    button.append(...(KEYS[at] ? [key, " "] : []), choice);
    button.addEventListener("click", () => answer(choice));
    return button;
  }));
  const picks = next.choices.length > 0;
  found("typed").hidden = found("send").hidden = picks;
  found("hint").textContent = picks ? "Press a number or a button." : "Enter answers; Shift and Enter begin a new line.";
  found("words").value = "";
  if (!picks) found("words").focus();
  else document.activeElement?.blur();
  scrollTo(0, 0);
}

async function answer(text) {
  if (!due?.token || found("question").hidden) return;
  const told = await request("/answer", {token: due.token, text});
  if (told === null) return;
  if (told.moved) return load();
  const words = `${told.feedback} Reward ${spoken(told.reward)}.`;
  if (told.over) return finish(told, words);
  const next = await request("/due");
  if (next === null) return;
  show(next);
  line("feedback", words, told.correct ? "right" : "wrong");
}

async function finish(told, words) {
  const next = await request("/due"); // the answer is on disk
  line("outcome", told.solved ? "Solved" : "Not solved", told.solved ? "right" : "wrong");
  line("verdict", words);
  found("solution").replaceChildren(...told.solution.map((each) => {
    const item = document.createElement("li");
    item.textContent = each;
    return item;
  }));
  found("map").replaceChildren(...(told.map ? [picture(told.map, "The map of the route")] : []));
  line("feedback", "");
  only("result");
  if (next) {
    due = next;
    drawScores(next.scores);
  }
  found("next").focus();
}

async function load() {
  const next = await request("/due");
  if (next) show(next);
}

found("env").textContent = data.env;
found("about").textContent = `You play as ${data.player}${data.with_map ? ", with the map" : ""}. Answers go to ${data.log}.`;
found("log").textContent = data.log;
found("begin").addEventListener("click", async () => {
  const next = await request("/begin", {});
  if (next) show(next);
});
found("answer").addEventListener("submit", (event) => {
  event.preventDefault();
  if (found("words").value.trim()) answer(found("words").value);
});
found("words").addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  found("answer").requestSubmit();
});
found("pass").addEventListener("click", () => answer(""));
found("next").addEventListener("click", load);
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.repeat || found("question").hidden || event.target.closest("textarea")) return;
  const at = KEYS.indexOf(event.key);
  if (at >= 0 && due?.choices?.[at] !== undefined) answer(due.choices[at]);
});
load();
