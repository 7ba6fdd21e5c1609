"""The page of examples: sorted, filtered and opened in a real browser, without anything but its own file."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape

import numpy as np
import pytest

from rote.report.examples import write_examples_page

from .browser import dom, shown_ids, shown_value
from .synthetic_examples import examples

PER_PAGE = 50


@pytest.fixture(scope="module")
def table():
    return examples()


@pytest.fixture(scope="module")
def page(table, tmp_path_factory):
    return write_examples_page(table, tmp_path_factory.mktemp("page") / "examples.html")


def expected(table, score, *, descending, keep=None):
    """ids in order: by the score, equals by id, those without a value last."""
    values, ids = table.columns[score].astype(float), table.columns["id"]
    rows = [i for i in range(len(ids)) if keep is None or keep[i]]
    there = [i for i in rows if np.isfinite(values[i])]
    there.sort(key=lambda i: (-values[i] if descending else values[i], ids[i]))
    return [int(ids[i]) for i in [*there, *(i for i in rows if not np.isfinite(values[i]))]]


# (address, score, descending, which are kept)
VIEWS = [
    ("#sort=aum&desc&filter=corrupted", "aum", True, lambda c: c["is_corrupted"]),
    (
        "#sort=memorization&desc&filter=aum<1.5,aum>=0.5,!is_corrupted",
        "memorization",
        True,
        lambda c: (c["aum"] < 1.5) & (c["aum"] >= 0.5) & ~c["is_corrupted"],
    ),
    ("#sort=variability&asc&label=%3Cship%3E", "variability", False, lambda c: c["label_used"] == 2),
    ("", "aum", False, None),
]


@pytest.mark.parametrize(("address", "score", "descending", "kept"), VIEWS, ids=[view[0] or "plain" for view in VIEWS])
def test_rows_are_sorted_and_filtered(page, table, address, score, descending, kept):
    text = dom(page, address)
    keep = None if kept is None else kept(table.columns)
    ids = expected(table, score, descending=descending, keep=keep)
    assert shown_ids(text) == ids[:PER_PAGE]
    found = re.search(r'<p id="found"[^>]*>([^<]*)</p>', text)[1]
    assert found == f"{len(ids)} of 120 examples, by {score.replace('_', ' ')}"


def test_pages_are_turned_and_missing_values_come_last(page, table):
    ids = expected(table, "memorization", descending=True)
    assert shown_ids(dom(page, "#sort=memorization&desc&page=3")) == ids[100:]
    assert ids[-1] == 1005


def test_an_example_is_shown_with_its_scores_its_trajectory_and_its_picture(page, table):
    text = dom(page, "#sort=aum&desc&id=1007")  # a low one: it stands on a later page, which is shown
    row = 7
    ids = expected(table, "aum", descending=True)
    first = ids.index(1007) // PER_PAGE * PER_PAGE
    assert shown_ids(text) == ids[first : first + PER_PAGE]
    assert first > 0
    assert shown_value(text, "is_corrupted") == "yes"
    assert unescape(shown_value(text, "label_used")) == table.class_name(int(table.columns["label_used"][row]))
    assert float(shown_value(text, "aum").replace("−", "-")) == pytest.approx(table.columns["aum"][row], rel=1e-3)
    figures = re.findall(r'<figure data-trajectory="(\w+)">.*?</figure>', text, flags=re.S)
    assert figures == ["loss", "margin"]
    own = re.search(r'<figure data-trajectory="margin">.*?<path d="([^"]*)" class="own">', text, flags=re.S)[1]
    points = np.array(re.findall(r"[ML]([\d.]+) ([\d.]+)", own), dtype=float)
    assert len(points) == 8
    # Heights fall as values rise, linearly: what is drawn is what was given.
    values = table.trajectories["margin"].values[:, row]
    assert np.corrcoef(values, points[:, 1])[0, 1] < -0.9999
    assert (np.diff(points[:, 0]) > 0).all()
    assert re.search(r'<span class="picture sheet-0"[^>]*aria-label="example 1007"', text)
    assert re.findall(r'data-neighbour="(\d+)"', text) == ["1008", "1009", "1014"]
    assert '<tr data-id="1007" tabindex="0" class="chosen">' in text
    middle = re.findall(r'<path d="([^"]*)" class="median">', text)
    assert len(middle) == 2


def test_what_is_not_there_is_said(page):
    text = dom(page, "#sort=loss&filter=lost,aum<x&label=cow&colour=red&id=5")
    assert "There is no example 5." in text
    found = re.search(r'<p id="found"[^>]*>([^<]*)</p>', text)[1]
    for problem in ("no column loss", "no filter lost", "no filter aum&lt;x", "no label cow", "nothing called colour"):
        assert problem in found
    assert found.startswith("120 of 120 examples, by aum")  # what cannot be read keeps nobody out


def test_the_page_is_one_file_and_asks_for_nothing(page):
    text = page.read_text()
    assert "default-src 'none'" in text
    assert not re.findall(r"""(?:src|href)=["']?(?!data:|#)[a-z]+:""", text)
    assert "http" not in text.replace("http-equiv", "").replace("http://www.w3.org/2000/svg", "")
    assert "&lt;ship&gt;" in text
    assert "<ship>" not in text  # names of classes never become markup
    assert "</script>" not in text[text.index("id='data'") :].split("</script>")[0]
    for title in ("Easiest", "Hardest", "Most forgotten", "Most memorized"):
        assert f">{title}</a>" in text
    for title in ("Data map", "Area under the margin", "Forgetting", "How scores agree"):
        assert f"<figcaption>{title}</figcaption><svg" in text


