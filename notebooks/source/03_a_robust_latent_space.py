# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 03 · A robust latent space
#
# | | |
# |---|---|
# | minutes | about 2 on two CPU cores, under 1 with `CALM_LAB_FAST=1` |
# | app tabs | *Noise dial*, *Tokens and vectors* |
# | modules | `calm_lab/model/autoencoder.py`, `calm_lab/lab/noise_sweep.py`, `calm_lab/lab/letters.py` |
# | paper | [arXiv:2510.27688](https://arxiv.org/abs/2510.27688), section 2.2, Table 2 |
# | you need | PyTorch, what a variational autoencoder is; notebook 02 |
#
# Notebook 02 built an autoencoder that gives every token back, and saw how little noise it stands. CALM's language
# model will miss every vector by a little, so the paper adds four things to the training: a KL term, a floor under it,
# DropToken and DropLatent. Here they are added one at a time, and each is asked what it did.

# %% [markdown]
# ## What you will see
#
# 1. **Six autoencoders that differ in nothing but their regularisers**, under noise, with error bars.
# 2. **A trap.** In plain units of sigma the one *without* any regulariser stands the most noise. It has simply moved
#    its vectors apart. Measured against the spread of each code it falls to the bottom.
# 3. **What each of them does**: KL holds the size of the code and lets sigma grow; the floor keeps every coordinate in
#    use; DropToken fills in a token that is hidden; DropLatent does without coordinates. Against noise only the two
#    together beat KL alone.
# 4. **Collapsed coordinates**: plain KL gives some up, the floor keeps them.
# 5. **What the language model on top makes of it**, where our runs are done, beside the paper's Table 2.
#
# The last cell checks the first four.

# %% tags=["exercises-need"]
import math
import time

import torch

import calm_lab
from calm_lab.lab.examples import TEXTS
from calm_lab.lab.figures import ChunkRow, apply_style, chunk_figure
from calm_lab.lab.letters import fit, letter_autoencoder, letter_tokenizer, story_chunks
from calm_lab.lab.noise_sweep import noise_sweep, profile
from calm_lab.lab.panels import Panel, Series, panels_figure
from calm_lab.lab.reproduction.cells import find_scale
from calm_lab.lab.reproduction.grid import studies
from calm_lab.lab.reproduction.results import ASSETS, Interval, Store, judge
from calm_lab.lab.sliders import Choice, slide
from calm_lab.lab.source import source_of
from calm_lab.lab.vectors import read_text
from calm_lab.model.autoencoder import Autoencoder, Posterior

FAST = calm_lab.lab_scale("cpu").fast  # CALM_LAB_FAST=1: fewer seeds, shorter training, the same claims
apply_style()

# %% [markdown]
# ## The picture
#
# The six come with the package. They have the same sizes, saw the same texts in the same order for the same number of
# steps, and were trained by the same command; only the regularisers differ. Each has those that its name says; "all" is
# KL clip with both drops.

# %%
RUNGS = {
    "none": "autoencoder-k4-none",
    "KL": "autoencoder-k4-kl",
    "KL clip": "autoencoder-k4-clip",
    "clip + DropToken": "autoencoder-k4-clip-token",
    "clip + DropLatent": "autoencoder-k4-clip-latent",
    "all": "autoencoder-k4-all",
}
models = {name: calm_lab.load_autoencoder(bundled) for name, bundled in RUNGS.items()}
tokenizer = models["all"].tokenizer
unseen = story_chunks(tokenizer, "test", 12 if FAST else 30)  # ids (R, K) of stories that nobody trained on
K = unseen.shape[1]
with torch.no_grad():
    posteriors = {name: model.encode(unseen.view(1, -1)) for name, model in models.items()}
spread = {name: p.mean[0].std(0).square().mean().sqrt().item() for name, p in posteriors.items()}


def noisy_figure(rho):
    readings = {name: read_text(models[name], TEXTS[0].text, rho * spread[name]) for name in models}
    given = ChunkRow("the text", readings["all"].tokens)
    back = [ChunkRow(name, r.decoded_tokens, r.wrong.tolist()) for name, r in readings.items()]
    return chunk_figure([given, *back], columns=100)


