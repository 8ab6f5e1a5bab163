# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 04 · The latent manifold
#
# | | |
# |---|---|
# | minutes | under 1 on two CPU cores, and with `CALM_LAB_FAST=1`; computing UMAP again: 1 or 2 more |
# | app tab | *Latent map* |
# | modules | `calm_lab/lab/latent_map/`, `calm_lab/lab/maps.py` |
# | paper | [arXiv:2510.27688](https://arxiv.org/abs/2510.27688), section 2 (the space that the vectors live in) |
# | you need | notebook 02; notebook 03 helps |
#
# Every chunk of text is a point in 64 dimensions. It is tempting to draw the points in two and to read the picture like
# a map. This notebook does so, and then asks of everything that one believes to see whether it is there. The paper
# promises a space that is robust; it promises no geometry of meaning. So that is measured too.

# %% [markdown]
# ## What you will see
#
# 1. **Two maps of 24,000 chunks**, by UMAP and by PCA, and a third with the same outline that knows nothing.
# 2. **How far each can be trusted**: a number, with an error bar and a control.
# 3. **What no such map can tell**: distances across it, and whether its islands are islands.
# 4. **Neighbours** in 64 dimensions: they share tokens, at the same places.
# 5. **A walk from one chunk to another.** Halfway it says neither the one nor the other, nor a mixture.
# 6. **Meaning?** Words of one kind are hardly nearer to each other than words of different kinds.
#
# The last cell checks every one of these claims.

# %% tags=["exercises-need"]
import math

import torch

import calm_lab
from calm_lab.lab.figures import ChunkRow, apply_style, chunk_figure
from calm_lab.lab.latent_map.chunks import PUNCTUATION, punctuation
from calm_lab.lab.latent_map.cluster import CLUSTERS, k_means, typical_words
from calm_lab.lab.latent_map.fit import nearest, shuffled, trustworthiness, umap_layout
from calm_lab.lab.latent_map.store import bundled_map, encode_chunks
from calm_lab.lab.latent_map.walk import PATHS, sphere, walk
from calm_lab.lab.letters import story_chunks
from calm_lab.lab.maps import MapView, maps_figure
from calm_lab.lab.panels import Panel, Series, panels_figure
from calm_lab.lab.sliders import Choice, slide
from calm_lab.lab.source import source_of
from calm_lab.text.storyland.grammar import load_grammar

FAST = calm_lab.lab_scale("cpu").fast  # CALM_LAB_FAST=1: fewer points, pairs and walks, the same claims
REFIT = False  # True computes UMAP again, for a part of the points: its compiler alone takes a minute
apply_style()
ae = calm_lab.load_autoencoder()
K = ae.config.chunk_size

# %% [markdown]
# ## The picture
#
# Each dot is a chunk of K = 4 tokens from Andersen's tales or from storyland, one of the most frequent. Colour is the
# strongest punctuation mark in it (*line* is a line break). The layouts were computed once and are stored; the vectors
# themselves are encoded now. The third picture is the first with its dots exchanged at random.

# %%
chart = bundled_map(ae, "autoencoder-k4")
COUNT = len(chart)
marks = torch.tensor([PUNCTUATION.index(punctuation(text)) for text in chart.texts])
wrong = shuffled(chart.picture("umap"))
maps_figure(
    [
        MapView("UMAP", chart.picture("umap"), marks, PUNCTUATION),
        MapView("PCA", chart.picture("pca"), marks, PUNCTUATION),
        MapView("UMAP, shuffled", wrong, marks, PUNCTUATION),
    ]
)

