"""What one office on two exchanges costs, over one PostgreSQL server (G, Show 6): the time of a call at each of the two, beside
that of one that has the office alone, by turns, at the same rate each. A call between phones of one exchange, as most are."""
import json
import shutil
import statistics
import subprocess

import servers
from peers.ports import LOOPBACK
from peers.postgres import Postgres
from peers.waiting import until
from servers import Ours, on_core

USERS, FIRST = 200, (100_000, 200_000)
PORTS = ((10_000, 15_999), (16_000, 21_999))
GOAL = 1.1


def run(bench):
    """Adds a row for each of the two."""
    rate, seconds = (20, 2) if bench.quick else (300, 5)
    figures = {"alone": [], "north": [], "south": []}
    for _ in range(1 if bench.quick else 5):
        with Postgres() as server, Ours(USERS, config_extra=server.start().extra(), ports=PORTS[0]).start() as alone:
            figures["alone"] += spent(bench, [alone], rate, seconds)
        with Postgres() as server, pair(server.start()) as both:
            north, south = spent(bench, both, rate, seconds)
            figures["north"].append(north)
            figures["south"].append(south)
    alone = statistics.median(figures["alone"])
    for name in ("north", "south"):
        bench.add(f"call at {name} of two", f"{rate}/s", statistics.median(figures[name]), "us", "one alone", alone, GOAL)


class pair:
    """Two exchanges, each with phones of its own."""

    def __init__(self, server):
        shared = f'\n[cluster]\nlisten = "{LOOPBACK}:0"\nname = '
        self.both = [Ours(USERS, config_extra=f'{server.extra()}{shared}"{name}"\n', ports=ports, first=first)
                     for name, ports, first in zip(("north", "south"), PORTS, FIRST)]

    def __enter__(self):
        north, south = (one.__enter__() for one in self.both)
        north.start()
        south.data.mkdir()
        shutil.copy(north.data / "seal.key", south.data / "seal.key")
        south.start()
        last = str(FIRST[1] + USERS - 1)
        until(lambda: last in north.run("device", "list").stdout, 10, "each knows all phones", north.tail)
        return self.both

    def __exit__(self, *what):
        for one in reversed(self.both):
            one.__exit__(*what)


def spent(bench, exchanges, rate, seconds):
    """The time of a call at each, while all of them have load."""
    loads = []
    with on_core(servers.LOAD_CORE):
        for one in exchanges:
            words = ["calls", "--users", USERS, "--rate", rate, "--seconds", seconds, *one.load_arguments()]
            loads.append(subprocess.Popen([str(bench.loadgen), *map(str, words)], stdout=subprocess.PIPE,
                                          stderr=subprocess.PIPE, text=True))
    figures = []
    for one, load in zip(exchanges, loads):
        out, err = load.communicate(timeout=120)
        if load.returncode:
            raise SystemExit(f"loadgen: {err}")
        told = json.loads(out.splitlines()[-1])
        bench.faults += filter(None, [bench.wrong("call of a cluster", f"{rate}/s", one, told)])
        figures.append(told["cpu_us_each"])
    return figures