slide(noisy_figure, rho=Choice([0.0, 0.3, 0.5, 0.7, 0.9, 1.1], 0.7))

# %% [markdown]
# One sentence, encoded by each of the six; noise of 0.7 times the spread of its own code was added to every vector;
# wrong tokens are underlined. One sentence proves nothing, so below we count.

# %% [markdown]
# ## The formulas
#
# The encoder answers with a Gaussian for each chunk: a mean $\mu_i$ and a standard deviation $\sigma_i$ for each of the
# l coordinates. The decoder gets a *draw* of it, $z_i = \mu_i + \sigma_i \epsilon_i$, so it must live with noise of the
# encoder's own choosing (section 2.2). The loss is
# $$\mathcal L = \mathcal L_{ae} + \beta\,\mathcal L_{KL}, \qquad \beta = 0.001,$$
# and the KL term is the distance of that Gaussian from the standard normal, coordinate by coordinate:
# $$\mathcal L_{KL} = \sum_{i=1}^{l} \mathrm{KL}_i, \qquad
# \mathrm{KL}_i = \tfrac12(\mu_i^2 + \sigma_i^2 - 1) - \log \sigma_i.$$
# It pulls $\mu_i$ towards 0 and $\sigma_i$ towards 1. A coordinate that gives in altogether is **collapsed**: it says
# the same for every chunk, namely nothing, and what is drawn from it is noise. **KL clip** stops the pull before that:
# $$\mathcal L_{KL}^{clip} = \sum_{i=1}^{l} \max(\lambda, \mathrm{KL}_i), \qquad \lambda = 0.5 \text{ nats}.$$
# **DropToken** hides each input token with probability 0.15 while training, **DropLatent** zeroes each coordinate of
# $z$ with probability 0.15 (section 2.2). After training both are off.
#
# **Noise** is measured in two ways: by $\sigma$, in the units of the vectors, and by $\rho = \sigma / \text{spread}$,
# where the *spread* of the code is the root mean square of its coordinates' standard deviations from chunk to chunk
# (notebook 02).

# %% [markdown]
# ## The code
#
# All four in one function: what each draws is in `noise`.

# %%
print(source_of(Autoencoder.loss))

# %%
print(source_of(Posterior.kl))

# %% [markdown]
# What the floor does, on one coordinate whose mean is 0. Without it, every sigma below 1 costs something. With it,
# sigma may shrink to about 0.4 before anything is paid: half a nat of information is free, so there is no reason to
# give it up.

# %%
sigmas = torch.linspace(0.1, 1.6, 151, dtype=torch.float64)
price = Posterior(torch.zeros(151, dtype=torch.float64), sigmas.log()).kl()
free = sigmas[(price <= 0.5)].min().item()
print(f"at mean 0, KL is 0.5 nats at sigma = {free:.2f}")
panels_figure(
    [
        Panel(
            "price of a coordinate with mean 0 (nats)",
            [
                Series("plain KL", sigmas.tolist(), price.tolist(), "sample"),
                Series("KL clip: max(0.5, KL)", sigmas.tolist(), price.clamp(min=0.5).tolist(), "accent"),
            ],
            "sigma",
            y_limits=(0, 2),
        )
    ]
)

# %% [markdown]
# ## The experiment
#
# ### Six codes at a glance

# %%
table, profiles = {}, {}
ae_size = models["all"].config.latent_size
print(f"{len(unseen):,} chunks of unseen stories\n")
print(f"{'':20}{'come back':>10}{'spread':>9}{'sigma':>8}{'bits':>7}{'weakest coordinate':>21}")
for name, model in models.items():
    found = profiles[name] = profile(model, unseen.view(1, -1))
    clean = noise_sweep(model, unseen.view(1, -1), [0.0])[0].value
    table[name] = (clean, found.mean_sigma, sum(found.kl_bits), min(found.kl_bits) * math.log(2))
    print(
        f"{name:20}{clean:10.2%}{spread[name]:9.2f}{found.mean_sigma:8.3f}{table[name][2]:7.0f}"
        f"{table[name][3]:16.3f} nats"
    )

