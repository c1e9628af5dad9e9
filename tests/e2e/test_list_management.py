"""Call lists that the exchange deals out: links for agents' phones, results that come back, rows that change hands (S3)."""
import json
import os
import signal
import socket

import pytest

from peers.office_lists import AgentPhone, ask, board, calls, link, make, office_with, results
from peers.process import PeerFailed
from peers.softphone import Softphone
from peers.waiting import until

ROWS = "number,name,city\n7101,Ann,Berlin\n7201,Bob,Bonn\n7102,Cy,Ulm\n7103,Di,Trier\n7104,Ed,Jena\n"
SCRIPTS = {"7101": ["answer"], "7102": ["answer"], "7103": ["answer"], "7104": ["answer"], "7201": [486, "answer"]}


def test_a_list_is_judged_before_it_begins_and_every_refusal_has_its_line():
    with office_with({}) as office:
        text = "number,name,agent\n7101,Ann,ada\ncall me,Bo,ada\n7101,Ann,ada\n7102,Cy,nobody\n112,Di,bob\n+8613800138000,Ed,bob\n"
        judged = make(office, "autumn", text, "--preview")
        assert judged.startswith("6 rows, 2 to be called"), judged
        for told in ("1 skipped: bad_number", "1 skipped: twice", "1 skipped: emergency", "1 skipped: consent"):
            assert told in judged, judged
        assert office.run("list", "list").stdout.count("\n") == 1, "a preview keeps nothing"
        kept = office.run("list", "add", "autumn", office.folder / "autumn.csv", "--consent", "agreed form 7")
        assert "6 rows, 3 to be called" in kept.stdout
        assert 'line 3: "call me" is no number' in kept.stderr and "line 4: stands further up already" in kept.stderr
        with pytest.raises(PeerFailed, match="exists already"):
            make(office, "autumn", text)
        # Dealt out by the agent that a row names; nobody of this name works here.
        office.run("list", "deal", "autumn")
        assert board(office, "autumn") == {"ada": 1, "bob": 1}
        with pytest.raises(PeerFailed, match="no column is called"):
            make(office, "winter", "name\nx\n")


def test_show_3_the_rest_follows_its_agent_and_then_goes_to_two_others(tmp_path):
    """S3.19 and S3.20: signed out in the middle, the rest arrives at another phone; given to two agents, every row is called once."""
    with office_with(SCRIPTS) as office:
        make(office, "autumn", ROWS)
        office.run("list", "deal", "autumn", "--to", "ada")
        first = {**link(office, "ada"), "gap_s": 2}
        with AgentPhone(office, tmp_path / "one", first, extra=["--online"]).start() as phone:
            loaded = phone.wait_event("list_loaded")
            assert (loaded["list"], loaded["rows"]) == ("calls", 5)
            dialling = phone.wait_event("dialling", number="7201")
            assert dict(dialling["fields"])["city"] == "Bonn", "the agent sees the callee's data"
            phone.do("sign_out")
            phone.wait_event("presence", 20, presence="signed_out")
            until(lambda: board(office, "autumn") == {"ada": 4}, 10, "what is left is known", phone.tail)
        second = {**link(office, "ada"), "gap_s": 2}
        with AgentPhone(office, tmp_path / "two", second, device="7009", extra=["--online"]).start() as phone:
            phone.wait_event("list_loaded", 15, rows=4)
            phone.wait_event("dialling", number="7102")
            phone.do("sign_out")
            phone.wait_event("presence", 20, presence="signed_out")
            until(lambda: sum(board(office, "autumn").values()) == 2, 10, "two are left", phone.tail)
        office.run("list", "reassign", "autumn", "--from", "ada", "--to", "bob", "--to", "cy")
        assert board(office, "autumn") == {"ada": 0, "bob": 1, "cy": 1}
        for agent, device in (("bob", "7002"), ("cy", "7003")):
            with AgentPhone(office, tmp_path / agent, link(office, agent), device, ["--online"]).start() as phone:
                phone.wait_event("row", 30, state="reached")
                until(lambda: board(office, "autumn")[agent] == 0, 10, f"{agent} has done all", phone.tail)
        rows = [(row["number"], row["attempt"], row["agent"], row["outcome"]) for row in results(office, "autumn")]
        assert [row[:2] for row in rows] == [
            ("7101", "1"), ("7201", "1"), ("7201", "2"), ("7102", "1"), ("7103", "1"), ("7104", "1")]
        assert {row[2] for row in rows if row[0] in ("7103", "7104")} == {"bob", "cy"}
        assert "done" in office.run("list", "list").stdout
        assert calls(office) == {"7101": 1, "7201": 2, "7102": 1, "7103": 1, "7104": 1}


