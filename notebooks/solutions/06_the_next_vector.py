# %% [markdown]
# # Answers to 06 · The next vector
#
# Each cell answers the exercise of the same tag; paste it over the open one. There are other right answers: the
# check decides.

# %% [markdown]
# **1.** The last state predicts a chunk that the text does not hold, and nothing predicts the first chunk.


# %% tags=["exercise-1"]
def my_pairs(hidden, chunks):
    return hidden[:, :-1], chunks[:, 1:]


# %% [markdown]
# **2.** All K tokens have to agree. The error halves with four times the draws: that is what samples cost.


# %% tags=["exercise-2"]
def my_share(draw, chunk, n):
    p = sum(drawn == list(chunk) for drawn in draw(n).tolist()) / n
    return p, (p * (1 - p) / n) ** 0.5


# %% [markdown]
# **3.** Two tellings agree in n letters with chance A⁻ⁿ, and the geometric mean of n = 1 to 4 is A to the power -2.5.


# %% tags=["exercise-3"]
def my_ceiling(A):
    return 100 * A**-2.5
