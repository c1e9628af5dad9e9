"""What the console costs: first paint with a cold cache, and script plus layout of a frame while 5,000 live rows scroll
(Show 7). Run alone (RINGDOWN_ALONE=1) the goals count as they are; beside other tests, three times as much is allowed."""
import json
import os
import statistics

import pytest

from peers.chromium import Chromium
from peers.exchange import Exchange
from peers.mock import Mock

pytestmark = pytest.mark.alone

SLACK = 1 if os.environ.get("RINGDOWN_ALONE") else 3
# Alone, the median of so many counts.
ROUNDS = 5 if os.environ.get("RINGDOWN_ALONE") else 1
FIRST_PAINT_MS = 1000
FRAME_MS = 8.0
# What the main thread does for a frame, as the browser's own trace names it; each stands for what happens inside it.
WORK = {"FireAnimationFrame", "TimerFire", "FunctionCall", "RunMicrotasks", "EventDispatch", "UpdateLayoutTree", "Layout", "PrePaint"}


@pytest.fixture(scope="module")
def browser():
    with Chromium() as running:
        yield running


def test_show_7_first_paint_with_a_cold_cache(browser):
    """Of the real exchange, by somebody who is signed in: what a worker waits for in the morning."""
    with Exchange() as office:
        base = f"http://{office.start().address('http')}"
        with_session = signed_in(browser, base + office.admin_link())
        times = []
        for _ in range(5):
            # A context has a cache of its own, which is empty.
            context = browser.context(viewport={"width": 1440, "height": 900}, storage_state=with_session)
            page = context.new_page()
            page.goto(base + "/live")
            page.get_by_role("heading", name="Live calls").wait_for()
            times.append(page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime"))
            fetched = page.evaluate("performance.getEntriesByType('resource').filter((one) => one.name.includes('/assets/')).map((one) => one.transferSize)")
            assert fetched and all(fetched), f"the cache was not cold: {fetched}"
            context.close()
        median = statistics.median(times)
        print(f"first contentful paint, cold cache, median of 5: {median:.0f} ms")
        assert median < FIRST_PAINT_MS * SLACK


def signed_in(browser, link):
    """Cookies and storage of a visitor who came by a link and will set the password later."""
    context = browser.context()
    page = context.new_page()
    page.goto(link)
    page.get_by_role("button", name="Later").click()
    page.locator(".bar").wait_for()
    state = context.storage_state()
    context.close()
    return state


def test_show_7_a_frame_of_5000_live_rows_that_scroll(browser):
    slow = []
    for _ in range(ROUNDS):
        spent = scrolled(browser)
        slow.append(sorted(spent)[int(len(spent) * 0.95)])
        print(f"{len(spent)} frames, script plus layout: median {statistics.median(spent):.2f} ms, p95 {slow[-1]:.2f} ms")
        assert statistics.median(spent) > 0, "the trace tells of no work at all"
    assert statistics.median(slow) <= FRAME_MS * SLACK, slow


def scrolled(browser):
    """Milliseconds of each frame of four seconds of scrolling."""
    with Mock(people=5000, calls=5000, busy=200) as office:
        context = browser.context(viewport={"width": 1440, "height": 900})
        page = context.new_page()
        page.goto(office.url + "/live")
        page.get_by_text("5,000 rows").wait_for(timeout=30_000)
        page.wait_for_timeout(1000)
        browser.browser.start_tracing(page=page, categories=["devtools.timeline", "disabled-by-default-devtools.timeline"])
        frames, most = page.evaluate(
            """async () => {
                const grid = document.querySelector('[role=grid]');
                const rows = document.getElementsByClassName('row');
                let [frames, most] = [0, 0];
                for (const end = performance.now() + 4000; performance.now() < end; frames++) {
                    grid.scrollTop += 61;
                    await new Promise(requestAnimationFrame);
                    most = Math.max(most, rows.length);
                }
                return [frames, most];
            }"""
        )
        trace = json.loads(browser.browser.stop_tracing())
        context.close()
    spent = per_frame(trace["traceEvents"])
    assert 10 < most <= 100, f"{most} rows in the document"
    # Each frame of the scrolling is in the trace, but for what was drawn while it began and ended.
    assert frames > 60 and len(spent) > 0.8 * frames, (frames, len(spent))
    return spent


def per_frame(events):
    """Milliseconds of work on the page's main thread for each frame, up to its commit."""
    main = next(
        (one["pid"], one["tid"])
        for one in events
        if one.get("name") == "FireAnimationFrame"
    )
    mine = sorted(
        (one for one in events if (one["pid"], one["tid"]) == main and "ts" in one), key=lambda one: (one["ts"], -one.get("dur", 0))
    )
    spent, now, covered = [], 0.0, 0
    for one in mine:
        if one["name"] == "Commit":
            spent.append(now)
            now = 0.0
        elif one["name"] in WORK and one.get("ph") == "X" and one["ts"] >= covered:
            # What lies inside another is counted with it.
            # The thread's own time: what other programs of this machine take does not count.
            now += one.get("tdur", one.get("dur", 0)) / 1000
            covered = one["ts"] + one.get("dur", 0)
    return spent[1:]
