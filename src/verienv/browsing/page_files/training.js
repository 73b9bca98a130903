// Training runs as curves, all runs in each chart.

const HUES = [210, 25, 140, 330, 275, 50, 180, 0, 100, 240];
const [WIDTH, HEIGHT, LEFT, BELOW] = [320, 170, 46, 16];
const hidden = new Set();
const loaded = new Map();

const colour = (number) => `hsl(${HUES[number % HUES.length]} 65% ${number < HUES.length ? 50 : 65}%)`;

async function showTraining() {
  const place = found("training");
  if (!all.runs.length) return place.replaceChildren(nothing("There is no training run here: name the folder of one, which holds config.json and log.jsonl."));
  try {
    for (const number of all.runs.keys()) if (!loaded.has(number)) loaded.set(number, await ask("run", {run: number}));
  } catch (error) {
    return place.replaceChildren(problem(error.message));
  }
  drawTraining();
}

function drawTraining() {
  const runs = [...loaded].map(([number, run]) => ({...run, number})).filter((run) => !hidden.has(run.number));
  const names = [...new Set([...loaded.values()].flatMap((run) => Object.keys(run.curves)))];
  const legend = make("ul", {class: "legend"}, ...[...loaded].map(([number, run]) => {
    const box = make("input", {type: "checkbox", onchange: () => { box.checked ? hidden.delete(number) : hidden.add(number); drawTraining(); }});
    box.checked = !hidden.has(number);
    const swatch = make("i");
    swatch.style.background = colour(number);
    const about = all.differing.map((name) => `${name}=${run.arguments[name] ?? ""}`).slice(0, 6).join(", ");
    return make("li", {}, make("label", {}, box, " ", swatch, `${run.name}, ${plural(run.updates, "update")}`, make("span", {class: "note"}, about ? ` ${about}` : "")));
  }));
  const thin = Math.max(1, ...[...loaded.values()].map((run) => run.every));
  found("training").replaceChildren(legend, thin > 1 ? make("p", {class: "note"}, `Of long runs one update in ${thin} is drawn.`) : "",
    make("div", {class: "charts"}, ...names.map((name) => chart(name, runs)).filter(Boolean)));
}

function chart(name, runs) {
  const curves = runs.filter((run) => run.curves[name]?.length).map((run) => [run.number, run.curves[name]]);
  if (!curves.length) return null;
  const points = curves.flatMap(([, curve]) => curve);
  const [x0, x1] = ends(points.map(([x]) => x));
  const [y0, y1] = ends(points.map(([, y]) => y));
  const x = (value) => LEFT + (WIDTH - LEFT - 6) * (value - x0) / (x1 - x0 || 1);
  const y = (value) => HEIGHT - BELOW - (HEIGHT - BELOW - 8) * (value - y0) / (y1 - y0 || 1);
  const label = (words, about) => drawn("text", about, document.createTextNode(words));
  const picture = drawn("svg", {viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": `${name}, from ${short(y0)} to ${short(y1)}, updates ${x0} to ${x1}`},
    drawn("line", {class: "axis", x1: LEFT, x2: WIDTH - 6, y1: y(y0), y2: y(y0)}), drawn("line", {class: "axis", x1: LEFT, x2: LEFT, y1: 8, y2: y(y0)}),
    label(short(y1), {x: LEFT - 4, y: 14, "text-anchor": "end"}), label(short(y0), {x: LEFT - 4, y: HEIGHT - BELOW, "text-anchor": "end"}),
    label(x0, {x: LEFT, y: HEIGHT - 3}), label(x1, {x: WIDTH - 6, y: HEIGHT - 3, "text-anchor": "end"}));
  for (const [number, curve] of curves) {
    const path = drawn("path", {d: curve.map(([at, value], place) => `${place ? "L" : "M"}${x(at).toFixed(1)} ${y(value).toFixed(1)}`).join("")});
    path.style.stroke = colour(number);
    picture.append(path);
    if (curve.length === 1) {
      const dot = drawn("circle", {cx: x(curve[0][0]), cy: y(curve[0][1]), r: 2.5});
      dot.style.fill = colour(number);
      picture.append(dot);
    }
  }
  return make("figure", {class: "chart"}, make("figcaption", {}, spoken(name)), picture);
}

const ends = (numbers) => numbers.reduce(([low, high], each) => [Math.min(low, each), Math.max(high, each)], [Infinity, -Infinity]);
const short = (number) => {
  const size = Math.abs(number);
  return size && (size >= 1e5 || size < 1e-3) ? number.toExponential(1).replace("e+", "e") : String(Number(number.toPrecision(3)));
};