def test_contact_sheets_hold_the_extremes(page, table):
    text = page.read_text()
    order = expected(table, "confidence", descending=True)
    sheet = re.search(r">Easiest</a>.*?</section>", text, flags=re.S)[0]
    assert [int(i) for i in re.findall(r"href='#id=(\d+)'", sheet)] == order[:24]
    sheet = re.search(r">Hardest</a>.*?</section>", text, flags=re.S)[0]
    assert [int(i) for i in re.findall(r"href='#id=(\d+)'", sheet)] == expected(table, "confidence", descending=False)[
        :24
    ]
    sheet = re.search(r">Most memorized</a>.*?</section>", text, flags=re.S)[0]
    assert [int(i) for i in re.findall(r"href='#id=(\d+)'", sheet)] == expected(table, "memorization", descending=True)[
        :24
    ]
    assert sheet.count("class='wrong'") == sum(table.columns["is_corrupted"][i - 1000] for i in expected(
        table, "memorization", descending=True)[:24])  # fmt: skip


def test_without_pictures_trajectories_and_classes(tmp_path):
    table = examples(30, images=False, trajectories={}, classes=(), neighbours=None)
    text = dom(write_examples_page(table, tmp_path / "bare.html"), "#sort=aum&desc&id=1003")
    assert shown_ids(text) == expected(table, "aum", descending=True)
    assert shown_value(text, "label_used") == str(table.columns["label_used"][3])
    assert "<figure data-trajectory" not in text
    assert "strip" not in text.split("<main>")[1].split("<footer>")[0]


def test_thousands_of_rows_are_a_page_of_fifty(tmp_path):
    table = examples(20_000, epochs=4, size=2)
    path = write_examples_page(table, tmp_path / "many.html")
    assert path.stat().st_size < 8_000_000
    text = dom(path, "#sort=confidence&asc&filter=corrupted&page=2")
    ids = expected(table, "confidence", descending=False, keep=table.columns["is_corrupted"])
    rounded = np.array([float(f"{v:.6g}") for v in table.columns["confidence"]])
    shown = [rounded[i - 1000] for i in shown_ids(text)]
    assert shown == [rounded[i - 1000] for i in ids[50:100]]


def test_kinds_of_columns(table):
    more = {
        "label_used_0.4": np.zeros(120, dtype=int),
        "label_redrawn": np.zeros(120, dtype=bool),
        "n_in": np.ones(120, dtype=int),
    }
    found = replace(table, columns={**table.columns, **more})
    assert found.labels == ["label_true", "label_used", "label_used_0.4"]
    assert {"label_redrawn", "is_corrupted", "never_learned"} == set(found.flags)
    assert "n_in" in found.scores
    assert not {"id", "label_used_0.4", "label_redrawn"} & set(found.scores)
    assert found.class_name(2) == "<ship>"
    assert found.class_name(7) == "7"


def test_bad_tables_are_refused(table):
    with pytest.raises(ValueError, match="columns: id must be integers, each once"):
        replace(table, columns={**table.columns, "id": np.zeros(120, dtype=int)})
    with pytest.raises(ValueError, match="columns must be arrays of one length"):
        replace(table, columns={**table.columns, "aum": np.zeros(3)})
    path = table.trajectories["loss"]
    with pytest.raises(ValueError, match=r"trajectories: loss must be float \[8, 120\]"):
        replace(table, trajectories={"loss": type(path)(path.epochs, path.values.T)})
    with pytest.raises(ValueError, match=r"images must be uint8 \[120, H, W, 3\]"):
        replace(table, images=table.images[:4])
    with pytest.raises(ValueError, match=r"neighbours must lie in \[-1, 120\)"):
        replace(table, neighbours=np.full((120, 2), 120))
    with pytest.raises(ValueError, match="columns: aum must be numbers, truth values or text"):
        replace(table, columns={**table.columns, "aum": np.zeros(120, dtype=complex)})


# Sets the keyboard on something, presses it, and notes where the keyboard stands once the page is made anew.
_PRESS = """<script>
const at = document.querySelector('SELECTOR');
at.focus();
at.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true }));
if (at.tagName === 'BUTTON') at.click();
window.addEventListener('hashchange', () => {
  const now = document.activeElement;
  document.body.dataset.focused = now === at ? 'not made anew' : now.outerHTML.slice(0, 80);
});
</script></body>"""


@pytest.mark.parametrize(
    ("selector", "there"),
    [
        ("#rows tbody tr:nth-child(4)", "<tr data-id="),
        ("[data-sort=variability]", 'data-sort="variability"'),
        ('#pages button[aria-label="next page"]', 'aria-label="next page"'),
    ],
)
def test_the_keyboard_stays_where_it_was(page, tmp_path, selector, there):
    pressed = tmp_path / "pressed.html"
    pressed.write_text(page.read_text().replace("</body>", _PRESS.replace("SELECTOR", selector)))
    focused = re.search(r'<body[^>]* data-focused="([^"]*)"', dom(pressed, later=2000))
    assert there in unescape(focused[1])
