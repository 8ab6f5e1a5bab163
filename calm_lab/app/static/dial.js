// Any temperature in [low, 1], on a logarithmic track; within half a step of 1/n it is 1/n, which both samplers can do.
// A snap wider than half a step would hold the arrow keys fast.

const STEPS = 200, SNAP = 0.0058, TICKS = [10, 7, 5, 4, 3, 2, 1].filter((n) => n <= 1 / props.low + 1e-9);
const root = element.querySelector(".cl-dial");
const low = props.low;
const near = (t) => Math.max(1, Math.round(1 / t));
const whole = (t) => Math.abs(1 / t - near(t)) < 1e-9 * near(t);
const name = (t) => (whole(t) ? (near(t) === 1 ? "1" : `1/${near(t)}`) : number(t, 3));
const place = (t) => 1 - Math.log(t) / Math.log(low);

const input = make("input", { type: "range", min: "0", max: String(STEPS), step: "1", id: `cl-${props.prefix}-input` });
const output = make("output", { for: `cl-${props.prefix}-input` });
const title = make("label", { for: `cl-${props.prefix}-input` });
const note = make("span", { class: "cl-note" });
const ticks = make("div", { class: "cl-ticks cl-log-ticks", "aria-hidden": "true" }, ...TICKS.map((n) =>
  make("button", { type: "button", tabindex: "-1", "data-n": String(n), style: { "--at": String(place(1 / n)) } }, n === 1 ? "1" : `1/${n}`)));

const draw = () => {
  const t = Number(props.value) || 1;
  input.value = String(Math.round(STEPS * place(t)));
  output.textContent = `T = ${name(t)}`;
  title.textContent = say(`${props.prefix}_temperature`);
  note.textContent = say(`${props.prefix}_${whole(t) ? "whole" : "between"}`);
  input.setAttribute("aria-valuetext", name(t));
  input.style.setProperty("--range_progress", `${(100 * place(t)).toFixed(2)}%`);
  ticks.querySelectorAll("button").forEach((tick) => tick.classList.toggle("cl-on", whole(t) && Number(tick.dataset.n) === near(t)));
};

const set = (t) => {
  props.value = t;
  draw();
};

input.addEventListener("input", () => {
  const t = low ** (1 - Number(input.value) / STEPS);
  const n = near(t);
  set(Math.abs(t * n - 1) < SNAP ? 1 / n : Number(t.toFixed(3)));
});
ticks.addEventListener("click", (event) => {
  const tick = event.target.closest("button");
  if (tick) set(1 / Number(tick.dataset.n));
});
root.replaceChildren(make("div", { class: "cl-ends" }, title, output), input, ticks, note);
keepDrawn(draw);
