// Temperature: a trained model at a prompt, judged from its draws: the next chunk at T, the exact price, the pool's bias.

const root = element.querySelector(".cl-real");
const fraction = (n) => (n === 1 ? "1" : `1/${n}`);
const counted = (value) => Math.round(value).toLocaleString("en");
const raised = (exponent) => [...String(exponent)].map((c) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[c] ?? "⁻").join("");
const scientific = (value) => value.toExponential(1).replace(/e\+?(-?\d+)$/, (_, exponent) => ` · 10${raised(exponent)}`);
const power = (value) => (value >= 1 && value <= 1000 ? String(value) : `10${raised(Math.round(Math.log10(value)))}`);
const large = (value) => (value === null ? "∞" : value >= 1e6 ? scientific(value) : counted(value));
const rate = (value) => (value > 0 && value < 0.001 ? scientific(value) : percent(value));
const thin = (ticks, most = 5) => ticks.filter((_, i) => i % Math.ceil(ticks.length / most) === 0);

const outcomes = (value) => {
  const known = value.gaps.length > 0;
  const high = 1.08 * Math.max(...value.outcomes.flatMap((one) => [one.count / value.draws, one.aim ?? 0, one.chosen]));
  const at = (share) => `${((100 * share) / high).toFixed(2)}%`;
  const head = (text, cls = "") => make("th", { scope: "col", class: cls }, text);
  const row = (one, index) => make("tr", {},
    make("th", { scope: "row" }, make("span", { class: "cl-tokens", style: chunkStyle(index) }, ...one.tokens.map((piece, i) =>
      (one.roles[i] === "pad" ? null : make("span", { class: "cl-token" }, tokenNode(piece, one.roles[i] && say(`token_${one.roles[i]}`), one.spread[i])))).filter(Boolean))),
    make("td", { class: "cl-number" }, counted(one.count)),
    make("td", { class: "cl-lane-cell" }, make("span", { class: "cl-share-lane", "aria-hidden": "true" },
      make("b", { style: { width: at(one.count / value.draws) } }), known ? make("i", { class: "cl-mark cl-ring", style: { left: at(one.aim) } }) : null,
      make("i", { class: "cl-mark cl-diamond", style: { left: at(one.chosen) } }))),
    make("td", { class: "cl-number" }, known ? percent(one.aim) : "–"), make("td", { class: "cl-number" }, percent(one.chosen)));
  return make("section", { class: "cl-card" }, make("h2", {}, say("real_next")),
    make("p", {}, say("real_next_note", { model: value.model, draws: counted(value.draws), distinct: counted(value.distinct), n: value.n, pool: value.pool })),
    known ? null : make("p", { class: "cl-why" }, say("real_unknown", { n: value.n, draws: counted(value.draws) })),
    make("table", { class: "cl-table" },
      make("thead", {}, make("tr", {}, head(say("real_chunk")), head(say("real_drawn"), "cl-number"), head(say("real_share")), head(say("real_aim"), "cl-number"), head(say("real_chosen"), "cl-number"))),
      make("tbody", {}, ...value.outcomes.map(row))),
    make("div", { class: "cl-keys" }, keySign("cl-block", say("real_key_p")), known ? keySign("cl-ring", say("real_key_aim", { n: value.n })) : null,
      keySign("cl-diamond", say("real_key_pool", { pool: value.pool }))));
};

const calls = (value, width) => {
  const ends = value.prices.flatMap((price) => [price.low, price.calls, price.high]).filter((v) => v !== null);
  const high = 2 * Math.max(...ends);
  const x = { low: 0.15, high: 1.1, log: true, ticks: value.prices.map((price) => 1 / price.n), format: (t) => fraction(Math.round(1 / t)), name: say("real_temperature") };
  const axes = chart(width, 230, x, { low: 0.7, high, log: true, ticks: thin(powerTicks(1, high)), format: power, name: say("real_calls_axis") }, say("real_calls"));
  axes.add(svg("line", { class: "cl-here", x1: axes.px(1 / value.n), x2: axes.px(1 / value.n), y1: axes.top, y2: axes.bottom }));
  for (const price of value.prices) {
    const bound = price.lower_bound || price.calls === null;
    const at = axes.px(1 / price.n), middle = axes.py(bound ? price.low : price.calls);
    axes.add(svg("g", { class: `cl-measured ${bound ? "cl-hollow" : ""}` }, svg("title", {}, `T = ${fraction(price.n)}: ${said(price)}`),
      svg("line", { x1: at, x2: at, y1: bound ? middle : axes.py(price.low), y2: bound ? axes.top : axes.py(price.high), "stroke-dasharray": bound ? "2 3" : null }),
      svg("circle", { cx: at, cy: middle, r: 4.5 })));
  }
  return axes.node;
};
const said = (price) => (price.lower_bound || price.calls === null ? say("real_at_least", { calls: large(price.low) }) : large(price.calls));

