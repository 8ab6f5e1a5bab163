// What a link asked for in vain, above the tabs; nothing otherwise.

const root = element.querySelector(".cl-notice");
const draw = () => {
  const refused = (props.value && props.value.refused) || [];
  if (!refused.length) return root.replaceChildren();
  const close = make("button", { type: "button", class: "cl-small" }, say("link_close"));
  close.addEventListener("click", () => root.replaceChildren());
  root.replaceChildren(make("div", { class: "cl-message cl-told", role: "status" }, make("ul", {}, ...refused.map(({ key, value }) =>
    make("li", {}, say(key === "tab" ? "link_no_tab" : "link_refused", { key, value })))), close));
};
keepDrawn(draw);
