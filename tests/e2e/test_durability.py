"""What was promised is there after the exchange died: at every failpoint, under load, on a full disk (R12, R18, R20)."""
import os
import re
import shutil
import signal
import subprocess
import time

import pytest

from e2e.conftest import Office
from peers import baresip, loadgen, pjsua, sdp, tone
from peers.baresip import Baresip
from peers.exchange import REPOSITORY, Exchange
from peers.loadgen import Survivors
from peers.pjsua import Pjsua
from peers.ports import LOOPBACK, media_range
from peers.rawua import RawUA
from peers.waiting import until

LIST = REPOSITORY / "crates/store/src/failpoint.rs"
POINTS = re.findall(r'^    "([a-z_.]+)",$', LIST.read_text(), re.MULTILINE)


@pytest.fixture
def own():
    """An exchange of the test's own whose ports stay the same when it starts again."""
    with Exchange(media_span=400) as exchange:
        yield exchange


def start_again(exchange):
    """On the same data and, for UDP, the same port."""
    port = exchange.host_port()[1]
    keep_port(exchange, port)
    began = time.monotonic()
    exchange.start()
    return began


def keep_port(exchange, port, transport="udp"):
    """The next start listens there; its ports for sound are drawn anew, for another may have taken them meanwhile."""
    text = exchange.config.read_text().replace(f'{transport} = "127.0.0.1:0"', f'{transport} = "127.0.0.1:{port}"', 1)
    first, last = media_range(400)
    exchange.config.write_text(re.sub(r'ports = "[0-9-]+"', f'ports = "{first}-{last}"', text))


def rings(office, caller, phone, number, seconds=2):
    """Whether a call to the number reaches the phone."""
    with office.raw(caller) as one:
        call = one.invite(number, sdp.describe(40000))
        phone.wait_invite(seconds).refuse(486)
        assert call.wait_final().status == 486


# ---- failpoints


def knows_failpoints(exchange):
    """A release build knows none: there, arming one changes nothing."""
    probe = subprocess.run(
        [exchange.binary, "serve", "--data", exchange.data, "--config", exchange.config], env=armed("none"),
        capture_output=True, timeout=20, text=True, check=False, stdin=subprocess.DEVNULL)
    return probe.returncode == 1 and "no point" in probe.stderr


def armed(point, times=1):
    return {**os.environ, "RINGDOWN_FAILPOINT": f"{point}:{times}"}


def promised_while_dying(exchange, point, promises):
    """Asks for everything until the exchange dies; keeps in `promises` what it was told is done."""
    serial = 0
    while exchange.alive() and serial < 40:
        serial += 1
        name = f"p{len(point)}-{serial}-{time.monotonic_ns()}"
        if exchange.run("account", "add", name, ok=False).returncode:
            continue
        promises["accounts"].append(name)
        if exchange.run("number", "add", f"8{serial:03}", "--account", name, ok=False).returncode:
            continue
        added = exchange.run("device", "add", f"{name}-d", "--account", name, "--secret", "s", ok=False)
        if added.returncode:
            continue
        phone = RawUA(f"{name}-d", "s", exchange.host_port())
        promises["phones"].append(phone)
        try:
            if phone.register(expires=3600, ok=False).status == 200:
                promises["registered"].append((phone, f"8{serial:03}"))
        except AssertionError:
            continue


@pytest.mark.parametrize("point", [one for one in POINTS if one.startswith(("store.", "core."))])
def test_what_was_promised_before_dying_at(own, point):
    """R12, R20: accounts and devices that were acknowledged exist, phones that got their 200 ring."""
    if not knows_failpoints(own):
        pytest.skip("this build has no failpoints")
    own.start()
    office = Office(own)
    caller = office.person()
    promises = {"accounts": [], "phones": [], "registered": []}
    own.stop()
    keep_port(own, own.host_port()[1])
    os.environ["RINGDOWN_FAILPOINT"] = f"{point}:6"
    try:
        own.start()
    finally:
        del os.environ["RINGDOWN_FAILPOINT"]
    try:
        promised_while_dying(own, point, promises)
        assert own.wait_end(5) == -signal.SIGABRT and f"failpoint {point}" in own.log()
        assert promises["accounts"], "it promised something before"
        keep_port(own, own.host_port()[1])
        own.start()
        accounts = own.run("account", "list").stdout
        for name in promises["accounts"]:
            assert name in accounts, f"{name} was acknowledged before {point}"
        for phone, number in promises["registered"]:
            rings(office, caller, phone, number)
    finally:
        for phone in promises["phones"]:
            phone.close()


