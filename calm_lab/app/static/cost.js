// What K buys: the calculator's answer in bars, the paper's scores over FLOPs, Table 1 beside our counts, our own runs.

const root = element.querySelector(".cl-cost");
const GROUPS = [
  ["backbone", ["backbone"]], ["attention", ["attention"]], ["head", ["head", "loss"]], ["decoder", ["decoder", "encoder"]],
  ["vocabulary", ["output"]], ["rest", ["input", "embedding", "autoencoder_training"]],
];

const signed = (share) => `${share < 0 ? "−" : "+"}${Math.round(100 * Math.abs(share))}%`;
const change = (share) => (share >= 1 ? `×${share + 1 >= 10 ? Math.round(share + 1) : number(share + 1, 1)}` : signed(share));
const points = (value, digits = 2) => (value === null || value === undefined ? null : number(value, digits).replace("-", "−"));
const SCALES = [[1e9, "B"], [1e6, "M"], [1e3, "k"]];
const sized = (value) => {
  const [scale, unit] = SCALES.find(([least]) => value >= least) || [1, ""];
  return `${Number((value / scale).toPrecision(3))}${unit}`;
};
const SUPER = "⁰¹²³⁴⁵⁶⁷⁸⁹";
const power = (value, digits = 1) => {
  const exponent = Math.floor(Math.log10(value) + 1e-12);
  return `${number(value / 10 ** exponent, digits)}·10${String(exponent).replace("-", "⁻").replace(/\d/g, (d) => SUPER[d])}`;
};
const tens = (value) => `10${String(Math.round(Math.log10(value))).replace(/\d/g, (d) => SUPER[d])}`;

const stat = (name, value, note, bad = false) =>
  make("div", { class: `cl-stat${bad ? " cl-bad" : ""}` }, make("dt", {}, name), make("dd", {}, value), make("dd", { class: "cl-note" }, note));

const stats = (answer) => {
  const [token, mine] = [answer.bars[0], answer.bars.find((bar) => bar.name === String(answer.sizes.chunk_size))];
  const both = (phase) => ({ calm: power(mine[phase].total), token: power(token[phase].total), count: answer.sizes.pool, pool: answer.sizes.pool });
  return make("dl", { class: "cl-stats" },
    stat(say("cost_training"), change(answer.training), say("cost_training_note", both("training")), answer.training > 0),
    stat(say("cost_writing", { count: answer.sizes.pool, pool: answer.sizes.pool }), change(answer.inference), say("cost_writing_note", both("inference")), answer.inference > 0),
    stat(say("cost_even"), answer.even_pool ? say("cost_even_value", { count: answer.even_pool, pool: answer.even_pool }) : say("cost_even_never"),
      say("cost_even_note", { share: percent(answer.vocabulary) })));
};

const bars = (answer, phase) => {
  const most = Math.max(...answer.bars.map((bar) => bar[phase].total));
  const rows = answer.bars.map((bar) => {
    const name = bar.name === "transformer" ? say("cost_transformer") : `K = ${bar.name}`;
    const parts = GROUPS.map(([group, members]) => [group, members.reduce((sum, part) => sum + (bar[phase][part] || 0), 0)]).filter(([, sum]) => sum > 0);
    const spoken = parts.map(([group, sum]) => `${say(`cost_part_${group}`)} ${percent(sum / bar[phase].total)}`).join(", ");
    return make("li", { class: bar.name === String(answer.sizes.chunk_size) ? "cl-mine" : null, "aria-label": `${name}: ${power(bar[phase].total)} (${spoken})` },
      make("span", { class: "cl-bar-name" }, name),
      make("span", { class: "cl-stack" }, ...parts.map(([group, sum]) =>
        make("i", { class: `cl-part-${group}`, style: { width: `${(100 * sum) / most}%` }, title: `${say(`cost_part_${group}`)}: ${power(sum)}, ${percent(sum / bar[phase].total)}` }))),
      make("span", { class: "cl-bar-value" }, power(bar[phase].total, 2)));
  });
  return make("section", { class: "cl-card" }, make("h2", {}, say(`cost_bars_${phase}`)),
    make("p", {}, say(`cost_bars_${phase}_text`, { pool: answer.sizes.pool, count: answer.sizes.pool })), make("ul", { class: "cl-hbars" }, ...rows));
};
const partKeys = () => make("div", { class: "cl-legend" }, ...GROUPS.map(([group]) =>
  make("span", { class: "cl-key" }, make("i", { class: `cl-swatch cl-part-${group}`, "aria-hidden": "true" }), say(`cost_part_${group}`))));

