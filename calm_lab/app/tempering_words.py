"""The words of the tab "Temperature", in English and Simplified Chinese."""

from __future__ import annotations

WORDS: dict[str, tuple[str, str]] = {
    "tempering_tab": ("Temperature", "温度"),
    "tempering_look": (
        "A law whose probabilities are known, sampled from draws alone. **Lower the temperature**: the exact sampler "
        "stays on the rings but needs more and more calls; the batch sampler has one price, and hits the rings only if "
        "its pool is large.",
        "一个概率已知的分布，只靠抽取来采样。**降低温度**：精确采样器始终落在圆环上，但需要的调用越来越多；"
        "批量采样器价格固定，只有候选池够大才落在圆环上。",
    ),
    "tempering_law": ("The law P: drag the bars", "分布 P：拖动柱子"),
    "tempering_bar": ("Outcome {name}: {share}", "结果 {name}：{share}"),
    "tempering_law_note": (
        "Arrow keys change a bar too; the others keep their proportions.",
        "也可以用方向键调整；其余柱子保持比例。",
    ),
    "tempering_three": ("0.5, 0.3, 0.2", "三项：0.5、0.3、0.2"),
    "tempering_zipf": ("Zipf, 16 outcomes", "齐普夫，16 项"),
    "tempering_even": ("Nearly even, 8 outcomes", "近乎均匀，8 项"),
    "tempering_temperature": ("Temperature T", "温度 T"),
    "tempering_whole": ("1/T is whole: both samplers can do it", "1/T 是整数：两种采样器都能做"),
    "tempering_between": (
        "1/T is not whole: only the exact sampler can do it",
        "1/T 不是整数：只有精确采样器能做",
    ),
    "tempering_pool": ("Pool of the batch sampler, N draws", "批量采样器的候选池（N 次抽取）"),
    "tempering_seed": ("Seed", "种子"),
    "tempering_new_seed": ("New draws", "重新抽取"),
    "tempering_how": ("How this is computed", "这是怎么算出来的"),
    # the law chart
    "tempering_chart": ("P, P at the temperature, and what came back", "P、该温度下的分布，以及抽到的结果"),
    "tempering_chart_label": (
        "Probability of every outcome: P, P_T, and the shares that both samplers returned",
        "每个结果的概率：P、P_T，以及两种采样器返回的比例",
    ),
    "tempering_probability": ("probability", "概率"),
    "tempering_key_p": ("P", "原分布 P"),
    "tempering_key_goal": ("P_T, the aim", "目标 P_T"),
    "tempering_key_exact": ("exact sampler, {samples} samples", "精确采样器，{samples} 个样本"),
    "tempering_key_batch": ("batch sampler, {samples} samples", "批量采样器，{samples} 个样本"),
    "tempering_whiskers": ("whiskers: 2 standard errors", "须线：2 个标准误差"),
    "tempering_point": (
        "{sampler} {name}: {share} ± {error}, aim {goal}",
        "{sampler} {name}：{share} ± {error}，目标 {goal}",
    ),
    "tempering_exact": ("exact", "精确"),
    "tempering_batch": ("batch", "批量"),
    "tempering_no_batch": (
        "No batch sampler at this temperature: it takes T = 1/n only. The nearest are",
        "这个温度没有批量采样器：它只接受 T = 1/n。最近的是",
    ),
    # numbers
    "tempering_accepted": ("exact: accepted trials", "精确：被接受的试验"),
    "tempering_accepted_note": (
        "Z_T = {theory}; stage 1 let {stage1} pass, stage 2 {stage2}",
        "Z_T = {theory}；第 1 阶段通过 {stage1}，第 2 阶段 {stage2}",
    ),
    "tempering_accepted_note1": (
        "Z_T = {theory}; stage 1 alone decides where 1/T is whole",
        "Z_T = {theory}；1/T 为整数时只有第 1 阶段",
    ),
    "tempering_calls": ("exact: calls a sample", "精确：每个样本的调用次数"),
    "tempering_calls_note": ("{theory} by Theorem 2", "定理 2：{theory}"),
    "tempering_dear": ("too dear to measure here", "代价太高，这里不测"),
    "tempering_reached": ("batch: pools that held {n} equal draws", "批量：含有 {n} 次相同抽取的候选池"),
    "tempering_reached_note": (
        "{theory} in theory; the others fall back below n. {pool} calls a sample",
        "理论值 {theory}；其余的退回到小于 n。每个样本 {pool} 次调用",
    ),
    "tempering_reached_none": ("batch: not at this temperature", "批量：不适用于这个温度"),
    # the curves
    "prices_calls": ("What an exact sample costs", "一个精确样本的代价"),
    "prices_calls_note": (
        "Lines: Theorem 2; rings where 1/T is whole, since stage 2 is then spared. Dots: measured.",
        "线：定理 2；圆环：1/T 为整数，省去第 2 阶段。点：测得。",
    ),
    "prices_calls_axis": ("calls a sample (log)", "每个样本的调用次数（对数）"),
    "prices_temperature": ("temperature T", "温度 T"),
    "prices_rate": ("Trials accepted, stage by stage", "逐阶段的接受率"),
    "prices_rate_note": (
        "Dotted: stage 1, n draws agree. Solid: accepted in the end, Z_T. Between them lies stage 2.",
        "虚线：第 1 阶段，n 次抽取一致。实线：最终被接受，Z_T。两者之差是第 2 阶段。",
    ),
    "prices_rate_axis": ("share of trials (log)", "试验比例（对数）"),
    "prices_bias": ("The batch sampler's bias at T = 1/{n}", "T = 1/{n} 时批量采样器的偏差"),
    "prices_bias_note": (
        "P_T less the sampler's chance, summed over the outcomes that T makes likelier. 0 is no bias.",
        "对温度使之更可能的结果，求 P_T 与采样器概率之差的和。0 表示没有偏差。",
    ),
    "prices_bias_one": (
        "At T = 1 a draw is taken as it comes: there is nothing to fall short of.",
        "T = 1 时直接采用抽到的结果：没有偏差可言。",
    ),
    "prices_bias_axis": ("probability missing", "缺少的概率"),
    "prices_pool": ("pool N (log)", "候选池 N（对数）"),
    "prices_key_theory": ("theory", "理论"),
    "prices_key_measured": ("measured, ± 2 standard errors", "测得，± 2 个标准误差"),
    "prices_key_stage1": ("stage 1", "第 1 阶段"),
    "prices_key_accepted": ("accepted", "被接受"),
    "prices_point": ("T = {t}: {value} ± {error}, theory {theory}", "T = {t}：{value} ± {error}，理论 {theory}"),
    "prices_pool_point": (
        "N = {pool}: {value} ± {error}, theory {theory}",
        "N = {pool}：{value} ± {error}，理论 {theory}",
    ),
    "prices_here": ("the temperature above", "上面的温度"),
    "prices_measuring": ("Measuring…", "正在测量…"),
}
