# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 01 · The bottleneck
#
# | | |
# |---|---|
# | minutes | under 1 on two CPU cores, and with `CALM_LAB_FAST=1` |
# | app tabs | *Tokens and vectors*, *What K buys* |
# | modules | `calm_lab/lab/flops.py`, `calm_lab/text/tokenizer.py`, `calm_lab/lab/vectors.py` |
# | paper | [arXiv:2510.27688](https://arxiv.org/abs/2510.27688), section 1 (the argument), section 7 (sizes, cost) |
# | you need | PyTorch, and what a token is |
#
# A language model takes one step for every token. The paper's claim is that the step is too small: a token can say no
# more than 15 to 18 bits, and a larger vocabulary is no way out. A vector for K tokens is. This notebook counts.

# %% [markdown]
# ## What you will see
#
# 1. **The same sentence in fewer steps**, K tokens at a time.
# 2. **Two ways to say more in a step.** By vocabulary, b bits need V = 2^b entries, and the last layer grows with V. By
#    K, the cost of a step grows along a straight line. The paper calls K the *semantic bandwidth*.
# 3. **What a larger vocabulary saves on real text**: less with every doubling. Doubling K always saves half.
# 4. **What a token says in fact**, which is far less than it could; and what a vector has to hold.
#
# The last cell checks every one of these claims.

# %% tags=["exercises-need"]
import dataclasses
import math
import time

import torch

import calm_lab
from calm_lab.lab.examples import TEXTS
from calm_lab.lab.figures import ChunkRow, apply_style, chunk_figure
from calm_lab.lab.panels import Panel, Series, panels_figure
from calm_lab.lab.sliders import Choice, slide
from calm_lab.lab.source import source_of
from calm_lab.lab.vectors import read_text
from calm_lab.model.autoencoder import Posterior
from calm_lab.model.presets import preset
from calm_lab.text.corpora import is_cached, load_corpus
from calm_lab.text.storyland.law import TokenLaw
from calm_lab.text.storyland.source import generate as tell
from calm_lab.text.tokenizer import Tokenizer

FAST = calm_lab.lab_scale("cpu").fast  # CALM_LAB_FAST=1: less text, the same claims
apply_style()

# %% [markdown]
# ## The picture
#
# One sentence, cut into chunks of K tokens. Each box is one step of a model. K = 1 is what every Transformer does.

# %%
ae = calm_lab.load_autoencoder()
SENTENCE = TEXTS[0].text
sentence_ids = ae.tokenizer.encode(SENTENCE)
STEPS = {K: math.ceil(len(sentence_ids) / K) for K in (1, 2, 4, 8)}


def cut(ids, K):
    return [ids[place : place + K] for place in range(0, len(ids), K)]


chunk_figure(
    [
        ChunkRow(f"K = {K}: {steps} steps", [ae.tokenizer.pieces(chunk) for chunk in cut(sentence_ids, K)])
        for K, steps in STEPS.items()
    ]
)

# %% [markdown]
# ## The formulas
#
# A step that picks one of $V$ tokens can say at most
# $$\text{bits a step} = \log_2 V.$$
# So $b$ bits a step by vocabulary need $V = 2^b$ entries, and the last layer, a product with a matrix of $V$ rows and
# width $d$, costs $2\,d\,V$ FLOPs a step and holds $d\,V$ weights. A step that picks $K$ tokens at once can
# say
# $$\text{bits a step} = K \log_2 V,$$
# with the same $V$. What a step says *in fact* is the entropy of what it picks, given all that went before; no more
# than the bound above, and mostly far less.
#
# What a vector $z$ says about its chunk: the encoder answers with a Gaussian, a mean $\mu_i$ and a $\sigma_i$ for each
# of the l coordinates. The KL term of its loss (section 2) measures, here in bits, how far that is from knowing
# nothing, which is the standard normal:
# $$\mathrm{KL} = \frac{1}{\ln 2} \sum_{i=1}^{l} \Big( \tfrac12(\mu_i^2 + \sigma_i^2 - 1) - \log \sigma_i \Big).$$

# %% [markdown]
# ## The code
#
# Costs come from `calm_lab.flops`, which counts every matrix product of a model (two FLOPs a multiply-add). Its heart
# is one line for each layer: FLOPs a step are the weights it multiplies, times two, times how often it runs. The KL
# of a vector comes from the function below, in nats, one number a coordinate: add them up and divide by ln 2 for bits.

