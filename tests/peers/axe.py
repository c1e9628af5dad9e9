"""axe-core in a page: what it finds serious or critical (WCAG 2.2)."""
import os
from pathlib import Path

from .exchange import REPOSITORY
from .process import PeerFailed


def script():
    target = Path(os.environ.get("CARGO_TARGET_DIR") or REPOSITORY / "target")
    path = target / "peers-node/node_modules/axe-core/axe.min.js"
    if not path.is_file():
        raise PeerFailed(f"no axe-core at {path}: run `scripts/setup peers`")
    return path.read_text()


# What fades in has little contrast until it is there.
STILL = """Promise.all(document.getAnimations()
    .filter((one) => Number.isFinite(one.effect?.getComputedTiming().endTime))
    .map((one) => one.finished.catch(() => {})))"""


def faults(page):
    """In sentences: the rule, what it says, and the elements that break it."""
    # By the debugger, not by a tag: the page's own policy forbids foreign scripts, as it should.
    page.evaluate(script())
    page.evaluate(f"{STILL}.then(() => {{}})")
    results = page.evaluate("axe.run({resultTypes: ['violations']})")
    return [
        f"{one['id']} ({one['impact']}): {one['help']}: " + "; ".join(node["html"][:160] for node in one["nodes"][:4])
        for one in results["violations"]
        if one["impact"] in ("serious", "critical")
    ]
