"""``python -m benchmarks.latency``: how long the page takes to answer a slider or a click, as the browser sees it.

Every action is done by the page's own JavaScript: it moves a slider (or clicks, or types), then waits for the first
change of the drawing that answers and for the frame that shows it. Medians of ``--repeats`` answers, after one that is
not counted. Also the first paint of a fresh page, the time to its first drawing, and the seconds from the command to
the first answer of the server. Written to ``benchmarks/results/latency.json``; nothing is asserted.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Error, Page

from benchmarks.bench import RESULTS
from benchmarks.measure import machine
from docs.take_screenshots import app_in_browser, settle

PATIENCE = 60_000  # milliseconds
PAUSE = 250  # between two actions: the page has come to rest, and nothing queues
TARGETS = {"answer": 0.150, "phrase": 0.100, "first paint": 2.0, "start": 10.0}

# Do it, then wait until the answer's node has changed and a frame has been drawn since. Milliseconds.
ACT = """async ({ selector, kind, answer, turn }) => {
  const visible = (node) => node.getClientRects().length > 0;
  const node = [...document.querySelectorAll(selector)].find(visible) ?? document.querySelector(selector);
  const target = document.querySelector(answer);
  if (!node || !target) throw new Error(`no ${node ? answer : selector} on the page`);
  const fill = (text) => {
    const proto = node instanceof HTMLTextAreaElement ? HTMLTextAreaElement : HTMLInputElement;
    Object.getOwnPropertyDescriptor(proto.prototype, "value").set.call(node, text);
    node.dispatchEvent(new Event("input", { bubbles: true }));
  };
  const before = target.innerHTML;
  const changed = new Promise((resolve, reject) => {
    const look = new MutationObserver(() => {
      if (target.innerHTML === before) return;
      look.disconnect();
      requestAnimationFrame(() => setTimeout(() => resolve(performance.now())));
    });
    look.observe(target, { subtree: true, childList: true, characterData: true, attributes: true });
    setTimeout(() => reject(new Error(`${answer} did not change`)), 30000);
  });
  const began = performance.now();
  if (kind === "click") node.click();
  else if (kind === "slider") {
    const low = Number(node.min), high = Number(node.max), step = Number(node.step) || 1;
    const place = (share) => String(low + step * Math.round((share * (high - low)) / step));
    const shares = [0.3, 0.5, 0.7, 0.9].slice(turn % 3);
    fill(shares.map(place).find((value) => value !== node.value));
    node.dispatchEvent(new Event("change", { bubbles: true }));
  } else if (kind === "type") fill(["the sea", "a little girl", "once upon a"][turn % 3]);
  else node.dispatchEvent(new KeyboardEvent("keydown", { key: kind, bubbles: true }));
  return (await changed) - began;
}"""


@dataclass(frozen=True)
class Action:
    """One thing a visitor does.

    Attributes:
        tab: id of the tab.
        what: in words.
        selector: what is moved, clicked or typed into.
        kind: slider, click, type, or the name of a key.
        answer: the drawing that changes.
        before: what is clicked once before the measurement, so that there is something to answer.
        between: a key pressed on the same node before each measured answer.
        target: which target it is held against.
    """

    tab: str
    what: str
    selector: str
    kind: str
    answer: str
    before: str = ""
    between: str = ""
    target: str = "answer"


PHRASE = "#map input[type=text].cl-long"
ACTIONS = (
    Action("tour", "step 1: vocabulary slider", "#tour-steps input[type=range]", "slider", "#tour-answer"),
    Action("vectors", "noise slider", "#vectors-sigma input[type=range]", "slider", "#board"),
    Action("vectors", "new noise", "#vectors-new-seed", "click", "#board"),
    Action("map", "click on a chunk", "#map canvas.cl-points", "Enter", "#map .cl-side", between="ArrowRight"),
    Action("map", "a phrase lands", PHRASE, "type", "#map .cl-part-of-phrase", target="phrase"),
    Action("noise", "noise dial", "#noise-sigma", "slider", "#falling"),
    Action("noise", "new noise", "#noise-new-seed", "click", "#falling"),
    Action("energy", "exponent of the plane", "#cl-energy-alpha", "slider", "#energy-plane .cl-stats"),
    Action("energy", "new noise", "#energy-new-seed", "click", "#energy-plane .cl-stats"),
    Action("energy", "exponent, CALM on text", "#positions-alpha", "slider", "#positions", before="#positions-go"),
    Action("generate", "open a step", "#stage .cl-written:not([aria-selected=true])", "click", "#stage"),
    Action("generate", "a text begins", "#generate-go", "click", "#stage"),
    Action("temperature", "temperature dial", "#cl-tempering-input", "slider", "#tempering"),
    Action("temperature", "n, CALM at a prompt", "#real-n", "slider", "#real", before="#real-go"),
    Action("brier", "dial of the known model", "#brier-dial", "slider", "#brier"),
    Action("k-buys", "K", "#cost-chunk_size", "slider", "#cost"),
)


def answer_times(page: Page, url: str, action: Action, repeats: int) -> list[float]:
    """Seconds of ``repeats`` answers to one action."""
    page.goto(f"{url}/?tab={action.tab}")
    page.locator(action.answer).first.wait_for(state="attached", timeout=PATIENCE)
    settle(page)
    if action.before:
        page.locator(action.before).click()
        settle(page)
    times = []
    for turn in range(repeats + 1):
        if action.between:
            page.locator(action.selector).focus()
            for _ in range(3):
                page.keyboard.press(action.between)
        page.wait_for_timeout(PAUSE)
        asked = {"selector": action.selector, "kind": action.kind, "answer": action.answer, "turn": turn}
        times.append(page.evaluate(ACT, asked) / 1000)
        if action.what == "a text begins":
            page.locator("#generate-stop").click()
            page.wait_for_timeout(4 * PAUSE)
    return times[1:]


def first_paint(browser: Browser, url: str, repeats: int) -> dict[str, list[float]]:
    """Seconds from the request of a fresh page to its first paint, and to the first tab's drawing."""
    found: dict[str, list[float]] = {"first paint": [], "first drawing": []}
    for _ in range(repeats):
        context = browser.new_context(viewport={"width": 1280, "height": 900})
        page = context.new_page()
        page.goto(url)
        page.locator("#tour-answer b").first.wait_for(timeout=PATIENCE)  # what the first step has to say
        now, paint = page.evaluate(
            "() => [performance.now(), performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? null]"
        )
        found["first drawing"].append(now / 1000)
        if paint is not None:
            found["first paint"].append(paint / 1000)
        context.close()
    return found


