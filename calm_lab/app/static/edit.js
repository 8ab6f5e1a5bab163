// Tokens and vectors: one token of a chunk exchanged for another, and which coordinates of the vector moved by that.

const root = element.querySelector(".cl-edit");
const REACH = 4; // movements of so many sigmas have the full colour

const token = ([piece, role, spread], cls = "") => make("span", { class: `cl-token ${cls}` }, tokenNode(piece, role ? say(`token_${role}`) : null, spread));
const ask = (to) => trigger("select", { chunk: props.value.chunk, place: props.value.place, to });

const picker = (edit) => {
  const field = make("input", { type: "text", class: "cl-input cl-token-input", "aria-label": say("edit_another"), placeholder: say("edit_another"), maxlength: "40" });
  const go = () => ask(field.value);
  field.addEventListener("keydown", (event) => { if (event.key === "Enter") go(); });
  const button = make("button", { type: "button", class: "cl-small" }, say("edit_go"));
  button.addEventListener("click", go);
  return make("div", { class: "cl-chiprow", role: "group", "aria-label": say("edit_choose") }, make("span", { class: "cl-note" }, say("edit_choose")),
    ...edit.options.map((option) => {
      const chip = make("button", { type: "button", class: "cl-small cl-token-chip", "aria-pressed": String(option.id === edit.to) }, tokenNode(option.token[0], null, option.token[2]));
      chip.addEventListener("click", () => ask(option.id));
      return chip;
    }), field, button);
};

const bars = (edit) => {
  const reach = Math.max(1, ...edit.moved.map(Math.abs));
  const place = (value) => `${(50 - (50 * value) / reach).toFixed(2)}%`;
  const label = say("edit_plot", { size: edit.moved.length });
  return [make("div", { class: "cl-caption" }, label),
    make("div", { class: "cl-bars", role: "img", "aria-label": label },
      make("em", { style: { top: "0" } }, `+${number(reach, 1)}`), make("em", { style: { top: "50%" } }, "0"), make("em", { style: { top: "100%" } }, `−${number(reach, 1)}`),
      ...edit.moved.map((value, i) => make("i", { class: "cl-bar", title: say("edit_coordinate", { i: i + 1, moved: number(value, 1) }) },
        make("b", { style: { top: place(Math.max(value, 0)), bottom: `${100 - parseFloat(place(Math.min(value, 0)))}%`,
          background: latentColour(Math.max(-SCALE, Math.min(SCALE, (value * SCALE) / REACH))) } }))))];
};

const draw = () => {
  const edit = props.value;
  if (!edit) return root.replaceChildren();
  if (edit.message) {
    root.replaceChildren(...(edit.options ? [picker(edit)] : []), whyNot(edit));
    return;
  }
  if (!edit.moved) return root.replaceChildren();
  const row = (name, tokens, of) => make("tr", {}, make("th", { scope: "row" }, name), make("td", {}, make("span", { class: "cl-tokens" },
    ...tokens.map((one, i) => token(one, of(i))))));
  const far = edit.moved.filter((value) => Math.abs(value) > 1).length;
  const sum = say(edit.apart ? "edit_summary" : "edit_summary_alone", { far, size: edit.moved.length, distance: number(edit.distance, 1),
    share: edit.apart ? percent(edit.distance / edit.apart) : "" });
  root.replaceChildren(make("section", { class: "cl-detail", style: chunkStyle(edit.chunk) },
    make("h2", {}, say("edit_title", { chunk: edit.chunk + 1, place: edit.place + 1 })), picker(edit),
    make("div", { class: "cl-detail-body" }, make("div", { class: "cl-plots" }, ...bars(edit)),
      make("div", {}, make("table", { class: "cl-table" }, make("tbody", {},
        row(say("edit_before"), edit.before, (i) => (i === edit.place ? "cl-swapped" : "cl-quiet")),
        row(say("edit_after"), edit.after, (i) => (i === edit.place ? "cl-swapped" : "cl-quiet")),
        row(say("edit_decoded"), edit.decoded, (i) => (edit.wrong[i] ? "cl-wrong" : "")))),
      make("p", { class: "cl-note" }, sum)))));
};

keepDrawn(draw);