# %% [markdown]
# All six give the tokens back. They differ in what it costs. Without a KL term nothing holds the code together: the
# means spread far apart and sigma falls towards 0. With plain KL the code spends a fraction of the bits, its spread is
# near 1 and its sigma is several times as large: it says less, and says it softly. (*bits* is the KL of a whole
# vector.) The two drops cost bits again, since a code that has to survive losses must say things twice.
#
# ### The noise dial, with error bars
#
# How much comes back when noise is added? On the left in units of sigma, on the right in units of each code's spread.
# Bars are 95% intervals; tokens of one chunk fail together, and the intervals know it.

# %%
SIGMAS = [0.0, 0.3, 0.6, 0.9, 1.2, 1.6, 2.0]
RHOS = [0.0, 0.3, 0.5, 0.7, 0.9, 1.1, 1.3]
LOOKS = dict(zip(RUNGS, ("sample", "error", "muted", "sigma", "target", "accent"), strict=True))
plain, relative = {}, {}
for name, model in models.items():
    plain[name] = noise_sweep(model, unseen.view(1, -1), SIGMAS)
    relative[name] = noise_sweep(model, unseen.view(1, -1), [rho * spread[name] for rho in RHOS])


def curves(points, places):
    series = []
    for name, curve in points.items():
        values = [point.value for point in curve]
        series.append(Series(name, places, values, LOOKS[name]))
        series.append(Series("", places, values, LOOKS[name], "dots", [(p.high - p.low) / 2 for p in curve]))
    return series


panels_figure(
    [
        Panel("tokens that come back", curves(plain, SIGMAS), "noise sigma", y_limits=(0, 1.03)),
        Panel("the same, noise relative to the spread", curves(relative, RHOS), "noise ρ = sigma / spread",
              y_limits=(0, 1.03)),
    ],
    height=3.8,
)  # fmt: skip

# %%
AT = RHOS.index(0.9)


def accuracy(name):
    return relative[name][AT].value


for name in RUNGS:
    one, two = plain[name][SIGMAS.index(0.9)], relative[name][AT]
    print(
        f"{name:20} sigma 0.9: {one.value:6.1%} [{one.low:.1%}, {one.high:.1%}]"
        f"    rho 0.9: {two.value:6.1%} [{two.low:.1%}, {two.high:.1%}]"
    )

# %% [markdown]
# Here is the trap. On the left "none" looks like the most robust of all. (KL lies under KL clip, which hides it.) But
# it has only turned up the volume: its vectors lie about twice as far apart, so noise of a given sigma is small for it.
# That helps nobody: make all vectors twice as long, and a head that learns them in the same way misses them by twice as
# much. On the right, where the volume is taken out, "none" falls to the bottom as the noise grows, and KL lifts it. The
# floor and DropLatent change nothing more against noise, DropToken alone even costs some of it; but the two drops
# together are clearly the best. We did not foresee that, and have no explanation that we have tested.
#
# (The paper quotes accuracy at sigma about 0.3, where all six stand at nearly 100% here. At our scale that number does
# not tell them apart.)
#
# ### What each drop was trained for
#
# **DropToken**: hide one token of a chunk from the encoder. How often does the decoder still say it? It cannot be known
# for sure; a code that has learned which tokens go together can guess. **DropLatent**: set some coordinates to 0. How
# many tokens come back?


# %%
@torch.no_grad()
def hidden_back(model, chunks):  # share of hidden tokens that come back, each of the K places in turn
    right = []
    for place in range(K):
        masked = chunks.clone()
        masked[:, place] = model.config.mask_id
        right.append((model.decode(model.encode(masked.view(1, -1)).mean[0]) == chunks)[:, place])
    return torch.cat(right).double()