const priceTable = (value) => make("table", { class: "cl-table" },
  make("thead", {}, make("tr", {}, make("th", { scope: "col" }, "T"), ...["accepted", "expected", "interval"].map((name) => make("th", { scope: "col", class: "cl-number" }, say(`real_${name}`))))),
  make("tbody", {}, ...value.prices.map((price) => {
    const bound = price.lower_bound || price.calls === null;
    return make("tr", { class: price.n === value.n ? "cl-chosen" : "" }, make("th", { scope: "row" }, fraction(price.n)),
      make("td", { class: "cl-number" }, bound ? `≤ ${rate(price.n / price.low)}` : rate(price.accepted)), make("td", { class: "cl-number" }, said(price)),
      make("td", { class: "cl-number" }, bound ? "–" : price.n === 1 ? "1" : `${large(price.low)} – ${large(price.high)}`));
  })));

const gap = (value, width) => {
  const high = 1.1 * Math.max(0.05, ...value.gaps.map((one) => one.shortfall.value + 2 * one.shortfall.error));
  const low = Math.min(0, ...value.gaps.map((one) => one.shortfall.value - 2 * one.shortfall.error));
  const pools = value.gaps.map((one) => one.pool);
  const axes = chart(width, 230, { low: 1.6, high: 1.3 * pools.at(-1), log: true, ticks: pools.filter((_, i) => i % 2 === 1 || pools.length < 6), name: say("real_pool_axis") },
    { low, high, ticks: roundTicks(low, high, 4), name: say("real_gap_axis") }, say("real_gap", { n: value.n }));
  axes.add(svg("line", { class: "cl-base", x1: axes.px(1.6), x2: axes.px(1.3 * pools.at(-1)), y1: axes.py(0), y2: axes.py(0) }),
    value.pool >= 2 ? svg("line", { class: "cl-here", x1: axes.px(value.pool), x2: axes.px(value.pool), y1: axes.top, y2: axes.bottom }) : null);
  for (const one of value.gaps) axes.add(measured(axes, one.pool, one.shortfall.value, one.shortfall.error, "cl-batch-dot",
    say("real_gap_point", { pool: one.pool, value: number(one.shortfall.value, 3), error: number(2 * one.shortfall.error, 3), reached: percent(one.reached), n: value.n })));
  return axes.node;
};

const rows = (value) => [
  ...value.prices.map((price) => ({ kind: "price", n: price.n, accepted: price.accepted, calls: price.calls, low: price.low, high: price.high, lower_bound: price.lower_bound, model: value.model, draws: value.draws, seed: value.seed })),
  ...value.outcomes.map((one) => ({ kind: "chunk", n: value.n, pool: value.pool, text: one.text, count: one.count, aim: one.aim, chosen: one.chosen })),
  ...value.gaps.map((one) => ({ kind: "shortfall", n: value.n, pool: one.pool, shortfall: one.shortfall.value, shortfall_error: one.shortfall.error, reached: one.reached }))];

const plot = (picture) => {
  const frame = make("div", { class: "cl-plot" });
  followWidth(frame, () => frame.replaceChildren(picture(Math.max(230, frame.clientWidth))));
  return frame;
};

const draw = () => keepFocus(root, () => {
  const value = props.value;
  if (!value || !value.prices) return root.replaceChildren();
  root.replaceChildren(outcomes(value),
    make("div", { class: "cl-charts" },
      make("section", { class: "cl-card" }, make("h2", {}, say("real_calls")), make("p", {}, say("real_calls_note")), plot((width) => calls(value, width)), priceTable(value)),
      value.gaps.length ? make("section", { class: "cl-card" }, make("h2", {}, say("real_gap", { n: value.n })), make("p", {}, say("real_gap_note")), plot((width) => gap(value, width)),
        make("div", { class: "cl-keys" }, keySign("cl-hollow-dot", say("real_key_measured")), keySign("cl-upright cl-key-here", say("real_here")))) : null),
    exportBar(() => props.value.python, () => rows(props.value), "temperature-at-a-prompt.csv"));
});

keepDrawn(draw);
