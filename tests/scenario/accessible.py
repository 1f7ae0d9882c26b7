"""What every page owes everybody: no violation that axe-core finds, nothing too wide or small.

axe-core is a development dependency of the web app (`npm ci` in its folder); it is run in the page,
never served.
"""

import re
from pathlib import Path

import pytest

WEB = Path(__file__).parents[2] / "src" / "plan2" / "interface" / "web"
AXE = WEB / "node_modules" / "axe-core" / "axe.min.js"
TAGS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa")
"""Levels A and AA of WCAG 2.0 to 2.2."""
TOUCH_PX = 44

RUN = """async (runOnly) => {
  const found = await axe.run(document, { runOnly, resultTypes: ["violations"] });
  return found.violations.map((one) =>
    `${one.id}: ${one.help} ${one.nodes.slice(0, 3).map((node) => node.html.slice(0, 160))}`);
}"""
SMALL = """(least) => {
  const inText = "p, dd, td, li span, .sr-only, .dim, figure, thead";
  const small = (node) => {
    const { width, height } = node.getBoundingClientRect();
    return width > 1 && height > 1 && height < least - 0.5 && !node.closest(inText)
      && !node.matches(".skip-link, [type=checkbox], [type=range]")
      && node.checkVisibility({ visibilityProperty: true });
  };
  return [...document.querySelectorAll("button, a[href], input, select, textarea")]
    .filter(small).map((node) => node.outerHTML.slice(0, 140));
}"""

ZONELESS = """() => [...document.querySelectorAll("main time")]
  .filter((one) => !/ UTC| GMT/.test(one.innerText) || !/^\\d{4}-/.test(one.title))
  .map((one) => one.outerHTML.slice(0, 140))"""


def pages() -> list[str]:
    """The address of every page that the navigation knows."""
    source = (WEB / "src" / "shell" / "pages.ts").read_text(encoding="utf-8")
    found = re.findall(r'path: "([^"]+)"', source)
    assert len(found) >= 13, found
    return found


def settled(page) -> None:
    """Wait until nothing on the page says that it is loading."""
    page.get_by_role("main").wait_for()
    page.wait_for_function("() => !document.querySelector('main [data-state=loading], .skeleton')")


def violations(page, *rules: str) -> list[str]:
    """What axe-core finds on the page as it is, by these rules or all of levels A and AA."""
    if not AXE.is_file():
        pytest.skip(f"axe-core is not installed; run `npm ci --ignore-scripts` in {WEB}")
    if not page.evaluate("() => 'axe' in globalThis"):
        page.evaluate(AXE.read_text(encoding="utf-8"))
    chosen = {"type": "rule", "values": rules} if rules else {"type": "tag", "values": TAGS}
    return page.evaluate(RUN, chosen)


def too_small(page) -> list[str]:
    """Controls that are lower than a finger needs; links inside of sentences are exempt."""
    return page.evaluate(SMALL, TOUCH_PX)


def without_zone(page) -> list[str]:
    """Times on the page that do not say their zone, or not the whole instant when pointed at."""
    return page.evaluate(ZONELESS)
