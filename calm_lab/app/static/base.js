// Helpers of every drawing: words, elements made without HTML strings, colours, keyboard.
// Text from models and visitors reaches the page through textContent only.

const language = () => {
  const probe = document.getElementById("cl-language");
  return probe && probe.textContent.trim().startsWith("zh") ? "zh" : "en";
};

let wordTable = null;
const say = (key, values = {}) => {
  wordTable ??= JSON.parse(props.words || "{}");
  const table = wordTable[language()] || wordTable.en || {};
  const text = (values.count === 1 && table[`${key}_one`]) || (table[key] ?? key);
  return text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
};

const make = (tag, attributes = {}, ...children) => {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "style") for (const [key, part] of Object.entries(value)) node.style.setProperty(key, part);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
};

// A sentence of the library that came in both languages: `chinese_key` beside `key`, where it is translated.
const inOwnLanguage = (value, key) => (language() === "zh" && value[`chinese_${key}`]) || value[key];

// In place of a picture: why there is none, as calm_lab/app/refusals.py says it.
const whyNot = ({ message, chinese }) => make("p", { class: "cl-message", role: "alert" }, (language() === "zh" && chinese) || message);

const number = (value, digits = 2) => Number(value).toFixed(digits);
const percent = (value) => {
  const share = 100 * value;
  if (share > 0 && share < 0.1) return "<0.1%";
  if (share < 100 && share > 99.9) return ">99.9%";
  return `${share.toFixed(share >= 10 && share < 99 ? 0 : 1).replace(/\.0$/, "")}%`;
};

// Draw `node` anew and leave the keyboard where it was: on what has the same name, else on the same place in line.
const keepFocus = (node, redraw) => {
  const stops = () => [...node.querySelectorAll("button, input, select, textarea, [tabindex]")];
  const named = (stop) => stop.getAttribute("aria-label") ?? stop.textContent;
  const active = document.activeElement;
  const place = node.contains(active) ? stops().indexOf(active) : -1;
  const name = place < 0 ? "" : named(active);
  redraw();
  if (place < 0 || node.contains(document.activeElement)) return;
  const now = stops();
  const there = now[Math.min(place, now.length - 1)];
  const again = there && named(there) === name ? there : now.find((stop) => named(stop) === name);
  (again ?? there)?.focus({ preventScroll: true });
};

// The same four fills in turn, for chunk number `index` everywhere.
const chunkStyle = (index) => ({
  "--fill": `var(--cl-chunk-${index % 4})`,
  "--edge": `var(--cl-chunk-edge-${index % 4})`,
});

const SCALE = 2; // a coordinate of this size has the full colour
const latentColour = (value) => {
  const side = value < 0 ? "negative" : "positive";
  const share = Math.min(1, Math.abs(value) / SCALE) * 100;
  return `color-mix(in oklab, var(--cl-latent-${side}) ${share.toFixed(1)}%, var(--cl-latent-zero))`;
};
const SIGMA_SCALE = 0.5;
const sigmaColour = (value) =>
  `color-mix(in oklab, var(--cl-sigma) ${(Math.min(1, value / SIGMA_SCALE) * 100).toFixed(1)}%, var(--cl-latent-zero))`;

// Hard-edged stripes, one a coordinate. Custom properties inside, so a theme change recolours them without a redraw.
const stripes = (values, colour) => {
  const width = 100 / values.length;
  const stops = values.map((v, i) => `${colour(v)} ${(i * width).toFixed(3)}% ${((i + 1) * width).toFixed(3)}%`);
  return `linear-gradient(90deg, ${stops.join(", ")})`;
};

// What to show for a token: a leading space as a faint dot, a line break as an arrow, a special as its name. `spread`
// lists [text, number, of] where the token shares a character with its neighbours: each shows it, with its share.
const tokenNode = (piece, special = null, spread = null) => {
  if (special) return make("span", { class: "cl-special" }, special);
  const node = make("span", { class: "cl-piece" });
  for (const [text, number, of] of spread || [[piece, 1, 1]]) {
    if (of > 1) {
      node.append(make("span", { class: "cl-shared" }, text, make("sub", {}, `${number}/${of}`)));
      continue;
    }
    for (const part of text.split(/( |\n|\t)/)) {
      if (!part) continue;
      const mark = { " ": "·", "\n": "↵", "\t": "⇥" }[part];
      node.append(mark ? make("span", { class: "cl-space", "aria-hidden": "true" }, mark) : part);
    }
  }
  return node;
};
// The same in running text: a shared character stands once, where it begins.
const prosePiece = (piece, spread = null) =>
  (spread ? spread.filter(([, number]) => number === 1).map(([text]) => text).join("") : piece);

// One tab stop for a whole row of items; arrows, Home and End move inside it.
const roving = (list, choose) => {
  list.addEventListener("keydown", (event) => {
    const items = [...list.querySelectorAll('[role="option"]')];
    const at = items.indexOf(event.target.closest('[role="option"]'));
    if (at < 0) return;
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    const to = event.key === "Home" ? 0 : event.key === "End" ? items.length - 1 : step ? at + step : null;
    if (event.key === "Enter" || event.key === " ") choose(at);
    else if (to === null || !items[to]) return;
    else {
      choose(to);
      list.querySelectorAll('[role="option"]')[to]?.focus();
    }
    event.preventDefault();
  });
  list.addEventListener("click", (event) => {
    const item = event.target.closest('[role="option"]');
    if (item) choose([...list.querySelectorAll('[role="option"]')].indexOf(item));
  });
};

// The value of a run, or null while its part `key` is missing. What was under way when the visitor pressed Stop may arrive
// after the stop: it does not wake the run up again.
const followRun = (key) => {
  let halted = null;
  return () => {
    const value = props.value && props.value[key] ? props.value : null;
    if (!value) return null;
    if (value.status === "stopped" || value.run !== halted?.run) halted = value.status === "stopped" ? value : null;
    return halted ?? value;
  };
};

// Draw now, whenever the value changes, and when the language does.
const keepDrawn = (draw) => {
  draw(true);
  watch("value", () => draw(false));
  const probe = document.getElementById("cl-language");
  if (probe) new MutationObserver(() => draw(true)).observe(probe, { childList: true, characterData: true, subtree: true });
};
