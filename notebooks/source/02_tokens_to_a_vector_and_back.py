# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 02 · Tokens to a vector and back
#
# | | |
# |---|---|
# | minutes | about 2 on two CPU cores, under 1 with `CALM_LAB_FAST=1` |
# | app tab | *Tokens and vectors* |
# | modules | `calm_lab/model/autoencoder.py`, `calm_lab/model/layers.py`, `calm_lab/lab/letters.py` |
# | paper | [arXiv:2510.27688](https://arxiv.org/abs/2510.27688), section 2.1 (the autoencoder), and why 2.2 is needed |
# | you need | PyTorch, and what an autoencoder is; notebook 00 helps |
#
# CALM replaces K tokens by one vector of l real numbers. That only makes sense if the tokens can be read off the
# vector again. This notebook builds the network that does it, part by part, and asks how many numbers it needs. The
# answer is: surprisingly few. Then it shows why nobody should be content with that.

# %% [markdown]
# ## What you will see
#
# 1. **A text as vectors and back**, and what noise on the vectors does to it.
# 2. **The autoencoder, part by part.** First with dummies in every place, then with real parts, until all tokens come
#    back: first those of chunks seen before, then those of any chunk.
# 3. **How few coordinates suffice.** On a small language trained here in seconds, 10 numbers give back more than 99.9%
#    of the tokens of unseen texts. The paper says the same of its own: K = 4, l = 10.
# 4. **How brittle that is.** Noise of a fifth of a coordinate's spread, which a vector of 32 numbers hardly feels,
#    spoils more than one token in twenty. We see why: the neighbours stand too near.
#
# The last cell checks every one of these claims.

# %% tags=["exercises-need"]
import math
import time

import torch
import torch.nn.functional as F
from torch import nn

import calm_lab
from calm_lab.lab.examples import TEXTS
from calm_lab.lab.figures import apply_style, reading_figure
from calm_lab.lab.letters import fit, letter_autoencoder, letter_tokenizer, story_chunks
from calm_lab.lab.panels import Panel, Series, panels_figure
from calm_lab.lab.sliders import Choice, slide
from calm_lab.lab.source import source_of
from calm_lab.lab.vectors import read_text
from calm_lab.model.autoencoder import Autoencoder
from calm_lab.model.config import AutoencoderConfig
from calm_lab.model.layers import ResidualMLP, RMSNorm

FAST = calm_lab.lab_scale("cpu").fast  # CALM_LAB_FAST=1: fewer sizes and shorter training, the same claims
apply_style()
ae = calm_lab.load_autoencoder()
K = ae.config.chunk_size

# %% [markdown]
# ## The picture
#
# A sentence in chunks of K = 4 tokens, one below the other. Each is turned into the strip of 64 numbers beside it,
# orange for negative and blue for positive. The chunks on the right were decoded from the strip alone: once from the
# strip as it is, once after noise has been added to each of its numbers. A wrong token is underlined.


# %%
def noise_figure(sigma):
    return reading_figure([read_text(ae, TEXTS[0].text), read_text(ae, TEXTS[0].text, sigma)])


slide(noise_figure, sigma=Choice([0.0, 0.3, 0.6, 0.9, 1.2, 1.5], 1.2))

# %% [markdown]
# Each chunk stands alone: the encoder sees its K tokens and nothing before or after. This autoencoder was trained with
# everything that notebook 03 explains. Here we first take it apart.

# %% [markdown]
# ## The formulas
#
# Two functions, an encoder $f$ and a decoder $g$ (section 2.1). The encoder makes a vector of a chunk,
# $z = f(x_1, \dots, x_K) \in \mathbb R^l$, and the decoder answers with K distributions over the vocabulary. They are
# trained together to make the true tokens likely:
# $$\mathcal L_{ae} = -\sum_{k=1}^{K} \log p_g(x_k \mid z).$$
# **What comes back** is the most probable token at each of the K places. The measure of this notebook is the share of
# tokens that come back unchanged, on texts that were not trained on.
#
# **Noise** must be measured against something. A network that is free to choose its code may scale it as it likes, so
# we measure in units of the code's own *spread*: the root mean square, over the l coordinates, of their standard
# deviations from chunk to chunk. Relative noise $\rho$ means
# $$z' = z + \rho \cdot \text{spread} \cdot \epsilon, \qquad \epsilon \sim \mathcal N(0, I).$$