@torch.no_grad()
def without(model, chunks, lost):  # share of tokens that come back with a share of the coordinates lost
    mean = model.encode(chunks.view(1, -1)).mean[0]  # (R, l)
    keep = torch.rand(mean.shape, generator=torch.Generator().manual_seed(3)) >= lost
    return (model.decode(mean * keep) == chunks).double().mean(-1)


def mean_and_error(values):
    return values.mean().item(), values.std().item() / len(values) ** 0.5


NEVER_HIDDEN = [name for name, model in models.items() if not model.config.drop_token]
guessed = {name: mean_and_error(hidden_back(model, unseen)) for name, model in models.items()}
survived = {name: mean_and_error(without(model, unseen, 0.3)) for name, model in models.items()}
print(f"{'':20}{'hidden token said':>20}{'3 in 10 coordinates lost':>30}")
for name in RUNGS:
    print(
        f"{name:20}{guessed[name][0]:13.1%} ± {guessed[name][1]:.1%}{survived[name][0]:23.1%} ± {survived[name][1]:.1%}"
    )
NAMES = [name.replace(" + Drop", "\n+ ") for name in RUNGS]
LOSSES = {"hidden tokens that come back": guessed, "tokens back, 3 in 10 coordinates lost": survived}
panels_figure(
    [
        Panel(
            title,
            [Series("", NAMES, [v for v, _ in found.values()], "accent", "bars", [2 * e for _, e in found.values()])],
            y_limits=(0, 1.03),
        )
        for title, found in LOSSES.items()
    ]
)

# %% [markdown]
# Each does what it was trained for. Only the codes trained with DropToken guess. The others have learned that the
# mask is a token like any other and give the mask itself back, so their 0% is by construction. A fairer baseline is to
# say the most frequent token of each place, which is right 6.5% of the time (notebook 02): the two codes know more than
# that. The vector of a chunk knows a little of what chunks are like. And those trained with DropLatent lose least when
# coordinates are lost.
#
# ### Collapsed coordinates
#
# The paper reports that plain KL collapsed 71 of its 128 coordinates. Here is the KL of each of our 64, sorted:

# %%
LIMIT = 0.1  # nats: a coordinate below says next to nothing
nats = {name: [bits * math.log(2) for bits in found.kl_bits] for name, found in profiles.items()}
weak = {name: sum(value < LIMIT for value in values) for name, values in nats.items()}
print(", ".join(f"{name}: {count}" for name, count in weak.items()), f"coordinates below {LIMIT} nats, of {ae_size}")
panels_figure(
    [
        Panel(
            "KL of every coordinate, sorted (nats)",
            [
                Series("plain KL", range(1, ae_size + 1), sorted(nats["KL"], reverse=True), "sample", "dots"),
                Series("KL clip", range(1, ae_size + 1), sorted(nats["KL clip"], reverse=True), "accent", "dots"),
                Series("floor", [1, ae_size], [0.5, 0.5], "muted", "dotted"),
            ],
            "coordinate",
            y_limits=(0, 1.1 * max(nats["KL"] + nats["KL clip"])),
        )
    ]
)

# %% [markdown]
# A handful has collapsed, not the larger half: our training is far shorter and our code smaller. But the kind is the
# same, and the floor prevents it: it keeps every coordinate at about half a nat or more. (Somewhat below is possible:
# there nothing pulls in either direction.) A collapsed coordinate does no harm to the autoencoder, which learns to
# ignore it. It harms the language model: a target that is a fresh standard normal at every step cannot be predicted,
# but the energy loss asks for it all the same.
#
# How much of a target is noise? Of the variance of a coordinate of $z$, the part $\sigma_i^2$ is the encoder's own
# noise, and the rest tells chunks apart:

# %%
noise_share = {}
for name, p in posteriors.items():
    noise = p.std[0].square().mean(0)  # (l,)
    noise_share[name] = noise / (noise + p.mean[0].var(0))
    values = noise_share[name]
    print(f"{name:20} noise is {values.mean():6.1%} of a coordinate on average, {values.max():6.1%} of the worst")

