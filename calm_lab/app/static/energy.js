// Energy score: two clouds on a plane, dragged by hand; terms, score and arrows follow at once.
// The formulas are those of calm_lab/toolkit/energy.py and calm_lab/lab/energy_plane.py; a browser test holds them together.

const LIMIT = 3, MAX_SPREAD = 1.5, CURVE = 76, FAR = 40;
const root = element.querySelector(".cl-energy");
let state = null;
let arrows = "sum"; // or "parts"

// Lanczos; the argument lies in [1, 2]
const gamma = (x) => {
  const g = [0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
    12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7];
  const t = x + 6.5;
  return Math.sqrt(2 * Math.PI) * t ** (x - 0.5) * Math.exp(-t) * g.reduce((sum, c, i) => sum + (i ? c / (x - 1 + i) : c), 0);
};

// E|x|^alpha for a Gaussian on the plane whose mean lies `distance` from 0
const meanPower = (distance, variance, alpha) => {
  if (variance === 0) return distance ** alpha;
  const z = distance ** 2 / (2 * variance), half = alpha / 2;
  if (z <= FAR) {
    let term = Math.exp(-z), total = term;
    for (let k = 0; k < 160; k += 1) total += term *= (z * (1 + half + k)) / (k + 1) ** 2;
    return (2 * variance) ** half * gamma(1 + half) * total;
  }
  let step = 1, far = 1;
  for (let k = 0; k < 8; k += 1) far += step *= (k - half) ** 2 / ((k + 1) * z);
  return distance ** alpha * far;
};
const expected = (distance, spread, targetSpread, alpha) =>
  meanPower(0, 2 * spread ** 2, alpha) - 2 * meanPower(distance, spread ** 2 + targetSpread ** 2, alpha);

const points = (noise, centre, spread, count) => noise.slice(0, count).map(([x, y]) => [centre[0] + spread * x, centre[1] + spread * y]);

// The mean of |x_i - other|^alpha over `pairs`, and at every sample N times its gradient, each times `weight`.
const term = (samples, others, alpha, weight, pairs) => {
  let sum = 0;
  const pull = samples.map(([x, y]) => {
    let gx = 0, gy = 0;
    for (const [u, v] of others) {
      const dx = x - u, dy = y - v, squared = dx * dx + dy * dy;
      if (squared === 0) continue;
      const power = squared ** (alpha / 2);
      sum += power;
      gx += (alpha * power * dx) / squared;
      gy += (alpha * power * dy) / squared;
    }
    const size = (weight * samples.length) / pairs;
    return [size * gx, size * gy];
  });
  return { mean: sum / pairs, pull };
};

// The noise travels as text, which gradio copies at once where it copies nested lists number by number.
let parsed = {}; // of the noise last seen
const noiseOf = ({ samples, targets }) => {
  if (parsed.text !== samples) parsed = { text: samples, samples: JSON.parse(samples), targets: JSON.parse(targets) };
  return parsed;
};

const measure = () => {
  const { alpha, n, m, cloud, target, spread, target_spread: wide } = state, noise = noiseOf(state.noise);
  const samples = points(noise.samples, cloud, spread, n), targets = points(noise.targets, target, wide, m);
  const apart = term(samples, samples, alpha, 2, n * (n - 1)); // each sample stands in both places of a pair
  const closer = term(samples, targets, alpha, -2, n * m);
  const distance = Math.hypot(cloud[0] - target[0], cloud[1] - target[1]);
  return {
    samples, targets, distance, diversity: apart.mean, fidelity: closer.mean, score: apart.mean - 2 * closer.mean,
    apart: apart.pull, closer: closer.pull,
    expected: expected(distance, spread, wide, alpha), best: expected(0, wide, wide, alpha),
  };
};