# %% [markdown]
# ## The code
#
# ### Everything a dummy
#
# A pipeline before it can do anything: the dummy encoder answers with zeros, the dummy decoder with the most frequent
# token of each place. The chunks come from stories of *storyland*, a generated language. `known` are those of some
# training stories, `unseen` those of test stories; R is their number.


# %% tags=["exercises-need"]
def share(back, chunks):  # tokens that came back: their share and its standard error, which counts whole chunks
    right = (back == chunks).double().mean(-1)  # tokens of one chunk succeed and fail together
    return right.mean().item(), (right.std() / len(right) ** 0.5).item()


known = story_chunks(ae.tokenizer, "train", 100 if FAST else 300)  # ids (R, K)
unseen = story_chunks(ae.tokenizer, "test", 30)


# %%
def dummy_encode(chunks):  # (R, K) -> (R, l)
    return torch.zeros(len(chunks), ae.config.latent_size)


def dummy_decode(z):  # (R, l) -> (R, K)
    return known.mode(0).values.expand(len(z), K)


is_known = (unseen[:, None] == known.unique(dim=0)[None]).all(-1).any(-1)  # (R,): was the whole chunk seen before?
stages = {"dummies": share(dummy_decode(dummy_encode(unseen)), unseen)}
print(f"{len(unseen):,} chunks of unseen stories; {is_known.double().mean():.0%} of them also occur in known stories")
print(f"dummies: {stages['dummies'][0]:.1%} of the tokens come back")

# %% [markdown]
# ### A real encoder
#
# Embed the K tokens, let a small network look at each, squeeze all K into one row, let another look at that, and read
# off l numbers. Nothing here knows a neighbouring chunk, and there is no attention. The layer that does the looking is
# a residual SwiGLU, the feed-forward of LLaMA:

# %%
print(source_of(ResidualMLP))


# %%
class Encoder(nn.Module):
    def __init__(self, V, d, inner, l):
        super().__init__()
        self.embed = nn.Embedding(V, d)
        self.token_layers = nn.ModuleList([ResidualMLP(d, inner, 1e-6)])
        self.squeeze = nn.Linear(K * d, d)
        self.chunk_layers = nn.ModuleList([ResidualMLP(d, inner, 1e-6)])
        self.norm = RMSNorm(d, 1e-6)
        self.to_latent = nn.Linear(d, 2 * l)

    def forward(self, chunks):  # (R, K)
        x = self.embed(chunks)  # (R, K, d)
        x = self.token_layers[0](x)
        x = self.squeeze(x.flatten(-2))  # (R, d)
        x = self.chunk_layers[0](x)
        return self.to_latent(self.norm(x)).chunk(2, -1)[0]  # (R, l); the second half is notebook 03's sigma


size = ae.config
encoder = Encoder(size.vocab_size, size.hidden_size, size.intermediate_size, size.latent_size)
encoder.load_state_dict(ae.encoder.state_dict())  # our parts, the weights of the bundled autoencoder
with torch.no_grad():
    z_known, z_unseen = encoder(known), encoder(unseen)
    apart = (z_unseen - ae.encode(unseen.view(1, -1)).mean[0]).abs().max().item()
print(f"our encoder and the library's, with the same weights, differ by at most {apart:.1e}")

# %% [markdown]
# The decoder is still a dummy, but a better one: it keeps a list of known chunks with their vectors, and answers with
# the chunk whose vector is nearest.


# %%
def lookup_decode(z):  # (R, l) -> (R, K)
    return known[torch.cdist(z, z_known).argmin(-1)]


stages["real encoder,\nlookup"] = share(lookup_decode(z_unseen), unseen)
seen_back = share(lookup_decode(z_unseen[is_known]), unseen[is_known])[0]
new_back = share(lookup_decode(z_unseen[~is_known]), unseen[~is_known])[0]
print(f"lookup: {seen_back:.1%} of the tokens of chunks that are in its list, {new_back:.1%} of those that are not")

# %% [markdown]
# That is a phrase book, not a translator: perfect for what it holds. For the rest it still gets several times as many
# tokens right as the first dummy, because near vectors mean chunks with tokens in common: a first look at the shape of
# this space, which is the subject of notebook 04.
#
# ### A real decoder
#
# The mirror image: from l numbers to one row, from one row to K, and for each of the K places a product with the
# embedding matrix, so that the same matrix reads and writes tokens.


