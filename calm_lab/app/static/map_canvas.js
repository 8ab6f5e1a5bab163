// The map on its canvas: tens of thousands of points, panned, zoomed, hovered and lassoed, with marks drawn over them.
// A grid over each picture finds the point under the pointer without looking at the others.

const NEAR = 9, NEAR_TOUCH = 18, DRAGGED = 4, BUCKETS = 12, MOST_ZOOM = 400;

const floatsOf = (text) => {
  const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  return new Float32Array(bytes.buffer);
};

// Cells of a grid, each holding the rows that lie in it, one after another in a single array.
const gridOf = (places) => {
  const count = places.length / 2;
  const box = { left: Infinity, right: -Infinity, low: Infinity, high: -Infinity };
  for (let i = 0; i < count; i += 1) {
    box.left = Math.min(box.left, places[2 * i]);
    box.right = Math.max(box.right, places[2 * i]);
    box.low = Math.min(box.low, places[2 * i + 1]);
    box.high = Math.max(box.high, places[2 * i + 1]);
  }
  const side = Math.max(1, Math.ceil(Math.sqrt(count / 3)));
  const width = (box.right - box.left) / side || 1, height = (box.high - box.low) / side || 1;
  const column = (x) => Math.min(side - 1, Math.max(0, Math.floor((x - box.left) / width)));
  const line = (y) => Math.min(side - 1, Math.max(0, Math.floor((y - box.low) / height)));
  const starts = new Uint32Array(side * side + 1), rows = new Uint32Array(count);
  const cell = (i) => line(places[2 * i + 1]) * side + column(places[2 * i]);
  for (let i = 0; i < count; i += 1) starts[cell(i) + 1] += 1;
  for (let c = 0; c < side * side; c += 1) starts[c + 1] += starts[c];
  const next = starts.slice();
  for (let i = 0; i < count; i += 1) rows[next[cell(i)]++] = i;
  const nearest = (x, y, reach, kept) => {
    let best = -1, least = reach * reach;
    for (let l = line(y - reach); l <= line(y + reach); l += 1) {
      for (let c = column(x - reach); c <= column(x + reach); c += 1) {
        for (let at = starts[l * side + c]; at < starts[l * side + c + 1]; at += 1) {
          const row = rows[at], dx = places[2 * row] - x, dy = places[2 * row + 1] - y;
          if (dx * dx + dy * dy <= least && kept(row)) [best, least] = [row, dx * dx + dy * dy];
        }
      }
    }
    return best;
  };
  return { box, nearest };
};

const inside = (polygon, x, y) => {
  let odd = false;
  for (let i = 0, j = polygon.length - 1; i < polygon.length; j = i, i += 1) {
    const [ax, ay] = polygon[i], [bx, by] = polygon[j];
    if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) odd = !odd;
  }
  return odd;
};

const css = (name) => getComputedStyle(root).getPropertyValue(`--cl-${name}`).trim();
const mixed = (from, to, share) => {
  const read = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
  const [a, b] = [read(from), read(to)];
  return `rgb(${a.map((channel, i) => Math.round(channel + (b[i] - channel) * share)).join(" ")})`;
};

// A ramp in twelve steps; its quiet end still stands out from the card.
const rampColour = (share, to) => mixed(mixedHex(css("muted"), css("card"), 0.62), css(to), share);
const mixedHex = (from, to, share) => `#${mixed(from, to, share).match(/\d+/g).map((channel) => Number(channel).toString(16).padStart(2, "0")).join("")}`;