# %% [markdown]
# ### Climb the ladder yourself
#
# One training a rung is one seed. On the letters of notebook 02 a rung takes seconds, so here is the comparison that
# matters, no regulariser against all four, over seeds: same sizes, same steps, the same noise of 0.7 spreads.

# %%
letters = letter_tokenizer()
train_letters, test_letters = story_chunks(letters, "train", 800), story_chunks(letters, "test", 40)
began = time.process_time()
ALL = {"kl_weight": 1e-3, "kl_clip": 0.5, "drop_token": 0.15, "drop_latent": 0.15}
SEEDS, STEPS = (1, 150) if FAST else (3, 300)


@torch.no_grad()
def at_rho(model, chunks, rho=0.7):
    s = model.encode(chunks.view(1, -1)).mean[0].std(0).square().mean().sqrt().item()
    return noise_sweep(model, chunks.view(1, -1), [rho * s])[0].value


gains = []  # in points
for seed in range(SEEDS):
    pair = [
        at_rho(fit(letter_autoencoder(32, seed, **choice), train_letters, STEPS, seed=seed), test_letters)
        for choice in ({}, ALL)
    ]
    gains.append(100 * (pair[1] - pair[0]))
    print(f"seed {seed}: none {pair[0]:.2%}, all {pair[1]:.2%}")
print(f"gain in points: {Interval.of(gains)} (95% over seeds, where there is more than one)")
print(f"{time.process_time() - began:.0f} s of processor time for all trainings")

# %% [markdown]
# ### What a language model makes of it
#
# Robustness is only a means. The end is the BrierLM of the CALM on top. Of the paper's Table 2 only "all", 4.70, is
# certain to us; secondary notes give none 3.99, KL 3.48 and KL clip 4.13, one run each. Our own runs, several seeds a
# rung, are kept with the package as they finish. This cell prints what is there, and judges each claim by a rule that
# was written down before the runs: it holds, or does not, if the 95% interval of the difference over seeds lies on one
# side of 0. (*base* is "all". One seed is no order.)

# %%
study = studies(find_scale("nano"))["regularisers"]
store = Store(ASSETS / "nano")
ended = {cell.name: store.metrics(cell, study.seeds, "brier_lm") for cell in study.cells}
print(f"{sum(map(len, ended.values()))} of {study.seeds * len(study.cells)} runs have ended")
for cell in study.cells:
    if ended[cell.name]:
        scores = Interval.of(ended[cell.name])
        lost = Interval.of(store.metrics(cell, study.seeds, "collapsed_coordinates"))
        print(f"{cell.name:12} BrierLM {scores!s:16} collapsed coordinates {lost!s:16} from {scores.count} seeds")
for claim in study.claims:
    found = judge(study, claim, store)
    if found.verdict != "missing":
        print(f"{found.verdict:14} {claim.text}; {found.measured} ({found.pairs} pairs)")

# %% [markdown]
# These runs count a coordinate as collapsed below 0.01 nats, ten times stricter than the table above. By that count
# the bundled plain-KL model has none either: its flattest coordinate carries a little more. Collapse proper, 71 of
# 128 in the paper, is not seen at this scale, only its beginning. What the runs do show: DropToken and DropLatent,
# not the floor of the KL, are what the model on top gains by.

# %% [markdown]
# ## What would prove it wrong
#
# - **"Without regularisers the code only turns up the volume."** A "none" whose curve in relative units lies above that
#   of "all", here or at another size.
# - **"Each drop does what it was trained for."** A rung without the drop that does as well at it.
# - **"Both drops together are the best against noise."** Other seeds of the six, or other texts, with another order.
# - **"The floor prevents collapse."** A collapsed coordinate under KL clip.
# - **"Robustness is good for the language model."** A Table 2 whose order is another, over seeds. The cell above says
#   what our runs have to say; at laboratory scale they may well be undecided.
# - **One seed.** The six bundled models are one training each. The intervals on their curves say how sure the
#   *counting* is, not how another seed would do; that is what the last two cells are for.

