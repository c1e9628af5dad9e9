"""Background calls (E, Show 6): what 100,000 that wait cost in memory and time, and how long one that is due takes to its
INVITE when 200 a second are."""
import sqlite3
import statistics
import sys
import time
from pathlib import Path

import servers
from peers.api import Client
from peers.exchange import Exchange
from peers.rawua import RawUA
from peers.waiting import until
from servers import Ours, processes

WAITING, PAIRS, A_SECOND, ROUNDS = (1_000, 100_000), 600, 200, 5
QUICK_WAITING, QUICK_PAIRS, QUICK_A_SECOND, QUICK_ROUNDS = (200,), 20, 50, 1
BYTES, LIMIT_MS, IDLE_PERCENT, IDLE_SECONDS = 500, 10.0, 1.0, 10
MANY = 50_000
# Tasks for one number; the exchange takes no more than 64.
TO_ONE = 50
# Whose those are that wait.
ACCOUNTS = 20
HOUR_MS = 3_600_000
COLUMNS = ("id, account, number, dialled, since, callee_first, business, asked, not_before, until, priority, rank, "
           "attempts_before")


class Crowd(RawUA):
    """Many phones behind one socket: all of them are busy, and it is kept when each was called."""

    def __init__(self, names, exchange):
        super().__init__("", servers.SECRET, exchange.host_port())
        self.called = {}
        for name in names:
            self.user, self._register = name, None
            self.register(expires=3_600)

    def _arrived(self, message):
        super()._arrived(message)
        if message.is_request and message.method == "INVITE" and message.get("call-id") not in self.called:
            number = message.start.split("sip:")[1].split("@")[0]
            self.called[message.get("call-id")] = (number, time.time())
            self.respond(message, 486, to_tag="busy")


def run(bench):
    waiting = QUICK_WAITING if bench.quick else WAITING
    for count in waiting:
        measure(bench, count)


def measure(bench, count):
    """Adds three rows: memory of a task that waits, processor time while all wait, and from due to the INVITE."""
    ours = Ours(ACCOUNTS)
    with ours.start():
        ours.stop()
        begin(ours)
        empty = after_a_start(ours)
        ours.stop()
        put(ours, waiting(count))
        begin(ours)
        each = (after_a_start(ours) - empty) / count
        # The pages of a process say nothing about a few.
        if count >= MANY:
            bench.add("background call that waits", f"{count}", round(each), "bytes", None, None, BYTES)
        spent = processor(ours)
        time.sleep(1 if bench.quick else IDLE_SECONDS)
        percent = 100 * (processor(ours) - spent) / (1 if bench.quick else IDLE_SECONDS)
        bench.add("background calls wait", f"{count}", percent, "% cpu", None, None, IDLE_PERCENT)
    pairs, a_second, rounds = (QUICK_PAIRS, QUICK_A_SECOND, QUICK_ROUNDS) if bench.quick else (PAIRS, A_SECOND, ROUNDS)
    # The tail of one round is other programs and the disk: the median of five, each by an exchange of its own.
    all_rounds = [due(bench, count, pairs, a_second) for _ in range(rounds)]
    p99, commit = (statistics.median(column) for column in list(zip(*all_rounds))[:2])
    sound = all(not late for _, _, late in all_rounds)
    bench.add("due to INVITE, p99", f"{a_second}/s, {count} wait", p99, "ms", None, None, LIMIT_MS + commit, sound)


def due(bench, count, pairs, a_second):
    """The p99 of one round, that of a commit, and whether it began too late."""
    ours = Ours(2 * pairs)
    with ours.start():
        ours.stop()
        put(ours, waiting(count))
        return round_of(bench, ours, count, pairs, a_second)


def round_of(bench, ours, count, pairs, a_second):
    names = [str(servers.FIRST_NUMBER + place) for place in range(2 * pairs)]
    # Each phone registers with a challenge first.
    begins = time.time() + 6 + pairs / 15
    moments = {names[2 * pair + 1]: begins + pair / a_second for pair in range(pairs)}
    put(ours, soon(names, moments, count))
    begin(ours)
    with Crowd(names, ours) as crowd:
        late = time.time() > begins
        until(lambda: len(crowd.called) >= pairs, 60, "each is called")
        took = sorted(1_000 * (at - moments[number]) for number, at in crowd.called.values())
    p99 = took[min(len(took) - 1, int(0.99 * len(took)))]
    commit = commit_p99_ms(ours)
    print(f"  {count} wait: due to INVITE p50 {statistics.median(took):.2f} ms, p99 {p99:.2f} ms of {len(took)}, a commit p99 "
          f"{commit:.2f} ms", file=sys.stderr)
    if took[0] < 0 or len({number for number, _ in crowd.called.values()}) != pairs:
        bench.faults.append(f"background calls: {len(took)} INVITEs for {pairs}, the earliest {took[0]:.1f} ms after its time")
    return p99, commit, late


def waiting(count):
    """Rows of tasks that are not due for hours, of all accounts by turns."""
    now = int(1_000 * time.time())
    for task in range(1, count + 1):
        number = str(500_000 + task // TO_ONE)
        yield (task, f"p{servers.FIRST_NUMBER + task % ACCOUNTS}", number, number, now, 1, 0, 1, now + 5 * HOUR_MS,
               now + 8 * HOUR_MS, 0, 0, 0)


def soon(names, moments, before):
    now = int(1_000 * time.time())
    for place, (number, at) in enumerate(moments.items()):
        owner = names[2 * place]
        yield (before + 1 + place, f"p{owner}", number, number, now, 1, 0, 1, int(1_000 * at), now + HOUR_MS, 0, 0, 0)


def put(ours, rows):
    """Into the store, as if each had been asked for before the start."""
    with sqlite3.connect(ours.data / "office.db") as database:
        places = ", ".join("?" * len(COLUMNS.split(",")))
        database.executemany(f"INSERT INTO tasks ({COLUMNS}) VALUES ({places})", rows)
    database.close()


def begin(ours):
    """Starts it with what is in its store."""
    with servers.on_core(servers.SERVER_CORE):
        Exchange.start(ours)


def after_a_start(ours):
    """Resident octets when nothing moves any more."""
    time.sleep(1)
    return sum(resident(pid) for pid in processes(ours.pid))


def resident(pid):
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return 1_024 * next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))


def processor(ours):
    """Seconds of processor time so far."""
    fields = Path(f"/proc/{ours.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / 100


def commit_p99_ms(ours):
    """The least bucket of the store's histogram that has 99 of 100 commits."""
    text = Client(ours.ready["http"]).send("GET", "/metrics").must(200).body.decode()
    buckets = []
    for line in text.splitlines():
        if line.startswith("ringdown_store_commit_seconds_bucket{"):
            bound = line.split('le="')[1].split('"')[0]
            buckets.append((float(bound.replace("+Inf", "inf")), float(line.split()[-1])))
    return next(1_000 * bound for bound, count in sorted(buckets) if count >= 0.99 * buckets[-1][1])