const fields = {};
const slider = (key, low, high, step, format = (v) => String(v)) => {
  const id = `cl-energy-${key}`;
  const input = make("input", { type: "range", id, min: low, max: high, step });
  const title = make("label", { for: id }), output = make("output", { for: id });
  input.addEventListener("input", () => { state[key] = Number(input.value); redraw(); });
  input.addEventListener("change", settle);
  fields[key] = () => {
    title.textContent = say(`energy_${key}`);
    input.value = String(state[key]);
    output.textContent = format(state[key]);
    input.style.setProperty("--range_progress", `${(100 * (state[key] - low)) / (high - low)}%`);
  };
  return make("div", { class: "cl-field" }, make("div", { class: "cl-ends" }, title, output), input);
};

// What python receives with the next event; no event is sent for it.
const settle = () => { props.value = { ...state }; };

// ------------------------------------------------------------------------------------------------------------- plane

const plane = svg("svg", { class: "cl-plane", role: "group" });
const under = svg("g"), over = svg("g", { class: "cl-over" });
const handles = {};
let size = 480;
const px = (x) => ((x + LIMIT) / (2 * LIMIT)) * size;
const py = (y) => ((LIMIT - y) / (2 * LIMIT)) * size;
const inside = (value) => Math.round(100 * Math.min(LIMIT, Math.max(-LIMIT, value))) / 100;

const move = (key, x, y) => {
  state[key] = [inside(x), inside(y)];
  redraw();
};

const handle = (key) => {
  const halo = svg("circle", { class: "cl-halo" });
  const node = svg("g", { class: `cl-handle cl-handle-${key}`, tabindex: "0", role: "button", "data-handle": key },
    halo, svg("circle", { class: "cl-knob", r: 9 }), svg("path", { d: "M-4 0H4M0-4V4" }));
  node.addEventListener("pointerdown", (down) => {
    if (down.button) return;
    down.preventDefault();
    node.focus({ preventScroll: true });
    const [x, y] = state[key], unit = size / (2 * LIMIT);
    const drag = (event) => move(key, x + (event.clientX - down.clientX) / unit, y - (event.clientY - down.clientY) / unit);
    const end = () => {
      removeEventListener("pointermove", drag);
      removeEventListener("pointerup", end);
      removeEventListener("pointercancel", end);
      settle();
    };
    addEventListener("pointermove", drag);
    addEventListener("pointerup", end);
    addEventListener("pointercancel", end);
  });
  node.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    if (!by) return;
    event.preventDefault();
    const step = event.shiftKey ? 0.5 : 0.1;
    move(key, state[key][0] + step * by[0], state[key][1] + step * by[1]);
    settle();
  });
  handles[key] = (spread) => {
    node.setAttribute("transform", `translate(${px(state[key][0])} ${py(state[key][1])})`);
    halo.setAttribute("r", Math.max(22, (2 * spread * size) / (2 * LIMIT)));
    node.setAttribute("aria-label", say(`energy_handle_${key}`, { x: number(state[key][0], 1), y: number(state[key][1], 1) }));
  };
  return node;
};
plane.append(under, handle("target"), handle("cloud"), over);

const arrow = ([x, y], [dx, dy], unit, cls) => {
  const length = Math.hypot(dx, dy) * unit * (size / (2 * LIMIT));
  if (length < 2.5) return null;
  const head = Math.min(6, length / 2);
  const angle = (Math.atan2(-dy, dx) * 180) / Math.PI;
  return svg("path", { class: `cl-arrow ${cls}`, transform: `translate(${px(x).toFixed(1)} ${py(y).toFixed(1)}) rotate(${angle.toFixed(1)})`,
    d: `M0 0H${length.toFixed(1)}M${(length - head).toFixed(1)} ${-head / 2}L${length.toFixed(1)} 0L${(length - head).toFixed(1)} ${head / 2}` });
};

