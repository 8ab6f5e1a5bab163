// Latent map: the chunks of a corpus as points. What is drawn once lies in the value; every question goes to the server.

const root = element.querySelector(".cl-map");
const PICTURES = ["umap", "pca"], COLOURS = ["frequency", "first", "punctuation", "sigma", "cluster"], PATHS = ["line", "sphere"];
const WAIT = 60, FOUND = 40;
let base = null, map = null, grids = {}, first = null;
const state = { picture: "umap", colour: "cluster", tool: "look", only: null, query: "", path: "line", overlay: "", seed: 7, end: 8, neighbors: 2, distance: 2 };
const fresh = () => Object.assign(state, { only: null, query: "", look: null, start: null, finish: null, walk: null, walkAt: 0, phrase: null, cloud: null, noise: null, noiseAt: 0, rows: null, words: [], job: null });
const parts = {}; // the nodes that change
const fill = (name, ...nodes) => keepFocus(parts[name], () => parts[name].replaceChildren(...nodes));
let asked = 0;

// One question to the server; a refusal is written into `place`. Nothing comes back where a later question has overtaken it,
// or another map has been opened.
const question = async (name, data, place, kind = name) => {
  const turn = (question.turns[kind] = (asked += 1)), { key } = base;
  place?.setAttribute("aria-busy", "true");
  let answer;
  try {
    answer = await server[name]({ key, ...data });
  } catch {
    answer = { message: say("map_lost") };
  }
  if (question.turns[kind] !== turn || base.key !== key) return null;
  place?.removeAttribute("aria-busy");
  if (!answer.message) return answer;
  (place || parts.side).replaceChildren(whyNot(answer));
  return null;
};
question.turns = {};

const load = (value) => {
  base = { ...value, texts: JSON.parse(value.texts), counts: floatsOf(value.counts), sigma: floatsOf(value.sigma) };
  base.colours = Object.fromEntries(Object.entries(value.colours).map(([name, kind]) => [name, { ...kind, places: floatsOf(kind.places) }]));
  base.lower = base.texts.map((text) => text.toLowerCase());
  base.points = Object.fromEntries(Object.entries(value.pictures).map(([name, text]) => [name, floatsOf(text)]));
  grids = Object.fromEntries(Object.entries(base.points).map(([name, places]) => [name, gridOf(places)]));
  fresh();
  state.picture = base.points.umap ? "umap" : "pca";
  build();
};

// ---- painting

// Chunks with the query at the start of a word; a query that begins with no letter may stand anywhere.
const matches = () => {
  const query = state.query.toLowerCase();
  if (!query.trim()) return null;
  const escaped = query.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const wanted = new RegExp(/^[\p{L}\p{N}]/u.test(query) ? `(?<![\\p{L}\\p{N}])${escaped}` : escaped, "u");
  return base.lower.flatMap((text, row) => (wanted.test(text) ? [row] : []));
};
const paint = () => {
  const found = layersOf(), hits = matches();
  const lit = hits ? new Set(hits) : state.rows && state.overlay === "lasso" ? new Set(state.rows) : null;
  const places = base.colours[state.colour]?.places;
  const only = places && state.only !== null ? (row) => places[row] === state.only : () => true;
  map.paintWith({ layers: found.layers, over, tool: state.tool, kept: (row) => (!lit || lit.has(row)) && only(row),
    describe: (row) => `${quoted(base.texts[row])}  ×${base.counts[row]}` });
  legended = found;
  const chosen = places && state.only !== null ? [wordsOf(() => [...base.texts.keys()].filter(only))] : [];
  fill("legend", ...legendOf(found), ...chosen);
  fill("found", ...(hits ? [make("span", { class: "cl-note", role: "status" }, say("map_found", { count: hits.length }), hits.length > FOUND ? ` ${say("map_found_shown", { count: FOUND })}` : ""),
    ...hits.slice(0, FOUND).map((row) => button(quoted(base.texts[row]), () => go(row))), hits.length ? wordsOf(() => hits) : ""] : []));
  for (const [group, value] of [["picture", state.picture], ["colour", state.colour], ["tool", state.tool], ["path", state.path]]) {
    root.querySelectorAll(`[data-${group}]`).forEach((node) => node.setAttribute("aria-pressed", String(node.dataset[group] === value)));
  }
};
const repaint = () => map.redraw();

// ---- questions

