"""An app without an exchange: `ringdown phone --app`, driven by its control socket."""
from .softphone import SOCKET, Softphone
from .exchange import binary


class App(Softphone):
    """Enrols with a link at its first start; what it keeps is enough afterwards."""

    def __init__(self, link, name="app", hertz=700.0, extra=()):
        super().__init__(name, "", "", "tls", hertz=hertz)
        self.name = f"ringdown phone --app {name}"
        self.state = self.folder / "state"
        self.control = self.folder / SOCKET
        self.link = link
        self._command = [
            binary(), "phone", "--app", link, "--state", self.state, "--codecs", "PCMU", "--record", self.record,
            "--control", self.control, "--tone", f"{hertz:g}", *extra,
        ]

    @property
    def device(self):
        return next(event["device"] for event in self.saw("app"))

    def wait_connected(self):
        return self.wait_event("directory", connected=True)

    def wait_asleep(self):
        return self.wait_event("asleep")

    def wait_left(self):
        return self.wait_event("left")

    def told(self):
        """All that it told, as text."""
        self._pump()
        return [event for event in self.events if event["event"] != "heard"]
