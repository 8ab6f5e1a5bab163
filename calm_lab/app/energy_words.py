"""The words of the tab "Energy score", in English and Simplified Chinese."""

from __future__ import annotations

WORDS: dict[str, tuple[str, str]] = {
    "energy_tab": ("Energy score", "能量评分"),
    "energy_look": (
        "**Drag the two clouds**: diversity pushes the samples apart, fidelity pulls them to the targets, and the "
        "arrows are what a network is trained with. Then set α = 2: on average over all draws (the line) the score no "
        "longer sees how wide the cloud is; one draw still moves by chance.",
        "**拖动两团点**：多样性把样本推开，忠实度把它们拉向目标，箭头就是训练网络所用的力。"
        "再设 α = 2：对所有抽样取平均（图中的线），得分就看不出这团点有多宽了；单次抽样的数值仍会随机变动。",
    ),
    "energy_plane": (
        "The model's samples and the target's, with the score's gradient at every sample",
        "模型的样本与目标的样本，以及得分在每个样本处的梯度",
    ),
    "energy_handle_cloud": (
        "Centre of the model's cloud: x {x}, y {y}; arrow keys move it",
        "模型点团的中心：x {x}，y {y}；用方向键移动",
    ),
    "energy_handle_target": (
        "Centre of the target: x {x}, y {y}; arrow keys move it",
        "目标的中心：x {x}，y {y}；用方向键移动",
    ),
    "energy_alpha": ("Exponent α of the distance", "距离的指数 α"),
    "energy_n": ("N, samples", "N，样本数"),
    "energy_m": ("M, targets", "M，目标数"),
    "energy_spread": ("Spread of the samples", "样本的散布"),
    "energy_target_spread": ("Spread of the target", "目标的散布"),
    "energy_arrows": ("Arrows", "箭头"),
    "energy_arrows_sum": ("sum", "合力"),
    "energy_arrows_parts": ("both parts", "两个分量"),
    "energy_diversity": ("diversity", "多样性"),
    "energy_diversity_note": (
        "mean distance^α between two samples; more is better",
        "两个样本之间距离^α 的平均；越大越好",
    ),
    "energy_fidelity": ("fidelity", "忠实度"),
    "energy_fidelity_note": (
        "mean distance^α from a sample to a target; less is better",
        "样本到目标距离^α 的平均；越小越好",
    ),
    "energy_score": ("score = diversity − 2 × fidelity", "得分 = 多样性 − 2 × 忠实度"),
    "energy_score_note": (
        "{mean} on average over draws; {best} is the most any cloud can have",
        "对抽样平均为 {mean}；任何点团最多为 {best}",
    ),
    "energy_curve": ("score", "得分"),
    "energy_curve_x": ("spread of the samples", "样本的散布"),
    "energy_curve_label": ("The expected score against the spread of the samples", "期望得分随样本散布的变化"),
    "energy_key_expected": ("expected", "期望"),
    "energy_key_now": ("these draws", "这次抽样"),
    "energy_key_true": ("the target's spread", "目标的散布"),
    "energy_key_sample": ("model's sample", "模型的样本"),
    "energy_key_target": ("target", "目标"),
    "energy_key_sum": ("gradient of the score", "得分的梯度"),
    "energy_key_apart": ("diversity's part", "多样性的分量"),
    "energy_key_closer": ("fidelity's part", "忠实度的分量"),
    "energy_seed": ("Seed of the noise", "噪声种子"),
    "energy_new_seed": ("New noise", "换一份噪声"),
    "energy_how": ("How this is computed", "这是怎么算出来的"),
    # the network
    "training_look": (
        "Now a small network, noise in, point out, with fresh noise at every step and a target of two modes. "
        "**Train at α = 1, then at α = 2**: both get the mean right, one gets the shape.",
        "现在来训练一个小网络：输入噪声，输出点，每一步都用新的噪声，目标有两个峰。"
        "**先用 α = 1 训练，再用 α = 2**：两次的均值都对，只有一次形状也对。",
    ),
    "training_go": ("Train at this α, N, M (under a minute)", "用当前的 α、N、M 训练（不到一分钟）"),
    "training_stop": ("Stop", "停止"),
    "training_ready": ("not trained", "未训练"),
    "training_running": ("training", "训练中"),
    "training_done": ("trained", "训练完毕"),
    "training_stopped": ("stopped", "已停止"),
    "training_at": ("step {step} of {steps}, {seconds} s", "第 {step} / {steps} 步，{seconds} 秒"),
    "training_run": ("α = {alpha}, N = {n}, M = {m}", "本次：α = {alpha}，N = {n}，M = {m}"),
    "training_before": ("The run before: α = {alpha}, N = {n}, M = {m}", "上一次：α = {alpha}，N = {n}，M = {m}"),
    "training_hint": (
        "Train twice, with different α: the run before stays here to compare.",
        "用不同的 α 训练两次：上一次的结果会留在这里供比较。",
    ),
    "training_plane": (
        "What the network draws at α = {alpha}, over the target",
        "α = {alpha} 时网络抽出的样本，叠在目标上",
    ),
    "training_what": ("256 draws", "256 次抽样"),
    "training_seen": ("network", "网络"),
    "training_truth": ("truth", "真值"),
    "training_first": ("in the upper left mode", "落在左上的峰"),
    "training_second": ("in the lower right mode", "落在右下的峰"),
    "training_off": ("mean off by", "均值偏离"),
    "training_spread": ("distance to the mean (RMS)", "到均值的距离（均方根）"),
    "training_score": ("energy score", "能量评分"),
    "training_steps": ("steps", "步数"),
    "training_curve": ("The energy score against the steps of training", "能量评分随训练步数的变化"),
    "training_key_sample": ("drawn by the network", "网络抽出的样本"),
    "training_key_target": ("target", "目标"),
    "training_key_means": ("their means", "两者的均值"),
    "training_key_best": ("the most any law can score on average", "任何分布平均而言的最高得分"),
    # a trained model on real text
    "positions_look": (
        "Now a trained CALM on real text: at every chunk it draws vectors, and they are held against the posterior of "
        "the chunk that came. **Look for chunks where it hedges** (long diversity) and where it is simply wrong.",
        "现在是训练好的 CALM 读真实文字：在每一块上抽取向量，与真实出现的那一块的后验相比。"
        "**找找看它在哪里留有余地**（多样性的条较长），又在哪里干脆错了。",
    ),
    "positions_text": ("A text the model has not seen", "模型没有见过的文字"),
    "positions_model": ("Model", "模型"),
    "positions_alpha": ("Exponent α", "指数 α"),
    "positions_draws": ("Draws a chunk, N = M", "每块的抽样数 N = M"),
    "positions_seed": ("Seed", "种子"),
    "positions_seed_new": ("New draws", "重新抽样"),
    "positions_go": ("Score this text", "给这段文字评分"),
    "positions_stop": ("Stop", "停止"),
    "positions_title": ("Chunk by chunk", "逐块来看"),
    "positions_running": ("{model}: {count} chunks so far …", "{model}：已完成 {count} 块……"),
    "positions_done": (
        "{model}, α = {alpha}: {draws} draws against {draws} of the posterior at each of {count} chunks.",
        "{model}，α = {alpha}：{count} 块中每块抽样 {draws} 次，与后验的 {draws} 次抽样相比。",
    ),
    "positions_stopped": ("{model}: stopped after {count} chunks.", "{model}：停在第 {count} 块之后。"),
    "positions_chunk": ("chunk", "块"),
    "positions_terms": ("both terms", "两项"),
    "positions_lane": ("score, and the most it could be", "得分与其上限"),
    "positions_score": ("score", "得分"),
    "positions_hits": ("say it", "说中"),
    "positions_likeliest": ("most draws say", "抽得最多的"),
    "positions_key_score": ("score, 2 standard errors", "得分，2 个标准误"),
    "positions_key_best": ("the most any law could have", "任何分布的上限"),
    "positions_diversity_note": (
        "mean over the chunks: distance^α between two draws",
        "各块的平均：两次抽样之间的距离^α",
    ),
    "positions_fidelity_note": (
        "mean over the chunks: distance^α from a draw to the truth",
        "各块的平均：抽样到真值的距离^α",
    ),
    "positions_score_note": (
        "mean over the chunks; {best} for draws from the posterior itself",
        "各块的平均；直接从后验抽样为 {best}",
    ),
    "positions_point": (
        "{chunk}: diversity {diversity}, fidelity {fidelity}, score {score} ± {error}, at most {best}; {hits} of "
        "{draws} draws say it",
        "{chunk}：多样性 {diversity}，忠实度 {fidelity}，得分 {score} ± {error}，上限 {best}；"
        "{draws} 次抽样说中 {hits} 次",
    ),
}
