"""Calls at a rate for a long time, without one that fails or is sent again; then the highest rate that holds so.

The load generator proves itself first: against itself (`loadgen answer`), at 1.3 times the rate. Where it cannot, the
machine is at fault, and the row says nothing about the exchange.
"""
import sys

from servers import Answering, Ours

USERS = 1_000
PROOF = 1.3
STEADY = [(300, 60), (2_500, 20)]
LOWEST, STEP, HIGHEST, HOLDS = 1_000, 500, 12_000, 10
GOAL = 7_000


def run(bench):
    """Adds the rows `sustained` and `highest clean call rate`. Quick: a few seconds, where only failures are faults."""
    with Answering(bench.loadgen).start() as itself, Ours(USERS).start() as ours:
        for rate, seconds in [(100, 3)] if bench.quick else STEADY:
            sound = clean(calls(bench, itself, rate * PROOF, min(seconds, 5)))
            told = calls(bench, ours, rate, seconds)
            lost = told["failed"] + told["timed_out"]
            if lost:
                bench.faults.append(f"sustained at {rate}/s: {told}")
            bench.add(f"sustained for {seconds} s", f"{rate}/s", lost + told["again"], "wrong", None, None, 0, sound)
        if not bench.quick:
            best, sound = highest(bench, itself, ours)
            bench.add("highest clean call rate", f"{HOLDS} s", best, "/s", None, None, GOAL, sound, least=True)


def highest(bench, itself, ours):
    """The highest rate that holds for ten seconds, and whether the generator could have done more. A pause of the machine
    is forgiven once a rate."""
    best = 0
    for rate in range(LOWEST, HIGHEST, STEP):
        if not any(clean(calls(bench, itself, rate * PROOF, 3)) for _ in range(2)):
            print(f"  the load generator cannot prove itself at {rate * PROOF:.0f}/s", file=sys.stderr)
            return best, False
        for _ in range(2):
            told = calls(bench, ours, rate, HOLDS)
            if clean(told):
                best = rate
                break
            print(f"  {rate}/s: {told['failed'] + told['timed_out']} failed, {told['again']} sent again", file=sys.stderr)
        if best != rate:
            break
    return best, True


def calls(bench, server, rate, seconds):
    return bench.load("calls", "--users", USERS, "--rate", round(rate), "--seconds", seconds,
                      *server.load_arguments())


def clean(told):
    return not (told["failed"] or told["timed_out"] or told["again"])
