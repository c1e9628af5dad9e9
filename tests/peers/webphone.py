"""A web phone in Chromium: real JsSIP on a page of the exchange's own origin, or of another.

    admin = Visitor(browser, exchange).enter(exchange.admin_link())
    ann = Visitor(browser, exchange).enter(admin.link_for("ann"))
    phone = ann.phone()
    phone.register()
"""
import os
import ssl
import urllib.request
from pathlib import Path

from . import ear
from .exchange import REPOSITORY
from .process import PeerFailed
from .waiting import until

SCRIPT = REPOSITORY / "tests" / "browser" / "phone.js"
# A page that the test itself gives the browser, as if the exchange had sent it.
PAGE = "/page-of-the-test"


def jssip():
    """JsSIP as one script, bundled by `scripts/setup peers`."""
    target = Path(os.environ.get("CARGO_TARGET_DIR") or REPOSITORY / "target")
    path = target / "peers-node" / "jssip.js"
    if not path.is_file():
        raise PeerFailed(f"no {path}: run `scripts/setup peers`")
    return path


def page_of_test(browser, context, origin):
    """An empty page of an origin, with JsSIP and the test's phone in it."""
    address = origin + PAGE
    body = "<!doctype html><title>test</title>"
    context.route(address, lambda route: route.fulfill(content_type="text/html", body=body))
    page = browser.page(address, context=context)
    page.add_script_tag(path=ear.SCRIPT)
    page.add_script_tag(path=jssip())
    page.add_script_tag(path=SCRIPT)
    return page


class Visitor:
    """Somebody with a browser window of their own."""

    def __init__(self, browser, exchange):
        self.browser, self.exchange = browser, exchange
        self.context = browser.context(ignore_https_errors=False)
        self.base = f"https://{exchange.address('https')}"

    def enter(self, link):
        """Opens a one-time link, given as a path."""
        page = self.page()
        page.evaluate("link => fetch(link, {redirect: 'manual'}).then(answer => answer.type)", link)
        page.close()
        return self

    def page(self, origin=None):
        """An empty page of the exchange's origin, or of another, with JsSIP and the test's phone in it."""
        return page_of_test(self.browser, self.context, origin or self.base)

    def ask(self, page, method, path, body=None):
        """A request to the API as a page makes it: (status, JSON)."""
        return page.evaluate(
            """async ([method, path, body]) => {
                const who = await (await fetch('/api/v1/session')).json();
                const headers = {'X-Ringdown-CSRF': who.csrf, 'Content-Type': 'application/json'};
                const answer = await fetch('/api/v1' + path, {method, headers, body: body && JSON.stringify(body)});
                const text = await answer.text();
                return [answer.status, text ? JSON.parse(text) : null];
            }""",
            [method, path, body],
        )

    def link_for(self, account):
        """As an administrator: a one-time link for somebody else."""
        page = self.page()
        status, answer = self.ask(page, "POST", f"/people/{account}/link")
        page.close()
        assert status in (200, 201), (status, answer)
        link = answer["link"]
        return link[link.index("/enter/"):]

    def phone(self, origin=None):
        return WebPhone(self.page(origin))


class WebPhone:
    """The phone of one page; see tests/browser/phone.js."""

    def __init__(self, page):
        self.page = page
        self.given = None

    def open(self):
        """What the API gives this session."""
        answer = self.page.evaluate("testPhone.open()")
        assert answer["status"] == 201, answer
        self.given = answer["body"]
        return self.given

    def start(self, given=None, **options):
        self.page.evaluate("([given, options]) => testPhone.start(given, options)", [given or self.given, options])
        return self

    def register(self, **options):
        self.open()
        self.start(**options)
        self.wait("registered")
        return self

    def events(self):
        return self.page.evaluate("testPhone.events")

    def wait(self, kind, seconds=10, count=1):
        """The `count`-th event of a kind."""

        def look():
            found = [event for event in self.events() if event["kind"] == kind]
            return found[count - 1] if len(found) >= count else None

        return until(look, seconds, f"the page sees {kind}", lambda: f"{self.events()}", every=0.05)

    def do(self, script):
        return self.page.evaluate(f"testPhone.{script}")


class PagePhone(WebPhone):
    """A SIP phone with a password of its own in a page that no exchange serves; `sockets` are those of several exchanges, the best
    first."""

    def __init__(self, browser, origin, device, domain, sockets):
        self._context = browser.context()
        super().__init__(page_of_test(browser, self._context, origin))
        self.given = {"uri": f"sip:{device.user}@{domain}", "password": device.secret, "sockets": sockets}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._context.close()

    def wait_registered(self):
        self.wait("registered")

    def wait_incoming(self, seconds=10):
        self.wait("rings", seconds)

    def answer(self):
        self.do("take()")


def fetch_status(url, origin=None, headers=None):
    """The status of a plain request, whatever its certificate."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    request = urllib.request.Request(url, headers={**(headers or {}), **({"Origin": origin} if origin else {})})
    try:
        with urllib.request.urlopen(request, context=context, timeout=10) as answer:
            return answer.status
    except urllib.error.HTTPError as refused:
        return refused.code