# %% [markdown]
# ## The formulas
#
# **PCA** projects on the two directions of largest variance. It has a formula for every new point and one back.
# **UMAP** moves points in the plane until those that are among the nearest in 64 dimensions are near in the plane. It
# has neither formula, and it looks at nothing but neighbours.
#
# **Trustworthiness** asks of a picture of $R$ points: are the $k$ nearest in the picture near in truth? Let $r(i, j)$
# be the rank of $j$ among all points by true distance from $i$, and let $U_k(i)$ be the $k$ nearest of $i$ in the
# picture. Each that does not belong there is punished by how far down its true rank is:
# $$\text{trust} = 1 - \frac{2}{k\,(2R - 3k - 1)} \cdot \frac1R \sum_i \sum_{j \in U_k(i)} \max(0,\ r(i, j) - k).$$
# It is 1 for a perfect picture and about 0.5 for one that knows nothing.
#
# **A walk** from $a$ to $b$ goes along the line, $z(t) = (1-t)\,a + t\,b$, or along the sphere, where the direction
# turns evenly and the length changes evenly.

# %% [markdown]
# ## The code

# %%
print(source_of(trustworthiness))

# %%
print(source_of(sphere))

# %% [markdown]
# ## The experiment
#
# ### How far can the pictures be trusted?

# %%
LOOKED = 300 if FAST else 1000
trust = {
    name: trustworthiness(chart.mean, places, rows=LOOKED)
    for name, places in (("UMAP", chart.picture("umap")), ("PCA", chart.picture("pca")), ("shuffled", wrong))
}
for name, found in trust.items():
    print(
        f"{name:9} trustworthiness {found.value:.3f} ± {found.standard_error:.3f} (k = {found.k}, {found.rows} points)"
    )
pca_share = sum(chart.plane.share)
print(f"the two axes of PCA hold {pca_share:.1%} of the variance; two of 64 would hold {2 / 64:.1%} of a round cloud")
panels_figure(
    [
        Panel(
            "trustworthiness",
            [
                Series("", list(trust), [t.value for t in trust.values()], "accent", "bars",
                       [2 * t.standard_error for t in trust.values()]),
                Series("knows nothing", range(3), [0.5] * 3, "target", "dotted"),
            ],
            y_limits=(0, 1),
        )
    ]
)  # fmt: skip

# %% [markdown]
# UMAP is clearly better than PCA and PCA better than nothing, but neither is near 1. That is no fault of theirs: the
# cloud has no two directions that matter much more than the others, so whatever is drawn in the plane leaves out most
# of it.
#
# ### What such a map cannot tell
#
# **Distances across the picture.** Take random pairs. Do those that are far apart in the picture lie far apart in
# truth? (Spearman's correlation of the ranks: 1 for a faithful picture.)


# %%
def ranks(values):
    return values.argsort().argsort().double()


def spearman(one, other):
    return torch.corrcoef(torch.stack([ranks(one), ranks(other)]))[0, 1].item()


stream = torch.Generator().manual_seed(0)
PAIRS = 5000
first, second = (torch.randint(COUNT, (PAIRS,), generator=stream) for _ in range(2))
truly = (chart.mean[first] - chart.mean[second]).norm(dim=-1)
agreement = {
    name: spearman(truly, (places[first] - places[second]).norm(dim=-1))
    for name, places in (("UMAP", chart.picture("umap")), ("PCA", chart.picture("pca")), ("shuffled", wrong))
}
for name, value in agreement.items():
    print(f"{name:9} Spearman {value:+.2f} ± {1 / PAIRS**0.5:.2f} between distance in the picture and in truth")
print(f"true distances of random pairs: {truly.mean():.1f} ± {truly.std():.1f}")

# %% [markdown]
# UMAP, the better picture of neighbours, is the slightly worse one of distances. And there is little to show: in 64
# dimensions all random pairs are about equally far apart.
#
# **Whether islands are islands.** Group the vectors by k-means, in 64 dimensions, and ask how much of the variance the
# groups explain. Then do the same with a cloud that has no islands by construction: a Gaussian with the same mean and
# the same covariance.

# %%
some = chart.mean[torch.randperm(COUNT, generator=stream)[: 2000 if FAST else 6000]]


