"""Lists by link, results by link, by each protocol and against servers that nobody here wrote (S3.3); none by half."""
import json
import threading

import pytest

from peers import model_list
from peers.agent import Agent
from peers.callees import everybody
from peers.certificate import own_certificate
from peers.fileservers import PASSWORD, FtpServer, SshServer
from peers.kamailio import Kamailio
from peers.ports import LOOPBACK
from peers.waiting import until
from peers.webfiles import WebFiles

ALLOWED = ["--allow", f"{LOOPBACK}/32"]
TOKEN = "a-token-of-one-day"


@pytest.fixture(scope="module")
def kamailio():
    with Kamailio().start() as proxy:
        yield proxy


@pytest.fixture(scope="module")
def callees(kamailio):
    with everybody(kamailio, model_list.SCRIPTS, talk=0.2) as callees:
        yield callees


@pytest.fixture(autouse=True)
def forget(callees):
    for callee in callees.values():
        callee.calls.clear()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    return own_certificate(tmp_path_factory.mktemp("certificate"), "files")


def work(kamailio, tmp_path, callees, link, results, extra, token=""):
    """The phone works through the list of `link`, and what arrives is what happened."""
    options = {**model_list.OPTIONS, "list": link("ada.csv"), "results": link("results"), "token": token}
    extra = [*ALLOWED, *extra, "--online"]
    with Agent(kamailio, tmp_path / "state", tmp_path, assignment=options, extra=extra, results=results).start() as agent:
        until(lambda: agent.states() == model_list.ENDS, 60, "the results arrive", agent.tail)
        agent.do("sign_out")
        agent.wait_left(len(model_list.NOT_NOW), 20)
        assert [row["number"] for row in agent.left()] == model_list.NOT_NOW
        assert {number: len(callee.calls) for number, callee in callees.items()} == model_list.CALLS
        agent.wait_event("presence", presence="signed_out")
        until(lambda: not list(results.glob("*.part")), 10, "no half file stays", agent.tail)
        told = json.dumps(agent.events) + agent.log()
        assert PASSWORD not in told and TOKEN not in told
    return agent


def refusal(kamailio, tmp_path, link, extra=ALLOWED, token="", **waiting):
    """Why a list does not come."""
    options = {"list": link, "token": token}
    with Agent(kamailio, tmp_path / "state", tmp_path, assignment=options, extra=extra).start() as agent:
        refused = agent.wait_event("list_refused", waiting.get("seconds", 20))
        assert not agent.saw("list_loaded"), "nothing is loaded by half"
        assert PASSWORD not in json.dumps(agent.events) + agent.log()
        return refused["why"]


# ---- by each protocol


@pytest.mark.parametrize("secret", [True, False], ids=["https", "http"])
def test_a_list_by_http(kamailio, callees, certificate, tmp_path, secret):
    folder = tmp_path / "www"
    (folder / "results").mkdir(parents=True)
    (folder / "ada.csv").write_text(model_list.text(), encoding="utf-8")
    web = WebFiles(folder, certificate if secret else None, token=TOKEN if secret else None)
    trust = ["--tls-trust", certificate[0]]
    work(kamailio, tmp_path, callees, lambda name: f"{web.url}/{name}", folder / "results", trust, TOKEN)
    sent = [headers.get("Authorization") for _, _, headers in web.asked]
    assert set(sent) == {f"Bearer {TOKEN}" if secret else None}, "a token goes by https alone"
    assert {method for method, _, _ in web.asked} == {"GET", "PUT"}
    web.close()


@pytest.mark.parametrize("tls", [None, "explicit", "implicit"])
def test_a_list_by_ftp(kamailio, callees, certificate, tmp_path, tls):
    with FtpServer(certificate, tls).start() as server:
        server.write("ada.csv", model_list.text())
        results = server.files / "results"
        results.mkdir()
        results.chmod(0o777)
        work(kamailio, tmp_path, callees, server.link, results, ["--tls-trust", certificate[0]])
        assert "RNTO results/ada-ada-" in server.log(), "sent beside its place, then renamed"


@pytest.mark.parametrize("scheme", ["sftp", "scp"])
@pytest.mark.parametrize("by", ["password", "key"])
def test_a_list_by_ssh(kamailio, callees, tmp_path, scheme, by):
    with SshServer().start() as server:
        server.write("ada.csv", model_list.text())
        results = server.files / "results"
        results.mkdir()
        results.chmod(0o777)
        password = PASSWORD if by == "password" else None
        extra = ["--ssh-known-hosts", server.known_hosts, *(["--ssh-key", server.key] if by == "key" else [])]
        work(kamailio, tmp_path, callees, lambda name: server.link(name, scheme, password), results, extra)


# ---- nothing by half


def test_show_5_a_redirect_leads_nowhere_inside(kamailio, certificate, tmp_path):
    web = WebFiles(tmp_path, certificate)
    trust = ["--tls-trust", certificate[0]]
    (tmp_path / "ada.csv").write_text("number\n7101\n")
    web.faults["/ada.csv"] = [f"https://127.0.0.2:{web.port}/ada.csv"]
    why = refusal(kamailio, tmp_path, f"{web.url}/ada.csv", [*ALLOWED, *trust])
    assert why.startswith("nothing is sent to 127.0.0.2, which is this machine; --allow"), why
    web.faults["/ada.csv"] = [f"http://{LOOPBACK}:{web.port}/ada.csv"]
    why = refusal(kamailio, tmp_path, f"{web.url}/ada.csv", [*ALLOWED, *trust])
    assert why == "it sends us on to something other than https"
    web.faults["/ada.csv"] = ["/ada.csv"] * 9
    why = refusal(kamailio, tmp_path, f"{web.url}/ada.csv", [*ALLOWED, *trust])
    assert why == "it sends us on more than 3 times"
    why = refusal(kamailio, tmp_path, f"{web.url}/ada.csv", trust)
    assert why.startswith(f"nothing is sent to {LOOPBACK}"), why
    web.close()


