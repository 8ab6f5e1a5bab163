// BrierLM: the estimate closing in, what the dial does, the sign trap, the noise of a gap, and the models side by side.

const root = element.querySelector(".cl-brier");
let order = { key: "brier_lm", down: true };
let pair = null; // the two models whose gap is shown

const points = (value, digits) => (value === null || value === undefined ? null : number(value, digits).replace("-", "−"));
const count = (value) => Number(value).toLocaleString("en");
const brief = (value) => (value >= 1e6 ? `${Number((value / 1e6).toPrecision(3))}M` : value >= 1e4 ? `${Number((value / 1e3).toPrecision(3))}k` : count(value));
const hundredths = (value) => (value !== 0 && Math.abs(100 * value) < 0.01 ? Number((100 * value).toPrecision(1)).toString().replace("-", "−") : points(100 * value, 2));

const stat = (name, value, note, bad = false) =>
  make("div", { class: `cl-stat${bad ? " cl-bad" : ""}` },
    make("dt", {}, name), make("dd", {}, value), make("dd", { class: "cl-note" }, note));

const stats = (study) => {
  const last = study.curve[study.curve.length - 1];
  const undefinedText = say("brier_undefined");
  const worst = last.values.findIndex((value) => value <= 0);
  const estimate = last.lm === null
    ? stat(say("brier_estimate", { n: count(last.n) }), undefinedText,
      say("brier_reason", { n: worst + 1, value: points(last.values[worst], 3) }), true)
    : stat(say("brier_estimate", { n: count(last.n) }), `${points(last.lm, 2)} ± ${points(1.96 * last.lm_error, 2)}`, say("brier_estimate_note"));
  return make("dl", { class: "cl-stats" }, estimate,
    stat(say("brier_exact"), points(study.exact.lm, 2) ?? undefinedText, say("brier_exact_note"), study.exact.lm === null),
    stat(say("brier_ceiling"), points(study.ceiling.lm, 2), say("brier_ceiling_note", { bits: points(study.entropy, 2) })));
};

// One curve: the estimate with whiskers over the exact line and the language's own.
const converging = (study, width, height, read, exact, ceiling, name, label) => {
  const settled = study.curve.find((point) => point.n >= 250) || study.curve[study.curve.length - 1];
  const reach = 2.6 * (read(settled).error || 0) + 0.02 * Math.abs(ceiling);
  const known = [exact, ceiling].filter((value) => value !== null);
  const low = Math.min(...known) - reach;
  const high = Math.max(...known) + reach;
  const x = { low: study.curve[0].n * 0.8, high: study.positions * 1.15, log: true,
    ticks: powerTicks(study.curve[0].n * 0.8, study.positions * 1.15), format: brief, name: height > 200 ? say("brier_axis_positions") : "" };
  const axes = chart(width, height, x, { low, high, ticks: roundTicks(low, high, height > 200 ? 5 : 3), name }, label);
  axes.add(line(axes, [[x.low, ceiling], [x.high, ceiling]], "cl-limit"));
  if (exact !== null) axes.add(line(axes, [[x.low, exact], [x.high, exact]], "cl-theory"));
  const thin = width < 220; // then every second point, the last among them
  for (const point of study.curve.filter((_, i) => !thin || (study.curve.length - 1 - i) % 2 === 0)) {
    const { value, error } = read(point);
    if (value === null) axes.add(svg("text", { class: "cl-none", x: axes.px(point.n), y: axes.bottom - 4, "text-anchor": "middle" }, svg("title", {}, say("brier_undefined")), "×"));
    else axes.add(measured(axes, point.n, value, error, "", say("brier_point", { n: count(point.n), value: points(value, 3), error: points(1.96 * error, 3) }), height > 200 ? 3.5 : 2.5));
  }
  return axes.node;
};

const convergence = (study) => {
  const large = make("div", { class: "cl-plot" });
  const small = [0, 1, 2, 3].map(() => make("div", { class: "cl-plot" }));
  followWidth(large, () => large.replaceChildren(converging(study, large.clientWidth, 300,
    (point) => ({ value: point.lm, error: point.lm_error }), study.exact.lm, study.ceiling.lm, "BrierLM", say("brier_curve_label"))));
  small.forEach((frame, n) => followWidth(frame, () => frame.replaceChildren(converging(study, frame.clientWidth, 146,
    (point) => ({ value: point.values[n], error: point.errors[n] }), study.exact.values[n], study.ceiling.values[n],
    `Brier-${n + 1}`, say("brier_curve_label_n", { n: n + 1 })))));
  return make("section", { class: "cl-card" }, make("h2", {}, say("brier_curve")), make("p", {}, say("brier_curve_text")),
    make("div", { class: "cl-brier-curves" }, large, make("div", { class: "cl-brier-small" }, ...small)),
    make("div", { class: "cl-keys" }, keySign("cl-dot", say("brier_key_estimate")), keySign("cl-stroke", say("brier_key_exact")),
      keySign("cl-dots", say("brier_key_ceiling"))));
};