def explained(vectors, seed=0):  # share of the variance between groups
    group = k_means(vectors, CLUSTERS, seed)
    inside = sum((vectors[group == g] - vectors[group == g].mean(0)).square().sum() for g in range(CLUSTERS))
    return 1 - (inside / (vectors - vectors.mean(0)).square().sum()).item()


root = torch.linalg.cholesky(torch.cov(some.T) + 1e-6 * torch.eye(some.shape[1]))
controls = [explained(some.mean(0) + torch.randn(some.shape, generator=stream) @ root.T, s) for s in range(3)]
real = [explained(some, s) for s in range(3)]
print(f"{CLUSTERS} groups explain {min(real):.1%} to {max(real):.1%} of the variance, from three starts")
print(f"of a cloud without islands: {min(controls):.1%} to {max(controls):.1%}")

# %% [markdown]
# Most of what the groups explain, six sevenths, they would explain in a cloud without any groups: k-means always finds
# some. What is there beyond that is small. (With `REFIT`, further down, UMAP draws such a cloud beside the chunks, in a
# minute or two.)
#
# What are the groups about? Typical words of each, by log-odds against all other chunks:

# %%
for g in range(CLUSTERS):
    rows = (chart.group == g).nonzero().flatten().tolist()
    found = typical_words(chart.texts, rows, most=6)
    print(f"group {g}: {len(rows):5,} chunks   {', '.join(word.word for word in found)}")

# %%
maps_figure(
    [
        MapView(name, places, chart.group, [f"group {g}" for g in range(CLUSTERS)], quiet=False)
        for name, places in (("UMAP", chart.picture("umap")), ("PCA", chart.picture("pca")))
    ]
)

# %% [markdown]
# No group is a topic. Little words lead most lists, and the rest of a list has nothing in common. (A lone *r* or *s* is
# a piece of a word.)
#
# ### Neighbours, and two linked views
#
# Choose a chunk. It and its eight nearest neighbours in 64 dimensions are ringed in both pictures, itself with the
# large ring. The line of text says what they are and how far away. Some chunks have near neighbours, others none:
# the nearest of the one shown shares a single token with it.

# %%
CHOSEN = sorted(chart.counts.argsort(descending=True, stable=True)[:400:57].tolist())
LABELS = {f"{row}: {chart.texts[row].strip()!r}": row for row in CHOSEN}


def linked(chunk):
    row = LABELS[chunk]
    near, away = (found[0] for found in nearest(chart.mean[row : row + 1], chart.mean, 9))
    print("  ".join(f"{chart.texts[r]!r} {d:.1f}" for r, d in zip(near.tolist(), away.tolist(), strict=True)))
    return maps_figure([MapView(name.upper(), chart.picture(name), rings=near.tolist()) for name in ("umap", "pca")])


slide(linked, chunk=Choice(list(LABELS), list(LABELS)[4]))

# %% [markdown]
# What makes two chunks neighbours? Count the tokens that they share at the same place.

# %%
QUERIES = 200 if FAST else 600
queries = torch.randperm(COUNT, generator=stream)[:QUERIES]
others = torch.randint(COUNT, (QUERIES,), generator=stream)
near, away = nearest(chart.mean[queries], chart.mean, 201)
RANKS = [1, 2, 5, 15, 50, 200]  # rank 0 is the chunk itself


def shared(a, b):  # tokens in common at the same place: (...)
    return (a == b).sum(-1).double()


common = {r: shared(chart.ids[near[:, r]], chart.ids[queries]) for r in RANKS}
by_chance = shared(chart.ids[others], chart.ids[queries])
for r, values in common.items():
    print(
        f"neighbour {r:3}: {values.mean():.2f} ± {values.std() / QUERIES**0.5:.2f} of {K} tokens shared, "
        f"distance {away[:, r].mean():.1f}"
    )
