// Noise dial: accuracy against sigma for every autoencoder, a table at the dial's sigma, and one autoencoder's coordinates.

const root = element.querySelector(".cl-sweep");
const STYLES = 12; // four colours, each whole, dashed and dotted
let sigma = 0.5;
let on = "kept"; // or "own"
let axis = "absolute"; // or "relative": sigma over the size of the model's vectors
let shown = null; // whose coordinates are drawn
let asked = false;

const percentage = (share) => (share > 0.99995 || share < 0.00005 ? percent(share) : `${number(100 * share, share > 0.99 || share < 0.01 ? 2 : 1)}%`);
const found = (value, row) => (on === "own" ? value.own[row.name] : row.kept) || null;
const rows = (value) => value.models.map((row, i) => ({ ...row, style: i % STYLES, found: found(value, row) }));
const ruleOf = (row) => say(`sweep_rule_${row.rule}`);

// The share at any sigma, on the straight line between its neighbours.
const shareAt = (points, at, column = 1) => {
  const i = Math.min(Math.max(1, points.findIndex((point) => point[0] >= at - 1e-9)), points.length - 1);
  const [a, b] = [points[i - 1], points[i]];
  const t = Math.min(1, Math.max(0, (at - a[0]) / (b[0] - a[0])));
  return a[column] + t * (b[column] - a[column]);
};
// Where half of the tokens are lost, against the size of the vectors if asked.
const halfCell = (found, unit = 1) => {
  const at = halfAt(found.points), last = found.points[found.points.length - 1][0];
  return cell(at === null ? say("sweep_beyond", { sigma: number(last / unit) }) : number(at / unit));
};
const halfAt = (points) => {
  const i = points.findIndex((point) => point[1] < 0.5);
  if (i <= 0) return i < 0 ? null : points[0][0];
  const [a, b] = [points[i - 1], points[i]];
  return a[0] + ((a[1] - 0.5) / (a[1] - b[1])) * (b[0] - a[0]);
};

const curve = (value, all, width) => {
  const measuredRows = all.filter((row) => row.found);
  const unit = (row) => (axis === "relative" ? row.found.size : 1);
  const high = Math.max(0.5, ...measuredRows.map((row) => 2 / unit(row)));
  const x = { low: 0, high, ticks: roundTicks(0, high, 4), name: say(axis === "relative" ? "sweep_axis_relative" : "sweep_axis_sigma") };
  const y = { low: 0, high: 1, ticks: [0, 0.25, 0.5, 0.75, 1], format: (v) => `${100 * v}%`, name: say("sweep_axis_share") };
  const axes = chart(width, width < 500 ? 260 : 340, x, y, say("sweep_title"));
  const pointsOf = (row) => row.found.points.map(([s, ...rest]) => [s / unit(row), ...rest, s]);
  for (const row of measuredRows) {
    const points = pointsOf(row);
    const band = [...points.map(([s, , , high]) => [s, high]), ...[...points].reverse().map(([s, , low]) => [s, low])];
    axes.add(svg("path", { class: `cl-series-band cl-series-${row.style}`, d: `${band.map(([a, b], i) => `${i ? "L" : "M"}${axes.px(a).toFixed(1)} ${axes.py(b).toFixed(1)}`).join("")}Z` }));
  }
  for (const row of [...measuredRows].sort((a, b) => (a.name === shown) - (b.name === shown))) {
    const points = pointsOf(row);
    axes.add(line(axes, points, `cl-series cl-series-${row.style}${row.name === shown ? " cl-chosen-line" : ""}`));
    for (const [at, share, low, high, s] of points)
      axes.add(svg("circle", { class: "cl-hit", cx: axes.px(at), cy: axes.py(share), r: 7 },
        svg("title", {}, say("sweep_point", { name: row.name, sigma: s, share: percentage(share), low: percentage(low), high: percentage(high) }))));
  }
  if (axis === "absolute") axes.add(svg("line", { class: "cl-here cl-dial-here", x1: axes.px(sigma), x2: axes.px(sigma), y1: axes.top, y2: axes.bottom }));
  return axes;
};

const sample = (row) => make("i", { class: `cl-mark cl-series-key cl-series-${row.style}`, "aria-hidden": "true" });
const head = (text, numeric = true) => make("th", { scope: "col", class: numeric ? "cl-number" : null }, text);
const cell = (text, cls = "") => make("td", { class: `cl-number ${cls}` }, text);

const tableBody = (value, all) => all.map((row) => {
  const pick = make("button", { type: "button", class: "cl-pick", "aria-pressed": String(row.name === shown) }, sample(row), row.name);
  pick.addEventListener("click", () => { shown = row.name; draw(); });
  const found = row.found;
  const cells = found
    ? [cell(`${percentage(shareAt(found.points, sigma))} (${percentage(shareAt(found.points, sigma, 2))}–${percentage(shareAt(found.points, sigma, 3))})`, "cl-strong"),
      halfCell(found), cell(number(found.size)), halfCell(found, found.size), cell(number(found.mean_sigma, 3)), cell(number(found.kl_bits.reduce((a, b) => a + b, 0), 0)),
      cell(say("sweep_of", { count: found.collapsed, size: found.kl_bits.length }), found.collapsed ? "cl-minus" : "")]
    : Array.from({ length: 7 }, () => cell("–"));
  return make("tr", { class: row.name === shown ? "cl-picked" : null }, make("th", { scope: "row" }, pick), make("td", {}, ruleOf(row)), cell(row.k), cell(row.width ?? "–"), ...cells);
});