// `ask` is told of clicks: { row }, { spot: [x, y] } or { rows } of a lasso. `over` draws marks after the points.
const mapOn = (canvas, tip, ask) => {
  let places = null, grid = null, layers = [], kept = () => true, over = () => {}, describe = () => "", tool = "look";
  let center = [0, 0], zoom = 1, fitted = 1, hovered = -1, polygon = null, keyboard = false, frame = 0;
  const pointers = new Map();
  const width = () => canvas.clientWidth, height = () => canvas.clientHeight;
  const toScreen = (x, y) => [(x - center[0]) * zoom + width() / 2, height() / 2 - (y - center[1]) * zoom];
  const toMap = (sx, sy) => [(sx - width() / 2) / zoom + center[0], (height() / 2 - sy) / zoom + center[1]];

  const fit = () => {
    if (!grid || !width()) return;
    const { left, right, low, high } = grid.box;
    center = [(left + right) / 2, (low + high) / 2];
    fitted = zoom = Math.min((width() - 36) / (right - left || 1), (height() - 36) / (high - low || 1));
    redraw();
  };

  const paint = () => {
    frame = 0;
    const dots = window.devicePixelRatio || 1, w = width(), h = height();
    if (!w || !places) return;
    if (canvas.width !== Math.round(w * dots) || canvas.height !== Math.round(h * dots)) {
      canvas.width = Math.round(w * dots);
      canvas.height = Math.round(h * dots);
    }
    const pen = canvas.getContext("2d");
    pen.setTransform(dots, 0, 0, dots, 0, 0);
    pen.fillStyle = css("card");
    pen.fillRect(0, 0, w, h);
    const many = Math.min(1, Math.sqrt(6000 / (places.length / 2)));
    const size = Math.min(9, Math.max(2.1, 3.4 * many * Math.sqrt(zoom / fitted)));
    const shapes = (rows, quiet) => {
      for (const row of rows) {
        if (kept(row) === quiet) continue;
        const sx = (places[2 * row] - center[0]) * zoom + w / 2, sy = h / 2 - (places[2 * row + 1] - center[1]) * zoom;
        if (sx < -size || sy < -size || sx > w + size || sy > h + size) continue;
        if (size < 4) pen.fillRect(sx - size / 2, sy - size / 2, size, size);
        else {
          pen.beginPath();
          pen.arc(sx, sy, size / 2, 0, 2 * Math.PI);
          pen.fill();
        }
      }
    };
    for (const quiet of [true, false]) {
      pen.globalAlpha = quiet ? 0.12 : 0.85;
      for (const { colour, rows } of layers) {
        pen.fillStyle = colour;
        shapes(rows, quiet);
      }
    }
    pen.globalAlpha = 1;
    over(pen, toScreen);
    if (hovered >= 0) ring(pen, ...toScreen(places[2 * hovered], places[2 * hovered + 1]), 6, css("ink"), 1.5);
    if (polygon) {
      pen.beginPath();
      polygon.forEach((spot, i) => pen[i ? "lineTo" : "moveTo"](...toScreen(...spot)));
      pen.closePath();
      pen.strokeStyle = css("accent");
      pen.lineWidth = 1.5;
      pen.setLineDash([5, 4]);
      pen.stroke();
      pen.setLineDash([]);
    }
    if (keyboard) {
      pen.strokeStyle = css("accent");
      pen.lineWidth = 1.5;
      pen.beginPath();
      for (const [ax, ay, bx, by] of [[-12, 0, -4, 0], [4, 0, 12, 0], [0, -12, 0, -4], [0, 4, 0, 12]]) {
        pen.moveTo(w / 2 + ax, h / 2 + ay);
        pen.lineTo(w / 2 + bx, h / 2 + by);
      }
      pen.stroke();
    }
  };
  const redraw = () => { frame = frame || requestAnimationFrame(paint); };

  const zoomAt = (factor, sx, sy) => {
    const [x, y] = toMap(sx, sy);
    zoom = Math.min(fitted * MOST_ZOOM, Math.max(fitted / 3, zoom * factor));
    center = [x - (sx - width() / 2) / zoom, y - (height() / 2 - sy) / zoom];
    redraw();
  };
  const spotOf = (event) => {
    const frameBox = canvas.getBoundingClientRect();
    return [event.clientX - frameBox.left, event.clientY - frameBox.top];
  };
  const rowAt = (sx, sy, reach) => (grid ? grid.nearest(...toMap(sx, sy), reach / zoom, kept) : -1);
  const hover = (row, sx, sy) => {
    if (row !== hovered) {
      hovered = row;
      redraw();
    }
    tip.hidden = row < 0;
    if (row < 0) return;
    tip.textContent = describe(row);
    tip.style.left = `${Math.max(4, Math.min(sx + 14, width() - tip.offsetWidth - 4))}px`;
    tip.style.top = `${sy + 18 + tip.offsetHeight > height() ? sy - tip.offsetHeight - 10 : sy + 18}px`;
  };
  const choose = (sx, sy, reach) => {
    const row = rowAt(sx, sy, reach);
    ask(row >= 0 ? { row } : { spot: toMap(sx, sy) });
  };

  canvas.addEventListener("pointerdown", (event) => {
    if (event.button || !places) return;
    canvas.focus({ preventScroll: true });
    keyboard = false;
    canvas.setPointerCapture(event.pointerId);
    const at = spotOf(event);
    pointers.set(event.pointerId, { at, from: at, moved: pointers.size > 0 });
    if (tool === "lasso" && pointers.size === 1) polygon = [toMap(...at)];
  });
  canvas.addEventListener("pointermove", (event) => {
    const at = spotOf(event), held = pointers.get(event.pointerId);
    if (!held) return void hover(rowAt(...at, NEAR), ...at);
    const before = held.at, other = [...pointers.entries()].find(([id]) => id !== event.pointerId);
    held.at = at;
    held.moved = held.moved || Math.hypot(at[0] - held.from[0], at[1] - held.from[1]) > DRAGGED;
    hover(-1);
    if (other) {
      const spread = (spot) => Math.hypot(spot[0] - other[1].at[0], spot[1] - other[1].at[1]) || 1;
      polygon = null;
      zoomAt(spread(at) / spread(before), (at[0] + other[1].at[0]) / 2, (at[1] + other[1].at[1]) / 2);
    } else if (polygon && tool === "lasso") {
      polygon.push(toMap(...at));
      redraw();
    } else if (held.moved) {
      center = [center[0] - (at[0] - before[0]) / zoom, center[1] + (at[1] - before[1]) / zoom];
      redraw();
    }
  });
  const lift = (event) => {
    const held = pointers.get(event.pointerId);
    pointers.delete(event.pointerId);
    if (!held || event.type === "pointercancel") return;
    if (tool === "lasso" && polygon && polygon.length > 2 && held.moved) {
      const rows = [];
      for (let i = 0; i < places.length / 2; i += 1) if (kept(i) && inside(polygon, places[2 * i], places[2 * i + 1])) rows.push(i);
      ask({ rows });
    } else if (!held.moved) choose(...held.at, event.pointerType === "touch" ? NEAR_TOUCH : NEAR);
    redraw();
  };
  canvas.addEventListener("pointerup", lift);
  canvas.addEventListener("pointercancel", lift);
  canvas.addEventListener("pointerleave", () => hover(-1));
  canvas.addEventListener("wheel", (event) => { // an untouched map lets the page scroll
    if (!event.ctrlKey && !event.metaKey && document.activeElement !== canvas && !canvas.getRootNode().activeElement?.isSameNode(canvas)) return;
    event.preventDefault();
    zoomAt(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0018)), ...spotOf(event));
  }, { passive: false });
  canvas.addEventListener("keydown", (event) => {
    const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    const factor = { "+": 1.4, "=": 1.4, "-": 1 / 1.4 }[event.key];
    if (steps) center = [center[0] + (44 * steps[0]) / zoom, center[1] + (44 * steps[1]) / zoom];
    else if (factor) zoomAt(factor, width() / 2, height() / 2);
    else if (event.key === "0") fit();
    else if (event.key === "Enter" && event.shiftKey) ask({ spot: [...center] });
    else if (event.key === "Enter") choose(width() / 2, height() / 2, 40);
    else return;
    keyboard = true;
    hover(rowAt(width() / 2, height() / 2, 14), width() / 2, height() / 2);
    event.preventDefault();
    redraw();
  });
  canvas.addEventListener("blur", () => { keyboard = false; redraw(); });
  new ResizeObserver(() => (fitted === 1 || Math.abs(zoom / fitted - 1) < 1e-9 ? fit() : redraw())).observe(canvas);
  new MutationObserver(() => canvas.dispatchEvent(new Event("calm-lab-theme"))).observe(document.body, { attributeFilter: ["class"] });

  return {
    redraw, fit, toScreen,
    zoomBy: (factor) => zoomAt(factor, width() / 2, height() / 2),
    show: (newPlaces, newGrid) => { [places, grid, hovered, polygon] = [newPlaces, newGrid, -1, null]; fit(); },
    paintWith: (changes) => {
      layers = changes.layers ?? layers;
      kept = changes.kept ?? kept;
      over = changes.over ?? over;
      describe = changes.describe ?? describe;
      if (changes.tool && changes.tool !== tool) [tool, polygon] = [changes.tool, null];
      canvas.classList.toggle("cl-lassoing", tool === "lasso");
      redraw();
    },
    goTo: (x, y) => { // bring a spot into sight without losing the reader's zoom
      const [sx, sy] = toScreen(x, y);
      if (sx < 30 || sy < 30 || sx > width() - 30 || sy > height() - 30) center = [x, y];
      redraw();
    },
  };
};

const ring = (pen, x, y, radius, colour, thick = 2) => {
  pen.beginPath();
  pen.arc(x, y, radius, 0, 2 * Math.PI);
  pen.strokeStyle = colour;
  pen.lineWidth = thick;
  pen.stroke();
};
const dot = (pen, x, y, radius, colour) => {
  pen.beginPath();
  pen.arc(x, y, radius, 0, 2 * Math.PI);
  pen.fillStyle = colour;
  pen.fill();
};
const chain = (pen, spots, colour, thick = 2, dashes = []) => {
  pen.beginPath();
  spots.forEach((spot, i) => pen[i ? "lineTo" : "moveTo"](...spot));
  pen.strokeStyle = colour;
  pen.lineWidth = thick;
  pen.setLineDash(dashes);
  pen.stroke();
  pen.setLineDash([]);
};
