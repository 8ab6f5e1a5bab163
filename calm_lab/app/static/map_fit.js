// UMAP once more with settings of the visitor: the dials, the bar of progress, and asking how far it is. Reads the state of
// map.js.

const POLL = 700, NEIGHBORS = [5, 10, 15, 30, 50, 100], DISTANCES = [0, 0.05, 0.1, 0.25, 0.5, 0.9];

const range = (key, steps, name) => {
  const output = make("output");
  const input = make("input", { type: "range", min: "0", max: String(steps.length - 1), step: "1", "aria-label": say(key) });
  const update = () => {
    output.textContent = String(steps[state[name]]);
    input.value = String(state[name]);
    input.setAttribute("aria-valuetext", String(steps[state[name]]));
    input.style.setProperty("--range_progress", `${(100 * state[name]) / (steps.length - 1)}%`);
  };
  input.addEventListener("input", () => { state[name] = Number(input.value); update(); });
  update();
  return make("div", { class: "cl-field" }, make("div", { class: "cl-ends" }, make("span", {}, say(key)), output), make("div", { class: "cl-panel-range" }, input));
};

const bar = (share, text) => make("div", { class: "cl-progress", role: "progressbar", "aria-valuenow": String(Math.round(100 * share)), "aria-valuemin": "0", "aria-valuemax": "100", "aria-label": text },
  make("i", { style: { width: `${100 * share}%` } }), make("span", {}, text));
const fitAgain = async () => {
  if (state.job) return;
  state.job = "asked";
  parts.fit.replaceChildren(bar(0, say("map_stage_start")));
  const answer = await question("map_fit", { n_neighbors: NEIGHBORS[state.neighbors], min_dist: DISTANCES[state.distance] }, parts.fit);
  if (!answer) {
    if (state.job === "asked") state.job = null;
    return;
  }
  state.job = answer.job;
  const { job } = answer;
  const cancel = button(say("map_cancel"), async () => {
    state.job = null;
    await question("map_fit_cancel", { job }, parts.fit);
    parts.fit.replaceChildren(make("p", { class: "cl-note", role: "status" }, say("map_cancelled")));
  });
  const begun = { start: 0, neighbours: 0.02, compiler: 0.12, layout: 0.3 }, wide = { start: 0.02, neighbours: 0.1, compiler: 0.18, layout: 0.7 };
  const line = make("div");
  parts.fit.replaceChildren(line, cancel);
  while (state.job === job) {
    const now = await question("map_fit_state", { job }, null, `fit${job}`);
    if (state.job !== job) return;
    if (!now) { state.job = null; return void line.replaceChildren(whyNot({ message: say("map_fit_gone") })); }
    if (now.map) return load(now.map);
    line.replaceChildren(bar(begun[now.stage] + (wide[now.stage] * now.done) / now.total, say(`map_stage_${now.stage}`, { done: now.done, total: now.total })));
    await new Promise((done) => { setTimeout(done, POLL); });
  }
};
