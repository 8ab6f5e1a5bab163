"""Every word on the page, in English and Simplified Chinese, side by side so that neither can be forgotten.

Native widgets get their words through ``gr.I18n``, which follows the browser's language (and the page's settings);
our own drawings get the same table as data and follow the same choice.
"""

from __future__ import annotations

from pathlib import Path

import gradio as gr
from gradio.i18n import I18nData

from calm_lab.app import energy_words, study_words, tempering_words

HOW = Path(__file__).parent / "static"

WORDS: dict[str, tuple[str, str]] = {
    "language_code": ("en", "zh"),
    # the page
    "page_tagline": (
        "CALM packs K tokens into one vector, and writes the next *vector* instead of the next token. Take it apart.",
        "CALM 把 K 个词元装进一个向量，然后写出下一个*向量*，而不是下一个词元。来把它拆开看看。",
    ),
    "page_dark": ("Dark", "深色"),
    "page_light": ("Light", "浅色"),
    "page_theme": ("Switch between dark and light", "切换深色与浅色"),
    "page_paper": ("Paper", "论文"),
    "model_ceiling": ("of at most", "上限"),
    "model_back": ("tokens back at σ = 0.3:", "σ = 0.3 时还原的词元："),
    # tokens and vectors
    "vectors_tab": ("Tokens and vectors", "词元与向量"),
    "vectors_look": (
        "Type: every chunk of tokens becomes one vector, and comes back. "
        "**Then turn up the noise** and see how long the text holds before it falls apart.",
        "输入文字：每一块词元变成一个向量，又变回来。**然后调高噪声**，看文字能坚持多久才散架。",
    ),
    "vectors_text": ("Your text", "你的文字"),
    "vectors_placeholder": ("Type something", "输入一些文字"),
    "vectors_model": ("Autoencoder", "自编码器"),
    "vectors_sigma": ("Noise σ on every vector", "加在每个向量上的噪声 σ"),
    "vectors_seed": ("Noise seed", "噪声种子"),
    "vectors_new_seed": ("New noise", "换一份噪声"),
    "vectors_how": ("How this is computed", "这是怎么算出来的"),
    "board_empty": ("Type something above.", "请在上面输入文字。"),
    "board_text": ("What the vectors say", "向量说出的文字"),
    "board_packed": ("packed", "装入"),
    "board_packed_value": ("{tokens} tokens → {count} vectors", "{tokens} 个词元 → {count} 个向量"),
    "board_packed_value_one": ("{tokens} tokens → 1 vector", "{tokens} 个词元 → 1 个向量"),
    "board_packed_note": (
        "{k} tokens a chunk, {l} numbers a vector; the end mark counts as a token",
        "每块 {k} 个词元，每个向量 {l} 个数；结束符也算一个词元",
    ),
    "board_back": ("came back", "还原"),
    "board_back_value": ("{correct} of {total} tokens", "{correct} / {total} 个词元"),
    "board_back_clean": ("decoded from the vectors as they are", "直接由向量解码"),
    "board_back_noisy": ("decoded after noise of σ = {sigma}", "加入 σ = {sigma} 的噪声后解码"),
    "board_bits": ("information", "信息量"),
    "board_bits_value": ("{bits} bits a chunk", "每块 {bits} 比特"),
    "board_bits_note": (
        "KL to the prior; {name} bits (K log₂ V) would name any {k} tokens",
        "相对先验的 KL；{name} 比特（K log₂ V）足以指明任意 {k} 个词元",
    ),
    "board_chunks": ("Chunks of the text; arrow keys move between them", "文字的各块；用方向键移动"),
    "board_chunk": ("Chunk {number}", "第 {number} 块"),
    "board_chunk_label": (
        "Chunk {number}: {text}; {bits} bits; {wrong} wrong",
        "第 {number} 块：{text}；{bits} 比特；错 {wrong} 个",
    ),
    "board_of": ("of {count}", "共 {count} 块"),
    "board_bits_short": ("{bits} bits", "{bits} 比特"),
    "legend_vector": ("vector", "向量"),
    "legend_sigma": ("posterior σ", "后验 σ"),
    "legend_confidence": ("decoder's confidence", "解码器的把握"),
    "legend_wrong": ("wrong", "出错"),
    "detail_title": ("The vector of chunk {number}", "第 {number} 块的向量"),
    "detail_hint": ("Choose a chunk above to see its vector.", "点选上面的一块，查看它的向量。"),
    "detail_mean": ("mean", "均值"),
    "detail_whisker": ("± posterior σ", "± 后验 σ"),
    "detail_dot": ("after noise", "加噪后"),
    "detail_plot": ("{l} coordinates of the vector", "向量的 {l} 个坐标"),
    "detail_bits": ("bits in each coordinate", "每个坐标的比特数"),
    "detail_coordinate": (
        "coordinate {i}: mean {mean}, σ {std}, {bits} bits",
        "坐标 {i}：均值 {mean}，σ {std}，{bits} 比特",
    ),
    "detail_after": (", after noise {z}", "，加噪后 {z}"),
    "detail_in": ("token", "词元"),
    "detail_out": ("came back as", "还原为"),
    "detail_probability": ("probability", "概率"),
    "token_end": ("end", "结束"),
    "token_pad": ("padding", "填充"),
    "token_begin": ("begin", "开始"),
    "token_mask": ("mask", "遮盖"),
    # generate
    "generate_tab": ("Generate", "生成"),
    "generate_look": (
        "Each step draws a pool of chunks and chooses one. **Lower the temperature**: only chunks that were drawn "
        "several times can be chosen. Click any chunk of the text to open its pool.",
        "每一步抽出一池候选块，从中选一个。**降低温度**：只有被抽到多次的块才可能被选中。点击文字中的任意一块，打开它的候选池。",
    ),
    "generate_prompt": ("Prompt", "开头"),
    "generate_placeholder": ("Empty: the model starts from nothing", "留空：模型从零开始"),
    "generate_model": ("Model", "模型"),
    "generate_temperature": ("Temperature", "温度"),
    "generate_temperature_one": ("every draw may be chosen", "抽到的都可能被选中"),
    "generate_temperature_many": ("a chunk needs {n} equal draws", "一个块要被抽到 {n} 次"),
    "generate_temperature_spoken": ("one over {n}", "{n} 分之一"),
    "generate_sure": ("surer", "更有把握"),
    "generate_free": ("freer", "更自由"),
    "generate_length": ("Length, tokens", "长度（词元）"),
    "generate_pool": ("Pool, draws a step", "候选池（每步抽取数）"),
    "generate_seed": ("Seed", "种子"),
    "generate_new_seed": ("New seed", "换种子"),
    "generate_go": ("Generate", "生成"),
    "generate_stop": ("Stop", "停止"),
    "generate_how": ("How this is computed", "这是怎么算出来的"),
    "stage_text": ("Written text; arrow keys move between chunks", "写出的文字；用方向键在块之间移动"),
    "stage_waiting": ("Nothing written yet. Press Generate.", "还没有写出文字。请按“生成”。"),
    "stage_starting": ("Starting…", "正在开始…"),
    "stage_running": ("writing", "正在写"),
    "stage_ended": ("ended by itself", "自行结束"),
    "stage_full": ("stopped at the length", "达到设定长度"),
    "stage_stopped": ("stopped", "已停止"),
    "stage_count": ("{count} chunks, {tokens} tokens, {seconds} s", "{count} 块，{tokens} 个词元，{seconds} 秒"),
    "stage_count_one": ("1 chunk, {tokens} tokens, {seconds} s", "1 块，{tokens} 个词元，{seconds} 秒"),
    "stage_settings": ("{model} · T = {t} · seed {seed}", "{model} · T = {t} · 种子 {seed}"),
    "stage_guess": (
        "Dashed, {guesses} of {steps}: no chunk came {n} times in the pool, so fewer repeats had to do. Where that "
        "happens often, the model is too unsure for whole sentences: small models know words first.",
        "虚线，{steps} 块中的 {guesses} 块：候选池里没有块出现 {n} 次，只好放宽要求。"
        "这种情况多，说明模型还没把握写出整句：小模型先学会的是词。",
    ),
    "stage_step": ("step {number}: {text}", "第 {number} 步：{text}"),
    "stage_nothing": ("(nothing yet)", "（尚无文字）"),
    "pool_title": ("The pool of step {number}", "第 {number} 步的候选池"),
    "pool_hint": ("Click a chunk to see what it was chosen from.", "点击一块，看它是从哪些候选中选出的。"),
    "pool_candidate": ("candidate", "候选"),
    "pool_count": ("drawn", "抽到"),
    "pool_groups": ("C(count, {n})", "C(次数, {n})"),
    "pool_weight": ("chance", "概率"),
    "pool_chosen": ("chosen", "选中"),
    "pool_rare": ("drawn too seldom", "抽到次数不足"),
    "pool_more": ("and {count} more", "另有 {count} 个"),
    "pool_summary": (
        "{draws} draws, {distinct} different, {eligible} could be chosen",
        "抽取 {draws} 次，{distinct} 种，其中 {eligible} 种可选",
    ),
    "pool_rule": (
        "T = 1/{wanted}: a chunk needs {wanted} equal draws.",
        "T = 1/{wanted}：一个块需要被抽到 {wanted} 次。",
    ),
    "pool_rule_one": (
        "T = 1: one draw, taken as it comes. Lower temperatures draw a pool and look for repeats.",
        "T = 1：抽一次，直接采用。更低的温度会抽出一池，寻找重复。",
    ),
    "pool_fallback": (
        "None came {wanted} times here, so {count} were enough.",
        "这里没有块出现 {wanted} 次，因此 {count} 次即可。",
    ),
    "pool_fallback_one": (
        "None came {wanted} times here, nor twice: a plain draw had to do.",
        "这里没有块出现 {wanted} 次，连两次也没有：只好随便取一个。",
    ),
    "pool_ms": ("{ms} ms", "{ms} 毫秒"),
    # under a picture
    "share_copy": ("Copy as Python", "复制为 Python"),
    "share_copied": ("Copied: paste it into a notebook.", "已复制：粘贴到笔记本即可。"),
    "share_by_hand": ("Mark the code and copy it.", "请选中代码并复制。"),
    "share_csv": ("Data as CSV", "数据（CSV）"),
}
WORDS |= energy_words.WORDS | tempering_words.WORDS | study_words.WORDS

for _tab in ("vectors", "energy", "generate", "tempering", "brier", "cost"):  # longer texts live in files
    _english, _chinese = ((HOW / f"how_{_tab}.{code}.md").read_text("utf-8") for code in ("en", "zh"))
    WORDS[f"{_tab}_how_text"] = (_english, _chinese)

I18N = gr.I18n(
    **{
        "en": {key: pair[0] for key, pair in WORDS.items()},
        "zh-CN": {key: pair[1] for key, pair in WORDS.items()},
        "zh-TW": {key: pair[1] for key, pair in WORDS.items()},
    }
)


def say(key: str) -> I18nData:
    """A word for a native widget, translated by the browser."""
    assert key in WORDS, key
    return I18N(key)


def table(*prefixes: str) -> dict[str, dict[str, str]]:
    """The words whose keys begin with one of ``prefixes``, by language, for our own drawings."""
    kept = {key: pair for key, pair in WORDS.items() if key.startswith(prefixes)}
    return {"en": {key: pair[0] for key, pair in kept.items()}, "zh": {key: pair[1] for key, pair in kept.items()}}
