"""Starts the exchange under test and talks to its command line."""
import csv
import json
import os
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

from .ports import LOOPBACK, media_range
from .process import PeerFailed, Process
from .waiting import until

REPOSITORY = Path(__file__).resolve().parents[2]
START_SECONDS = 20
COMMAND_SECONDS = 20

CONFIG = """\
[sip]
udp = "{host}:0"
tcp = "{host}:0"
tls = "{host}:0"
{sip_extra}
[media]
address = "{host}"
ports = "{first}-{last}"

[http]
listen = "{host}:0"
tls = "{host}:0"
{http_extra}"""


@dataclass
class Device:
    """A phone as the exchange knows it: what a driver needs to register."""

    number: str
    user: str
    secret: str


def binary():
    """RINGDOWN_BIN, or the debug build of this tree."""
    named = os.environ.get("RINGDOWN_BIN")
    target = Path(os.environ.get("CARGO_TARGET_DIR") or REPOSITORY / "target")
    path = Path(named) if named else target / "debug" / "ringdown"
    if not path.is_file():
        raise PeerFailed(f"no exchange at {path}: run `cargo build`, or name one in RINGDOWN_BIN")
    return path.resolve()


class Exchange(Process):
    """`ringdown serve` on free loopback ports, its data in a folder that goes away with the test."""

    def __init__(self, folder=None, config_extra="", media_span=1600, sip_extra="", http_extra="", host=LOOPBACK, place=None):
        super().__init__("exchange", folder, place)
        host = place.address if place else host
        self.binary = binary()
        self.data = self.folder / "data"
        self.config = self.folder / "ringdown.toml"
        first, last = media_range(media_span)
        self.media_ports = range(first, last + 1)
        self.config.write_text(
            CONFIG.format(host=host, first=first, last=last, sip_extra=sip_extra, http_extra=http_extra) + config_extra)
        self.ready = {}

    def start(self):
        """Returns when the exchange says that it takes traffic."""
        return self.begin().wait_ready()

    def begin(self, *options):
        """Starts it, and does not wait."""
        with open(self.folder / "stdout.txt", "wb") as out:
            self.spawn([self.binary, "serve", "--config", self.config, "--data", self.data, *options], stdout=out)
        return self

    def wait_ready(self, seconds=START_SECONDS):
        def ready_line():
            whole = [line for line in (self.folder / "stdout.txt").read_text().splitlines(True) if line.endswith("\n")]
            for line in whole:
                if line.startswith("ready "):
                    return line
            self.must_live()

        line = until(ready_line, seconds, "the exchange prints `ready ...`", self.tail)
        self.ready = dict(field.split("=", 1) for field in line.split()[1:])
        return self

    def stop(self, seconds=5, sign=signal.SIGTERM):
        """At once: the first signal lets calls end, the second does not wait for them."""
        if self.alive():
            os.kill(self.pid, sign)
            try:
                self.child.wait(0.3)
            except subprocess.TimeoutExpired:
                super().stop(seconds, sign)

    def restart(self):
        """A stop and a start on the same data; the SIP ports may change."""
        self.stop()
        return self.start()

    # ---- addresses

    def address(self, transport="udp"):
        """`host:port` of a listener: udp, tcp, tls, http, https, ws or wss."""
        named = "sip" if transport == "udp" else transport
        value = self.ready.get(named)
        if value is None:
            raise PeerFailed(f"the ready line names no {transport}: {self.ready}")
        return value.removeprefix("udp:").removeprefix("tcp:").removeprefix("tls:")

    def host_port(self, transport="udp"):
        host, port = self.address(transport).rsplit(":", 1)
        return host, int(port)

    def uri(self, number, transport="udp"):
        """A SIP URI that reaches `number` by that listener."""
        return f"sip:{number}@{self.address(transport)};transport={transport}"

    # ---- administration

    def admin_link(self):
        """The path of the administrator's one-time link, as it was printed at the start."""
        for line in (self.folder / "stdout.txt").read_text().splitlines():
            if line.startswith("administrator "):
                return line[line.index("/enter/"):].strip()
        raise PeerFailed("no link was printed")

    def run(self, *arguments, ok=True):
        """`ringdown --data DIR ARGUMENTS`; the result has returncode, stdout and stderr."""
        command = [str(self.binary), "--data", str(self.data), *map(str, arguments)]
        result = subprocess.run(
            command, capture_output=True, text=True, timeout=COMMAND_SECONDS, stdin=subprocess.DEVNULL
        )
        if ok and result.returncode != 0:
            raise PeerFailed(
                f"`ringdown {' '.join(map(str, arguments))}` ended with {result.returncode}\n"
                f"{result.stdout}{result.stderr}\n{self.tail()}"
            )
        return result

    def add_account(self, account, number, device=None, secret=None):
        """A person with one number and, if named, one device. Returns the device."""
        self.run("account", "add", account)
        self.run("number", "add", number, "--account", account)
        if device is None:
            return None
        return self.add_device(account, number, device, secret)

    def add_device(self, account, number, device, secret=None):
        """One more device of an account; `number` only says which number reaches it."""
        secret = secret or f"secret-of-{device}"
        self.run("device", "add", device, "--account", account, "--secret", secret)
        return Device(number, device, secret)

    def import_people(self, rows, ok=True):
        """`ringdown import`: rows of (account, name, number, device, secret)."""
        path = self.folder / "people.csv"
        with open(path, "w", newline="") as out:
            sheet = csv.writer(out)
            sheet.writerow(["account", "name", "number", "device", "secret"])
            sheet.writerows(rows)
        return self.run("import", path, ok=ok)

    def calls(self):
        """The call records, oldest first."""
        lines = self.run("calls", "--json").stdout.splitlines()
        return sorted((json.loads(line) for line in lines if line.strip()), key=lambda one: str(one.get("started")))

    def wait_calls(self, count=1, seconds=5):
        """The records once `count` calls have ended; a record is written just after the BYE."""

        def look():
            ended = [one for one in self.calls() if one.get("ended")]
            return ended if len(ended) >= count else None

        return until(look, seconds, f"{count} call records", self.tail, every=0.1)

    # ---- the machine

    def memory_kib(self):
        """Resident memory, for the tests that must find no growth."""
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
        raise PeerFailed("no VmRSS")

    def open_files(self):
        return len(list(Path(f"/proc/{self.pid}/fd").iterdir()))