@pytest.mark.parametrize("point", [one for one in POINTS if not one.startswith(("store.", "core."))])
def test_an_interrupted_step_leaves_a_whole_office(own, point, tmp_path):
    """Migration, backup and restore: what dies half-way is done again, and nothing half-done is taken for whole."""
    if not knows_failpoints(own):
        pytest.skip("this build has no failpoints")

    def dies(*arguments, env):
        done = subprocess.run([own.binary, "--data", own.data, *arguments], env=env, capture_output=True, timeout=20,
                              check=False, stdin=subprocess.DEVNULL)
        assert done.returncode == -signal.SIGABRT, done

    if point.startswith("migrate."):
        dies("serve", "--config", own.config, env=armed(point))
        own.start()
        Office(own).person()
        return
    own.start()
    person = Office(own).person()
    kept = tmp_path / "kept"
    if point.startswith("backup."):
        dies("backup", kept, env=armed(point))
        assert not kept.exists()
    own.run("backup", kept)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["kept"], "nothing is left behind"
    own.stop()
    own.data = own.folder / "other"
    if point.startswith("restore."):
        dies("restore", kept, env=armed(point))
    own.run("restore", kept)
    own.start()
    assert person.user in own.run("device", "list").stdout


# ---- kill -9


STORM_RATE, STORM_SECONDS = 1_000, 4


@pytest.mark.alone
def test_r12_every_registration_that_got_its_200_rings_after_a_kill(own):
    """Show 2: kill -9 in the middle of a steady stream of new bindings, 1,000 a second; after the restart the phone of
    each binding that got its 200 is called, the newest first, and each rings within 2 s."""
    own.start()
    callers = 20
    count = STORM_RATE * STORM_SECONDS * 2 + callers
    own.import_people(loadgen.people(count))
    with Survivors(own.address(), count, callers, STORM_RATE).start() as phones:
        until(phones.confirmed, 10, "the first bindings", own.tail)
        # A busy machine may take longer for as many.
        deadline = time.monotonic() + 2 * STORM_SECONDS
        while phones.confirmed() < STORM_RATE * STORM_SECONDS and time.monotonic() < deadline:
            time.sleep(0.05)
        os.kill(own.pid, signal.SIGKILL)
        own.wait_end(10)
        storm = phones.next("rate", 5)
        print(f"{storm['rate']} new bindings a second of {STORM_RATE} that were asked for, {storm['confirmed']} confirmed")
        assert storm["confirmed"] < count - callers, "killed in the middle"
        assert storm["confirmed"] > STORM_RATE, "a stream, not a burst"
        assert storm["rate"] > STORM_RATE / 3, f"too slow to be a steady stream: {storm}"
        start_again(own)
        calls = phones.next("rang", 60)
    assert calls["silent"] == [] and calls["called"] == calls["rang"] == storm["confirmed"], calls
    assert calls["in_time"] == calls["rang"], f"some rang later than 2 s after they were called: {calls}"


@pytest.mark.parametrize("returns", [True, False], ids=["a phone that comes back", "a phone that does not"])
def test_a_call_waits_for_a_phone_on_tls_that_lost_the_exchange(own, returns):
    """R12: nothing reaches a phone on TLS before it has connected again. A call meanwhile waits for it and rings then;
    when nobody comes back, it ends with 480."""
    own.start()
    office = Office(own)
    one, two = office.person(), office.person()
    keep_port(own, own.host_port("tls")[1], "tls")
    phone = Pjsua(two.user, two.secret, own.address("tls"), "tls", hertz=1000, retry=4)
    with phone, office.raw(one) as probe:
        phone.start().wait_registered()
        os.kill(own.pid, signal.SIGKILL)
        own.wait_end(10)
        if not returns:
            phone.stop()
        start_again(own)
        if not returns:
            began = time.monotonic()
            call = probe.invite(two.number, sdp.describe(40000))
            final = call.wait_final(40)
            assert (final.status, call.responses[:-1]) == (480, []), "nothing rang"
            assert 25 < time.monotonic() - began < 35, "it waited 30 s"
            return
        with Baresip(one.user, one.secret, own.address(), hertz=440) as desk:
            desk.start()
            assert "tls" not in own.run("device", "list").stdout, "the call is there before the phone is"
            desk.dial(two.number)
            phone.wait_incoming(10)
            phone.ring()
            desk.wait_ringing()
            phone.answer()
            desk.wait_established()
            assert "tls" in own.run("device", "list").stdout
            tone.assert_tone(phone.wait_heard(2.5), 440, baresip.TONE_DBFS)
            tone.assert_tone(desk.wait_heard(2.5), 1000, pjsua.TONE_DBFS)
            desk.hangup()
            phone.wait_closed()
    assert office.record(one.number, two.number)["answered_by"] == two.user


