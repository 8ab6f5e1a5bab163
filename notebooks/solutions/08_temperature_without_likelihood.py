# %% [markdown]
# # Answers to 08 · Temperature without likelihood
#
# Each cell answers the exercise of the same tag; paste it over the open one. There are other right answers: the
# check decides.

# %% [markdown]
# **1.** The whole of stage 2.


# %% tags=["exercise-1"]
def my_factory(coin, uniform, a):
    i = 1
    while not coin():
        if uniform() < a / i:
            return False
        i += 1
    return True


# %% [markdown]
# **2.** Every trial pays for its n draws; stage 2 adds p^(a - 1) flips for a candidate that came with chance p^n.


# %% tags=["exercise-2"]
def my_calls(law, T):
    n = int(1 / T + 1e-9)
    flips = (law ** (1 / T - 1)).sum().item() if 1 / T - n > 1e-9 else 0.0
    return (n + flips) / (law ** (1 / T)).sum().item()


# %% [markdown]
# **3.** Doubling is enough, since the distance shrinks as the pool grows.


# %% tags=["exercise-3"]
def my_pool(far, n):
    size = 1
    while far(n, size) > 0.02:
        size *= 2
    return size


# %% [markdown]
# **4.** n = 1, P^(1/T - 1) tends to P^0 = 1 for each of the X chunks, and Z_T to 1.


# %% tags=["exercise-4"]
def my_limit(X):
    return 1 + X
