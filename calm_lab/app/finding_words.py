"""The claims that our runs judge, and the remarks beside them, for a Chinese reader of the tab "What K buys".

The library says them in English (``calm_lab.lab.reproduction.grid``).
"""

from __future__ import annotations

import dataclasses
from typing import Any

from calm_lab.app.translated import translated
from calm_lab.lab.measured import Finding

CHINESE = {
    # claims
    "K = 1 scores above K = 2, if by little (7.15 against 7.03)": "K = 1 高于 K = 2，虽然只高一点（7.15 对 7.03）",
    "K = 4 scores below K = 2 (6.58 against 7.03)": "K = 4 低于 K = 2（6.58 对 7.03）",
    "K = 8 scores below K = 4 (5.31 against 6.58)": "K = 8 低于 K = 4（5.31 对 6.58）",
    "the same for the larger model": "较大的模型也一样",
    "from K = 4 to K = 8 the larger model keeps a larger share of its score (ours)": (
        "从 K = 4 到 K = 8，较大的模型保住的分数比例更高（我们自己的论断）"
    ),
    "at equal training FLOPs the CALM of width {width} scores above an equally wide Transformer": (
        "训练 FLOPs 相等时，宽度 {width} 的 CALM 得分高于同宽的 Transformer"
    ),
    "at equal inference FLOPs the CALM of width {width} scores above a narrower Transformer": (
        "推理 FLOPs 相等时，宽度 {width} 的 CALM 得分高于较窄的 Transformer"
    ),
    # what was measured
    "BrierLM of {pair}: {value}": "BrierLM，{pair}：{value}",
    # remarks
    "All sizes read the same tokens, in as many steps. Those of nano scale are so few that K = 1 still rises steeply "
    "when its runs end, so where K = 1 scores below K = 2 that speaks of how long a training is.": (
        "各种大小读的词元一样多，步数也一样多。nano 规模的步数很少，运行结束时 K = 1 仍在陡升；"
        "所以，凡是 K = 1 低于 K = 2 之处，说明的只是训练有多短。"
    ),
    "A Transformer of the CALM's own width takes fewer steps for the same training FLOPs. Hold beside it the smaller "
    "{smaller}, which takes all steps for about as many FLOPs as {large}, and {equal}, which at nano scale matches "
    "{small} in training FLOPs too. Widths go in steps of 16, so 'equal inference' is equal to about 10%.": (
        "与 CALM 同宽的 Transformer 用同样多的训练 FLOPs 只能训练更少的步数。"
        "请同时对照较小的 {smaller}：它训练了全部步数，"
        "FLOPs 与 {large} 差不多；还有 {equal}：在 nano 规模下，它的训练 FLOPs 也与 {small} 相当。"
        "宽度以 16 为一级，所以“推理相等”约有 10% 的出入。"
    ),
}
"""What the library says, with gaps, and what a Chinese reader reads."""


def finding_data(finding: Finding) -> dict[str, Any]:
    """A finding as plain data, with ``chinese_text`` and ``chinese_difference`` beside its English."""
    chinese = {f"chinese_{name}": translated(getattr(finding, name), CHINESE) for name in ("text", "difference")}
    return dataclasses.asdict(finding) | chinese


def remark_data(remark: str) -> dict[str, Any]:
    """A remark in both languages."""
    return {"text": remark, "chinese_text": translated(remark, CHINESE)}