const pairText = (pair) => say("cost_pair", { calm: pair.calm, transformer: pair.transformer, training: signed(pair.training), inference: signed(pair.inference),
  gap: points(Math.abs(pair.brier_lm)), side: say(pair.brier_lm < 0 ? "cost_lower" : "cost_higher") });
const honest = (answer) => {
  const [quoted, large] = answer.headline;
  return make("section", { class: "cl-card cl-honest" }, make("h2", {}, say("cost_honest")),
    make("p", { class: "cl-finding" }, say("cost_honest_text", { gap: points(Math.abs(quoted.brier_lm)), training: signed(quoted.training), inference: signed(quoted.inference),
      large_training: signed(large.training), large_inference: signed(large.inference) })),
    make("ul", { class: "cl-pairs" }, ...answer.headline.map((pair) => make("li", {}, pairText(pair)))));
};

// Scores over FLOPs. Transformers are squares on a line, CALMs dots; a ring is where a pool a step moves a CALM.
const ahead = (row) => `${row.brier_lm < row.linear ? "−" : "+"}${number(Math.abs(row.brier_lm - row.linear))}${row.extrapolated ? "*" : ""}`;
const square = (axes, x, y, title) => svg("rect", { class: "cl-square", x: axes.px(x) - 4.5, y: axes.py(y) - 4.5, width: 9, height: 9 }, svg("title", {}, title));
const dot = (axes, x, y, title, cls = "cl-solid") => svg("circle", { class: cls, cx: axes.px(x), cy: axes.py(y), r: 4.5 }, svg("title", {}, title));
const label = (axes, x, y, text, dx = 9, dy = 4) => svg("text", { class: "cl-label", x: axes.px(x) + dx, y: axes.py(y) + dy, "text-anchor": dx < 0 ? "end" : "start" }, text);

const scatter = (width, xs, ys, name, text) => {
  const [low, high] = [Math.min(...xs) / 1.6, Math.max(...xs) * 2.1];
  const [least, most] = [Math.min(...ys), Math.max(...ys)];
  const edge = Math.max(0.6, 0.06 * (most - least)); // so that no point lies on the axis
  const ticks = powerTicks(low, high);
  const between = [...new Set(ticks.flatMap((tick) => [tick / 5, tick / 2, tick, 2 * tick, 5 * tick]))].filter((tick) => tick >= low && tick <= high).sort((a, b) => a - b);
  const shown = between.length * 62 < width ? between : ticks;
  return chart(width, 290, { low, high, log: true, ticks: shown, name, format: (v) => (shown === ticks ? tens(v) : power(v).replace(".0", "")) },
    { low: least - edge, high: most + edge, ticks: roundTicks(Math.max(0, least - edge), most + edge, 5), name: "BrierLM", room: 34 }, text);
};

