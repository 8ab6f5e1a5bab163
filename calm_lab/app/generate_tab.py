"""The tab "Generate": text written chunk by chunk, and the step behind every choice (paper sec. 3.3, 5.1 and 5.2).

The slider of the batch method knows only T = 1/n, because it counts groups of n equal draws; the exact method takes any
T, at a price that is estimated first. What is computed is in ``calm_lab.app.generate_runs``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gradio as gr

from calm_lab.app import links, views
from calm_lab.app.bench import LONG, Bench, Opening
from calm_lab.app.generate_runs import (
    BUDGETS,
    FIRST_BUDGET,
    FIRST_LENGTH,
    FIRST_N,
    FIRST_POOL,
    LOWEST,
    PROMPT_MARK,
    STEPS,
    Request,
    compare,
    example_run,
    price,
    write,
)
from calm_lab.app.guard import told
from calm_lab.app.runs import in_turn, paced, stopped
from calm_lab.app.words import say
from calm_lab.lab import examples

ID = "generate"
TITLE = "generate_tab"
HIDDEN: Any = "hidden"  # out of sight but on the page: a drawing that is not there at first would lose its properties
FIELDS = ("prompt", "n", "length", "pool", "seed", "model", "method", "heat", "rules")
# What the fields say now, handed to the drawings, so that text and price of other settings carry a mark.
NOW = f"""(stage, compared, estimate, {", ".join(FIELDS)}) => {{
  const letters = [...(prompt ?? "")];
  const now = {{ prompt: `${{letters.length}}:${{letters.slice(0, {PROMPT_MARK}).join("")}}`, n, length, pool, seed,
    model, method: method.method, heat, budget: rules.budget, spent: rules.spent }};
  return [stage, compared, estimate].map((value) => ({{ ...value, now }}));
}}"""


def asked(*values: Any) -> Request:
    """The fields of the tab, in the order of ``FIELDS``, as a request."""
    prompt, n, length, pool, seed, model, method, heat, rules = values
    chosen = method.get("method") if isinstance(method, dict) else method
    rules = rules if isinstance(rules, dict) else {}
    return Request(prompt, n, length, pool, seed, model, chosen, heat, rules.get("budget"), rules.get("spent"))


def build(bench: Bench) -> Opening:
    """Lay out the tab inside the current ``gr.Tab``."""
    entries = bench.shelf.entries("calm")
    first = next(iter(entries), None)
    prompts = examples.prompts_for(entries[first].corpus if first else "")
    limits = bench.limits

    gr.Markdown(say("generate_look"), elem_classes="cl-look")
    with gr.Row(elem_classes="cl-panel", equal_height=False):
        with gr.Column(scale=3, min_width=300):
            prompt, chips = views.text_box(
                "generate_prompt", "generate-prompt", prompts, "generate_placeholder", lines=2
            )
            # No minimum and maximum: gradio's own refusal would not say which field it means.
            with gr.Row(elem_classes="cl-numbers"):
                length = gr.Number(
                    FIRST_LENGTH, precision=0, label=say("generate_length"), min_width=110, elem_id="generate-length"
                )
                pool = gr.Number(
                    min(FIRST_POOL, limits.pool),
                    precision=0,
                    label=say("generate_pool"),
                    min_width=110,
                    elem_id="generate-pool",
                )
            seed = views.seed_row("generate", prompts[0].seed)
            model = views.model_menu(entries, "generate_model", "generate-model")
            gr.Markdown(say("generate_brier"), elem_classes="cl-aside")
        with gr.Column(scale=2, min_width=280):
            method = _dials(
                "generate-method", {"method": "batch"}, {"key": "method", "choices": ["batch", "exact"], "note": True}
            )
            n = views.temperature(FIRST_N, STEPS)
            heat = views.view(
                "cl-temperature cl-dial",
                "dial.js",
                "heat_",
                value=1 / FIRST_N,
                low=LOWEST,
                prefix="heat",
                elem_id="generate-heat",
                visible=HIDDEN,
            )
            rules = _dials(
                "generate-rules",
                {"budget": FIRST_BUDGET, "spent": "batch"},
                {"key": "budget", "steps": [calls for calls in BUDGETS if calls <= limits.calls]},
                {"key": "spent", "choices": ["batch", "stop"]},
                visible=HIDDEN,
            )
            estimate = views.view(
                *("cl-price", "price.js", "price_"),
                helpers=("foretell.js", "stale.js"),
                elem_id="generate-price",
                visible=HIDDEN,
                min_height=60,
            )
            with gr.Row(elem_classes="cl-go"):
                go = gr.Button(say("generate_go"), variant="primary", scale=3, min_width=140, elem_id="generate-go")
                stop = gr.Button(say("generate_stop"), variant="stop", scale=1, min_width=90, elem_id="generate-stop")
            beside = gr.Button(say("generate_compare"), elem_id="generate-compare")
    stage = views.stage()
    compared = views.view(
        *("cl-compare", "compare.js", "compare_", "stage_", "pool_", "token_", "stale_", "share_"),
        helpers=(*views.CHARTS, "pool.js", "stale.js"),
        elem_id="compare",
    )
    with gr.Accordion(say("generate_how"), open=False, elem_classes="cl-how"):
        gr.Markdown(say("generate_how_text"), latex_delimiters=views.LATEX)

    fields: list[Any] = [prompt, n, length, pool, seed, model, method, heat, rules]
    private: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}

    @told
    def stream(*values: Any) -> Iterator[dict[str, Any]]:
        yield from paced(write(bench, asked(*values)))

    @told
    def three(*values: Any) -> Iterator[dict[str, Any]]:
        yield from paced(compare(bench, asked(*values)))

    long: dict[str, Any] = {"concurrency_id": LONG, "concurrency_limit": 1, "trigger_mode": "once", **private}
    running = in_turn([go.click, prompt.submit], stream, fields, stage, **long)
    comparing = in_turn([beside.click], three, fields, compared, **long)
    stop.click(
        lambda *values: [stopped(value) for value in values],
        [stage, compared],
        [stage, compared],
        cancels=[running, comparing],
        queue=False,
        **private,
    )
    gr.on(
        [field.change for field in fields],
        None,
        [stage, compared, estimate, *fields],
        [stage, compared, estimate],
        js=NOW,
        api_visibility="private",
    )

    written = views.examples_of_model(bench, model, prompt, chips, examples.prompts_for)

    @told
    def tell_price(*values: Any) -> Any:
        request = asked(*values)
        return price(bench, request) if request.method == "exact" else gr.skip()

    def show(value: dict[str, Any]) -> list[Any]:
        exact = isinstance(value, dict) and value.get("method") == "exact"
        return [gr.update(visible=shown or HIDDEN) for shown in (not exact, not exact, exact, exact, exact)]

    method.change(show, method, [n, pool, heat, rules, estimate], queue=False, **private)
    pricing: dict[str, Any] = {**private, "concurrency_id": LONG, "trigger_mode": "always_last"}
    gr.on(
        [method.change, heat.change, rules.change, model.change, seed.change, length.change, prompt.blur],
        tell_price,
        fields,
        estimate,
        **pricing,
    )
    for event in written:  # no field is left when a chip writes
        event.then(tell_price, fields, estimate, **pricing)

    @told
    def mend(name: str, event: gr.EventData) -> list[Any]:
        """The two ways out of a story that ends before it begins."""
        prompted = getattr(event, "way", None) == "prompt"
        first = examples.prompts_for(bench.shelf.entry("calm", name).corpus)[0].text
        return [first if prompted else gr.skip(), gr.skip() if prompted else 1]

    stage.select(mend, model, [prompt, n], queue=False, **private)

    @told
    def fill(model: str) -> dict[str, Any]:
        entry = bench.shelf.entry("calm", model)
        return example_run(bench, entry.name, (entry.folder / "config.json").stat().st_mtime_ns)

    carried = [
        links.Field("prompt", prompt, links.text(limits)),
        links.Field("method", method, links.one_of(("batch", "exact")), "method"),
        links.Field("n", n, links.one_of(STEPS)),
        links.Field("t", heat, links.real(LOWEST, 1)),
        links.Field("budget", rules, links.one_of(calls for calls in BUDGETS if calls <= limits.calls), "budget"),
        links.Field("spent", rules, links.one_of(("batch", "stop")), "spent"),
        links.Field("length", length, links.whole(1, limits.new_tokens)),
        links.Field("pool", pool, links.whole(1, limits.pool)),
        links.Field("seed", seed, links.SEED),
        links.Field("model", model, links.one_of(entries)),
    ]
    return Opening(fill, [model], [stage], LONG, carried)


def _dials(name: str, value: dict[str, Any], *dials: dict[str, Any], visible: Any = True) -> gr.HTML:
    return views.view(
        "cl-dials cl-narrow",
        "dials.js",
        "generate_",
        value=value,
        prefix="generate",
        dials=list(dials),
        elem_id=name,
        visible=visible,
    )
