// Temperature: the exact sampler's price and acceptance against T, and the batch sampler's bias against N.

const root = element.querySelector(".cl-prices");
const LOW = 0.1;
let drawn = null;
const fraction = (t) => (t === 1 ? "1" : `1/${Math.round(1 / t)}`);
const heat = () => ({ low: LOW, high: 1, log: true, ticks: [1 / 10, 1 / 5, 1 / 3, 1 / 2, 1], format: fraction, name: say("prices_temperature") });
const thin = (ticks, most = 6) => ticks.filter((_, i) => (ticks.length - 1 - i) % Math.ceil(ticks.length / most) === 0);
const decimals = (value) => (value === null ? "∞" : value >= 1000 ? Math.round(value).toLocaleString("en") : Number(value.toPrecision(3)).toString());
const power = (value) => (value >= 1 && value <= 1000 ? String(value) : `10${[...String(Math.round(Math.log10(value)))].map((c) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[c] ?? "⁻").join("")}`);

const here = (axes, at) => svg("line", { class: "cl-here", x1: axes.px(at), x2: axes.px(at), y1: axes.top, y2: axes.bottom });
const ring = (axes, at, value) => svg("circle", { class: "cl-goal-ring", cx: axes.px(at), cy: axes.py(value), r: 5 });
const words = (point, extra) => ({ value: decimals(point.value), error: decimals(2 * point.error), theory: decimals(point.theory), ...extra });

// Theory is [T, calls, Z_T, stage 1]; null is too large for a number.
const calls = (value, width) => {
  const known = [...value.between.flat(), ...value.whole].map((point) => point[1]).filter((v) => v !== null);
  const high = Math.min(1e9, Math.max(...known));
  const axes = chart(width, 250, heat(), { low: 0.8, high: 1.3 * high, log: true, ticks: thin(powerTicks(1, 1.3 * high)), format: power, name: say("prices_calls_axis") }, say("prices_calls"));
  axes.add(here(axes, value.temperature));
  const shown = (v) => v !== null && v <= 1.3 * high;
  for (const part of value.between) axes.add(line(axes, part.filter((point) => shown(point[1])).map((point) => [point[0], point[1]]), "cl-theory"));
  for (const point of value.whole) if (shown(point[1])) axes.add(ring(axes, point[0], point[1]));
  for (const run of value.measured) if (run.samples)
    axes.add(measured(axes, run.temperature, run.calls.value, run.calls.error, "", say("prices_point", words(run.calls, { t: decimals(run.temperature) }))));
  return axes.node;
};

const rates = (value, width) => {
  const all = [...value.between.flat(), ...value.whole].map((point) => point[2]).filter((v) => v > 1e-9);
  const low = Math.max(1e-9, Math.min(0.1, ...all));
  const axes = chart(width, 250, heat(), { low: 0.8 * low, high: 1.25, log: true, ticks: thin(powerTicks(0.8 * low, 1)), format: power, name: say("prices_rate_axis") }, say("prices_rate"));
  axes.add(here(axes, value.temperature));
  for (const part of value.between) {
    const inside = part.filter((point) => point[2] >= 0.8 * low);
    axes.add(line(axes, inside.map((point) => [point[0], point[3]]), "cl-stage1"), line(axes, inside.map((point) => [point[0], point[2]]), "cl-theory"));
  }
  for (const run of value.measured) if (run.samples) {
    const at = { t: decimals(run.temperature) };
    if (run.has_stage2) axes.add(measured(axes, run.temperature, run.stage1.value, run.stage1.error, "cl-hollow", `${say("prices_key_stage1")}, ${say("prices_point", words(run.stage1, at))}`));
    axes.add(measured(axes, run.temperature, run.accepted.value, run.accepted.error, "", `${say("prices_key_accepted")}, ${say("prices_point", words(run.accepted, at))}`));
  }
  return axes.node;
};

const bias = (value, width) => {
  const points = value.shortfall;
  const high = 1.1 * Math.max(...points.map((point) => Math.max(point.shortfall.theory, point.shortfall.value + 2 * point.shortfall.error)));
  const low = Math.min(0, ...points.map((point) => point.shortfall.value - 2 * point.shortfall.error));
  const pools = points.map((point) => point.pool);
  const y = { low, high, ticks: roundTicks(low, high, 4), name: say("prices_bias_axis") };
  const axes = chart(width, 250, { low: 1.7, high: 1.2 * pools.at(-1), log: true, ticks: [2, 4, 8, 16, 32, 64, 128, 256], name: say("prices_pool") }, y, say("prices_bias", { n: value.n }));
  axes.add(svg("line", { class: "cl-base", x1: axes.px(1.7), x2: axes.px(1.2 * pools.at(-1)), y1: axes.py(0), y2: axes.py(0) }),
    value.pool >= 2 ? here(axes, value.pool) : null, line(axes, points.map((point) => [point.pool, point.shortfall.theory]), "cl-theory"));
  for (const point of points)
    axes.add(measured(axes, point.pool, point.shortfall.value, point.shortfall.error, "cl-batch-dot", say("prices_pool_point", words(point.shortfall, { pool: point.pool }))));
  return axes.node;
};

