"""Groups on a map: k-means in l dimensions, and the words that are typical of some chunks against all others.

Why: groups found in the picture would be groups of the picture. These are found among the vectors, and only then
coloured; what they hold is said by words, not by eye.
Where: Arthur and Vassilvitskii 2007 (k-means++); Monroe, Colaresi and Quinn 2008 (log-odds with a prior).

App tab: Latent map. Notebook: 04.
"""

from __future__ import annotations

import collections
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from calm_lab.device import generator
from calm_lab.errors import InputError
from calm_lab.lab.latent_map.chunks import words_of

CLUSTERS = 7
ROUNDS = 100


def k_means(vectors: Tensor, clusters: int = CLUSTERS, seed: int = 0, rounds: int = ROUNDS) -> Tensor:
    """Group vectors by Lloyd's rounds from k-means++ starts.

    Args:
        vectors: shape (R, l).
        clusters: how many groups, at most R.
        seed: of the starts.
        rounds: at most so many; it ends when no vector changes its group.

    Returns:
        The group of each vector, shape (R,); group 0 is the largest.

    Raises:
        InputError: for more groups than vectors, or none.
    """
    if not 1 <= clusters <= len(vectors):
        raise InputError(f"clusters must lie between 1 and the {len(vectors)} vectors, not {clusters}")
    stream = generator(seed)
    first = torch.randint(len(vectors), (1,), generator=stream)
    centres = vectors[first]
    for _ in range(clusters - 1):
        squared = torch.cdist(vectors, centres).amin(1).square().clamp(min=1e-12)  # (R,)
        centres = torch.cat([centres, vectors[torch.multinomial(squared, 1, generator=stream)]])
    group = torch.full((len(vectors),), -1)
    for _ in range(rounds):
        before, group = group, torch.cdist(vectors, centres).argmin(1)
        if torch.equal(before, group):
            break
        sums = torch.zeros_like(centres).index_add_(0, group, vectors)
        sizes = group.bincount(minlength=clusters)[:, None]
        centres = torch.where(sizes > 0, sums / sizes.clamp(min=1), centres)
    order = group.bincount(minlength=clusters).argsort(descending=True, stable=True)
    return order.argsort()[group]


@dataclass(frozen=True)
class TypicalWord:
    """A word that some chunks hold more often than the others.

    Attributes:
        word: in small letters.
        inside: how often it stands in the chosen chunks.
        outside: how often in all others.
        log_odds: logarithm of the ratio of its odds, inside over outside, smoothed by its frequency everywhere.
        z: log_odds in standard errors.
    """

    word: str
    inside: int
    outside: int
    log_odds: float
    z: float


def typical_words(
    texts: Sequence[str], chosen: Iterable[int], most: int = 12, prior: float = 100.0
) -> list[TypicalWord]:
    """The words most typical of the chosen chunks, by log-odds in standard errors.

    Each word's count gets its share of ``prior`` extra words, so that a word seen once does not lead the list.

    Args:
        texts: what every chunk of the map says; each counts once.
        chosen: places of the chosen ones.
        most: words to return at most.
        prior: words' worth of belief that the chosen chunks are like all others.

    Returns:
        Words with z > 0, largest z first; none where nothing or everything is chosen.

    Raises:
        InputError: for a place outside the map.
    """
    places = set(chosen)
    if any(not 0 <= place < len(texts) for place in places):
        raise InputError(f"a chosen chunk lies outside the map of {len(texts)}: choose again")
    inside: collections.Counter[str] = collections.Counter()
    everywhere: collections.Counter[str] = collections.Counter()
    for place, text in enumerate(texts):
        words = words_of(text)
        everywhere.update(words)
        if place in places:
            inside.update(words)
    total, chosen_total = everywhere.total(), inside.total()
    if not chosen_total or chosen_total == total:
        return []
    found = []
    for word, count in inside.items():
        belief = prior * everywhere[word] / total
        a, b = count + belief, everywhere[word] - count + belief
        rest_a, rest_b = (
            max(size + prior - part, 1e-9) for size, part in ((chosen_total, a), (total - chosen_total, b))
        )
        log_odds = math.log(a / rest_a) - math.log(b / rest_b)
        found.append(TypicalWord(word, count, everywhere[word] - count, log_odds, log_odds / math.sqrt(1 / a + 1 / b)))
    return sorted((word for word in found if word.z > 0), key=lambda word: (-word.z, word.word))[:most]
