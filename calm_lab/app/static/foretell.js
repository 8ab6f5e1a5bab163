// The price of exact sampling in words: an estimate, a lower bound, or that the pilot pool saw too little.

const calls = (value) => (value >= 1e7 ? value.toExponential(1).replace("e+", "e") : value >= 100 ? Math.round(value).toLocaleString("en") : number(value, value < 10 ? 1 : 0).replace(/\.0$/, ""));
const lasting = (seconds) => (seconds < 1 ? say("price_short") : seconds < 100 ? say("price_seconds", { s: calls(seconds) })
  : seconds < 6000 ? say("price_minutes", { m: calls(seconds / 60) }) : say("price_hours", { h: calls(seconds / 3600) }));
const priceText = (found) => {
  const values = { t: number(found.temperature, 3).replace(/\.?0+$/, ""), pilot: calls(found.pilot) };
  if (!found.repeats) return say("price_unseen", { ...values, low: calls(found.low) });
  if (found.lower_bound || found.high === null) return say("price_bound", { ...values, low: calls(found.low) });
  if (found.temperature === 1) return say("price_one", values);
  return say("price_about", { ...values, calls: calls(found.calls), low: calls(found.low), high: calls(found.high) });
};
