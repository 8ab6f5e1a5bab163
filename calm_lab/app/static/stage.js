// Generate: the written text in coloured chunks, and the pool of the chosen step beside it.

let chosen = null; // what the visitor clicked; null follows the writing
let shown = -1;
let drawnRun = null;
const root = element.querySelector(".cl-stage");

const run = followRun("steps");

// What to open when nobody has clicked: the step with the widest choice among chunks that repeated as often as asked.
const telling = (steps) => {
  const score = (step) => (step.ended ? -1 : step.used + 1 - Math.max(...step.candidates.map((c) => c.weight)));
  return steps.reduce((best, step, index) => (score(step) > score(steps[best]) ? index : best), 0);
};

const REASONS = { running: "stage_running", ended: "stage_ended", full: "stage_full", stopped: "stage_stopped", spent: "stage_spent" };
const reason = (value) => say(queued() ? "stage_queued" : REASONS[value.status]);
const statusNode = (value) => {
  const spent = value.spent;
  return make("div", { class: `cl-status cl-${queued() ? "queued" : value.status}` },
    make("span", {}, make("i", { class: "cl-lamp", "aria-hidden": "true" }), reason(value)),
    make("span", {}, say("stage_count", { count: value.steps.length, tokens: value.steps.length * value.chunk_size, seconds: number(spent?.seconds ?? 0, 1) })),
    spent ? make("span", {}, say("stage_calls", { calls: counted(spent.calls) })) : null,
    spent && spent.acceptance !== null && value.temperature < 1
      ? make("span", { title: say(`stage_accepted_${value.method}_note`) }, say(`stage_accepted_${value.method}`, { share: percent(spent.acceptance) })) : null,
    make("span", { class: "cl-settings" },
      say("stage_settings", { model: value.model, t: fraction(value.temperature), seed: value.seed })));
};

// What the exact method was expected to charge, before it began.
const foretold = (value) => {
  const found = value.estimate;
  if (!found) return null;
  const first = value.steps[0];
  return make("p", { class: "cl-note cl-foretold" }, say("price_title"), " ", priceText(found),
    first ? ` ${say(first.fell_back ? "price_charged_spent" : "price_charged", { calls: counted(first.draws) })}` : "");
};

const halt = (value) => value.refused
  ? make("p", { class: "cl-note cl-why" }, say("stage_refused", { calls: counted(value.refused.calls), trials: counted(value.refused.trials), agreed: counted(value.refused.agreed) })) : null;

// A story that ends before it begins: what the first pool says about why, and two ways on.
const emptyNode = (value) => {
  const step = value.steps[0];
  if (!step || value.steps.length > 1 || !step.ended || stepText(step).trim() || value.temperature === 1) return null;
  const end = step.candidates.find((candidate) => candidate.chosen);
  const others = Math.max(0, ...step.candidates.filter((candidate) => !candidate.chosen).map((candidate) => candidate.count));
  const way = (name) => {
    const button = make("button", { type: "button", class: "cl-small" }, say(`stage_way_${name}`));
    button.addEventListener("click", () => trigger("select", { way: name }));
    return button;
  };
  return make("div", { class: "cl-early" },
    make("p", {}, say("stage_early", { draws: counted(step.seen), distinct: counted(step.distinct), end: counted(end?.count ?? 0), others: counted(others) })),
    value.method === "batch" ? make("div", { class: "cl-chiprow" }, way("t1"), way("prompt")) : null);
};

const mark = (index) => {
  shown = index;
  root.querySelectorAll('[role="option"]').forEach((node, i) => {
    node.setAttribute("aria-selected", String(i === index));
    node.setAttribute("tabindex", i === index ? "0" : "-1");
  });
};

const open = (index) => {
  const value = run();
  if (!value) return;
  mark(index);
  const aside = root.querySelector(".cl-pool");
  aside?.replaceWith(pool(value.steps[index], index, value.temperature, Math.max(220, aside.clientWidth - 42)));
};

const choose = (index) => {
  chosen = index;
  open(index);
  if (matchMedia("(max-width: 760px)").matches)
    root.querySelector(".cl-pool")?.scrollIntoView({ block: "nearest", behavior: "smooth" });
};