const klChart = (row, width) => {
  const bits = row.found.kl_bits.map((value, i) => [value, i + 1]).sort((a, b) => b[0] - a[0]);
  const floor = row.floor ? row.floor / Math.log(2) : 0;
  const high = 1.12 * Math.max(bits[0][0], floor, 0.1);
  const axes = chart(width, 240, { low: 0, high: bits.length, ticks: [], name: say("sweep_axis_coordinates") },
    { low: 0, high, ticks: roundTicks(0, high, 4), name: say("sweep_axis_bits") }, say("sweep_kl", { name: row.name }));
  bits.forEach(([value, i], place) => {
    const gone = value * Math.log(2) < 0.01;
    axes.add(svg("rect", { class: gone ? "cl-kl cl-kl-gone" : "cl-kl", x: axes.px(place + 0.1), width: Math.max(1, axes.px(0.8) - axes.px(0)),
      y: gone ? axes.bottom - 4 : axes.py(value), height: gone ? 4 : axes.bottom - axes.py(value) }, svg("title", {}, say("sweep_coordinate", { i, bits: number(value) }))));
  });
  if (floor) axes.add(line(axes, [[0, floor], [bits.length, floor]], "cl-limit"));
  return axes.node;
};

const sigmaChart = (value, row, width) => {
  const { sigma_counts: counts, mean_sigma: mean } = row.found;
  const total = counts.reduce((a, b) => a + b, 0), end = counts.length * value.bin_width;
  const high = 1.12 * Math.max(...counts.map((count) => count / total));
  const axes = chart(width, 240, { low: 0, high: end, ticks: [0, 0.25, 0.5, 0.75, 1, 1.25], name: say("sweep_axis_learned") },
    { low: 0, high, ticks: roundTicks(0, high, 4), format: (v) => `${Number((100 * v).toPrecision(3))}%`, name: say("sweep_axis_share_of") }, say("sweep_sigma", { name: row.name }));
  counts.forEach((count, i) => {
    if (!count) return;
    const text = say("sweep_bin", { low: number(i * value.bin_width, 3), high: i === counts.length - 1 ? "∞" : number((i + 1) * value.bin_width, 3), share: percentage(count / total) });
    axes.add(svg("rect", { class: "cl-sigma-bar", x: axes.px(i * value.bin_width), width: Math.max(1, axes.px(value.bin_width) - axes.px(0) - 1),
      y: Math.min(axes.py(count / total), axes.bottom - 1), height: Math.max(1, axes.bottom - axes.py(count / total)) }, svg("title", {}, text)));
  });
  axes.add(svg("line", { class: "cl-here", x1: axes.px(Math.min(mean, end)), x2: axes.px(Math.min(mean, end)), y1: axes.top, y2: axes.bottom }));
  return axes.node;
};

const plot = (picture) => {
  const frame = make("div", { class: "cl-plot" });
  followWidth(frame, () => frame.replaceChildren(picture(frame.clientWidth)));
  return frame;
};

const coordinates = (value, row) => {
  if (!row || !row.found) return null;
  const size = row.found.kl_bits.length, { collapsed, chunks, mean_sigma: mean } = row.found;
  return make("div", { class: "cl-charts" },
    make("section", { class: "cl-card" }, make("h2", {}, say("sweep_kl", { name: row.name })),
      make("p", {}, say(row.floor ? "sweep_kl_text" : "sweep_kl_text_free", { collapsed, size })), plot((width) => klChart(row, width))),
    make("section", { class: "cl-card" }, make("h2", {}, say("sweep_sigma", { name: row.name })),
      make("p", {}, say("sweep_sigma_text", { chunks: chunks.toLocaleString("en"), size, mean: number(mean, 3) })), plot((width) => sigmaChart(value, row, width))));
};

const csv = (value) => {
  const lines = [];
  for (const row of value.models) for (const [text, found] of [["unseen tales", row.kept], ["your text", value.own[row.name]]]) {
    if (!found) continue;
    const which = { autoencoder: row.name, rule: row.rule, K: row.k, text };
    for (const [s, share, low, high] of found.points) lines.push({ ...which, kind: "accuracy", sigma: s, share, low, high, tokens: found.tokens, draws: found.draws });
    found.kl_bits.forEach((bits, i) => lines.push({ ...which, kind: "kl", coordinate: i + 1, kl_bits: bits }));
    found.sigma_counts.forEach((count, i) => lines.push({ ...which, kind: "learned sigma", from: Number((i * value.bin_width).toFixed(3)), count }));
  }
  return lines;
};