print(f"random chunk: {by_chance.mean():.2f} ± {by_chance.std() / QUERIES**0.5:.2f}, distance {truly.mean():.1f}")
same_mark = (marks[near[:, 1]] == marks[queries]).double().mean().item()
mark_by_chance = (marks[others] == marks[queries]).double().mean().item()
print(f"the same punctuation: {same_mark:.0%} of nearest neighbours, {mark_by_chance:.0%} of random chunks")
panels_figure(
    [
        Panel(
            f"tokens shared with a chunk, of {K}",
            [
                Series("", RANKS, [v.mean().item() for v in common.values()], "accent"),
                Series("neighbours", RANKS, [v.mean().item() for v in common.values()], "accent", "dots",
                       [2 * v.std().item() / QUERIES**0.5 for v in common.values()]),
                Series("random chunks", [1, 200], [by_chance.mean().item()] * 2, "target", "dotted"),
            ],
            "which neighbour, 1 is the nearest",
            log="x",
            x_ticks=RANKS,
            y_limits=(0, K),
        )
    ]
)  # fmt: skip

# %% [markdown]
# The nearest neighbour shares about two of four tokens, the fifteenth still many times more than chance. So the space
# does have an order. It is an order of *spelling out*: near is what says the same tokens at the same places. The
# patches of commas and full stops in the first picture come from there.
#
# ### A walk
#
# Now go from one chunk to another, and decode at every step.

# %%
START, END = CHOSEN[1], CHOSEN[4]


def walk_figure(path):
    found = walk(ae, chart.mean[START], chart.mean[END], path, 11)
    steps = zip(found.t.tolist(), found.ids.tolist(), strict=True)
    return chunk_figure([ChunkRow(f"t = {t:.1f}", [ae.tokenizer.pieces(ids)]) for t, ids in steps])


slide(walk_figure, path=Choice(list(PATHS), "line"))

# %%
WALKS, STEPS = (60, 21) if FAST else (200, 21)
fate = {}  # path -> shares of tokens that belong to the start, to the end, to neither: (WALKS, 3, STEPS)
returns = {}  # path -> distance of each step from encode(decode(step)): (WALKS, STEPS)
for path in PATHS:
    kinds, back = [], []
    for a, b in zip(queries[:WALKS].tolist(), others[:WALKS].tolist(), strict=True):
        found = walk(ae, chart.mean[a], chart.mean[b], path, STEPS)
        of_start, of_end = found.ids == chart.ids[a], found.ids == chart.ids[b]  # (STEPS, K)
        kinds.append(torch.stack([kind.double().mean(1) for kind in (of_start, of_end, ~of_start & ~of_end)]))
        back.append(found.back)
    fate[path], returns[path] = torch.stack(kinds), torch.stack(back)
HALF = STEPS // 2
T = torch.linspace(0, 1, STEPS).tolist()
for path in PATHS:
    share, error = fate[path].mean(0), fate[path].std(0) / WALKS**0.5
    print(
        f"{path:6} halfway: {share[0, HALF]:.0%} of the start's tokens, {share[1, HALF]:.0%} of the end's, "
        f"{share[2, HALF]:.0%} ± {error[2, HALF]:.0%} of neither; {returns[path][:, HALF].mean():.1f} away from "
        "what the encoder would have answered"
    )
panels_figure(
    [
        *(
            Panel(
                f"along the {path}: whose tokens?",
                [
                    Series(name, T, fate[path].mean(0)[kind].tolist(), role)
                    for kind, (name, role) in enumerate(
                        (("the start's", "accent"), ("the end's", "target"), ("neither's", "sample"))
                    )
                ],
                "t",
                y_limits=(0, 1.03),
            )
            for path in PATHS
        ),
        Panel(
            "distance from encode(decode(z))",
            [
                Series("line", T, returns["line"].mean(0).tolist(), "accent"),
                Series("sphere", T, returns["sphere"].mean(0).tolist(), "sigma"),
            ],
            "t",
        ),
    ]
)