# %%
class Decoder(nn.Module):
    def __init__(self, d, inner, l):
        super().__init__()
        self.from_latent = nn.Linear(l, d)
        self.chunk_layers = nn.ModuleList([ResidualMLP(d, inner, 1e-6)])
        self.expand = nn.Linear(d, K * d)
        self.token_layers = nn.ModuleList([ResidualMLP(d, inner, 1e-6)])
        self.norm = RMSNorm(d, 1e-6)

    def forward(self, z):  # (R, l)
        x = self.chunk_layers[0](self.from_latent(z))  # (R, d)
        x = self.expand(x).unflatten(-1, (K, -1))  # (R, K, d)
        return self.norm(self.token_layers[0](x))  # (R, K, d)


decoder = Decoder(size.hidden_size, size.intermediate_size, size.latent_size)
decoder.load_state_dict(ae.decoder.state_dict())
with torch.no_grad():
    logits = F.linear(decoder(z_unseen), encoder.embed.weight)  # (R, K, V)
    apart = max(apart, (logits - ae.decode_logits(z_unseen)).abs().max().item())
stages["both real"] = share(logits.argmax(-1), unseen)
print(f"both real: {stages['both real'][0]:.2%} of the tokens come back; ours and the library's differ by {apart:.1e}")
panels_figure(
    [
        Panel(
            "tokens of unseen stories that come back",
            [Series("", list(stages), [mean for mean, _ in stages.values()], "accent", "bars")],
            y_limits=(0, 1),
        )
    ]
)

# %% [markdown]
# That is the whole autoencoder. The parts that the library adds are for training (notebook 03) and for safety.

# %% [markdown]
# ## The experiment
#
# ### How few coordinates suffice?
#
# The bundled one has l = 64. To try other sizes we train, from nothing, on a language small enough for seconds: the
# tokens are the *letters* of storyland (bytes, so V = 260 with the special ones), and a chunk is four of them. No
# regulariser, no noise: reconstruction and nothing else.

# %%
letters = letter_tokenizer()
train_letters, test_letters = story_chunks(letters, "train", 1500), story_chunks(letters, "test", 60)
law = train_letters.unique(dim=0, return_counts=True)[1].double()
law /= law.sum()
entropy = -(law * law.log2()).sum().item()
print(f"{len(train_letters):,} chunks, {len(law):,} of them different; {entropy:.1f} bits name one, by frequency")

# %%
print(source_of(fit))

# %% [markdown]
# `quiet` switches off what notebook 03 is about: the decoder gets the mean, and the loss is $\mathcal L_{ae}$ alone.

# %%
STEPS = {2: 150, 10: 400, 32: 200} if FAST else {2: 200, 4: 400, 6: 400, 10: 600, 16: 300, 32: 200}
began = time.process_time()
models = {l: fit(letter_autoencoder(l), train_letters, steps, quiet=True) for l, steps in STEPS.items()}
# The same without hidden layers: one linear map each way.
straight = fit(letter_autoencoder(10, layers=0), train_letters, STEPS[10], quiet=True)
seconds = time.process_time() - began


def spread_of(z):  # root mean square of the coordinates' standard deviations
    return z.std(0).square().mean().sqrt().item()


@torch.no_grad()
def trip(model, chunks, rho=0.0):  # -> share of tokens that come back under relative noise, and its standard error
    z = model.encode(chunks.view(1, -1)).mean[0]
    noise = torch.randn(z.shape, generator=torch.Generator().manual_seed(2))
    return share(model.decode(z + rho * spread_of(z) * noise), chunks)


clean = {l: trip(model, test_letters) for l, model in models.items()}
linear = trip(straight, test_letters)
for l, (mean, error) in clean.items():
    print(f"l = {l:2}: {mean:8.3%} ± {error:.3%} of the letters of unseen stories come back")
print(f"l = 10 without hidden layers: {linear[0]:.3%} ± {linear[1]:.3%}")
print(f"{seconds:.0f} s of processor time")

# %%
worst = {l: 1 - mean for l, (mean, _) in clean.items()}
floor = 1 / (4 * len(test_letters))  # one letter of all
panels_figure(
    [
        Panel(
            "letters that do not come back",
            [
                Series("", list(worst), [max(value, floor) for value in worst.values()], "accent"),
                Series("", list(worst), [max(value, floor) for value in worst.values()], "accent", "dots"),
                Series("99.9% come back", [min(worst), max(worst)], [0.001, 0.001], "target", "dotted"),
                Series("no hidden layers", [10], [1 - linear[0]], "sample", "dots"),
            ],
            "l, coordinates",
            log="xy",
            x_ticks=list(worst),
        )
    ]
)

