// Temperature: P beside P_T, what both samplers returned, and what it took.

const NAMES = "ABCDEFGHIJKLMNOP";
const root = element.querySelector(".cl-tempering");
const counted = (value) => Math.round(value).toLocaleString("en");
const price = (value) => (value === null ? "∞" : value >= 1e7 ? value.toExponential(1).replace("e+", "e") : value >= 100 ? counted(value) : number(value, 2));
const rate = (value) => (value === null ? "–" : value > 0 && value < 0.001 ? value.toExponential(1) : percent(value));
const fraction = (n) => (n === 1 ? "1" : `1/${n}`);

const lawChart = (value, width) => {
  const count = value.law.length;
  const exact = value.exact, batch = value.batch;
  const high = 1.1 * Math.max(...value.law, ...value.goal, ...exact.shares, ...(batch ? batch.shares : []));
  const y = { low: 0, high, ticks: roundTicks(0, high, 4), name: say("tempering_probability") };
  const x = { low: -0.5, high: count - 0.5, ticks: value.law.map((_, i) => i), format: (i) => NAMES[i] };
  const axes = chart(width, 280, x, y, say("tempering_chart_label"));
  const slot = axes.px(1) - axes.px(0), half = Math.min(64, 0.38 * slot);
  const radius = slot < 26 ? 3 : 4.5;
  const whisker = (at, share, samples, cls) => {
    const error = Math.sqrt((share * (1 - share)) / samples);
    return (index) => {
      const place = index + at * Math.min(0.28, 26 / slot);
      const text = say("tempering_point", { sampler: say(`tempering_${cls}`), name: NAMES[index], share: number(share, 4), error: number(2 * error, 4), goal: number(value.goal[index], 4) });
      const node = measured(axes, place, share, error, `cl-${cls}`, text, radius);
      if (cls === "batch") {
        const cx = axes.px(place), cy = axes.py(share), r = radius + 1;
        node.querySelector("circle").replaceWith(svg("path", { class: "cl-lozenge", d: `M${cx} ${cy - r}L${cx + r} ${cy}L${cx} ${cy + r}L${cx - r} ${cy}Z` }));
      }
      return node;
    };
  };
  value.law.forEach((p, i) => axes.add(
    svg("rect", { class: "cl-p", x: axes.px(i) - half, width: 2 * half, y: axes.py(p), height: Math.max(0, axes.bottom - axes.py(p)), rx: 3 })));
  value.goal.forEach((p, i) => axes.add(
    svg("line", { class: "cl-goal", x1: axes.px(i) - half, x2: axes.px(i) + half, y1: axes.py(p), y2: axes.py(p) }),
    svg("circle", { class: "cl-goal-ring", cx: axes.px(i), cy: axes.py(p), r: radius + 1 })));
  exact.shares.forEach((share, i) => axes.add(whisker(-1, share, exact.samples, "exact")(i)));
  if (batch) batch.shares.forEach((share, i) => axes.add(whisker(1, share, batch.samples, "batch")(i)));
  return axes.node;
};

const stat = (name, value, note) =>
  make("div", { class: "cl-stat" }, make("dt", {}, name), make("dd", {}, value), make("dd", { class: "cl-note" }, note));

const stats = (value) => {
  const { exact, batch } = value;
  const done = exact.samples > 0;
  const accepted = exact.accepted, values = { theory: rate(accepted.theory), stage1: rate(done ? exact.stage1.value : exact.stage1.theory), stage2: rate(done ? exact.stage2.value : exact.stage2.theory) };
  return make("dl", { class: "cl-stats" },
    stat(say("tempering_accepted"), done ? rate(accepted.value) : say("tempering_dear"),
      say(exact.has_stage2 ? "tempering_accepted_note" : "tempering_accepted_note1", values)),
    stat(say("tempering_calls"), done ? `${price(exact.calls.value)} ± ${price(2 * exact.calls.error)}` : say("tempering_dear"),
      say("tempering_calls_note", { theory: price(exact.calls.theory) })),
    batch ? stat(say("tempering_reached", { n: batch.n }), rate(batch.reached.value),
      say("tempering_reached_note", { theory: rate(batch.reached.theory), pool: batch.pool }))
      : stat(say("tempering_reached_none"), "–", `T = 1/n: ${fraction(value.n)}, ${fraction(value.n + 1)}`));
};

const neighbours = (value) => {
  const note = make("p", { class: "cl-neighbours" }, say("tempering_no_batch"), " ");
  for (const n of [value.n, value.n + 1].filter((n) => n <= 10)) {
    const button = make("button", { type: "button", class: "cl-small" }, `T = ${fraction(n)}`);
    button.addEventListener("click", () => trigger("select", { n }));
    note.append(button, " ");
  }
  return note;
};

const temperature = (value) => (value.batch && value.n > 1 ? `1 / ${value.n}` : String(value.temperature));
const python = (value) => () => `from calm_lab.device import generator
from calm_lab.lab.panels import Panel, Series, panels_figure
from calm_lab.lab.tempering import check_law, run_batch, run_exact
from calm_lab.toolkit import tempered

law = check_law([${value.law.join(", ")}])
temperature = ${temperature(value)}
names = list("${NAMES.slice(0, value.law.length)}")
series = [Series("P", names, law.tolist(), "muted", "bars"), Series("P_T", names, tempered(law, temperature).tolist(), "target", "bars")]
exact = run_exact(law, temperature, ${value.wanted}, generator(${value.seed}))
print("accepted", exact.accepted, "calls", exact.calls)
if exact.samples:
    series.append(Series("exact", names, exact.shares, "sample", "bars"))
${value.batch ? `batch = run_batch(law, ${value.n}, ${value.pool}, ${value.wanted}, generator(${value.seed + 1}))
series.append(Series("batch", names, batch.shares, "sigma", "bars"))
` : ""}panels_figure([Panel(f"T = {temperature:.3g}", series)])
`;
const rows = (value) => () => value.law.map((p, i) => ({
  outcome: NAMES[i], p, p_t: value.goal[i], exact: value.exact.shares[i], batch: value.batch?.shares[i], batch_law: value.batch?.law[i],
  temperature: value.temperature, pool: value.pool, seed: value.seed, exact_samples: value.exact.samples, trials: value.exact.trials,
  calls: value.exact.calls.value, calls_theory: value.exact.calls.theory, accepted: value.exact.accepted.value, z_t: value.exact.accepted.theory,
  stage1: value.exact.stage1.value, stage1_theory: value.exact.stage1.theory }));

const draw = () => keepFocus(root, () => {
  const value = props.value;
  if (!value || !value.law) return;
  const width = Math.max(240, root.clientWidth - (root.clientWidth > 700 ? 42 : 30));
  root.replaceChildren(
    make("section", { class: "cl-card" },
      make("h2", {}, say("tempering_chart")),
      value.batch ? null : neighbours(value),
      lawChart(value, width),
      make("div", { class: "cl-keys" }, keySign("cl-block", say("tempering_key_p")), keySign("cl-ring", say("tempering_key_goal")),
        value.exact.samples ? keySign("cl-dot", say("tempering_key_exact", { samples: counted(value.exact.samples) })) : null,
        value.batch ? keySign("cl-diamond", say("tempering_key_batch", { samples: counted(value.batch.samples) })) : null,
        make("span", { class: "cl-key" }, say("tempering_whiskers")))),
    stats(value), exportBar(python(value), rows(value), "temperature.csv"));
});

followWidth(root, draw);
keepDrawn(draw);