# %% [markdown]
# ## Exercises
#
# Replace `return None`, run the cell, run the check below it. A check says what is amiss. The answers are in
# `notebooks/solutions/03_a_robust_latent_space.py`.
#
# **1. The KL of a chunk.** Give the clipped KL of one chunk in nats, for lists of means and sigmas (one entry a
# coordinate) and a floor. *Hint: the floor holds for each coordinate, not for the sum.*


# %% tags=["exercise-1"]
def my_clipped_kl(means, sigmas, floor):
    return None


# %% tags=["check-1"]
if my_clipped_kl([0.0], [1.0], 0.5) is None:
    print("Exercise 1 is open.")
else:
    for means, some, floor, wanted in (
        ([0.0], [1.0], 0.0, 0.0),
        ([0.0], [1.0], 0.5, 0.5),
        ([2.0], [1.0], 0.5, 2.0),
        ([1.0], [0.5], 0.0, 0.818147),
        ([2.0, 0.0], [1.0, 1.0], 0.5, 2.5),
    ):
        found = float(my_clipped_kl(means, some, floor))
        hint = "does the floor hold for each coordinate?" if floor else "look at the formula again"
        assert abs(found - wanted) < 1e-4, f"means {means}, sigmas {some}, floor {floor}: {wanted}, not {found}: {hint}"
    print("Exercise 1: right.")

# %% [markdown]
# **2. What is free.** A coordinate has mean m. Give the smallest sigma at which its KL is still within the floor.
# *Hint: KL falls as sigma rises towards 1; halve the interval from 0.001 to 1. If even sigma = 1 is too dear, nothing
# is free: give 1.*


# %% tags=["exercise-2"]
def my_free_sigma(m, floor):
    return None


# %% tags=["check-2"]
if my_free_sigma(0.0, 0.5) is None:
    print("Exercise 2 is open.")
else:
    for m, floor in ((0.0, 0.5), (0.5, 0.5), (0.0, 0.1)):
        sigma = float(my_free_sigma(m, floor))
        assert 0 < sigma <= 1, f"m = {m}: sigma = {sigma} does not lie between 0 and 1"
        paid = (m**2 + sigma**2 - 1) / 2 - math.log(sigma)
        assert abs(paid - floor) < 1e-3, f"m = {m}: at sigma = {sigma:.4f} the KL is {paid:.4f}, not {floor}"
    assert my_free_sigma(2.0, 0.5) == 1, "at m = 2 the mean alone costs 2 nats: nothing is free, give 1"
    print(f"Exercise 2: right. At mean 0 half a nat buys sigma = {my_free_sigma(0.0, 0.5):.3f}.")

# %% [markdown]
# **3. DropLatent.** Given z (R, l), a mask `keep` of the same shape and the share p that is dropped, give what the
# decoder gets while training. On average over masks it should get z. *Hint: what remains has to be enlarged.*


# %% tags=["exercise-3"]
def my_drop(z, keep, p):
    return None


# %% tags=["check-3"]
stream = torch.Generator().manual_seed(4)
some_z = torch.ones(20_000, 2) * torch.tensor([1.0, -3.0])
some_keep = torch.rand(some_z.shape, generator=stream) >= 0.15
if my_drop(some_z, some_keep, 0.15) is None:
    print("Exercise 3 is open.")
else:
    dropped = my_drop(some_z, some_keep, 0.15)
    assert (dropped[~some_keep] == 0).all(), "a coordinate that is dropped should be 0"
    means = dropped.mean(0)
    assert (means - some_z[0]).abs().max() < 0.05, f"on average it should be {some_z[0].tolist()}, not {means.tolist()}"
    print("Exercise 3: right.")

# %% [markdown]
# **4. The volume trick.** An autoencoder cheats: it multiplies every vector by c, and its decoder divides by c. Given
# the function `back(sigma)`, the share of tokens that come back before the trick, give the share that comes back at
# noise sigma after it. *Hint: what does the decoder see of the noise?*


