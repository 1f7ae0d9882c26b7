"""The web app in a real Chromium: first load, 500 symbols, 50,000 rows, a phone at a quarter speed.

Usage: `python benchmarks/pages.py [--seconds 10] [--json FILE]`

Starts the product on a fresh folder with a simulated market and measures frames by
`requestAnimationFrame` and long tasks by `PerformanceObserver`. The 500 symbols are copies of a
real one in the answer of `/api/v1/symbols`, so all rows are laid out while one has quotes; the
50,000 orders are copies of the newest one. Chromium draws without a graphics card here, which
makes frames dearer than on a desktop. Goals: specs of the app, 32 (phone: 45 frames a second), 33
(no task above 50 ms, at most 60 rows), 48 (50 frames a second).
"""

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tests" / "scenario")]

from browser import signed_in  # noqa: E402 - needs the path above
from product import PATIENT, Product  # noqa: E402

COPIES = """
const asked = globalThis.fetch;
globalThis.fetch = async (path, init) => {
  const made = await asked(path, init);
  const many = (one, count, name) => Array.from({ length: count }, (_, i) =>
    (i === 0 ? one : { ...one, [name]: `${one[name]}-${i}` }));
  if (String(path).startsWith("/api/v1/symbols"))
    return Response.json(many((await made.json())[0], SYMBOLS, "symbol"));
  if (!String(path).startsWith("/api/v1/orders?limit=100")) return made;
  const [order] = (await made.json()).items;
  return Response.json({ items: many(order, ROWS, "order_id"), next_cursor: null });
};
"""
FRAMES = """async ({ seconds, moved }) => {
  const node = moved ? document.querySelector(moved) : null;
  const tasks = [];
  const seen = new PerformanceObserver((list) =>
    tasks.push(...list.getEntries().map((one) => one.duration)));
  seen.observe({ type: "longtask" });
  const begun = performance.now();
  let frames = 0, rows = 0;
  while (performance.now() - begun < seconds * 1000) {
    await new Promise(requestAnimationFrame);
    frames += 1;
    if (!node) continue;
    node.scrollTop = (node.scrollTop + 400) % (node.scrollHeight - node.clientHeight);
    rows = Math.max(rows, node.querySelectorAll("tr[aria-rowindex], .watch-row").length);
  }
  seen.disconnect();
  return { fps: frames / seconds, long_tasks: tasks.length,
           longest_ms: Math.max(0, ...tasks), rows };
}"""
LOADED = """() => {
  const [page] = performance.getEntriesByType("navigation");
  const paint = performance.getEntriesByName("first-contentful-paint")[0];
  return { document_ms: page.domContentLoadedEventEnd, paint_ms: paint ? paint.startTime : null,
           kilobytes: performance.getEntriesByType("resource")
             .filter((one) => /assets/.test(one.name))
             .reduce((sum, one) => sum + one.encodedBodySize, page.encodedBodySize) / 1024 };
}"""
ORDERS = '[data-testid="widget-Order history"] .table-region'


def measured(page: Any, url: str, seconds: float) -> dict[str, object]:  # Playwright's page
    """Every figure, in the order of the usage."""
    found: dict[str, object] = {}
    page.goto(url + "/")
    page.get_by_test_id("equity").wait_for()
    found["first load"] = page.evaluate(LOADED)
    page.add_init_script(COPIES.replace("SYMBOLS", "500").replace("ROWS", "50000"))
    page.goto(url + "/market/EURUSD")
    page.locator(".watch.is-long").wait_for()
    found["500 symbols, scrolled"] = frames(page, seconds, ".watch.is-long")
    page.goto(url + "/positions/orders")
    page.locator(f"{ORDERS} tr[aria-rowindex]").first.wait_for()
    found["50,000 rows, scrolled"] = frames(page, seconds, ORDERS)
    return found


def on_a_phone(page: Any, url: str, seconds: float) -> dict[str, object]:  # Playwright's page
    """The chart on 390 px, the processor at a quarter of its speed."""
    page.goto(url + "/market/EURUSD")
    page.locator("canvas").first.wait_for(state="attached")
    page.context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": 4})
    return frames(page, seconds, "")


def frames(page: Any, seconds: float, moved: str) -> dict[str, object]:  # Playwright's page
    """Frames a second and long tasks while something is scrolled, or nothing is."""
    taken: dict[str, object] = page.evaluate(FRAMES, {"seconds": seconds, "moved": moved})
    return taken


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        product = Product(Path(folder) / "data", more={"PLAN2_SIMULATED__SPEED": "60", **PATIENT})
        with signed_in(product, 1280, 800) as page:
            found = measured(page, product.url, options.seconds)
            kept = page.context.storage_state()
            phone = page.context.browser.new_page(
                viewport={"width": 390, "height": 800}, storage_state=kept
            )
            found["phone, processor at a quarter"] = on_a_phone(phone, product.url, options.seconds)
        product.stop()
    found["load"] = os.getloadavg()[0]
    for what, figures in found.items():
        print(f"{what}: {figures}")
    if options.json:
        options.json.write_text(json.dumps(found, indent=2), encoding="utf-8")


if __name__ == "__main__":
    main()
