// Tokens and vectors: chunk cards, and the vector of the chosen one.

let chosen = 0;
const root = element.querySelector(".cl-board");

const special = (role) => (role ? say(`token_${role}`) : null);

// The chunk as plain text; a character that begins in the chunk before it is said here as well.
const plain = (chunk) => chunk.tokens.map((piece, i) => {
  const parts = chunk.counted[i] ? chunk.spread[i] || [[piece, 1, 1]] : [];
  return parts.filter(([, number], at) => number === 1 || (i === 0 && at === 0)).map(([text]) => text).join("");
}).join("");
const total = (values) => values.reduce((sum, value) => sum + value, 0);
const wrongCount = (chunk) => chunk.wrong.filter(Boolean).length;

const stat = (name, value, note, state = "") =>
  make("div", { class: `cl-stat ${state}` },
    make("dt", {}, name), make("dd", {}, value), make("dd", { class: "cl-note" }, note));

const stats = (reading) => {
  const bits = total(reading.chunks.map((chunk) => total(chunk.bits))) / reading.chunks.length;
  const whole = reading.correct === reading.total;
  return make("dl", { class: "cl-stats" },
    stat(say("board_packed"), say("board_packed_value", { tokens: reading.total, count: reading.chunks.length }),
      say("board_packed_note", { k: reading.chunk_size, l: reading.latent_size })),
    stat(say("board_back"), say("board_back_value", { correct: reading.correct, total: reading.total }),
      reading.sigma ? say("board_back_noisy", { sigma: number(reading.sigma) }) : say("board_back_clean"),
      whole ? "" : "cl-bad"),
    stat(say("board_bits"), say("board_bits_value", { bits: Math.round(bits) }),
      say("board_bits_note", { name: Math.round(reading.bits_to_name), k: reading.chunk_size })));
};

// The text that came back, read as prose: what the noise does is seen here first.
const prose = (reading) =>
  make("section", { class: "cl-page cl-returned", "aria-label": say("board_text") },
    make("div", { class: "cl-caption" }, say("board_text")),
    make("p", { class: "cl-story" }, ...reading.chunks.map((chunk, index) =>
      make("span", { class: "cl-said", style: chunkStyle(index) }, ...chunk.decoded.map((piece, i) => {
        const role = chunk.decoded_roles[i];
        if (role === "pad" || (role === "end" && !chunk.wrong[i])) return null;
        return make("span", { class: chunk.wrong[i] ? "cl-wrong" : "" }, role ? special(role) : prosePiece(piece, chunk.decoded_spread[i]));
      })))));

const legend = (reading) => {
  const bar = (name, low, high, image) =>
    make("span", { class: "cl-key" }, `${name} `, make("small", {}, low),
      make("i", { class: "cl-ramp", style: { "background-image": image } }), make("small", {}, high));
  const ramp = (colour, from, to) => {
    const points = Array.from({ length: 9 }, (_, i) => colour(from + ((to - from) * i) / 8));
    return `linear-gradient(90deg, ${points.join(", ")})`;
  };
  return make("div", { class: "cl-legend", "aria-hidden": "true" },
    bar(say("legend_vector"), `−${SCALE}`, `+${SCALE}`, ramp(latentColour, -SCALE, SCALE)),
    bar(say("legend_sigma"), "0", String(SIGMA_SCALE), ramp(sigmaColour, 0, SIGMA_SCALE)),
    make("span", { class: "cl-key" }, `${say("legend_confidence")} `,
      make("i", { class: "cl-token cl-sample-token", style: { "--p": "70%" } }, "70%")),
    make("span", { class: "cl-key" }, make("i", { class: "cl-token cl-wrong", style: { "--p": "100%" } }, say("legend_wrong"))),
    hasShared(reading) ? make("span", { class: "cl-key" }, make("i", { class: "cl-token" }, tokenNode("", null, [["é", 1, 2]])), say("legend_shared")) : null);
};

