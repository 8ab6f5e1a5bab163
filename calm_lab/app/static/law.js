// A law as bars that can be pulled: the value is the list of its probabilities; the other bars keep their proportions.

const root = element.querySelector(".cl-law");
const NAMES = "ABCDEFGHIJKLMNOP";
const LEAST = 0.005;
let top = 1; // the share at which a bar fills its column; it stands still while a bar is pulled
let held = null;
let known = null; // the law last drawn, to tell the slow curves that they are out of date
const title = make("span", { class: "cl-caption" });
const row = make("div", { class: "cl-law-bars", role: "group" });
const note = make("span", { class: "cl-note" });

const law = () => (Array.isArray(props.value) && props.value.length ? props.value : []);

const pull = (index, share) => {
  const before = law();
  const goal = Math.min(1 - LEAST, Math.max(LEAST, share));
  const rest = 1 - before[index];
  const after = before.map((p, i) => (i === index ? goal : rest > 0 ? (p * (1 - goal)) / rest : (1 - goal) / (before.length - 1)));
  props.value = after.map((p) => Number(p.toFixed(4)));
  draw();
};

const build = (count) => {
  row.replaceChildren(...Array.from({ length: count }, (_, index) => {
    const bar = make("div", { class: "cl-law-bar", role: "slider", tabindex: "0", "aria-orientation": "vertical", "aria-valuemin": "0", "aria-valuemax": "100" },
      make("b"), make("i"), make("span", {}, NAMES[index]));
    bar.addEventListener("pointerdown", (down) => {
      if (down.button) return;
      down.preventDefault();
      bar.focus({ preventScroll: true });
      held = index;
      const column = bar.querySelector("i").getBoundingClientRect();
      const drag = (event) => pull(index, (top * (column.bottom - event.clientY)) / column.height);
      const end = () => {
        removeEventListener("pointermove", drag);
        removeEventListener("pointerup", end);
        removeEventListener("pointercancel", end);
        held = null;
        draw();
      };
      addEventListener("pointermove", drag);
      addEventListener("pointerup", end);
      addEventListener("pointercancel", end);
      drag(down);
    });
    bar.addEventListener("keydown", (event) => {
      const by = { ArrowUp: 0.01, ArrowRight: 0.01, ArrowDown: -0.01, ArrowLeft: -0.01, PageUp: 0.1, PageDown: -0.1 }[event.key];
      if (!by) return;
      event.preventDefault();
      pull(index, law()[index] + by);
    });
    return bar;
  }));
};

const draw = () => {
  const now = law();
  if (known !== null && known !== now.join()) document.dispatchEvent(new CustomEvent("calm-lab-law"));
  known = now.join();
  if (row.children.length !== now.length) build(now.length);
  if (held === null) top = Math.min(1, Math.max(0.1, 1.25 * Math.max(...now)));
  title.textContent = say("tempering_law");
  row.setAttribute("aria-label", say("tempering_law"));
  note.textContent = say("tempering_law_note");
  [...row.children].forEach((bar, i) => {
    bar.querySelector("i").style.setProperty("--p", `${(100 * Math.min(1, now[i] / top)).toFixed(2)}%`);
    bar.querySelector("b").textContent = now.length > 8 ? number(100 * now[i], 0) : number(now[i], 2);
    bar.setAttribute("aria-valuenow", number(100 * now[i], 1));
    bar.setAttribute("aria-valuetext", percent(now[i]));
    bar.setAttribute("aria-label", say("tempering_bar", { name: NAMES[i], share: percent(now[i]) }));
  });
  row.classList.toggle("cl-many", now.length > 8);
};

root.replaceChildren(title, row, note);
keepDrawn(draw);
