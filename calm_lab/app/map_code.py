"""Python that draws the map on the page: how it came about, in a notebook's words."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

PYTHON = """\
{imports}
model = calm_lab.load_autoencoder("{address}")
{making}
x, y = found.picture("{picture}").T
plt.scatter(x, y, s=1, c=found.group, cmap="tab10")
looks = phrase(found, model, "Once upon a time")
plt.scatter(*place(found, looks[0].z[None], "{picture}").T, marker="x", color="black")
plt.title(f"trustworthiness {{found.trust['{picture}'].value:.3f}}")
plt.show()

steps = walk(model, found.mean[0], found.mean[1], "sphere")
for t, ids in zip(steps.t, steps.ids):
    print(f"{{t:.2f}}", repr(model.tokenizer.decode(ids.tolist())))
"""
IMPORTS = (
    "import matplotlib.pyplot as plt",
    "from calm_lab.lab.latent_map.place import phrase, place",
    "from calm_lab.lab.latent_map.walk import walk",
)
STORE = "from calm_lab.lab.latent_map.store import {}"
REFIT = "found = found.with_umap(umap_layout(found.mean, **settings), settings)"
LONGEST = 2000
"""Characters of a visitor's text that still go into the code."""


@dataclass(frozen=True)
class Making:
    """How a map was made.

    Attributes:
        imports: lines, beside those that all maps need.
        lines: that end with a map called ``found``.
        picture: umap or pca.
    """

    imports: tuple[str, ...]
    lines: tuple[str, ...]
    picture: str = "pca"

    def python(self, address: str) -> str:
        """The whole code, for the autoencoder that ``load_autoencoder`` finds at ``address``."""
        ordered = sorted({*IMPORTS, *self.imports}, key=lambda line: (line.startswith("from"), line))
        imports = "\n".join(["import calm_lab", *ordered, ""])
        return PYTHON.format(imports=imports, address=address, making="\n".join(self.lines), picture=self.picture)

    def again(self, settings: dict[str, Any]) -> Making:
        """The same map with UMAP computed once more."""
        return replace(
            self,
            imports=(*self.imports, "from calm_lab.lab.latent_map.fit import umap_layout"),
            lines=(*self.lines, f"settings = {settings!r}  # a minute or more", REFIT),
            picture="umap",
        )


def bundled(name: str) -> Making:
    """A map that comes with the package."""
    return Making((STORE.format("bundled_map"),), (f'found = bundled_map(model, "{name}")',), "umap")


def stories(count: int, name: str) -> Making:
    """A map of unseen storyland."""
    return Making(
        (STORE.format("map_texts"), "from calm_lab.text.corpora import load_corpus"),
        (
            f'stories = [row["text"] for row in load_corpus("storyland", "test", count={count})]',
            f'found = map_texts(model, stories, "{name}")',
        ),
    )


def own(text: str) -> Making:
    """A map of a visitor's text; a long one is read from a file, which they name."""
    imports, given = [STORE.format("map_texts")], repr(text)
    if len(text) > LONGEST:
        imports.append("from pathlib import Path")
        given = 'Path("my_text.txt").read_text("utf-8")  # the text that you gave the page'
    return Making(tuple(imports), (f"text = {given}", "found = map_texts(model, [text])"))