# %% [markdown]
# Ten coordinates hold four letters to better than one error in a thousand. Hidden layers are not the secret: linear
# maps with a norm between them come close. In principle one number would do: a float32 has 24 bits of precision, and a
# chunk of these letters carries 12. But a network would have to tell thousands of places on one line apart. More
# coordinates do not add room. They add *distance*. (From l = 10 on the dots are one to three letters of 34,484, after
# trainings of different length: read no order into them.)
#
# ### How brittle is it?
#
# The language model that CALM puts on top will never hit a vector exactly. So add noise, in units of the code's own
# spread, and count what still comes back.

# %%
RHOS = [0.0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.6, 0.8]
SHOWN = [10, 32]
noisy = {l: [trip(models[l], test_letters, rho) for rho in RHOS] for l in SHOWN}
robust = [trip(ae, unseen, rho) for rho in RHOS]  # the bundled one, on tokens
AT = RHOS.index(0.2)
for name, curve in (("l = 10", noisy[10]), ("l = 32", noisy[32]), ("bundled, l = 64", robust)):
    print(f"{name:16} at rho = 0.2: {curve[AT][0]:.2%} ± {curve[AT][1]:.2%} come back")
panels_figure(
    [
        Panel(
            "tokens that come back under noise",
            [
                Series("10 coordinates, letters", RHOS, [m for m, _ in noisy[10]], "sample"),
                Series("", RHOS, [m for m, _ in noisy[10]], "sample", "dots", [2 * e for _, e in noisy[10]]),
                Series("32 coordinates, letters", RHOS, [m for m, _ in noisy[32]], "accent"),
                Series("", RHOS, [m for m, _ in noisy[32]], "accent", "dots", [2 * e for _, e in noisy[32]]),
                Series("bundled: 64, tokens, regularised", RHOS, [m for m, _ in robust], "target"),
                Series("", RHOS, [m for m, _ in robust], "target", "dots", [2 * e for _, e in robust]),
            ],
            "relative noise ρ",
            y_limits=(0, 1.03),
        )
    ]
)

# %% [markdown]
# (Bars are two standard errors, mostly smaller than the dots.) Without noise the two letter codes are equally good;
# with it they are not. The training never asked for room around a vector, so ten coordinates have little. The bundled
# autoencoder was trained to stand noise. It stands nearly as much as the 32 coordinates, though it carries tokens out
# of 2048 and not letters: 44 bits name any of its chunks. (A chunk of letters takes 12, but by frequency, as counted
# above; any four of 260 would take 32.)
#
# ### Why: the neighbours are near
#
# Take two different chunks and the line between their vectors. Noise that carries a vector past the middle of that line
# makes it look like the other one. Along any one direction the noise is a normal number of standard deviation
# $\rho \cdot \text{spread}$, so the chance of passing the middle is $\Phi(-m/\rho)$, where the **margin** $m$ is half
# the distance to the nearest other vector, in units of the spread.


# %%
def margins(z):  # (R, l), all different chunks -> (R,): half the distance to the nearest other, in units of the spread
    apart = torch.cdist(z, z)
    apart.fill_diagonal_(math.inf)
    return apart.min(-1).values / 2 / spread_of(z)


# %%
different = test_letters.unique(dim=0)
room = {}
for l in SHOWN:
    with torch.no_grad():
        room[l] = margins(models[l].encode(different.view(1, -1)).mean[0])
    passing = torch.special.ndtr(-room[l] / 0.2).mean().item()
    print(
        f"l = {l:2}: margin {room[l].median():.2f} (median of {len(different):,} chunks); "
        f"at rho = 0.2 noise passes the middle to the nearest neighbour with probability {passing:.1%}"
    )
margin_ratio = (room[32].median() / room[10].median()).item()
GRID = [step / 20 for step in range(1, 41)]
panels_figure(
    [
        Panel(
            "chunks with a margin below m",
            [
                Series(f"l = {l}", GRID, [(room[l] < m).double().mean().item() for m in GRID], role)
                for l, role in ((10, "sample"), (32, "accent"))
            ],
            "margin m, in units of the spread",
            y_limits=(0, 1.03),
        )
    ]
)

