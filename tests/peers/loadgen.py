"""`loadgen survivors`: phones that register at a steady rate, and know who was promised what when the exchange dies."""
import json
import subprocess

from .exchange import binary
from .process import PeerFailed, Process
from .waiting import until

SECRET, FIRST_NUMBER = "bench-secret", 100_000


def people(count):
    """Rows for `Exchange.import_people`: the phones that loadgen plays."""
    return [(f"p{name}", f"Person {name}", name, name, SECRET)
            for name in map(str, range(FIRST_NUMBER, FIRST_NUMBER + count))]


class Survivors(Process):
    """`count` phones of which the last `callers` only call."""

    def __init__(self, server, count, callers, rate, call_rate=500):
        super().__init__("loadgen survivors")
        self.binary = binary().with_name("loadgen")
        if not self.binary.is_file():
            raise PeerFailed(f"no load generator at {self.binary}: run `cargo build -p bench`")
        self._command = [self.binary, "survivors", "--server", server, "--users", count, "--callers", callers,
                         "--rate", rate, "--call-rate", call_rate, "--hold-ms", 10]

    def start(self):
        return self.spawn(self._command, stdin=subprocess.PIPE)

    def told(self):
        """What it has printed, one value a line."""
        whole = [line for line in self.log().splitlines(True) if line.startswith("{") and line.endswith("\n")]
        return [json.loads(line) for line in whole]

    def confirmed(self):
        """How many phones got their 200 so far."""
        self.must_live()
        told = self.told()
        return told[-1]["confirmed"] if told else 0

    def next(self, key, seconds):
        """Tells it to go on, and waits for the line that has `key`."""
        self.child.stdin.write(b"\n")
        self.child.stdin.flush()
        return until(lambda: next((one for one in self.told() if key in one), None), seconds, f"loadgen tells {key}",
                     self.tail, every=0.05)
