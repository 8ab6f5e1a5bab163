// Under a picture: the Python that makes it in a notebook, and its numbers as CSV.

const csvText = (rows) => {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const cell = (value) => {
    const text = value === null || value === undefined ? "" : String(value);
    return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return [names.join(","), ...rows.map((row) => names.map((name) => cell(row[name])).join(","))].join("\n") + "\n";
};

// `python` and `rows` are functions: the state they speak of is the one at the click. Without `python` there is no code.
const exportBar = (python, rows, file) => {
  const said = make("span", { class: "cl-note", role: "status" });
  const code = make("pre", { class: "cl-code", tabindex: "0", hidden: true, "aria-label": say("share_copy") });
  const copy = make("button", { type: "button", class: "cl-small" }, say("share_copy"));
  copy.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(python());
      said.textContent = say("share_copied");
    } catch { // no clipboard without https: then it can be marked by hand
      code.textContent = python();
      code.hidden = false;
      said.textContent = say("share_by_hand");
    }
  });
  const save = make("button", { type: "button", class: "cl-small" }, say("share_csv"));
  save.addEventListener("click", () => {
    const address = URL.createObjectURL(new Blob([csvText(rows())], { type: "text/csv" }));
    make("a", { href: address, download: file }).click();
    URL.revokeObjectURL(address);
  });
  return make("div", { class: "cl-exports" }, python ? copy : null, save, said, code);
};
