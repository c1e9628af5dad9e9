"""An office with several exchanges and their directory (G, Show 6): what a call costs that goes through two of them, and how
many calls one directory designates."""
import json
import sys

import servers
from peers.directory import SITE, Directory, told
from peers.ports import LOOPBACK
from peers.postgres import OWNER, Postgres
from peers.waiting import until
from servers import Ours, on_core, processes

# Half of the phones of a load answer, and the others call.
USERS, WITHIN, ACROSS = 200, 100_000, 200_000
PORTS = ((10_000, 15_999), (16_000, 21_999))
GOAL = 2.2
MEMBERS = 4
RATE, LATE_MS = 2_000, 10


def across(bench):
    """A call from north to south (C2, with its ticket) beside a call within north, by turns. Both exchanges are on one core."""
    rate, seconds = (20, 2) if bench.quick else (300, 5)
    with on_core(servers.SERVER_CORE), Directory() as directory:
        directory.start()
        with Member(directory, "north", PORTS[0]) as north, Member(directory, "south", PORTS[1]) as south:
            half = USERS // 2
            south.start_with(range(ACROSS, ACROSS + half))
            north.start_with([*range(WITHIN, WITHIN + USERS), *range(ACROSS + half, ACROSS + USERS)])
            copy = north.data / "membership" / "directory.copy"
            until(lambda: str(ACROSS + half - 1) in told(copy), 20, "north knows the phones of south", north.tail)
            bench.compare("call through two exchanges", f"{rate}/s", [Way(north, south), Way(north)], [GOAL],
                          ["calls", "--users", USERS, "--rate", rate, "--seconds", seconds], rounds=1 if bench.quick else 5)


class Member(Ours):
    """An exchange that joined; whose people are told when it starts."""

    def __init__(self, directory, name, ports):
        super().__init__(0, config_extra=SITE.format(host=LOOPBACK, region=name), ports=ports)
        self.run("exchange", "join", directory.invite(name))

    def start_with(self, numbers):
        self.start()
        self.wait_log("connected to the directory")
        self.import_phones(numbers)


class Way:
    """Where the callers of a load are, and where its callees are if that is another exchange."""

    def __init__(self, here, there=None):
        self.here, self.there = here, there
        self.name_in_table = "two exchanges" if there else "one exchange"

    def load_arguments(self):
        used = [self.here, *filter(None, [self.there])]
        pids = ",".join(str(pid) for one in used for pid in processes(one.pid))
        home = ["--home", self.there.address()] if self.there else []
        return ["--server", self.here.address(), "--desks", used[-1].desks, "--pid", pids,
                "--first", ACROSS if self.there else WITHIN, *home]


def designated(bench):
    """Members that proved themselves ask for calls to each other's people, at a rate that does not wait for answers. Each is
    over when its ticket is there and the member's own PostgreSQL has kept what was decided, and why."""
    with on_core(servers.LOAD_CORE), Postgres() as server:
        server.start()
        with Directory(extra=["--log", "warn"], store=server.extra()) as directory, on_core(servers.SERVER_CORE):
            directory.start()
            if bench.quick:
                asked(bench, server, directory, 100)
                return
            rounds = sorted((asked(bench, server, directory, RATE) for _ in range(3)), key=lambda told: told["p99_us"])
            told = rounds[1]
            bench.add("ticket over TLS, p99", f"{RATE}/s", told["answer_p99_us"] / 1_000, "ms", None, None, LATE_MS)
            bench.add("ticket and record, p99", f"{RATE}/s", told["p99_us"] / 1_000, "ms", None, None, LATE_MS)
            bench.add("directory, a designation", f"{RATE}/s", told["cpu_us_each"], "us", None, None, 1e6 / RATE)
            clean = clean_rate(lambda rate: asked(bench, server, directory, rate)["p99_us"] <= 1_000 * LATE_MS)
            bench.add("designations over TLS", f"{MEMBERS} exchanges", clean, "/s", None, None, RATE, least=True)


def clean_rate(is_clean):
    """The highest rate at which nobody waits too long, in steps of a fifth; a pause of the machine is forgiven once a rate."""
    clean, rate = 0, RATE
    while rate < 50_000 and (is_clean(rate) or is_clean(rate)):
        clean, rate = rate, round(rate * 1.2)
    return clean


def asked(bench, server, directory, rate):
    """One load; a member joins when it is used for the first time."""
    members = directory.folder / "members"
    links = [] if members.exists() else [directory.invite(f"member-{place}") for place in range(MEMBERS)]
    for place in range(MEMBERS if links else 0):
        server.ask("postgres", f"CREATE DATABASE member{place}")
    url = f"postgresql://{OWNER}@/DATABASE?host={server.folder}"
    told = bench.load("designated", "--directory", directory.address, "--folder", members, "--links", ",".join(links),
                      "--members", MEMBERS, "--store", url, "--rate", rate, "--seconds", 2 if bench.quick else 5,
                      "--pid", directory.pid)
    print(f"  designations at {rate}/s: {json.dumps(told)}", file=sys.stderr)
    if told["wrong"] or told["done"] != told["begun"]:
        bench.faults.append(f"designations at {rate}/s: {told}")
    return told
