# %% [markdown]
# # Answers to 11 · Your own text
#
# Each cell answers the exercise of the same tag; paste it over the open one. There are other right answers: the
# check decides.

# %% [markdown]
# **1.** The first byte of a hash is as good as a die with 256 faces, and falls the same way every time.


# %% tags=["exercise-1"]
def my_split(text):
    import hashlib

    return "test" if hashlib.sha256(text.encode()).digest()[0] < 26 else "train"


# %% [markdown]
# **2.** Tokens seen over tokens there.


# %% tags=["exercise-2"]
def my_passes(tokens, steps, rows, chunks, K):
    return steps * rows * chunks * K / tokens


# %% [markdown]
# **3.** Every word counts as often as it comes.


# %% tags=["exercise-3"]
def my_new_words(text, source):
    old, said = set(source.lower().split()), text.lower().split()
    return sum(word not in old for word in said) / max(1, len(said))
