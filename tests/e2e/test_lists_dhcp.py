"""The link to a list comes from the network: DHCP options 66, 67, 43, 160 and RFC 3925 125 of a real dnsmasq (S3.3)."""
import json

import pytest

from peers import model_list
from peers.agent import Agent
from peers.callees import everybody
from peers.kamailio import Kamailio
from peers.network import OURS, Dhcp, alone
from peers.ports import LOOPBACK
from peers.waiting import until
from peers.webfiles import WebFiles

EXTRA = ["--allow", f"{LOOPBACK}/32"]

OPTIONS = {
    "66": lambda link: [f"--dhcp-option-force=66,{link}"],
    "66 and 67": lambda link: [f"--dhcp-option-force=66,{link.removesuffix('ada.csv')}", "--dhcp-option-force=67,ada.csv"],
    "67": lambda link: [f"--dhcp-option-force=67,{link}"],
    "43": lambda link: [f"--dhcp-option=vendor:ringdown,1,{link}"],
    "160": lambda link: [f"--dhcp-option-force=160,{link}"],
    "125": lambda link: ["--dhcp-option-force=125,00:00:00:01:03:09:01:00", f"--dhcp-option-force=vi-encap:3561,11,{link}"],
}


@pytest.mark.parametrize("option", OPTIONS)
def test_the_network_names_the_list(request, tmp_path, option):
    if not alone(request):
        return
    (tmp_path / "ada.csv").write_text("number,name\n7101,Ann\n7102,Bo\n")
    web = WebFiles(tmp_path)
    with Kamailio().start() as kamailio, Dhcp(*OPTIONS[option](f"{web.url}/ada.csv")).start():
        options = {"list": f"dhcp:{OURS}"}
        with Agent(kamailio, tmp_path / "state", tmp_path, assignment=options, extra=EXTRA).start() as agent:
            assert agent.wait_event("list_loaded", 20)["rows"] == 2
    web.close()


def test_show_1_an_assignment_of_the_network_is_worked_to_its_end(request, tmp_path):
    if not alone(request):
        return
    (tmp_path / "www").mkdir()
    web = WebFiles(tmp_path / "www")
    (tmp_path / "www" / "ada.csv").write_text(model_list.text(), encoding="utf-8")
    (tmp_path / "www" / "ada.json").write_text(json.dumps({
        **model_list.OPTIONS, "agent": "ada", "list": f"{web.url}/ada.csv", "results": f"{web.url}/results",
    }))
    results = tmp_path / "www" / "results"
    with (
        Kamailio().start() as kamailio,
        Dhcp(f"--dhcp-option-force=160,{web.url}/ada.json").start(),
        everybody(kamailio, model_list.SCRIPTS, talk=0.2) as callees,
    ):
        options = {"list": f"dhcp:{OURS}"}
        extra = [*EXTRA, "--online"]
        with Agent(kamailio, tmp_path / "state", tmp_path, assignment=options, extra=extra, results=results).start() as agent:
            until(lambda: agent.states() == model_list.ENDS, 60, "the results arrive", agent.tail)
            agent.do("quit")
            assert agent.wait_end(20) == 0
            assert [row["number"] for row in agent.left()] == model_list.NOT_NOW
            assert {number: len(callee.calls) for number, callee in callees.items()} == model_list.CALLS
        # Whoever answers on the network names no files of this machine.
        for key in ("list", "results"):
            named = {"list": f"{web.url}/ada.csv", key: "/etc/passwd"}
            (tmp_path / "www" / "ada.json").write_text(json.dumps({"agent": "ada", **named}))
            with Agent(kamailio, tmp_path / "state", tmp_path, assignment=options, extra=EXTRA, results=results) as agent:
                agent.spawn(agent._command)
                assert agent.wait_end(20) == 1
                assert "it names a file of this machine; an assignment from the network names links" in agent.log()
    web.close()


def test_a_network_that_names_nothing_says_so(request, tmp_path):
    if not alone(request):
        return
    (tmp_path / "ada.csv").write_text("number\n7101\n")
    with Kamailio().start() as kamailio, Dhcp("--dhcp-option-force=66,198.18.7.1").start():
        for interface, why in [
            (OURS, "the DHCP server names no link in options 160, 66, 67, 43 and 125"),
            ("nothing9", "No such device"),
        ]:
            options = {"list": f"dhcp:{interface}"}
            with Agent(kamailio, tmp_path / "state", tmp_path, assignment=options, extra=EXTRA) as agent:
                agent.spawn(agent._command)
                assert agent.wait_end(30) == 1
                assert why in agent.log()
