"""How the page looks: the theme made from the palette, one style sheet, fonts that come from this machine.

Nothing is fetched from another host. IBM Plex is served from gradio's own files where its version has them; elsewhere
the system's fonts take over.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import gradio as gr
from gradio.themes.utils import fonts

from calm_lab.app.words import I18N
from calm_lab.lab.palette import css_variables, palette

STATIC = Path(__file__).parent / "static"
SANS = ("ui-sans-serif", "system-ui", "Segoe UI", "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", "sans-serif")
MONO = ("ui-monospace", "SFMono-Regular", "Consolas", "Noto Sans Mono CJK SC", "monospace")
FONT_WEIGHTS = (400, 700)  # the semi-bold files that gradio brings lack most letters

# theme variable: colour of the palette
_COLOURS = {
    "body_background_fill": "paper",
    "body_text_color": "ink",
    "body_text_color_subdued": "muted",
    "background_fill_primary": "card",
    "background_fill_secondary": "well",
    "border_color_primary": "line",
    "border_color_accent": "accent",
    "border_color_accent_subdued": "line",
    "color_accent_soft": "accent_soft",
    "link_text_color": "accent",
    "link_text_color_hover": "accent",
    "link_text_color_active": "accent",
    "link_text_color_visited": "accent",
    "code_background_fill": "well",
    "block_background_fill": "card",
    "block_border_color": "line",
    "block_info_text_color": "muted",
    "block_label_background_fill": "card",
    "block_label_text_color": "muted",
    "block_title_text_color": "muted",
    "panel_background_fill": "card",
    "panel_border_color": "line",
    "input_background_fill": "card",
    "input_background_fill_focus": "card",
    "input_border_color": "line",
    "input_border_color_focus": "accent",
    "input_placeholder_color": "muted",
    "slider_color": "accent",
    "loader_color": "accent",
    "button_primary_background_fill": "accent",
    "button_primary_background_fill_hover": "accent",
    "button_primary_border_color": "accent",
    "button_primary_text_color": "on_accent",
    "button_secondary_background_fill": "card",
    "button_secondary_background_fill_hover": "well",
    "button_secondary_border_color": "line",
    "button_secondary_text_color": "ink",
    "button_cancel_background_fill": "card",
    "button_cancel_border_color": "line",
    "button_cancel_text_color": "error",
    "button_cancel_text_color_hover": "error",
    "error_background_fill": "card",
    "error_border_color": "error",
    "error_text_color": "error",
    "error_icon_color": "error",
    "table_border_color": "line",
    "table_even_background_fill": "card",
    "table_odd_background_fill": "card",
}
_SHAPES = {
    "block_border_width": "0px",
    "block_shadow": "none",
    "block_padding": "0px",
    "block_radius": "10px",
    "block_title_text_weight": "500",
    "block_title_text_size": "0.8125rem",
    "block_label_text_size": "0.8125rem",
    "block_info_text_size": "0.8125rem",
    "input_border_width": "1px",
    "input_radius": "8px",
    "input_shadow": "none",
    "input_shadow_focus": "0 0 0 2px *color_accent_soft",
    "button_border_width": "1px",
    "button_large_radius": "8px",
    "button_medium_radius": "8px",
    "button_small_radius": "999px",
    "button_large_text_weight": "600",
    "button_large_text_size": "1rem",
    "button_medium_text_weight": "500",
    "button_primary_shadow": "none",
    "button_transition": "background-color 0.15s ease, border-color 0.15s ease",
    "form_gap_width": "0px",
    "layout_gap": "16px",
}


@cache
def theme() -> gr.themes.Base:
    """The theme: every colour from ``calm_lab.lab.palette``, light and dark."""
    light, dark = palette("light"), palette("dark")
    made = gr.themes.Base(
        font=_family("IBM Plex Sans", SANS),
        font_mono=_family("IBM Plex Mono", MONO),
        text_size=gr.themes.sizes.text_md,
        radius_size=gr.themes.sizes.radius_md,
    )
    values = dict(_SHAPES)
    known = vars(made)
    for name, colour in _COLOURS.items():
        values[name] = getattr(light, colour)
        if f"{name}_dark" in known:
            values[f"{name}_dark"] = getattr(dark, colour)
    values["color_accent"] = "var(--cl-accent)"  # has no dark twin
    for name, value in values.items():
        setattr(made, name, value)
        if name in _SHAPES and f"{name}_dark" in known:
            setattr(made, f"{name}_dark", value)
    return made


def _family(name: str, fallback: Sequence[str]) -> list[fonts.Font | str]:
    if not (hasattr(fonts, "LocalFont") and fonts.local_font_available(name, FONT_WEIGHTS)):
        return list(fallback)
    return [fonts.LocalFont(name, weights=FONT_WEIGHTS), *fallback]


@cache
def style() -> str:
    """The style sheet: the palette as custom properties, ``static/style.css``, then the sheets of single tabs."""
    blocks = [
        (":root", css_variables("light"), "light"),
        (":root.dark, :root .dark", css_variables("dark"), "dark"),
    ]
    rules = [
        f"{selector} {{ color-scheme: {scheme}; "
        + " ".join(f"{name}: {value};" for name, value in colours.items())
        + " }"
        for selector, colours, scheme in blocks
    ]
    sheets = sorted(STATIC.glob("*.css"), key=lambda path: (path.name != "style.css", path.name))
    return "\n".join([*rules, *(sheet.read_text("utf-8") for sheet in sheets)])


@cache
def script(*names: str) -> str:
    """The JavaScript of one drawing, with the helpers all of them share in front; helpers of some come before it."""
    return "\n".join((STATIC / file).read_text("utf-8") for file in ("base.js", *names))


def launch_options() -> dict[str, object]:
    """What ``Blocks.launch`` must be given for the page to look and behave as meant; tests use the same."""
    return {
        "theme": theme(),
        "i18n": I18N,
        "quiet": True,
        "css": style(),
        "footer_links": ["api", "settings"],
        "run_history": False,
        "ssr_mode": False,
        "show_error": False,
        "favicon_path": str(STATIC / "favicon.png"),
    }
