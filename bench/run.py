"""`make bench`: what a unit of work costs us beside others, on the same machine in the same run, interleaved.

    bench/run.py [--quick] [--only ROWS]     ROWS: call, register, rtp, srtp, parse, lists, designations, designated, across, memory, sustained,
                                             overload, taps, tasks, agents, phones, cluster

The figure is time of all threads of the server on the core that it is pinned to. The load has the other core.
`--quick` is a part of `make test`: low rates, a few seconds a row, and the build of the tests. It fails on wrong results
(a failed call, a lost packet), never on a figure: that build is not the one that the goals are for.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
TARGET = Path(os.environ.get("CARGO_TARGET_DIR") or REPOSITORY / "target")

import agents  # noqa: E402
import cluster  # noqa: E402
import phones  # noqa: E402
import servers  # noqa: E402
import sites  # noqa: E402
import sustained  # noqa: E402
import taps  # noqa: E402
import tasks  # noqa: E402
from servers import BareLoop, Ours, Proxy, Rtpengine, on_core  # noqa: E402

ROWS = "call,register,rtp,srtp,parse,lists,designations,designated,across,memory,sustained,overload,taps,tasks,agents,phones,cluster"
USERS = 1_000
# A pause of the machine may cost a retransmission; more than this share of the load is our fault.
TOLERATED = 0.002
# Of the highest clean rate, what is still completed when three times as much is asked for (R17).
SHARE_IN_OVERLOAD = 0.9


class Bench:
    def __init__(self, quick):
        self.quick = quick
        self.folder = TARGET / ("debug" if quick else os.environ.get("BENCH_PROFILE", "release"))
        self.loadgen = self.folder / "loadgen"
        self.rows, self.faults = [], []

    # ---- running

    def load(self, *arguments):
        with on_core(servers.LOAD_CORE):
            done = subprocess.run([str(self.loadgen), *map(str, arguments)], capture_output=True, text=True,
                                  timeout=180, check=False)
        if done.returncode != 0:
            raise SystemExit(f"loadgen {' '.join(map(str, arguments))}\n{done.stderr}")
        return json.loads(done.stdout.splitlines()[-1])

    def compare(self, row, rate, contestants, goals, arguments, unit="us", rounds=None):
        """Runs all contestants by turns; the first is ours, and there is a goal for each of the others."""
        rounds = rounds or (1 if self.quick else 3)
        figures = {server.name_in_table: [] for server in contestants}
        ours_wrong, anybody_else_wrong, sound = [], False, True
        for _ in range(rounds):
            for server in contestants:
                told = self.load(*arguments, *server.load_arguments())
                figures[server.name_in_table].append(told["cpu_us_each"])
                sound &= not told.get("again", 0)
                if wrong := self.wrong(row, rate, server, told):
                    sound = False
                    ours_wrong += [wrong] if server is contestants[0] else []
                    anybody_else_wrong |= server is not contestants[0]
        # When the others fail as well, the machine was busy with something else.
        if self.quick or not anybody_else_wrong:
            self.faults += ours_wrong
        ours, *others = (server.name_in_table for server in contestants)
        mine = statistics.median(figures[ours])
        for other, goal in zip(others, goals):
            self.add(row, rate, mine, unit, other, statistics.median(figures[other]), goal, sound)

    def wrong(self, row, rate, server, told):
        """What went wrong, in words; None if it is nothing, or no more than a pause of the machine does to packets."""
        wrong = sum(told.get(name, 0) for name in ("failed", "timed_out", "lost", "wrong"))
        all_of_it = told.get("sent") or told["done"] + wrong
        again = told.get("again", 0)
        if wrong or again:
            print(f"  {row} {rate}: {server.name_in_table}: {wrong} of {all_of_it} wrong, {again} sent again",
                  file=sys.stderr)
        # A pause loses packets; it makes none that are not authentic.
        if wrong <= (TOLERATED * all_of_it if "sent" in told else 0) and not told.get("wrong"):
            return None
        return f"{row} at {rate}: {wrong} of {all_of_it} went wrong: {told}"

    def add(self, row, rate, ours, unit, peer_name, peer, goal, sound=True, least=False):
        """A row whose goal is a ratio to a peer, or, without a peer, a bound on our figure (`least`: from below). It is
        not sound when anybody lost packets or sent again: the work was then not the same, and no goal is met by it."""
        ratio = round(ours / peer, 3) if peer else None
        value = ratio if peer_name else ours
        within = value is not None and (value >= goal if least else value <= goal)
        met = None if self.quick else sound and within
        self.rows.append({"row": row, "rate": rate, "ours": ours, "unit": unit, "peer_name": peer_name,
                          "peer": peer, "ratio": ratio, "goal": goal, "met": met, "sound": sound})
        print(line_of(self.rows[-1]), flush=True)

    # ---- rows

    def call(self):
        rates = [50] if self.quick else [300, 2_500]
        with Ours(USERS).start() as ours, Proxy().start() as proxy:
            for rate in rates:
                self.compare("call", f"{rate}/s", [ours, proxy], [0.3],
                             ["calls", "--users", USERS, "--rate", rate, "--seconds", 2 if self.quick else 4])

    def register(self):
        rates = [100] if self.quick else [500, 8_000]
        with Ours(USERS).start() as ours, Proxy().start() as proxy:
            for rate in rates:
                self.compare("register", f"{rate}/s", [ours, proxy], [0.4],
                             ["register", "--users", USERS, "--rate", rate, "--seconds", 2 if self.quick else 3])

    def rtp(self):
        for calls in [10] if self.quick else [200, 1_200]:
            # The exchange comes last: it takes every port of its range that is free.
            bare = BareLoop(self.loadgen, calls).start()
            relays, goals = [bare], [1.25]
            if servers.installed("rtpengine") and not self.quick:
                relays.append(Rtpengine().start())
                goals.append(0.65)
            relays.insert(0, Ours(200).start())
            try:
                self.compare("rtp", f"{calls * 100}/s", relays, goals,
                             ["rtp", "--calls", calls, "--users", 200, "--warm", 1,
                              "--seconds", 2 if self.quick else 3], rounds=1 if self.quick else 2)
            finally:
                for relay in relays:
                    relay.stop()

    def srtp(self):
        """Callers with SRTP (their keys come by SDP, their signalling by TLS), callees with plain RTP. Each packet is one
        that the relay opens or closes; what is not authentic, or not the sound that was sent, is wrong."""
        for calls in [10] if self.quick else [200, 400]:
            relays = [Ours(200, callers_by_tls=True).start()]
            if servers.installed("rtpengine") and not self.quick:
                relays.append(Rtpengine().start())
            try:
                self.compare("srtp", f"{calls * 100}/s", relays, [1.0],
                             ["rtp", "--secure", "yes", "--calls", calls, "--users", 200, "--warm", 1,
                              "--seconds", 2 if self.quick else 3], rounds=1 if self.quick else 3)
            finally:
                for relay in relays:
                    relay.stop()

    def parse(self):
        told = self.load("parse")
        if told["allocations"]:
            self.faults.append(f"parsing allocates {told['allocations']} times")
        if not self.quick:
            self.add("parse", "687 octets", told["nanoseconds"], "ns", None, None, 500)

    def lists(self):
        """F, Show 6: a call list, read and checked, beside a bare loop of the CSV library over the same octets."""
        rows = 20_000 if self.quick else 1_000_000
        told = self.load("lists", "--rows", rows)
        if told["ratio"] > 3 * 4:
            self.faults.append(f"a call list of {rows} rows: {told}")
        self.add("call list, read", f"{rows} rows", told["ours_ms"], "ms", "csv loop", told["bare_ms"], 4)
        self.add("call list, memory a row", f"{rows} rows", told["octets_each"], "octets", None, None, 300)
        calls = 2_000 if self.quick else 20_000
        told = self.load("next-row", "--rows", rows, "--calls", calls)
        if told["calls"] != calls or told["p50_us"] > 3 * 10:
            self.faults.append(f"the next row of a list of {rows}: {told}")
        self.add("call list, next row", f"{rows} rows", told["p50_us"], "µs", None, None, 10)

    def designations(self):
        """G, Show 6: the pure directory on one core, with the signing of tickets."""
        calls = 5_000 if self.quick else 200_000
        told = self.load("designations", "--calls", calls)
        if told["designated"] != calls:
            self.faults.append(f"designations: {told}")
        if not self.quick:
            self.add("designations", "50 exchanges", told["rate"], "/s", None, None, 20_000, least=True)
            self.add("one designation, p99", "50 exchanges", told["p99_us"] / 1_000, "ms", None, None, 2)

    def designated(self):
        sites.designated(self)

    def across(self):
        sites.across(self)

    def memory(self):
        if self.quick:
            return
        users, calls = 10_000, 2_000
        with Ours(users).start() as ours:
            # What a binding leaves once its transactions are over (RFC 3261: 64 times T1, 32 s).
            told = self.load("register", "--fresh", "yes", "--users", users, "--rate", 4_000, "--settle", 36,
                             *ours.load_arguments())
            self.faults += filter(None, [self.wrong("binding", f"{users}", ours, told)])
            self.add("memory of a binding", f"{users}", told["bytes_each"], "octets", None, None, 1_024)
        with Ours(200).start() as ours:
            told = self.load("hold", "--users", 200, "--calls", calls, *ours.load_arguments())
            self.faults += filter(None, [self.wrong("held call", f"{calls}", ours, told)])
            self.add("memory of a held call", f"{calls}", told["bytes_each"], "octets", None, None, 24_576)

    def sustained(self):
        sustained.run(self)

    def taps(self):
        taps.run(self)

    def tasks(self):
        tasks.run(self)

    def agents(self):
        agents.run(self)

    def phones(self):
        phones.run(self)

    def cluster(self):
        cluster.run(self)

    def overload(self):
        """At three times the highest clean rate nearly as many calls are completed as at that rate, and nothing else
        happens to the others than that they are told to come again later (R17)."""
        with Ours(USERS).start() as ours:
            rounds = []
            for _ in range(1 if self.quick else 3):
                # The machine is not the same from minute to minute: each round finds its own clean rate.
                clean = self.clean_rate(ours, rounds[-1][1] if rounds else 0)
                if not clean:
                    return self.faults.append("overload: not even the lowest rate went without a fault")
                rounds.append(self.overload_at(ours, clean))
        share, clean, told = sorted(rounds, key=lambda one: one[0])[len(rounds) // 2]
        sound = told["offered"] > 2.7 * clean
        met = None if self.quick else sound and share >= SHARE_IN_OVERLOAD
        self.rows.append({"row": "completed in overload", "rate": f"{told['offered']}/s", "ours": told["rate"],
                          "unit": "/s", "peer_name": "highest clean", "peer": clean, "ratio": share,
                          "goal": SHARE_IN_OVERLOAD, "met": met, "sound": sound})
        print(line_of(self.rows[-1]), flush=True)

    def overload_at(self, ours, clean):
        """Three times a clean rate: the share that is completed, the clean rate, and all that was told."""
        told = self.load("calls", "--users", USERS, "--rate", 3 * clean, "--seconds", 2 if self.quick else 5,
                         *ours.load_arguments())
        share = round(told["rate"] / clean, 3)
        print(f"  overload: {told['rate']}/s completed of {told['offered']}/s, {clean}/s clean, {share}", file=sys.stderr)
        # The others were answered wrongly, or not at all; what was let in must be carried through.
        wrong = told["failed"] - told["refused"] + told["timed_out"]
        if wrong > TOLERATED * told["begun"]:
            self.faults.append(f"overload at {3 * clean}/s: {wrong} calls went wrong, not counting refusals: {told}")
        if share < SHARE_IN_OVERLOAD / 3:
            self.faults.append(f"overload at {3 * clean}/s: {told['rate']}/s are completed where {clean}/s would be: {told}")
        return share, clean, told

    def clean_rate(self, ours, before):
        """The highest rate at which nothing fails or is sent again, in steps of a fifth (quick: of two); a pause of the
        machine is forgiven once a rate. The search begins below the last that was found."""
        lowest, step = (200, 2) if self.quick else (1_000, 1.2)
        rate, clean = max(lowest, round(before / step ** 3)), 0
        while rate < 20_000:
            for _ in range(2):
                told = self.load("calls", "--users", USERS, "--rate", rate, "--seconds", 1 if self.quick else 2,
                                 "--warm", 0.5, *ours.load_arguments())
                if not (told["failed"] or told["timed_out"] or told["again"]):
                    clean = rate
                    break
            if clean != rate:
                break
            rate = round(rate * step)
        return clean


def line_of(row):
    peer = f"{row['peer']:10.2f} {row['peer_name']}" if row["peer_name"] else ""
    ratio = "" if row["ratio"] is None else f"{row['ratio']:.2f}"
    met = {True: "met", False: "missed", None: ""}[row["met"]]
    return (f"{row['row']:24}{row['rate']:>12}{row['ours']:>11.2f} {row['unit']:7}{peer:22}{ratio:>7}"
            f"{row['goal']:>9} {met}{'' if row['sound'] else ', not sound'}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", default=ROWS, help="some of the rows; then no results are written")
    chosen = parser.parse_args()
    servers.raise_descriptors()
    bench = Bench(chosen.quick)
    os.environ["RINGDOWN_BIN"] = str(bench.folder / "ringdown")
    print(f"{'row':24}{'rate':>12}{'ours':>11} {'':7}{'peer':22}{'ratio':>7}{'goal':>9}")
    for name in chosen.only.split(","):
        getattr(bench, name)()
    if not chosen.quick and chosen.only == ROWS:
        (REPOSITORY / "bench" / "results.json").write_text(json.dumps(bench.rows, indent=1) + "\n")
    for fault in bench.faults:
        print(f"WRONG: {fault}", file=sys.stderr)
    sys.exit(1 if bench.faults else 0)


if __name__ == "__main__":
    main()