const python = (value) => () => `from calm_lab.lab.panels import Panel, Series, panels_figure
from calm_lab.lab.tempering import check_law, measure_prices, price_curve, shortfall_curve

law = check_law([${value.law.join(", ")}])
runs = [run for run in measure_prices(law, ${value.samples}, seed=${value.seed}) if run.samples]
heats = [run.temperature for run in runs]
theory = price_curve(law, heats)
price = Panel("calls a sample", [
    Series("Theorem 2", heats, [calls for _, calls, _, _ in theory], "target", "dots"),
    Series("measured", heats, [run.calls.value for run in runs], "sample", "dots", [2 * run.calls.error for run in runs]),
], "T", log="xy")
rate = Panel("accepted", [
    Series("Z_T", heats, [z for _, _, z, _ in theory], "target", "dots"),
    Series("measured", heats, [run.accepted.value for run in runs], "sample", "dots", [2 * run.accepted.error for run in runs]),
], "T", log="xy")
points = shortfall_curve(law, ${value.n}, ${2 * value.samples}, seed=${value.seed})
pools = [point.pool for point in points]
bias = Panel("short of P_T at T = 1/${value.n}", [
    Series("theory", pools, [point.shortfall.theory for point in points], "target"),
    Series("measured", pools, [point.shortfall.value for point in points], "sample", "dots", [2 * point.shortfall.error for point in points]),
], "N", log="x")
panels_figure([price, rate, bias])
`;
const rows = (value) => () => [
  ...value.measured.map((run) => ({ kind: "measured", temperature: run.temperature, samples: run.samples, trials: run.trials, calls: run.calls.value, calls_error: run.calls.error,
    calls_theory: run.calls.theory, accepted: run.accepted.value, accepted_error: run.accepted.error, z_t: run.accepted.theory,
    stage1: run.stage1.value, stage1_error: run.stage1.error, stage1_theory: run.stage1.theory })),
  ...[...value.between.flat(), ...value.whole].map(([temperature, price, z, stage1]) => ({ kind: "theory", temperature, calls_theory: price, z_t: z, stage1_theory: stage1 })),
  ...value.shortfall.map((point) => ({ kind: "shortfall", n: value.n, pool: point.pool, shortfall: point.shortfall.value,
    shortfall_error: point.shortfall.error, shortfall_theory: point.shortfall.theory, reached_theory: point.reached }))];

const draw = () => keepFocus(root, () => {
  const value = props.value;
  if (!value || !value.measured) {
    root.replaceChildren(make("p", { class: "cl-note" }, say("prices_measuring")));
    return;
  }
  if (drawn !== value) root.removeAttribute("aria-busy");
  drawn = value;
  const across = root.clientWidth >= 1026 ? 3 : root.clientWidth >= 678 ? 2 : 1; // as the grid of .cl-charts
  const width = Math.max(230, (root.clientWidth - 18 * (across - 1)) / across - (root.clientWidth > 700 ? 42 : 30));
  const measuredKey = keySign("cl-dot", say("prices_key_measured"));
  const hereKey = keySign("cl-upright cl-key-here", say("prices_here"));
  const card = (title, note, picture, ...keys) => make("section", { class: "cl-card" },
    make("h2", {}, title), make("p", {}, note), picture, make("div", { class: "cl-keys" }, ...keys));
  root.replaceChildren(
    make("div", { class: "cl-charts" },
      card(say("prices_calls"), say("prices_calls_note"), calls(value, width), keySign("cl-stroke", say("prices_key_theory")), measuredKey, hereKey),
      card(say("prices_rate"), say("prices_rate_note"), rates(value, width), keySign("cl-stroke", say("prices_key_accepted")), keySign("cl-dots", say("prices_key_stage1")),
        keySign("cl-dot", say("prices_key_accepted_measured")), keySign("cl-hollow-dot", say("prices_key_stage1_measured"))),
      card(say("prices_bias", { n: value.n }), say("prices_bias_note"),
        value.n === 1 ? make("p", {}, say("prices_bias_one")) : bias(value, width),
        ...(value.n === 1 ? [] : [keySign("cl-stroke", say("prices_key_theory")), keySign("cl-hollow-dot", say("prices_key_measured"))]))),
    exportBar(python(value), rows(value), "temperature-curves.csv"));
});

// Until the measurements for a new law arrive, the curves are dimmed.
document.addEventListener("calm-lab-law", () => root.setAttribute("aria-busy", "true"));
followWidth(root, draw);
keepDrawn(draw);
