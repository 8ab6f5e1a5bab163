// Energy score: a trained model on real text, a row a chunk: both terms as bars, the score beside the most it could be.

const root = element.querySelector(".cl-positions");

const run = followRun("chunks");

const figure = (value) => (Math.abs(value) >= 1000 ? value.toExponential(1).replace("e+", "e") : number(value, 2)).replace("-", "−");
const mean = (value, key) => value.chunks.reduce((sum, chunk) => sum + chunk[key], 0) / value.chunks.length;
const stat = (name, text, note) => make("div", { class: "cl-stat" }, make("dt", {}, name), make("dd", {}, text), make("dd", { class: "cl-note" }, note));

const stats = (value) => make("dl", { class: "cl-stats" },
  stat(say("energy_diversity"), figure(mean(value, "diversity")), say("positions_diversity_note")),
  stat(say("energy_fidelity"), figure(mean(value, "fidelity")), say("positions_fidelity_note")),
  stat(say("energy_score"), figure(mean(value, "score")), say("positions_score_note", { best: figure(mean(value, "best")) })));

const chunkTokens = (chunk, index) => make("span", { class: "cl-tokens", style: chunkStyle(index) },
  ...chunk.tokens.map((piece, i) => (chunk.roles[i] === "pad" ? null
    : make("span", { class: "cl-token" }, tokenNode(piece, chunk.roles[i] && say(`token_${chunk.roles[i]}`), chunk.spread[i])))).filter(Boolean));

const saidNode = (text, hits, draws) => make("span", {}, text.trim() ? text.trim() : make("span", { class: "cl-special" }, say("token_end")), make("small", {}, ` ${hits}/${draws}`));

const draw = () => keepFocus(root, () => {
  const value = run();
  if (!value) return root.replaceChildren();
  const longest = 1.02 * Math.max(...value.chunks.flatMap((chunk) => [chunk.fidelity, chunk.diversity]));
  const low = Math.min(...value.chunks.map((chunk) => chunk.score - 2 * chunk.error)), high = Math.max(...value.chunks.map((chunk) => chunk.best));
  const room = 0.04 * (high - low || 1);
  const place = (score) => `${((100 * (score - low + room)) / (high - low + 2 * room)).toFixed(2)}%`;
  const bar = (kind, size) => make("i", { class: `cl-term cl-term-${kind}`, style: { width: `${((100 * size) / longest).toFixed(2)}%` } });
  const row = (chunk, index) => {
    const words = { chunk: chunk.text.trim() || say("token_end"), diversity: figure(chunk.diversity), fidelity: figure(chunk.fidelity), score: figure(chunk.score),
      error: figure(2 * chunk.error), best: figure(chunk.best), hits: chunk.hits, draws: value.draws };
    return make("tr", { title: say("positions_point", words) },
      make("th", { scope: "row" }, chunkTokens(chunk, index)),
      make("td", { class: "cl-lane-cell" }, make("span", { class: "cl-terms", "aria-hidden": "true" }, bar("fidelity", chunk.fidelity), bar("diversity", chunk.diversity)),
        make("span", { class: "cl-sr" }, `${words.diversity}; ${words.fidelity}`)),
      make("td", { class: "cl-lane-cell" }, make("span", { class: "cl-score-lane", "aria-hidden": "true" },
        make("u", { style: { left: place(chunk.score - 2 * chunk.error), right: `calc(100% - ${place(chunk.score + 2 * chunk.error)})` } }),
        make("i", { class: "cl-mark cl-ring", style: { left: place(chunk.best) } }), make("i", { class: "cl-mark cl-dot", style: { left: place(chunk.score) } }))),
      make("td", { class: "cl-number" }, words.score),
      make("td", { class: "cl-number cl-hits" }, `${chunk.hits}/${value.draws}`),
      make("td", { class: "cl-likeliest" }, saidNode(chunk.likeliest, chunk.likeliest_hits, value.draws)));
  };
  const head = (text, cls = "") => make("th", { scope: "col", class: cls }, text);
  root.replaceChildren(
    stats(value),
    make("section", { class: "cl-card", "aria-busy": String(value.status === "running") },
      make("h2", {}, say("positions_title")),
      make("p", {}, say(`positions_${value.status}`, { model: value.model, count: value.chunks.length, draws: value.draws, alpha: value.alpha })),
      make("table", { class: "cl-table" },
        make("thead", {}, make("tr", {}, head(say("positions_chunk")), head(say("positions_terms")), head(say("positions_lane")), head(say("positions_score"), "cl-number"),
          head(say("positions_hits"), "cl-number cl-hits"), head(say("positions_likeliest"), "cl-likeliest"))),
        make("tbody", {}, ...value.chunks.map(row))),
      make("div", { class: "cl-keys" }, keySign("cl-term-diversity", say("energy_diversity")), keySign("cl-term-fidelity", say("energy_fidelity")),
        keySign("cl-dot", say("positions_key_score")), keySign("cl-ring", say("positions_key_best")))),
    exportBar(() => run().python, () => run().chunks.map((chunk, i) => ({ chunk: i + 1, text: chunk.text, diversity: chunk.diversity, fidelity: chunk.fidelity, score: chunk.score,
      score_error: chunk.error, best: chunk.best, hits: chunk.hits, likeliest: chunk.likeliest, likeliest_hits: chunk.likeliest_hits,
      model: value.model, alpha: value.alpha, draws: value.draws, seed: value.seed })), "energy-on-text.csv"));
});

keepDrawn(draw);
