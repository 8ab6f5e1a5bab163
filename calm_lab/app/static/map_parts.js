// The parts around the map: what a vector says, a walk step by step, a cloud of draws, typical words.

const shownTokens = (tokens, roles, flips = []) => make("span", { class: "cl-tokens" }, ...tokens.map((piece, i) =>
  make("span", { class: `cl-token${flips[i] ? " cl-flip" : ""}` }, tokenNode(piece, roles[i] ? say(`token_${roles[i]}`) : null))));

const quoted = (text) => (text.trim() ? text.replaceAll("\n", "↵") : "␣");

const button = (text, act, attributes = {}) => {
  const node = make("button", { type: "button", class: "cl-small", ...attributes }, text);
  node.addEventListener("click", act);
  return node;
};

const facts = (...pairs) => make("dl", { class: "cl-facts" }, ...pairs.filter(Boolean).flatMap(([name, value]) =>
  [make("dt", {}, name), make("dd", {}, value)]));

// Mean as bars, posterior sigma as whiskers; a vector without a posterior has bars only.
const vectorBars = (look) => {
  const reach = Math.max(SCALE, ...look.z.map((m, i) => Math.abs(m) + (look.std ? look.std[i] : 0)));
  const place = (value) => 50 - (50 * value) / reach;
  const bars = look.z.map((mean, i) => {
    const values = { i: i + 1, mean: number(mean), std: look.std ? number(look.std[i]) : "–", bits: look.bits ? number(look.bits[i], 1) : "–" };
    return make("i", { class: "cl-bar", title: look.std ? say("detail_coordinate", values) : number(mean) },
      make("b", { style: { top: `${place(Math.max(mean, 0))}%`, bottom: `${100 - place(Math.min(mean, 0))}%`, background: latentColour(mean < 0 ? -SCALE : SCALE) } }),
      look.std ? make("u", { style: { top: `${place(mean + look.std[i])}%`, bottom: `${100 - place(mean - look.std[i])}%` } }) : null);
  });
  return make("div", { class: "cl-bars cl-low", role: "img", "aria-label": say("detail_plot", { l: look.z.length }) },
    make("em", { style: { top: "0" } }, `+${number(reach, 1)}`), make("em", { style: { top: "50%" } }, "0"),
    make("em", { style: { top: "100%" } }, `−${number(reach, 1)}`), ...bars);
};

// `title` names the vector; `go` shows a chunk of the map; `ends` are the buttons that make it an end of a walk.
const lookPart = (look, title, base, go, ends) => {
  const sum = (values) => values.reduce((total, value) => total + value, 0);
  const mean = (values) => sum(values) / values.length;
  const blend = look.blend && look.blend.length
    ? make("p", { class: "cl-note" }, say("map_blend"), " ", ...look.blend.flatMap(({ row, weight }) => [make("q", {}, quoted(base.texts[row])), ` ${percent(weight)} `]))
    : null;
  return [
    make("h2", {}, title),
    make("div", { class: "cl-caption" }, say("map_says")),
    make("div", { class: "cl-tokens" }, ...look.tokens.map((piece, i) => make("span", {
      class: "cl-token cl-sure", style: { "--p": `${100 * look.confidence[i]}%` }, title: `${say("detail_probability")} ${percent(look.confidence[i])}` },
      tokenNode(piece, look.roles[i] ? say(`token_${look.roles[i]}`) : null)))),
    facts(look.row === undefined ? null : [say("map_count"), String(base.counts[look.row])],
      look.bits ? [say("map_bits"), say("board_bits_short", { bits: Math.round(sum(look.bits)) })] : null,
      look.std ? [say("map_sigma"), number(mean(look.std), 3)] : null,
      [say("map_norm"), number(look.norm)], [say("map_back"), number(look.back)]),
    blend,
    make("div", { class: "cl-caption" }, look.std ? say("map_posterior") : say("map_vector")),
    vectorBars(look),
    make("div", { class: "cl-caption" }, say("map_neighbours", { l: base.latent_size })),
    make("ol", { class: "cl-near" }, ...look.rows.map((row, i) => make("li", {},
      button(quoted(base.texts[row]), () => go(row)), make("span", { class: "cl-number" }, number(look.distances[i]))))),
    make("div", { class: "cl-chiprow" }, ...ends),
  ];
};

