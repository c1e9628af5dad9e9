"""The torture messages of RFC 4475 and RFC 5118 against the running exchange (Show 4)."""
import contextlib
import csv
import itertools
import time
from pathlib import Path

import pytest

from peers import tone
from peers.baresip import Baresip
from peers.exchange import Exchange
from peers.sipmsg import Message
from peers.wire import WIRES

TORTURE = Path(__file__).resolve().parents[2] / "crates/wire/tests/torture"
ROUNDS, SETTLED = 50, 10
GROWTH_KIB = 2048
# How long transactions are kept (RFC 3261, 64 times T1), and what it takes until as many go as come.
KEPT = 45
# The exchange closes a connection whose first message does not end within 15 s.
PATIENCE = 20


def rows():
    with open(TORTURE / "verdicts.tsv", newline="") as source:
        return list(csv.DictReader(source, delimiter="\t", quoting=csv.QUOTE_NONE))


ROWS = rows()


@pytest.fixture(scope="module")
def exchange():
    with Exchange() as running:
        yield running.start()


def octets(row):
    return (TORTURE / row["file"]).read_bytes()


def answers(wire, seconds, most=10):
    """The status of each answer until `seconds` are over; None at the end when the connection was closed."""
    found, deadline = [], time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0:
        try:
            for piece in wire.receive(left):
                if piece.strip(b"\r\n\0"):
                    found.append(Message.parse(piece).status)
        except OSError:
            return [*found, None]
        if len(found) >= most:
            return found
    return found


def still_answers(exchange, transport):
    """An OPTIONS by the same transport gets its 200 afterwards."""
    wire = WIRES[transport](exchange.host_port(transport))
    with contextlib.closing(wire):
        host, port = wire.local
        wire.send(
            f"OPTIONS sip:x@office SIP/2.0\r\nVia: SIP/2.0/{wire.name} {host}:{port};branch=z9hG4bKalive{port};rport\r\n"
            f"From: <sip:a@office>;tag=1\r\nTo: <sip:x@office>\r\nCall-ID: alive{port}\r\nCSeq: 1 OPTIONS\r\n"
            "Content-Length: 0\r\n\r\n".encode()
        )
        assert answers(wire, 2, most=1) == [200]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["file"])
def test_verdict_over_udp(exchange, row):
    """Show 4: what the running exchange answers to a stranger, by the table."""
    wire = WIRES["udp"](exchange.host_port())
    with contextlib.closing(wire):
        wire.send(octets(row))
        if row["layer-verdict"] == "drop":
            assert answers(wire, 0.2) == []
        else:
            assert answers(wire, 2, most=1) == [int(row["layer-verdict"])]


@pytest.mark.parametrize("transport", ["tcp", "tls"])
def test_verdicts_over_streams(exchange, transport):
    """Show 4: the same on streams; lost framing ends the connection, an unfinished message waits for its timer."""
    wires = [(row, WIRES[transport](exchange.host_port(transport))) for row in ROWS]
    for row, wire in wires:
        wire.send(octets(row))
    wrong = []
    for row, wire in wires:
        kind, verdict = row["stream"], row["layer-verdict"]
        expected = [] if verdict == "drop" else [int(verdict)]
        if kind in ("close", "wait-close"):
            found = answers(wire, PATIENCE)
        else:
            found = answers(wire, 2 if expected else 0.2, most=2 if kind == "two" else 1)
        right = {
            "same": found == expected,
            "two": len(found) == 2 and None not in found,
            "close": found in ([*expected, None], [400, None]),
            "wait-close": found == [None],
        }[kind]
        if not right:
            wrong.append(f"{row['file']}: {found}, the table says {kind} {verdict}")
        wire.close()
    assert not wrong, "\n".join(wrong)
    still_answers(exchange, transport)


def one_round(exchange):
    """Each file by each transport."""
    for transport in ("udp", "tcp", "tls"):
        wires = {}
        for row in ROWS:
            if transport == "udp":
                wire = wires.setdefault("", WIRES[transport](exchange.host_port()))
            else:
                wire = wires[row["file"]] = WIRES[transport](exchange.host_port(transport))
            wire.send(octets(row))
        for wire in wires.values():
            wire.close()
        still_answers(exchange, transport)


def test_memory_stays_flat_and_the_next_call_is_good(exchange):
    """Show 4: all files by all transports, 50 rounds: memory after the last at most 2 MiB above that of an exchange at work.

    Transactions are kept for half a minute, so how many there are depends on how fast this machine is: the first rounds last until the
    first of them have been forgotten. The table that holds them doubles once when it is full: one step up, where a leak grows with
    each ten rounds."""
    began, rounds = time.monotonic(), 0
    while rounds < SETTLED or time.monotonic() - began < KEPT:
        one_round(exchange)
        rounds += 1
    seen = [exchange.memory_kib()]
    for number in range(rounds + 1, max(ROUNDS, rounds + 2 * SETTLED) + 1):
        one_round(exchange)
        if number % SETTLED == 0:
            seen.append(exchange.memory_kib())
    steps = sorted(after - before for before, after in itertools.pairwise(seen))
    assert sum(steps[:-1]) <= GROWTH_KIB and steps[-1] <= 2 * GROWTH_KIB, f"memory grew: {seen} KiB"
    caller = exchange.add_account("survivor", "4475", "survivor-phone")
    with Baresip(caller.user, caller.secret, exchange.address(), hertz=440) as phone:
        phone.start().wait_registered()
        phone.dial("600")
        phone.wait_established()
        tone.assert_tone(phone.wait_heard(4.5).last(2.5), 440, -15)
        phone.hangup()
