"""Pages in headless Chromium, as a reader's browser runs them."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def dom(page: Path, fragment: str = "", *, seconds: int = 60, later: int = 0) -> str:
    """The page's DOM as text, `later` ms of its time after its script has run; skips where there is no Chromium."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        pytest.skip("needs Chromium, which is not installed here")
    options = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        f"--user-data-dir={page.parent / 'profile'}",
        "--dump-dom",
        *([f"--virtual-time-budget={later}"] if later else []),
    ]
    command = [browser, *options, f"{page.resolve().as_uri()}{fragment}"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False)
    except subprocess.TimeoutExpired:
        pytest.skip(f"Chromium did not answer within {seconds} s")
    assert done.returncode == 0, done.stderr[-2000:]
    assert "Uncaught" not in done.stderr, done.stderr[-2000:]
    return done.stdout


def shown_ids(text: str) -> list[int]:
    """The ids of the rows of the table, in order."""
    return [int(number) for number in re.findall(r'<tr[^>]*\bdata-id="(\d+)"', text)]


def shown_value(text: str, column: str) -> str:
    """What the chosen example has in a column."""
    return re.search(rf'<dd data-column="{column}">([^<]*)</dd>', text)[1]