// A slider through the steps, the distance of each to encode(decode(z)), and every stretch of equal text.
const walkPart = (walk, at, moved, name) => {
  const { steps } = walk;
  const said = make("div", { class: "cl-step", "aria-live": "polite" });
  const input = make("input", { type: "range", min: "0", max: String(steps.length - 1), step: "1", "aria-label": say(name) });
  const frame = make("div", { class: "cl-plot" });
  let here = null;
  const stretches = [];
  steps.forEach((step, i) => (i && !step.flips.some(Boolean) ? (stretches[stretches.length - 1].last = i) : stretches.push({ first: i, last: i })));
  const show = (index) => {
    const step = steps[index];
    input.value = String(index);
    input.style.setProperty("--range_progress", `${(100 * index) / (steps.length - 1)}%`);
    input.setAttribute("aria-valuetext", `${number(step.t)} ${step.tokens.join("")}`);
    said.replaceChildren(shownTokens(step.tokens, step.roles, step.flips),
      make("span", { class: "cl-note" }, say("map_step", { t: number(step.t), back: number(step.back), norm: number(step.norm) })));
    if (here) here.axes.add(mark(index));
    list.querySelectorAll("li").forEach((item, i) => item.classList.toggle("cl-on", index >= stretches[i].first && index <= stretches[i].last));
  };
  const mark = (index) => {
    here.node?.remove();
    here.node = svg("line", { class: "cl-here", x1: here.axes.px(steps[index].t), x2: here.axes.px(steps[index].t), y1: here.axes.top, y2: here.axes.bottom });
    return here.node;
  };
  const list = make("ol", { class: "cl-stretches" }, ...stretches.map(({ first, last }) => make("li", {},
    make("button", { type: "button", class: "cl-stretch", "data-step": String(first) },
      make("span", { class: "cl-number" }, first === last ? number(steps[first].t) : `${number(steps[first].t)}–${number(steps[last].t)}`),
      shownTokens(steps[first].tokens, steps[first].roles, steps[first].flips)))));
  list.addEventListener("click", (event) => {
    const step = event.target.closest("[data-step]");
    if (step) choose(Number(step.dataset.step));
  });
  const choose = (index) => {
    show(index);
    moved(index);
  };
  input.addEventListener("input", () => choose(Number(input.value)));
  followWidth(frame, () => {
    const high = 1.1 * Math.max(0.1, ...steps.map((step) => step.back));
    const axes = chart(frame.clientWidth, 170, { low: 0, high: 1, ticks: [0, 0.25, 0.5, 0.75, 1], name: say(`${name}_axis`) },
      { low: 0, high, ticks: roundTicks(0, high, 4), name: say("map_back_axis"), room: 34 }, say("map_back_axis"));
    axes.add(line(axes, steps.map((step) => [step.t, step.back]), "cl-sweep-solid"),
      ...steps.map((step) => svg("circle", { class: step.flips.some(Boolean) ? "cl-flipped" : "cl-kept", cx: axes.px(step.t), cy: axes.py(step.back), r: step.flips.some(Boolean) ? 4 : 2.5 },
        svg("title", {}, `${number(step.t)}: ${step.tokens.join("")}`))));
    here = { axes, node: null };
    frame.replaceChildren(axes.node);
    axes.add(mark(Number(input.value)));
  });
  show(Math.min(at, steps.length - 1));
  return make("div", { class: "cl-walk" },
    make("div", {}, make("div", { class: "cl-panel-range" }, input), said, frame,
      make("div", { class: "cl-keys" }, keySign("cl-dot", say("map_key_flip")), keySign("cl-small-dot", say("map_key_same")))),
    make("div", {}, make("div", { class: "cl-caption" }, say("map_stretches", { count: walk.chunks })), list));
};

