"""`ringdown phone` while nothing happens (F, Show 6): below 1 % of a core and 30 MB, with one account and a call list, and with
three accounts, and their lamps."""
import sys
import time
from pathlib import Path

import servers
from peers.ports import free_port
from peers.softphone import Softphone
from peers.waiting import until
from servers import FIRST_NUMBER, SECRET, Ours

SECONDS, QUICK_SECONDS = 60, 3
CPU_PERCENT, MEGABYTES = 1.0, 30.0
ROWS, LAMPS = 1_000, 48


def run(bench):
    seconds = QUICK_SECONDS if bench.quick else SECONDS
    with Ours(LAMPS + 4).start() as ours:
        phones = (("account and list", 0, with_list(ours)), ("3 accounts, lamps", LAMPS, with_accounts(ours)))
        for name, lamps, phone in phones:
            with phone:
                ready(phone, lamps)
                measure(bench, name, phone, seconds)


def with_list(ours):
    """Registers, has read a list of 1,000 rows, and waits for its agent."""
    number = str(FIRST_NUMBER)
    rows = ours.folder / "list.csv"
    rows.write_text("number,name\n" + "".join(f"{FIRST_NUMBER + 1 + row},Person {row}\n" for row in range(ROWS)))
    return Softphone(number, SECRET, ours.address(), extra=["--list", rows, "--state", ours.folder / "phone"])


def with_accounts(ours):
    """Two that are registered, one whose server is away; each with a part of the lamps."""
    users = [str(FIRST_NUMBER + place) for place in range(1, 3)]
    watched = [str(FIRST_NUMBER + 4 + place) for place in range(LAMPS)]
    half = LAMPS // 2
    accounts = [
        {"name": "office", "server": ours.address(), "user": users[0], "password": SECRET, "lamps": watched[:half]},
        {"name": "desk", "server": ours.address("tcp"), "transport": "tcp", "user": users[1], "password": SECRET,
         "lamps": watched[half:]},
        {"name": "away", "server": f"127.0.0.1:{free_port()}", "transport": "tcp", "user": "x", "password": "x"},
    ]
    return Softphone("several", None, None, accounts=accounts)


def ready(phone, lamps):
    phone.start()
    if lamps:
        lit = lambda: {event["number"] for event in phone.saw("lamp") if event["state"] == "idle"}  # noqa: E731
        until(lambda: len(lit()) == lamps, 10, f"{lamps} lamps", phone.tail)
    else:
        phone.wait_registered()
        phone.wait_event("list_loaded", rows=ROWS)
    # What starting costs is another matter.
    time.sleep(1)


def measure(bench, name, phone, seconds):
    """Adds two rows; a phone that lost its servers, or a lamp, is a fault."""
    before, began = spent_ns(phone.pid), time.monotonic()
    time.sleep(seconds)
    percent = (spent_ns(phone.pid) - before) / (time.monotonic() - began) / 1e7
    megabytes = resident_kb(phone.pid) / 1024
    print(f"  phone with {name}: {percent:.3f} % of a core, {megabytes:.1f} MB resident", file=sys.stderr)
    phone.do("status")
    status = phone.wait_event("status")
    lost = [event for event in phone.saw("lamp") if event["state"] == "unknown"]
    if not status["registered"] or lost:
        bench.faults.append(f"phone with {name}: {status}, lamps that went out: {lost}")
    bench.add("phone idle", name, percent, "% cpu", None, None, CPU_PERCENT)
    bench.add("phone idle, memory", name, megabytes, "MB", None, None, MEGABYTES)


def spent_ns(pid):
    """Time of all threads on a core so far."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks)


def resident_kb(pid):
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))
