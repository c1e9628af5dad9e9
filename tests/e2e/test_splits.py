"""The network split in each place (G, Show 4; docs/outages.md): what works, what is refused, and that nothing acknowledged is lost.

Each exchange, the PostgreSQL server and the directory have a place of their own; nobody is told of a split, packets just vanish.
"""
import contextlib
import itertools
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone

import pytest

from e2e.conftest import Office
from e2e.test_sites import told
from peers import sdp
from peers.cluster import administrator_of, at, know_each_other, knows, member, talk
from peers.directory import Directory
from peers.directory import member as site
from peers.places import Network
from peers.postgres import Postgres
from peers.waiting import until

KEEPS = "this exchange keeps agents, queues, tasks and lists from now on"
LOST = "another exchange keeps agents, queues, tasks and lists now"
AWAY = "no connection to the directory"
RESTS = "no exchange keeps agents"
OUTBOUND = 'sip.instance="<urn:uuid:00000000-0000-1000-8000-000000000007>"'
ANYWHERE = {"http_extra": 'administrators = "anywhere"\n'}


class Split:
    """Two exchanges of one office over one server, each in a place of its own."""

    def __init__(self, network, server, north, south):
        self.network, self.server, self.north, self.south = network, server, north, south
        self.office = Office(north)
        self.administrators = dict(zip((north, south), administrator_of((north, south))))

    def people(self, count):
        """Whom both know."""
        made = [self.office.person() for _ in range(count)]
        until(lambda: made[-1].user in self.south.run("device", "list").stdout, 5, "they are known at both", self.south.tail)
        return made

    def heal(self):
        self.network.heal()
        for one, other in ((self.north, "south"), (self.south, "north")):
            until(lambda: reaches(one, other), 15, "there is a way again", one.tail)

    def keeper(self):
        """(the one that keeps what must happen once, the other)"""
        first = self.south if said(self.south, KEEPS) > said(self.south, LOST) else self.north
        return first, self.south if first is self.north else self.north


def reaches(one, other):
    """What an exchange said last of the way to another."""
    said = [line for line in one.log().splitlines() if f'another exchange exchange="{other}"' in line]
    return said and said[-1].endswith("reachable=true")


@pytest.fixture(scope="module")
def pair():
    with contextlib.ExitStack() as stack:
        network = stack.enter_context(Network())
        server = stack.enter_context(Postgres(place=network.place("postgres"))).start()
        north = stack.enter_context(member(server, "north", place=network.place("north"), **ANYWHERE)).start()
        south = stack.enter_context(member(server, "south", north, place=network.place("south"), **ANYWHERE)).start()
        know_each_other(north, south)
        yield Split(network, server, north, south)


@pytest.fixture
def split(pair):
    yield pair
    pair.heal()


@contextlib.contextmanager
def registered(*phones):
    """Phones at their doors: (exchange, device) or (exchange, device, transport)."""
    with contextlib.ExitStack() as stack:
        made = [stack.enter_context(at(*phone)) for phone in phones]
        for phone in made:
            phone.register()
        yield made


@pytest.mark.parametrize("both", [True, False], ids=["both ways", "one way"])
def test_show_4_between_two_exchanges(split, both):
    """Each goes on with the phones at its doors, and both are told of changes. Whoever is at the other's door is rung by a second
    flow, or rings when the network is whole again. A call that was up goes on."""
    north, south, network = split.north, split.south, split.network
    first, second, third, fourth, twice = split.people(5)
    records = len(north.calls())
    with registered((north, first), (north, second), (south, third), (south, fourth)) as (one, two, three, four), \
            at(south, twice, "tcp") as near, at(north, twice, "tcp") as far:
        near.register(contact=f"{near.contact};reg-id=1;+{OUTBOUND}")
        far.register(contact=f"{far.contact};reg-id=2;+{OUTBOUND}")
        until(lambda: all(knows(north, one) for one in (third, fourth, twice)), 5, "they are known at both", north.tail)
        up = two.invite(fourth.number, sdp.describe(40000))
        there = four.wait_invite()
        there.answer(sdp.describe(40002))
        up.wait_answer()
        network.split(north.place, south.place, both)
        until(lambda: not reaches(north, "south") and not reaches(south, "north"), 8, "both find out", north.tail, every=0.1)
        talk(one, two, second.number)
        talk(three, four, fourth.number)
        added = split.office.person()
        until(lambda: added.user in south.run("device", "list").stdout, 5, "PostgreSQL tells both", south.tail)
        reached = one.invite(twice.number, sdp.describe(40004))
        branch = far.wait_invite(5)
        branch.answer(sdp.describe(40006))
        reached.wait_answer()
        assert reached.bye().status == 200
        waits = one.invite(third.number, sdp.describe(40008))
        time.sleep(2)
        assert not three.received("INVITE"), "who is at the other's door is not rung"
        network.heal()
        rung = three.wait_invite(15)
        rung.answer(sdp.describe(40010))
        waits.wait_answer()
        assert waits.bye().status == 200
        rung.wait_bye()
        assert there.bye(seconds=10).status == 200, "what was up still is"
        up.wait_bye()
    ended = north.wait_calls(records + 5, seconds=10)
    assert len(ended) == records + 5 and not [one for one in ended if one["cause"] == "node lost"], ended


