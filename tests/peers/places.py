"""Places with a network between them that a test can split: each is a network namespace with an address of its own, on one
switch; the test is on it, too.

    with Network() as network:
        north, south = network.place("north"), network.place("south")
        ...                               # Exchange(place=north), Postgres(place=south)
        network.split(north, south)       # neither hears the other
        network.heal(north, south)

A namespace lives as long as the processes in it, and they as long as the test: whatever happens, nothing stays behind.
"""
import itertools
import os
import socket
import subprocess
from pathlib import Path

import pytest

from .process import Process
from .waiting import until

# RFC 2544: networks that nobody has.
NETS = "198.18.{}"
US, SWITCH = 254, "switch"


class Place(Process):
    """A network namespace, held by a process that does nothing."""

    def __init__(self, name, address=None):
        super().__init__(f"place {name}")
        self.address = address
        self.spawn(["unshare", "--net", "sleep", "infinity"])
        until(lambda: os.readlink(self._namespace) != os.readlink("/proc/self/ns/net"), 10, f"{self.name} is apart", self.tail)
        self.ip("link", "set", "lo", "up")

    @property
    def _namespace(self):
        return f"/proc/{self.pid}/ns/net"

    def within(self, command, user=None):
        """A command as it is run there, by another user than root if one is named (as `subprocess` names users)."""
        inside = ["nsenter", f"--net={self._namespace}", "--"]
        if user:
            # Who changes the user is forgotten by the kernel as one to end with us, and says so again.
            inside += ["setpriv", f"--reuid={user['user']}", f"--regid={user['group']}", "--clear-groups", "--pdeathsig=KILL", "--"]
        return [*inside, *command]

    def ip(self, *arguments):
        run(self.within(["ip", *arguments]))

    def hear(self, other, yes):
        """Whether what another sends arrives here."""
        run(self.within(["iptables", "-w", "-D" if yes else "-I", "INPUT", "-s", other.address, "-j", "DROP"]))


class Network:
    """A switch in a place of its own, and a cable from it to the test and to each place."""

    def __init__(self):
        if os.geteuid() != 0:
            pytest.skip("only root makes networks")
        self._lock, self._net = free_net()
        self._numbers = itertools.count(1)
        self._places, self._deaf = [], set()
        self._switch = Place(SWITCH)
        self._switch.ip("link", "add", SWITCH, "type", "bridge")
        self._switch.ip("link", "set", SWITCH, "up")
        self.ours = f"{self._net}.{US}"
        self._ours = self._cable(US, os.getpid())
        run(["ip", "addr", "add", f"{self.ours}/24", "dev", self._ours])
        run(["ip", "link", "set", self._ours, "up"])

    def place(self, name):
        """A new one."""
        number = next(self._numbers)
        place = Place(name, f"{self._net}.{number}")
        self._places.append(place)
        end = self._cable(number, place.pid)
        place.ip("addr", "add", f"{place.address}/24", "dev", end)
        place.ip("link", "set", end, "up")
        return place

    def _cable(self, number, to):
        """From the switch to a process; returns the name of its end there."""
        end, port = f"rd{self._net.rsplit('.', 1)[1]}-{number}", f"port{number}"
        self._switch.ip("link", "add", port, "type", "veth", "peer", "name", end, "netns", str(to))
        self._switch.ip("link", "set", port, "master", SWITCH, "up")
        return end

    def split(self, one, other, both=True):
        """`one` does not hear `other` any more, nor the other way round."""
        for here, there in ((one, other), (other, one))[: 2 if both else 1]:
            here.hear(there, False)
            self._deaf.add((here, there))

    def heal(self):
        """All hear all again."""
        for here, there in self._deaf:
            here.hear(there, True)
        self._deaf.clear()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for place in (*self._places, self._switch):
            place.kill()
        # The cables go with their namespaces; the kernel takes a moment for that.
        until(lambda: not Path(f"/sys/class/net/{self._ours}").exists(), 10, "the cable is gone")
        self._lock.close()


def free_net():
    """The first of the networks that no other test run has, and what says that it is ours: a socket whose name ends with us."""
    for third in range(256):
        lock = socket.socket(socket.AF_UNIX)
        try:
            lock.bind(f"\0ringdown-test-net-{third}")
        except OSError:
            lock.close()
            continue
        return lock, NETS.format(third)
    raise RuntimeError("256 test runs have a network each")


def run(command):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}: {done.stderr}"
