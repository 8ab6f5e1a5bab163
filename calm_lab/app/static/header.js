// The page's head: what this is, and the switch between dark and light, remembered in this browser.

const root = element.querySelector(".cl-header");
const KEY = "calm-lab-theme";
const dark = () => document.body.classList.contains("dark");
const button = make("button", { type: "button", class: "cl-theme" });
const tagline = make("p");

const draw = () => {
  tagline.replaceChildren(...say("page_tagline").split("*").map((part, i) => (i % 2 ? make("em", {}, part) : part)));
  button.textContent = say(dark() ? "page_light" : "page_dark");
  button.setAttribute("aria-label", say("page_theme"));
};

let kept = null;
try { kept = localStorage.getItem(KEY); } catch { /* storage may be switched off */ }
if (kept && !new URLSearchParams(location.search).has("__theme")) document.body.classList.toggle("dark", kept === "dark");

button.addEventListener("click", () => {
  const next = !dark();
  document.body.classList.toggle("dark", next);
  try { localStorage.setItem(KEY, next ? "dark" : "light"); } catch { /* then it lasts for this visit */ }
  draw();
});
root.replaceChildren(make("div", {}, make("h1", {}, "calm_lab"), tagline), button);
keepDrawn(draw);
