// Noise dial: the text at the dial's sigma. All answers of all sigmas are in the value, so turning the dial asks nobody.

const root = element.querySelector(".cl-falling");
let sigma = null;

const special = (role) => (role ? say(`token_${role}`) : null);
const nearest = (steps) => steps.reduce((best, step, i) => (Math.abs(step - sigma) < Math.abs(steps[best] - sigma) ? i : best), 0);
const answerAt = (answers, place) => answers.findLast(([start]) => start <= place);
const right = (value, place) => value.answers.filter((answers) => !answerAt(answers, place)[4]).length;

const stat = (name, text, note, state = "") =>
  make("div", { class: `cl-stat ${state}` }, make("dt", {}, name), make("dd", {}, text), make("dd", { class: "cl-note" }, note));

const stats = (value, place) => {
  const total = value.answers.length, last = value.sigmas.length - 1;
  const correct = right(value, place);
  const first = value.sigmas.findIndex((_, i) => right(value, i) < total);
  return make("dl", { class: "cl-stats" },
    stat(say("falling_back"), say("falling_back_value", { correct, total }), say("falling_back_note"), correct === total ? "" : "cl-bad"),
    stat(say("falling_first"), first < 0 ? say("falling_never") : say("falling_first_value", { sigma: number(value.sigmas[first]) }),
      say("falling_first_note", { share: percent(1 - right(value, last) / total) })),
    stat(say("falling_own"), number(value.mean_sigma, 3), say("falling_own_note")));
};

const story = (value, place) => {
  const chunks = [];
  value.answers.forEach((answers, i) => {
    const [, text, role, spread, wrong] = answerAt(answers, place);
    if (i % value.chunk_size === 0) chunks.push(make("span", { class: "cl-said", style: chunkStyle(i / value.chunk_size) }));
    if (role === "pad" || (role === "end" && !wrong)) return;
    chunks.at(-1).append(make("span", { class: wrong ? "cl-wrong" : "" }, role ? special(role) : prosePiece(text, spread)));
  });
  return make("section", { class: "cl-page cl-returned", "aria-label": say("falling_title", { sigma: number(value.sigmas[place]) }) },
    make("div", { class: "cl-caption" }, say("falling_title", { sigma: number(value.sigmas[place]) })),
    make("p", { class: "cl-story" }, ...chunks));
};

const draw = () => {
  const value = props.value;
  if (value && value.message) {
    root.replaceChildren(whyNot(value));
    return;
  }
  if (!value || !value.answers) {
    root.replaceChildren(make("p", { class: "cl-note" }, value && value.empty ? say("falling_empty") : ""));
    return;
  }
  if (sigma === null) sigma = 0;
  const place = nearest(value.sigmas);
  root.replaceChildren(story(value, place), stats(value, place));
};

document.addEventListener("calm-lab-dials", (event) => {
  if (event.detail.prefix !== "noise") return;
  sigma = event.detail.value.sigma;
  draw();
});
document.dispatchEvent(new CustomEvent("calm-lab-dials-asked")); // whoever has drawn before says its value again
keepDrawn(draw);
