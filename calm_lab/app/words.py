"""Every word on the page, in English and Simplified Chinese, side by side so that neither can be forgotten.

Native widgets get their words through ``gr.I18n``, which follows the browser's language (and the page's settings);
our own drawings get the same table as data and follow the same choice.
"""

from __future__ import annotations

from pathlib import Path

import gradio as gr
from gradio.i18n import I18nData

from calm_lab.app import (
    energy_words,
    example_words,
    generate_words,
    map_words,
    noise_words,
    study_words,
    tempering_words,
    tour_words,
)

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
        "KL to the prior; {name} bits (K log₂ V) would name any {k} tokens, the rest is redundancy that noise may eat",
        "相对先验的 KL；{name} 比特（K log₂ V）足以指明任意 {k} 个词元，其余是可供噪声消耗的冗余",
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
    "detail_first": ("coordinate 1", "坐标 1"),
    "detail_coordinate": (
        "coordinate {i}: mean {mean}, σ {std}, {bits} bits",
        "坐标 {i}：均值 {mean}，σ {std}，{bits} 比特",
    ),
    "detail_after": (", after noise {z}", "，加噪后 {z}"),
    "detail_in": ("token", "词元"),
    "detail_out": ("came back as", "还原为"),
    "detail_probability": ("probability", "概率"),
    "legend_shared": ("a part of a character: 1 of 2 tokens", "字符的一部分：2 个词元中的第 1 个"),
    "edit_button": ("exchange", "替换"),
    "edit_button_label": ("Exchange the token “{text}”", "替换词元“{text}”"),
    "edit_title": ("Token {place} of chunk {chunk} exchanged", "替换第 {chunk} 块的第 {place} 个词元"),
    "edit_choose": ("Put in its place", "换成"),
    "edit_another": ("another token", "其他词元"),
    "edit_go": ("Exchange", "替换"),
    "edit_plot": (
        "How far each of the {size} coordinates moved, in units of its posterior σ",
        "{size} 个坐标各移动了多远（以后验 σ 为单位）",
    ),
    "edit_coordinate": ("coordinate {i}: {moved} σ", "坐标 {i}：{moved} σ"),
    "edit_before": ("before", "之前"),
    "edit_after": ("after", "之后"),
    "edit_decoded": ("the new vector says", "新向量说出"),
    "edit_summary": (
        "{far} of {size} coordinates moved by more than their σ. The vector moved by {distance}, which is {share} of "
        "the distance between two chunks of this text. No other chunk moved: each is encoded alone.",
        "{size} 个坐标中有 {far} 个移动超过自己的 σ。向量移动了 {distance}，是这段文字中两块之间距离的 {share}。"
        "其他块没有动：每块单独编码。",
    ),
    "edit_summary_alone": (
        "{far} of {size} coordinates moved by more than their σ. The vector moved by {distance}.",
        "{size} 个坐标中有 {far} 个移动超过自己的 σ。向量移动了 {distance}。",
    ),
    "token_end": ("end", "结束"),
    "token_pad": ("padding", "填充"),
    "token_begin": ("begin", "开始"),
    "token_mask": ("mask", "掩码"),
    # under a picture
    "share_copy": ("Copy as Python", "复制为 Python"),
    "share_copied": ("Copied: paste it into a notebook.", "已复制：粘贴到 notebook 即可。"),
    "share_by_hand": ("Mark the code and copy it.", "请选中代码并复制。"),
    "share_csv": ("Data as CSV", "数据（CSV）"),
    "link_copy": ("Copy link to this view", "复制此页面状态的链接"),
    "link_copied": ("Copied: the link opens this tab as it is now.", "已复制：打开链接即回到现在的状态。"),
    "link_by_hand": ("Mark the link and copy it.", "请选中链接并复制。"),
    "link_cut": ("The text is too long for a link and is not in it.", "文字太长，没有放进链接。"),
    "link_refused": (
        "The link asks for {key} = “{value}”, which is not possible here; the usual value stands instead.",
        "链接要求 {key} = “{value}”，这里无法做到，已改用默认值。",
    ),
    "link_no_tab": ("The link asks for a tab that is not here: “{value}”.", "链接要打开的标签页不存在：“{value}”。"),
    "link_close": ("Close", "关闭"),
}
WORDS |= energy_words.WORDS | generate_words.WORDS | tempering_words.WORDS | study_words.WORDS | noise_words.WORDS
WORDS |= map_words.WORDS | tour_words.WORDS | example_words.WORDS

_TABS = ("tour", "vectors", "map", "noise", "energy", "generate", "tempering", "brier", "cost")
for _tab in _TABS:  # long texts in files
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