const paperChart = (answer, phase) => {
  const frame = make("div", { class: "cl-plot" });
  followWidth(frame, () => {
    const writing = phase === "inference";
    const extra = writing ? answer.points.map((p) => p.pooled).filter(Boolean) : answer.sweep.map((p) => p.training);
    const axes = scatter(frame.clientWidth, [...answer.points.map((p) => p[phase]), ...extra],
      [...answer.points, ...(writing ? [] : answer.sweep)].map((p) => p.brier_lm), say(`cost_axis_${phase}`), say(`cost_scatter_${phase}`));
    const tokens = answer.points.filter((p) => p.name.startsWith("T"));
    axes.add(line(axes, tokens.map((p) => [p[phase], p.brier_lm]), "cl-token-line"));
    if (!writing) axes.add(line(axes, answer.sweep.map((p) => [p.training, p.brier_lm]), "cl-sweep"));
    if (!writing) for (const p of answer.sweep) if (p.k !== 4) axes.add(dot(axes, p.training, p.brier_lm, say("cost_sweep_point", { k: p.k }), "cl-hollow"), label(axes, p.training, p.brier_lm, `K=${p.k}`, p.k === 8 ? -9 : 9, p.k === 8 ? 4 : 16));
    for (const p of answer.points) {
      const calm = p.name.startsWith("C");
      const size = p.name.split("-")[1];
      if (writing && p.pooled) axes.add(svg("line", { class: "cl-jump", x1: axes.px(p[phase]) + 6, x2: axes.px(p.pooled) - 7, y1: axes.py(p.brier_lm), y2: axes.py(p.brier_lm) }),
        dot(axes, p.pooled, p.brier_lm, `${p.name}: ${power(p.pooled)}`, "cl-hollow"));
      axes.add(calm ? dot(axes, p[phase], p.brier_lm, p.name) : square(axes, p[phase], p.brier_lm, p.name), label(axes, p[phase], p.brier_lm, size, -9, calm ? 4 : -5));
    }
    frame.replaceChildren(axes.node);
  });
  return make("section", { class: "cl-card" }, make("h2", {}, say(`cost_scatter_${phase}`)), make("p", {}, say(`cost_scatter_${phase}_text`, { pool: answer.pool })), frame,
    make("div", { class: "cl-keys" }, keySign("cl-box", say("cost_key_transformer")), keySign("cl-dot", say("cost_key_calm")),
      keySign("cl-hollow-dot", say(`cost_key_${phase}`, { pool: answer.pool }))),
    make("p", { class: "cl-note" }, say("cost_ahead", { list: answer.frontier.filter((row) => row.at === phase).map((row) => `${row.model} ${ahead(row)}`).join(", ") })));
};

const head = (text, numeric = true, span = 1) => make("th", { scope: span > 1 ? "colgroup" : "col", colspan: span > 1 ? span : null, class: numeric ? "cl-number" : null }, text);
const cell = (text, cls = "") => make("td", { class: `cl-number ${cls}` }, text);
const units = (value, exponent) => points(value / 10 ** exponent);

const table = (answer) => {
  const rows = answer.table.map((row) => make("tr", {}, make("th", { scope: "row" }, row.model), cell(sized(row.parameters_paper)), cell(sized(row.parameters)),
    cell(units(row.training_paper, 20)), cell(units(row.training_by_paper, 20)), cell(units(row.training_exact, 20), "cl-strong"),
    cell(units(row.inference_paper, 8)), cell(units(row.inference_by_paper, 8)), cell(units(row.inference_exact, 8), "cl-strong"),
    cell(percent(row.vocabulary)), cell(row.pooled ? `${units(row.pooled, 8)} (×${Math.round(row.over)})` : "–"), cell(points(row.brier_lm), "cl-strong")));
  const gap = (row, key) => signed(row[`${key}_gap`]);
  const xl = answer.table[answer.table.length - 1];
  return make("section", { class: "cl-card" }, make("h2", {}, say("cost_table")),
    make("p", {}, say("cost_table_text", { training: gap(xl, "training_by_paper"), inference: gap(xl, "inference_by_paper") })),
    make("div", { class: "cl-scroll", tabindex: "0", role: "region", "aria-label": say("cost_table") }, make("table", { class: "cl-table cl-wide" },
      make("thead", {},
        make("tr", {}, head("", false), head(say("cost_column_parameters"), true, 2), head(say("cost_column_training"), true, 3), head(say("cost_column_inference"), true, 3),
          head(""), head(""), head("")),
        make("tr", {}, head(say("cost_column_model"), false), head(say("cost_column_paper")), head(say("cost_column_ours")), head(say("cost_column_paper")), head("6d²"), head(say("cost_column_exact")),
          head(say("cost_column_paper")), head("6d²"), head(say("cost_column_exact")), head(say("cost_column_vocabulary")), head(say("cost_column_pool", { pool: answer.pool })), head("BrierLM"))),
      make("tbody", {}, ...rows))),
    make("p", { class: "cl-finding" }, say("cost_pool_text", { pool: answer.pool, times: Math.round(answer.table.find((row) => row.model === "CALM-M").over) })));
};