const dialChart = (study) => {
  const frame = make("div", { class: "cl-plot" });
  followWidth(frame, () => {
    const high = 1.18 * study.ceiling.lm;
    const x = { low: -1, high: 1, ticks: [-1, -0.5, 0, 0.5, 1], name: say("brier_axis_dial"),
      format: (value) => (value === 0 ? say("brier_dial_zero") : `${Math.round(100 * Math.abs(value))}%`) };
    const axes = chart(frame.clientWidth, 250, x, { low: 0, high, ticks: roundTicks(0, high, 4), name: "BrierLM" }, say("brier_dial_label"));
    const defined = study.dials.filter((turn) => turn.lm !== null);
    const gone = study.dials.filter((turn) => turn.lm === null);
    if (gone.length) {
      const right = axes.px(gone[gone.length - 1].dial);
      axes.add(svg("rect", { class: "cl-gone", x: axes.px(-1), y: axes.top, width: right - axes.px(-1), height: axes.bottom - axes.top }),
        svg("text", { x: (axes.px(-1) + right) / 2, y: axes.top + 18, "text-anchor": "middle" }, say("brier_undefined")));
    }
    axes.add(line(axes, [[-1, study.ceiling.lm], [1, study.ceiling.lm]], "cl-limit"), line(axes, defined.map((turn) => [turn.dial, turn.lm]), "cl-theory"),
      svg("line", { class: "cl-here", x1: axes.px(study.dial), x2: axes.px(study.dial), y1: axes.top, y2: axes.bottom }));
    frame.replaceChildren(axes.node);
  });
  return make("section", { class: "cl-card" }, make("h2", {}, say("brier_dial_title")), make("p", {}, say("brier_dial_text")), frame);
};

const head = (text, numeric = true) => make("th", { scope: "col", class: numeric ? "cl-number" : null }, text);
const cell = (text, cls = "") => make("td", { class: `cl-number ${cls}` }, text);
const scroller = (label, table) => make("div", { class: "cl-scroll", tabindex: "0", role: "region", "aria-label": label }, table);

const trap = (study) => {
  const rows = study.trap.map((row) =>
    make("tr", { class: row.ours === null ? "cl-lost" : "" }, make("th", { scope: "row" }, say(`brier_trap_${row.name}`)),
      ...row.values.map((value) => cell(points(value, 2), value <= 0 ? "cl-minus" : "cl-plus")),
      cell(points(row.released, 1), "cl-strong"), cell(row.ours === null ? say("brier_undefined") : points(row.ours, 1), "cl-strong")));
  return make("section", { class: "cl-card" }, make("h2", {}, say("brier_trap")), make("p", {}, say("brier_trap_text")),
    scroller(say("brier_trap"), make("table", { class: "cl-table cl-wide cl-trap" },
      make("thead", {}, make("tr", {}, head(say("brier_column_model"), false), ...[1, 2, 3, 4].map((n) => head(`B${n}`)),
        head(say("brier_trap_released")), head(say("brier_trap_ours")))), make("tbody", {}, ...rows))));
};

const gapChart = (study) => {
  const { gap } = study;
  const frame = make("div", { class: "cl-plot" });
  followWidth(frame, () => {
    const x = { low: 100, high: 1e6, log: true, ticks: powerTicks(100, 1e6), format: brief, name: say("brier_axis_positions") };
    const y = { low: 0.03, high: 10, log: true, ticks: [0.1, 1, 10], format: (v) => `±${v}`, name: say("brier_axis_noise"), room: 36 };
    const axes = chart(frame.clientWidth, 270, x, y, say("brier_gap_label"));
    const band = [...gap.curve.map((p) => [p.n, p.high]), ...[...gap.curve].reverse().map((p) => [p.n, p.low])];
    axes.add(svg("path", { class: "cl-band", d: `${band.map(([a, b], i) => `${i ? "L" : "M"}${axes.px(a).toFixed(1)} ${axes.py(b).toFixed(1)}`).join("")}Z` }),
      line(axes, [[100, gap.size], [1e6, gap.size]], "cl-gap"),
      svg("text", { class: "cl-gap-name", x: axes.px(115), y: axes.py(gap.size) + 16 }, say("brier_gap_line", { size: points(gap.size, 2) })),
      svg("line", { class: "cl-here", x1: axes.px(study.positions), x2: axes.px(study.positions), y1: axes.top, y2: axes.bottom }));
    frame.replaceChildren(axes.node);
  });
  const values = { n: count(gap.positions), low: points(gap.low, 2), high: points(gap.high, 2), size: points(gap.size, 2),
    enough_low: count(gap.enough_low), enough_high: count(gap.enough_high) };
  return make("section", { class: "cl-card" }, make("h2", {}, say("brier_gap")), make("p", {}, say("brier_gap_text", values)), frame,
    make("p", { class: "cl-finding" }, say(`brier_gap_${gap.verdict}`, values), " ", say("brier_gap_more", values)));
};

