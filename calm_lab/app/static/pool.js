// One step of a written text: the chunk to click, and what it was chosen from. Shared by the stage and the comparison.

const stepText = (step) => step.text || "";
const chunkNode = (step, index) => {
  const text = stepText(step);
  const loose = step.fell_back || (!step.exact && step.used < step.wanted);
  const node = make("span", {
    class: `cl-written${text.trim() ? "" : " cl-blank"}${loose ? " cl-guess" : ""}`, role: "option", tabindex: "-1", style: chunkStyle(index),
    "aria-selected": "false", "aria-label": say("stage_step", { number: index + 1, text: text || say("token_end") }),
  });
  if (text) node.append(text);
  if (step.ended) node.append(make("span", { class: "cl-special" }, say("token_end")));
  else if (!text) node.append(make("span", { class: "cl-special" }, "…"));
  return node;
};

const counted = (value) => Math.round(value).toLocaleString("en");
const fraction = (t) => {
  const n = Math.round(1 / t);
  return Math.abs(t * n - 1) < 1e-6 ? (n === 1 ? "1" : `1/${n}`) : number(t, 3);
};

const tokens = (candidate) =>
  make("span", { class: "cl-tokens" },
    ...candidate.tokens.map((piece, i) => {
      const role = candidate.roles[i];
      if (role === "pad" && candidate.roles.includes("end")) return null; // what follows the end says nothing
      return make("span", { class: "cl-token" }, tokenNode(piece, role && say(`token_${role}`), candidate.spread?.[i]));
    }).filter(Boolean));

// How many distinct chunks came once, twice, ...: only those from the line on can be chosen.
const histogram = (step, width, temperature) => {
  const least = step.exact && !step.fell_back ? Math.floor(1 / temperature + 1e-9) : step.used;
  const most = Math.max(...step.histogram.map(([times]) => times), 4);
  const high = Math.max(...step.histogram.map(([, chunks]) => chunks));
  const y = { low: 0.6, high: Math.max(10, 1.3 * high), log: true, ticks: powerTicks(1, Math.max(10, high)), name: say("pool_histogram_y") };
  const x = { low: 0.4, high: most + 0.6, ticks: roundTicks(1, most, 6).filter((t) => Number.isInteger(t)), name: say("pool_histogram_x") };
  const label = step.histogram.map(([times, chunks]) => say("pool_histogram_bar", { times, chunks })).join("; ");
  const axes = chart(width, 150, x, y, `${say("pool_histogram")}: ${label}`);
  const half = Math.max(1.5, Math.min(9, 0.4 * (axes.px(2) - axes.px(1))));
  for (const [times, chunks] of step.histogram) {
    axes.add(svg("rect", { class: times >= least ? "cl-often" : "cl-seldom", x: axes.px(times) - half, width: 2 * half, y: axes.py(chunks),
      height: Math.max(1, axes.bottom - axes.py(chunks)), rx: 1.5 }, svg("title", {}, say("pool_histogram_bar", { times, chunks }))));
  }
  if (least > 1) {
    const at = axes.px(least - 0.5);
    axes.add(svg("line", { class: "cl-here", x1: at, x2: at, y1: axes.top, y2: axes.bottom }));
  }
  return axes.node;
};

// Trials of the exact sampler, told apart by the stage that refused them.
const trialsNode = (step) => make("dl", { class: "cl-trials" },
  ...[["trials", step.trials], ["stage1", step.trials - step.agreed], ["stage2", step.agreed - step.accepted], ["accepted", step.accepted], ["calls", step.draws]]
    .flatMap(([name, value]) => [make("dt", {}, say(`pool_${name}`)), make("dd", {}, counted(value))]));

const ruleNode = (step, temperature) => {
  if (step.exact) {
    return make("p", {}, say("pool_rule_exact", { t: fraction(temperature) }),
      step.fell_back ? " " : "", step.fell_back ? make("strong", {}, say("pool_spent", { calls: counted(step.draws), used: step.used })) : "");
  }
  const rule = step.wanted === 1 ? say("pool_rule_one") : say("pool_rule", { wanted: step.wanted });
  const fallback = step.used < step.wanted ? say("pool_fallback", { wanted: step.wanted, count: step.used }) : null;
  return make("p", {}, rule, fallback ? " " : "", fallback ? make("strong", {}, fallback) : "");
};

const pool = (step, index, temperature, width) => {
  if (!step) return make("aside", { class: "cl-pool" }, make("p", { class: "cl-note" }, say("pool_hint")));
  const weighed = step.exact && !step.fell_back;
  const most = Math.max(step.seen / 10, ...step.candidates.map((candidate) => candidate.count)); // a lone draw is a short bar
  const rows = step.candidates.map((candidate) => {
    const rare = !weighed && candidate.groups === 0;
    return make("tr", { class: `${candidate.chosen ? "cl-chosen" : ""}${rare ? " cl-rare" : ""}`, title: rare ? say("pool_rare") : null },
      make("td", {}, candidate.chosen ? make("span", { class: "cl-tick", title: say("pool_chosen") }, "✓") : null, tokens(candidate)),
      make("td", { class: "cl-number cl-drawn" }, make("span", {}, String(candidate.count)),
        make("i", { "aria-hidden": "true", style: { width: `${(100 * candidate.count) / most}%` } })),
      weighed ? null : make("td", { class: "cl-number cl-groups" }, candidate.groups.toLocaleString("en")),
      make("td", { class: "cl-number" }, rare ? "0" : percent(candidate.weight)));
  });
  const more = step.distinct - step.candidates.length;
  const head = (text, cls = "cl-number") => make("th", { scope: "col", class: cls }, text);
  return make("aside", { class: "cl-pool", "aria-label": say("pool_title", { number: index + 1 }) },
    make("h2", { style: chunkStyle(index) }, say("pool_title", { number: index + 1 }),
      make("q", {}, stepText(step).trim() || say("token_end"))),
    ruleNode(step, temperature),
    step.exact ? trialsNode(step) : null,
    make("table", { class: "cl-table" },
      make("thead", {}, make("tr", {}, head(say("pool_candidate"), ""), head(say("pool_count")),
        weighed ? null : head(say("pool_groups", { n: step.used }), "cl-number cl-groups"), head(say(weighed ? "pool_estimate" : "pool_weight")))),
      make("tbody", {}, ...rows)),
    more > 0 ? make("p", { class: "cl-note" }, say("pool_more", { count: more })) : null,
    step.seen > 1 ? histogram(step, width, temperature) : null,
    make("p", { class: "cl-note cl-ends" },
      make("span", {}, step.seen === 1 ? "" : step.exact ? say("pool_seen", { draws: counted(step.seen), distinct: counted(step.distinct) })
        : say("pool_summary", { draws: step.draws, distinct: step.distinct, eligible: step.eligible })),
      make("span", {}, say("pool_ms", { ms: counted(step.ms) }))));
};
