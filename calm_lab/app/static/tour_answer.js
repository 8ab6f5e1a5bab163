// The tour's answer: the picture of the open step, what one should see, and where to go from there.

const root = element.querySelector(".cl-tour-answer");
const special = (role) => (role ? say(`token_${role}`) : null);
const minus = (value, digits) => number(value, digits).replace("-", "−");
let open = null; // the step that is open; an answer to another one is on its way out

const words = (said) => (Array.isArray(said) ? say(`tour_${said[0]}`, said[1]) : said);

const bars = (value) =>
  make("ul", { class: "cl-hbars cl-tour-bars" }, ...value.bars.map((bar) =>
    make("li", { class: bar.kind === "sample" ? "cl-mine" : "" },
      make("span", {}, bar.name ?? say(`tour_bar_${bar.key}`, bar.values)),
      make("span", { class: "cl-tour-track", "aria-hidden": "true" },
        make("i", { class: bar.kind ? `cl-${bar.kind}-bar` : "", style: { width: `${100 * bar.share}%` } }),
        bar.mark === undefined ? null : make("s", { style: { left: `${100 * Math.min(1, bar.mark)}%` } })),
      make("span", { class: "cl-bar-value" }, words(bar.text)))));

const tokens = (pieces, roles, spread, wrong, cls = "") =>
  make("div", { class: `cl-tokens ${cls}` }, ...pieces.map((piece, i) =>
    make("span", { class: `cl-token ${wrong[i] ? "cl-wrong" : ""} ${roles[i] === "pad" && !wrong[i] ? "cl-quiet" : ""}` }, tokenNode(piece, special(roles[i]), spread[i]))));

const chunks = (reading) =>
  make("div", { class: "cl-chunks" }, ...reading.chunks.map((chunk, i) =>
    make("div", { class: "cl-tour-chunk", style: chunkStyle(i) },
      tokens(chunk.tokens, chunk.roles, chunk.spread, [], "cl-tour-given"),
      make("div", { class: "cl-strip", "aria-hidden": "true", style: { "background-image": stripes(chunk.z, latentColour), "margin-bottom": "8px" } }),
      tokens(chunk.decoded, chunk.decoded_roles, chunk.decoded_spread, chunk.wrong))));

const written = ({ prompt, chunks: said }) =>
  make("div", {}, make("p", { class: "cl-story" }, prompt, ...said.map((chunk, i) =>
    make("span", { class: "cl-said", style: chunkStyle(i) }, chunk.tokens.filter((_, k) => !chunk.roles[k]).join("")))),
  make("div", { class: "cl-chunks" }, ...said.map((chunk, i) =>
    make("div", { class: "cl-tour-chunk", style: chunkStyle(i) }, tokens(chunk.tokens, chunk.roles, [], []),
      make("div", { class: "cl-foot" }, say("tour_drawn", { count: chunk.count, draws: chunk.draws }))))));

const framed = (paint) => {
  const frame = make("div", { class: "cl-plot" });
  followWidth(frame, () => frame.replaceChildren(paint(frame.clientWidth)));
  return frame;
};
const picture = () => say("tour_picture", { step: open });

const plane = ({ samples, targets, curve, here, best }) => [
  framed((width) => {
    const reach = 2.6, height = Math.min(width, 260), wide = reach * (width - 44) / (height - 50);
    const axes = chart(width, height, { low: -wide, high: wide, ticks: [] }, { low: -reach, high: reach, ticks: [], room: 14 }, picture());
    const dots = (points, cls) => points.map(([x, y]) => svg("circle", { class: cls, cx: axes.px(x), cy: axes.py(y), r: 4 }));
    axes.add(...dots(targets, "cl-tour-target"), ...dots(samples, "cl-sample-point"));
    return axes.node;
  }),
  make("div", { class: "cl-keys" }, keySign("cl-dot", say("tour_key_sample")), keySign("cl-ring", say("tour_key_target"))),
  framed((width) => {
    const low = Math.min(...curve.map(([, y]) => y)), room = 0.1 * (best - low) + 0.05;
    const axes = chart(width, 170, { low: 0, high: curve.at(-1)[0], ticks: [0, 0.5, 1, 1.5], name: say("tour_spread") },
      { low: low - room, high: best + room, ticks: roundTicks(low - room, best + room, 3) }, picture());
    axes.add(line(axes, [[0, best], [curve.at(-1)[0], best]], "cl-limit"), line(axes, curve, "cl-theory"),
      svg("line", { class: "cl-here", x1: axes.px(here), x2: axes.px(here), y1: axes.top, y2: axes.bottom }));
    return axes.node;
  })];

const draws = (value) => {
  const head = (key) => make("th", { scope: "col" }, say(`tour_column_${key}`));
  const row = ([truth, first, second, scores]) => make("tr", {}, ...[truth, first, second].map((word) =>
    make("td", {}, make("span", { class: "cl-piece" }, word))), make("td", {}, scores.map((one) => (one > 0 ? `+${one}` : minus(one, 0))).join(", ")));
  return make("table", { class: "cl-table" }, make("thead", {}, make("tr", {}, ...["truth", "first", "second", "score"].map(head))),
    make("tbody", {}, ...value.draws.map(row)));
};