# %% [markdown]
# Near the ends a walk holds on to its chunk for a good stretch: that is robustness, the space around a vector that
# means the same. In the middle it says something third, most of whose tokens neither end has, and the encoder would
# have put those tokens elsewhere: the middle is a place where no text lives (a nearest
# neighbour is 5.8 away, so 4.9 is far). The sphere, which keeps the length, fares
# no better. So this is no space in which meanings blend. Nothing in the training ever asked for that.
#
# ### Meaning?
#
# One direct test. Take words of three kinds from storyland's own lists: animals and people, colours, things. Put each
# in the same place of the same chunk, encode, and compare distances. If the space knew kinds, two words of one kind
# would be nearer than two of different kinds. The number is the chance that a same-kind pair is nearer than a
# different-kind pair; 0.5 is no knowledge. To see what chance does, the kinds are dealt out at random, many times.

# %%
kinds = {}
for slot in ("kind", "colour", "thing"):
    coded = (ae.tokenizer.encode(" " + entry.names[""]) for entry in load_grammar().slots[slot].entries)
    kinds[slot] = [ids[0] for ids in coded if len(ids) == 1]
words = torch.tensor([token for ids in kinds.values() for token in ids])
kind_of = torch.tensor([number for number, ids in enumerate(kinds.values()) for _ in ids])
frames = story_chunks(ae.tokenizer, "test", 10)[: 60 if FAST else 200]
apart = torch.zeros(len(words), len(words))
for frame in frames:
    filled = frame.repeat(len(words), 1)
    filled[:, int(torch.randint(K, (1,), generator=stream))] = words  # the same chunk with each of the words
    apart += torch.cdist(*[encode_chunks(ae, filled)[0]] * 2) / len(frames)
upper = torch.triu_indices(len(words), len(words), 1)


def nearer(labels, distances):  # chance that a pair of one kind is nearer than a pair of two
    same = labels[upper[0]] == labels[upper[1]]
    values = distances[upper[0], upper[1]]
    return (values[same][:, None] < values[~same][None]).double().mean().item()


meaning = nearer(kind_of, apart)
dealt = torch.tensor([nearer(kind_of[torch.randperm(len(words), generator=stream)], apart) for _ in range(200)])
embedding = ae.encoder.embed.weight.detach()[words]
in_embedding = nearer(kind_of, torch.cdist(embedding, embedding))
print(f"{len(words)} words: " + "; ".join(f"{len(ids)} of {slot}" for slot, ids in kinds.items()))
print(f"latent space: {meaning:.3f}; kinds dealt at random {dealt.mean():.3f} ± {dealt.std():.3f}")
print(f"embedding of the words: {in_embedding:.3f}")

# %% [markdown]
# There is a trace at most (0.07 above kinds dealt at random, whose standard deviation is 0.03), and the plain embedding
# of the words has more of it than the space of chunks. An autoencoder that sees one chunk at a time and is asked to
# give it back has little reason to know that foxes are like rabbits. In CALM meaning is the business of the Transformer
# above.
#
# ### UMAP once more
#
# With `REFIT = True` at the top, this computes UMAP for 3,000 of the points with other settings, and for a Gaussian
# cloud without any islands beside it.

# %%
if REFIT:
    sample = chart.mean[torch.randperm(COUNT, generator=stream)[:3000]]
    scatter = torch.linalg.cholesky(torch.cov(sample.T) + 1e-6 * torch.eye(sample.shape[1]))
    cloud = sample.mean(0) + torch.randn(sample.shape, generator=stream) @ scatter.T
    layouts = {"chunks": umap_layout(sample, 5, 0.0), "a cloud without islands": umap_layout(cloud, 5, 0.0)}
    refitted = maps_figure([MapView(name, places) for name, places in layouts.items()])
else:
    refitted = "REFIT is False: the stored layout is used"
refitted

