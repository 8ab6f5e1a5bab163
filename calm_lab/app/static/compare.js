// The same prompt and seed at T = 1, 1/2 and 1/3, and the token Transformer below: texts, and what each took.

const root = element.querySelector(".cl-compare");
const AT_ALL = ["prompt", "length", "pool", "seed", "model"]; // what the comparison depends on
let opened = null; // { lane, step }
let drawnRun = null;

const compact = (value) => value.toExponential(2).replace(/e\+?(-?\d+)$/, (_, power) => ` · 10${[...power].map((c) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[c] ?? "⁻").join("")}`);
const millions = (value) => `${number(value / 1e6, value < 1e7 ? 2 : 0)} M`;
const title = (lane) => say(`compare_${lane.kind}`, { t: fraction(1 / lane.n) });

const textNode = (lane, place) => {
  if (lane.pieces) {
    return make("div", { class: "cl-text" }, ...lane.pieces.map((piece, i) => make("span", { class: "cl-said", style: chunkStyle(i) }, piece)),
      lane.status === "ended" ? make("span", { class: "cl-special" }, ` ${say("token_end")}`) : "");
  }
  const text = make("div", { class: "cl-text", role: "listbox", "aria-label": `${title(lane)}: ${say("stage_text")}`, "aria-orientation": "horizontal" },
    ...(lane.steps || []).map(chunkNode));
  roving(text, (step) => {
    opened = { lane: place, step };
    mark();
    root.querySelector(".cl-pool")?.replaceWith(aside(props.value));
  });
  return text;
};

const laneNode = (value, lane, place) => make("section", { class: `cl-lane cl-${lane.status}` },
  make("h3", {}, title(lane)),
  make("p", { class: "cl-story" }, make("span", { class: "cl-prompt" }, value.prompt), textNode(lane, place)),
  lane.steps && !lane.steps.some((step) => step.text.trim()) && lane.status === "ended" ? make("p", { class: "cl-note" }, say("compare_empty")) : null,
  lane.steps && lane.steps.some((step) => step.used < step.wanted)
    ? make("p", { class: "cl-note" }, say("compare_loose", { loose: lane.steps.filter((step) => step.used < step.wanted).length, steps: lane.steps.length, n: lane.n })) : null);

const COLUMNS = [
  ["tokens", (spent) => counted(spent.tokens)], ["steps", (spent) => counted(spent.steps)], ["calls", (spent) => counted(spent.calls)],
  ["seconds", (spent) => number(spent.seconds, 2)], ["rate", (spent) => calls(spent.tokens_per_second)],
  ["flops", (spent) => compact(spent.flops)], ["per_token", (spent) => compact(spent.flops_per_token)], ["parameters", (spent) => millions(spent.parameters)],
];
const calls = (value) => (value < 100 ? number(value, 1) : counted(value));

const tableNode = (value) => make("div", { class: "cl-scroll", tabindex: "0", role: "region", "aria-label": say("compare_table") },
  make("table", { class: "cl-table cl-wide" },
    make("thead", {}, make("tr", {}, make("th", { scope: "col" }, say("compare_text")),
      ...COLUMNS.map(([name]) => make("th", { scope: "col", class: "cl-number" }, say(`compare_${name}`))))),
    make("tbody", {}, ...value.lanes.filter((lane) => lane.spent?.steps).map((lane) => make("tr", {},
      make("th", { scope: "row" }, title(lane)), ...COLUMNS.map(([, shown]) => make("td", { class: "cl-number" }, shown(lane.spent))))))));

const aside = (value) => {
  const lane = opened && value.lanes[opened.lane];
  const step = lane?.steps?.[opened.step];
  if (!step) return make("aside", { class: "cl-pool cl-hint" }, make("p", { class: "cl-note" }, say("pool_hint")));
  return pool(step, opened.step, 1 / lane.n, Math.max(220, Math.min(520, root.clientWidth - 42)));
};