def test_fifty_calls_leave_fifty_records_after_a_kill(own):
    """R20: kill -9 under calls, half of them answered; each has its one record, cause "node lost"."""
    own.start()
    office = Office(own)
    one, two = office.person(), office.person()
    with office.raw(one) as caller, office.raw(two) as phone:
        phone.register(expires=3600)
        for index in range(50):
            call = caller.invite(two.number, sdp.describe(40000))
            branch = phone.wait_invite()
            branch.ring()
            if index % 2:
                branch.answer(sdp.describe(40002))
                call.wait_answer()
        done = caller.invite("no-such-number", sdp.describe(40000))
        assert done.wait_final().status == 404
        # The pulse of the exchange is two seconds apart.
        time.sleep(2.5)
        killed = time.time()
        os.kill(own.pid, signal.SIGKILL)
        own.wait_end(10)
    start_again(own)
    records = own.wait_calls(51)
    lost = [record for record in records if record["cause"] == "node lost"]
    assert len(records) == 51 and len(lost) == 50
    assert all(record["blame"] == "us" and record["caller"] == one.number for record in lost)
    answered = [record for record in lost if record["answered"]]
    assert len(answered) == 25 and all(record["answered_by"] == two.user for record in answered)
    assert all(record["status"] == (200 if record["answered"] else 503) for record in lost)
    talked = max(record["duration_ms"] for record in answered)
    since = (time.time() - killed) * 1000
    assert 0 < talked < 60_000 - since, "it ended when it was last seen alive"
    own.stop()
    own.start()
    assert len(own.calls()) == 51, "once"


# ---- a full disk


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("mount"), reason="needs the right to mount")
def test_on_a_full_disk_calls_go_on_and_new_promises_are_refused(own):
    """R20: 503 for a new binding, a refusal with its reason for a command, calls as ever; all is well after."""
    own.data.mkdir(mode=0o700)
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=6m,mode=700", "tmpfs", own.data], check=False)
    if mounted.returncode:
        pytest.skip("this machine mounts nothing")
    try:
        full_disk(own)
    finally:
        own.stop()
        subprocess.run(["umount", "--lazy", own.data], check=False)


def full_disk(own):
    own.start()
    office = Office(own)
    one, two, three = office.person(), office.person(), office.person()
    ballast = own.data / "ballast"
    with office.raw(one) as caller, office.raw(two) as phone, office.raw(three) as late:
        phone.register(expires=3600)
        with open(ballast, "wb", buffering=0) as out, pytest.raises(OSError):
            while True:
                out.write(b"\0" * 4096)
        until(lambda: own.run("account", "add", f"x{time.monotonic_ns()}", ok=False).returncode, 10, "a refusal", own.tail)
        told = own.run("account", "add", "nobody-new", ok=False).stderr
        assert "nothing was changed" in told and ("full" in told or "not available" in told), told
        assert late.register(ok=False).status == 503
        phone.register(expires=3600)
        rung = caller.invite(two.number, sdp.describe(40000))
        branch = phone.wait_invite()
        branch.answer(sdp.describe(40002))
        rung.wait_answer()
        assert rung.bye().status == 200
        branch.wait_bye()
        assert "disk of the data folder is full" in own.run("check", "--config", own.config, ok=False).stdout
        ballast.unlink()
        until(lambda: late.register(ok=False).status == 200, 15, "the store is asked again", own.tail, every=0.5)
        own.run("account", "add", "somebody-new")
        record = own.wait_calls(1, seconds=15)[0]
        assert record["cause"] == "caller hung up", "the record waited"
        os.kill(own.pid, signal.SIGKILL)
        own.wait_end(10)
    start_again(own)
    assert "somebody-new" in own.run("account", "list").stdout and len(own.calls()) == 1