const drawPlane = (seen) => {
  size = Math.max(240, Math.min(520, plane.parentElement.clientWidth || 480));
  plane.setAttribute("width", size);
  plane.setAttribute("height", size);
  plane.setAttribute("viewBox", `0 0 ${size} ${size}`);
  plane.setAttribute("aria-label", say("energy_plane"));
  under.replaceChildren(
    svg("rect", { class: "cl-ground", width: size, height: size, rx: 10 }),
    ...[-2, -1, 0, 1, 2].flatMap((at) => [
      svg("line", { class: "cl-grid", x1: px(at), x2: px(at), y1: 0, y2: size }),
      svg("line", { class: "cl-grid", x1: 0, x2: size, y1: py(at), y2: py(at) })]),
    ...seen.targets.map(([x, y]) => svg("circle", { class: "cl-target-point", cx: px(x), cy: py(y), r: 4 })));
  handles.target(state.target_spread);
  handles.cloud(state.spread);
  const sum = seen.apart.map(([x, y], i) => [x + seen.closer[i][0], y + seen.closer[i][1]]);
  const shown = arrows === "sum" ? [sum] : [seen.apart, seen.closer];
  const longest = Math.max(1e-9, ...shown.flat().map(([x, y]) => Math.hypot(x, y)));
  const unit = Math.min(0.4, 1 / longest);
  const kinds = arrows === "sum" ? ["cl-arrow-sum"] : ["cl-arrow-apart", "cl-arrow-closer"];
  over.replaceChildren(
    ...shown.flatMap((all, kind) => all.map((pull, i) => arrow(seen.samples[i], pull, unit, kinds[kind]))).filter(Boolean),
    ...seen.samples.map(([x, y]) => svg("circle", { class: "cl-sample-point", cx: px(x), cy: py(y), r: 4 })));
};

// ------------------------------------------------------------------------------------------------------ numbers, curve

const stat = (name, value, note) =>
  make("div", { class: "cl-stat" }, make("dt", {}, name), make("dd", {}, value), make("dd", { class: "cl-note" }, note));
const figure = (value) => number(value, 3).replace("-", "−");
const stats = make("dl", { class: "cl-stats" });
const drawStats = (seen) => stats.replaceChildren(
  stat(say("energy_diversity"), figure(seen.diversity), say("energy_diversity_note")),
  stat(say("energy_fidelity"), figure(seen.fidelity), say("energy_fidelity_note")),
  stat(say("energy_score"), figure(seen.score), say("energy_score_note", { mean: figure(seen.expected), best: figure(seen.best) })));

const curve = (seen) => Array.from({ length: CURVE }, (_, i) => {
  const spread = (MAX_SPREAD * i) / (CURVE - 1);
  return [spread, expected(seen.distance, spread, state.target_spread, state.alpha)];
});
const curveFrame = make("div", { class: "cl-curve" });
const drawCurve = (seen) => {
  const line_ = curve(seen);
  const all = [...line_.map(([, y]) => y), seen.score];
  const middle = (Math.max(...all) + Math.min(...all)) / 2, half = Math.max(0.3, 0.55 * (Math.max(...all) - Math.min(...all)));
  const y = { low: middle - half, high: middle + half, name: say("energy_curve"), format: (v) => short(v) };
  y.ticks = roundTicks(y.low, y.high, 4);
  const x = { low: 0, high: MAX_SPREAD, ticks: [0, 0.5, 1, 1.5], name: say("energy_curve_x") };
  const axes = chart(Math.max(260, curveFrame.clientWidth || 480), 250, x, y, say("energy_curve_label"));
  axes.add(
    svg("line", { class: "cl-here cl-true", x1: axes.px(state.target_spread), x2: axes.px(state.target_spread), y1: axes.top, y2: axes.bottom }),
    line(axes, line_, "cl-theory"),
    measured(axes, state.spread, seen.score, 0, "", `${say("energy_score")} ${figure(seen.score)}`, 5));
  curveFrame.replaceChildren(axes.node, make("div", { class: "cl-keys" },
    keySign("cl-stroke", say("energy_key_expected")), keySign("cl-dot", say("energy_key_now")), keySign("cl-upright", say("energy_key_true"))));
};