const switches = (value) => {
  const group = make("div", { class: "cl-chiprow", role: "group", "aria-label": say("sweep_on") }, make("span", { class: "cl-note" }, say("sweep_on")));
  for (const where of ["kept", "own"]) {
    const button = make("button", { type: "button", class: "cl-small", "aria-pressed": String(on === where) }, say(`sweep_${where}`));
    button.addEventListener("click", () => { on = where; draw(); });
    group.append(button);
  }
  if (on === "own" && value.models.length > 1 && Object.keys(value.own).length && Object.keys(value.own).length < value.models.length) {
    const busy = asked || value.running;
    const all = make("button", { type: "button", class: "cl-small", disabled: busy }, say(busy ? "sweep_measuring" : "sweep_all"));
    all.addEventListener("click", () => { asked = true; draw(); trigger("select", {}); });
    group.append(all);
  }
  return group;
};

let chartAxes = null, body = null, title = null;
const draw = () => keepFocus(root, () => {
  const value = props.value;
  if (!value || !value.models) {
    root.replaceChildren(make("p", { class: "cl-note" }, say("sweep_measuring")));
    return;
  }
  if (!value.models.some((row) => row.kept)) on = "own";
  if (Object.keys(value.own).length > 1) asked = false;
  if (!value.models.some((row) => row.name === shown)) shown = value.chosen;
  const all = rows(value);
  const row = all.find((one) => one.name === shown);
  const any = all.find((one) => one.found);
  const frame = make("div", { class: "cl-plot" });
  followWidth(frame, () => {
    chartAxes = curve(value, all, frame.clientWidth);
    frame.replaceChildren(chartAxes.node);
  });
  body = make("tbody", {}, ...tableBody(value, all));
  title = make("h2", {}, say("sweep_table", { sigma: number(sigma) }));
  const lengths = all.filter((one) => one.found).map((one) => one.found.size);
  const axisSwitch = make("div", { class: "cl-chiprow cl-axis", role: "group", "aria-label": say("sweep_scale") }, make("span", { class: "cl-note" }, say("sweep_scale")),
    ...["absolute", "relative"].map((kind) => {
      const button = make("button", { type: "button", class: "cl-small", "aria-pressed": String(axis === kind) }, say(`sweep_${kind}`));
      button.addEventListener("click", () => { axis = kind; draw(); });
      return button;
    }));
  const lacking = on === "kept" ? all.filter((one) => !one.found).map((one) => one.name) : [];
  root.replaceChildren(switches(value),
    make("section", { class: "cl-card" }, make("h2", {}, say("sweep_title")), make("p", {}, say("sweep_title_text"), " ",
      any ? (on === "kept" ? say("sweep_tokens", { tokens: any.found.tokens.toLocaleString("en") }) : say("sweep_draws", { count: any.found.draws, draws: any.found.draws })) + "." : ""), axisSwitch,
      lengths.length > 1 ? make("p", { class: "cl-note" }, say("sweep_scale_text", { low: number(Math.min(...lengths)), high: number(Math.max(...lengths)) })) : null, frame,
      make("div", { class: "cl-keys" }, ...all.filter((one) => one.found).map((one) => make("span", { class: "cl-key" }, sample(one), one.name)))),
    make("section", { class: "cl-card" }, title, make("p", {}, say("sweep_table_text")),
      make("div", { class: "cl-scroll", tabindex: "0", role: "region", "aria-label": say("sweep_table", { sigma: number(sigma) }) },
        make("table", { class: "cl-table cl-wide" }, make("thead", {}, make("tr", {}, head(say("sweep_column_name"), false), head(say("sweep_column_rule"), false), head("K"), head("d"),
          head(say("sweep_column_back")), head(say("sweep_column_half")), head(say("sweep_column_size")), head(say("sweep_column_half_size")), head(say("sweep_column_sigma")), head(say("sweep_column_bits")), head(say("sweep_column_collapsed")))), body)),
      all.some((one) => one.found && one.rule === "kl") && all.every((one) => !one.found || !one.found.collapsed) ? make("p", { class: "cl-note" }, say("sweep_none_collapsed")) : null,
      on === "own" && all.some((one) => !one.found) ? make("p", { class: "cl-note" }, say("sweep_unmeasured")) : null,
      lacking.length ? make("p", { class: "cl-note" }, say("sweep_lacking", { names: lacking.join(", ") })) : null),
    ...[coordinates(value, row)].filter(Boolean),
    exportBar(value.python ? () => props.value.python : null, () => csv(props.value), "calm_lab-noise.csv"));
});

// The dial moves one line and the table; everything else stays.
document.addEventListener("calm-lab-dials", (event) => {
  if (event.detail.prefix !== "noise") return;
  sigma = event.detail.value.sigma;
  if (!chartAxes || !props.value || !props.value.models) return;
  const here = chartAxes.node.querySelector(".cl-dial-here");
  for (const side of ["x1", "x2"]) here?.setAttribute(side, chartAxes.px(sigma));
  title.textContent = say("sweep_table", { sigma: number(sigma) });
  body.replaceChildren(...tableBody(props.value, rows(props.value)));
});
document.dispatchEvent(new CustomEvent("calm-lab-dials-asked"));
keepDrawn(draw);
