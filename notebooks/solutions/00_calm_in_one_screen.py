# %% [markdown]
# # Answers to 00 · CALM in one screen
#
# Each cell answers the exercise of the same tag; paste it over the open one. There are other right answers: the
# check decides.

# %% [markdown]
# **1.** Two samples can both be right, which counts twice; that they agree is taken back once. A model that knows the
# answer gets 1 + 1 - 1 = 1, one that always says the same wrong thing gets -1.


# %% tags=["exercise-1"]
def my_brier(first, second, target):
    def same(x, y):
        return (x == y).all(-1).float()  # all n tokens, as one outcome

    return (same(first, target) + same(second, target) - same(first, second)).mean()


# %% [markdown]
# **2.** `comb(count, m)` is 0 where a draw came fewer than m times, so rare draws leave by themselves.


# %% tags=["exercise-2"]
from collections import Counter
from math import comb


def my_weights(draws, n):
    counts = Counter(draws)
    m = min(n, max(counts.values()))
    groups = {draw: comb(count, m) for draw, count in counts.items()}
    return {draw: size / sum(groups.values()) for draw, size in groups.items()}


# %% [markdown]
# **3.** With the same noise directions every time, the share falls as sigma grows, so an interval can be halved.


# %% tags=["exercise-3"]
def my_limit(survival):
    low, high = 0.0, 10.0
    while high - low > 0.05:
        middle = (low + high) / 2
        low, high = (middle, high) if survival(middle) >= 0.95 else (low, middle)
    return low
