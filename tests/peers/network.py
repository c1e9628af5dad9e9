"""A network of a test's own, and a DHCP server (dnsmasq) on a cable that leads to it."""
import os
import subprocess
import sys
from pathlib import Path

import pytest

from .process import Process
from .waiting import until

INSIDE = "RINGDOWN_TEST_NETWORK"
# Our end of the cable, the server's, and their addresses: RFC 2544 networks, which nobody has.
OURS, THEIRS = "cable0", "cable1"
OUR_ADDRESS, THEIR_ADDRESS = "198.18.7.9", "198.18.7.1"


def alone(request):
    """Whether this test is in a network of its own already; if not, it is run again there."""
    if os.environ.get(INSIDE):
        return True
    if os.geteuid() != 0:
        pytest.skip("only root makes networks")
    tests = Path(__file__).parent.parent
    again = [sys.executable, "-m", "pytest", "-c", tests / "pytest.ini", "--rootdir", tests, "-q", "-p", "no:cacheprovider",
             f"{request.path}::{request.node.name}"]
    # /sys shows the interfaces of the network in which it was mounted.
    script = 'mount -t sysfs none /sys && ip link set lo up && exec "$@"'
    run = subprocess.run(["unshare", "--net", "--mount", "--propagation", "private", "sh", "-c", script, "sh", *again],
                         env={**os.environ, INSIDE: "1"}, capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stdout[-8000:] + run.stderr[-2000:]
    return False


class Dhcp(Process):
    """`dnsmasq` at the other end of a cable; `options` are arguments of its own, as in --dhcp-option=160,https://..."""

    def __init__(self, *options):
        super().__init__("dnsmasq")
        self.options = options

    def start(self):
        subprocess.run(["ip", "link", "add", OURS, "type", "veth", "peer", "name", THEIRS], check=True)
        script = (f"until ip link set {THEIRS} up 2>/dev/null; do sleep 0.05; done; ip addr add {THEIR_ADDRESS}/24 dev {THEIRS}; "
                  'exec "$@"')
        self.spawn([
            "unshare", "--net", "sh", "-c", script, "sh", "dnsmasq", "--no-daemon", "--conf-file=/dev/null", "--port=0",
            f"--interface={THEIRS}", "--bind-interfaces", "--user=root", "--no-ping", "--log-dhcp", "--pid-file",
            f"--dhcp-leasefile={self.folder / 'leases'}", "--dhcp-range=198.18.7.50,198.18.7.60", "--dhcp-authoritative",
            *self.options,
        ])
        until(self._is_elsewhere, 10, "it is in a network of its own", self.tail)
        for command in (["link", "set", THEIRS, "netns", self.pid], ["addr", "add", f"{OUR_ADDRESS}/24", "dev", OURS],
                        ["link", "set", OURS, "up"]):
            subprocess.run(["ip", *map(str, command)], check=True)
        self.wait_log("DHCP, IP range")
        return self

    def _is_elsewhere(self):
        return os.readlink(f"/proc/{self.pid}/ns/net") != os.readlink("/proc/self/ns/net")

    def stop(self, *arguments, **options):
        super().stop(*arguments, **options)
        # The cable goes with either of its ends.
        subprocess.run(["ip", "link", "del", OURS], capture_output=True)
