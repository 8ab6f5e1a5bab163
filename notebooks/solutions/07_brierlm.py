# %% [markdown]
# # Answers to 07 · BrierLM
#
# Each cell answers the exercise of the same tag; paste it over the open one. There are other right answers: the
# check decides.

# %% [markdown]
# **1.** Two hits on average, less the collisions.


# %% tags=["exercise-1"]
def my_brier(p, q):
    return 2 * (p * q).sum() - (p * p).sum()


# %% [markdown]
# **2.** The signs first.


# %% tags=["exercise-2"]
def my_brier_lm(four):
    from math import nan, prod

    return 100 * prod(four) ** 0.25 if min(four) > 0 else nan


# %% [markdown]
# **3.** Brier-n is 2 / V^n - 1 / V^n = V^-n, and (1 + 2 + 3 + 4) / 4 = 2.5.


# %% tags=["exercise-3"]
def my_nothing(V):
    return 100 * V**-2.5
