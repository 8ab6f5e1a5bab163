// Temperature: accuracy against collision, a CALM over T and N and the token Transformer over its softmax temperature.

const root = element.querySelector(".cl-tradeoff");

const run = followRun("calm");

const path = (axes, points, cls) => line(axes, points.map((point) => [point.collision, point.accuracy]), cls);
const dot = (axes, point, cls, which) => svg("g", { class: `cl-measured ${cls}` },
  svg("title", {}, say("tradeoff_point", { which, accuracy: number(point.accuracy, 1), collision: number(point.collision, 1), brier: point.brier_lm === null ? "–" : number(point.brier_lm, 1) })),
  svg("circle", { cx: axes.px(point.collision), cy: axes.py(point.accuracy), r: 4.5 }));
const label = (axes, point, text, below) => svg("text", { class: "cl-label", x: axes.px(point.collision), y: axes.py(point.accuracy) + (below ? 18 : -9), "text-anchor": "middle" }, text);

const picture = (value, width) => {
  const pools = value.calm.filter((point) => point.n === 3), most = Math.max(...pools.map((point) => point.pool));
  const heats = value.calm.filter((point) => point.pool === most).sort((a, b) => a.n - b.n);
  const all = [...value.calm, ...value.transformer];
  const room = (key) => {
    const values = all.map((point) => point[key]), low = Math.min(...values), high = Math.max(...values), edge = Math.max(2, 0.12 * (high - low));
    return { low: Math.max(0, low - edge), high: Math.min(100, high + edge) };
  };
  const x = { ...room("collision"), name: say("tradeoff_x") }, y = { ...room("accuracy"), name: say("tradeoff_y") };
  x.ticks = roundTicks(x.low, x.high, 6);
  y.ticks = roundTicks(y.low, y.high, 5);
  const axes = chart(width, 340, x, y, say("tradeoff_title"));
  axes.add(path(axes, value.transformer, "cl-token-line"), path(axes, pools, "cl-sweep"), path(axes, heats, "cl-sweep"));
  for (const point of value.transformer) axes.add(dot(axes, point, "cl-of-token", `T = ${point.temperature}`));
  for (const point of heats) axes.add(dot(axes, point, "cl-hollow", `T = 1/${point.n}, N = ${point.pool}`));
  for (const point of pools) axes.add(dot(axes, point, "", `T = 1/3, N = ${point.pool}`));
  axes.add(label(axes, pools[0], "T = 1"), pools.length > 1 ? label(axes, pools.at(-1), `1/3, N = ${most}`, true) : null, label(axes, heats[0], `1/${heats[0].n}`),
    ...[value.transformer[0], value.transformer.at(-1)].filter((point, i, both) => point && (i === 0 || point !== both[0])).map((point) => label(axes, point, `T = ${point.temperature}`)));
  return axes.node;
};

const rows = (value) => [
  ...value.calm.map((point) => ({ model: value.model, temperature: 1 / point.n, ...point })), ...value.transformer.map((point) => ({ model: value.partner, ...point }))];

const draw = () => keepFocus(root, () => {
  const value = run();
  if (!value) return root.replaceChildren();
  const most = value.calm.length ? Math.max(...value.calm.map((point) => point.pool)) : 0;
  const frame = make("div", { class: "cl-plot" });
  if (value.calm.length) followWidth(frame, () => frame.replaceChildren(picture(value, frame.clientWidth)));
  const status = value.status === "running" && value.positions >= value.wanted ? "baseline" : value.status;
  root.replaceChildren(make("section", { class: "cl-card", "aria-busy": String(value.status === "running") },
    make("h2", {}, say("tradeoff_title")), make("p", {}, say("tradeoff_note", { corpus: value.corpus })),
    make("p", { class: "cl-progress-line", role: "status" }, make("progress", { max: "1", value: String(value.positions / value.wanted), hidden: value.status !== "running", "aria-label": say("tradeoff_title") }),
      say(`tradeoff_${status}`, { positions: value.positions, wanted: value.wanted, pool: most })),
    frame,
    value.calm.length ? make("div", { class: "cl-keys" }, keySign("cl-dot", say("tradeoff_key_pools", { model: value.model, pool: most })), keySign("cl-hollow-dot", say("tradeoff_key_heats", { pool: most })),
      value.partner ? keySign("cl-dot cl-ink-dot", say("tradeoff_key_token", { model: value.partner })) : null) : null,
    value.status === "done" && !value.partner ? make("p", { class: "cl-note" }, say("tradeoff_none")) : null));
  if (value.status === "done") root.append(exportBar(() => run().python, () => rows(run()), "accuracy-against-collision.csv"));
});

keepDrawn(draw);