const calmly = () => (matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth");
const ends = (look) => [
  button(say("map_from"), () => setEnd("start", look)), button(say("map_to"), () => setEnd("finish", look))];
const showLook = (look, title) => {
  state.look = look;
  fill("side", ...lookPart(look, title, base, go, ends(look)).filter(Boolean));
  parts.said.replaceChildren(button(say("map_said", { text: quoted(look.tokens.join("").trim()) }), () => parts.side.scrollIntoView({ block: "start", behavior: calmly() })));
  map.goTo(...look.places[state.picture]);
};
const go = async (row) => {
  const look = await question("map_point", { row }, parts.side, "look");
  if (look) showLook({ ...look, row }, quoted(base.texts[row]));
};
const decodeAt = async (x, y) => {
  const look = await question("map_spot", { picture: state.picture, x, y }, parts.side, "look");
  if (look) showLook(look, say("map_between"));
};
const lasso = (rows) => {
  state.overlay = "lasso";
  return typical(rows);
};
// The same for a group of the legend or of a search, which the keyboard reaches.
const wordsOf = (rowsOf) => button(say("map_words_go"), async () => {
  if (state.overlay === "lasso") state.overlay = "";
  await typical(rowsOf());
  parts.lasso.scrollIntoView({ block: "nearest", behavior: calmly() });
}, { class: "cl-small cl-words-go" });
const typical = async (rows) => {
  Object.assign(state, { rows, words: [] });
  paint();
  const answer = await question("map_words", { rows }, parts.lasso, "words");
  if (!answer) return;
  state.words = answer.words;
  fill("lasso", ...wordsPart(rows, answer.words, base, go).filter(Boolean));
};
const setEnd = (which, look) => {
  state[which] = look;
  state.overlay = "walk";
  walkNow();
  parts.walkCard.scrollIntoView({ block: "nearest", behavior: calmly() });
};
const walkNow = async () => {
  repaint();
  if (!state.start || !state.finish) {
    parts.walk.replaceChildren(make("p", { class: "cl-note" }, say(state.start || state.finish ? "map_walk_other" : "map_walk_hint")));
    return;
  }
  const walk = await question("map_walk", { start: state.start.z, end: state.finish.z, path: state.path }, parts.walk);
  if (!walk) return;
  Object.assign(state, { walk, walkAt: 0, overlay: "walk" });
  parts.walk.replaceChildren(walkPart(walk, 0, (at) => { state.walkAt = at; state.overlay = "walk"; repaint(); }, "map_walk"));
  repaint();
};
const land = async (text) => {
  if (!text) {
    question.turns.map_phrase = (asked += 1); // what is under way comes too late
    state.phrase = null;
    parts.phrase.replaceChildren();
    return repaint();
  }
  const phrase = await question("map_phrase", { text }, parts.phrase);
  if (!phrase) return;
  Object.assign(state, { phrase, overlay: "phrase" });
  parts.phrase.replaceChildren(...phrase.looks.map((look, i) => button(`${i + 1} ${quoted(look.text)}`, () => showLook(look, quoted(look.text)))),
    make("span", { class: "cl-note", role: "status" }, say("map_landed", { count: phrase.looks.length, near: quoted(base.texts[phrase.looks[0].rows[0]]), distance: number(phrase.looks[0].distances[0]) })));
  map.goTo(...phrase.looks[0].places[state.picture]);
};
const drawCloud = async () => {
  const cloud = await question("map_cloud", { model: parts.calm.value, text: parts.context.value, seed: Number(parts.seed.value) }, parts.cloud);
  if (!cloud) return;
  Object.assign(state, { cloud, overlay: "cloud", look: null });
  parts.cloud.replaceChildren(cloudPart(cloud));
  repaint();
};
const walkNoise = async () => {
  const noise = await question("map_noise", { model: parts.calm.value, text: parts.context.value, seed: Number(parts.seed.value), end: Number(parts.end.value) }, parts.noise);
  if (!noise) return;
  Object.assign(state, { noise, noiseAt: 0, overlay: "noise", look: null });
  parts.noise.replaceChildren(walkPart(noise, 0, (at) => { state.noiseAt = at; state.overlay = "noise"; repaint(); }, "map_noise"));
  repaint();
};
const mapOwn = async (text) => {
  if (text.length > props.most) {
    parts.own.replaceChildren(whyNot({ message: say("map_own_long", { count: text.length.toLocaleString("en"), most: props.most.toLocaleString("en") }) }));
    return;
  }
  parts.own.replaceChildren(make("p", { class: "cl-note", role: "status" }, say("map_own_busy")));
  const answer = await question("map_own", { model: base.model, text }, parts.own);
  if (answer) load(answer);
};

// ---- the page

const choices = (group, values, act) => values.map((value) => button(say(`map_${group}_${value}`), () => { act(value); paint(); }, { [`data-${group}`]: value }));
const card = (title, text, ...children) => make("section", { class: "cl-card" }, make("h2", {}, say(title)), text ? make("p", {}, text) : null, ...children);
const field = (key, node) => make("label", { class: "cl-field" }, make("span", {}, say(key)), node);
const trustLine = () => {
  const share = (trust) => `${number(trust.value, 3)} ± ${number(1.96 * trust.standard_error, 3)}`;
  const { trust } = base, any = trust.pca;
  if (!any) return make("p", { class: "cl-note" }, say("map_trust_none"));
  return make("div", { class: "cl-trust" },
    facts(trust.umap ? [say("map_picture_umap"), share(trust.umap)] : null, [say("map_picture_pca"), share(trust.pca)], [say("map_shuffled"), share(trust.shuffled)]),
    make("p", { class: "cl-note" }, say("map_trust", { k: any.k, rows: any.rows.toLocaleString("en"), count: base.count.toLocaleString("en"), share: percent(base.share[0] + base.share[1]) })));
};

const rows = () => base.texts.map((text, row) => {
  const at = (name) => (base.points[name] ? [base.points[name][2 * row], base.points[name][2 * row + 1]].map((v) => number(v, 4)) : ["", ""]);
  const [[ux, uy], [px, py]] = [at("umap"), at("pca")];
  return { text, count: base.counts[row], posterior_sigma: base.sigma[row], cluster: base.colours.cluster.places[row] + 1, umap_x: ux, umap_y: uy, pca_x: px, pca_y: py };
});
const png = (canvas) => withLegend(canvas, parts.legend, legended.scale ? [0, 0.25, 0.5, 0.75, 1].map((share) => rampColour(share, legended.to)) : null).toBlob((blob) => {
  const address = URL.createObjectURL(blob);
  make("a", { href: address, download: `calm_lab-map-${state.picture}.png` }).click();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
});

const build = () => {
  const canvas = make("canvas", { class: "cl-points", tabindex: "0", role: "application", "aria-label": say("map_canvas", { count: base.count.toLocaleString("en") }) });
  const tip = make("div", { class: "cl-tip", hidden: true });
  for (const name of ["legend", "found", "said", "side", "walk", "phrase", "cloud", "noise", "lasso", "own", "fit"]) parts[name] = make("div", { class: `cl-part cl-part-of-${name}`, "aria-live": ["side", "walk", "cloud", "noise", "lasso"].includes(name) ? "polite" : null });
  map = mapOn(canvas, tip, (click) => (click.rows ? lasso(click.rows) : click.row !== undefined ? go(click.row) : decodeAt(...click.spot)));
  canvas.addEventListener("calm-lab-theme", () => base && paint());

  const search = make("input", { type: "search", class: "cl-input cl-long", placeholder: say("map_search"), "aria-label": say("map_search"), value: state.query });
  let wait = 0;
  search.addEventListener("input", () => { clearTimeout(wait); wait = setTimeout(() => { state.query = search.value; paint(); }, WAIT); });
  const typed = make("input", { type: "text", class: "cl-input cl-long", placeholder: say("map_phrase"), "aria-label": say("map_phrase"), value: state.phrase?.text || "" });
  let typing = 0;
  typed.addEventListener("input", () => { clearTimeout(typing); typing = setTimeout(() => land(typed.value), WAIT); });

  const pictures = choices("picture", PICTURES.filter((name) => base.points[name]), (value) => { state.picture = value; map.show(base.points[value], grids[value]); });
  const tools = choices("tool", ["look", "lasso"], (value) => { state.tool = value; });
  const zooms = [["+", "map_zoom_in", () => map.zoomBy(1.5)], ["−", "map_zoom_out", () => map.zoomBy(1 / 1.5)], ["⤢", "map_zoom_all", () => map.fit()]]
    .map(([sign, key, act]) => button(sign, act, { "aria-label": say(key), title: say(key), class: "cl-small cl-zoom" }));
  const own = make("textarea", { class: "cl-input cl-text-field", rows: "3", placeholder: say("map_own_place"), "aria-label": say("map_own_place") });
  const file = make("input", { type: "file", accept: ".txt,.md,text/plain", "aria-label": say("map_own_file") });
  file.addEventListener("change", async () => { if (file.files[0]) { own.value = await file.files[0].text(); mapOwn(own.value); } });
  const { calms } = base;
  parts.calm = make("select", { class: "cl-input cl-long" }, ...calms.map((name) => make("option", { value: name }, name)));
  parts.context = make("textarea", { class: "cl-input cl-text-field", rows: "2" }, props.prompt);
  parts.seed = make("input", { class: "cl-input", type: "number", min: "0", value: String(state.seed) });
  parts.end = make("input", { class: "cl-input", type: "number", min: "0", value: String(state.end) });
  parts.seed.addEventListener("change", () => { state.seed = Number(parts.seed.value); });
  parts.end.addEventListener("change", () => { state.end = Number(parts.end.value); });
  parts.walkCard = card("map_walk", say("map_walk_text"), make("div", { class: "cl-chiprow" }, ...choices("path", PATHS, (value) => { state.path = value; walkNow(); })), parts.walk);
  const settings = base.settings.n_neighbors ? say("map_settings", base.settings) : say("map_no_umap");

  root.replaceChildren(
    make("p", { class: "cl-note" }, say("map_about", { name: base.name, count: base.count.toLocaleString("en"), different: base.different.toLocaleString("en"), seen: base.seen.toLocaleString("en"), back: base.came_back.toLocaleString("en"), settings })),
    make("div", { class: "cl-map-grid" },
      make("section", { class: "cl-card cl-map-card" },
        make("div", { class: "cl-toolbar" },
          make("div", { class: "cl-chiprow", role: "group", "aria-label": say("map_picture") }, ...pictures),
          make("div", { class: "cl-chiprow", role: "group", "aria-label": say("map_tool") }, ...tools), make("div", { class: "cl-chiprow cl-right" }, ...zooms)),
        make("div", { class: "cl-chiprow", role: "group", "aria-label": say("map_colour") }, make("span", { class: "cl-note" }, say("map_colour")),
          ...choices("colour", COLOURS, (value) => { state.colour = value; state.only = null; })),
        make("div", { class: "cl-map-frame" }, canvas, tip), parts.said, parts.legend, trustLine()),
      make("section", { class: "cl-card cl-side" }, parts.side)),
    make("div", { class: "cl-charts" },
      card("map_phrase_title", say("map_phrase_text"), typed, parts.phrase),
      card("map_search_title", say("map_search_text"), search, parts.found)),
    parts.walkCard,
    card("map_cloud_title", say("map_cloud_text", { k: base.chunk_size }),
      calms.length ? make("div", { class: "cl-form" }, field("map_cloud_calm", parts.calm), field("map_cloud_context", parts.context), field("map_cloud_seed", parts.seed), field("map_cloud_end", parts.end)) : make("p", { class: "cl-note" }, say("map_cloud_none")),
      calms.length ? make("div", { class: "cl-chiprow" }, button(say("map_cloud_go"), drawCloud), button(say("map_noise_go"), walkNoise)) : null, parts.cloud, parts.noise),
    make("div", { class: "cl-charts" },
      card("map_lasso_title", say("map_lasso_text"), parts.lasso),
      card("map_own_title", say("map_own_text", { most: props.most.toLocaleString("en") }), own, make("div", { class: "cl-chiprow" }, file, button(say("map_own_go"), () => mapOwn(own.value)),
        base.key !== first.key ? button(say("map_back_first"), () => load(first)) : null), parts.own),
      card("map_fit_title", say("map_fit_text"), range("map_fit_neighbors", NEIGHBORS, "neighbors"), range("map_fit_distance", DISTANCES, "distance"), button(say("map_fit_go"), fitAgain), parts.fit)),
    make("div", { class: "cl-chiprow" }, exportBar(() => base.python, rows, "calm_lab-map.csv"), button(say("map_png"), () => png(canvas))));
  map.show(base.points[state.picture], grids[state.picture]);
  if (state.look) parts.side.replaceChildren(...lookPart(state.look, quoted(state.look.text), base, go, ends(state.look)).filter(Boolean));
  else parts.side.replaceChildren(make("p", { class: "cl-note" }, say("map_side_hint")), make("p", { class: "cl-note" }, say("map_keys")));
  if (state.walk) parts.walk.replaceChildren(walkPart(state.walk, state.walkAt, (at) => { state.walkAt = at; repaint(); }, "map_walk"));
  else parts.walk.replaceChildren(make("p", { class: "cl-note" }, say("map_walk_hint")));
  if (state.cloud) parts.cloud.replaceChildren(cloudPart(state.cloud));
  if (state.noise) parts.noise.replaceChildren(walkPart(state.noise, state.noiseAt, (at) => { state.noiseAt = at; repaint(); }, "map_noise"));
  if (state.rows) parts.lasso.replaceChildren(...wordsPart(state.rows, state.words, base, go).filter(Boolean));
  else parts.lasso.replaceChildren(make("p", { class: "cl-note" }, say("map_lasso_hint")));
  paint();
};

let drawn = null;
const draw = () => {
  const value = props.value;
  if (value && value.message) {
    root.replaceChildren(whyNot(value));
  } else if (!value || !value.texts) {
    root.replaceChildren(make("p", { class: "cl-note", role: "status" }, say("map_opening")));
  } else if (drawn !== value.key) {
    drawn = value.key;
    first = value;
    load(value);
  } else build(); // the language has changed
};
keepDrawn(draw);