# %% [markdown]
# (At l = 10 92.2% of the letters come back, although the nearest neighbour alone would spoil only 1.3% of the chunks: a
# vector has many neighbours.) In more dimensions points of the same spread are farther apart: the distance of two
# random points grows like the square root of l. (The margin grows by more than that, 3.4 times where the root of 32/10
# is 1.8: it is about the *nearest* of many points, and in few dimensions one of them is near by chance.) Noise grows
# likewise in length, but not *along the line to the neighbour*, and only that counts. That is what more coordinates
# buy, and why the paper goes on from l = 10 to l = 128, and to a training that asks for room. Notebook 03 does that.

# %% [markdown]
# ## What would prove it wrong
#
# - **"Few coordinates suffice."** Unseen texts of which 10 coordinates lose more than one token in a thousand. Real
#   prose with a vocabulary of 100,000 would be a harder test than these letters; the paper reports it for its own data.
# - **"It has learned to translate, not a list."** Chunks that never occurred in training and do not come back.
# - **"Brittle because neighbours are near."** A code with small margins that stands noise, or one with large margins
#   that does not. The nearest neighbour is only one of many, and a decoder need not cut in the middle; the margin is
#   an estimate, not a law.
# - **"More coordinates buy distance."** Margins that do not grow with l.

# %% [markdown]
# ## Exercises
#
# Replace `return None`, run the cell, run the check below it. A check says what is amiss. The answers are in
# `notebooks/solutions/02_tokens_to_a_vector_and_back.py`.
#
# **1. A decoder without weights.** Given vectors `z` (R, l), the vectors `z_known` (C, l) of C known chunks and the
# chunks `known` (C, K) themselves, answer with the chunk of the nearest known vector: ids (R, K). *Hint: `torch.cdist`,
# then `argmin`.*


# %% tags=["exercise-1"]
def my_lookup(z, z_known, known):
    return None


# %% tags=["check-1"]
some_vectors = torch.randn(50, 8, generator=torch.Generator().manual_seed(3))
if my_lookup(some_vectors, some_vectors, known[:50]) is None:
    print("Exercise 1 is open.")
else:
    order = torch.randperm(50, generator=torch.Generator().manual_seed(4))
    answer = my_lookup(some_vectors[order] + 0.01, some_vectors, known[:50])
    assert answer.shape == (50, K), f"one chunk of {K} ids for each vector, not shape {tuple(answer.shape)}"
    assert (answer == known[:50][order]).all(), "a vector next to a known one should give that one's chunk"
    print("Exercise 1: right.")

# %% [markdown]
# **2. Count the weights.** How many numbers does the autoencoder above learn, for vocabulary V, width d, inner width
# `inner`, chunk size K and latent size l? *Hint: a linear map from a to b has a·b weights and, here everywhere but in
# the SwiGLU, b biases; each SwiGLU has three matrices; each RMSNorm has d gains. There are four residual layers, and
# one norm more in the encoder and in the decoder. The embedding counts once.*


# %% tags=["exercise-2"]
def my_weights(V, d, inner, K, l):
    return None


# %% tags=["check-2"]
if my_weights(260, 64, 176, 4, 10) is None:
    print("Exercise 2 is open.")
else:
    for V, d, inner, l in ((260, 64, 176, 10), (2048, 192, 512, 64)):
        config = AutoencoderConfig(vocab_size=V, hidden_size=d, intermediate_size=inner, latent_size=l)
        wanted = sum(weight.numel() for weight in Autoencoder(config).parameters())
        found = my_weights(V, d, inner, 4, l)
        assert found == wanted, f"V = {V}, d = {d}, l = {l}: {wanted:,} weights, not {found:,}"
    print(f"Exercise 2: right. {2048 * 192 / wanted:.0%} of the bundled one's {wanted:,} weights are its embedding.")

# %% [markdown]
# **3. How much noise is too much?** A vector stands at a margin m from its nearest neighbour (half the distance, in
# units of the spread). Give the relative noise rho at which it passes the middle with probability p. *Hint: the formula
# above, turned round; `torch.special.ndtri(torch.tensor(p))` is the inverse of Φ.*


# %% tags=["exercise-3"]
def my_noise(m, p):
    return None


# %% tags=["check-3"]
if my_noise(0.5, 0.01) is None:
    print("Exercise 3 is open.")
