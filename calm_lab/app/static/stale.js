// Text that was written under other settings than the fields show now carries a mark that names them.

let now = null; // the last settings heard of; values that a stream sends do not hold them
const NAMED = { batch: ["prompt", "n", "length", "pool", "seed", "model", "method"], exact: ["prompt", "heat", "length", "budget", "spent", "seed", "model", "method"] };

const changedSince = (value, fields) => {
  now = props.value?.now ?? now;
  if (!value?.asked || !now) return [];
  const same = (a, b) => (typeof a === "number" ? Math.abs(a - b) < 1e-6 : a === b);
  return (fields || NAMED[now.method]).filter((name) => !same(value.asked[name], now[name]));
};
const staleNode = (value, fields = null) => {
  const changed = changedSince(value, fields);
  if (queued() || !changed.length) return null; // what was asked for is on its way
  const names = changed.map((name) => say(`stale_${name}`)).join(say("stale_and"));
  return make("p", { class: "cl-stale", role: "status" }, say("stale_mark", { names }));
};
// A run that was asked for and has not begun: another visitor's may be under way.
const queued = () => props.value?.queued === true;
