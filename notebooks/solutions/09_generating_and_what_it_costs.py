# %% [markdown]
# # Answers to 09 · Generating, and what it costs
#
# Each cell answers the exercise of the same tag; paste it over the open one. There are other right answers: the
# check decides.

# %% [markdown]
# **1.** Two FLOPs a weight, four a coordinate, key and layer for attention.


# %% tags=["exercise-1"]
def my_flops(d, f, L, V, C):
    return 2 * L * (4 * d * d + 3 * d * f) + 4 * d * C * L + 2 * d * V


# %% [markdown]
# **2.** The room left after one draw, divided by the price of a draw. For CALM-M it is a handful: far from 200.


# %% tags=["exercise-2"]
def my_pool(one, more, goal):
    return max(0, int(1 + (goal - one) / more)) if goal >= one else 0


# %% [markdown]
# **3.** No sign to turn: the CALM's BrierLM minus the Transformer's.


# %% tags=["exercise-3"]
def my_comparison(rows, calm, transformer):
    a, b = rows[calm], rows[transformer]
    return a.training / b.training - 1, a.inference / b.inference - 1, a.brier_lm - b.brier_lm


# %% [markdown]
# **4.** The first chunk is there even where nothing is left over for it.


# %% tags=["exercise-4"]
def my_prompt(m, K):
    return K - m % K, 1 + m // K
