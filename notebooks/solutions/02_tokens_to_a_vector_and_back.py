# %% [markdown]
# # Answers to 02 · Tokens to a vector and back
#
# Each cell answers the exercise of the same tag; paste it over the open one. There are other right answers: the
# check decides.

# %% [markdown]
# **1.** All distances at once, then the smallest of each row.


# %% tags=["exercise-1"]
import torch


def my_lookup(z, z_known, known):
    return known[torch.cdist(z, z_known).argmin(-1)]


# %% [markdown]
# **2.** Four residual layers (a norm and three matrices), four linear maps with biases, two norms, one embedding.


# %% tags=["exercise-2"]
def my_weights(V, d, inner, K, l):
    layers = 4 * (d + 3 * d * inner)
    encoder = (K * d * d + d) + d + (d * 2 * l + 2 * l)
    decoder = (l * d + d) + (d * K * d + K * d) + d
    return V * d + layers + encoder + decoder


# %% [markdown]
# **3.** p = Φ(-m / rho), so rho = -m / Φ⁻¹(p).


# %% tags=["exercise-3"]
def my_noise(m, p):
    return -m / torch.special.ndtri(torch.tensor(p)).item()


# %% [markdown]
# **4.** Bisection: `low` directions are too few, `high` are enough.


# %% tags=["exercise-4"]
def my_rank(kept):
    low, high = 0, 64
    while high - low > 1:
        half = (low + high) // 2
        low, high = (low, half) if kept(half) >= 0.999 else (half, high)
    return high