def test_rows_move_while_a_phone_works_and_nobody_is_called_twice(tmp_path):
    """The row that is being called stays until its call is over, and counts for whoever gets it."""
    scripts = {"7301": ["silent"], "7101": ["answer"], "7102": ["answer"]}
    with office_with(scripts) as office:
        make(office, "autumn", "number\n7301\n7101\n7102\n")
        office.run("list", "deal", "autumn", "--to", "ada")
        # Long enough for a look at the list, which is each ten seconds at most.
        slow = {**link(office, "ada"), "ring_s": 16}
        with (
            AgentPhone(office, tmp_path / "ada", slow, extra=["--online"]).start() as ada,
            AgentPhone(office, tmp_path / "bob", link(office, "bob"), "7002", ["--online"]).start() as bob,
        ):
            ada.wait_event("dialling", number="7301")
            ada.wait_event("ringing")
            office.run("list", "reassign", "autumn", "--from", "ada", "--to", "bob")
            until(lambda: "done" in office.run("list", "list").stdout, 90, "all is done", bob.tail)
            assert [event["number"] for event in ada.saw("dialling")] == ["7301"], ada.tail() + bob.tail()
            assert len(office.callees["7301"].calls) == 2, bob.tail() + str(results(office, "autumn"))
            first, second = office.callees["7301"].calls
            assert first["cancelled"] and second["at"] - first["at"] >= 15, "ada's call was over when bob's began"
            bobs = [(event["number"], event["attempt"]) for event in bob.saw("dialling")]
            assert sorted(bobs) == [("7101", 1), ("7102", 1), ("7301", 2)]
        assert calls(office) == {"7301": 2, "7101": 1, "7102": 1}


def test_a_killed_phone_loses_nothing_and_a_killed_exchange_keeps_all(tmp_path):
    with office_with({"7101": ["answer"], "7301": ["silent"], "7102": ["answer"]}) as office:
        make(office, "autumn", "number\n7101\n7301\n7102\n")
        office.run("list", "deal", "autumn", "--to", "ada")
        assignment = link(office, "ada")
        with AgentPhone(office, tmp_path / "ada", assignment, extra=["--online"]).start() as phone:
            phone.wait_event("dialling", number="7301")
            until(lambda: board(office, "autumn") == {"ada": 2}, 10, "one is done", phone.tail)
            phone.kill()
        os.kill(office.pid, signal.SIGKILL)
        office.child.wait(5)
        port = office.address("https").rsplit(":", 1)[1]
        text = office.config.read_text().replace('[http]\nlisten = "127.0.0.1:0"\ntls = "127.0.0.1:0"',
                                                 f'[http]\nlisten = "127.0.0.1:0"\ntls = "127.0.0.1:{port}"')
        office.config.write_text(text)
        office.start()
        assert board(office, "autumn") == {"ada": 2}
        for callee in office.callees.values():
            callee.close()
        office.callees = {}
        with AgentPhone(office, tmp_path / "ada", assignment).start() as phone:
            assert phone.wait_event("list_loaded")["attempts"] == 2, "its journal goes on"
            phone.do("sign_out")
            phone.wait_event("presence", 20, presence="signed_out")
        rows = [(row["number"], row["attempt"], row["outcome"], row["end"]) for row in results(office, "autumn")]
        assert rows == [("7101", "1", "answered", "reached"), ("7301", "1", "lost", "open")]


