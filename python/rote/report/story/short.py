"""What a page without the main experiment opens with: the questions of its sections, and what each found first."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import unescape
from typing import NamedTuple

_HEADING = re.compile(r"<h2>(.*?)</h2>", re.S)
_FINDING = re.compile(r"<p class='finding'>(.*?)</p>", re.S)


class Opening(NamedTuple):
    """A section's id, its heading, and the sentence beside its first figure; plain text."""

    key: str
    heading: str
    finding: str


def openings(parts: Mapping[str, str]) -> list[Opening]:
    """Of every section that has a finding, in the order of the page.

    Args:
        parts: the sections' HTML by id; "" for those left out.
    """
    found = []
    for key, html in parts.items():
        heading, finding = _HEADING.search(html), _FINDING.search(html)
        if heading and finding:
            found.append(Opening(key, unescape(heading[1]), unescape(finding[1])))
    return found
