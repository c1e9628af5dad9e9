"""check, reload, backup, restore and drain, as the one meets them who keeps the exchange running."""
import os
import re
import signal
import socket
import stat
import subprocess
import time
import urllib.error
import urllib.request

import pytest

from e2e.conftest import Office
from peers import sdp
from peers.exchange import Exchange
from peers.ports import LOOPBACK, free_port, media_range
from peers.waiting import until


@pytest.fixture
def own():
    """An exchange of the test's own; not started yet."""
    with Exchange(media_span=400) as exchange:
        yield exchange


def checked(exchange, text, ok=False):
    """What `ringdown check` says of a configuration."""
    exchange.config.write_text(text)
    result = exchange.run("check", "--config", exchange.config, ok=False)
    assert (result.returncode == 0) == ok, f"{result.returncode}\n{result.stdout}{result.stderr}"
    return result.stdout


def certificate(folder, name, *dates):
    """A certificate and its key, named so."""
    days = dates or ("-days", "90")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", *days,
         "-subj", f"/CN={name}", "-keyout", folder / f"{name}.key", "-out", folder / f"{name}.pem"],
        check=True, capture_output=True,
    )
    return folder / f"{name}.pem", folder / f"{name}.key"


# ---- check


def test_every_planted_fault_is_found_with_its_line_and_its_advice(own, tmp_path):
    """A2: what is wrong, where, and what to do; errors end with 1."""
    first, last = media_range(400)
    good = f'[media]\naddress = "{LOOPBACK}"\nports = "{first}-{last}"\n[http]\nlisten = []\n'
    none = 'udp = "127.0.0.1:0"\ntcp = []\ntls = []\n'
    sip = f"{good}[sip]\n{none}"
    held = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    held.bind((LOOPBACK, 0))
    busy = f"{LOOPBACK}:{held.getsockname()[1]}"
    one, other = certificate(tmp_path, "one"), certificate(tmp_path, "other")
    old = certificate(tmp_path, "old", "-days", "-1") if openssl_makes_old() else None
    tls = 'udp = []\ntcp = []\ntls = "127.0.0.1:0"\n'
    free = free_port()
    faults = [
        (f"{sip}[calls\n", 10, "", "--example"),
        (f"{sip}domian = \"x\"\n", 10, "unknown field `domian`", "did you mean `domain`"),
        (f"{sip}[cals]\n", 10, "unknown section [cals]", "did you mean `calls`"),
        (sip.replace("udp = \"127.0.0.1:0\"", f'udp = "{busy}"'), 7, f"cannot listen on udp {busy}", "ss -lnp"),
        (sip.replace("udp = \"127.0.0.1:0\"", 'udp = "192.0.2.7:5060"'), 7, "192.0.2.7:5060", "ip address"),
        (sip.replace("tcp = []", f'tcp = ["{LOOPBACK}:{free}", "0.0.0.0:{free}"]'), 8, "same listener", "once"),
        (sip.replace(f"{first}-{last}", "20000-20100\", \"20050-20200").replace("ports = ", "ports = [").replace(
            "20200\"", "20200\"]"), 3, "20000-20100 and 20050-20200 overlap", "end before the next begins"),
        (sip.replace(f"{first}-{last}", f"{first}-{first + 1}"), 3, "too few for one call", "four ports"),
        (sip.replace(f'address = "{LOOPBACK}"', 'address = "0.0.0.0"'), 2, "no address that a phone", "advertise"),
        (f"{good}[sip]\n{tls}certificate = \"{one[0]}\"\nkey = \"{other[1]}\"\n", 10, "one.pem", "its own key"),
        (f"{good}[sip]\n{tls}certificate = \"{tmp_path}/none.pem\"\nkey = \"{one[1]}\"\n", 10, "none.pem", "readable"),
        (f"{good}[sip]\n{tls}key = \"{one[1]}\"\n", 10, "certificate is not", "set both"),
        (f"{sip}[calls]\necho_number = \"six hundred\"\n", 11, "no number that a phone can dial", "digits"),
        (f"{sip}[calls]\nring_seconds = 1\n", 11, "cannot ring for 1", "5 to 600"),
        (sip.replace("\"127.0.0.1:0\"", "\"localhost\""), 7, "localhost", "--example"),
    ]
    if old:
        faults.append((f"{good}[sip]\n{tls}certificate = \"{old[0]}\"\nkey = \"{old[1]}\"\n", 10, "is expired since", "renewed"))
    for text, line, what, advice in faults:
        told = checked(own, text)
        error = next(part for part in ("\n" + told).split("\nerror: ")[1:])
        assert f"ringdown.toml:{line}: " in error, f"{line}, {what}:\n{told}"
        assert what in error and advice in error, f"{what}, {advice}:\n{told}"
    held.close()
    assert "error:" not in checked(own, sip, ok=True)