def test_links_are_nobody_elses_and_results_count_once(tmp_path):
    with office_with({}) as office:
        make(office, "autumn", "number,name\n2001,Ann\n2002,王芳\n")
        office.run("list", "deal", "autumn", "--to", "ada")
        ada, bob = link(office, "ada"), link(office, "bob")
        status, body, tag = ask(ada["list"], ada["token"])
        assert status == 200 and [json.loads(line)["agent"] for line in body.splitlines()] == ["ada", "ada"]
        assert ask(ada["list"], ada["token"], tag=tag)[0] == 304
        for token in (None, "", "x" * 64, bob["token"]):
            status, refused, _ = ask(ada["list"], token)
            assert status == 401 and b"2001" not in refused, token
        assert ask(bob["list"].replace("/bob/", "/ada/"), bob["token"])[0] == 401
        task = "task,attempt,at,ended,outcome,talked,end,result,note,next\n"
        with AgentPhone(office, tmp_path / "ada", ada).start() as phone:
            phone.wait_event("list_loaded")
            phone.do("queue")
            name = phone.wait_event("queue")["next"][0][0]["task"]
        folder = ada["results"]
        line = f"{name},1,2026-11-29T01:00:00Z,2026-11-29T01:00:20Z,busy,0,open,,,\n"
        for _ in range(2):
            file = f"{folder}/ada-calls-000000000000-20261129T010000Z.results.csv"
            assert ask(file, ada["token"], (task + line).encode())[0] == 204
        assert [row["outcome"] for row in results(office, "autumn")] == ["busy"], "once"
        status, why, _ = ask(f"{folder}/x.results.csv", ada["token"], b"task,attempt\nxyz,1\n")
        assert status == 422 and b"line 2" in why.lower()
        assert ask(f"{folder}/x.results.csv", bob["token"], (task).encode())[0] == 401
        office.run("list", "revoke", "ada")
        assert ask(ada["list"], ada["token"])[0] == 401
        assert ask(f"{folder}/x.results.csv", ada["token"], task.encode())[0] == 401


def test_a_phone_at_the_exchange_is_told_for_whom_it_works(tmp_path):
    """RFC 6080: who signs in sends an assignment, who signs out an empty one, and other rows arrive at once."""
    with office_with({"7101": ["answer"], "7102": ["answer"], "7103": ["answer"]}) as office:
        make(office, "autumn", "number\n7101\n7102\n")
        office.run("list", "deal", "autumn", "--to", "ada")
        state = tmp_path / "state"
        state.mkdir()
        extra = ["--list", "exchange", "--state", state, "--allow", "127.0.0.0/8", "--tls-trust-any"]
        with Softphone("7001", "secret-of-7001", office.address(), extra=extra).start() as phone:
            phone.wait_registered()
            phone.wait_event("profile")
            assert not phone.saw("list_loaded"), "nobody works here"
            office.run("agent", "sign-in", "ada", "--device", "7001")
            assert phone.wait_event("list_loaded", 10)["rows"] == 2
            assert "7001" in office.run("list", "show", "autumn").stdout, "the board says where"
            phone.do("online")
            phone.wait_event("list_done", 30)
            # Told at once, not by the next look.
            make(office, "winter", "number\n7103\n")
            office.run("list", "deal", "winter", "--to", "ada")
            phone.wait_event("dialling", 10, number="7103")
            until(lambda: board(office, "winter") == {"ada": 0}, 15, "it is done", phone.tail)
            office.run("agent", "sign-out", "ada")
            phone.wait_event("presence", 10, presence="signed_out")
            assert '"token"' not in phone.tail(), "secrets are told to nobody"
            # Signed in again, the link is another one, and works.
            office.run("agent", "sign-in", "ada", "--device", "7001")
            phone.wait_event("list_loaded", 10, rows=0)
        assert calls(office) == {"7101": 1, "7102": 1, "7103": 1}


def test_sec_07_a_stranger_is_refused_before_what_they_bring_is_read():
    """50 MB are announced and never sent: the answer comes at once, so nothing of them is waited for or kept."""
    with office_with({}) as office:
        host, port = office.ready["http"].rsplit(":", 1)
        with socket.create_connection((host, int(port)), timeout=5) as line:
            line.sendall(b"PUT /call-lists/ada/results/ada-calls-0.results.jsonl HTTP/1.1\r\nHost: x\r\n"
                         b"Authorization: Bearer guessed\r\nContent-Length: 50000000\r\n\r\n")
            assert line.recv(200).split(b"\r\n")[0].split()[1] == b"401"
