// Energy score: a small network learns two modes, step by step; the run before stays beside it to compare.

const LIMIT = 2.2; // half the side of the plane shown
const root = element.querySelector(".cl-training");
let before = null; // the last run that had ended when this one began
let last = null;

// A look that was under way when the visitor pressed Stop may arrive after the stop: it does not wake the run up again.
const current = () => {
  if (!props.value || !props.value.looks) return last;
  const value = { ...props.value, points: JSON.parse(props.value.points), targets: JSON.parse(props.value.targets) }; // sent as text
  if (last && last.run === value.run && last.status !== "running") return last;
  if (last && last.run !== value.run && last.looks.length > 1) before = last;
  last = value;
  return value;
};

const figure = (value, digits = 3) => number(value, digits).replace("-", "−");

const plane = (run, width) => {
  const size = Math.max(200, Math.min(360, width));
  const px = (x) => ((x + LIMIT) / (2 * LIMIT)) * size, py = (y) => ((LIMIT - y) / (2 * LIMIT)) * size;
  const cross = ([x, y], cls) => svg("path", { class: `cl-centre ${cls}`, d: `M${px(x) - 8} ${py(y)}h16M${px(x)} ${py(y) - 8}v16` });
  const mean = run.points.reduce(([x, y], [u, v]) => [x + u / run.points.length, y + v / run.points.length], [0, 0]);
  return svg("svg", { class: "cl-plane", width: size, height: size, viewBox: `0 0 ${size} ${size}`, role: "img",
    "aria-label": say("training_plane", { alpha: run.alpha }) },
    svg("rect", { class: "cl-ground", width: size, height: size, rx: 10 }),
    ...run.targets.map(([x, y]) => svg("circle", { class: "cl-target-point", cx: px(x), cy: py(y), r: 3 })),
    ...run.points.map(([x, y]) => svg("circle", { class: "cl-sample-point", cx: px(x).toFixed(1), cy: py(y).toFixed(1), r: 2.8 })),
    cross(run.mean, "cl-centre-target"), cross(mean, "cl-centre-sample"));
};

const table = (run) => {
  const look = run.looks.at(-1);
  const row = (name, seen, truth) => make("tr", {}, make("td", {}, name), make("td", { class: "cl-number" }, seen), make("td", { class: "cl-number" }, truth));
  const head = (text, cls = "cl-number") => make("th", { scope: "col", class: cls }, text);
  return make("table", { class: "cl-table" },
    make("thead", {}, make("tr", {}, head(say("training_what"), ""), head(say("training_seen")), head(say("training_truth")))),
    make("tbody", {},
      row(say("training_first"), percent(look.shares[0]), percent(run.true_shares[0])),
      row(say("training_second"), percent(look.shares[1]), percent(run.true_shares[1])),
      row(say("training_off"), figure(look.off, 2), "0"),
      row(say("training_spread"), figure(look.spread, 2), figure(run.true_spread, 2)),
      row(say("training_score"), figure(look.score), `≤ ${figure(run.best)}`)));
};

const scores = (run, width) => {
  const all = [...run.looks.map((look) => look.score), run.best];
  const high = Math.max(...all), reach = Math.max(0.2, high - Math.min(...all));
  const y = { low: high - 1.05 * reach, high: high + 0.08 * reach, name: say("training_score") };
  y.ticks = roundTicks(y.low, y.high, 3);
  const x = { low: 0, high: run.steps, ticks: roundTicks(0, run.steps, 4), name: say("training_steps") };
  const axes = chart(width, 150, x, y, say("training_curve"));
  axes.add(line(axes, [[0, run.best], [run.steps, run.best]], "cl-limit"), line(axes, run.looks.map((look) => [look.step, look.score]), "cl-model"));
  return axes.node;
};

const python = (run) => () => `from calm_lab.device import generator
from calm_lab.lab.clouds import Cloud, clouds_figure
from calm_lab.lab.energy_training import target_points, train_two_modes

for look in train_two_modes(alpha=${run.alpha}, num_samples=${run.n}, num_targets=${run.m}, seed=${run.seed}):
    print(look.step, f"score {look.score:.3f}, mean off by {look.off:.2f}, shares {look.shares}")
clouds_figure([Cloud("alpha = ${run.alpha}", look.points, target_points(200, generator(${run.seed})))], limit=3)
`;
const rows = (run) => () => [
  ...run.looks.map((look) => ({ kind: "look", step: look.step, score: look.score, best: run.best, off: look.off,
    share_1: look.shares[0], share_2: look.shares[1], spread: look.spread, alpha: run.alpha, n: run.n, m: run.m, seed: run.seed })),
  ...run.points.map(([x, y]) => ({ kind: "sample", x, y })), ...run.targets.map(([x, y]) => ({ kind: "target", x, y }))];

const pane = (run, title, width) => {
  const look = run.looks.at(-1);
  const room = Math.max(220, width - 42);
  return make("section", { class: `cl-card cl-pane cl-${run.status}` },
    make("h2", {}, title, make("small", {}, make("i", { class: "cl-lamp", "aria-hidden": "true" }),
      say(`training_${run.status}`), " · ", say("training_at", { step: look.step, steps: run.steps, seconds: number(look.seconds, 1) }))),
    plane(run, room), table(run), scores(run, room),
    make("div", { class: "cl-keys" }, keySign("cl-dot", say("training_key_sample")), keySign("cl-ring", say("training_key_target")),
      keySign("cl-plus", say("training_key_means")), keySign("cl-dots", say("training_key_best"))),
    run.looks.length > 1 ? exportBar(python(run), rows(run), `energy-training-alpha-${run.alpha}.csv`) : null);
};

const spoken = make("span", { class: "cl-sr", role: "status" });
const draw = () => keepFocus(root, () => {
  const run = current();
  if (!run) return;
  const wide = root.clientWidth > 700;
  const width = wide ? (root.clientWidth - 18) / 2 : root.clientWidth;
  const name = (key, one) => say(key, { alpha: one.alpha, n: one.n, m: one.m });
  const said = `${say(`training_${run.status}`)}, α = ${run.alpha}`; // heard once a change, not at every look
  if (spoken.textContent !== said) spoken.textContent = said;
  const beside = before ? pane(before, name("training_before", before), width)
    : make("section", { class: "cl-card cl-waiting" }, make("p", {}, say("training_hint")));
  root.replaceChildren(spoken, make("div", { class: "cl-panes" }, pane(run, name("training_run", run), width), beside));
});

followWidth(root, draw);
keepDrawn(draw);