const mark = () => root.querySelectorAll('[role="listbox"]').forEach((list, lane) =>
  list.querySelectorAll('[role="option"]').forEach((node, step) => {
    const here = opened?.lane === lane && opened.step === step;
    node.setAttribute("aria-selected", String(here));
    node.setAttribute("tabindex", here || (step === 0 && opened?.lane !== lane) ? "0" : "-1");
  }));

const python = () => {
  const value = props.value, calm = value.lanes.find((lane) => lane.kind === "calm"), token = value.lanes.find((lane) => lane.kind === "transformer");
  return `import calm_lab
from calm_lab.lab.pools import pool_of
from calm_lab.lab.versus import Meter, timed_tokens
from calm_lab.model import checkpoint

prompt, seed, length = ${JSON.stringify(value.whole_prompt)}, ${value.seed}, ${value.length}
lm = calm_lab.load_model(${JSON.stringify(calm.address)})
for n in (1, 2, 3):
    meter, text = Meter(lm, prompt), ""
    for step in calm_lab.generate(lm, prompt, 1 / n, pool=${value.pool}, max_tokens=length, seed=seed):
        meter.chunk(pool_of(step, lm.tokenizer, n))
        text += step.text
    print(f"CALM, T = 1/{n}: {text!r}", meter.spent)
${token ? `baseline = checkpoint.load(${JSON.stringify(token.address)})
for n in (1, 2, 3):
    meter, text = Meter(baseline, prompt), ""
    for piece, seconds in timed_tokens(baseline, prompt, 1 / n, length, seed):
        meter.token(seconds)
        text += piece
    print(f"Transformer, T = 1/{n}: {text!r}", meter.spent)
` : ""}`;
};
const rows = () => props.value.lanes.map((lane) => ({
  kind: lane.kind, model: lane.model, temperature: 1 / lane.n, seed: props.value.seed, pool: props.value.pool,
  text: (lane.pieces || lane.steps.map((step) => step.text)).join(""), ...lane.spent }));

const missingNode = (value) => {
  const gone = value.missing;
  if (!gone) return null;
  return make("p", { class: "cl-note cl-missing" }, say("compare_missing", { model: gone.model, corpus: gone.corpus }), " ",
    say(gone.found === 0 ? "compare_missing_none" : gone.same_corpus === 0 ? "compare_missing_corpus" : "compare_missing_tokenizer", { count: gone.found }),
    " ", make("code", {}, `calm-lab train transformer --corpus ${gone.corpus} --tokenizer ${gone.tokenizer}`));
};

const draw = () => keepFocus(root, () => {
  const value = props.value && props.value.lanes ? props.value : null;
  const waiting = queued() ? make("p", { class: "cl-note", role: "status" }, say("stage_queued")) : null;
  if (!value) return root.replaceChildren(...[waiting].filter(Boolean));
  if (value.run !== drawnRun) [drawnRun, opened] = [value.run, null];
  const kinds = ["calm", "transformer"].map((kind) => value.lanes.map((lane, place) => [lane, place]).filter(([lane]) => lane.kind === kind));
  root.replaceChildren(...[
    make("section", { class: "cl-card", "aria-busy": String(value.status === "running") },
      make("h2", {}, say("compare_title")), waiting ?? make("p", {}, say("compare_note", { seed: value.seed, pool: value.pool })),
      staleNode(value, AT_ALL),
      ...kinds.filter((lanes) => lanes.length).map((lanes) => make("div", { class: "cl-lanes" }, ...lanes.map(([lane, place]) => laneNode(value, lane, place)))),
      missingNode(value)),
    aside(value),
    make("section", { class: "cl-card" }, make("h2", {}, say("compare_took")), tableNode(value), make("p", { class: "cl-note" }, say("compare_took_note"))),
    value.status === "running" ? null : exportBar(python, rows, "three-temperatures.csv"),
  ].filter(Boolean));
  mark();
});

keepDrawn(draw);
