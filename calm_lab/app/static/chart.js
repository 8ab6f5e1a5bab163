// Charts in SVG: as wide as their frame and drawn anew when that changes, so that letters keep their size on a phone.

const svg = (tag, attributes = {}, ...children) => {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
};

const scale = ({ low, high, log = false }, from, to) => {
  const f = log ? Math.log : (value) => value;
  return (value) => from + ((to - from) * (f(value) - f(low))) / (f(high) - f(low));
};

// Few round numbers that lie in [low, high].
const roundTicks = (low, high, about = 5) => {
  const raw = (high - low) / about;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((m) => m * power).find((candidate) => candidate >= 0.75 * raw);
  const first = Math.ceil(low / step - 1e-9);
  return Array.from({ length: Math.floor(high / step + 1e-9) - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
};
const powerTicks = (low, high) => {
  const ticks = [];
  for (let power = Math.ceil(Math.log10(low) - 1e-9); 10 ** power <= high * 1.0001; power += 1) ticks.push(10 ** power);
  return ticks;
};
const short = (value) => {
  if (value !== 0 && (Math.abs(value) >= 1e5 || Math.abs(value) < 1e-3)) return value.toExponential(0).replace("e+", "e");
  return Number(value.toPrecision(4)).toLocaleString("en").replace("-", "−");
};

// Axes; `x` and `y` are { low, high, log, ticks, format, name }. Gives back where a value lies, and a place for marks.
const chart = (width, height, x, y, label) => {
  const edge = { left: y.room ?? 44, right: 14, top: 26, bottom: x.name ? 40 : 24 };
  const px = scale(x, edge.left, width - edge.right);
  const py = scale(y, height - edge.bottom, edge.top);
  const node = svg("svg", { class: "cl-chart", width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label });
  for (const tick of y.ticks) {
    node.append(svg("line", { class: "cl-grid", x1: edge.left, x2: width - edge.right, y1: py(tick), y2: py(tick) }),
      svg("text", { x: edge.left - 8, y: py(tick) + 4, "text-anchor": "end" }, (y.format || short)(tick)));
  }
  for (const tick of x.ticks) {
    node.append(svg("line", { class: "cl-grid cl-tickmark", x1: px(tick), x2: px(tick), y1: height - edge.bottom, y2: height - edge.bottom + 4 }),
      svg("text", { x: px(tick), y: height - edge.bottom + 17, "text-anchor": "middle" }, (x.format || short)(tick)));
  }
  if (y.name) node.append(svg("text", { class: "cl-axis", x: 0, y: 13 }, y.name));
  if (x.name) node.append(svg("text", { class: "cl-axis", x: width - edge.right, y: height - 4, "text-anchor": "end" }, x.name));
  node.append(svg("line", { class: "cl-base", x1: edge.left, x2: width - edge.right, y1: height - edge.bottom, y2: height - edge.bottom }));
  return { node, px, py, top: edge.top, bottom: height - edge.bottom, add: (...marks) => node.append(...marks.filter(Boolean)) };
};

const line = (axes, points, cls) =>
  svg("path", { class: `cl-line ${cls}`, d: points.map(([a, b], i) => `${i ? "L" : "M"}${axes.px(a).toFixed(1)} ${axes.py(b).toFixed(1)}`).join("") });

// A measurement: a dot and a whisker of two standard errors, kept inside the axes.
const measured = (axes, at, value, error, cls, title, radius = 4) => {
  const clamp = (y) => Math.min(axes.bottom, Math.max(axes.top, Number.isFinite(y) ? y : axes.bottom));
  return svg("g", { class: `cl-measured ${cls}` },
    svg("title", {}, title),
    svg("line", { x1: axes.px(at), x2: axes.px(at), y1: clamp(axes.py(value - 2 * error)), y2: clamp(axes.py(value + 2 * error)) }),
    svg("circle", { cx: axes.px(at), cy: clamp(axes.py(value)), r: radius }));
};

const keySign = (cls, text) => make("span", { class: "cl-key" }, make("i", { class: `cl-mark ${cls}`, "aria-hidden": "true" }), text);

// Draw again when the frame's width changes; a hidden tab has none and is drawn when it is shown.
const followWidth = (frame, draw) => {
  let before = 0;
  new ResizeObserver(() => {
    const width = Math.round(frame.clientWidth);
    if (!width || width === before) return;
    before = width;
    draw();
  }).observe(frame);
};