# %%
print(source_of(Posterior.kl))

# %% [markdown]
# ## The experiment
#
# ### How much can a token say?

# %%
VOCABULARIES = {"this laboratory": 2048, "Llama 2": 32_000, "Llama 3, the paper's": 128_256, "Gemma 3": 262_144}
bits = {name: math.log2(V) for name, V in VOCABULARIES.items()}
for name, V in VOCABULARIES.items():
    print(f"{name:22} V = {V:8,}   at most {bits[name]:5.2f} bits a token")

# %% [markdown]
# That is the paper's "15 to 18 bits". From the smallest to the largest vocabulary here is a factor of 128, and it buys
# 7 bits.
#
# ### Two ways to say more
#
# Take the backbone (the Transformer without its vocabulary layers) of the paper's size M: 16 layers, width 1024. First
# a token Transformer on it, with a larger and larger vocabulary. Then a CALM on it, with the vocabulary left as it is
# and more and more tokens in a chunk. (CALM at K = 1 is not quite that Transformer: its product with the vocabulary
# sits in the narrower decoder.)

# %% tags=["exercises-need"]
M = preset("M")
V = 128_256


def step_cost(vocabulary):  # FLOPs of one step of a token Transformer
    return calm_lab.flops(dataclasses.replace(M.transformer(), vocab_size=vocabulary)).per_step


def vocabulary_share(vocabulary):  # the share of it that is the product with the vocabulary
    return calm_lab.flops(dataclasses.replace(M.transformer(), vocab_size=vocabulary)).inference.share("output")


# %%
KS = [1, 2, 4, 8, 16]
by_k = {K: calm_lab.flops(preset("M", chunk_size=K, vocab_size=V).calm()).per_step for K in KS}
b_of_k = {K: K * math.log2(V) for K in KS}
by_vocabulary = {b: step_cost(2**b) for b in range(10, 41, 2)}
slope = (by_k[16] - by_k[1]) / 15
bend = max(abs(by_k[K] - by_k[1] - (K - 1) * slope) / by_k[K] for K in KS)
one_more_bit = by_vocabulary[40] / by_vocabulary[38]
matrix_bytes = 2 * 2**34 * M.backbone.hidden_size  # bf16
print(
    f"34 bits a step by vocabulary: V = 2^34 = {2**34:,}; its matrix alone takes {matrix_bytes / 1e12:.0f} TB in bf16"
)
print(f"34 bits a step by K = 2: {by_k[2] / 1e9:.2f} GFLOPs a step, where K = 1 takes {by_k[1] / 1e9:.2f}")
for K in KS:
    print(
        f"K = {K:2}: {b_of_k[K]:5.0f} bits a step, {by_k[K] / 1e9:5.2f} GFLOPs a step, {by_k[K] / K / 1e9:.2f} a token"
    )
panels_figure(
    [
        Panel(
            "cost of a step (FLOPs)",
            [
                Series("by vocabulary, V = 2^b", list(by_vocabulary), list(by_vocabulary.values()), "sample"),
                Series("by K, V = 128,256", list(b_of_k.values()), list(by_k.values()), "accent"),
                Series("", list(b_of_k.values()), list(by_k.values()), "accent", "dots"),
            ],
            "bits a step",
            log="y",
        ),
        Panel(
            "the same by K: a straight line (GFLOPs)",
            [
                Series("", KS, [(by_k[1] + (K - 1) * slope) / 1e9 for K in KS], "muted", "dotted"),
                Series("CALM", KS, [cost / 1e9 for cost in by_k.values()], "accent", "dots"),
            ],
            "K, tokens a step",
            y_limits=(0, 1.1 * by_k[16] / 1e9),
            x_ticks=KS,
        ),
    ]
)

# %% [markdown]
# By vocabulary every two bits more make the step four times as dear, once the last layer dominates. By K each token
# more adds the same amount: its own pass through the autoencoder's decoder and a wider input. And the backbone, the
# dear part, is paid once a chunk, so a *token* gets cheaper with K.
#
# The straight line has a start and a slope, and both are to be watched: the slope holds a product with the vocabulary
# for every token, in the decoder. CALM has not got rid of it; it has made it narrower. (These counts are for one
# sample a step. At a low temperature many are drawn: notebook 08.)
#
# The last layer in the time of this machine, for 16 positions at width 1024. Times are the machine's, so nothing is
# claimed about them:

