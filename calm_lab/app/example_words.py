"""The names of the worked examples, as the chips below a text box say them. The examples themselves stay English."""

from __future__ import annotations

import re

CHINESE = {
    "Fairy tale": "童话",
    "Numbers": "数字",
    "Rare words": "生僻词",
    "Start from nothing": "从零开始",
    "Once upon a time": "很久以前",
    "Leo the fox": "狐狸 Leo",
    "Mia the mouse": "小老鼠 Mia",
    "There was once": "从前有一位",
    "The little mermaid": "小美人鱼",
    "The morning": "清晨",
    "A green drum": "绿色的鼓",
    "A little duckling": "小鸭子",
    "A merry rabbit": "快乐的兔子",
    "The boldest cat": "最大胆的猫",
    "A farm-house": "农舍",
    "The old street lamp": "老路灯",
}


def key(name: str) -> str:
    """The key of an example's name in the table of words."""
    return "example_" + re.sub(r"\W+", "_", name.lower())


WORDS = {key(name): (name, chinese) for name, chinese in CHINESE.items()}