def said(exchange, text):
    """How often an exchange has logged this."""
    return exchange.log().count(text)


def background_call(split, keeper, owner, callee, seconds):
    """One that is due in so many seconds; its number."""
    allow = ("account", "set", f"person-{owner.number}", "--rights", "background")
    # What crosses another's change is made again, as whoever makes it is told.
    until(lambda: keeper.run(*allow, ok=None).returncode == 0, 5, "they may have background calls", keeper.tail)
    due = datetime.now(timezone.utc) + timedelta(seconds=seconds)
    wanted = {"account": f"person-{owner.number}", "number": callee.number, "not_before": due.isoformat().replace("+00:00", "Z")}
    return split.administrators[keeper].post("/tasks", wanted).must(201).json["id"]


def made_once(keeper, task, owner, callee):
    """The two that a background call is about talk, and it was one attempt. Returns what ends the call."""
    rung = callee.wait_invite(15)
    rung.answer(sdp.describe(40004))
    back = owner.wait_invite()
    back.answer(sdp.describe(40006))
    assert len(callee.received("INVITE")) == 1, "nobody is called twice"

    def end():
        assert back.bye().status == 200
        rung.wait_bye()
        until(lambda: len(keeper.run("task", "calls", task).stdout.splitlines()) == 2, 5, "one attempt", keeper.tail)
        assert len(callee.received("INVITE")) == 1, "nor later"

    return end


def test_show_4_between_one_of_two_exchanges_and_postgresql(split):
    """The keeper is cut off: calls go on there, what is new is refused, what must happen once rests after 3 s and is kept by the other
    within 6 s, which makes the background call that was due. One that rings is taken back before anybody else can call again. Then
    the two are what they were: no call has two records."""
    cut, other = split.keeper()
    owner, callee, third, fourth, fresh, fifth, sixth = split.people(7)
    records, kept, lost = len(cut.calls()), said(other, KEEPS), said(cut, LOST)
    with registered((other, owner), (other, callee), (cut, third), (cut, fourth), (other, fifth), (other, sixth)) as phones, \
            at(cut, fresh) as late, ThreadPoolExecutor() as beside:
        a, b, c, d, _, e = phones
        until(lambda: all(knows(other, one) for one in (third, fourth)) and knows(cut, sixth), 5, "they are known", other.tail)
        up = c.invite(fourth.number, sdp.describe(40000))
        there = d.wait_invite()
        there.answer(sdp.describe(40002))
        up.wait_answer()
        task = background_call(split, cut, owner, callee, 1.5)
        rings = background_call(split, cut, fifth, sixth, 0)
        ringing = e.wait_invite()
        ringing.ring()
        split.network.split(cut.place, split.server.place)
        began = time.monotonic()
        refused = beside.submit(late.register, ok=False, seconds=12)
        talk(c, d, fourth.number)
        until(lambda: RESTS in cut.run("task", "list", ok=None).stderr, 4, "it rests (R25)", cut.tail, every=0.1)
        ringing.wait_cancel(1)
        until(lambda: said(other, KEEPS) > kept, 8, "the other keeps", other.tail)
        assert time.monotonic() - began < 8
        other.run("task", "stop", rings)
        end = made_once(other, task, a, b)
        assert refused.result().status == 503
        assert "nothing was changed" in cut.run("account", "add", "nobody", ok=False).stderr
        assert time.monotonic() - began < 12, "whoever asks for what cannot be kept need not wait for long"
        split.heal()
        until(lambda: said(cut, LOST) > lost, 10, "it finds out", cut.tail)
        until(lambda: all(knows(other, one) for one in (third, fourth)), 10, "its phones are known again", other.tail)
        until(lambda: late.register(ok=False).status == 200, 10, "the store is asked again", cut.tail, every=0.5)
        end()
        talk(a, c, third.number)
        assert there.bye().status == 200, "what was up still is"
        up.wait_bye()
    ended = [one for one in cut.wait_calls(records + 5, seconds=10)[records:] if str(one["task"]) != rings]
    assert len(ended) == 4 and {one["cause"] for one in ended} <= {"callee hung up", "caller hung up"}, ended


