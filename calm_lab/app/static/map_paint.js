// How the points are coloured, what the legend names, and what is drawn over them. Reads the state of map.js.

// ---- colours

const palette = () => [0, 1, 2, 3, 4, 5, 6].map((i) => css(`category-${i}`));
const scaled = (values, log) => {
  const f = log ? Math.log : (value) => value;
  const sorted = [...values].sort((a, b) => a - b);
  const low = sorted[Math.floor(0.01 * (sorted.length - 1))], high = log ? sorted[sorted.length - 1] : sorted[Math.ceil(0.99 * (sorted.length - 1))];
  return { low, high, share: (value) => Math.min(1, Math.max(0, (f(value) - f(low)) / (f(high) - f(low) || 1))) };
};
const layersOf = () => {
  const ramp = { frequency: [base.counts, true, "latent-positive"], sigma: [base.sigma, false, "sigma"] }[state.colour];
  if (ramp) {
    const [values, log, to] = ramp, scale = scaled(values, log);
    const layers = Array.from({ length: BUCKETS }, (_, i) => ({ colour: rampColour(i / (BUCKETS - 1), to), rows: [] }));
    values.forEach((value, row) => layers[Math.round(scale.share(value) * (BUCKETS - 1))].rows.push(row));
    return { layers, scale, to };
  }
  const { names, places } = base.colours[state.colour];
  const colours = palette();
  const layers = names.map((name, i) => ({ name, place: i, colour: name === "other" || i >= colours.length ? css("muted") : colours[i], rows: [] }));
  places.forEach((place, row) => layers[place].rows.push(row));
  return { layers: [...layers].sort((a, b) => (b.name === "other") - (a.name === "other")), names: layers };
};
const nameOf = (name, i) => {
  if (state.colour === "cluster") return say("map_cluster_name", { number: i + 1, words: base.colours.cluster.words[i].join(", ") || "–" });
  if (state.colour === "punctuation" || name === "other") return say(`map_mark_${name}`);
  return name;
};
let legended = null; // what the legend names, for the PNG
const legendOf = ({ names, scale, to }) => {
  if (scale) {
    const image = `linear-gradient(90deg, ${[0, 0.25, 0.5, 0.75, 1].map((share) => rampColour(share, to)).join(", ")})`;
    const shown = (value) => (state.colour === "sigma" ? number(value, 3) : String(value));
    return [make("span", { class: "cl-key" }, say(`map_colour_${state.colour}`), make("small", {}, shown(scale.low)), make("i", { class: "cl-ramp", style: { "background-image": image } }), make("small", {}, shown(scale.high)))];
  }
  return names.map((layer) => {
    const node = button("", () => { state.only = state.only === layer.place ? null : layer.place; paint(); },
      { "aria-pressed": String(state.only === layer.place), class: "cl-small cl-category" });
    node.append(make("i", { style: { background: layer.colour }, "aria-hidden": "true" }), nameOf(layer.name, layer.place), make("small", {}, layer.rows.length.toLocaleString("en")));
    return node;
  });
};

// ---- what is drawn over the points

const placesOf = (places) => places[state.picture] || [];
const spotOf = (row) => [base.points[state.picture][2 * row], base.points[state.picture][2 * row + 1]];
const over = (pen, to) => {
  const on = (places) => placesOf(places).map(([x, y]) => to(x, y));
  const [ink, sample, target, accent, card] = ["ink", "sample", "target", "accent", "card"].map(css);
  const way = (walk, at) => {
    const spots = on(walk.places);
    chain(pen, spots, card, 5);
    chain(pen, spots, sample, 2);
    walk.steps.forEach((step, i) => { if (step.flips.some(Boolean)) ring(pen, ...spots[i], 4, sample, 1.5); });
    ring(pen, ...spots[at], 8, ink, 2.5);
  };
  if (state.overlay === "cloud" && state.cloud) {
    on(state.cloud.draws).forEach((spot) => { dot(pen, ...spot, 4, card); dot(pen, ...spot, 3, sample); });
    on(state.cloud.targets).forEach((spot) => ring(pen, ...spot, 4, target, 1.5));
    ring(pen, ...to(...state.cloud.center[state.picture]), 10, target, 3);
  }
  if (state.overlay === "noise" && state.noise) way(state.noise, state.noiseAt);
  if (state.overlay === "walk" && state.walk) way(state.walk, state.walkAt);
  if (state.overlay === "phrase" && state.phrase) {
    const spots = state.phrase.looks.map((look) => to(...look.places[state.picture]));
    chain(pen, spots, accent, 1.5, [4, 4]);
    spots.forEach((spot, i) => {
      dot(pen, ...spot, 9, accent);
      pen.fillStyle = css("on-accent");
      pen.font = "600 11px sans-serif";
      pen.textAlign = "center";
      pen.textBaseline = "middle";
      pen.fillText(String(i + 1), ...spot);
    });
  }
  if (state.look) {
    const here = to(...state.look.places[state.picture]);
    for (const row of state.look.rows) {
      const there = to(...spotOf(row));
      chain(pen, [here, there], ink, 1, [2, 3]);
      ring(pen, ...there, 4, ink, 1.5);
    }
    ring(pen, ...here, 9, card, 5);
    ring(pen, ...here, 9, accent, 3);
  }
  for (const [name, end] of [["A", state.start], ["B", state.finish]]) {
    if (!end) continue;
    const [x, y] = to(...end.places[state.picture]);
    dot(pen, x, y, 9, ink);
    pen.fillStyle = card;
    pen.font = "600 11px sans-serif";
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    pen.fillText(name, x, y);
  }
};