const settling = ({ points, exact, positions }) => [
  framed((width) => {
    const most = Math.max(exact, ...points.map(([, y]) => y)) * 1.35;
    const x = { low: 25, high: Math.max(positions, 100) * 1.2, log: true, ticks: powerTicks(25, Math.max(positions, 100) * 1.2), name: say("tour_axis_positions") };
    const axes = chart(width, 210, x, { low: 0, high: most, ticks: roundTicks(0, most, 4), name: "BrierLM" }, picture());
    axes.add(line(axes, [[x.low, exact], [x.high, exact]], "cl-theory"),
      ...points.map(([n, y, error]) => measured(axes, n, y, error, "", `${n.toLocaleString("en")}: ${number(y)} ± ${number(2 * error)}`, 3.5)));
    return axes.node;
  }),
  make("div", { class: "cl-keys" }, keySign("cl-dot", say("tour_key_estimate")), keySign("cl-stroke", say("tour_key_exact")))];

const paper = (rows) => framed((width) => {
  const high = 25e20;
  const axes = chart(width, 270, { low: 0, high, ticks: [0, 5e20, 10e20, 15e20, 20e20], name: say("tour_axis_training"), format: (v) => (v ? `${v / 1e20}e20` : "0") },
    { low: 5, high: 9.5, ticks: [5, 6, 7, 8, 9], name: "BrierLM" }, picture());
  for (const row of rows) {
    const calm = row.name.startsWith("CALM");
    axes.add(svg("circle", { class: `${calm ? "cl-sample-point" : "cl-tour-target"}`, cx: axes.px(row.x), cy: axes.py(row.y), r: row.chosen ? 8 : 4 }),
      svg("text", { class: row.chosen ? "cl-tour-chosen" : "", x: axes.px(row.x) + (calm ? 10 : -10), y: axes.py(row.y) + (calm ? 17 : -9), "text-anchor": calm ? "start" : "end" }, row.name));
  }
  return axes.node;
});

const parts = (value) => [
  ...(value.draws ? [draws(value)] : []), ...(value.curve ? settling(value.curve) : []), ...(value.plane ? plane(value.plane) : []),
  ...(value.paper ? [paper(value.paper)] : []), ...(value.reading ? [chunks(value.reading)] : []), ...(value.written ? [written(value.written)] : []),
  ...(value.bars ? [bars(value)] : []), ...(value.key ? [make("p", { class: "cl-note" }, say(`tour_key_${value.key}`))] : [])];

// A link works as one (in another tab of the browser too); a plain click opens the tab that is already there.
const deeper = (stop) => {
  const link = make("a", { href: `?tab=${stop.tab}` }, say("tour_open", { tab: say(stop.title) }));
  link.addEventListener("click", (event) => {
    const tab = document.querySelector(`[role="tab"][aria-controls="tab-${stop.tab}"]`);
    if (!tab || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    tab.click();
    tab.focus();
  });
  return link;
};

const step = (by, key, cls) => {
  const there = open + by;
  if (there < 1 || there > props.stops.length) return null;
  const button = make("button", { type: "button", class: cls }, say(key));
  button.addEventListener("click", () => document.dispatchEvent(new CustomEvent("calm-lab-tour-go", { detail: { by } })));
  return button;
};

const shownPart = make("div", { class: "cl-tour-picture" });
const told = make("p", { class: "cl-tour-see", role: "status" });
const exports = exportBar(() => props.value.python, () => props.value.rows, "calm_lab-tour.csv");
const ways = make("div", { class: "cl-tour-ways" });

const draw = () => {
  const value = props.value;
  if (open === null) return;
  const stop = props.stops[open - 1];
  const ready = value && value.step === open;
  exports.hidden = !ready || Boolean(value.message);
  if (ready && value.message) {
    shownPart.replaceChildren(whyNot(value));
    told.replaceChildren();
  } else if (ready) {
    shownPart.replaceChildren(...parts(value));
    told.replaceChildren(make("b", {}, say("tour_see")), " ", value.see.map(([key, gaps]) => say(key, gaps)).join(" "));
  } else {
    shownPart.replaceChildren(make("p", { class: "cl-note" }, say("tour_waiting")));
    told.replaceChildren();
  }
  ways.replaceChildren(
    make("ul", {}, make("li", {}, deeper(stop)), make("li", {}, say("tour_notebook", { notebook: `${stop.notebook}.ipynb` })),
      make("li", {}, make("a", { href: props.paper, target: "_blank", rel: "noopener" }, say("tour_paper", { section: stop.section })))),
    make("div", { class: "cl-chiprow" }, step(-1, "tour_back", "cl-small"), step(1, "tour_next", "cl-small cl-tour-next")));
};

document.addEventListener("calm-lab-tour", (event) => {
  if (event.detail.step === open) return;
  open = event.detail.step;
  draw();
});
root.replaceChildren(make("section", { class: "cl-card" }, shownPart, told, exports, ways));
keepDrawn(draw);
document.dispatchEvent(new CustomEvent("calm-lab-tour-asked"));
