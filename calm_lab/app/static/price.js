// Before an exact run: what its first chunk will charge, as a pilot pool lets us judge, beside the budget. Dimmed while the
// fields say something else: until a prompt is left, and while the new estimate waits for its turn.

const OF_PRICE = ["prompt", "heat", "length", "budget", "seed", "model"];
const root = element.querySelector(".cl-price");
const draw = () => {
  const found = props.value;
  root.setAttribute("aria-busy", String(changedSince(found, OF_PRICE).length > 0));
  if (!found || !found.pilot) return root.replaceChildren(make("p", { class: "cl-note" }, say("price_waiting")));
  const likely = found.repeats ? found.calls : found.low;
  const seconds = likely * found.seconds_per_call;
  root.replaceChildren(...[
    make("p", {}, make("strong", {}, say("price_title")), " ", priceText(found)),
    make("p", { class: "cl-note" }, say(found.repeats && !found.lower_bound ? "price_time" : "price_time_low", { time: lasting(seconds), chunks: found.chunks })),
    likely > found.budget ? make("p", { class: "cl-note cl-beyond" }, say("price_beyond", { budget: calls(found.budget) })) : null].filter(Boolean));
};
keepDrawn(draw);
