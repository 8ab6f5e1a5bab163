"""The tab "Generate": text written chunk by chunk, and the pool behind every choice (paper sec. 3.3 and 5.2).

The temperature slider knows only T = 1/n, because batch sampling counts groups of n equal draws. The whole run travels
to the browser as plain data, so that opening the pool of any written chunk needs no further call.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator
from typing import Any

import gradio as gr

from calm_lab.app import views
from calm_lab.app.bench import LONG, Bench, Opening, sizes
from calm_lab.app.guard import told
from calm_lab.app.limits import MAX_SEED
from calm_lab.app.words import say
from calm_lab.errors import InputError
from calm_lab.lab import examples
from calm_lab.lab.pools import pool_of
from calm_lab.toolkit.generate import generate

ID = "generate"
TITLE = "generate_tab"
STEPS = (8, 7, 6, 5, 4, 3, 2, 1)
FIRST_N, FIRST_LENGTH, FIRST_POOL, EXAMPLE_LENGTH = 3, 128, 200, 96
SHOWN_PROMPT = 800
NEW_SEED = "() => Math.floor(Math.random() * 1000000)"

_runs = itertools.count(1)


def write(
    bench: Bench, prompt: str, n: int, length: float, pool: float, seed: float, model: str
) -> Iterator[dict[str, Any]]:
    """Write, step by step.

    Args:
        bench: models and limits.
        prompt: the text to go on from; "" starts from nothing.
        n: 1/T.
        length: tokens to write at most.
        pool: draws a step.
        seed: of all randomness.
        model: name on the shelf.

    Yields:
        The stage's value so far: settings, status (running, ended, full) and the steps.

    Raises:
        CalmLabError: for a prompt too long, a number out of range, an unknown model.
    """
    limits = bench.limits
    limits.check_text(prompt, "prompt")
    n = limits.check_number(n, "n of T = 1/n", 1, max(STEPS))
    number = limits.check_number(seed, "the seed", 0, MAX_SEED)
    size = limits.check_number(pool, "the pool", 1, limits.pool)
    tokens = limits.check_number(length, "the length", 1, limits.new_tokens)
    entry = bench.shelf.entry("calm", model)
    lm = bench.shelf.calm(entry.name)
    if lm.tokenizer is None:
        raise InputError(f"{entry.name} has no tokenizer: add its tokenizer.json to the folder")
    steps: list[dict[str, Any]] = []
    value = {
        "run": next(_runs),
        "model": entry.name,
        "prompt": prompt if len(prompt) <= SHOWN_PROMPT else "…" + prompt[-SHOWN_PROMPT:],
        "n": n,
        "seed": number,
        "chunk_size": lm.config.chunk_size,
        "status": "running",
        "steps": steps,
    }
    written = generate(lm, prompt, 1 / n, pool=size, max_tokens=tokens, seed=number)
    yield {**value, "steps": []}
    for step in written:
        steps.append(pool_of(step, lm.tokenizer, n).to_dict())
        yield {**value, "steps": list(steps)}
    yield {**value, "steps": list(steps), "status": "ended" if steps and steps[-1]["ended"] else "full"}


@functools.lru_cache(maxsize=16)
def example_run(bench: Bench, model: str, changed: int) -> dict[str, Any]:
    """The worked example of a model: written once with a fixed seed, then kept; ``changed`` tells versions apart."""
    example = examples.prompts_for(bench.shelf.entry("calm", model).corpus)[0]
    run = write(bench, example.text, FIRST_N, EXAMPLE_LENGTH, FIRST_POOL, example.seed, model)
    return list(run)[-1]


def stopped(value: Any) -> Any:
    """The stage's value after Stop: a run that was going on is marked as stopped."""
    if isinstance(value, dict) and value.get("status") == "running":
        return {**value, "status": "stopped"}
    return gr.skip()


