"""The page in a real browser: three widths, light and dark, for each verdict. The pictures are kept below build/.

What can be measured on the page is checked; the pictures are for people to look at.
"""

from pathlib import Path

import pytest

from orchestrator import report
from orchestrator.report import Links
from tests.unit.report import browser, runs

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(browser.program() is None, reason="no browser is installed (Debian: chromium)"),
]

PICTURES = Path(__file__).parents[3] / "build" / "report-pictures"
WIDTHS = (400, 900, 1400)
SCHEMES = ("light", "dark")
LINKS = Links("https://prometheus.example.org", "https://grafana.example.org/")

WIDER_THAN_ITS_PLACE = """
[...document.querySelectorAll('body *')].filter(e =>
  e.scrollWidth > e.clientWidth + 1 && e.clientWidth > 0 && getComputedStyle(e).display !== 'inline'
  && !e.closest('svg') && !e.classList.contains('scroll')
).map(e => e.tagName + '.' + e.className + ': ' + e.textContent.trim().slice(0, 40))
"""
SCROLLS_WITHOUT_A_HINT = """
[...document.querySelectorAll('.scroll')].filter(e =>
  e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e.nextElementSibling).display === 'none'
).map(e => e.querySelector('svg').getAttribute('aria-label'))
"""
TEXTS_THAT_MEET = """
[...document.querySelectorAll('svg')].flatMap(svg => {
  const texts = [...svg.querySelectorAll('text')].map(t => [t.textContent, t.getBoundingClientRect()])
    .filter(([, r]) => r.width > 0);
  return texts.flatMap(([a, p], i) => texts.slice(i + 1)
    .filter(([, q]) => p.left < q.right - 1 && q.left < p.right - 1 && p.top < q.bottom - 3 && q.top < p.bottom - 3)
    .map(([b]) => svg.getAttribute('aria-label') + ': ' + a + ' / ' + b));
})
"""
TEXTS_OUT_OF_THEIR_CHART = """
[...document.querySelectorAll('svg')].flatMap(svg => {
  const whole = svg.getBoundingClientRect();
  return [...svg.querySelectorAll('text')].map(t => [t.textContent, t.getBoundingClientRect()]).filter(([, r]) =>
    r.left < whole.left - 1 || r.right > whole.right + 1 || r.top < whole.top - 1 || r.bottom > whole.bottom + 1
  ).map(([text]) => svg.getAttribute('aria-label') + ': ' + text);
})
"""
VERDICT_ABOVE_ITS_REASON = """
document.querySelector('.banner strong').getBoundingClientRect().bottom
  <= document.querySelector('.banner p').getBoundingClientRect().top
"""


@pytest.fixture(scope="module")
def chromium(tmp_path_factory):
    with browser.browsing(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.fixture(scope="module", params=runs.RUNS)
def page(request, tmp_path_factory):
    journal = runs.RUNS[request.param]()
    path = tmp_path_factory.mktemp("page") / f"{request.param}.html"
    path.write_text(report.render(journal, runs.judged(journal), "html", LINKS))
    return path


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("scheme", SCHEMES)
def test_nothing_is_cut_or_covered(chromium, page, width, scheme):
    chromium.open(page, width, scheme)
    chromium.picture(PICTURES / f"{page.stem}-{width}-{scheme}.png")
    chromium.run("document.querySelectorAll('details').forEach(each => each.open = true)")
    assert chromium.run("document.documentElement.scrollWidth") == width
    assert chromium.run(WIDER_THAN_ITS_PLACE) == []
    assert chromium.run(SCROLLS_WITHOUT_A_HINT) == []
    assert chromium.run(TEXTS_THAT_MEET) == []
    assert chromium.run(TEXTS_OUT_OF_THEIR_CHART) == []
    assert chromium.run(VERDICT_ABOVE_ITS_REASON) is (width == 400)


def test_the_banners_link_leads_to_the_gate_that_decided(chromium, tmp_path):
    journal = runs.too_slow()
    path = tmp_path / "page.html"
    path.write_text(report.render(journal, runs.judged(journal), "html"))
    chromium.open(path, 400, "light")
    chromium.run("document.querySelector('.banner a').click()")
    top = chromium.run("document.querySelector('#gate-baseline-finality-close').getBoundingClientRect().top")
    assert 0 <= top < 40


def test_two_schemes_have_two_papers(chromium, page):
    papers = set()
    for scheme in SCHEMES:
        chromium.open(page, 900, scheme)
        papers.add(chromium.run("getComputedStyle(document.documentElement).backgroundColor"))
    assert len(papers) == 2