# %% [markdown]
# ## What would prove it wrong
#
# - **"UMAP shows neighbours better than PCA."** Trustworthiness in the other order, or equal to that of the shuffled
#   map.
# - **"No islands to speak of."** Groups that explain far more of the variance than those of a Gaussian cloud.
# - **"Near means the same tokens."** Neighbours that share no more tokens than random chunks.
# - **"Halfway is no mixture."** Walks whose middle consists of the two ends' tokens.
# - **"No geometry of meaning."** A clear lead of same-kind pairs. Our test has three kinds of words and one small
#   autoencoder; a larger one, trained on more text, may come out otherwise, and so may other kinds.

# %% [markdown]
# ## Exercises
#
# Replace `return None`, run the cell, run the check below it. A check says what is amiss. The answers are in
# `notebooks/solutions/04_the_latent_manifold.py`.
#
# **1. Trust, for one point.** `true_ranks` are the true ranks of a point's k neighbours in the picture (1 is its
# nearest point), R the number of points. Give its trustworthiness. *Hint: the formula above, without the mean over
# points.*


# %% tags=["exercise-1"]
def my_trust(true_ranks, R):
    return None


# %% tags=["check-1"]
if my_trust([1, 2, 3], 100) is None:
    print("Exercise 1 is open.")
else:
    for true_ranks, R, wanted in (
        ([1, 2, 3], 100, 1.0),
        ([1, 3, 2], 100, 1.0),
        ([1, 2, 9], 100, 1 - 2 / (3 * 190) * 6),
        ([97, 98, 99], 100, 1 - 2 / (3 * 190) * 285),
    ):
        found = float(my_trust(true_ranks, R))
        assert abs(found - wanted) < 1e-9, f"ranks {true_ranks} of {R} points: {wanted:.4f}, not {found:.4f}"
    print("Exercise 1: right. The worst possible neighbours give 0.")

# %% [markdown]
# **2. Along the sphere.** Give the vector at t between unit vectors a and b whose direction turns evenly. *Hint: with
# the angle w between them, sin((1-t) w) / sin(w) of a and sin(t w) / sin(w) of b.*


# %% tags=["exercise-2"]
def my_sphere(a, b, t):
    return None


# %% tags=["check-2"]
corners = torch.nn.functional.normalize(torch.randn(2, 6, generator=torch.Generator().manual_seed(5)), dim=-1)
if my_sphere(*corners, 0.3) is None:
    print("Exercise 2 is open.")
else:
    for t in (0.0, 0.3, 1.0):
        found = my_sphere(*corners, t)
        assert abs(found.norm() - 1) < 1e-4, f"at t = {t} the length is {found.norm():.4f}: stay on the sphere"
        wanted = sphere(*corners, torch.tensor([t]))[0]
        assert (found - wanted).norm() < 1e-4, f"at t = {t} the direction is off by {(found - wanted).norm():.3f}"
    print("Exercise 2: right.")

# %% [markdown]
# **3. A new point on a UMAP map.** UMAP has no formula for new points, so one takes a mean of neighbours' places. Given
# the true distances (k,) to k neighbours and their places in the picture (k, 2), give the new place (2,): each
# neighbour weighs 1 over the squared distance. A neighbour at distance 0 takes all. *Hint: treat the zero first.*


# %% tags=["exercise-3"]
def my_place(distances, places):
    return None


# %% tags=["check-3"]
some_places = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
if my_place(torch.tensor([1.0, 1.0, 1.0]), some_places) is None:
    print("Exercise 3 is open.")
else:
    for distances, wanted in (
        ([1.0, 1.0, 1.0], [1 / 3, 1 / 3]),
        ([1.0, 2.0, 2.0], [1 / 6, 1 / 6]),
        ([3.0, 0.0, 2.0], [1.0, 0.0]),
    ):
        found = my_place(torch.tensor(distances), some_places)
        off = (found - torch.tensor(wanted)).abs().max()
        assert off < 1e-5, f"distances {distances}: {[round(v, 3) for v in wanted]}, not {found.tolist()}"
    print("Exercise 3: right.")

