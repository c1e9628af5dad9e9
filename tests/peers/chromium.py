"""The system's Chromium, driven by Playwright, for tests that need a real browser.

    with Chromium(trust=spki(certificate)) as browser:
        page = browser.page("https://127.0.0.1:8443/")

One driver serves all browsers of a test run, because Playwright allows one in a thread. Each browser has a profile of
its own that goes away with it.
"""
import base64
import hashlib
import shutil
import subprocess

from .process import PeerFailed

PROGRAM = "chromium"
# What it needs to run as root, without a screen, without calling home, and to hear and speak without asking anybody.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Pages that a test makes up come from no address; those may talk to loopback, too.
    "--disable-features=MediaRouter,OptimizationHints,LocalNetworkAccessChecks,LocalNetworkAccessChecksWebSockets",
    "--no-proxy-server",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
    # As releases are switched from afar, which the flags above keep out: a hello of DTLS 1.3 in two fragments.
    "--force-fieldtrials=WebRTC-ForceDtls13/Enabled/WebRTC-EnableDtlsPqc/Enabled/",
    # ICE candidates on loopback, which it leaves out otherwise.
    "--allow-loopback-in-peer-connection",
]

_driver = None
_users = 0


def _start_driver():
    global _driver, _users
    if _driver is None:
        from playwright.sync_api import sync_playwright

        _driver = sync_playwright().start()
    _users += 1
    return _driver


def _stop_driver():
    global _driver, _users
    _users -= 1
    if _users == 0:
        _driver.stop()
        _driver = None


def spki(certificate):
    """What `Chromium(trust=...)` takes: SHA-256 of the certificate's public key, in base64. `certificate`: a PEM file."""
    key = subprocess.run(
        ["openssl", "x509", "-in", str(certificate), "-pubkey", "-noout"], capture_output=True, check=True
    ).stdout
    der = subprocess.run(
        ["openssl", "pkey", "-pubin", "-outform", "der"], input=key, capture_output=True, check=True
    ).stdout
    return base64.b64encode(hashlib.sha256(der).digest()).decode()


class Chromium:
    """One browser. `trust`: see `spki`; the one certificate that is believed beside those of the system.
    `microphone`: a WAV file that the microphone hears over and over (48 kHz, one channel); beeps without."""

    def __init__(self, trust=None, microphone=None, flags=()):
        self.flags = [*FLAGS, *flags]
        if trust:
            self.flags.append(f"--ignore-certificate-errors-spki-list={trust}")
        if microphone:
            self.flags.append(f"--use-file-for-fake-audio-capture={microphone}")
        self.browser = None
        self.console = []

    def start(self):
        program = shutil.which(PROGRAM)
        if program is None:
            raise PeerFailed(f"no program {PROGRAM}; run `scripts/setup peers`")
        self.browser = _start_driver().chromium.launch(executable_path=program, headless=True, args=self.flags)
        return self

    def context(self, **options):
        """A visitor of their own: cookies, language (`locale`), size (`viewport`), light or dark (`color_scheme`)."""
        options.setdefault("permissions", ["microphone"])
        return self.browser.new_context(**options)

    def page(self, url=None, context=None, **options):
        """A page, in a context of its own unless one is given. What its console says is kept in `console`."""
        page = (context or self.context(**options)).new_page()
        page.on("console", lambda message: self.console.append(message.text))
        page.on("pageerror", lambda error: self.console.append(f"error: {error}"))
        if url is not None:
            page.goto(url)
        return page

    def lasting(self, folder, **options):
        """A visitor whose profile lies in a folder: to Chromium, one who does not browse in private. To be closed."""
        return self.browser.browser_type.launch_persistent_context(
            folder, executable_path=shutil.which(PROGRAM), headless=True, args=self.flags, **options)

    def close(self):
        if self.browser is not None:
            self.browser.close()
            self.browser = None
            _stop_driver()

    def tail(self, lines=40):
        """What the pages said last, for the report of a failed test."""
        return "--- chromium, last lines of its console:\n" + "\n".join(self.console[-lines:])

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.close()
