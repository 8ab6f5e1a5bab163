// A slider that knows only 1, 1/2, 1/3, ...: the value is n of T = 1/n. Cold is left, warm is right.

const steps = props.steps;
const root = element.querySelector(".cl-temperature");
const fraction = (n) => (n === 1 ? "1" : `1/${n}`);
const input = make("input", { type: "range", min: "0", max: String(steps.length - 1), step: "1", id: "cl-temperature-input" });
const output = make("output", { for: "cl-temperature-input" });
const title = make("label", { for: "cl-temperature-input" });
const note = make("span", { class: "cl-note" });
const ticks = make("div", { class: "cl-ticks", "aria-hidden": "true" },
  ...steps.map((n) => make("button", { type: "button", tabindex: "-1", "data-n": String(n) }, fraction(n))));
const ends = make("div", { class: "cl-ends cl-note", "aria-hidden": "true" }, make("span"), make("span"));

const current = () => steps[Number(input.value)];

const draw = () => {
  const n = Number(props.value) || 1;
  input.value = String(Math.max(0, steps.indexOf(n)));
  output.textContent = `T = ${fraction(n)}`;
  title.textContent = say("generate_temperature");
  note.textContent = n === 1 ? say("generate_temperature_one") : say("generate_temperature_many", { n });
  input.setAttribute("aria-valuetext", n === 1 ? "1" : say("generate_temperature_spoken", { n }));
  input.style.setProperty("--range_progress", `${(100 * Number(input.value)) / (steps.length - 1)}%`);
  ticks.querySelectorAll("button").forEach((tick) => tick.classList.toggle("cl-on", Number(tick.dataset.n) === n));
  ends.children[0].textContent = `← ${say("generate_sure")}`;
  ends.children[1].textContent = `${say("generate_free")} →`;
};

const set = (n) => {
  props.value = n;
  draw();
};

input.addEventListener("input", () => set(current()));
ticks.addEventListener("click", (event) => {
  const tick = event.target.closest("button");
  if (tick) set(Number(tick.dataset.n));
});
root.replaceChildren(make("div", { class: "cl-ends" }, title, output), input, ticks, ends, note);
keepDrawn(draw);
