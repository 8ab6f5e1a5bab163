# %% [markdown]
# # Answers to 10 · Heads compared
#
# Each cell answers the exercise of the same tag; paste it over the open one. There are other right answers: the
# check decides.

# %% [markdown]
# **1.** A straight line, walked at even speed.


# %% tags=["exercise-1"]
def my_path(start, target, t):
    t = t[:, None]
    return (1 - t) * start + t * target, target - start


# %% [markdown]
# **2.** The velocity is asked at the beginning of each step.


# %% tags=["exercise-2"]
def my_euler(velocity, start, steps):
    x = start
    for step in range(steps):
        x = x + velocity(x, step / steps) / steps
    return x


# %% [markdown]
# **3.** Calls in growing order, the first that is good enough.


# %% tags=["exercise-3"]
def my_fewest(curve, slack):
    return min(calls for calls, score in curve.items() if score >= max(curve.values()) - slack)
