"""`<ringdown-phone>` with the real exchange: a page of a listed origin registers with a token, one of another is refused
(S0.2, sec_11)."""
import functools
import http.server
import json
import threading

import pytest

from peers.chromium import Chromium
from peers.exchange import REPOSITORY, Exchange


def sample():
    """The sample page on an origin of its own."""
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(REPOSITORY / "console/sample"))
    handler.log_message = lambda *_: None
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


@pytest.fixture(scope="module")
def pages():
    servers = [sample(), sample()]
    yield [f"http://127.0.0.1:{one.server_port}" for one in servers]
    for one in servers:
        one.shutdown()


@pytest.fixture(scope="module")
def office(pages):
    with Exchange(http_extra=f'origins = "{pages[0]}"\n') as running:
        yield running.start()


@pytest.fixture(scope="module")
def browser():
    with Chromium() as running:
        yield running


@pytest.fixture(scope="module")
def token(browser, office):
    printed = (office.folder / "stdout.txt").read_text()
    page = browser.page(next(word for word in printed.split() if "/enter/" in word))
    made = page.evaluate(
        """async () => {
            const { csrf } = await (await fetch('/api/v1/session')).json();
            const headers = {'X-Ringdown-CSRF': csrf, 'Content-Type': 'application/json', 'Idempotency-Key': crypto.randomUUID()};
            const body = JSON.stringify({name: 'portal', scopes: ['phone', 'people:read', 'people:write'], expires: null});
            return (await fetch('/api/v1/tokens', {method: 'POST', headers, body})).json();
        }"""
    )
    page.context.close()
    assert made["secret"].startswith("rd_"), made
    return made["secret"]


def log(page):
    return page.locator("#log").inner_text()


def test_s0_2_a_listed_page_has_a_telephone(browser, office, pages, token):
    page = browser.page(f"{pages[0]}/?server=http://{office.address('http')}#{token}")
    page.locator("#log", has_text='state {"state":"ready"}').wait_for()
    # The exchange answers the phone's own call: nobody has this number.
    page.evaluate("document.querySelector('ringdown-phone').dial('99999')")
    page.locator("#log", has_text="ended {").wait_for()
    ended = [json.loads(line.split("ended ", 1)[1]) for line in log(page).splitlines() if " ended {" in line]
    assert ended[0]["number"] == "99999" and ended[0]["direction"] == "out"
    assert ended[0]["reason"] == "unknown_number", ended
    # Ready and not ready are states of the exchange, not of the page.
    page.get_by_role("button", name="Not ready").click()
    page.locator("#log", has_text='"not_ready"').wait_for()
    account = office.run("account", "list").stdout
    assert "do not disturb" in account.lower() or "do-not-disturb" in account.lower(), account
    page.context.close()


def test_sec_11_an_unlisted_page_has_none(browser, office, pages, token):
    page = browser.page(f"{pages[1]}/?server=http://{office.address('http')}#{token}")
    page.locator("ringdown-phone .chip.bad").wait_for()
    assert '"ready"' not in log(page)
    page.context.close()