else:
    for m, p in ((0.5, 0.01), (1.0, 0.01), (0.3, 0.1)):
        rho = float(my_noise(m, p))
        assert rho > 0, "noise has a positive size: mind the sign"
        passed = torch.special.ndtr(torch.tensor(-m / rho)).item()
        assert abs(passed - p) < 1e-3, f"margin {m}, noise {rho:.3f}: passes with probability {passed:.4f}, not {p}"
    print("Exercise 3: right. Twice the margin stands twice the noise:", end=" ")
    print(f"{float(my_noise(0.5, 0.01)):.2f}, then {float(my_noise(1.0, 0.01)):.2f}.")

# %% [markdown]
# **4. Does the bundled autoencoder need all of its 64 directions?** `kept(r)` keeps the r directions in which the
# vectors of some unseen chunks vary most, flattens the others to their mean, decodes, and gives the share of tokens
# that come back. Give the smallest r that brings back at least 99.9%. *Hint: more directions never hurt much, so halve
# the interval.*

# %% tags=["exercises-need"]
few = unseen[:300]
with torch.no_grad():
    z_few = ae.encode(few.view(1, -1)).mean[0]
    middle = ae.encode(known[:3000].view(1, -1)).mean[0].mean(0)
    directions = torch.linalg.svd(ae.encode(known[:3000].view(1, -1)).mean[0] - middle, full_matrices=False).Vh


@torch.no_grad()
def kept(r):
    basis = directions[:r]  # (r, l)
    return share(ae.decode(middle + (z_few - middle) @ basis.T @ basis), few)[0]


# %% tags=["exercise-4"]
def my_rank(kept):
    return None


# %% tags=["check-4"]
if my_rank(kept) is None:
    print("Exercise 4 is open.")
else:
    rank = my_rank(kept)
    assert 1 <= rank <= 64, f"there are 64 directions, not {rank}"
    assert kept(rank) >= 0.999, f"with {rank} directions only {kept(rank):.2%} come back"
    assert kept(rank - 1) < 0.999, f"{rank - 1} directions are enough: {kept(rank - 1):.2%} come back"
    print(f"Exercise 4: right, {rank} of 64. A linear cut is no match for training at a small l.")

# %% [markdown]
# ## Claims
#
# What this notebook said, as numbers that a rerun must meet. Seeds are fixed; margins are wide enough for another
# machine's rounding, and the same with `CALM_LAB_FAST=1`.

# %%
lead = (noisy[32][AT][0] - noisy[10][AT][0]) / math.hypot(noisy[32][AT][1], noisy[10][AT][1])
claims = [
    ("dummies: tokens that come back", stages["dummies"][0], 0.01, 0.3),
    ("lookup: tokens of known chunks that come back", seen_back, 1, 1),
    ("lookup: tokens of other chunks that come back", new_back, 0.2, 0.8),
    ("both real: tokens that come back", stages["both real"][0], 0.999, 1),
    ("our parts against the library's: largest difference", apart, 0, 1e-4),
    ("l = 2: letters that come back", clean[2][0], 0.2, 0.9),
    ("l = 10: letters that come back", clean[10][0], 0.999, 1),
    ("l = 32: letters that come back", clean[32][0], 0.999, 1),
    ("l = 10 without hidden layers: letters that come back", linear[0], 0.98, 1),
    ("bits that name a chunk of letters, by frequency", entropy, 11.5, 12.5),
    ("bits that name any chunk of the bundled one's tokens", K * math.log2(size.vocab_size), 44, 44),
    ("rho = 0.2, l = 10: letters that come back", noisy[10][AT][0], 0.85, 0.98),
    ("rho = 0.2, l = 32: letters that come back", noisy[32][AT][0], 0.99, 1),
    ("rho = 0.2: bundled, tokens that come back", robust[AT][0], 0.999, 1),
    (
        "rho = 0.2: l = 32 leads l = 10, standard errors",
        (noisy[32][AT][0] - noisy[10][AT][0]) / noisy[10][AT][1],
        4,
        1e4,
    ),
    ("median margin at l = 32 over that at l = 10", margin_ratio, 1.2, 4),
]
for claim, value, low, high in claims:
    print(f"{claim:62} {value:10.4g}   in [{low:g}, {high:g}]")
for claim, value, low, high in claims:
    assert low <= value <= high, f"{claim}: {value:.4g} is not in [{low:g}, {high:g}]"