# %% tags=["exercise-4"]
def my_louder(back, sigma, c):
    return None


# %% tags=["check-4"]
if my_louder(lambda sigma: math.exp(-sigma), 0.5, 2.0) is None:
    print("Exercise 4 is open.")
else:
    for sigma, c in ((0.5, 2.0), (1.0, 4.0), (0.3, 0.5)):
        found = float(my_louder(lambda noise: math.exp(-noise), sigma, c))
        wanted = math.exp(-sigma / c)
        assert abs(found - wanted) < 1e-9, f"sigma = {sigma}, c = {c}: {wanted:.3f} should come back, not {found:.3f}"
    print("Exercise 4: right. Nothing was gained: relative to the spread the curve is the same.")

# %% [markdown]
# ## Claims
#
# What this notebook said, as numbers that a rerun must meet. The bundled models are fixed, and so are seeds and texts.

# %%
OTHERS = [name for name in RUNGS if name != "all"]
clear = relative["all"][AT].low - max(relative[name][AT].high for name in OTHERS)
least = {name: points[SIGMAS.index(0.9)].value for name, points in plain.items()}
claims = [
    ("the worst of the six, without noise: tokens that come back", min(row[0] for row in table.values()), 0.999, 1),
    ("at sigma 0.3, the worst of the six", min(c[SIGMAS.index(0.3)].value for c in plain.values()), 0.99, 1),
    ("a coordinate of mean 0 is free from sigma", free, 0.39, 0.41),
    ("spread of none over that of KL", spread["none"] / spread["KL"], 1.8, 3.5),
    ("learned sigma of KL over that of none", table["KL"][1] / table["none"][1], 4, 16),
    ("bits of none over those of KL", table["none"][2] / table["KL"][2], 3, 8),
    ("sigma 0.9: none leads the best of the others by", least.pop("none") - max(least.values()), 0.03, 0.3),
    ("rho 0.9: all leads none by", accuracy("all") - accuracy("none"), 0.08, 0.3),
    ("rho 0.9: all leads the best of the others by", accuracy("all") - max(map(accuracy, OTHERS)), 0.03, 0.2),
    ("rho 0.9: lower end of all over upper ends of the others", clear, 0, 0.2),
    ("rho 0.9: KL leads none by", accuracy("KL") - accuracy("none"), 0.03, 0.2),
    ("rho 0.9: KL clip against KL", accuracy("KL clip") - accuracy("KL"), -0.04, 0.04),
    ("rho 0.9: DropLatent against clip alone", accuracy("clip + DropLatent") - accuracy("KL clip"), -0.05, 0.05),
    ("rho 0.9: DropToken trails clip alone by", accuracy("KL clip") - accuracy("clip + DropToken"), 0.02, 0.15),
    ("hidden tokens said, best without DropToken", max(guessed[n][0] for n in NEVER_HIDDEN), 0, 0.02),
    ("hidden tokens said, worst with DropToken", min(guessed[n][0] for n in ("clip + DropToken", "all")), 0.1, 0.6),
    (
        "3 in 10 lost: DropLatent leads clip alone by",
        survived["clip + DropLatent"][0] - survived["KL clip"][0],
        0.05,
        0.3,
    ),
    ("plain KL: coordinates below 0.1 nats, of 64", weak["KL"], 3, 10),
    ("all others: coordinates below 0.1 nats", sum(weak.values()) - weak["KL"], 0, 0),
    ("plain KL: noise in the worst coordinate", noise_share["KL"].max().item(), 0.9, 1),
    ("KL clip: noise in the worst coordinate", noise_share["KL clip"].max().item(), 0.4, 0.85),
    ("letters, rho 0.7: all leads none at every seed by at least (points)", min(gains), 0.5, 15),
]
for claim, value, low, high in claims:
    print(f"{claim:68} {value:10.4g}   in [{low:g}, {high:g}]")
for claim, value, low, high in claims:
    assert low <= value <= high, f"{claim}: {value:.4g} is not in [{low:g}, {high:g}]"
