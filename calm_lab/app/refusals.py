"""Refusals in the reader's language: the one line that says why a drawing is not there, in English and in Chinese.

The library says in English what it refuses. What a visitor meets by typing, clicking or turning a dial is said in
Chinese too; what only a raw call can provoke stays English.
"""

from __future__ import annotations

from typing import Any

from calm_lab.app.translated import translated

CHINESE = {
    # texts
    "there is no text to encode: type at least one character": "没有可编码的文本：请至少输入一个字符。",
    "there is no text to place: type at least one character": "没有可放到图上的文本：请至少输入一个字符。",
    "there is no text to map: give at least one character": "没有可绘制的文本：请至少给出一个字符。",
    "the {what} has {n} characters: shorten it to at most {most}": "文本有 {n} 个字符：请缩短到最多 {most} 个。",
    "the {what} has {n} tokens: shorten it to at most {most}": "文本有 {n} 个词元：请缩短到最多 {most} 个。",
    "the {what} has more than {n} tokens: shorten it": "文本超过 {n} 个词元：请缩短。",
    "the text has {n} tokens: give at least {least}, because the last {held} are held back as the truth": (
        "文本有 {n} 个词元：请至少给出 {least} 个，因为最后 {held} 个要留作真值。"
    ),
    "this must be one token, and is {n} here: {cut}; a word often begins with a space": (
        "这里必须是一个词元，而它是 {n} 个：{cut}；一个词往往以空格开头。"
    ),
    # numbers
    "{what} must be a whole number from {low} to {high}, not {said}": (
        "数值必须是 {low} 到 {high} 的整数，而不是 {said}。"
    ),
    "{what} must be a number from {low} to {high}, not {said}": "数值必须在 {low} 到 {high} 之间，而不是 {said}。",
    # models
    "there is no autoencoder: train one (calm-lab train autoencoder) and give its folder with --models": (
        "没有自编码器：请训练一个（calm-lab train autoencoder），并用 --models 给出它的文件夹。"
    ),
    "there is no CALM: train one (calm-lab train calm) and give its folder with --models": (
        "没有 CALM：请训练一个（calm-lab train calm），并用 --models 给出它的文件夹。"
    ),
    "there is no Transformer: train one (calm-lab train transformer), give its folder with --models": (
        "没有 Transformer：请训练一个（calm-lab train transformer），并用 --models 给出它的文件夹。"
    ),
    "this {what} has no tokenizer: add its tokenizer.json to the folder": (
        "这个模型没有分词器：请把它的 tokenizer.json 放进文件夹。"
    ),
    "only the energy head turns noise into a vector in one pass: choose a model that has one": (
        "只有能量头能一步把噪声变成向量：请选择带能量头的模型。"
    ),
    # the map
    "a vector of length 0 has no direction: walk the line instead": "长度为 0 的向量没有方向：请改走直线。",
    "these two vectors point in opposite directions: walk the line instead": "这两个向量方向相反：请改走直线。",
    "the file holds no text: choose a text file in UTF-8": "没有文本：请输入一段文本，或选择一个 UTF-8 文本文件。",
    "this map is no longer kept: open it again": "这张图已不再保留：请重新打开。",
    "UMAP is already being computed for somebody: try again in a minute": "UMAP 正在为别人计算：请过一分钟再试。",
    "this model writes into the latent space of another autoencoder: choose a map of that one": (
        "这个模型写入的是另一个自编码器的潜空间：请选择那个自编码器的图。"
    ),
    "accuracy and collision are those of {n} tokens: choose a model of K >= {least}, not {said}": (
        "准确率与碰撞率按 {n} 个词元计算：请选择 K >= {least} 的模型，而不是 {said}。"
    ),
    "the layout is not ready: wait for it": "布局还没有算好：请稍候。",
    "the layout was cancelled: start it again": "布局计算已取消：请重新开始。",
    "the text has {n} different chunks: a map needs at least {least}, give a longer text": (
        "文本有 {n} 个不同的块：一张图至少需要 {least} 个，请给出更长的文本。"
    ),
    "too many visitors ask at once: try again": "同时提问的访客太多：请再试一次。",
    "something went wrong here; the server's log says what": "这里出了错；原因见服务器日志。",
}
"""What the library says, with gaps, and what a Chinese reader reads."""


def refusal(reason: Exception | str) -> dict[str, Any]:
    """What a drawing shows in place of a picture: ``message`` in English, ``chinese`` where it is translated."""
    said = str(reason)
    shown = {"message": said[:1].upper() + said[1:] + "."}
    chinese = translated(said, CHINESE)
    return shown if chinese is None else shown | {"chinese": chinese}
