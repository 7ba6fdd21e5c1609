"""Figures and images -> text that stands inside one HTML file."""

from __future__ import annotations

import base64
import io
import re
from html import escape

import numpy as np
from matplotlib.figure import Figure

from rote.report import style

# Local fonts only; the drawing is laid out in DejaVu Sans, the widest of them, so that nothing overflows.
FONTS = "'Helvetica Neue', Helvetica, Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif"


def svg_text(figure: Figure, name: str) -> str:
    """A figure as a standalone SVG document; ids carry `name`, so that several can stand in one page."""
    buffer = io.StringIO()
    with style.matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": name}):
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>\s*", "", text, flags=re.S)
    text = re.sub(r"<!--.*?-->\s*", "", text, flags=re.S)
    text = re.sub(r"(font(?:-family)?: [^;\"]*?)'DejaVu Sans'[^;\"]*", lambda m: m[1] + FONTS, text)
    text = re.sub(r'\bid="([^"]+)"', rf'id="{name}-\1"', text)
    text = re.sub(r'href="#([^"]+)"', rf'href="#{name}-\1"', text)
    return re.sub(r"url\(#([^)]+)\)", rf"url(#{name}-\1)", text)


def inline_svg(document: str, description: str) -> str:
    """An SVG document as an element of an HTML page: scales to its column and follows the theme.

    Args:
        document: what `svg_text` returned.
        description: what the figure shows, for those who cannot see it; plain text.
    """
    head, body = document.split(">", 1)
    box = re.search(r'viewBox="[^"]+"', head)
    if box is None:
        raise ValueError("document has no viewBox, so it cannot scale")
    for variable, (light, _) in style.THEME.items():
        body = re.sub(re.escape(light) + r"\b", f"var(--{variable})", body, flags=re.I)
    return f'<svg {box[0]} role="img" aria-label="{escape(description)}">{body.strip()}'


def prose(text: object) -> str:
    """Text for HTML content, escaped, with numbers and their signs ("95 %", "B = 16") kept on one line."""
    return re.sub(r"(?<=\d) (?=%)|(?<=\bB) (?== )|(?<=\bB =) ", "\u00a0", escape(str(text)))


def png_uri(pixels: np.ndarray) -> str:
    """uint8 [H, W, 3] as the data address of a PNG."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(buffer, format="PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
