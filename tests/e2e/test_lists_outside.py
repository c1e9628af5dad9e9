"""Files of agents at servers that stand elsewhere, and phones there that cannot reach the exchange (S3.3, S3.18, S3.20)."""
import json

import pytest

from peers.agent import Agent
from peers.callees import everybody
from peers.certificate import own_certificate
from peers.exchange import Exchange
from peers.fileservers import PASSWORD, FtpServer, SshServer
from peers.kamailio import Kamailio
from peers.office_lists import LISTS, board, make, results
from peers.ports import LOOPBACK
from peers.waiting import until

SCRIPTS = {"7101": ["answer"], "7102": ["answer"], "7103": ["answer"]}
ROWS = "number,name,city\n7101,Ann,Berlin\n7102,Bo,Köln\n7103,Cy,Ulm\n"
ALLOWED = ["--allow", f"{LOOPBACK}/32"]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    return own_certificate(tmp_path_factory.mktemp("certificate"), "files")


def office_beside(server, certificate, agent="ada"):
    """An exchange whose agents' file lies at another server."""
    extra = LISTS + f'allow = ["{LOOPBACK}/32"]\nauthorities = "{certificate[0]}"\n'
    if isinstance(server, SshServer):
        extra += f'ssh_known_hosts = "{server.known_hosts}"\n'
    return Exchange(config_extra=extra + f'[lists.outside]\n{agent} = "{server.link(".")}"\n')


def placed(server, agent="ada"):
    path = server.files / f"{agent}.jsonl"
    if not path.exists() or not path.read_text(encoding="utf-8").startswith("{"):
        return []
    return [json.loads(line)["number"] for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("kind", ["ftpes", "sftp"])
def test_a_phone_elsewhere_works_by_a_file_server_alone_and_the_board_knows(certificate, tmp_path, kind):
    """The phone is at Kamailio and knows the file server only; rows, results and what is left pass by that."""
    server = FtpServer(certificate, "explicit") if kind == "ftpes" else SshServer()
    with (
        server.start(), Kamailio().start() as kamailio, everybody(kamailio, SCRIPTS, talk=0.2) as callees,
        office_beside(server, certificate).start() as office,
    ):
        office.import_people([[name, name, number, number, f"secret-of-{number}"] for name, number in
                              (("ada", "7001"), ("bob", "7002"))])
        make(office, "autumn", ROWS)
        office.run("list", "deal", "autumn", "--to", "ada")
        until(lambda: placed(server) == ["7101", "7102", "7103"], 15, "the file lies there", office.tail)
        assert PASSWORD not in office.log()
        # The exchange ends and comes again: the same file, by the same link.
        office.restart()
        extra = [*ALLOWED, "--online"]
        extra += ["--tls-trust", certificate[0]] if kind == "ftpes" else ["--ssh-known-hosts", server.known_hosts]
        options = {"list": server.link("ada.jsonl"), "results": server.link("."), "gap_s": 2}
        with Agent(kamailio, tmp_path / "state", tmp_path, assignment=options, extra=extra, results=server.files).start() as phone:
            phone.wait_event("list_loaded", 15, rows=3)
            phone.wait_event("dialling", 15, number="7102")
            phone.do("sign_out")
            phone.wait_event("presence", 20, presence="signed_out")
            until(lambda: board(office, "autumn") == {"ada": 1}, 20, "the board knows what is left", office.tail)
        outcomes = [(row["number"], row["outcome"]) for row in results(office, "autumn") if row["outcome"]]
        assert outcomes == [("7101", "answered"), ("7102", "answered")]
        # The rest goes to somebody else (S3.20): the file lets go of it.
        office.run("list", "reassign", "autumn", "--from", "ada", "--to", "bob")
        until(lambda: "7103" not in placed(server), 20, "the file has it no more", office.tail)
        assert board(office, "autumn")["bob"] == 1
        assert {number: len(callee.calls) for number, callee in callees.items() if callee.calls} == {"7101": 1, "7102": 1}


def test_a_server_that_is_away_is_told_once_and_nothing_is_lost(certificate, tmp_path):
    server = FtpServer(certificate, "explicit")
    with office_beside(server, certificate).start() as office:
        office.import_people([["ada", "ada", "7001", "7001", "secret-of-7001"]])
        make(office, "autumn", ROWS)
        office.run("list", "deal", "autumn", "--to", "ada")
        office.wait_log("the file at another server: .*refused", 15)
        with server.start():
            until(lambda: placed(server) == ["7101", "7102", "7103"], 15, "the file lies there", office.tail)
        assert office.log().count("refused") == 1, "told once, however often it was tried"
        assert PASSWORD not in office.log()