// ------------------------------------------------------------------------------------------------------------ the whole

const python = () => {
  const { alpha, n, m, cloud, spread, target, target_spread: wide, seed } = state;
  return `from calm_lab.lab.clouds import Cloud, clouds_figure
from calm_lab.lab.energy_plane import Plane, read_plane

plane = Plane(
    alpha=${alpha}, num_samples=${n}, num_targets=${m}, seed=${seed},
    cloud=(${cloud.join(", ")}), spread=${spread}, target=(${target.join(", ")}), target_spread=${wide},
)
reading = read_plane(plane)
print(f"diversity {reading.diversity:.3f} - 2 x fidelity {reading.fidelity:.3f} = score {reading.score:.3f}")
arrows = 0.3 * (reading.apart + reading.closer)
clouds_figure([Cloud(f"alpha = {plane.alpha}", reading.samples, reading.targets, arrows)], limit=3)
`;
};
const rows = () => {
  const seen = measure();
  const { alpha, n, m, seed } = state;
  const shared = { alpha, n, m, seed, diversity: seen.diversity, fidelity: seen.fidelity, score: seen.score, expected: seen.expected, best: seen.best };
  return [
    ...seen.samples.map(([x, y], i) => ({ kind: "sample", x, y, apart_x: seen.apart[i][0], apart_y: seen.apart[i][1],
      closer_x: seen.closer[i][0], closer_y: seen.closer[i][1], ...shared })),
    ...seen.targets.map(([x, y]) => ({ kind: "target", x, y, ...shared })),
    ...curve(seen).map(([x, y]) => ({ kind: "expected score at this spread", x, y, ...shared }))];
};

const legend = make("div", { class: "cl-keys" });
const choice = make("div", { class: "cl-switch", role: "group" });
const exported = make("div");
const controls = make("div", { class: "cl-controls" },
  slider("alpha", 0.1, 2, 0.05, (v) => `α = ${v}`),
  make("div", { class: "cl-pair" }, slider("n", 2, 64, 1), slider("m", 1, 128, 1)),
  make("div", { class: "cl-pair" }, slider("spread", 0, MAX_SPREAD, 0.05), slider("target_spread", 0, MAX_SPREAD, 0.05)),
  choice, curveFrame);

const drawWords = () => {
  legend.replaceChildren(keySign("cl-dot", say("energy_key_sample")), keySign("cl-ring", say("energy_key_target")),
    ...(arrows === "sum" ? [keySign("cl-arrow-key cl-key-sum", say("energy_key_sum"))]
      : [keySign("cl-arrow-key cl-key-apart", say("energy_key_apart")), keySign("cl-arrow-key cl-key-closer", say("energy_key_closer"))]));
  choice.setAttribute("aria-label", say("energy_arrows"));
  choice.replaceChildren(make("span", {}, say("energy_arrows")), ...["sum", "parts"].map((kind) => {
    const button = make("button", { type: "button", class: "cl-small", "aria-pressed": String(kind === arrows) }, say(`energy_arrows_${kind}`));
    button.addEventListener("click", () => { arrows = kind; drawWords(); redraw(); choice.querySelector("[aria-pressed=true]").focus(); });
    return button;
  }));
  exported.replaceChildren(exportBar(python, rows, "energy-plane.csv"));
};

const redraw = () => {
  if (!state) return;
  Object.values(fields).forEach((fill) => fill());
  const seen = measure();
  drawPlane(seen);
  drawStats(seen);
  drawCurve(seen);
};

const draw = (again) => {
  if (!props.value || !props.value.noise) return;
  const first = !state;
  state = { ...props.value };
  if (first) {
    root.replaceChildren(
      make("div", { class: "cl-panel cl-energy-panel" }, make("div", { class: "cl-plane-side" }, plane, legend), controls), stats, exported);
    followWidth(root, redraw);
  }
  if (first || again) drawWords();
  redraw();
};

keepDrawn(draw);
