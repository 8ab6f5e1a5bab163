// The tour: which step is open, what it says, and the one or two things to set there. The value holds all settings.

const root = element.querySelector(".cl-tour");
const current = () => props.value || {};
const MOST = 1000000;
let shown = null; // the step and language whose controls stand there; they are kept while one turns them
let updates = [];

const set = (changes) => {
  props.value = { ...current(), ...changes };
  draw();
};
const go = (step) => {
  if (step < 1 || step > props.stops.length) return;
  set({ step });
  root.querySelector("h2").focus({ preventScroll: true });
  root.scrollIntoView({ block: "nearest" });
};

const shownAs = (key, value) => (["sigma", "spread", "away"].includes(key) ? number(value, key === "away" ? 2 : 1) : Number(value).toLocaleString("en"));

const slider = (key) => {
  const steps = props.steps[key];
  const id = `tour-${key}`;
  const output = make("output", { for: id });
  const input = make("input", { type: "range", id, min: "0", max: String(steps.length - 1), step: "1" });
  input.addEventListener("input", () => set({ [key]: steps[Number(input.value)] }));
  updates.push(() => {
    const value = current()[key];
    const at = steps.reduce((best, step, i) => (Math.abs(step - value) < Math.abs(steps[best] - value) ? i : best), 0);
    if (Number(input.value) !== at) input.value = String(at);
    input.style.setProperty("--range_progress", `${(100 * at) / (steps.length - 1)}%`);
    input.setAttribute("aria-valuetext", shownAs(key, value));
    output.textContent = shownAs(key, value);
  });
  return make("div", { class: "cl-field" }, make("div", { class: "cl-ends" }, make("label", { for: id }, say(`tour_${key}`)), output), input);
};

const textbox = () => {
  const input = make("textarea", { id: "tour-text", class: "cl-input", rows: "3", spellcheck: "false" });
  input.addEventListener("input", () => set({ text: input.value }));
  updates.push(() => { if (document.activeElement !== input) input.value = current().text ?? ""; });
  return make("div", { class: "cl-field" }, make("label", { for: "tour-text" }, say("tour_text")), input);
};

const again = () => {
  const button = make("button", { type: "button", class: "cl-small" }, say("tour_again"));
  button.addEventListener("click", () => set({ seed: Math.floor(Math.random() * MOST) }));
  return make("div", { class: "cl-chiprow" }, button);
};

const pairs = () => {
  const buttons = props.pairs.map((name, pair) => {
    const button = make("button", { type: "button", class: "cl-small" }, name);
    button.addEventListener("click", () => set({ pair }));
    updates.push(() => button.setAttribute("aria-pressed", String(current().pair === pair)));
    return button;
  });
  return make("div", { class: "cl-chiprow", role: "group", "aria-label": say("tour_pair") }, ...buttons);
};

const control = (key) => ({ text: textbox, seed: again, pair: pairs }[key] || (() => slider(key)))();

const build = (step) => {
  updates = [];
  const marks = props.stops.map((_, i) => {
    const mark = make("button", { type: "button", class: "cl-tour-mark", "aria-current": i + 1 === step ? "step" : null,
      "aria-label": say("tour_step", { step: i + 1, title: say(`tour_title_${i + 1}`) }), title: say(`tour_title_${i + 1}`) }, String(i + 1));
    mark.addEventListener("click", () => go(i + 1));
    return make("li", {}, mark);
  });
  root.replaceChildren(
    make("nav", { "aria-label": say("tour_steps") }, make("ol", { class: "cl-tour-marks" }, ...marks)),
    make("h2", { tabindex: "-1" }, say(`tour_title_${step}`)),
    make("p", {}, say(`tour_text_${step}`, props.values)),
    make("p", { class: "cl-tour-do" }, make("b", {}, say("tour_do")), " ", say(`tour_do_${step}`)),
    ...props.stops[step - 1].controls.map(control));
};

// The answer stands beside; it hears at once which step is open, and sends one on to the next.
const tell = () => document.dispatchEvent(new CustomEvent("calm-lab-tour", { detail: { step: current().step } }));
document.addEventListener("calm-lab-tour-asked", tell);
document.addEventListener("calm-lab-tour-go", (event) => go(current().step + event.detail.by));

const draw = () => {
  const step = current().step;
  if (!step) return;
  const key = `${step} ${language()}`;
  if (shown !== key) build(step);
  shown = key;
  updates.forEach((update) => update());
  tell();
};

keepDrawn(draw);
