"""The Python of each step of the tour: what a reader pastes into a notebook to compute the numbers that are shown."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from calm_lab.app.bench import Bench
from calm_lab.lab.examples import prompts_for
from calm_lab.lab.table1 import headline

Setting = dict[str, Any]


def python(bench: Bench, now: Setting) -> str:
    """A program that prints the numbers of the open step.

    Args:
        bench: the page's models, for their addresses.
        now: the step and what is set there, as ``calm_lab.app.tour_answers`` has checked it.

    Raises:
        CheckpointError: where the step needs a model and there is none.
    """
    return _PROGRAMS[now["step"] - 1](bench, now)


def _token(bench: Bench, now: Setting) -> str:
    return f"""from calm_lab.lab.tour import carried

found = carried(vocab_size={now["vocab"]})
print(found, f"softmax: {{found.share:.0%}} of a token's FLOPs")
"""


def _reading(bench: Bench, now: Setting, print_: str, sigma: float = 0.0) -> str:
    return f"""import calm_lab
from calm_lab.lab.vectors import read_text

autoencoder = calm_lab.load_autoencoder({_text(bench.shelf.entry("autoencoder").address)})
reading = read_text(autoencoder, {_text(now["text"])}, sigma={sigma}, seed={now["seed"]})
{print_}
"""


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)


_BACK = 'print(f"{reading.correct} of {reading.total} tokens came back:", reading.decoded_text)'


def _vectors(bench: Bench, now: Setting) -> str:
    return _reading(bench, now, f"{_BACK}\nprint(reading.mean)")


def _bits(bench: Bench, now: Setting) -> str:
    return _reading(bench, now, 'print(reading.bits.sum(-1), f"naming a chunk takes {reading.bits_to_name:.1f} bits")')


def _noise(bench: Bench, now: Setting) -> str:
    return _reading(bench, now, _BACK, now["sigma"])


def _energy(bench: Bench, now: Setting) -> str:
    return f"""from calm_lab.lab.energy_plane import Plane, read_plane, spread_curve

plane = Plane(cloud=({-now["away"]}, 0.0), spread={now["spread"]}, target=(0.0, 0.0))
found = read_plane(plane)
print(f"{{found.diversity:.3f}} - 2 x {{found.fidelity:.3f}} = {{found.score:.3f}}; expected {{found.expected:.3f}}")
curve = spread_curve(plane)
"""


def _brier(bench: Bench, now: Setting) -> str:
    return f"""from calm_lab.lab.tour import judge

found = judge(positions={now["positions"]}, seed={now["seed"]})
print(*found.points, f"exact: {{found.exact.brier_lm:.2f}}, ceiling: {{found.ceiling.brier_lm:.2f}}", sep="\\n")
"""


def _temperature(bench: Bench, now: Setting) -> str:
    return f"""from calm_lab.lab.tour import cool

found = cool(n={now["n"]}, seed={now["seed"]})
print(found.counts, found.chosen, found.goal)
"""


def _sentence(bench: Bench, now: Setting) -> str:
    entry = bench.shelf.entry("calm")
    return f"""import calm_lab
from calm_lab.lab.tour import write

lm = calm_lab.load_model({_text(entry.address)})
pools = write(lm, {_text(prompts_for(entry.corpus)[0].text)}, n={now["n"]}, seed={now["seed"]})
for pool in pools:
    chosen = next((one for one in pool.candidates if one.chosen), pool.candidates[0])
    print("".join(chosen.tokens), f"drawn {{chosen.count}} of {{pool.seen}} times")
"""


def _price(bench: Bench, now: Setting) -> str:
    return f"""from calm_lab.lab.tour import prices

plain, found = prices([{now["chunk_size"]}])
print(f"K = {{found.chunk_size}}: a step {{found.step / plain.step:.2f}}, a token {{found.token / plain.token:.2f}}")
"""


def _honest(bench: Bench, now: Setting) -> str:
    pair = headline()[now["pair"]]
    return f"""from calm_lab.lab.table1 import headline

found = next(pair for pair in headline() if (pair.calm, pair.transformer) == ({pair.calm!r}, {pair.transformer!r}))
print(f"training {{found.training:+.0%}}, inference {{found.inference:+.0%}}, BrierLM {{found.brier_lm:+.2f}}")
"""


_PROGRAMS: tuple[Callable[[Bench, Setting], str], ...] = (
    *(_token, _vectors, _bits, _noise, _energy),
    *(_brier, _temperature, _sentence, _price, _honest),
)
