# %% [markdown]
# # Answers to 04 · The latent manifold
#
# Each cell answers the exercise of the same tag; paste it over the open one. There are other right answers: the
# check decides.

# %% [markdown]
# **1.** A neighbour with a true rank of at most k costs nothing.


# %% tags=["exercise-1"]
def my_trust(true_ranks, R):
    k = len(true_ranks)
    return 1 - 2 / (k * (2 * R - 3 * k - 1)) * sum(max(0, rank - k) for rank in true_ranks)


# %% [markdown]
# **2.** Spherical interpolation. (For vectors that point the same way the sine is 0: walk the line there.)


# %% tags=["exercise-2"]
import math


def my_sphere(a, b, t):
    w = math.acos(max(-1.0, min(1.0, float(a @ b))))
    return (math.sin((1 - t) * w) * a + math.sin(t * w) * b) / math.sin(w)


# %% [markdown]
# **3.** Shepard's weights.


# %% tags=["exercise-3"]
def my_place(distances, places):
    if (distances == 0).any():
        return places[distances == 0].mean(0)
    weights = 1 / distances.square()
    return (weights[:, None] * places).sum(0) / weights.sum()


# %% [markdown]
# **4.** The sum over l coordinates of 2 s².


# %% tags=["exercise-4"]
def my_distance(l, s):
    return (2 * l) ** 0.5 * s
