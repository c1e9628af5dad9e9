"""The servers that are measured: each pinned to the first core, each known by all of its processes."""
import os
import resource
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY / "tests"))

from peers import sipsak  # noqa: E402
from peers.exchange import Exchange  # noqa: E402
from peers.ports import LOOPBACK, free_port  # noqa: E402
from peers.process import Process  # noqa: E402
from peers.waiting import until  # noqa: E402

SECRET, FIRST_NUMBER = "bench-secret", 100_000
SERVER_CORE, LOAD_CORE = 0, max(os.sched_getaffinity(0))
# Side by side, below the ports that the system gives out itself.
OUR_PORTS, BARE_PORTS, RTPENGINE_PORTS = (10_000, 21_999), (22_000, 26_999), (27_000, 32_767)


@contextmanager
def on_core(core):
    """What starts inside runs on that core alone."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def raise_descriptors():
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def processes(root):
    """The process and all of its descendants."""
    found = [root]
    for task in Path(f"/proc/{root}/task").iterdir():
        for child in (task / "children").read_text().split():
            found += processes(int(child))
    return found


class Ours(Exchange):
    """The exchange with `users` people; ladder, call records and store as always."""

    name_in_table = "ringdown"

    def __init__(self, users, callers_by_tls=False, config_extra="", ports=OUR_PORTS, first=FIRST_NUMBER):
        super().__init__(config_extra=config_extra)
        drawn = f"{self.media_ports[0]}-{self.media_ports[-1]}"
        self.config.write_text(self.config.read_text().replace(drawn, "{}-{}".format(*ports)))
        self.users, self.first = users, first
        self.desks = f"{LOOPBACK}:{free_port()}"
        self.callers_by_tls = callers_by_tls

    def start(self):
        with on_core(SERVER_CORE):
            super().start()
        if self.users:
            self.import_phones(range(self.first, self.first + self.users))
        return self

    def import_phones(self, numbers):
        self.import_people([(f"p{number}", f"Person {number}", number, number, SECRET) for number in numbers])

    def load_arguments(self):
        pids = ",".join(map(str, processes(self.pid)))
        tls = ["--tls", self.address("tls")] if self.callers_by_tls else []
        return ["--server", self.address(), "--desks", self.desks, "--pid", pids, "--first", self.first, *tls]


class Proxy(Process):
    """Kamailio as bench/kamailio.cfg.in says."""

    name_in_table = "kamailio"

    def __init__(self):
        super().__init__("kamailio")
        self.port = free_port()
        self.desks = f"{LOOPBACK}:{free_port()}"

    def start(self):
        text = (REPOSITORY / "bench" / "kamailio.cfg.in").read_text()
        for name, value in (("@HOST@", LOOPBACK), ("@PORT@", str(self.port)), ("@SECRET@", SECRET)):
            text = text.replace(name, value)
        config = self.folder / "kamailio.cfg"
        config.write_text(text)
        with on_core(SERVER_CORE):
            self.spawn(["kamailio", "-DD", "-E", "-m", "1024", "-M", "16", "-f", config, "-Y", self.folder,
                        "-P", self.folder / "pid", "-w", self.folder])
        until(lambda: self.must_live() or sipsak.options(f"sip:{LOOPBACK}:{self.port}", ok=False).ok, 10,
              "kamailio answers OPTIONS", self.tail)
        return self

    def load_arguments(self):
        pids = ",".join(map(str, processes(self.pid)))
        return ["--server", f"{LOOPBACK}:{self.port}", "--desks", self.desks, "--pid", pids]


class Rtpengine(Process):
    """rtpengine without its kernel module, one thread for packets."""

    name_in_table = "rtpengine"

    def __init__(self):
        super().__init__("rtpengine")
        self.port = free_port()

    def start(self):
        first, last = RTPENGINE_PORTS
        with on_core(SERVER_CORE):
            self.spawn(["rtpengine", "--foreground", "--log-stderr", "--log-level=3", "--table=-1",
                        f"--interface={LOOPBACK}", f"--listen-ng={LOOPBACK}:{self.port}", "--num-threads=1",
                        f"--port-min={first}", f"--port-max={last}", f"--pidfile={self.folder}/pid"])
        until(lambda: self.must_live() or _udp_is_bound(self.port), 10, "rtpengine listens", self.tail)
        return self

    def load_arguments(self):
        return ["--ng", f"{LOOPBACK}:{self.port}", "--pid", ",".join(map(str, processes(self.pid)))]


class Answering(Process):
    """The load generator's own answering side."""

    name_in_table = "itself"

    def __init__(self, loadgen):
        super().__init__("answer")
        self.loadgen, self.listens, self.desks = loadgen, f"{LOOPBACK}:{free_port()}", f"{LOOPBACK}:{free_port()}"

    def start(self):
        with on_core(SERVER_CORE):
            self.spawn([self.loadgen, "answer", "--listen", self.listens])
        self.wait_log("listen")
        return self

    def load_arguments(self):
        return ["--server", self.listens, "--desks", self.desks, "--pid", str(self.pid)]


class BareLoop(Process):
    """One socket a leg, recvfrom and sendto, and nothing else."""

    name_in_table = "bare loop"

    def __init__(self, loadgen, calls):
        super().__init__("bare loop")
        self.loadgen, self.legs = loadgen, 2 * calls
        self.first = BARE_PORTS[0]

    def start(self):
        with on_core(SERVER_CORE):
            self.spawn([self.loadgen, "bareloop", "--legs", self.legs, "--port", self.first])
        self.wait_log("legs")
        return self

    def load_arguments(self):
        return ["--bare", str(self.first), "--pid", str(self.pid)]


def _udp_is_bound(port):
    wanted = f":{port:04X} "
    return any(wanted in line for line in Path("/proc/net/udp").read_text().splitlines())


def installed(program):
    return subprocess.run(["which", program], capture_output=True, check=False).returncode == 0
