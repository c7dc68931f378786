"""docs/reference/ is what the models, the catalogue, the library, the verbs and the errors say now."""

import re
from itertools import groupby
from pathlib import Path

import pytest

from orchestrator.cli import reference
from orchestrator.gates.library import LIBRARY
from orchestrator.metrics.signals import CATALOGUE
from orchestrator.spec.explain import sections
from orchestrator.spec.load import KINDS

ROOT = Path(__file__).parents[2]
PAGES = reference.published()


@pytest.mark.parametrize(("path", "text"), PAGES.items(), ids=list(PAGES))
def test_a_page_has_not_drifted_from_what_it_is_made_of(path, text):
    assert (ROOT / path).read_text() == text, "run `make generate`"


def test_no_other_file_lies_among_the_pages():
    assert {str(path.relative_to(ROOT)) for path in (ROOT / "docs" / "reference").iterdir()} == set(PAGES)


def rows(page):
    """The rows of all tables of a page, each table by itself, cell by cell."""
    lines = PAGES[f"docs/reference/{page}.md"].splitlines()
    for isrow, table in groupby(lines, key=lambda line: line.startswith("| ")):
        if isrow:
            yield [re.split(r"(?<!\\)\|", line)[1:-1] for line in table]


@pytest.mark.parametrize("page", [Path(path).stem for path in PAGES])
def test_every_row_of_a_table_has_as_many_cells_as_its_header(page):
    for table in rows(page):
        assert {len(row) for row in table} == {len(table[0])}


@pytest.mark.parametrize(("page", "names"), [("signals", CATALOGUE), ("library", {**LIBRARY.gates, **LIBRARY.sets})])
def test_everything_that_a_gate_may_name_has_a_row(page, names):
    assert set(names) == {row[0].strip().strip("`") for table in rows(page) for row in table[2:]}


def test_every_field_that_a_file_may_have_has_a_row():
    told = {cell for kind in KINDS for table in rows(kind.lower()) for row in table for cell in row[:1]}
    told |= {row[0] for table in rows("gate") for row in table}
    for kind, model in KINDS.items():
        for section in sections(kind, model):
            for field, _ in section.fields:
                assert any(f"`{field.path.rpartition('.')[2]}`" in cell for cell in told)
