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
    "tempering_new_seed": ("New draws", "重新抽样"),
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
    "tempering_whiskers": ("whiskers: 2 standard errors", "误差线：2 个标准误"),
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
        "A trial draws n times. Stage 1, all n agree: {stage1}; stage 2, a coin for the rest of 1/T: {stage2}. "
        "By theory Z_T = {theory} end in a sample",
        "每次试验抽 n 次。第 1 阶段（n 次一致）通过 {stage1}；第 2 阶段（为 1/T 的小数部分掷币）通过 {stage2}。"
        "理论上有 Z_T = {theory} 的试验得到样本",
    ),
    "tempering_accepted_note1": (
        "A trial draws n = 1/T times; it is accepted when all agree. By theory Z_T = {theory} are",
        "每次试验抽 n = 1/T 次，全部一致才接受。理论上 Z_T = {theory}",
    ),
    "tempering_calls": ("exact: calls a sample", "精确：每个样本的调用次数"),
    "tempering_calls_note": ("{theory} expected (the paper's Theorem 2)", "期望 {theory}（论文定理 2）"),
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
        "点线：第 1 阶段，n 次抽取一致。实线：最终被接受，Z_T。两者之差是第 2 阶段。",
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
    "prices_key_measured": ("measured, ± 2 standard errors", "测得，± 2 个标准误"),
    "prices_key_stage1": ("stage 1", "第 1 阶段"),
    "prices_key_accepted": ("accepted", "被接受"),
    "prices_key_accepted_measured": ("accepted, measured", "被接受（测得）"),
    "prices_key_stage1_measured": ("stage 1, measured", "第 1 阶段（测得）"),
    "prices_point": ("T = {t}: {value} ± {error}, theory {theory}", "T = {t}：{value} ± {error}，理论 {theory}"),
    "prices_pool_point": (
        "N = {pool}: {value} ± {error}, theory {theory}",
        "N = {pool}：{value} ± {error}，理论 {theory}",
    ),
    "prices_here": ("the temperature above", "上面的温度"),
    "prices_measuring": ("Measuring…", "正在测量…"),
    # a trained model
    "real_look": (
        "Now a trained CALM, whose probabilities nobody can print. **Draw at a prompt**: what would an exact sample "
        "cost at each temperature, and how far does a pool of N fall short of what all the draws together say?",
        "现在是训练好的 CALM，它的概率谁也列不出来。**在一个开头处抽样**：每个温度下一个精确样本要多少次调用？"
        "N 个一池的捷径离全部抽样给出的答案还差多少？",
    ),
    "real_prompt": ("Prompt", "开头"),
    "real_model": ("Model", "模型"),
    "real_n": ("Temperature T = 1/n", "温度 T = 1/n"),
    "real_pool": ("Pool N of the batch sampler", "批量采样器的候选池 N"),
    "real_draws": ("Draws in all", "抽样总数"),
    "real_seed": ("Seed", "种子"),
    "real_seed_new": ("New draws", "重新抽样"),
    "real_go": ("Draw at this prompt", "在此开头处抽样"),
    "real_next": ("The next chunk", "下一块"),
    "real_next_note": (
        "{model}: {draws} draws, {distinct} different chunks. At T = 1/{n} the ring is what all draws say, the diamond "
        "what pools of {pool} choose on average.",
        "{model}：抽样 {draws} 次，得到 {distinct} 种块。T = 1/{n} 时，圆环是全部抽样给出的概率，"
        "菱形是 {pool} 个一池平均选出的概率。",
    ),
    "real_unknown": (
        "No chunk came {n} times in {draws} draws, so that nothing stands for the law at T = 1/{n}: more draws, a "
        "higher temperature, or a more predictable prompt.",
        "{draws} 次抽样中没有哪一块出现 {n} 次，无从得知 T = 1/{n} 的分布："
        "请增加抽样、提高温度，或换一个更容易预测的开头。",
    ),
    "real_chunk": ("chunk", "块"),
    "real_drawn": ("drawn", "抽到"),
    "real_share": ("probability", "概率"),
    "real_aim": ("at T", "T 下"),
    "real_chosen": ("pools", "候选池"),
    "real_key_p": ("share of the draws", "在抽样中的份额"),
    "real_key_aim": ("at T = 1/{n}, all draws", "T = 1/{n}，全部抽样"),
    "real_key_pool": ("pools of {pool}", "{pool} 个一池"),
    "real_calls": ("What an exact sample would cost", "一个精确样本的代价"),
    "real_calls_note": (
        "Judged from the draws by Theorem 2; bars: 95%. Hollow: at least that, for too few chunks repeat.",
        "按定理 2 由抽样估计；误差线为 95%。空心：至少如此，因为重复的块太少。",
    ),
    "real_accepted": ("accepted", "接受率"),
    "real_expected": ("calls", "调用次数"),
    "real_interval": ("95%", "95%（区间）"),
    "real_at_least": ("at least {calls}", "至少 {calls}"),
    "real_gap": ("The shortcut's bias at T = 1/{n}", "T = 1/{n} 时捷径的偏差"),
    "real_gap_note": (
        "Probability that pools of N are short of, summed over the chunks that T makes likelier. Pools are picked from "
        "the draws above.",
        "对温度使之更可能的各块，候选池所缺概率之和。候选池取自上面的抽样。",
    ),
    "real_gap_axis": ("probability missing", "缺少的概率"),
    "real_pool_axis": ("pool N (log)", "候选池 N（对数）"),
    "real_temperature": ("temperature T", "温度 T"),
    "real_calls_axis": ("calls a sample (log)", "每个样本的调用次数（对数）"),
    "real_gap_point": (
        "N = {pool}: {value} ± {error} missing; {reached} of the pools hold {n} equal draws",
        "N = {pool}：缺 {value} ± {error}；{reached} 的候选池含有 {n} 次相同抽取",
    ),
    "real_here": ("the pool above", "上面的候选池"),
    "real_key_measured": ("± 2 standard errors", "± 2 个标准误"),
    "tradeoff_go": ("Measure accuracy against collision (1 to 3 minutes)", "测量准确率与碰撞率（1 至 3 分钟）"),
    "tradeoff_stop": ("Stop", "停止"),
    "tradeoff_title": ("Truth against variety", "命中与多样"),
    "tradeoff_note": (
        "Accuracy: a draw is what came next. Collision: two draws agree. Both are geometric means over 1 to 4 tokens, "
        "on unseen documents of {corpus}. A colder law moves to the right; higher at the same collision is better.",
        "准确率：抽样命中真实的下文。碰撞率：两次抽样相同。都是 1 至 4 个词元的几何平均，"
        "文本为 {corpus} 中没有见过的文档。"
        "温度越低越靠右；碰撞率相同时越高越好。",
    ),
    "tradeoff_running": ("{positions} of {wanted} positions so far …", "已完成 {positions} / {wanted} 个位置……"),
    "tradeoff_baseline": ("CALM is done; now the Transformer …", "CALM 已完成，正在测 Transformer……"),
    "tradeoff_done": ("{positions} positions, pools of up to {pool}.", "{positions} 个位置，候选池最多 {pool} 个。"),
    "tradeoff_stopped": ("Stopped after {positions} of {wanted} positions.", "停在第 {positions} / {wanted} 个位置。"),
    "tradeoff_x": ("collision, %", "碰撞率，%"),
    "tradeoff_y": ("accuracy, %", "准确率，%"),
    "tradeoff_key_pools": ("{model}, T = 1/3, N from 1 to {pool}", "{model}，T = 1/3，N 从 1 到 {pool}"),
    "tradeoff_key_heats": ("N = {pool}, T from 1/2 to 1/6", "N = {pool}，T 从 1/2 到 1/6"),
    "tradeoff_key_token": ("{model}, softmax at T from 1 to 0.4", "{model}，softmax 温度 T 从 1 到 0.4"),
    "tradeoff_none": (
        "No token Transformer of this corpus and tokenizer stands beside it.",
        "没有语料和分词器都相同的词元 Transformer 可以并列。",
    ),
    "tradeoff_point": (
        "{which}: accuracy {accuracy}%, collision {collision}%, BrierLM {brier}",
        "{which}：准确率 {accuracy}%，碰撞率 {collision}%，BrierLM {brier}",
    ),
}
