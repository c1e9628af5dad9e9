"""SIPp: many calls at a steady rate, from the scenarios in `tests/sipp/`."""
import csv
from dataclasses import dataclass
from pathlib import Path

from .ports import LOOPBACK, free_port
from .process import PeerFailed, Process
from .waiting import until

SCENARIOS = Path(__file__).resolve().parents[1] / "sipp"
ENDED_WELL = 0


@dataclass
class Count:
    """What the run came to."""

    created: int
    successful: int
    failed: int
    retransmissions: int
    unexpected: int


class Sipp(Process):
    """One SIPp run. `rows` is the injection file: one row a phone, columns field0, field1, ..."""

    def __init__(self, scenario, target=None, rows=None, calls=None, rate=None, limit=None, port=None, keys=None,
                 order="SEQUENTIAL", timeout=60, talk_ms=None, challenge=401, extra=()):
        super().__init__(f"sipp {scenario}")
        self.port = port or free_port()
        self.stats = self.folder / "stat.csv"
        script = (SCENARIOS / f"{scenario}.xml").read_text()
        if challenge != 401:  # a proxy asks with 407
            script = script.replace('response="401"', f'response="{challenge}"')
        (self.folder / "scenario.xml").write_text(script)
        self.command = [
            "sipp", "-sf", self.folder / "scenario.xml", "-i", LOOPBACK, "-p", self.port, "-mi", LOOPBACK,
            "-nostdin", "-trace_stat", "-stf", self.stats, "-fd", "1", "-trace_err",
            "-error_file", self.folder / "errors.txt", "-timeout", f"{timeout}s", "-timeout_error",
            "-buff_size", "8388608",
        ]
        if rows:
            sheet = self.folder / "rows.csv"
            sheet.write_text(order + "\n" + "".join(";".join(map(str, row)) + "\n" for row in rows))
            self.command += ["-inf", sheet]
        if calls:
            self.command += ["-m", calls]
        if rate:
            self.command += ["-r", rate, "-rp", 1000]
        if talk_ms is not None:
            self.command += ["-d", talk_ms]
        if limit:
            self.command += ["-l", limit]
        for name, value in (keys or {}).items():
            self.command += ["-key", name, value]
        self.command += [*extra, *([target] if target else [])]

    def start(self):
        self.spawn(self.command)
        return self

    def listening(self):
        """A scenario that waits for calls: returns when its port is bound."""
        wanted = f":{self.port:04X} "

        def bound():
            self.must_live()
            return wanted in Path("/proc/net/udp").read_text()

        until(bound, 10, f"{self.name} binds port {self.port}", self.tail)
        return self

    def finish(self, seconds=60):
        """Waits for the end and returns the counts; any failed call fails the test."""
        code = self.wait_end(seconds)
        count = self.count()
        if code != ENDED_WELL or count.failed:
            raise PeerFailed(f"{self.name} ended with {code}: {count}\n{self.errors()}\n{self.tail()}")
        return count

    def errors(self, lines=40):
        path = self.folder / "errors.txt"
        if not path.exists():
            return ""
        return "first errors:\n" + "\n".join(path.read_text(errors="replace").splitlines()[:lines])

    def tail(self, lines=40):
        return super().tail(lines) + "\n" + self.errors()

    def count(self):
        """From the statistics file: one line a second, cumulative columns end in (C)."""
        with open(self.stats, newline="") as source:
            rows = [row for row in csv.DictReader(source, delimiter=";") if row.get("TotalCallCreated")]
        if not rows:
            raise PeerFailed(f"{self.name} wrote no statistics\n{self.tail()}")
        last = rows[-1]
        return Count(
            created=int(last["TotalCallCreated"]),
            successful=int(last["SuccessfulCall(C)"]),
            failed=int(last["FailedCall(C)"]),
            retransmissions=int(last["Retransmissions(C)"]),
            unexpected=int(last["FailedUnexpectedMessage(C)"]),
        )


def register(server, phones, contact_port, expires=300, rate=50):
    """Registers each (user, secret) with a contact at `contact_port`, one REGISTER with digest a phone."""
    rows = [(user, f"[authentication username={user} password={secret}]") for user, secret in phones]
    with Sipp("register", server, rows, calls=len(rows), rate=rate,
              keys={"contact_port": contact_port, "expires": expires}) as run:
        return run.start().finish()

