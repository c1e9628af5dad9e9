"""The web app of a directory in Chromium: a window of somebody's own, with what it was told and what it shows.

    app = WebApp(browser, directory, "gina").enrol()
    app.dial("2041")
    app.wait_text("Ringing")
"""
import json

from . import ear, push
from .ports import LOOPBACK
from .waiting import until

# What a browser gives a page that may be woken: its vendor's push service is not reached from here, so the subscription is
# that of the tests' own service.
SUBSCRIBES = """(() => {
    const made = { options: {}, toJSON: () => (%s), unsubscribe: async () => true };
    PushManager.prototype.subscribe = async function () { localStorage.setItem("subscribed", "yes"); return made; };
    PushManager.prototype.getSubscription = async () => (localStorage.getItem("subscribed") ? made : null);
})();"""
# A click on a notification, which no page can make.
CLICK = """async ([action]) => {
    const [notification] = await self.registration.getNotifications();
    const event = new NotificationEvent("notificationclick", { notification, action });
    const waits = [];
    event.waitUntil = (one) => waits.push(one);
    self.dispatchEvent(event);
    await Promise.all(waits);
}"""
SHOWN = "async () => (await self.registration.getNotifications()).map((one) => one.title)"


class WebApp:
    """One visitor. `service`: the push service at which it subscribes."""

    def __init__(self, browser, directory, account, service=None, script=None, **options):
        self.browser, self.directory, self.account = browser, directory, account
        self.base = f"https://{directory.apps}"
        options.setdefault("locale", "en")
        options.setdefault("viewport", {"width": 390, "height": 844})
        self.context = browser.context(permissions=["microphone", "notifications"], **options)
        self.context.add_init_script(path=ear.SCRIPT)
        if script:
            self.context.add_init_script(script)
        self.subscription = push.App(service) if service else None
        if self.subscription:
            self.context.add_init_script(SUBSCRIBES % json.dumps(self.subscription.subscription))
        self.page, self.heard = None, []

    def open(self, path="/"):
        """The page, anew or for the first time."""
        self.page = self.browser.page(context=self.context)
        self.page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: self.heard.append(str(frame))))
        self.page.goto(path if path.startswith("https:") else self.base + path)
        return self

    def enrol(self):
        self.open(self.directory.invite_page(self.account))
        self.page.get_by_role("button", name="Use this device").or_(self.page.get_by_role("button", name="启用此设备")).click()
        return self.wait_ready()

    def wait_ready(self):
        self.wait_text("Ready", "可接听")
        return self

    def wait_text(self, *texts, seconds=10):
        def look():
            shown = self.shown()
            return any(text in shown for text in texts)

        until(look, seconds, f"the page of {self.account} shows {texts}", self.tail, every=0.05)

    def shown(self):
        # By the driver's own clock, so that what the page says is heard meanwhile.
        self.page.wait_for_timeout(20)
        return self.page.inner_text("body")

    def tail(self):
        return f"{self.page.inner_text('body')}\n{self.browser.tail()}"

    def dial(self, number):
        self.page.get_by_label("Number to call").get_by_role("textbox").fill(number)
        self.press("Call")

    def press(self, name):
        self.page.get_by_role("button", name=name, exact=True).click()

    def sleep(self):
        """The page is closed; what it said of how it is woken is known."""
        self.page.close()
        self.page = None

    def close(self):
        self.context.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # ---- the worker

    @property
    def worker(self):
        until(lambda: self.page.wait_for_timeout(20) or self.context.service_workers, 5, "the worker runs", self.tail)
        return self.context.service_workers[0]

    def lookout(self):
        """A page of the same origin that is none of the app's: DevTools reach the worker by it."""
        page = self.browser.page(self.base + "/icon.svg", context=self.context)
        return Lookout(self, page)


class Lookout:
    """Gives the worker what its push service would."""

    def __init__(self, app, page):
        self.app, self.page, self.registrations = app, page, []
        self.devtools = app.context.new_cdp_session(page)
        self.devtools.on("ServiceWorker.workerRegistrationUpdated",
                         lambda told: self.registrations.extend(told["registrations"]))
        self.devtools.send("ServiceWorker.enable")
        until(lambda: page.wait_for_timeout(20) or self.registrations, 5, "its registration is known")

    def deliver(self, text):
        told = {"origin": self.app.base, "registrationId": self.registrations[-1]["registrationId"], "data": text}
        self.devtools.send("ServiceWorker.deliverPushMessage", told)

    @property
    def worker(self):
        until(lambda: self.page.wait_for_timeout(20) or self.app.context.service_workers, 5, "the worker runs")
        return self.app.context.service_workers[0]

    def wait_shown(self, titles, seconds=5):
        until(lambda: self.worker.evaluate(SHOWN) == titles, seconds, f"notifications say {titles}",
              lambda: f"{self.worker.evaluate(SHOWN)}", every=0.05)

    def click(self, action):
        self.worker.evaluate(CLICK, [action])


def addresses(heard):
    """What was heard that says where anybody is."""
    return [one for one in heard if LOOPBACK in one]