def row(tab: str, what: str, times: list[float], target: float | None) -> dict[str, Any]:
    """One line of the table."""
    return {
        "tab": tab,
        "what": what,
        "seconds": statistics.median(times),
        "worst": max(times),
        "repeats": len(times),
        "target": target,
    }


def measure(repeats: int, only: str = "") -> list[dict[str, Any]]:
    """Start the app, measure every action, and stop it again."""
    rows: list[dict[str, Any]] = []
    with app_in_browser() as (browser, url, started):
        rows.append(row("", "start of the app", [started], TARGETS["start"]))
        if not only:
            for what, times in first_paint(browser, url, 3).items():
                rows.append(row("", what, times, TARGETS.get(what)))
        for action in ACTIONS:
            if only and only != action.tab:
                continue
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            try:
                times = answer_times(page, url, action, repeats)
                rows.append(row(action.tab, action.what, times, TARGETS[action.target]))
                print(f"{action.tab}: {action.what}: {1000 * rows[-1]['seconds']:.0f} ms", flush=True)
            except Error as error:  # the others are still worth measuring
                print(f"{action.tab}: {action.what}: {error.message.splitlines()[0]}", file=sys.stderr, flush=True)
            finally:
                page.close()
    return rows


def table(rows: list[dict[str, Any]]) -> str:
    """The table as Markdown."""

    def shown(seconds: float) -> str:
        return f"{seconds:.1f} s" if seconds >= 1 else f"{1000 * seconds:.0f} ms"

    lines = ["| tab | what | median | worst | answers | target |", "|---|---|---|---|---|---|"]
    for one in rows:
        target = shown(one["target"]) if one["target"] else ""
        times = f"{shown(one['seconds'])} | {shown(one['worst'])} | {one['repeats']}"
        lines.append(f"| {one['tab']} | {one['what']} | {times} | {target} |")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, write what was seen."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=9, help="answers counted for each action")
    parser.add_argument("--only", default="", help="id of one tab, for instance vectors; nothing is written then")
    options = parser.parse_args(arguments)
    rows = measure(options.repeats, options.only)
    if not options.only:
        result = {"machine": machine(), "date": time.strftime("%Y-%m-%d"), "rows": rows}
        path: Path = RESULTS / "latency.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(result, indent=1) + "\n", "utf-8")
    print(table(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