const card = (reading, chunk, index) => {
  const given = chunk.tokens.map((piece, i) =>
    make("span", { class: `cl-token cl-given${chunk.counted[i] ? "" : " cl-quiet"}` },
      tokenNode(piece, special(chunk.roles[i]), chunk.spread[i])));
  const back = chunk.decoded.map((piece, i) =>
    make("span", {
      class: `cl-token${chunk.wrong[i] ? " cl-wrong" : ""}${chunk.counted[i] || chunk.wrong[i] ? "" : " cl-quiet"}`,
      style: { "--p": `${100 * chunk.confidence[i]}%` },
      title: `${say("detail_probability")} ${percent(chunk.confidence[i])}`,
    }, tokenNode(piece, special(chunk.decoded_roles[i]), chunk.decoded_spread[i])));
  const bits = Math.round(total(chunk.bits));
  return make("div", {
    class: "cl-chunk", role: "option", tabindex: index === chosen ? "0" : "-1", style: chunkStyle(index),
    "aria-selected": String(index === chosen),
    "aria-label": say("board_chunk_label", { number: index + 1, text: plain(chunk), bits, wrong: wrongCount(chunk) }),
  },
    make("div", { class: "cl-tokens" }, ...given),
    make("div", { class: "cl-strip", style: { "background-image": stripes(chunk.z, latentColour) } }),
    make("div", { class: "cl-strip cl-thin", style: { "background-image": stripes(chunk.std, sigmaColour) } }),
    make("div", { class: "cl-tokens cl-back" }, ...back),
    make("div", { class: "cl-foot" }, make("span", {}, String(index + 1)),
      make("span", {}, say("board_bits_short", { bits }))));
};

const plainToken = (chunk, i) => special(chunk.roles[i]) || prosePiece(chunk.tokens[i]);
const exchanger = (place, text) => {
  const button = make("button", { type: "button", class: "cl-small", "aria-label": say("edit_button_label", { text }) }, say("edit_button"));
  button.addEventListener("click", () => trigger("select", { chunk: chosen, place }));
  return button;
};
const hasShared = (reading) => reading.chunks.some((chunk) => [...chunk.spread, ...chunk.decoded_spread].some(Boolean));

const rows = (reading) => reading.chunks.flatMap((chunk, c) => [
  ...chunk.tokens.map((piece, i) => ({ chunk: c + 1, kind: "token", place: i + 1, id: chunk.ids[i], token: piece, came_back_as: chunk.decoded[i],
    probability: chunk.confidence[i], wrong: chunk.wrong[i], counted: chunk.counted[i] })),
  ...chunk.mean.map((mean, i) => ({ chunk: c + 1, kind: "coordinate", place: i + 1, mean, std: chunk.std[i], bits: chunk.bits[i], decoded_from: chunk.z[i] }))]);

