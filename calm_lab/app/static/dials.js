// A panel of sliders that snap to allowed values, switches, and a seed: its value is one plain object.
// `props.dials` says what there is: { key, steps, named }, { key, choices } or { key, seed }; `props.presets` are chips.

const root = element.querySelector(".cl-dials");
const word = (key, values) => say(`${props.prefix}_${key}`, values);
const current = () => props.value || {};
const MOST = 1000000;

const shownAs = (dial, value) => {
  if (dial.fraction) return value === 1 ? "1" : `1/${value}`;
  if (!dial.named) return Number(value).toLocaleString("en");
  const side = value < 0 ? "low" : value > 0 ? "high" : "zero";
  return word(`${dial.key}_${side}`, { value: Math.round(100 * Math.abs(value)) });
};

const sliderOf = (dial) => {
  const id = `${props.prefix}-${dial.key}`;
  const label = make("label", { for: id });
  const output = make("output", { for: id });
  const input = make("input", { type: "range", id, min: "0", max: String(dial.steps.length - 1), step: "1" });
  const note = make("span", { class: "cl-note" });
  input.addEventListener("input", () => set({ [dial.key]: dial.steps[Number(input.value)] }));
  const update = () => {
    const value = current()[dial.key];
    const at = dial.steps.reduce((best, step, i) => (Math.abs(step - value) < Math.abs(dial.steps[best] - value) ? i : best), 0);
    if (Number(input.value) !== at) input.value = String(at);
    input.style.setProperty("--range_progress", `${(100 * at) / (dial.steps.length - 1)}%`);
    input.setAttribute("aria-valuetext", shownAs(dial, value));
    label.textContent = word(dial.key);
    output.textContent = shownAs(dial, value);
    note.textContent = dial.note ? word(`${dial.key}_note`) : "";
  };
  return { node: make("div", { class: "cl-field" }, make("div", { class: "cl-ends" }, label, output), input, note), update };
};

const choicesOf = (dial) => {
  const title = make("span");
  const buttons = dial.choices.map((choice) => {
    const button = make("button", { type: "button", class: "cl-small" });
    button.addEventListener("click", () => set({ [dial.key]: choice }));
    return button;
  });
  const note = make("span", { class: "cl-note" });
  const update = () => {
    note.textContent = dial.note ? word(`${dial.key}_${current()[dial.key]}_note`) : "";
    title.textContent = word(dial.key);
    group.setAttribute("aria-label", word(dial.key));
    buttons.forEach((button, i) => {
      button.textContent = word(`${dial.key}_${dial.choices[i]}`);
      button.setAttribute("aria-pressed", String(current()[dial.key] === dial.choices[i]));
    });
  };
  const group = make("div", { class: "cl-chiprow", role: "group" }, ...buttons);
  return { node: make("div", { class: "cl-field" }, title, group, note), update };
};

const seedOf = (dial) => {
  const id = `${props.prefix}-${dial.key}`;
  const label = make("label", { for: id });
  const input = make("input", { type: "number", id, min: "0", step: "1", class: "cl-input" });
  const renew = make("button", { type: "button", class: "cl-small" });
  input.addEventListener("change", () => set({ [dial.key]: input.value === "" ? null : Number(input.value) }));
  renew.addEventListener("click", () => set({ [dial.key]: Math.floor(Math.random() * MOST) }));
  const update = () => {
    label.textContent = word(dial.key);
    renew.textContent = word(`${dial.key}_new`);
    if (document.activeElement !== input) input.value = String(current()[dial.key] ?? "");
  };
  return { node: make("div", { class: "cl-field" }, label, make("div", { class: "cl-chiprow" }, input, renew)), update };
};

const presets = (props.presets || []).map((preset) => {
  const button = make("button", { type: "button", class: "cl-small" }, preset.name);
  button.addEventListener("click", () => set(preset.values));
  return { node: button, update: () => button.setAttribute("aria-pressed",
    String(Object.entries(preset.values).every(([key, value]) => current()[key] === value))) };
});
const parts = props.dials.map((dial) => (dial.choices ? choicesOf : dial.seed ? seedOf : sliderOf)(dial));

// Drawings that follow a dial without asking the server listen to this; one that came later asks.
const tell = () => document.dispatchEvent(new CustomEvent("calm-lab-dials", { detail: { prefix: props.prefix, value: current() } }));
document.addEventListener("calm-lab-dials-asked", tell);
const draw = () => {
  [...parts, ...presets].forEach((part) => part.update());
  tell();
};
const set = (changes) => {
  props.value = { ...current(), ...changes };
  draw();
};

root.replaceChildren(
  ...(presets.length ? [make("div", { class: "cl-chiprow cl-presets" }, ...presets.map((part) => part.node))] : []),
  ...parts.map((part) => part.node));
keepDrawn(draw);
