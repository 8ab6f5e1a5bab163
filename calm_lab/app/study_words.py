"""Words of the tabs "BrierLM" and "What K buys", in English and Simplified Chinese; ``words`` makes them one table."""

from __future__ import annotations

WORDS: dict[str, tuple[str, str]] = {
    # BrierLM
    "brier_tab": ("BrierLM", "BrierLM 评分"),
    "brier_look": (
        "A model that only gives samples can still be judged. **Score more positions** and see the estimate close in "
        "on the exact line, then turn the dial: either way from the truth, the score falls.",
        "只给样本的模型也能被评判。**增加评分位置数**，看估计值怎样逼近精确值那条线，"
        "再转动旋钮：无论朝哪边偏离真实分布，分数都会下降。",
    ),
    "brier_how": ("How this is computed", "这是怎么算出来的"),
    "brier_dial": ("The dial", "旋钮"),
    "brier_dial_zero": ("the truth", "真实分布"),
    "brier_dial_low": ("too sure by {value}%", "过分自信 {value}%"),
    "brier_dial_high": ("blurred by {value}%", "模糊 {value}%"),
    "brier_positions": ("Positions scored", "评分的位置数"),
    "brier_language": ("Language", "语言"),
    "brier_language_predictable": ("easy", "容易"),
    "brier_language_prose": ("like prose", "像散文"),
    "brier_language_surprising": ("hard", "困难"),
    "brier_seed": ("Seed of the draws", "抽样种子"),
    "brier_seed_new": ("New draws", "重新抽样"),
    "brier_undefined": ("undefined", "无定义"),
    "brier_estimate": ("estimate from {n} positions", "{n} 个位置的估计"),
    "brier_estimate_note": ("BrierLM ± 95%, from two samples a position", "BrierLM ± 95%，每个位置两个样本"),
    "brier_reason": (
        "Brier-{n} is {value}, not above 0, so there is no geometric mean",
        "Brier-{n} 为 {value}，不大于 0，因此没有几何平均",
    ),
    "brier_exact": ("exact, for this model", "这个模型的精确值"),
    "brier_exact_note": ("from the two laws themselves, no samples", "直接由两个分布算出，不用样本"),
    "brier_ceiling": ("best possible", "可能的最高分"),
    "brier_ceiling_note": (
        "the language itself: it has {bits} bits a letter, and nobody can guess them",
        "语言本身的得分：每个字母有 {bits} 比特的不确定性，谁也猜不到",
    ),
    "brier_curve": ("The estimate closes in", "估计值逐渐逼近"),
    "brier_curve_text": (
        "Each position asks the model for two samples of four letters. Brier-n counts where their first n letters hit "
        "the true text, and takes off where they agree with each other; BrierLM is 100 times the geometric mean of "
        "Brier-1 to 4. Whiskers: two standard errors.",
        "在每个位置向模型要两个四字母样本。Brier-n 数它们的前 n 个字母命中真实文本的次数，并扣除"
        "两个样本彼此相同的次数；BrierLM 是 Brier-1 到 4 的几何平均乘以 100。误差线：两个标准误。",
    ),
    "brier_curve_label": ("BrierLM against positions scored", "BrierLM 随评分位置数的变化"),
    "brier_curve_label_n": ("Brier-{n} against positions scored", "Brier-{n} 随评分位置数的变化"),
    "brier_point": ("{n} positions: {value} ± {error}", "{n} 个位置：{value} ± {error}"),
    "brier_key_estimate": ("estimate", "估计值"),
    "brier_key_exact": ("exact, for this model", "这个模型的精确值"),
    "brier_key_ceiling": ("the language itself", "语言本身"),
    "brier_axis_positions": ("positions scored", "评分的位置数"),
    "brier_axis_dial": ("too sure ← dial → blurred", "过分自信 ← 旋钮 → 模糊"),
    "brier_axis_noise": ("half of a 95% interval, BrierLM", "95% 区间的一半，BrierLM"),
    "brier_dial_title": ("Only the truth scores best", "只有真实分布得分最高"),
    "brier_dial_text": (
        "The exact score at every place of the dial. It is strictly proper: to hedge costs, and so does pretending "
        "to know.",
        "旋钮每个位置的精确得分。它是严格适当的：含糊要付出代价，装作知道也一样。",
    ),
    "brier_dial_label": ("Exact BrierLM against the dial", "精确 BrierLM 随旋钮的变化"),
    "brier_trap": ("The sign trap", "符号陷阱"),
    "brier_trap_text": (
        "A model that always says the same has Brier-n = 2 accuracy − 1: negative below one half. Four negatives "
        "have a positive product, and the released formula makes a high score of it.",
        "总说同一句话的模型，Brier-n = 2 × 准确率 − 1：准确率低于一半时为负。四个负数相乘为正，官方代码的公式会给出"
        "高分。",
    ),
    "brier_trap_language": ("the language itself", "语言本身"),
    "brier_trap_turned": ("the model of the dial", "旋钮上的模型"),
    "brier_trap_favourite": ("always the likeliest letter", "总说最可能的字母"),
    "brier_trap_never": ("always the least likely letter", "总说最不可能的字母"),
    "brier_trap_untrained": ("untrained CALM, released code", "未训练的 CALM（官方代码）"),
    "brier_trap_released": ("released formula", "官方公式"),
    "brier_trap_ours": ("BrierLM here", "这里的 BrierLM"),
    "brier_column_model": ("model", "模型"),
    "brier_gap": ("How much of a gap is noise?", "差距里有多少是噪声？"),
    "brier_gap_text": (
        "The paper's CALM-M scores {size} below Transformer-S, and it prints no error bar. The band bounds the "
        "error bar of CALM-M's score alone, for any model that draws a text as often as the language writes it.",
        "论文中 CALM-M 比 Transformer-S 低 {size}，却没有给出误差棒。色带给出 CALM-M 得分自身误差的上下界：对任何抽取"
        "频率与语言一致的模型都成立。",
    ),
    "brier_gap_label": ("The error bar of CALM-M against positions scored", "CALM-M 的误差随评分位置数的变化"),
    "brier_gap_line": ("the paper's gap, {size}", "论文中的差距 {size}"),
    "brier_gap_inside": (
        "At {n} positions the error bar is at least ±{low} (at most ±{high}): the gap of {size} lies inside, and "
        "says nothing.",
        "在 {n} 个位置上，误差至少为 ±{low}（至多 ±{high}）：{size} 的差距落在误差之内，说明不了什么。",
    ),
    "brier_gap_unclear": (
        "At {n} positions the error bar lies between ±{low} and ±{high}: whether the gap of {size} passes it can't "
        "be told.",
        "在 {n} 个位置上，误差在 ±{low} 与 ±{high} 之间：{size} 的差距是否超出误差，无法判断。",
    ),
    "brier_gap_outside": (
        "At {n} positions the error bar is at most ±{high} (at least ±{low}): this noise alone does not explain "
        "the gap of {size}.",
        "在 {n} 个位置上，误差至多为 ±{high}（至少 ±{low}）：单凭这种噪声解释不了 {size} 的差距。",
    ),
    "brier_gap_more": (
        "The gap passes it somewhere between {enough_low} and {enough_high} positions. The Transformer's own error "
        "and the likeness of positions within a document come on top.",
        "要超出误差，需要 {enough_low} 到 {enough_high} 个位置。Transformer 自身的误差，以及同一篇文档中各位置之间"
        "的相似，还要另加。",
    ),
    "brier_models": ("The models here", "这里的模型"),
    "brier_models_text": (
        "Scores from the models' cards, ± 95%. Press a heading to sort, press two models to see their gap. Only models "
        "of one corpus can be compared, and they have read different numbers of tokens: this is no comparison of K. "
        "The ceiling is what the language itself would score.",
        "得分来自模型卡，± 95%；点按表头排序，点选两个模型看它们的差距。"
        "只有同一语料上的模型可以比较，而且它们读过的词元数不同：这不是对 K 的比较。上限是语言本身的得分。",
    ),
    "brier_pair": (
        "{a} less {b}: {gap} ± {half} (95%, as if they were scored on different texts).",
        "{a} 减 {b}：{gap} ± {half}（95%，视作在不同文本上评分）。",
    ),
    "brier_pair_choose": ("Press two models to see their gap.", "点选两个模型，看它们的差距。"),
    "brier_pair_corpora": (
        "{a} and {b} were scored on different corpora: they cannot be compared.",
        "{a} 与 {b} 的语料不同，不能比较。",
    ),
    "brier_pair_undefined": (
        "{a} and {b}: one score is undefined or has no error bar.",
        "{a} 与 {b}：有一个得分未定义或没有误差棒。",
    ),
    "brier_models_none": ("There is no language model here yet.", "这里还没有语言模型。"),
    "brier_model_name": ("model", "模型"),
    "brier_model_chunk_size": ("K", "K（块大小）"),
    "brier_model_corpus": ("corpus", "语料"),
    "brier_model_tokens": ("tokens read", "读过的词元"),
    "brier_model_brier_lm": ("BrierLM", "BrierLM 得分"),
    "brier_model_ceiling": ("ceiling", "上限"),
    "brier_model_share": ("of ceiling", "占上限"),
    "brier_model_brier_1": ("Brier-1, %", "Brier-1，百分比"),
    "brier_model_brier_2": ("Brier-2, %", "Brier-2，百分比"),
    "brier_model_brier_3": ("Brier-3, %", "Brier-3，百分比"),
    "brier_model_brier_4": ("Brier-4, %", "Brier-4，百分比"),
    "brier_model_positions": ("positions", "位置数"),
    # what K buys
    "cost_tab": ("What K buys", "K 换来什么"),
    "cost_look": (
        "One step writes K tokens, so a token costs less. **Turn K up, then the pool**: what K saves, a low "
        "temperature spends again.",
        "一步写出 K 个词元，所以每个词元更便宜。**先调大 K，再调大候选池**：K 省下的，低温又会花掉。",
    ),
    "cost_how": ("How this is computed", "这是怎么算出来的"),
    "cost_chunk_size": ("K, tokens a chunk", "K，每块词元数"),
    "cost_hidden_size": ("Width d", "宽度 d"),
    "cost_layers": ("Layers", "层数"),
    "cost_vocab_size": ("Vocabulary V", "词表 V"),
    "cost_samples": ("N, draws in training", "N，训练时的抽取数"),
    "cost_samples_note": ("a position, for the energy loss", "每个位置，用于能量损失"),
    "cost_pool": ("Pool, draws a step", "候选池（每步抽取数）"),
    "cost_pool_note": (
        "1 is enough at T = 1; below, the released code draws 200",
        "T = 1 时 1 个就够；更低温时官方代码抽 200 个",
    ),
    "cost_context": ("Context, positions", "上下文（位置数）"),
    "cost_transformer": ("Transformer", "词元 Transformer"),
    "cost_training": ("to train", "训练"),
    "cost_training_note": (
        "{calm} FLOPs a token; {token} for the Transformer of the same width and depth",
        "每词元 {calm} FLOPs；同宽同深的 Transformer 为 {token}",
    ),
    "cost_writing": ("to write, {pool} draws a step", "生成，每步抽 {pool} 次"),
    "cost_writing_one": ("to write, 1 draw a step", "生成，每步抽 1 次"),
    "cost_writing_note": (
        "{calm} FLOPs a token; {token} for that Transformer, which scores higher at equal size",
        "每词元 {calm} FLOPs；那个 Transformer 为 {token}，而同等大小时它得分更高",
    ),
    "cost_even": ("even with the Transformer at", "与 Transformer 持平于"),
    "cost_even_value": ("{pool} draws a step", "每步 {pool} 次抽取"),
    "cost_even_value_one": ("1 draw a step", "每步 1 次抽取"),
    "cost_even_never": ("no pool at all", "怎样都不行"),
    "cost_even_note": (
        "with more, writing a token costs more; the product with the vocabulary is {share} of it now",
        "再多，写一个词元就更贵；与词表相乘现在占 {share}",
    ),
    "cost_bars_training": ("Training, FLOPs a token", "训练，每词元 FLOPs"),
    "cost_bars_training_text": (
        "Forward and backward, the autoencoder's own training included.",
        "前向与反向，包括自编码器自身的训练。",
    ),
    "cost_bars_inference": ("Writing, FLOPs a token", "生成，每词元 FLOPs"),
    "cost_bars_inference_text": (
        "With {pool} draws a step, each decoded. K divides everything but the vocabulary's part.",
        "每步抽 {pool} 次，每次都要解码。除了词表那部分，其余都被 K 分摊。",
    ),
    "cost_bars_inference_text_one": (
        "With one draw a step, as in Table 1. K divides everything but the vocabulary's part.",
        "每步抽一次，与表 1 相同。除了词表那部分，其余都被 K 分摊。",
    ),
    "cost_part_backbone": ("backbone", "主干"),
    "cost_part_attention": ("attention", "注意力"),
    "cost_part_head": ("generative head", "生成头"),
    "cost_part_decoder": ("autoencoder", "自编码器"),
    "cost_part_vocabulary": ("product with vocabulary", "与词表相乘"),
    "cost_part_rest": ("the rest", "其余"),
    "cost_honest": ("What “−44% and −34%” belong to", "“−44% 和 −34%”说的是什么"),
    "cost_honest_text": (
        "The paper's {training} training and {inference} inference are CALM-M against Transformer-S, at a BrierLM "
        "{gap} lower (higher is better). Summaries that say “same or better” are wrong, and so are those that say "
        "CALM-L: that one takes {large_training} training and {large_inference} inference.",
        "论文的训练 {training}、推理 {inference}，是 CALM-M 对 Transformer-S，而 BrierLM 低了 {gap}（越高越好）。说"
        "“相同或更好”的摘要是错的，说成 CALM-L 的也错了：CALM-L 的训练为 {large_training}，推理为 "
        "{large_inference}。",
    ),
    "cost_pair": (
        "{calm} against {transformer}: training {training}, inference {inference}, BrierLM {gap} {side}",
        "{calm} 对 {transformer}：训练 {training}，推理 {inference}，BrierLM {side} {gap}",
    ),
    "cost_lower": ("lower", "低"),
    "cost_higher": ("higher", "高"),
    "cost_scatter_training": ("The paper's scores over training FLOPs", "论文得分与训练 FLOPs"),
    "cost_scatter_training_text": (
        "Table 1 and Fig 4. Left and up is better. The gain over the Transformers' line shrinks towards XL.",
        "表 1 与图 4。越靠左上越好。越接近 XL，相对 Transformer 连线的优势越小。",
    ),
    "cost_scatter_inference": ("The paper's scores over FLOPs a written token", "论文得分与生成时每词元 FLOPs"),
    "cost_scatter_inference_text": (
        "Table 1 counts one draw a step. Rings: the same CALMs with a pool of {pool}, as a low temperature needs; "
        "BrierLM itself is measured at T = 1.",
        "表 1 每步只计一次抽取。圆环：候选池为 {pool} 的同一批 CALM，低温需要这样；BrierLM 本身在 T = 1 下测量。",
    ),
    "cost_ahead": (
        "BrierLM ahead of the Transformers' line at equal FLOPs, one draw a step: {list}. * The line is prolonged.",
        "同等 FLOPs、每步一次抽取时，BrierLM 领先 Transformer 连线：{list}。* 为延长线。",
    ),
    "cost_axis_training": ("training FLOPs", "训练 FLOPs"),
    "cost_axis_inference": ("FLOPs a token", "每词元 FLOPs"),
    "cost_key_transformer": ("token Transformer", "词元 Transformer"),
    "cost_key_calm": ("CALM, K = 4", "CALM，K = 4（每块四个词元）"),
    "cost_key_training": ("CALM-L at other K (Fig 4)", "其他 K 的 CALM-L（图 4）"),
    "cost_key_inference": ("CALM, {pool} draws a step", "CALM，每步抽 {pool} 次"),
    "cost_sweep_point": ("CALM-L, K = {k}, read off Fig 4", "CALM-L，K = {k}，读自图 4"),
    "cost_table": ("Table 1, the paper's and ours", "表 1：论文与我们的计数"),
    "cost_table_text": (
        "The paper prints no formula. Counting 6 d² weights a head block gives every row within 2% but CALM-XL's "
        "(training {training}, inference {inference}). “Exact” counts this code.",
        "论文没有给出公式。每个生成头块按 6 d² 个权重计，除 CALM-XL（训练 {training}，推理 {inference}）外各行都在 "
        "2% 以内。“精确”按本代码计数。",
    ),
    "cost_column_model": ("model", "模型"),
    "cost_column_parameters": ("parameters", "参数"),
    "cost_column_training": ("training, 10²⁰ FLOPs", "训练，10²⁰ FLOPs"),
    "cost_column_inference": ("writing, 10⁸ FLOPs a token", "生成，每词元 10⁸ FLOPs"),
    "cost_column_paper": ("paper", "论文"),
    "cost_column_ours": ("ours", "我们"),
    "cost_column_exact": ("exact", "精确"),
    "cost_column_vocabulary": ("vocabulary", "词表占比"),
    "cost_column_pool": ("pool {pool} (× S)", "候选池 {pool}（× S）"),
    "cost_column_runs": ("runs", "次数"),
    "cost_pool_text": (
        "A temperature below 1 draws a pool and decodes all of it: with {pool} draws a step CALM-M spends {times} "
        "times what Transformer-S does on a token. The draws are independent, so this counts work, not waiting "
        "time.",
        "低于 1 的温度要抽出一池并全部解码：每步抽 {pool} 次时，CALM-M 每个词元的花费是 Transformer-S 的 {times} "
        "倍。各次抽取相互独立，所以这里数的是计算量，不是等待时间。",
    ),
    "cost_own": ("Our own runs", "我们自己的运行"),
    "cost_own_calm": ("CALM of the K beside it", "CALM，K 标在旁边"),
    "cost_own_none": (
        "None yet: 0 of {wanted} runs of the studies “chunk-size” and “table-1” have ended. This command makes "
        "them, on this machine, at laboratory scale:",
        "还没有：“chunk-size”和“table-1”两项研究的 {wanted} 次运行完成了 0 次。下面的命令会在本机以实验室规模运行它"
        "们：",
    ),
    "cost_own_text": (
        "{runs} of {wanted} runs of the studies “chunk-size” and “table-1” have ended. Small models of little "
        "stories: they say nothing about the paper's own scale. ± is half of a 95% interval over seeds.",
        "“chunk-size”和“table-1”两项研究的 {wanted} 次运行已完成 {runs} 次。都是写小故事的小模型：对论文那种规模"
        "说明不了什么。± 为各种子上 95% 区间的一半。",
    ),
    "cost_undefined": ("undefined", "无定义"),
    "cost_verdict_holds": ("Holds:", "成立："),
    "cost_verdict_does_not_hold": ("Does not hold:", "不成立："),
    "cost_verdict_can_t_tell": ("Can't tell:", "无法判断："),
}
