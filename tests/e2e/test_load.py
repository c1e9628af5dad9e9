"""Steady load by SIPp (Show 3)."""
import pytest

from peers import sipp
from peers.sipp import Sipp

pytestmark = pytest.mark.alone

PEOPLE = 20
RATE, SECONDS, TALK_MS = 100, 10, 500


def test_100_calls_a_second_for_10_seconds(exchange):
    """Show 3: registered callers and callees, digest on every call, no failed call."""
    people = [
        (f"{side}{index}", f"{side} {index}", f"{8000 + 100 * (side == 'load-b') + index}", f"{side}{index}", f"s{index}")
        for side in ("load-a", "load-b") for index in range(PEOPLE)
    ]
    exchange.import_people(people)
    callers, callees = people[:PEOPLE], people[PEOPLE:]
    calls = RATE * SECONDS
    with Sipp("uas") as uas:
        uas.start().listening()
        done = sipp.register(exchange.address(), [(row[3], row[4]) for row in callees], uas.port)
        assert done.successful == PEOPLE
        rows = [
            (caller[3], f"[authentication username={caller[3]} password={caller[4]}]", callee[2])
            for caller, callee in zip(callers, callees)
        ]
        uac = Sipp("uac", exchange.address(), rows, calls=calls, rate=RATE, talk_ms=TALK_MS)
        with uac.start():
            count = uac.finish()
    assert (count.created, count.successful, count.failed) == (calls, calls, 0), count
    numbers = {callee[2] for callee in callees}
    records = exchange.wait_calls(calls, seconds=20)
    ours = [one for one in records if any(number in str(one.get("callee")) for number in numbers)]
    assert len(ours) == calls, f"{len(ours)} call records for {calls} calls"
    assert all(one.get("answered") for one in ours)