def test_show_5_a_strangers_certificate_and_a_missing_token(kamailio, certificate, tmp_path):
    web = WebFiles(tmp_path, certificate, token=TOKEN)
    (tmp_path / "ada.csv").write_text("number\n7101\n")
    stranger = own_certificate(tmp_path, "stranger")
    why = refusal(kamailio, tmp_path, f"{web.url}/ada.csv", [*ALLOWED, "--tls-trust", stranger[0]])
    assert "no TLS: invalid peer certificate" in why
    why = refusal(kamailio, tmp_path, f"{web.url}/ada.csv", [*ALLOWED, "--tls-trust", certificate[0]])
    assert why == "it lets nobody in without a token (HTTP 401)"
    web.close()
    with FtpServer(certificate, "explicit").start() as server:
        server.write("ada.csv", "number\n7101\n")
        why = refusal(kamailio, tmp_path, server.link("ada.csv"), [*ALLOWED, "--tls-trust", stranger[0]])
        assert "no TLS: invalid peer certificate" in why
        why = refusal(kamailio, tmp_path, server.link("ada.csv", "wrong"), [*ALLOWED, "--tls-trust", certificate[0]])
        assert why == "it does not let ada in (530 Login incorrect.)"


def test_show_5_what_breaks_off_goes_on_or_is_not_taken(kamailio, certificate, tmp_path):
    """A strong ETag says that the rest is of the same file."""
    web = WebFiles(tmp_path)
    (tmp_path / "ada.csv").write_text("number\n" + "".join(f"4930{row:06}\n" for row in range(10_000)))
    web.faults["/ada.csv"] = [30_000, None]
    link = f"{web.url}/ada.csv"
    options = {"list": link, "country": "49"}
    with Agent(kamailio, tmp_path / "state", tmp_path, assignment=options, extra=ALLOWED).start() as agent:
        assert agent.wait_event("list_loaded", 20)["rows"] == 10_000
    ranges = [headers.get("Range") for _, path, headers in web.asked if path == "/ada.csv"]
    assert ranges[0] is None and ranges[1].startswith("bytes=") and len(ranges) == 2
    web.weak = True
    web.faults["/ada.csv"] = [30_000]
    why = refusal(kamailio, tmp_path, link)
    assert why.startswith("it broke off after 30000 octets"), why
    web.close()


def test_show_5_a_file_that_changes_while_it_is_read(kamailio, certificate, tmp_path):
    with FtpServer(certificate, rate=50_000).start() as server:
        path = server.write("ada.csv", "number\n" + "".join(f"4930{row:06}\n" for row in range(20_000)))

        def change():
            until(lambda: "RETR" in server.log() or "150 " in server.log(), 20, "it is read", server.tail)
            with path.open("a") as file:
                file.write("7102\n")

        changer = threading.Thread(target=change)
        changer.start()
        why = refusal(kamailio, tmp_path, server.link("ada.csv"), seconds=40)
        changer.join()
        assert why == "it changed while it was read"


def test_show_5_a_host_key_that_is_unknown_or_has_changed(kamailio, tmp_path):
    server = SshServer()
    with server.start():
        server.write("ada.csv", "number\n7101\n")
        server.know(None)
        known = ["--ssh-known-hosts", server.known_hosts]
        for scheme in ("sftp", "scp"):
            why = refusal(kamailio, tmp_path, server.link("ada.csv", scheme), [*ALLOWED, *known])
            assert why.startswith("its host key is not known: put it into"), why
        why = refusal(kamailio, tmp_path, server.link("ada.csv", password="wrong"), [*ALLOWED, *known, "--ssh-trust-first"])
        assert why == "it does not let us in with this name and key or password"
        assert server.host_key.split()[1] in server.known_hosts.read_text(), "taken at first sight, and remembered"
    server.new_host_key()
    with server.start():
        for more in ([], ["--ssh-trust-first"]):
            why = refusal(kamailio, tmp_path, server.link("ada.csv"), [*ALLOWED, *known, *more])
            assert why.startswith("its host key is not the one that is known of it"), why


def test_a_list_that_is_the_same_is_not_sent_again(kamailio, tmp_path):
    web = WebFiles(tmp_path)
    (tmp_path / "ada.csv").write_text("number\n7101\n")
    options = {"list": f"{web.url}/ada.csv", "refresh_s": 10}
    with Agent(kamailio, tmp_path / "state", tmp_path, assignment=options, extra=ALLOWED).start() as agent:
        agent.wait_event("list_loaded")
        agent.do("reload")
        asked = lambda: [headers for _, path, headers in web.asked if path == "/ada.csv"]
        until(lambda: len(asked()) == 2 and "If-None-Match" in asked()[1], 10, "it is asked for again", agent.tail)
        (tmp_path / "ada.csv").write_text("number\n7101\n7102\n")
        agent.do("reload")
        assert agent.wait_event("list_loaded")["rows"] == 2
    web.close()
