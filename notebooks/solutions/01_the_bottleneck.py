# %% [markdown]
# # Answers to 01 · The bottleneck
#
# Each cell answers the exercise of the same tag; paste it over the open one. There are other right answers: the
# check decides.

# %% [markdown]
# **1.** A row of d numbers for each of the 2^b entries.


# %% tags=["exercise-1"]
def my_bytes(b, d):
    return 2**b * d * 2


# %% [markdown]
# **2.** The last layer's share grows with V, so doubling finds the place.


# %% tags=["exercise-2"]
def my_half(share):
    size = 2
    while share(size) < 0.5:
        size *= 2
    return size


# %% [markdown]
# **3.** Rare tokens carry many bits each, and come seldom.


# %% tags=["exercise-3"]
from collections import Counter
from math import log2


def my_entropy(tokens):
    shares = [count / len(tokens) for count in Counter(tokens).values()]
    return -sum(p * log2(p) for p in shares)
