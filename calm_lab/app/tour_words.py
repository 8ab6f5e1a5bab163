"""Words of the tab "Tour", in English and Simplified Chinese; ``words`` makes them one table with the others."""

from __future__ import annotations

WORDS: dict[str, tuple[str, str]] = {
    "tour_tab": ("Tour", "导览"),
    "tour_look": (
        "Ten small experiments, ten minutes: what CALM is, and what it buys. **Do the one thing each step asks for** "
        "and compare with what you should see.",
        "十个小实验，十分钟：CALM 是什么，能换来什么。**照每一步的要求做一件事**，再和应看到的结果对照。",
    ),
    "tour_how": ("How this is computed", "这是怎么算出来的"),
    "tour_steps": ("Steps of the tour", "导览的步骤"),
    "tour_step": ("Step {step}: {title}", "第 {step} 步：{title}"),
    "tour_back": ("Back", "上一步"),
    "tour_next": ("Next", "下一步"),
    "tour_do": ("Do:", "动手："),
    "tour_see": ("You should see:", "应看到："),
    "tour_open": ("Go deeper: {tab}", "深入：{tab}"),
    "tour_notebook": ("Notebook: {notebook}", "对应的 notebook：{notebook}"),
    "tour_paper": ("Paper, sec. {section}", "论文第 {section} 节"),
    "tour_waiting": ("Computing …", "计算中……"),
    "tour_picture": ("Picture of step {step}", "第 {step} 步的图"),
    # 1
    "tour_title_1": ("What a token carries", "一个词元装得下多少"),
    "tour_text_1": (
        "A language model writes one token a step, and a token is a choice among V entries: at most log₂ V bits. "
        "Every step also pays for a softmax over all V of them.",
        "语言模型每步写一个词元，而一个词元就是从 V 个条目里选一个：最多 log₂ V 比特。每一步还要为全部 V "
        "个条目算一次 softmax。",
    ),
    "tour_do_1": ("Make the vocabulary larger. Watch the bars.", "把词表调大，看各条怎样变化。"),
    "tour_see_1": (
        "{bits} bits with {vocab} entries. Doubling them adds 1 bit and {doubled} more FLOPs; the softmax is {share} "
        "of a "
        "token's work already. One token that says as much as four would need 2^{power} entries: so CALM leaves the "
        "list of entries and packs four tokens into a vector.",
        "{vocab} 个条目时为 {bits} 比特。条目加倍只多 1 比特，FLOPs 却多 {doubled}；softmax 已占一个词元计算量的 "
        "{share}。"
        "要让一个词元说出四个词元的内容，需要 2^{power} 个条目：所以 CALM 放弃条目表，把四个词元装进一个向量。",
    ),
    "tour_vocab": ("Vocabulary V", "词表大小 V"),
    "tour_bar_bits": ("bits a token carries, at most", "每个词元最多的比特"),
    "tour_bar_softmax": ("softmax, FLOPs", "softmax 的 FLOPs"),
    "tour_bar_rest": ("all the rest, FLOPs", "其余部分的 FLOPs"),
    # 2
    "tour_title_2": ("Four tokens become one vector", "四个词元变成一个向量"),
    "tour_text_2": (
        "A small autoencoder reads K tokens, a chunk, and writes one vector; its decoder reads the vector and gives "
        "the tokens back. Each stripe below is a vector, one line a number.",
        "一个小小的自编码器读入 K 个词元（一块），写出一个向量；它的解码器读这个向量，把词元还原。"
        "下面每条彩带是一个向量，"
        "每条线是一个数。",
    ),
    "tour_do_2": ("Type a sentence of your own.", "输入你自己的一句话。"),
    "tour_see_2": (
        "{total} tokens, the end mark counted, became {vectors} vectors of {size} numbers; {correct} of {total} came "
        "back.",
        "{total} 个词元（含结束符）变成 {vectors} 个向量，每个 {size} 个数；还原了 {correct} / {total} 个。",
    ),
    "tour_text": ("Text to try", "试试这段文字"),
    # 3
    "tour_title_3": ("How much a vector carries", "一个向量装得下多少"),
    "tour_text_3": (
        "Numbers can say more than entries of a list. The bits of a chunk are its KL to the prior: how far the "
        "encoder's answer stands out from noise. The line marks K log₂ V, enough to name any K tokens.",
        "数字比条目表能说得更多。一块的比特数是它相对先验的 KL：编码器的答案比噪声突出多少。竖线是 K log₂ V，"
        "足以指明任意 K 个词元。",
    ),
    "tour_do_3": ("Replace a common word by a rare one.", "把一个常见词换成罕见词。"),
    "tour_see_3": (
        "{bits} bits a chunk on average, {ratio} times the {name} bits that would name any {k} tokens. What is more "
        "than needed is not wasted: the next step spends it.",
        "平均每块 {bits} 比特，是指明任意 {k} 个词元所需 {name} 比特的 {ratio} 倍。多出来的没有浪费：下一步就要用到。",
    ),
    "tour_bar_chunk": ("chunk {number}", "第 {number} 块"),
    "tour_bar_value": ("{bits} bits", "{bits} 比特"),
    # 4
    "tour_title_4": ("A vector may be missed by a little", "向量可以稍微偏一点"),
    "tour_text_4": (
        "A model that predicts vectors never hits one exactly. So the autoencoder is trained until vectors near by say "
        "the same: KL clip, DropToken and DropLatent see to it.",
        "预测向量的模型永远不会正中靶心。因此自编码器要训练到附近的向量说同样的话：KL 截断、DropToken 与 DropLatent "
        "负责这件事。",
    ),
    "tour_do_4": ("Turn up the noise until the text falls apart.", "调高噪声，直到文字散架。"),
    "tour_see_4": (
        "With σ = {sigma} on every number, {correct} of {total} tokens come back. Below σ = {holds} all of them do, "
        "with this noise.",
        "每个数加上 σ = {sigma} 的噪声，还原 {correct} / {total} 个词元。用这份噪声，σ 低于 {holds} 时全部还原。",
    ),
    "tour_see_4_always": (
        "With σ = {sigma} on every number, {correct} of {total} tokens come back.",
        "每个数加上 σ = {sigma} 的噪声，还原 {correct} / {total} 个词元。",
    ),
    "tour_sigma": ("Noise σ", "噪声 σ"),
    # 5
    "tour_title_5": ("Learning without a likelihood", "没有似然也能学"),
    "tour_text_5": (
        "Over vectors there is no softmax, and so no probability to raise. The energy score needs samples only: "
        "diversity keeps the model's samples apart, fidelity pulls them to the truth. Score = diversity − 2 × "
        "fidelity.",
        "向量上没有 softmax，也就没有概率可以提高。能量评分只要样本："
        "多样性让模型的样本彼此分开，忠实度把它们拉向真实样本。"
        "分数 = 多样性 − 2 × 忠实度。",
    ),
    "tour_do_5": (
        "Bring the model's cloud home, then find the spread that scores best.",
        "先把模型的点团移回原处，再找得分最高的散布。",
    ),
    "tour_see_5": (
        "{diversity} − 2 × {fidelity} = {score} with these points; {expected} on average. The best of all laws has "
        "{best}, and it is the truth's own: no distance, spread {spread}.",
        "用这些点：{diversity} − 2 × {fidelity} = {score}；平均为 {expected}。所有分布中最好的是 {best}，"
        "正是真实分布自己："
        "距离为 0，散布为 {spread}。",
    ),
    "tour_away": ("Distance from the truth", "与真实分布的距离"),
    "tour_spread": ("Spread of the model's samples", "模型样本的散布"),
    "tour_key_sample": ("the model's samples", "模型的样本"),
    "tour_key_target": ("the truth", "真实样本"),
    # 6
    "tour_title_6": ("Two draws and the truth", "两次抽样与真值"),
    "tour_text_6": (
        "Without probabilities there is no perplexity either. BrierLM takes two draws: +1 for each that equals the "
        "truth, −1 if the two equal each other. The model here writes a known language, blurred by {dial}%.",
        "没有概率，也就没有困惑度。BrierLM 抽两次：每个等于真值的抽样 +1，两次相同则 −1。这里的模型写一种已知的语言，"
        "并被模糊了 {dial}%。",
    ),
    "tour_do_6": ("Score more positions.", "增加评分的位置数。"),
    "tour_see_6": (
        "After {positions} positions the estimate is {value} ± {error} (95%). The exact score is {exact}; the language "
        "itself has {ceiling}, which nobody can beat.",
        "{positions} 个位置之后，估计值为 {value} ± {error}（95%）。精确分数是 {exact}；语言自身为 {ceiling}，"
        "谁也无法超过。",
    ),
    "tour_see_6_none": (
        "After {positions} positions one Brier-n is not above 0, so there is no BrierLM yet. The exact score is "
        "{exact}; the language itself has {ceiling}.",
        "{positions} 个位置之后，某个 Brier-n 不大于 0，还没有 BrierLM。精确分数是 {exact}；语言自身为 {ceiling}。",
    ),
    "tour_positions": ("Positions scored", "评分的位置数"),
    "tour_column_truth": ("truth", "真值"),
    "tour_column_first": ("draw 1", "抽样 1"),
    "tour_column_second": ("draw 2", "抽样 2"),
    "tour_column_score": ("score of 1, 2, 3, 4 letters", "前 1、2、3、4 个字母的得分"),
    "tour_axis_positions": ("positions scored", "评分的位置数"),
    "tour_key_estimate": ("estimate, two standard errors", "估计值，两个标准误"),
    "tour_key_exact": ("exact", "精确值"),
    # 7
    "tour_title_7": ("A temperature from repeats", "用重复实现温度"),
    "tour_text_7": (
        "A model that only gives samples has no logits to divide by T. But it repeats itself: {pool} draws, and an "
        "answer drawn c times forms C(c, n) groups of n equal draws. Choosing by groups is choosing at T = 1/n.",
        "只给样本的模型没有 logits 可以除以 T。但它会重复：抽 {pool} 次，抽到 c 次的答案组成 C(c, n) 个 n 次相同的组。"
        "按组来选，就是在 T = 1/n 下选。",
    ),
    "tour_do_7": ("Turn n up: the pool stays, the choice gets colder.", "调大 n：候选池不变，选择变冷。"),
    "tour_see_7": (
        "At T = 1/{n} “{name}” is chosen with {chosen}; the exact law says {goal}, and at T = 1 it had {plain}. A "
        "larger "
        "pool comes closer.",
        "在 T = 1/{n} 时，“{name}”被选中的概率为 {chosen}；精确分布为 {goal}，T = 1 时为 {plain}。候选池越大越接近。",
    ),
    "tour_n": ("Repeats n, T = 1/n", "重复次数 n，T = 1/n"),
    "tour_bar_pool": ("chosen with", "被选中的概率"),
    "tour_bar_count": ("“{name}”, drawn {count} times", "“{name}”，抽到 {count} 次"),
    "tour_key_goal": ("line: the exact law", "竖线：精确分布"),
    # 8
    "tour_title_8": ("Predict, decode, read again", "预测、解码、再读入"),
    "tour_text_8": (
        "Now the whole machine: the model draws {draws} vectors for the next chunk, the decoder turns them into "
        "tokens, "
        "the rule of step 7 chooses, and the chosen tokens are embedded again as input of the next step.",
        "现在是整台机器：模型为下一块抽 {draws} 个向量，解码器把它们变成词元，按第 7 步的规则选出一块，"
        "选中的词元再作为下一步的输入。",
    ),
    "tour_do_8": ("Write the sentence anew, and turn n up.", "重新写一句，再调大 n。"),
    "tour_see_8": (
        "{repeated} of {steps} steps had a chunk that came {n} times or more among {draws} draws. Elsewhere the rule "
        "went down to fewer repeats, and the text is as wild as at T = 1: {model} is a small model.",
        "{steps} 步中有 {repeated} 步，某一块在 {draws} 次抽样中至少出现 {n} 次。其余各步只好降低重复数，文字与 T = "
        "1 时一样"
        "随意：{model} 是个小模型。",
    ),
    "tour_see_8_all": (
        "In every one of {steps} steps some chunk came {n} times or more among {draws} draws, so all of them kept to "
        "T = 1/{n}. Turn n up further: sooner or later the repeats do not suffice, for {model} is a small model.",
        "{steps} 步中每一步都有某一块在 {draws} 次抽样中至少出现 {n} 次，所以全都做到了 T = 1/{n}。再调大 n："
        "重复迟早会不够用，因为 {model} 是个小模型。",
    ),
    "tour_drawn": ("drawn {count} of {draws}", "{draws} 次中抽到 {count} 次"),
    # 9
    "tour_title_9": ("What a token costs", "一个词元要花多少"),
    "tour_text_9": (
        "A step of CALM has the head and the decoder on top of the Transformer inside it; from K = 2 on it is "
        "dearer. But it gives K tokens. The bars are FLOPs a token of the paper's CALM-M, one draw a step.",
        "CALM 的一步除了其中的 Transformer 还要加上生成头和解码器，从 K = 2 起就更贵。"
        "但它给出 K 个词元。条形是论文 CALM-M 每个词元的 FLOPs，每步抽一次。",
    ),
    "tour_do_9": ("Change K.", "改变 K。"),
    "tour_see_9": (
        "At K = {k} a step costs {step} times the Transformer's and a token {token} times. With the released pool of "
        "{pool} draws a step, for a temperature below 1, a token would cost {pooled} times.",
        "K = {k} 时，一步的花费是 Transformer 的 {step} 倍，一个词元是 {token} 倍。若为低于 1 的温度按官方设置每步抽 "
        "{pool} 次，"
        "一个词元要花 {pooled} 倍。",
    ),
    "tour_chunk_size": ("K, tokens a step", "K，每步的词元数"),
    "tour_bar_transformer": ("Transformer", "Transformer 基线"),
    # 10
    "tour_title_10": ("What K buys, honestly", "K 究竟换来什么"),
    "tour_text_10": (
        "The often quoted pair of numbers compares CALM-M with Transformer-S, which scores higher. So look at price "
        "and "
        "score together: up is better, left is cheaper (paper, Table 1). Below: what our own small models reach.",
        "常被引用的那一对数字，是拿 CALM-M 与得分更高的 Transformer-S 相比。所以价格与得分要一起看：越高越好，"
        "越左越便宜（论文表 1）。"
        "下面是我们自己的小模型的成绩。",
    ),
    "tour_do_10": ("Choose another pair.", "换一对来比较。"),
    "tour_see_10": (
        "{calm} against {transformer}: training {training}, inference {inference}, at a BrierLM {gap} against the "
        "Transformer's.",
        "{calm} 与 {transformer} 相比：训练 {training}，推理 {inference}，BrierLM 相差 {gap}。",
    ),
    "tour_see_10_ours": (
        "Ours on a text of known laws, of at most {ceiling}: {count} models between {low} and {high}, and {none} "
        "too weak for a score. They differ in size, training and language, so they rank nothing.",
        "我们的模型在已知分布的文字上（上限 {ceiling}）：{count} 个模型在 {low} 到 {high} 之间，另有 {none} "
        "个太弱而没有得分。"
        "它们的大小、训练量和语言都不同，不能用来排名。",
    ),
    "tour_pair": ("Compare", "比较"),
    "tour_axis_training": ("training FLOPs", "训练 FLOPs"),
    "tour_undefined": ("undefined", "无定义"),
    "tour_again": ("Draw again", "重新抽样"),
}
