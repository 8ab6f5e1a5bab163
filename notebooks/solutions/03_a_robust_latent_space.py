# %% [markdown]
# # Answers to 03 · A robust latent space
#
# Each cell answers the exercise of the same tag; paste it over the open one. There are other right answers: the
# check decides.

# %% [markdown]
# **1.** The floor is inside the sum.


# %% tags=["exercise-1"]
import math


def my_clipped_kl(means, sigmas, floor):
    pairs = zip(means, sigmas, strict=True)
    return sum(max(floor, (m**2 + s**2 - 1) / 2 - math.log(s)) for m, s in pairs)


# %% [markdown]
# **2.** Bisection: at `low` it is too dear, at `high` it is free.


# %% tags=["exercise-2"]
def my_free_sigma(m, floor):
    low, high = 0.001, 1.0
    if m**2 / 2 > floor:
        return 1.0
    for _ in range(60):
        half = (low + high) / 2
        dear = (m**2 + half**2 - 1) / 2 - math.log(half) > floor
        low, high = (half, high) if dear else (low, half)
    return high


# %% [markdown]
# **3.** Of each coordinate a share 1 - p remains, so it is divided by that.


# %% tags=["exercise-3"]
def my_drop(z, keep, p):
    return z * keep / (1 - p)


# %% [markdown]
# **4.** The decoder divides the noise too.


# %% tags=["exercise-4"]
def my_louder(back, sigma, c):
    return back(sigma / c)
