// The button that copies the link to a tab as it is now.

const root = element.querySelector(".cl-link");
const button = make("button", { type: "button", class: "cl-small" });
const said = make("span", { class: "cl-note", role: "status" });
const field = make("input", { type: "text", class: "cl-input cl-address", readonly: true, hidden: true });
let told = null; // the key of what was said last, to say it in the other language too
let copied = null;

const draw = () => {
  button.textContent = say("link_copy");
  field.setAttribute("aria-label", say("link_copy"));
  const cut = props.value && props.value.cut ? ` ${say("link_cut")}` : "";
  said.textContent = told ? say(told) + cut : "";
};
const copy = async () => {
  const link = props.value;
  if (!link || !link.href || copied === link.at) return;
  copied = link.at;
  history.replaceState(history.state, "", link.href);
  try {
    await navigator.clipboard.writeText(link.href);
    told = "link_copied";
  } catch { // no clipboard without https: then it can be marked by hand
    told = "link_by_hand";
    field.value = link.href;
    field.hidden = false;
  }
  draw();
};

button.addEventListener("click", () => trigger("select", {}));
root.replaceChildren(button, said, field);
keepDrawn(draw);
watch("value", copy);
