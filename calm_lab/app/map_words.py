"""Words of the tab "Latent map", in English and Simplified Chinese; ``words`` makes them one table with the others."""

from __future__ import annotations

WORDS: dict[str, tuple[str, str]] = {
    "map_tab": ("Latent map", "潜空间地图"),
    "map_look": (
        "Every point is a chunk of tokens, and every empty place can be decoded too. **Click between two points**: "
        "does the text there break, or does it change token by token?",
        "每个点是一块词元，空白处也能解码。**点击两点之间**：那里的文字会散架，还是逐个词元地改变？",
    ),
    "map_how": ("How this is computed", "这是怎么算出来的"),
    "map_model": ("Autoencoder", "自编码器"),
    "map_opening": ("Opening the map: every chunk is encoded first.", "正在打开地图：先给每个块编码。"),
    "map_lost": ("The server did not answer. Try again.", "服务器没有回应。请再试一次。"),
    "map_about": (
        "{name}: {count} chunks shown, of {different} different ones ({seen} read). The decoder gives {back} of those "
        "shown back as they were. {settings}",
        "{name}：{count} 个不同的块（共读 {seen} 个块，其中 {different} 种）。解码器原样还原了其中 {back} 个。"
        "{settings}",
    ),
    "map_settings": (
        "UMAP: n_neighbors {n_neighbors}, min_dist {min_dist}, seed {seed}.",
        "UMAP：n_neighbors {n_neighbors}，min_dist {min_dist}，种子 {seed}。",
    ),
    "map_no_umap": (
        "No UMAP yet: compute it below.",
        "还没有 UMAP：可在下方计算。",
    ),
    "map_canvas": (
        "Map of {count} chunks. Arrow keys move, plus and minus zoom, 0 shows all, Enter chooses the chunk nearest to "
        "the middle, Shift and Enter decode the middle.",
        "{count} 个块的地图。方向键移动，加减号缩放，0 显示全部，回车选择最靠近中心的块，Shift 加回车解码中心处。",
    ),
    "map_keys": (
        "Drag to move. Click the map once, then the wheel zooms; on a phone, two fingers. With the keyboard: arrows, + "
        "and −, 0 for all, Enter for the chunk nearest to the middle, Shift+Enter to decode the middle.",
        "拖动可移动。先点一下地图，滚轮即可缩放；手机上用两指。键盘：方向键，+ 和 −，0 显示全部，"
        "回车选最靠近中心的块，Shift+回车解码中心处。",
    ),
    "map_side_hint": (
        "Click a point: what it decodes to, its posterior, its neighbours. Click between points: what the decoder says "
        "there.",
        "点击一个点：它解码成什么、它的后验、它的近邻。点击空白处：解码器在那里说什么。",
    ),
    "map_picture": ("Picture", "投影"),
    "map_picture_umap": ("UMAP", "UMAP 图"),
    "map_picture_pca": ("PCA", "PCA 图"),
    "map_tool": ("Pointer", "指针"),
    "map_tool_look": ("Look", "查看"),
    "map_tool_lasso": ("Lasso", "套索"),
    "map_zoom_in": ("Zoom in", "放大"),
    "map_zoom_out": ("Zoom out", "缩小"),
    "map_zoom_all": ("Show all", "显示全部"),
    "map_colour": ("Colour by", "着色依据"),
    "map_colour_frequency": ("frequency", "频率"),
    "map_colour_first": ("first word", "首词"),
    "map_colour_punctuation": ("punctuation", "标点"),
    "map_colour_sigma": ("posterior σ", "后验 σ"),
    "map_colour_cluster": ("cluster", "聚类"),
    "map_cluster_name": ("{number}: {words}", "第 {number} 类：{words}"),
    "map_mark_none": ("no mark", "无标点"),
    "map_mark_comma": ("comma", "逗号"),
    "map_mark_stop": ("sentence end", "句末"),
    "map_mark_quote": ("quote", "引号"),
    "map_mark_line": ("line break", "换行"),
    "map_mark_number": ("number", "数字"),
    "map_mark_other": ("other", "其他"),
    "map_shuffled": ("shuffled", "打乱后"),
    "map_trust": (
        "Trustworthiness ± 95%: whether the {k} neighbours of a point in the picture are near it in l dimensions too. "
        "1 is perfect; a picture with its points shuffled gets about 0.5. Measured on {rows} random points against all "
        "{count}. The PCA plane holds {share} of the variance.",
        "可信度 ± 95%：图上一个点的 {k} 个近邻，在 l 维空间里是否也离它近。1 为完美；把点打乱后的图约为 0.5。"
        "随机取 {rows} 个点，与全部 {count} 个点比较得出。PCA 平面解释了 {share} 的方差。",
    ),
    "map_trust_none": (
        "Too few points for a trustworthiness: no neighbour can be far away.",
        "点太少，无法计算可信度：没有哪个近邻会离得远。",
    ),
    "map_said": ("It says “{text}” · more ↓", "它说“{text}” · 详情 ↓"),
    "map_says": ("The decoder says", "解码器说"),
    "map_count": ("times seen", "出现次数"),
    "map_bits": ("information", "信息量"),
    "map_sigma": ("mean posterior σ", "后验 σ 均值"),
    "map_norm": ("length of the vector", "向量长度"),
    "map_back": ("distance to encode(decode(z))", "到 encode(decode(z)) 的距离"),
    "map_back_axis": ("distance to encode(decode(z))", "到 encode(decode(z)) 的距离"),
    "map_blend": ("Blended from", "混合自"),
    "map_posterior": ("Posterior: mean as bars, σ as whiskers", "后验：柱为均值，须为 σ"),
    "map_vector": ("The vector; it is no encoder's answer, so it has no σ", "向量；它不是编码器的输出，因此没有 σ"),
    "map_neighbours": ("Nearest chunks in {l} dimensions, and how far", "{l} 维空间中最近的块及距离"),
    "map_between": ("Between the points", "两点之间"),
    "map_from": ("Walk from here (A)", "从这里出发（A）"),
    "map_to": ("Walk to here (B)", "走到这里（B）"),
    "map_search_title": ("Find chunks", "查找块"),
    "map_search_text": ("Chunks with a word that begins so stay lit.", "其中有单词以此开头的块保持点亮。"),
    "map_search": ("A word or its beginning", "单词或其开头"),
    "map_found": ("{count} chunks", "{count} 个块"),
    "map_found_shown": ("({count} shown)", "（显示 {count} 个）"),
    "map_found_one": ("1 chunk", "1 个块"),
    "map_phrase_title": ("Put a phrase on the map", "把短语放到地图上"),
    "map_phrase_text": (
        "It is cut into chunks and encoded; each chunk lands among its neighbours in l dimensions.",
        "短语被切成块并编码；每个块落在它的 l 维近邻之间。",
    ),
    "map_phrase": ("Type a phrase", "输入一个短语"),
    "map_landed": (
        "{count} chunks; the first lies {distance} from “{near}”.",
        "{count} 个块；第一个离“{near}”的距离为 {distance}。",
    ),
    "map_landed_one": (
        "1 chunk; it lies {distance} from “{near}”.",
        "1 个块；离“{near}”的距离为 {distance}。",
    ),
    "map_walk": ("Walk from A to B", "从 A 走到 B"),
    "map_walk_text": (
        "The line is the shortest way, but its middle is shorter than its ends; the sphere keeps the length. A dot is "
        "large where a token flips.",
        "直线最短，但中间的向量比两端短；球面保持长度。词元翻转处的圆点较大。",
    ),
    "map_walk_hint": (
        "Click two points, or two places between points, and make one A and the other B.",
        "点击两个点（或两处空白），分别设为 A 和 B。",
    ),
    "map_walk_other": ("One end is set. Choose the other.", "已设一端，请选另一端。"),
    "map_walk_axis": ("from A to B", "从 A 到 B"),
    "map_path_line": ("Line", "直线"),
    "map_path_sphere": ("Sphere", "球面"),
    "map_step": (
        "at {t}; distance to encode(decode(z)) {back}; length {norm}",
        "位置 {t}；到 encode(decode(z)) 的距离 {back}；长度 {norm}",
    ),
    "map_key_flip": ("a token flips here", "此处有词元翻转"),
    "map_key_same": ("same text as before", "文字与前一步相同"),
    "map_stretches": ("{count} stretches of equal text", "{count} 段相同的文字"),
    "map_stretches_one": ("1 stretch: the text never changes", "1 段：文字始终不变"),
    "map_cloud_title": ("What a model would say next", "模型接下来会说什么"),
    "map_cloud_text": (
        "The head draws 200 vectors after the text; its last {k} tokens are held back as the truth. Dots are draws, "
        "rings are the posterior of the true chunk.",
        "生成头在文字之后抽取 200 个向量；文字的最后 {k} 个词元被留作真值。圆点是抽样，圆环是真实块的后验。",
    ),
    "map_cloud_calm": ("Model", "模型"),
    "map_cloud_context": ("Text, truth included", "文字（含真值）"),
    "map_cloud_seed": ("Seed", "种子"),
    "map_cloud_end": ("Seed at the end of the noise walk", "噪声漫步终点的种子"),
    "map_cloud_go": ("Draw 200", "抽取 200 次"),
    "map_cloud_none": (
        "No CALM over this autoencoder is at hand.",
        "没有基于这个自编码器的 CALM。",
    ),
    "map_noise_go": ("Walk the noise", "沿噪声漫步"),
    "map_noise": ("Noise walk", "噪声漫步"),
    "map_noise_axis": ("the head's noise, from the first seed to the second", "生成头的噪声，从第一个种子到第二个"),
    "map_hits": ("draws that say the truth", "说出真值的抽样"),
    "map_of": ("{part} of {all}", "{all} 中的 {part}"),
    "map_distinct": ("different chunks", "不同的块"),
    "map_diversity": ("between two draws", "两次抽样之间"),
    "map_fidelity": ("from a draw to the truth", "抽样到真值"),
    "map_spread": ("between two of the truth", "真值后验的两次抽样之间"),
    "map_score": ("energy score", "能量评分"),
    "map_true": ("← truth", "← 真值"),
    "map_cloud_note": (
        "Distances are means in l dimensions. The posterior of the truth has a mean σ of {sigma}. Every dot lies among "
        "its nearest chunks, and those may be far from it: {near} on average over the {count} draws.",
        "距离是 l 维空间中的均值。真值的后验 σ 均值为 {sigma}。每个圆点放在离它最近的块之间，而这些块可能离它很远："
        "{count} 次抽样的平均距离为 {near}。",
    ),
    "map_lasso_title": ("A part of the map", "地图的一部分"),
    "map_lasso_text": (
        "Its chunks, and the words that are more frequent in them than in all others (log-odds in standard errors).",
        "其中的块，以及在这些块里比别处更常见的词（对数优势比，以标准误计）。",
    ),
    "map_lasso_hint": (
        "Choose the lasso above the map and draw around points; or choose a group in the legend, or search for a word, "
        "and press “Typical words”.",
        "选择地图上方的套索，圈住一些点；也可以在图例里选一组，或搜索一个词，再按“典型词”。",
    ),
    "map_words_go": ("Typical words", "典型词"),
    "map_chosen": ("{count} chunks chosen", "选中 {count} 个块"),
    "map_chosen_one": ("1 chunk chosen", "选中 1 个块"),
    "map_typical": ("typical word", "典型词"),
    "map_inside": ("inside", "其中"),
    "map_outside": ("outside", "其余"),
    "map_odds": ("log-odds", "对数优势比"),
    "map_z": ("z", "z 值"),
    "map_no_words": ("No word is typical of them.", "没有典型词。"),
    "map_more": ("and {count} more", "另有 {count} 个"),
    "map_own_title": ("Your own text", "你自己的文字"),
    "map_own_text": (
        "Its different chunks become a map, first by PCA; it stays in memory only. At most {most} characters.",
        "其中不同的块构成一张地图，先用 PCA；它只留在内存里。最多 {most} 个字符。",
    ),
    "map_own_place": ("Paste a text here", "在此粘贴文字"),
    "map_own_file": ("Or choose a text file", "或选择一个文本文件"),
    "map_own_go": ("Map it", "绘制地图"),
    "map_own_busy": ("Encoding…", "正在编码……"),
    "map_own_long": (
        "The text has {count} characters: shorten it to at most {most}.",
        "文字有 {count} 个字符：请缩短到至多 {most} 个。",
    ),
    "map_back_first": ("Back to the first map", "回到最初的地图"),
    "map_fit_title": ("Compute UMAP again", "重新计算 UMAP"),
    "map_fit_text": (
        "In a process of its own: a minute for the compiler, then the layout. The map changes when it is done.",
        "在单独的进程里：先编译约一分钟，再布局。完成后地图会更新。",
    ),
    "map_fit_neighbors": ("n_neighbors", "n_neighbors（近邻数）"),
    "map_fit_distance": ("min_dist", "min_dist（最小距离）"),
    "map_fit_go": ("Compute", "计算"),
    "map_cancel": ("Cancel", "取消"),
    "map_cancelled": ("Cancelled; the map is as it was.", "已取消；地图保持原样。"),
    "map_fit_gone": (
        "The computation ended without a map. Start it again, with other settings.",
        "计算结束但没有得到地图。请换个设置再试。",
    ),
    "map_stage_start": ("starting", "正在启动"),
    "map_stage_neighbours": ("neighbours: {done} of {total}", "近邻：{done} / {total}"),
    "map_stage_compiler": ("loading UMAP and compiling", "正在加载并编译 UMAP"),
    "map_stage_layout": ("layout: round {done} of {total}", "布局：第 {done} / {total} 轮"),
    "map_png": ("Picture as PNG", "图片（PNG）"),
}
