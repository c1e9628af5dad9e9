"""Agents (D, Show 4): one poller holds many agents of an outside platform at 1 Hz; what state changes cost beside that, and
how exact the switch back is, with few and with many signed in. Then agents of our own exchange: what it costs to be signed
in, and what a change of state by hand costs, each of them stored before it is answered."""
import http.client
import itertools
import json
import sqlite3
import sys
import time

import servers
from peers.api import PREFIX, administrator
from peers.exchange import Exchange
from peers.platform import Platform
from peers.waiting import until
from servers import Ours
from tasks import processor

AGENTS, SECONDS = (100, 10_000), 60
QUICK_AGENTS, QUICK_SECONDS = (100,), 8
CHANGES, WRAP_UP_S, BUSY_S = 200, 3, 1.2
# One call is three changes: busy, after the call, ready; nobody has the next before the last is over.
TURN_S = 8
CONNECTIONS, HERTZ, CPU_PERCENT, LIMIT_MS, FLAT = 64, 0.9, 5.0, 50.0, 1.2
CONFIG = """
[platforms.center]
kind = "http"
url = "{url}"
every = 1
connections = {connections}
"""


def run(bench):
    counts, seconds = (QUICK_AGENTS, QUICK_SECONDS) if bench.quick else (AGENTS, SECONDS)
    for count in counts:
        platform = Platform(token=None)
        try:
            measure(bench, platform, count, seconds)
        finally:
            platform.close()
    costs = [own(bench, count, seconds) for count in counts]
    if not bench.quick:
        few, many = costs
        bench.add("a change of state, 10,000 agents against 100", f"{CHANGES}/s", many, "us", f"{counts[0]} agents", few,
                  FLAT)


def own(bench, count, seconds):
    """The cost of one change in microseconds of the server."""
    ours = Ours(count)
    with ours.start():
        names = [f"p{servers.FIRST_NUMBER + user}" for user in range(count)]
        token = administrator(ours).program(["phone", "people:read"]).token
        ours.stop()
        sign_in(ours, names, None)
        with servers.on_core(servers.SERVER_CORE):
            Exchange.start(ours)
        time.sleep(3)
        idle = share(ours, seconds, lambda until_at: time.sleep(seconds))
        rate = min(CHANGES, count)
        done = []
        busy = share(ours, seconds, lambda until_at: by_hand(ours, token, names, rate, until_at, done))
    wrong = sum(status != 200 for status in done)
    if wrong or not done:
        bench.faults.append(f"{wrong} of {len(done)} changes by hand were refused")
    print(f"  {count} agents of our own: idle {idle:.2f} % cpu, {len(done)} changes", file=sys.stderr)
    sound = len(done) >= 0.95 * rate * seconds
    bench.add("our own agents change state, beyond idle", f"{rate}/s, {count}", busy - idle, "% cpu", None, None,
              CPU_PERCENT, sound)
    return 10_000 * (busy - idle) * seconds / max(1, len(done))


def share(ours, seconds, act):
    """Percent of a core while something is done."""
    before, began = processor(ours), time.time()
    act(began + seconds)
    return 100 * (processor(ours) - before) / (time.time() - began)


def by_hand(ours, token, names, rate, until_at, done):
    """One change after another over one connection that stays open: each agent's break has another reason than before. They
    have no phones, so none of them could be ready."""
    connection = http.client.HTTPConnection(ours.ready["http"], timeout=10)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    began = time.time()
    for place in itertools.count():
        at = began + place / rate
        if at >= until_at:
            break
        time.sleep(max(0, at - time.time()))
        round_, agent = divmod(place, len(names))
        body = {"state": "not-ready", "reason": "lunch" if round_ % 2 else "break"}
        connection.request("POST", f"{PREFIX}/agents/{names[agent]}/state", json.dumps(body), headers)
        answer = connection.getresponse()
        answer.read()
        done.append(answer.status)
    connection.close()


def measure(bench, platform, count, seconds):
    ours = Ours(count)
    text = CONFIG.format(url=platform.url, connections=CONNECTIONS)
    ours.config.write_text(ours.config.read_text() + text)
    with ours.start():
        ours.stop()
        names = [f"p{servers.FIRST_NUMBER + user}" for user in range(count)]
        sign_in(ours, names, "center")
        with servers.on_core(servers.SERVER_CORE):
            Exchange.start(ours)
        until(lambda: len(platform.agents) == count, 120, "all are signed in", lambda: len(platform.agents))
        time.sleep(3)
        idle, hertz = spent(ours, platform, count, seconds, lambda until_at: time.sleep(seconds))
        first = len(platform.asked)
        ends = []
        rate = min(CHANGES / 3, count / TURN_S)
        busy, _ = spent(ours, platform, count, seconds,
                        lambda until_at: calls(platform, names, rate, until_at, ends))
        time.sleep(WRAP_UP_S + 2)
        late = lateness(platform, first, ends)
    if platform.most_open > CONNECTIONS:
        bench.faults.append(f"{platform.most_open} connections to the platform, at most {CONNECTIONS}")
    if len(late) != len(ends):
        bench.faults.append(f"{len(late)} switches for {len(ends)} calls at the platform")
    p99 = late[min(len(late) - 1, int(0.99 * len(late)))]
    print(f"  {count} agents: idle {idle:.2f} % cpu, {platform.most_open} connections, {len(late)} switches", file=sys.stderr)
    bench.add("agents of a platform, polled", f"{count}", hertz, "Hz", None, None, HERTZ, least=True)
    bench.add("agents change state, beyond idle", f"{round(3 * rate)}/s, {count}", busy - idle, "% cpu", None, None,
              CPU_PERCENT)
    bench.add("end of a wrap-up to the switch, p99", f"{count}", p99, "ms", None, None, LIMIT_MS)


def sign_in(ours, names, platform):
    """Into the store, as if each had signed in before the start."""
    now = int(1_000 * time.time())
    with sqlite3.connect(ours.data / "office.db") as database:
        database.execute("UPDATE accounts SET platform = ?, wrap_up_ms = ?", (platform, 1_000 * WRAP_UP_S))
        database.executemany("INSERT INTO agents (account, queues, since) VALUES (?, '', ?)",
                             [(name, now) for name in names])
    database.close()


def spent(ours, platform, count, seconds, act):
    """Percent of a core while something is done, and how often each agent was asked for in a second."""
    before, began, first = processor(ours), time.time(), len(platform.asked)
    act(began + seconds)
    took = time.time() - began
    asked = sum(what for _, kind, _, what in platform.asked[first:] if kind == "poll")
    return 100 * (processor(ours) - before) / took, asked / count / took


def calls(platform, names, rate, until_at, ends):
    """One call after another, each of the next agent; keeps when each ended."""
    began = time.time()
    plan = []
    for place in range(int(rate * (until_at - began - BUSY_S))):
        at, agent = began + place / rate, names[place % len(names)]
        plan += [(at, agent, "busy"), (at + BUSY_S, agent, "after-call")]
    for at, agent, state in sorted(plan):
        time.sleep(max(0, at - time.time()))
        ended = time.time() if state == "after-call" else None
        platform.set(agent, state, ended)
        if ended:
            ends.append((agent, ended))


def lateness(platform, first, ends):
    """Milliseconds from the end of each wrap-up to the switch, in order."""
    of = {}
    for agent, ended in ends:
        of.setdefault(agent, []).append(ended + WRAP_UP_S)
    late = []
    for at, kind, agent, what in platform.asked[first:]:
        if kind == "state" and what == "ready" and of.get(agent):
            late.append(1_000 * (at - of[agent].pop(0)))
    return sorted(late)