def test_show_4_between_postgresql_and_both_exchanges(split):
    """Calls go on, at one exchange and between the two; what is new is refused; nobody keeps what must happen once, and nobody is
    taken for dead by one who was away itself. Then all is well, and there."""
    north, south = split.north, split.south
    one, two, fresh = split.people(3)
    records = len(north.calls())
    with registered((north, one), (south, two)) as (a, b), at(south, fresh) as late:
        until(lambda: knows(north, two) and knows(south, one), 5, "both are known at both", north.tail)
        for exchange in (north, south):
            split.network.split(exchange.place, split.server.place)
        talk(a, b, two.number)
        talk(b, a, one.number)
        assert late.register(ok=False, seconds=12).status == 503
        keeping = lambda: [one for one in (north, south) if one.run("task", "list", ok=None).returncode == 0]
        until(lambda: not keeping(), 5, "what must happen once rests (R25)", north.tail, every=0.2)
        split.heal()
        split.keeper()
        until(lambda: late.register(ok=False).status == 200, 10, "the store is asked again", south.tail, every=0.5)
        until(lambda: knows(north, fresh), 5, "known at the other", north.tail)
        talk(a, late, fresh.number)
    ended = north.wait_calls(records + 3, seconds=10)[records:]
    assert len(ended) == 3 and {one["cause"] for one in ended} == {"callee hung up"}, ended


class Adding:
    """Adds one account after another at an exchange, and remembers what it was told of each."""

    def __init__(self, exchange, name):
        self.exchange, self.name = exchange, name
        self.acknowledged, self.refused, self.longest, self._stopped = [], [], 0.0, False
        self._thread = threading.Thread(target=self._run)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stopped = True
        self._thread.join()

    def _run(self):
        last = time.monotonic()
        for number in itertools.count():
            if self._stopped:
                return
            account = f"{self.name}-{number}"
            try:
                told = self.exchange.run("account", "add", account, ok=None)
            except subprocess.TimeoutExpired:
                continue  # Nobody was told anything.
            now = time.monotonic()
            if told.returncode == 0:
                self.longest, last = max(self.longest, now - last), now
                self.acknowledged.append(account)
            else:
                assert "nothing was changed" in told.stderr, told.stderr
                self.refused.append(account)


def test_show_4_one_of_two_exchanges_does_not_hear_postgresql_any_more_under_load(split):
    """What it says arrives, and no answer comes back, whatever it is in the midst of. What was acknowledged is there, what was refused
    is not, the other is not held up for long, and a background call that was due is made once."""
    cut, other = split.keeper()
    owner, callee = split.people(2)
    kept = said(other, KEEPS)
    with registered((other, owner), (other, callee)) as (a, b), Adding(cut, "of-the-cut") as here, Adding(other, "of-the-other") as there:
        until(lambda: len(here.acknowledged) > 5 and len(there.acknowledged) > 5, 10, "accounts are added", cut.tail)
        task = background_call(split, cut, owner, callee, 2.5)
        split.network.split(cut.place, split.server.place, both=False)
        before = len(there.acknowledged)
        until(lambda: said(other, KEEPS) > kept, 8, "the other keeps", other.tail)
        made_once(other, task, a, b)()
        split.heal()
        until(lambda: RESTS not in cut.run("task", "list", ok=None).stderr, 10, "it knows who keeps", cut.tail)
        more = len(here.acknowledged) + 3
        until(lambda: len(here.acknowledged) > more, 35, "it is one of them again", cut.tail)
    assert len(there.acknowledged) > before and there.longest < 6, there.longest
    acknowledged, not_made = set(here.acknowledged + there.acknowledged), set(here.refused + there.refused)
    for exchange in (cut, other):
        def accounts():
            return set(exchange.run("account", "list").stdout.split())

        until(lambda: acknowledged <= accounts(), 5, "nothing acknowledged is lost", lambda: acknowledged - accounts(), every=0.2)
        assert not not_made & accounts(), "nothing refused is there"


