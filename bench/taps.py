"""Taps (C, Show 5): those of 2,000 readers over connections that stay open, half of them good, all judged right; and how long
one takes to the INVITE that it sends, with 1,000 calls up."""
import itertools
import statistics
import sys

import servers
from peers.api import administrator
from servers import Ours, processes

READERS, RATE, CHIPS = 2_000, 10_000, 4
QUICK_READERS, QUICK_RATE = 20, 100
CALLS, PAIRS, TAKEN, ROUNDS, LIMIT_MS = 1_000, 200, 400, 5, 5.0
QUICK_CALLS, QUICK_PAIRS, QUICK_TAKEN, QUICK_ROUNDS = 10, 20, 40, 1
KINDS = '[badges]\nallow = ["secure", "uid"]\npin = []\n'


def run(bench):
    judged(bench)
    taken(bench)


def taken(bench):
    """Adds the row of the time from a tap to the INVITE: p99 of the taps of a round, each of which takes a call that rings;
    the median of the rounds, because a pause of the machine is in one of them."""
    calls, pairs, count, rounds = ((QUICK_CALLS, QUICK_PAIRS, QUICK_TAKEN, QUICK_ROUNDS) if bench.quick
                                   else (CALLS, PAIRS, TAKEN, ROUNDS))
    tails, sound = [], True
    for _ in range(rounds):
        told = taken_once(bench, calls, pairs, count)
        print(f"  tap to INVITE: p50 {told['p50_us'] / 1e3:.2f} ms, p99 {told['p99_us'] / 1e3:.2f} ms of {count}",
              file=sys.stderr)
        wrong = told["failed"] + told["timed_out"]
        if wrong or told["up"] < calls:
            bench.faults.append(f"tap to INVITE with {calls} calls up: {wrong} of {count} went wrong: {told}")
        tails.append(told["p99_us"] / 1e3)
        sound &= not told["sent_again"]
    bench.add("tap to INVITE, p99", f"{calls} calls", statistics.median(tails), "ms", None, None, LIMIT_MS, sound)


def taken_once(bench, calls, pairs, count):
    """One round, by an exchange of its own: whoever took a call sits at another phone afterwards."""
    answering = calls + 2 * pairs
    ours = Ours(answering + calls)
    ours.config.write_text(ours.config.read_text() + KINDS)
    with ours.start():
        plan = ours.folder / "readers.txt"
        plan.write_text("".join(f"{line}\n" for line in beside(administrator(ours), calls, pairs)))
        return bench.load("take", "--users", answering + calls, "--callers", calls, "--calls", calls, "--taps", count,
                          "--http", ours.ready["http"], "--readers", plan, *ours.load_arguments())


def beside(admin, first, pairs):
    """One line a pair: the key of the reader at the second phone, and the badge of whom the first belongs to."""
    for pair in range(pairs):
        rings, takes = (str(servers.FIRST_NUMBER + first + 2 * pair + place) for place in (0, 1))
        uid = f"{0xA0000000 + pair:08X}"
        key = admin.post("/readers", {"name": f"t{takes}", "device": takes}).must(201).json["key"]
        admin.post("/badges", {"name": f"b{rings}", "account": f"p{rings}", "kind": "uid", "uid": uid}).must(201)
        yield f"{key} {uid}"


def judged(bench):
    """Adds the row `taps`; any tap that was judged wrong is a fault."""
    count, rate = (QUICK_READERS, QUICK_RATE) if bench.quick else (READERS, RATE)
    ours = Ours(count)
    ours.config.write_text(ours.config.read_text() + KINDS)
    with ours.start():
        plan = ours.folder / "readers.txt"
        plan.write_text("\n".join(readers(administrator(ours), count)) + "\n")
        told = bench.load("taps", "--http", ours.ready["http"], "--readers", plan, "--rate", rate,
                          "--seconds", 3 if bench.quick else 10, "--pid", ",".join(map(str, processes(ours.pid))))
    print(f"  taps: {told['rate']}/s judged, {told['cpu_us_each']:.0f} us of the server each, p50 {told['p50_us']} us, "
          f"p99 {told['p99_us']} us", file=sys.stderr)
    wrong = told["failed"] + told["timed_out"]
    if wrong:
        bench.faults.append(f"taps at {rate}/s: {wrong} were judged wrong or not at all: {told}")
    sound = bench.quick or told["rate"] >= 0.98 * rate
    bench.add("taps judged wrong", f"{rate}/s", wrong, "wrong", None, None, 0, sound)


def readers(admin, count):
    """One line a reader: its key, a badge that is revoked, one that comes too often, and its chips with their keys."""
    uids = itertools.count(1)
    for name in map(str, range(servers.FIRST_NUMBER, servers.FIRST_NUMBER + count)):
        key = admin.post("/readers", {"name": f"r{name}", "device": name}).must(201).json["key"]
        plain = [f"{next(uids):08X}" for _ in range(2)]
        for kind, uid in zip(("revoked", "often"), plain):
            admin.post("/badges", {"name": f"{kind}{name}", "account": f"p{name}", "kind": "uid", "uid": uid}).must(201)
        admin.ask("DELETE", f"/badges/revoked{name}").must(204)
        line = [key, *plain]
        for _ in range(CHIPS):
            uid = f"04{next(uids):012X}"
            made = admin.post("/badges", {"name": f"c{uid}", "account": f"p{name}", "kind": "secure", "uid": uid}).must(201)
            card = made.json["card"]
            line += [uid, card["meta_read_key"], card["file_read_key"]]
        yield " ".join(line)