def openssl_makes_old():
    """OpenSSL 3.4 and later refuse to make a certificate that was never valid; then one test less."""
    probe = subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "-1",
         "-subj", "/CN=x", "-keyout", "/dev/null", "-out", "/dev/null"], capture_output=True, check=False)
    return probe.returncode == 0


def test_the_data_folder_is_checked_too(own, tmp_path):
    """Who may look, who serves it, whether it is a folder at all; and what serves is not hindered by looking."""
    text = own.config.read_text()
    own.start()
    told = checked(own, text, ok=True)
    assert "an exchange runs on this data folder" in told and "error:" not in told
    own.data.chmod(0o755)
    assert re.search(r"warning: .*others may look into .*755.*\n +do: `chmod 700", checked(own, text, ok=True))
    own.stop()
    own.data = tmp_path / "a-file"
    own.data.write_text("")
    assert "is no folder" in checked(own, text)


def test_the_example_is_a_configuration(own):
    """Everything that can be set, with its default; a file with all of it commented out is good."""
    example = own.run("check", "--example").stdout
    own.config.write_text(example)
    keys = re.findall(r"^#(\w+) = ", example, re.MULTILINE)
    assert len(keys) > 15 and {"udp", "ports", "listen", "drain_seconds", "level"} <= set(keys)
    assert "unknown" not in own.run("check", "--config", own.config, ok=False).stdout


# ---- reload


def test_reload_takes_a_file_whole_or_not_at_all_while_a_call_goes_on(own):
    """A2: what can change does, what needs a restart is named, a bad file changes nothing, a call is not touched."""
    own.start()
    office = Office(own)
    one, two = office.person(), office.person()
    text = own.config.read_text()
    with office.raw(one) as caller, office.raw(two) as phone:
        phone.register()
        call = caller.invite(two.number, sdp.describe(40000))
        branch = phone.wait_invite()
        branch.answer(sdp.describe(40002))
        call.wait_answer()
        own.config.write_text(text + '[calls]\necho_number = "777"\n')
        assert "running calls were not touched" in own.run("reload").stdout
        assert "777" in own.run("codes").stdout
        own.config.write_text(text + "[calls]\necho_number = \"778\"\nring_secnds = 5\n")
        refusal = own.run("reload", ok=False)
        assert refusal.returncode == 1
        assert "nothing was changed" in refusal.stderr and "ringdown.toml:15: " in refusal.stderr, refusal.stderr
        own.config.write_text(text + f"[calls]\necho_number = \"{two.number}\"\n")
        refusal = own.run("reload", ok=False).stderr
        assert "ringdown.toml:14: " in refusal and "belongs to account" in refusal, refusal
        assert "777" in own.run("codes").stdout, "whole or not at all"
        moved = text.replace('udp = "127.0.0.1:0"', 'udp = "127.0.0.1:5999"')
        own.config.write_text(moved + '[calls]\necho_number = "779"\n[log]\nlevel = "debug"\n')
        told = own.run("reload").stdout
        assert "needs a restart: [sip] udp" in told and "779" in own.run("codes").stdout
        own.config.write_text(text + '[sip2]\n')
        os.kill(own.pid, signal.SIGHUP)
        own.wait_log("nothing was changed")
        own.config.write_text(text + '[calls]\necho_number = "780"\n')
        os.kill(own.pid, signal.SIGHUP)
        own.wait_log("read anew")
        assert "780" in own.run("codes").stdout
        phone.register()
        assert call.bye().status == 200
        branch.wait_bye()


def test_reload_changes_what_phones_are_asked_for(own):
    """R10: the challenge follows the file; who knows only the new algorithm registers at once."""
    own.start()
    office = Office(own)
    one = office.person()
    with office.raw(one) as phone:
        call = phone.invite("600", sdp.describe(40000), authenticate=False)
        assert "SHA-256" not in str(call.wait_final())
        own.config.write_text(own.config.read_text().replace("[media]", 'challenge = "sha256"\n\n[media]'))
        own.run("reload")
        call = phone.invite("600", sdp.describe(40000), authenticate=False)
        assert "SHA-256" in str(call.wait_final())
        phone.register()


# ---- backup


