// Generate: the written text in coloured chunks, and the pool of the chosen step beside it.

let chosen = null; // what the visitor clicked; null follows the writing
let shown = -1;
let drawnRun = null;
const root = element.querySelector(".cl-stage");

// A step that was under way when the visitor pressed Stop may arrive after the stop: it does not wake the run up again.
let halted = null;
const run = () => {
  const value = props.value && props.value.steps ? props.value : null;
  if (!value) return null;
  if (value.status === "stopped" || value.run !== halted?.run) halted = value.status === "stopped" ? value : null;
  return halted ?? value;
};

// What to open when nobody has clicked: the step with the widest choice among chunks that repeated as often as asked.
const telling = (steps) => {
  const score = (step) => (step.ended ? -1 : step.used + 1 - Math.max(...step.candidates.map((c) => c.weight)));
  return steps.reduce((best, step, index) => (score(step) > score(steps[best]) ? index : best), 0);
};

const stepText = (step) => step.text || "";
const chunkNode = (step, index) => {
  const text = stepText(step);
  const node = make("span", {
    class: `cl-written${text.trim() ? "" : " cl-blank"}${step.used < step.wanted ? " cl-guess" : ""}`, role: "option", tabindex: "-1", style: chunkStyle(index),
    "aria-selected": "false", "aria-label": say("stage_step", { number: index + 1, text: text || say("token_end") }),
  });
  if (text) node.append(text);
  if (step.ended) node.append(make("span", { class: "cl-special" }, say("token_end")));
  else if (!text) node.append(make("span", { class: "cl-special" }, "…"));
  return node;
};

const REASONS = { running: "stage_running", ended: "stage_ended", full: "stage_full", stopped: "stage_stopped" };
const statusNode = (value) => {
  const seconds = number(value.steps.reduce((sum, step) => sum + step.ms, 0) / 1000, 1);
  return make("div", { class: `cl-status cl-${value.status}` },
    make("span", {}, make("i", { class: "cl-lamp", "aria-hidden": "true" }), say(REASONS[value.status])),
    make("span", {}, say("stage_count", { count: value.steps.length, tokens: value.steps.length * value.chunk_size, seconds })),
    make("span", { class: "cl-settings" },
      say("stage_settings", { model: value.model, t: value.n === 1 ? "1" : `1/${value.n}`, seed: value.seed })));
};

const tokens = (candidate) =>
  make("span", { class: "cl-tokens" },
    ...candidate.tokens.map((piece, i) => {
      const role = candidate.roles[i];
      if (role === "pad" && candidate.roles.includes("end")) return null; // what follows the end says nothing
      return make("span", { class: "cl-token" }, tokenNode(piece, role && say(`token_${role}`)));
    }).filter(Boolean));

const pool = (value, index) => {
  const step = value.steps[index];
  if (!step) return make("aside", { class: "cl-pool" }, make("p", { class: "cl-note" }, say("pool_hint")));
  const most = Math.max(step.draws / 10, ...step.candidates.map((candidate) => candidate.count)); // a lone draw is a short bar
  const rows = step.candidates.map((candidate) => {
    const rare = candidate.groups === 0;
    return make("tr", { class: `${candidate.chosen ? "cl-chosen" : ""}${rare ? " cl-rare" : ""}`, title: rare ? say("pool_rare") : null },
      make("td", {}, candidate.chosen ? make("span", { class: "cl-tick", title: say("pool_chosen") }, "✓") : null, tokens(candidate)),
      make("td", { class: "cl-number cl-drawn" }, make("span", {}, String(candidate.count)),
        make("i", { "aria-hidden": "true", style: { width: `${(100 * candidate.count) / most}%` } })),
      make("td", { class: "cl-number cl-groups" }, candidate.groups.toLocaleString("en")),
      make("td", { class: "cl-number" }, rare ? "0" : percent(candidate.weight)));
  });
  const more = step.distinct - step.candidates.length;
  const head = (text, cls = "cl-number") => make("th", { scope: "col", class: cls }, text);
  const rule = value.n === 1 ? say("pool_rule_one") : say("pool_rule", { wanted: step.wanted });
  const fallback = step.used < step.wanted ? say("pool_fallback", { wanted: step.wanted, count: step.used }) : null;
  return make("aside", { class: "cl-pool", "aria-label": say("pool_title", { number: index + 1 }) },
    make("h2", { style: chunkStyle(index) }, say("pool_title", { number: index + 1 }),
      make("q", {}, stepText(step).trim() || say("token_end"))),
    make("p", {}, rule, fallback ? " " : "", fallback ? make("strong", {}, fallback) : ""),
    make("table", { class: "cl-table" },
      make("thead", {}, make("tr", {}, head(say("pool_candidate"), ""), head(say("pool_count")),
        head(say("pool_groups", { n: step.used }), "cl-number cl-groups"), head(say("pool_weight")))),
      make("tbody", {}, ...rows)),
    more > 0 ? make("p", { class: "cl-note" }, say("pool_more", { count: more })) : null,
    make("p", { class: "cl-note cl-ends" },
      make("span", {}, step.draws === 1 ? "" : say("pool_summary", { draws: step.draws, distinct: step.distinct, eligible: step.eligible })),
      make("span", {}, say("pool_ms", { ms: Math.round(step.ms) }))));
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
  root.querySelector(".cl-pool")?.replaceWith(pool(value, index));
};

const choose = (index) => {
  chosen = index;
  open(index);
  if (matchMedia("(max-width: 760px)").matches)
    root.querySelector(".cl-pool")?.scrollIntoView({ block: "nearest", behavior: "smooth" });
};

const begin = (value) => {
  const text = make("div", { class: "cl-text", role: "listbox", "aria-label": say("stage_text"), "aria-orientation": "horizontal" });
  roving(text, choose);
  const page = make("div", { class: "cl-page" }, make("span", { class: "cl-sr", role: "status" }), make("div", { class: "cl-status" }),
    make("p", { class: "cl-story" }, value.prompt ? make("span", { class: "cl-prompt" }, value.prompt) : null, text));
  page.append(make("p", { class: "cl-note cl-why", hidden: true },
    make("span", { class: "cl-written cl-guess", style: chunkStyle(0), "aria-hidden": "true" }, " ··· "), " ", make("span")));
  root.replaceChildren(page, make("aside", { class: "cl-pool" }));
};

const draw = (again = false) => {
  const value = run();
  if (!value) {
    root.replaceChildren(make("div", { class: "cl-page cl-empty" }, make("p", { class: "cl-note" }, say("stage_waiting"))));
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
  if (spoken.textContent !== say(REASONS[value.status])) spoken.textContent = say(REASONS[value.status]);
  root.querySelector(".cl-page").setAttribute("aria-busy", String(value.status === "running"));
  const guesses = value.steps.filter((step) => step.used < step.wanted).length;
  const why = root.querySelector(".cl-why");
  why.hidden = guesses === 0;
  why.lastChild.textContent = say("stage_guess", { n: value.n, guesses, steps: value.steps.length });
  const last = value.steps.length - 1;
  const wanted = chosen !== null ? chosen : value.status === "running" ? last : telling(value.steps);
  if (last >= 0 && (wanted !== shown || again === true || !root.querySelector(".cl-pool h2"))) open(wanted);
  else mark(shown);
  if (last < 0) root.querySelector(".cl-pool").replaceChildren(make("p", { class: "cl-note" }, say("stage_starting")));
};

keepDrawn(draw);