def build(bench: Bench) -> Opening:
    """Lay out the tab inside the current ``gr.Tab``."""
    entries = bench.shelf.entries("calm")
    first = next(iter(entries), None)
    prompts = examples.prompts_for(entries[first].corpus if first else "")
    limits = bench.limits

    gr.Markdown(say("generate_look"), elem_classes="cl-look")
    with gr.Row(elem_classes="cl-panel", equal_height=False):
        with gr.Column(scale=3, min_width=300):
            prompt = gr.Textbox(
                prompts[0].text,
                label=say("generate_prompt"),
                placeholder=say("generate_placeholder"),
                lines=2,
                max_lines=6,
                elem_id="generate-prompt",
            )
            with gr.Row(elem_classes="cl-chips"):
                chips = [gr.Button(example.name, size="sm", min_width=0) for example in prompts]
            with gr.Row(elem_classes="cl-numbers"):
                length = gr.Number(
                    FIRST_LENGTH,
                    precision=0,
                    minimum=1,
                    maximum=limits.new_tokens,
                    label=say("generate_length"),
                    min_width=110,
                    elem_id="generate-length",
                )
                pool = gr.Number(
                    min(FIRST_POOL, limits.pool),
                    precision=0,
                    minimum=1,
                    maximum=limits.pool,
                    label=say("generate_pool"),
                    min_width=110,
                    elem_id="generate-pool",
                )
            with gr.Row(elem_classes="cl-seed"):
                seed = gr.Number(
                    prompts[0].seed,
                    precision=0,
                    minimum=0,
                    label=say("generate_seed"),
                    min_width=90,
                    elem_id="generate-seed",
                )
                renew = gr.Button(say("generate_new_seed"), min_width=100, elem_id="generate-new-seed")
        with gr.Column(scale=2, min_width=280):
            n = views.temperature(FIRST_N, STEPS)
            model = gr.Dropdown(
                list(entries),
                value=first,
                label=say("generate_model"),
                info=sizes(entries[first]) if first else None,
                elem_id="generate-model",
                filterable=False,
            )
            with gr.Row(elem_classes="cl-go"):
                go = gr.Button(say("generate_go"), variant="primary", scale=3, min_width=140, elem_id="generate-go")
                stop = gr.Button(say("generate_stop"), variant="stop", scale=1, min_width=90, elem_id="generate-stop")
    stage = views.stage()
    with gr.Accordion(say("generate_how"), open=False, elem_classes="cl-how"):
        gr.Markdown(say("generate_how_text"), latex_delimiters=views.LATEX)

    @told
    def stream(*values: Any) -> Iterator[dict[str, Any]]:
        yield from write(bench, *values)

    private: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
    running = gr.on(
        [go.click, prompt.submit],
        stream,
        [prompt, n, length, pool, seed, model],
        stage,
        concurrency_id=LONG,
        concurrency_limit=1,
        trigger_mode="once",
        **private,
    )
    stop.click(stopped, stage, stage, cancels=[running], queue=False, **private)
    renew.click(None, None, seed, js=NEW_SEED, api_visibility="private")

    def corpus_prompt(name: str, place: int) -> str:
        return examples.prompts_for(bench.shelf.entry("calm", name).corpus)[place].text

    for place, chip in enumerate(chips):
        chip.click(told(functools.partial(_swap, corpus_prompt, place)), model, prompt, queue=False, **private)

    def describe(name: str) -> list[Any]:
        entry = bench.shelf.entry("calm", name)
        offered = examples.prompts_for(entry.corpus)
        return [gr.update(info=sizes(entry)), offered[0].text, *(example.name for example in offered)]

    model.input(told(describe), model, [model, prompt, *chips], queue=False, **private)

    @told
    def fill(model: str) -> dict[str, Any]:
        entry = bench.shelf.entry("calm", model)
        return example_run(bench, entry.name, (entry.folder / "config.json").stat().st_mtime_ns)

    return Opening(fill, [model], [stage], LONG)


def _swap(prompt_of: Any, place: int, name: str) -> str:
    return str(prompt_of(name, place))