const python = (value) => `import calm_lab

lm = calm_lab.load_model(${JSON.stringify(value.address)})${value.prompt.length > 800 ? "  # the prompt below is only the end of a long one: put yours" : ""}
steps = calm_lab.generate(
    lm, ${JSON.stringify(value.prompt)}, temperature=${value.method === "batch" ? `1 / ${value.n}` : value.temperature}, method="${value.method}", ${value.method === "batch" ? `pool=${value.pool}` : `max_calls=${value.budget}, on_budget="${value.on_budget === "stop" ? "raise" : "batch"}"`},
    max_tokens=${value.length}, seed=${value.seed},
)
for step in steps:
    print(f"{step.text!r:30} calls {step.calls:5}  repeats needed {step.n_used}  trials {step.trials}")
`;
const rows = (value) => value.steps.map((step) => ({
  step: step.index + 1, text: step.text, model: value.model, method: value.method, temperature: value.temperature, seed: value.seed,
  draws: step.draws, distinct: step.distinct, eligible: step.eligible, repeats_wanted: step.exact ? null : step.wanted, repeats_needed: step.exact ? null : step.used,
  trials: step.trials, agreed: step.agreed, accepted: step.accepted, fell_back: step.fell_back, milliseconds: step.ms }));

const begin = (value) => {
  const text = make("div", { class: "cl-text", role: "listbox", "aria-label": say("stage_text"), "aria-orientation": "horizontal" });
  roving(text, choose);
  const page = make("div", { class: "cl-page" }, make("span", { class: "cl-sr", role: "status" }), make("div", { class: "cl-status" }), make("div", { class: "cl-notes" }),
    make("p", { class: "cl-story" }, value.prompt ? make("span", { class: "cl-prompt" }, value.prompt) : null, text));
  page.append(make("p", { class: "cl-note cl-why cl-dashed", hidden: true },
    make("span", { class: "cl-written cl-guess", style: chunkStyle(0), "aria-hidden": "true" }, " ··· "), " ", make("span")), make("div", { class: "cl-after" }), exportBar(() => python(run()), () => rows(run()), "generate.csv"));
  root.replaceChildren(page, make("aside", { class: "cl-pool" }));
};

const draw = (again = false) => {
  const value = run();
  if (!value) {
    root.replaceChildren(make("div", { class: "cl-page cl-empty" }, make("p", { class: "cl-note" }, say(queued() ? "stage_queued" : "stage_waiting"))));
    drawnRun = null;
    return;
  }
  if (value.run !== drawnRun || again === true) {
    if (value.run !== drawnRun) chosen = null;
    drawnRun = value.run;
    begin(value);
  }
  const text = root.querySelector(".cl-text");
  for (let i = text.children.length; i < value.steps.length; i += 1) text.append(chunkNode(value.steps[i], i));
  root.querySelector(".cl-status").replaceWith(statusNode(value));
  const spoken = root.querySelector(".cl-sr"); // heard once a change, where the counts beside it change at every step
  if (spoken.textContent !== reason(value)) spoken.textContent = reason(value);
  root.querySelector(".cl-page").setAttribute("aria-busy", String(value.status === "running"));
  const guesses = value.steps.filter((step) => (step.exact ? step.fell_back : step.used < step.wanted)).length;
  const why = root.querySelector(".cl-dashed");
  why.hidden = guesses === 0;
  why.lastChild.textContent = say(value.method === "exact" ? "stage_guess_exact" : "stage_guess", { n: value.n, budget: counted(value.budget), guesses, steps: value.steps.length });
  root.querySelector(".cl-notes").replaceChildren(...[staleNode(value), foretold(value)].filter(Boolean));
  root.querySelector(".cl-after").replaceChildren(...[halt(value), value.status === "running" ? null : emptyNode(value)].filter(Boolean));
  const last = value.steps.length - 1;
  const wanted = chosen !== null ? chosen : value.status === "running" ? last : telling(value.steps);
  if (last >= 0 && (wanted !== shown || again === true || !root.querySelector(".cl-pool h2"))) open(wanted);
  else mark(shown);
  if (last < 0) root.querySelector(".cl-pool").replaceChildren(make("p", { class: "cl-note" }, say("stage_starting")));
};

keepDrawn(draw);