# %% [markdown]
# **4. How far is everything?** Two independent points of a round Gaussian cloud in l dimensions, of spread s in each:
# give the root mean square of their distance. *Hint: each coordinate of the difference has variance 2 s².*


# %% tags=["exercise-4"]
def my_distance(l, s):
    return None


# %% tags=["check-4"]
if my_distance(64, 1.0) is None:
    print("Exercise 4 is open.")
else:
    for l, s in ((1, 1.0), (64, 1.0), (64, 1.2)):
        two = torch.randn(2, 20_000, l, generator=torch.Generator().manual_seed(6)) * s
        drawn = (two[0] - two[1]).square().sum(-1).mean().sqrt().item()
        found = float(my_distance(l, s))
        assert abs(found - drawn) < 0.02 * drawn, f"l = {l}, s = {s}: measured {drawn:.2f}, not {found:.2f}"
    print(f"Exercise 4: right. For our l = 64 and a spread of 1.2: {my_distance(64, 1.2):.1f}.")

# %% [markdown]
# ## Claims
#
# What this notebook said, as numbers that a rerun must meet. Map, models and seeds are fixed.

# %%
stored = chart.trust["umap"]
off = abs(trust["UMAP"].value - stored.value) / math.hypot(trust["UMAP"].standard_error, stored.standard_error)
halfway = {path: fate[path].mean(0)[:, HALF] for path in PATHS}
claims = [
    ("chunks on the map that the decoder gives back", chart.came_back.double().mean().item(), 0.999, 1),
    ("trustworthiness of UMAP", trust["UMAP"].value, 0.75, 0.85),
    ("the same, from the number stored with the map, standard errors", off, 0, 4),
    ("trustworthiness of PCA", trust["PCA"].value, 0.6, 0.7),
    ("trustworthiness of a shuffled map", trust["shuffled"].value, 0.47, 0.53),
    ("variance in PCA's two axes", pca_share, 0.05, 0.2),
    ("Spearman, distances in UMAP and in truth", agreement["UMAP"], 0.1, 0.4),
    ("Spearman of PCA minus that of UMAP", agreement["PCA"] - agreement["UMAP"], 0.02, 0.3),
    ("random pairs: spread of distance over mean distance", (truly.std() / truly.mean()).item(), 0.05, 0.2),
    ("variance explained by groups", sum(real) / 3, 0.08, 0.25),
    ("more than in a cloud without islands, points of variance", 100 * (sum(real) - sum(controls)) / 3, 0, 5),
    ("nearest neighbour: tokens shared", common[1].mean().item(), 1.5, 2.5),
    ("15th neighbour: tokens shared", common[15].mean().item(), 0.4, 1.2),
    ("random chunk: tokens shared", by_chance.mean().item(), 0, 0.1),
    ("nearest neighbour: same punctuation, more than by chance", same_mark - mark_by_chance, 0.1, 0.6),
    ("line, a tenth of the way: tokens of the start", fate["line"].mean(0)[0, 2].item(), 0.98, 1),
    ("line, halfway: tokens of neither end", halfway["line"][2].item(), 0.65, 0.95),
    ("sphere, halfway: tokens of neither end", halfway["sphere"][2].item(), 0.65, 0.95),
    ("line, halfway: distance from encode(decode(z))", returns["line"][:, HALF].mean().item(), 3.5, 7),
    ("line, ends: distance from encode(decode(z))", returns["line"][:, [0, -1]].mean().item(), 0, 0.01),
    ("same kind nearer than different kind: latent space", meaning, 0.45, 0.65),
    ("the same, kinds dealt at random", dealt.mean().item(), 0.48, 0.52),
    ("embedding minus latent space", in_embedding - meaning, 0, 0.3),
]
for claim, value, low, high in claims:
    print(f"{claim:64} {value:10.4g}   in [{low:g}, {high:g}]")
for claim, value, low, high in claims:
    assert low <= value <= high, f"{claim}: {value:.4g} is not in [{low:g}, {high:g}]"