# ---- several exchanges and their directory


class Sites:
    """Two exchanges that joined a directory, each in a place of its own."""

    def __init__(self, network, directory, north, south):
        self.network, self.directory, self.north, self.south = network, directory, north, south

    def known(self, *devices):
        copies = [exchange.data / "membership" / "directory.copy" for exchange in (self.north, self.south)]
        until(lambda: all(device.number in told(copy) for copy in copies for device in devices), 15, "all is known", self.north.tail)

    def explained(self, exchange, *words):
        """An exchange tells one of these of one of its last calls."""
        def why():
            return [exchange.run("explain", "call", one["session_id"]).stdout for one in exchange.calls()[-2:]]

        until(lambda: any(word in told for told in why() for word in words), 5, f"{words}", why, every=0.1)


@pytest.fixture(scope="module")
def joined():
    with contextlib.ExitStack() as stack:
        network = stack.enter_context(Network())
        directory = stack.enter_context(Directory(place=network.place("directory"))).start()
        north = stack.enter_context(site(directory, "north", place=network.place("north")))
        south = stack.enter_context(site(directory, "south", place=network.place("south")))
        yield Sites(network, directory, north, south)


@pytest.fixture
def sites(joined):
    yield joined
    joined.network.heal()


def refused(caller, number, seconds):
    """A call that does not come about; the words of its refusal."""
    answer = caller.invite(number, sdp.describe(40000)).wait_final(seconds)
    assert answer.status >= 400, answer
    return answer.status, str(answer.get("reason"))


@pytest.mark.parametrize("both", [True, False], ids=["both ways", "one way"])
def test_show_4_between_an_exchange_and_its_directory(sites, both):
    """Calls go by the copy, with tickets of the callee's exchange, in both directions; what no copy has is refused, with why; and all
    is as it was when the network is."""
    north, south = sites.north, sites.south
    anna, bela = Office(north).person(), Office(south).person()
    sites.known(anna, bela)
    gone, back = said(north, AWAY), said(north, "connected to the directory")
    with registered((north, anna), (south, bela)) as (a, b):
        sites.network.split(north.place, sites.directory.place, both)
        early = a.invite(bela.number, sdp.describe(40000))
        branch = b.wait_invite(6)
        branch.answer(sdp.describe(40002))
        early.wait_answer()
        assert early.bye().status == 200
        until(lambda: said(north, AWAY) > gone, 8, "it finds out", north.tail)
        began = time.monotonic()
        talk(a, b, bela.number)
        assert time.monotonic() - began < 2, "nobody waits for the directory any more"
        sites.explained(north, "by its copy")
        cleo = Office(south).person()
        assert refused(a, cleo.number, 6) == (404, 'SIP;cause=404;text="unknown number"')
        sites.network.heal()
        until(lambda: said(north, "connected to the directory") > back, 20, "it is connected again", north.tail)
        sites.known(cleo)
        talk(b, a, anna.number)


def test_show_4_between_two_exchanges_of_a_directory(sites):
    """Each goes on by itself; a call between them is refused and says why; a call that was up goes on."""
    north, south = sites.north, sites.south
    anna, dora, bela = Office(north).person(), Office(north).person(), Office(south).person()
    sites.known(anna, bela)
    with registered((north, anna), (north, dora), (south, bela)) as (a, d, b):
        up = a.invite(bela.number, sdp.describe(40000))
        there = b.wait_invite()
        there.answer(sdp.describe(40002))
        up.wait_answer()
        sites.network.split(north.place, south.place)
        for caller, exchange, number in ((a, north, bela.number), (b, south, anna.number)):
            assert refused(caller, number, 6) == (480, 'SIP;cause=480;text="no line"')
            sites.explained(exchange, "does not answer", "cannot be reached")
        talk(a, d, dora.number)
        sites.network.heal()
        talk(a, b, bela.number)
        assert there.bye().status == 200, "what was up still is"
        up.wait_bye(20)