# %%
milliseconds = {}
hidden = torch.randn(16, 1024)
for b in range(10, 16 if FAST else 18):
    matrix = torch.randn(2**b, 1024)
    runs = []
    for _ in range(3):
        began = time.perf_counter()
        torch.softmax(hidden @ matrix.T, -1)
        runs.append(1000 * (time.perf_counter() - began))
    milliseconds[b] = min(runs)
print("   ".join(f"V = 2^{b}: {ms:.2f} ms" for b, ms in milliseconds.items()))

# %% [markdown]
# ### What a larger vocabulary saves on text
#
# Real text does not use a vocabulary evenly, so let us count. For each V a tokenizer is trained on some texts, and
# then cuts others that it has not seen.

# %%
if is_cached("andersen"):
    corpus = "Andersen's tales"
    train_texts, test_texts = load_corpus("andersen", "train")["text"], load_corpus("andersen", "test")["text"]
else:  # not fetched yet: a generated language, whose few words fit a small vocabulary
    corpus = "storyland"
    train_texts, test_texts = [tell(1, i) for i in range(2000)], [tell(2, i) for i in range(200)]
train_texts, test_texts = list(train_texts), list(test_texts)
if FAST:
    train_texts = train_texts[: len(train_texts) // 2]
characters = sum(map(len, test_texts))
sizes = [512, 1024, 2048, 4096, 8192]
tokenizers = {size: Tokenizer.train(train_texts, size) for size in sizes}
counts = {size: sum(map(len, tokenizers[size].encode_batch(test_texts))) for size in sizes}
saved = {size: 1 - counts[size] / counts[size // 2] for size in sizes[1:]}
by_chunks = {K: sum(math.ceil(len(ids) / K) for ids in tokenizers[2048].encode_batch(test_texts)) for K in (1, 2, 4, 8)}
saved_by_k = {K: 1 - by_chunks[K] / by_chunks[K // 2] for K in (2, 4, 8)}
print(f"{corpus}: {len(test_texts)} unseen texts, {characters:,} characters")
for size in sizes:
    print(
        f"V = {size:5}: {counts[size]:7,} steps"
        + (f", {saved[size]:.1%} fewer than with half of it" if size > 512 else "")
    )
for K, steps in by_chunks.items():
    print(
        f"K = {K}, V = 2048: {steps:7,} steps" + (f", {saved_by_k[K]:.1%} fewer than with half of it" if K > 1 else "")
    )

# %%
panels_figure(
    [
        Panel(
            "steps for 1,000 characters of unseen text",
            [
                Series("V doubled", range(5), [1000 * counts[size] / characters for size in sizes], "sample"),
                Series("", range(5), [1000 * counts[size] / characters for size in sizes], "sample", "dots"),
                Series(
                    "K doubled, V = 2048", range(2, 6), [1000 * n / characters for n in by_chunks.values()], "accent"
                ),
                Series("", range(2, 6), [1000 * n / characters for n in by_chunks.values()], "accent", "dots"),
            ],
            "doublings; the third point is V = 2048, K = 1",
            y_limits=(0, 1100 * counts[512] / characters),
            x_ticks=range(6),
        )
    ]
)

# %% [markdown]
# The lines part at V = 2048. Going on by vocabulary, each doubling finds rarer words to merge and saves less than the
# one before; going on by K, each doubling saves half, because it asks nothing of the text.
#
# ### What a token says in fact
#
# 11 bits could name any of 2048 tokens. How many does a token carry? If one knew only how frequent each token is, a
# token would be worth the entropy of that table. If one knew all that went before *and the language*, it would be
# worth less. For storyland that is known exactly.

# %%
told = [tell(3, index) for index in range(20 if FAST else 100)]
stream_ids = [token for text in told for token in ae.tokenizer.encode(text)]
frequency = torch.bincount(torch.tensor(stream_ids)).double() / len(stream_ids)
unigram_bits = -(frequency[frequency > 0] * frequency[frequency > 0].log2()).sum().item()
language = TokenLaw(ae.tokenizer)
surprise = []
for text in told[: 4 if FAST else 12]:
    state = language.start()
    for token in ae.tokenizer.encode(text):
        surprise.append(language.entropy(state))  # bits that the next token will carry, given all before
        state = language.advance(state, token)
exact_bits = sum(surprise) / len(surprise)
capacity = math.log2(ae.config.vocab_size)
print(f"a token of storyland could carry {capacity:.1f} bits; by frequency alone {unigram_bits:.1f};", end=" ")
print(f"given its past {exact_bits:.2f} on average, over {len(surprise):,} positions")
print(f"{sum(bits < 0.01 for bits in surprise) / len(surprise):.0%} of the tokens are no news at all")

# %% [markdown]
# So the pipe is narrow, and it runs nearly empty: most steps of a token model on this language decide nothing. That is
# the room that CALM moves into. Real prose is less predictable than storyland; the order of the three numbers is the
# same.
#
# ### What a vector has to hold
#
# A chunk of K = 4 tokens is named by 4 × 11 = 44 bits. The bundled autoencoder packs it into l = 64 numbers with
# noise. Here are the bits (KL) that it spends on each chunk of the sentence, and whether it gets the tokens back.


# %%
def bits_figure(text):
    reading = read_text(ae, text)
    spent = reading.bits.sum(-1).tolist()
    places = [str(place + 1) for place in range(len(spent))]
    name_bits = reading.bits_to_name
    return panels_figure(
        [
            Panel(
                f"bits a chunk: {reading.correct} of {reading.total} tokens come back",
                [
                    Series("in its vector (KL)", places, spent, "sigma", "bars"),
                    Series("to name any 4 tokens", [-0.5, len(spent) - 0.5], [name_bits] * 2, "sample", "dotted"),
                ],
                "chunk",
                y_limits=(0, 1.35 * max([*spent, name_bits])),
            )
        ]
    )


slide(bits_figure, text=Choice([example.text for example in TEXTS], SENTENCE))

# %% [markdown]
# The vector spends several times what it takes to name the chunk. Part of that buys robustness: a code that must
# survive lost coordinates says things twice, so that the head need not hit a point. But bits alone are no sign of it:
# notebook 03 has a code with more bits and less robustness. (The sentence's 25 tokens are 26 here: the end token is
# coded and counted too.) Is the capacity real, or does the autoencoder only know frequent chunks? Give it chunks of
# random tokens, which no text has ever held:

# %%
stream = torch.Generator().manual_seed(1)
K, COUNT = ae.config.chunk_size, 2_000
random_chunks = torch.randint(4, ae.config.vocab_size, (1, COUNT * K), generator=stream)  # 0..3 are special tokens
with torch.no_grad():
    posterior = ae.encode(random_chunks)
    clean = ae.decode(posterior.mean).flatten(1)
random_back = (clean == random_chunks).double().mean().item()
sentence = read_text(ae, SENTENCE)
sentence_bits = sentence.bits.sum(-1).mean().item()
random_bits = posterior.kl().sum(-1).mean().item() / math.log(2)
print(f"{random_back:.1%} of the tokens of {COUNT:,} random chunks come back; {random_bits:.0f} bits a vector")
print(f"the sentence: {sentence.correct} of {sentence.total} tokens come back; {sentence_bits:.0f} bits a vector")

# %% [markdown]
# The capacity is real: nearly all of the nonsense comes back, and its vectors spend more bits than those of a sentence.
# (Its training replaced one token in twenty by a random one, so it had met every token; whole chunks of random tokens
# it has hardly ever met.)

# %% [markdown]
# ## What would prove it wrong
#
# - **"By vocabulary it is exponential."** A way to pick one of 2^34 tokens without touching a matrix of 2^34 rows.
#   Such ways exist (hierarchical softmax, hashing); the claim is about a plain softmax. Rare entries would also be
#   hard to learn.
# - **"By K it is linear."** A count that bends: attention inside the decoder, for instance, would bend it.
# - **"A larger vocabulary saves less and less."** A corpus on which the fourth doubling saves as much as the first.
# - **"A vector holds its chunk."** Tokens that do not come back from the clean vector.

# %% [markdown]
# ## Exercises
#
# Replace `return None`, run the cell, run the check below it. A check says what is amiss. The answers are in
# `notebooks/solutions/01_the_bottleneck.py`.
#
# **1. The price in memory.** How many bytes does the last layer's matrix take if a step shall carry b bits by
# vocabulary, at width d and 2 bytes a number? *Hint: how many rows?*


# %% tags=["exercise-1"]
def my_bytes(b, d):
    return None


# %% tags=["check-1"]
if my_bytes(17, 1024) is None:
    print("Exercise 1 is open.")
else:
    for b, d in ((10, 64), (17, 1024), (34, 1024)):
        wanted = 2**b * d * 2
        assert my_bytes(b, d) == wanted, f"{b} bits at width {d}: {wanted:,} bytes, not {my_bytes(b, d):,}"
    print(f"Exercise 1: right. 68 bits, which K = 4 gives, would take {my_bytes(68, 1024):.1e} bytes.")

# %% [markdown]
# **2. When the vocabulary is half of the bill.** `share(V)` is the part of a step's FLOPs that the last layer takes,
# in a token Transformer of size M. Give the smallest power of two for which it is at least one half. *Hint: start at 2
# and double.*


# %% tags=["exercise-2"]
def my_half(share):
    return None


# %% tags=["check-2"]
if my_half(vocabulary_share) is None:
    print("Exercise 2 is open.")
else:
    size = my_half(vocabulary_share)
    assert size in [2**b for b in range(1, 40)], f"{size} is not a power of two"
    assert vocabulary_share(size) >= 0.5, f"at V = {size:,} it is only {vocabulary_share(size):.0%}"
    assert vocabulary_share(size // 2) < 0.5, f"at V = {size // 2:,} it is already {vocabulary_share(size // 2):.0%}"
    print(f"Exercise 2: right, V = {size:,}.")

# %% [markdown]
# **3. How many bits does this carry?** Give the entropy in bits of a list of tokens, by their frequencies alone.
# *Hint: minus the sum of p log2 p over the different tokens; `collections.Counter` counts them.*


# %% tags=["exercise-3"]
def my_entropy(tokens):
    return None


# %% tags=["check-3"]
if my_entropy(list("abab")) is None:
    print("Exercise 3 is open.")
else:
    for tokens, wanted in ((list("abab"), 1.0), (list("aaaa"), 0.0), (list("abcdefgh"), 3.0), (list("aaab"), 0.811278)):
        found = float(my_entropy(tokens))
        assert abs(found - wanted) < 1e-5, f"{''.join(tokens)} carries {wanted:.3f} bits a token, not {found:.3f}"
    print("Exercise 3: right.")

# %% [markdown]
# ## Claims
#
# What this notebook said, as numbers that a rerun must meet. Nothing here is statistical but the texts, which are
# fixed.

# %%
claims = [
    ("bits of a token, Llama 2", bits["Llama 2"], 14.96, 14.97),
    ("bits of a token, Llama 3", bits["Llama 3, the paper's"], 16.96, 16.97),
    ("bits of a token, Gemma 3", bits["Gemma 3"], 18, 18),
    ("steps for the sentence: K = 4 over K = 1", STEPS[4] / STEPS[1], 0.25, 0.3),
    ("by vocabulary: two bits more multiply the cost by", one_more_bit, 3.99, 4.0),
    ("2^34 rows of 1024 numbers in bf16, TB", matrix_bytes / 1e12, 35, 35.5),
    ("by K: largest distance from a straight line", bend, 0, 0.001),
    ("by K: a step at K = 4 over one at K = 1", by_k[4] / by_k[1], 1, 2.5),
    ("by K: a token at K = 4 over one at K = 1", by_k[4] / 4 / by_k[1], 0, 0.6),
    ("doubling V to 1024 saves", saved[1024], 0.15, 0.4),
    ("doubling V to 8192 saves", saved[8192], 0, 0.12),
    (
        "each doubling of V saves less than the one before, by at least",
        min(saved[s // 2] - saved[s] for s in sizes[2:]),
        0,
        1,
    ),
    ("each doubling of K saves at least", min(saved_by_k.values()), 0.49, 0.5),
    ("storyland: bits by frequency, of what a token could carry", unigram_bits / capacity, 0.3, 0.9),
    ("storyland: bits given the past, of what a token could carry", exact_bits / capacity, 0, 0.25),
    ("the sentence: tokens that come back", sentence.correct / sentence.total, 1, 1),
    ("the sentence: bits in a vector, of those that name its chunk", sentence_bits / sentence.bits_to_name, 1, 10),
    ("random chunks: tokens that come back", random_back, 0.9, 1),
    ("random chunks: bits in a vector, of the sentence's", random_bits / sentence_bits, 1, 5),
]
for claim, value, low, high in claims:
    print(f"{claim:64} {value:10.4g}   in [{low:g}, {high:g}]")
for claim, value, low, high in claims:
    assert low <= value <= high, f"{claim}: {value:.4g} is not in [{low:g}, {high:g}]"
