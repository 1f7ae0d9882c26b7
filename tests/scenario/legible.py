"""What keeps a reader from reading a page: words cut off, covered, squeezed, or of another tongue.

Looked at in the page itself, in sight and out of it; what a title tells in full may be shortened.
"""

from browser import FIT_MS, LOOK_MS

ILLEGIBLE = """(isWhole) => {
  const found = [];
  const shown = (node) => node.checkVisibility({ visibilityProperty: true, opacityProperty: true });
  const words = (node) => node.textContent.trim().replaceAll(/\\s+/g, " ").slice(0, 60);
  const where = (node) => `${node.tagName.toLowerCase()}.${node.getAttribute("class") ?? ""}`;
  const left = ".sr-only, .skip-link, svg, canvas, script, style, .mantine-Notifications-root";
  const rectsOf = (node) => {
    const range = document.createRange();
    range.selectNodeContents(node);
    return [...range.getClientRects()].filter(({ width, height }) => width > 1 && height > 1);
  };

  for (const node of document.querySelectorAll("body *")) {
    if (node.closest(left) || node.clientWidth <= 1 || !shown(node)) continue;
    const hides = ["hidden", "clip"].includes(getComputedStyle(node).overflowX);
    const isCut = hides && node.scrollWidth > node.clientWidth + 1 && words(node);
    if (isCut && !node.closest("[title]") && !node.querySelector("[title]"))
      found.push(`cut off: ${where(node)} ${words(node)}`);
  }

  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const { currentNode: text } = walker;
    const parent = text.parentElement;
    if (!text.data.trim() || parent.closest(`${left}, thead, option`) || !shown(parent)) continue;
    const lines = rectsOf(text);
    if (lines.length >= 4 && Math.max(...lines.map(({ width }) => width)) < 26)
      found.push(`squeezed: ${where(parent)} ${words(parent)}`);
  }

  for (const cell of document.querySelectorAll("tbody td")) {
    if (getComputedStyle(cell).position !== "sticky" || !shown(cell)) continue;
    const region = cell.closest(".table-region");
    if (!isWhole && region) region.scrollLeft = region.scrollWidth;
    const edge = cell.getBoundingClientRect().left;
    for (const other of cell.parentElement.cells) {
      const covered = other !== cell && rectsOf(other).some(({ right }) => right > edge + 1);
      if (covered) found.push(`covered: ${words(other)} by ${words(cell)}`);
    }
  }
  return [...new Set(found)];
}"""

ENGLISH = """() => {
  const known = new Set(("the of and is are not with for from this that when which has have was "
    + "were been than then until since only every after before between").split(" "));
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const found = new Set();
  while (walker.nextNode()) {
    const { data, parentElement } = walker.currentNode;
    if (parentElement.closest("[lang=en], script, style, noscript, pre, code, .mono, .code-tree"))
      continue;
    const words = data.toLowerCase().match(/[a-z]+([._][a-z]+)*/g) ?? [];
    const hits = words.filter((word) => known.has(word));
    if (hits.length > 1) found.add(data.trim().slice(0, 100));
  }
  return [...found];
}"""
"""Sentences of English amid another language that are not marked as English."""


def illegible(page, *, is_whole: bool) -> list[str]:
    """What cannot be read.

    A table with `is_whole` has nothing under its buttons as it stands; else once it is scrolled to
    its end. What moves has time to come to rest.
    """
    found: list[str] = []
    for _ in range(FIT_MS // LOOK_MS):
        found = page.evaluate(ILLEGIBLE, is_whole)
        if not found:
            break
        page.wait_for_timeout(LOOK_MS)
    return found


def english(page) -> list[str]:
    """English sentences that are not marked as such."""
    return page.evaluate(ENGLISH)