const own = (answer) => {
  const { runs, wanted, points: found, findings, remarks } = answer.own;
  const title = make("h2", {}, say("cost_own"));
  if (!runs) return make("section", { class: "cl-card" }, title, make("p", { class: "cl-finding" }, say("cost_own_none", { wanted })), make("code", { class: "cl-command" }, "calm-lab reproduce chunk-size"));
  const defined = found.filter((p) => p.brier_lm !== null);
  const frame = make("div", { class: "cl-plot" });
  if (defined.length > 1) followWidth(frame, () => {
    const axes = scatter(frame.clientWidth, defined.map((p) => p.training), defined.map((p) => p.brier_lm), say("cost_axis_training"), say("cost_own"));
    for (const p of defined) {
      const text = `${p.name}: ${points(p.brier_lm)}${p.half === null ? "" : ` ± ${points(p.half)}`}`;
      if (p.half !== null) axes.add(measured(axes, p.training, p.brier_lm, p.half / 2, p.family === "calm" ? "" : "cl-of-token", text, 2));
      axes.add(p.family === "calm" ? dot(axes, p.training, p.brier_lm, text) : square(axes, p.training, p.brier_lm, text), label(axes, p.training, p.brier_lm, p.family === "calm" ? `K=${p.k}` : ""));
    }
    frame.replaceChildren(axes.node);
  });
  const rows = found.map((p) => make("tr", {}, make("th", { scope: "row" }, p.name), cell(p.runs), cell(power(p.training)), cell(power(p.inference)),
    cell(p.brier_lm === null ? say("cost_undefined") : `${points(p.brier_lm)}${p.half === null ? "" : ` ± ${points(p.half)}`}`, "cl-strong")));
  return make("section", { class: "cl-card" }, title, make("p", {}, say("cost_own_text", { runs, wanted })), frame,
    make("div", { class: "cl-keys" }, keySign("cl-box", say("cost_key_transformer")), keySign("cl-dot", say("cost_own_calm"))),
    make("div", { class: "cl-scroll", tabindex: "0", role: "region", "aria-label": say("cost_own") }, make("table", { class: "cl-table cl-wide" },
      make("thead", {}, make("tr", {}, head(say("cost_column_model"), false), head(say("cost_column_runs")), head(say("cost_axis_training")), head(say("cost_axis_inference")), head("BrierLM"))),
      make("tbody", {}, ...rows))),
    findings.length ? make("ul", { class: "cl-pairs" }, ...findings.map((f) => make("li", {}, make("b", {}, say(`cost_verdict_${f.verdict.replace(/[' ]/g, "_")}`)), ` ${inOwnLanguage(f, "text")} (${inOwnLanguage(f, "difference")})`))) : null,
    ...(findings.length ? remarks.map((remark) => make("p", { class: "cl-note" }, inOwnLanguage(remark, "text"))) : []));
};

const draw = () => keepFocus(root, () => {
  const answer = props.value;
  if (answer && answer.message) {
    root.replaceChildren(whyNot(answer));
    return;
  }
  if (!answer || !answer.bars) return;
  root.replaceChildren(stats(answer), make("div", { class: "cl-charts" }, bars(answer, "training"), bars(answer, "inference")), partKeys(), honest(answer),
    make("div", { class: "cl-charts" }, paperChart(answer, "training"), paperChart(answer, "inference")), table(answer), own(answer),
    exportBar(() => props.value.python, () => props.value.rows, "calm_lab-flops.csv"));
});

keepDrawn(draw);