const COLUMNS = [["name", false], ["brier_lm", true], ["ceiling", true], ["share", true], ["corpus", false], ["chunk_size", true], ["tokens", true],
  ["brier_1", true], ["brier_2", true], ["brier_3", true], ["brier_4", true], ["positions", true]];
const read = (row, key) => (key.startsWith("brier_") && key !== "brier_lm" ? row.brier[Number(key.slice(-1)) - 1] ?? null : row[key]);

const sorted = (rows) => [...rows].sort((a, b) => {
  const [x, y] = [read(a, order.key), read(b, order.key)];
  if (x === null || y === null) return (x === null) - (y === null); // what has no value stays below
  const by = typeof x === "string" ? x.localeCompare(y) : x - y;
  return order.down ? -by : by;
});

// The gap of the two chosen models, with its 95% interval.
const gapText = (study) => {
  const [a, b] = pair.map((name) => study.models.find((row) => row.name === name));
  if (!a || !b) return say("brier_pair_choose");
  if (a.corpus !== b.corpus) return say("brier_pair_corpora", { a: a.name, b: b.name });
  if ([a, b].some((row) => row.brier_lm === null || row.error === null)) return say("brier_pair_undefined", { a: a.name, b: b.name });
  return say("brier_pair", { a: a.name, b: b.name, gap: points(a.brier_lm - b.brier_lm, 2), half: points(1.96 * Math.hypot(a.error, b.error), 2) });
};

const models = (study) => {
  const body = make("tbody");
  const gap = make("p", { class: "cl-finding", role: "status" });
  pair ??= sorted(study.models).slice(0, 2).map((row) => row.name);
  const picker = (row) => {
    const button = make("button", { type: "button", class: "cl-pick", "aria-pressed": String(pair.includes(row.name)) }, row.name);
    button.addEventListener("click", () => {
      pair = pair.includes(row.name) ? pair.filter((name) => name !== row.name) : [...pair.slice(-1), row.name];
      fill();
      [...body.querySelectorAll("button")].find((one) => one.textContent === row.name).focus();
    });
    return button;
  };
  const heads = COLUMNS.map(([key, numeric]) => {
    const button = make("button", { type: "button", class: "cl-sort" }, say(`brier_model_${key}`));
    const node = make("th", { scope: "col", class: numeric ? "cl-number" : null }, button);
    button.addEventListener("click", () => {
      order = { key, down: order.key === key ? !order.down : numeric };
      fill();
    });
    return { key, node };
  });
  const fill = () => {
    for (const { key, node } of heads) node.setAttribute("aria-sort", order.key !== key ? "none" : order.down ? "descending" : "ascending");
    gap.textContent = gapText(study);
    body.replaceChildren(...sorted(study.models).map((row) => make("tr", { class: pair.includes(row.name) ? "cl-picked" : null }, make("th", { scope: "row" }, picker(row)),
      row.brier_lm === null
        ? make("td", { class: "cl-number cl-lacking", title: row.reason || null }, say("brier_undefined"))
        : cell(`${points(row.brier_lm, 2)}${row.error === null ? "" : ` ± ${points(1.96 * row.error, 2)}`}`, "cl-strong"),
      cell(points(row.ceiling, 1) ?? "–"), cell(row.share === null ? "–" : percent(row.share)),
      make("td", {}, row.corpus), cell(row.chunk_size), cell(row.tokens === null ? "–" : brief(row.tokens)),
      ...[0, 1, 2, 3].map((n) => cell(row.brier[n] === undefined ? "–" : hundredths(row.brier[n]))),
      cell(row.positions === null ? "–" : count(row.positions)))));
  };
  fill();
  const worst = (row) => row.brier.findIndex((value) => value <= 0);
  const reasons = study.models.filter((row) => row.brier_lm === null && worst(row) >= 0);
  return make("section", { class: "cl-card" }, make("h2", {}, say("brier_models")), make("p", {}, say("brier_models_text")),
    study.models.length
      ? scroller(say("brier_models"), make("table", { class: "cl-table cl-wide" }, make("thead", {}, make("tr", {}, ...heads.map((h) => h.node))), body))
      : make("p", {}, say("brier_models_none")),
    study.models.length > 1 ? gap : null,
    ...reasons.map((row) => make("p", { class: "cl-note" }, `${row.name}: `,
      say("brier_reason", { n: worst(row) + 1, value: hundredths(row.brier[worst(row)]) + "%" }))));
};

const draw = () => keepFocus(root, () => {
  const study = props.value;
  if (study && study.message) {
    root.replaceChildren(whyNot(study));
    return;
  }
  if (!study || !study.curve) return;
  root.replaceChildren(stats(study), convergence(study), make("div", { class: "cl-dial-and-trap" }, dialChart(study), trap(study)), gapChart(study), models(study),
    exportBar(() => props.value.python, () => props.value.rows, "calm_lab-brierlm.csv"));
});

keepDrawn(draw);