def test_a_backup_made_during_calls_serves_the_whole_office_elsewhere(own, tmp_path):
    """A2: people, secrets, registrations, records and the certificate; private, never over another file unasked."""
    own.start()
    office = Office(own)
    one, two = office.person(), office.person()
    kept = tmp_path / "office.backup"
    with office.raw(one) as caller, office.raw(two) as phone:
        phone.register(expires=3600)
        caller.invite("no-such-number", sdp.describe(40000)).wait_final()
        own.wait_calls(1)
        call = caller.invite(two.number, sdp.describe(40000))
        branch = phone.wait_invite()
        branch.answer(sdp.describe(40002))
        call.wait_answer()
        own.run("backup", kept)
        assert stat.S_IMODE(kept.stat().st_mode) == 0o600
        assert "--force" in own.run("backup", kept, ok=False).stderr
        own.run("backup", kept, "--force")
        assert call.bye().status == 200, "the call goes on"
        branch.wait_bye()
        certificate_before = (own.data / "certificate.pem").read_bytes()
        full = own.run("restore", kept, ok=False).stderr
        assert "another exchange runs" in full, full
        own.stop()
        full = own.run("restore", kept, ok=False).stderr
        assert "is not empty" in full and "--data" in full, full
        with Exchange(media_span=400) as other:
            damaged = tmp_path / "damaged"
            damaged.write_bytes(kept.read_bytes()[:9000])
            assert "damaged" in other.run("restore", damaged, ok=False).stderr
            assert "ringdown serve" in other.run("restore", kept).stdout
            assert (other.data / "certificate.pem").read_bytes() == certificate_before
            other.start()
            with Office(other).raw(one) as caller_there, Office(other).raw(two) as phone_there:
                phone_there.register()
                call = caller_there.invite(two.number, sdp.describe(40000))
                branch = phone_there.wait_invite()
                # Its registration is in the backup, so it rings for the other exchange too.
                assert phone.wait_invite()
                branch.answer(sdp.describe(40006))
                call.wait_answer()
                assert call.bye().status == 200
            causes = [record["cause"] for record in other.wait_calls(2)]
            assert causes == ["unknown number", "caller hung up"], "the call of the backup is another exchange's"


# ---- drain


def ready_status(exchange):
    try:
        with urllib.request.urlopen(f"http://{exchange.ready['http']}/readyz", timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refusal:
        return refusal.code, refusal.read().decode()


def test_told_to_stop_it_takes_no_new_calls_and_lets_the_running_one_end(own):
    """A2: 503 with Retry-After for new calls, /readyz says so, the process ends with the last call."""
    own.start()
    office = Office(own)
    one, two, three = office.person(), office.person(), office.person()
    with office.raw(one) as caller, office.raw(two) as phone, office.raw(three) as late:
        phone.register()
        call = caller.invite(two.number, sdp.describe(40000))
        branch = phone.wait_invite()
        branch.answer(sdp.describe(40002))
        call.wait_answer()
        assert ready_status(own)[0] == 200
        os.kill(own.pid, signal.SIGTERM)
        until(lambda: "draining: 1 call left" in (own.folder / "stdout.txt").read_text(), 5, "progress", own.tail)
        status, words = ready_status(own)
        assert status == 503 and "draining" in words
        refusal = late.invite(two.number, sdp.describe(40004), authenticate=False).wait_final()
        assert refusal.status == 503 and refusal.get("retry-after")
        late.register()
        phone.register()
        assert own.alive() and call.bye().status == 200
        branch.wait_bye()
        assert own.wait_end(10) == 0
    own.start()
    assert [record["cause"] for record in own.calls()] == ["caller hung up"]


@pytest.mark.parametrize("how", ["a second signal", "the time limit"])
def test_a_second_signal_or_the_limit_ends_the_calls(own, how):
    """Then each call gets its BYE and its record."""
    if how == "the time limit":
        own.config.write_text(own.config.read_text() + "[calls]\ndrain_seconds = 1\n")
    own.start()
    office = Office(own)
    one, two = office.person(), office.person()
    with office.raw(one) as caller, office.raw(two) as phone:
        phone.register()
        call = caller.invite(two.number, sdp.describe(40000))
        branch = phone.wait_invite()
        branch.answer(sdp.describe(40002))
        call.wait_answer()
        began = time.monotonic()
        os.kill(own.pid, signal.SIGTERM)
        until(lambda: "draining" in (own.folder / "stdout.txt").read_text(), 5, "progress", own.tail)
        if how == "a second signal":
            os.kill(own.pid, signal.SIGTERM)
        branch.wait_bye()
        assert own.wait_end(10) == 0 and time.monotonic() - began < 8
    own.start()
    record = own.wait_calls(1)[0]
    assert (record["cause"], record["blame"]) == ("node lost", "us")
