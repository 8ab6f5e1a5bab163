"""The words of the tab "Noise dial", in English and Simplified Chinese."""

from __future__ import annotations

WORDS: dict[str, tuple[str, str]] = {
    "noise_tab": ("Noise dial", "噪声旋钮"),
    "noise_look": (
        "**Turn σ up slowly** and watch where the text gives way; below, every autoencoder alike: what do KL clip, "
        "DropToken and DropLatent each do to that point?",
        "**慢慢调高 σ**，看文字从哪里开始垮掉；下面是每个自编码器的同一条曲线：KL 截断、"
        "DropToken 和 DropLatent 各自把这个点移到哪里？",
    ),
    "noise_text": ("Text to spoil", "要加噪的文字"),
    "noise_model": ("Autoencoder of the text", "文字所用的自编码器"),
    "noise_sigma": ("Noise σ, live", "噪声 σ（实时）"),
    "noise_seed": ("Seed of the noise", "噪声种子"),
    "noise_new_seed": ("New noise", "换一份噪声"),
    "noise_how": ("How this is computed", "这是怎么算出来的"),
    # the text
    "falling_empty": ("Type something above.", "请在上面输入文字。"),
    "falling_title": ("The text at σ = {sigma}", "σ = {sigma} 时的文字"),
    "falling_back": ("came back", "还原"),
    "falling_back_value": ("{correct} of {total} tokens", "{correct} / {total} 个词元"),
    "falling_back_note": ("one draw of the noise, the same at every σ", "同一份噪声，只随 σ 放大"),
    "falling_first": ("first token lost", "第一个丢失的词元"),
    "falling_first_value": ("at σ = {sigma}", "σ = {sigma} 时"),
    "falling_never": ("none up to σ = 2", "直到 σ = 2 都没有"),
    "falling_first_note": ("{share} of the tokens are gone at σ = 2", "σ = 2 时丢失了 {share} 的词元"),
    "falling_own": ("the encoder's own σ", "编码器自己的 σ"),
    "falling_own_note": (
        "learned in training, mean over this text: how far it expects a vector to be off",
        "训练中学到，取这段文字的均值：编码器预期向量会偏多远",
    ),
    # the curves
    "sweep_on": ("Measured on", "测量所用文字"),
    "sweep_kept": ("unseen tales", "没见过的童话"),
    "sweep_own": ("your text", "你的文字"),
    "sweep_all": ("Measure every autoencoder on your text", "用你的文字测量每个自编码器"),
    "sweep_measuring": ("Measuring…", "正在测量…"),
    "sweep_title": ("Tokens that come back, against σ", "还原的词元比例随 σ 的变化"),
    "sweep_title_text": (
        "Bands: 95% intervals, by chunks, since the tokens of a chunk fail together. Dashed: the dial above.",
        "色带：95% 区间，以块为单位计算，因为同一块的词元会一起出错。虚线：上面的旋钮。",
    ),
    "sweep_axis_share": ("tokens that come back", "还原的词元"),
    "sweep_axis_sigma": ("noise σ", "噪声 σ"),
    "sweep_axis_relative": ("noise σ over the size of the vectors", "噪声 σ 与向量大小之比"),
    "sweep_scale": ("Axis", "横轴"),
    "sweep_absolute": ("σ as it is", "σ 本身"),
    "sweep_relative": ("σ over the vectors' size", "σ ÷ 向量大小"),
    "sweep_scale_text": (
        "To compare autoencoders, divide σ by the size of the vectors: without a KL nothing holds them near 0, and the "
        "larger they are, the less a σ does to them. Here the sizes (RMS of the means) run from {low} to {high}.",
        "要比较自编码器，请用 σ 除以向量的大小：没有 KL，向量就不会被拉在 0 附近，向量越大，同样的 σ 影响越小。"
        "这里向量的大小（均值的均方根）从 {low} 到 {high}。",
    ),
    "sweep_table": ("Each autoencoder at σ = {sigma}", "σ = {sigma} 时的各个自编码器"),
    "sweep_table_text": (
        "Choose a row to see its coordinates below. d: width of the network. Size: RMS of the vectors' coordinates; "
        "the column after it is where half is lost, over size. Collapsed: below 0.01 nat of KL on average, so it says "
        "nothing.",
        "选一行，在下面看它的坐标。d：网络宽度。向量大小：坐标的均方根，其后一列是丢失一半的 σ 与它之比。"
        "坍缩：平均 KL 低于 0.01 nat，即什么也没说。",
    ),
    "sweep_none_collapsed": (
        "The paper's autoencoder loses 71 of 128 coordinates without KL clip. None of these lost any.",
        "论文中的自编码器在没有 KL 截断时，128 个坐标中有 71 个坍缩。这里的一个也没有。",
    ),
    "sweep_column_name": ("autoencoder", "自编码器"),
    "sweep_column_rule": ("trained with", "训练时用了"),
    "sweep_column_back": ("tokens back (95%)", "还原（95% 区间）"),
    "sweep_column_half": ("half is lost at", "丢失一半的 σ"),
    "sweep_column_sigma": ("learned σ", "学到的 σ"),
    "sweep_column_size": ("size", "向量大小"),
    "sweep_column_half_size": ("over size", "σ ÷ 向量大小"),
    "sweep_unmeasured": (
        "–: not measured on your text yet; the button above does it.",
        "–：尚未用你的文字测量；点上方的按钮即可。",
    ),
    "sweep_column_bits": ("KL, bits", "每块 KL（比特）"),
    "sweep_column_collapsed": ("collapsed", "坍缩"),
    "sweep_beyond": ("above {sigma}", "超过 {sigma}"),
    "sweep_of": ("{count} of {size}", "{size} 个中 {count} 个"),
    "sweep_rule_none": ("no regulariser", "无正则"),
    "sweep_rule_kl": ("KL", "仅 KL"),
    "sweep_rule_clip": ("KL clip", "KL 截断"),
    "sweep_rule_clip_token": ("KL clip + DropToken", "KL 截断 + DropToken"),
    "sweep_rule_clip_latent": ("KL clip + DropLatent", "KL 截断 + DropLatent"),
    "sweep_rule_all": ("all three", "三者全用"),
    "sweep_rule_other": ("another mixture", "其他组合"),
    "sweep_lacking": (
        "Not measured on unseen tales: {names}. Choose “your text”; calm-lab models --noise measures the bundled ones "
        "that have read tales.",
        "没有在没见过的童话上测过：{names}。请选“你的文字”；calm-lab models --noise 会测量读过童话的自带模型。",
    ),
    "sweep_tokens": ("{tokens} tokens of unseen tales", "没见过的童话，共 {tokens} 个词元"),
    "sweep_draws": ("your text, {draws} draws of the noise", "你的文字，噪声抽取 {draws} 次"),
    "sweep_draws_one": ("your text, one draw of the noise", "你的文字，噪声抽取 1 次"),
    "sweep_kl": ("What each coordinate says: {name}", "每个坐标说了多少：{name}"),
    "sweep_kl_text": (
        "Mean KL to the prior, largest first; {collapsed} of {size} collapsed. Dotted: the floor of KL clip.",
        "相对先验的平均 KL，从大到小；{size} 个中坍缩 {collapsed} 个。点线：KL 截断的下限。",
    ),
    "sweep_kl_text_free": (
        "Mean KL to the prior, largest first; {collapsed} of {size} collapsed.",
        "相对先验的平均 KL，从大到小；{size} 个中坍缩 {collapsed} 个。",
    ),
    "sweep_axis_bits": ("bits", "比特"),
    "sweep_axis_coordinates": ("coordinates, sorted", "坐标（已排序）"),
    "sweep_coordinate": ("coordinate {i}: {bits} bits", "坐标 {i}：{bits} 比特"),
    "sweep_sigma": ("The σ that it learned: {name}", "它学到的 σ：{name}"),
    "sweep_sigma_text": (
        "Over {chunks} chunks and {size} coordinates; dashed: the mean, {mean}. σ = 1 is the prior's: it says nothing.",
        "取自 {chunks} 块、{size} 个坐标；虚线：均值 {mean}。σ = 1 是先验的宽度，什么也没说。",
    ),
    "sweep_axis_learned": ("learned σ", "学到的 σ"),
    "sweep_axis_share_of": ("share", "比例"),
    "sweep_bin": ("σ from {low} to {high}: {share}", "σ 从 {low} 到 {high}：{share}"),
    "sweep_point": (
        "{name}, σ = {sigma}: {share} ({low} to {high})",
        "{name}，σ = {sigma}：{share}（{low} 至 {high}）",
    ),
}