const cloudPart = (cloud) => {
  const most = Math.max(...cloud.candidates.map((candidate) => candidate.count));
  return make("div", { class: "cl-cloud" },
    make("p", { class: "cl-context" }, cloud.context, make("mark", {}, quoted(cloud.truth))),
    facts([say("map_hits"), say("map_of", { part: cloud.hits, all: cloud.count })], [say("map_distinct"), String(cloud.distinct)],
      [say("map_diversity"), number(cloud.diversity)], [say("map_fidelity"), number(cloud.fidelity)], [say("map_spread"), number(cloud.spread)],
      [say("map_score"), number(cloud.score).replace("-", "−")]),
    make("ol", { class: "cl-hbars cl-candidates" }, ...cloud.candidates.map((candidate) =>
      make("li", { class: candidate.true ? "cl-mine" : "" }, make("span", {}, quoted(candidate.text)),
        make("span", { class: "cl-share" }, make("i", { style: { width: `${(100 * candidate.count) / most}%` } })),
        make("span", { class: "cl-bar-value" }, `${candidate.count}${candidate.true ? ` ${say("map_true")}` : ""}`)))),
    make("p", { class: "cl-note" }, say("map_cloud_note", { count: cloud.count, sigma: number(cloud.sigma, 3), near: number(cloud.near) })));
};

const wordsPart = (rows, words, base, go) => [
  make("p", {}, say("map_chosen", { count: rows.length })),
  words.length
    ? make("div", { class: "cl-scroll", tabindex: "0", role: "region", "aria-label": say("map_typical") },
      make("table", { class: "cl-table cl-wide" }, make("thead", {}, make("tr", {}, make("th", { scope: "col" }, say("map_typical")),
        ...["map_inside", "map_outside", "map_odds", "map_z"].map((key) => make("th", { scope: "col", class: "cl-number" }, say(key))))),
      make("tbody", {}, ...words.map((word) => make("tr", {}, make("th", { scope: "row" }, word.word),
        ...[String(word.inside), String(word.outside), number(word.log_odds), number(word.z, 1)].map((text) => make("td", { class: "cl-number" }, text)))))))
    : make("p", { class: "cl-note" }, say("map_no_words")),
  make("div", { class: "cl-found" }, ...rows.slice(0, 60).map((row) => button(quoted(base.texts[row]), () => go(row)))),
  rows.length > 60 ? make("p", { class: "cl-note" }, say("map_more", { count: rows.length - 60 })) : null,
];

// The picture with its legend below: points without their colours' names say little away from this page.
const withLegend = (canvas, legend, ramp) => {
  const scale = canvas.width / canvas.clientWidth, edge = 12 * scale, height = 22 * scale;
  const whole = document.createElement("canvas");
  const pen = whole.getContext("2d"), font = `${13 * scale}px ${getComputedStyle(document.body).fontFamily}`;
  pen.font = font;
  const keys = [...legend.children].filter((node) => node.querySelector("i")).map((node) => ({
    text: [...node.childNodes].filter((child) => child.nodeName !== "I").map((child) => child.textContent.trim()).filter(Boolean).join("  "),
    colour: node.querySelector(".cl-ramp") ? null : node.querySelector("i")?.style.background }));
  let x = edge, line = 0;
  const placed = keys.map((key) => {
    const width = (ramp ? 90 : 20) * scale + pen.measureText(key.text).width + edge;
    if (x > edge && x + width > canvas.width) [x, line] = [edge, line + 1];
    const at = { ...key, x, line };
    x += width;
    return at;
  });
  whole.width = canvas.width;
  whole.height = canvas.height + (line + 1) * height + edge;
  pen.fillStyle = css("card");
  pen.fillRect(0, 0, whole.width, whole.height);
  pen.drawImage(canvas, 0, 0);
  pen.font = font;
  pen.textBaseline = "middle";
  for (const key of placed) {
    const y = canvas.height + edge / 2 + (key.line + 0.5) * height, size = 12 * scale, room = ramp ? 80 * scale : size;
    if (ramp) {
      const fade = pen.createLinearGradient(key.x, 0, key.x + room, 0);
      ramp.forEach((colour, i) => fade.addColorStop(i / (ramp.length - 1), colour));
      pen.fillStyle = fade;
    } else pen.fillStyle = key.colour || css("muted");
    pen.fillRect(key.x, y - size / 2, room, size);
    pen.fillStyle = css("ink");
    pen.fillText(key.text, key.x + room + 6 * scale, y);
  }
  return whole;
};
