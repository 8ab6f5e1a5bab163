"""Wrong answers to every exercise: a check that lets one of them pass checks nothing."""

WRONG = {
    "00_calm_in_one_screen": {
        "exercise-1": [
            "def my_brier(first, second, target): return (first == target).all(-1).float().mean()",
            "def my_brier(first, second, target): return 0.0",
        ],
        "exercise-2": [
            "def my_weights(draws, n): return {draw: draws.count(draw) / len(draws) for draw in draws}",
            "def my_weights(draws, n): return {'A': 0.75, 'B': 0.25}",
        ],
        "exercise-3": ["def my_limit(survival): return 0.1", "def my_limit(survival): return 9.0"],
    },
    "01_the_bottleneck": {
        "exercise-1": ["def my_bytes(b, d): return b * d * 2", "def my_bytes(b, d): return 2**b * d"],
        "exercise-2": [
            "def my_half(share): return 2",
            "def my_half(share): return 2**30",
            "def my_half(share): return 100_000",
        ],
        "exercise-3": [
            "def my_entropy(tokens): return float(len(set(tokens)))",
            "def my_entropy(tokens):\n    from math import log2\n    return log2(len(set(tokens)))",
        ],
    },
    "02_tokens_to_a_vector_and_back": {
        "exercise-1": [
            "def my_lookup(z, z_known, known): return known[: len(z)]",
            "def my_lookup(z, z_known, known): return known[torch.cdist(z, z_known).argmax(-1)]",
            "def my_lookup(z, z_known, known): return torch.cdist(z, z_known).argmin(-1)",
        ],
        "exercise-2": [
            "def my_weights(V, d, inner, K, l): return V * d",
            "def my_weights(V, d, inner, K, l):\n"
            "    layers = 4 * (d + 3 * d * inner)\n"
            "    return 2 * V * d + layers + 2 * K * d * d + K * d + 2 * d + 3 * d * l + 2 * l + d + 2 * d",
        ],
        "exercise-3": [
            "def my_noise(m, p): return m / torch.special.ndtri(torch.tensor(p)).item()",
            "def my_noise(m, p): return -2 * m / torch.special.ndtri(torch.tensor(p)).item()",
            "def my_noise(m, p): return m * p",
        ],
        "exercise-4": [
            "def my_rank(kept): return 64",
            "def my_rank(kept): return 8",
            "def my_rank(kept): return 0",
        ],
    },
    "03_a_robust_latent_space": {
        "exercise-1": [
            "def my_clipped_kl(means, sigmas, floor):\n"
            "    from math import log\n"
            "    return max(floor, sum((m**2 + s**2 - 1) / 2 - log(s) for m, s in zip(means, sigmas)))",
            "def my_clipped_kl(means, sigmas, floor): return floor * len(means)",
        ],
        "exercise-2": [
            "def my_free_sigma(m, floor): return 0.4",
            "def my_free_sigma(m, floor): return 1",
            "def my_free_sigma(m, floor): return floor",
        ],
        "exercise-3": [
            "def my_drop(z, keep, p): return z * keep",
            "def my_drop(z, keep, p): return z / (1 - p)",
            "def my_drop(z, keep, p): return z * keep / p",
        ],
        "exercise-4": [
            "def my_louder(back, sigma, c): return back(sigma * c)",
            "def my_louder(back, sigma, c): return back(sigma)",
            "def my_louder(back, sigma, c): return back(sigma) / c",
        ],
    },
    "04_the_latent_manifold": {
        "exercise-1": [
            "def my_trust(true_ranks, R): return 1.0",
            "def my_trust(true_ranks, R): return sum(rank <= len(true_ranks) for rank in true_ranks) / len(true_ranks)",
        ],
        "exercise-2": [
            "def my_sphere(a, b, t): return (1 - t) * a + t * b",
            "def my_sphere(a, b, t):\n    z = (1 - t) * a + t * b\n    return z / z.norm()",
            "def my_sphere(a, b, t): return a",
        ],
        "exercise-3": [
            "def my_place(distances, places): return places.mean(0)",
            "def my_place(distances, places): return places[distances.argmin()]",
            "def my_place(distances, places):\n"
            "    weights = 1 / (distances + 1e-9)\n"
            "    return (weights[:, None] * places).sum(0) / weights.sum()",
        ],
        "exercise-4": [
            "def my_distance(l, s): return l**0.5 * s",
            "def my_distance(l, s): return 2 * l * s**2",
            "def my_distance(l, s): return 13.3",
        ],
    },
    "05_energy_score": {
        "exercise-1": [
            "def my_energy_score(samples, targets, alpha):\n"
            "    apart = sum((a - b).norm() ** alpha for a in samples for b in samples) / len(samples) ** 2\n"
            "    return apart - 2 * sum((a - b).norm() ** alpha for a in samples for b in targets) / 20",
            "def my_energy_score(samples, targets, alpha): return -1.0",
        ],
        "exercise-2": ["def my_careless_spread(N): return 1.0", "def my_careless_spread(N): return 1 - 1 / N"],
        "exercise-3": [
            "def my_pair(): return [0, 1, 0], [0, 1, 0]",
            "def my_pair(): return [1, 0, 0], [0, 0, 1]",
            "def my_pair(): return [0, 1, 1], [0, 1, 0]",
            "def my_pair(): return [-1, 1, 1], [0, 1, 0]",
        ],
        "exercise-4": [
            "def my_choice(noise): return 2, 800",
            "def my_choice(noise): return 9, 200",
            "def my_choice(noise): return 1, 900",
        ],
    },
    "06_the_next_vector": {
        "exercise-1": [
            "def my_pairs(hidden, chunks): return hidden, chunks",
            "def my_pairs(hidden, chunks): return hidden[:, 1:], chunks[:, 1:]",
            "def my_pairs(hidden, chunks): return hidden[:, 1:], chunks[:, :-1]",
        ],
        "exercise-2": [
            "def my_share(draw, chunk, n): return (draw(n) == torch.tensor(chunk)).double().mean(), 0.01",
            "def my_share(draw, chunk, n):\n"
            "    p = (draw(n) == torch.tensor(chunk)).all(-1).double().mean()\n"
            "    return p, (p * (1 - p)) ** 0.5",
        ],
        "exercise-3": [
            "def my_ceiling(A): return A**-2.5",
            "def my_ceiling(A): return 100 / A",
        ],
    },
    "07_brierlm": {
        "exercise-1": [
            "def my_brier(p, q): return (p * q).sum()",
            "def my_brier(p, q): return 2 * (p * q).sum() - (q * q).sum()",
        ],
        "exercise-2": [
            "def my_brier_lm(four):\n    from math import prod\n    return 100 * max(prod(four), 0) ** 0.25",
            "def my_brier_lm(four):\n    from math import nan\n    return nan",
        ],
        "exercise-3": ["def my_nothing(V): return 100 / V", "def my_nothing(V): return 0.2"],
    },
    "08_temperature_without_likelihood": {
        "exercise-1": [
            "def my_factory(coin, uniform, a): return coin()",
            "def my_factory(coin, uniform, a): return True",
            "def my_factory(coin, uniform, a): return coin() or uniform() < a",
        ],
        "exercise-2": [
            "def my_calls(law, T): return (int(1 / T) + (law ** (1 / T - 1)).sum()) / (law ** (1 / T)).sum()",
            "def my_calls(law, T): return 5.0",
        ],
        "exercise-3": [
            "def my_pool(far, n): return 1",
            "def my_pool(far, n): return 1024",
            "def my_pool(far, n): return 100",
        ],
        "exercise-4": ["def my_limit(X): return X", "def my_limit(X): return 1.0"],
    },
    "09_generating_and_what_it_costs": {
        "exercise-1": [
            "def my_flops(d, f, L, V, C): return L * (4 * d * d + 3 * d * f) + 2 * d * C * L + d * V",
            "def my_flops(d, f, L, V, C): return 2 * L * (4 * d * d + 3 * d * f) + 2 * d * V",
        ],
        "exercise-2": [
            "def my_pool(one, more, goal): return goal / one",
            "def my_pool(one, more, goal): return 200",
            "def my_pool(one, more, goal): return int(1 + (goal - one) / more)",
        ],
        "exercise-3": [
            "def my_comparison(rows, calm, transformer):\n"
            "    a, b = rows[calm], rows[transformer]\n"
            "    return a.training / b.training - 1, a.inference / b.inference - 1, b.brier_lm - a.brier_lm",
            "def my_comparison(rows, calm, transformer): return -0.44, -0.34, -0.33",
        ],
        "exercise-4": [
            "def my_prompt(m, K): return m % K, m // K",
            "def my_prompt(m, K): return -m % K, 1 + m // K",
        ],
    },
    "10_heads_compared": {
        "exercise-1": [
            "def my_path(start, target, t): return (1 - t[:, None]) * target + t[:, None] * start, target - start",
            "def my_path(start, target, t): return (1 - t[:, None]) * start + t[:, None] * target, start - target",
        ],
        "exercise-2": [
            "def my_euler(velocity, start, steps): return start + velocity(start, 0.0)",
            "def my_euler(velocity, start, steps):\n"
            "    x = start\n"
            "    for step in range(steps):\n"
            "        x = x + velocity(x, (step + 1) / steps) / steps\n"
            "    return x",
        ],
        "exercise-3": [
            "def my_fewest(curve, slack): return max(curve)",
            "def my_fewest(curve, slack): return max(curve, key=curve.get)",
        ],
    },
    "11_your_own_text": {
        "exercise-1": [
            "def my_split(text): return 'train'",
            "import random\ndef my_split(text): return 'test' if random.random() < 0.1 else 'train'",
            "def my_split(text): return 'test' if len(text) % 2 else 'train'",
        ],
        "exercise-2": [
            "def my_passes(tokens, steps, rows, chunks, K): return steps * rows * chunks / tokens",
            "def my_passes(tokens, steps, rows, chunks, K): return steps / tokens",
        ],
        "exercise-3": [
            "def my_new_words(text, source): return len(set(text.split()) - set(source.split())) / 3",
            "def my_new_words(text, source):\n    return sum(w not in source.split() for w in text.split()) / 3",
        ],
    },
}