const detail = (reading, chunk) => {
  const noisy = reading.sigma > 0;
  const reach = Math.max(SCALE, ...chunk.mean.map((m, i) => Math.max(Math.abs(m) + chunk.std[i], Math.abs(chunk.z[i]))));
  const place = (value) => `${(50 - (50 * value) / reach).toFixed(2)}%`;
  const bars = chunk.mean.map((mean, i) => {
    const values = { i: i + 1, mean: number(mean), std: number(chunk.std[i]), bits: number(chunk.bits[i], 1) };
    const text = say("detail_coordinate", values) + (noisy ? say("detail_after", { z: number(chunk.z[i]) }) : "");
    return make("i", { class: "cl-bar", title: text },
      make("b", { style: { top: place(Math.max(mean, 0)), bottom: `${100 - parseFloat(place(Math.min(mean, 0)))}%`,
        background: latentColour(mean < 0 ? -SCALE : SCALE) } }),
      make("u", { style: { top: place(mean + chunk.std[i]), bottom: `${100 - parseFloat(place(mean - chunk.std[i]))}%` } }),
      noisy ? make("s", { style: { top: place(chunk.z[i]) } }) : null);
  });
  const most = Math.max(1, ...chunk.bits);
  const bits = chunk.bits.map((value) => make("i", { style: { height: `${(100 * value) / most}%` }, title: number(value, 1) }));
  const rows = chunk.tokens.map((piece, i) =>
    make("tr", { class: chunk.wrong[i] ? "cl-lost" : "" },
      make("td", {}, tokenNode(piece, special(chunk.roles[i]), chunk.spread[i])),
      make("td", {}, tokenNode(chunk.decoded[i], special(chunk.decoded_roles[i]), chunk.decoded_spread[i])),
      make("td", { class: "cl-number" }, percent(chunk.confidence[i])),
      make("td", { class: "cl-number" }, exchanger(i, plainToken(chunk, i)))));
  return make("section", { class: "cl-detail", style: chunkStyle(chosen) },
    make("h2", {}, say("detail_title", { number: chosen + 1 }), make("q", {}, plain(chunk).trim())),
    make("div", { class: "cl-detail-body" },
      make("div", { class: "cl-plots" },
        make("div", { class: "cl-caption" }, say("detail_plot", { l: reading.latent_size }),
          make("span", { class: "cl-key" }, make("i", { class: "cl-sign cl-sign-bar" }), say("detail_mean")),
          make("span", { class: "cl-key" }, make("i", { class: "cl-sign cl-sign-whisker" }), say("detail_whisker")),
          noisy ? make("span", { class: "cl-key" }, make("i", { class: "cl-sign cl-sign-dot" }), say("detail_dot")) : null),
        make("div", { class: "cl-bars", role: "img", "aria-label": say("detail_plot", { l: reading.latent_size }) },
          make("em", { style: { top: "0" } }, `+${number(reach, 1)}`), make("em", { style: { top: "50%" } }, "0"),
          make("em", { style: { top: "100%" } }, `−${number(reach, 1)}`), ...bars),
        make("div", { class: "cl-caption" }, say("detail_bits")),
        make("div", { class: "cl-bits", role: "img", "aria-label": say("detail_bits") }, ...bits),
        make("div", { class: "cl-ends cl-under-bits", "aria-hidden": "true" }, make("span", {}, say("detail_first")), make("span", {}, String(bits.length)))),
      make("table", { class: "cl-table" },
        make("thead", {}, make("tr", {}, make("th", { scope: "col" }, say("detail_in")),
          make("th", { scope: "col" }, say("detail_out")), make("th", { scope: "col", class: "cl-number" }, say("detail_probability")), make("th", {}))),
        make("tbody", {}, ...rows))));
};

const choose = (index) => {
  chosen = index;
  const focused = root.contains(document.activeElement) && document.activeElement.matches('[role="option"]');
  draw();
  if (focused) root.querySelectorAll('[role="option"]')[index]?.focus();
};

const draw = () => {
  const reading = props.value;
  if (reading && reading.message) {
    root.replaceChildren(whyNot(reading));
    return;
  }
  if (!reading || !reading.chunks) {
    root.replaceChildren(make("p", { class: "cl-note" }, reading && reading.empty ? say("board_empty") : ""));
    return;
  }
  chosen = Math.min(chosen, reading.chunks.length - 1);
  const held = root.contains(document.activeElement) && document.activeElement.matches('[role="option"]');
  const list = make("div", { class: "cl-chunks", role: "listbox", "aria-label": say("board_chunks"), "aria-orientation": "horizontal" },
    ...reading.chunks.map((chunk, index) => card(reading, chunk, index)));
  roving(list, choose);
  root.replaceChildren(prose(reading), stats(reading), legend(reading), list, detail(reading, reading.chunks[chosen]),
    exportBar(() => props.value.python, () => rows(props.value), "calm_lab-vectors.csv"));
  if (held) root.querySelectorAll('[role="option"]')[chosen]?.focus();
};

keepDrawn(draw);
