"""A call list, worked through by `ringdown phone` at a SIP server that nobody here wrote (S3): no exchange of ours is there."""
import json
import time
from pathlib import Path

import jsonschema
import numpy
import pytest

from peers import g711, tone
from peers.agent import AGENT, Agent
from peers.callees import everybody
from peers.exchange import REPOSITORY
from peers.kamailio import Kamailio
from peers.softphone import Softphone
from peers.waiting import until


@pytest.fixture(scope="module")
def kamailio():
    with Kamailio().start() as proxy:
        yield proxy


@pytest.fixture(scope="module")
def callees(kamailio):
    """By number: 72xx are busy once, 73xx never answer, 75xx decline, 71xx answer; nobody has 74xx."""
    scripts = {
        "7101": ["answer"], "7102": ["answer"], "7103": ["answer"],
        "7201": [486, "answer"], "7202": [486, "answer"],
        "7301": ["silent"],
        "7501": [603], "7502": [603],
    }
    with everybody(kamailio, scripts) as callees:
        yield callees


@pytest.fixture(autouse=True)
def forget(callees):
    for callee in callees.values():
        callee.calls.clear()


ROWS = """number,name,service,slot,priority,city
7101,Ann,debt,,5,Berlin
7201,Bob,debt,,5,Bonn
7301,Cy,debt,,5,Köln
7401,Dee,debt,,5,Ulm
7501,Eve,debt,,5,Jena
7102,王芳,debt,,9,北京
+4930123456,Fay,debt,25-26,5,Berlin
not a number,Gus,debt,,5,Berlin
7202,Hal,debt,{closed},5,Trier
7502,"=HYPERLINK(""http://x"")",debt,,5,Berlin
7101,Ann,debt,,5,Berlin
7402,Ida,debt,,5,Berlin
7103,Jon,debt,,1,Berlin
"""


def closed_now():
    """A slot of the day that is not open, by UTC, which is the office's clock here."""
    hour = (time.gmtime().tm_hour + 3) % 24
    return f"{hour:02}:00-{hour:02}:59"


def test_show_1_a_list_is_worked_to_its_end_at_a_foreign_server(kamailio, callees, tmp_path):
    """Busy, no answer, vacant, declined, answered, refused and out-of-window rows: the results are the model's."""
    (tmp_path / "ada.csv").write_text(ROWS.format(closed=closed_now()), encoding="utf-8")
    with Agent(kamailio, tmp_path / "state", tmp_path).start() as agent:
        agent.wait_registered()
        loaded = agent.wait_event("list_loaded")
        assert (loaded["rows"], loaded["refused"]) == (11, 2)
        assert loaded["refusals"] == [
            'line 8: "25-26" is no time slot such as 09:00-11:30', 'line 9: "not a number" is no number',
        ]
        agent.wait_event("presence", presence="away")
        time.sleep(1)
        assert not agent.saw("dialling"), "S3.17: nobody is called for who is away"
        agent.do("online")
        # The data of the callee and the headset come before the call (S3.12).
        dialling = agent.wait_event("dialling")
        assert (dialling["name"], dialling["attempt"], dict(dialling["fields"])["city"]) == ("Ann", 1, "Berlin")
        agent.wait_event("headset", open=True)
        agent.wait_event("calling")
        until(lambda: agent.states().get("7301") == "used_up", 90, "the list is worked through", agent.tail)
        agent.do("queue")
        counts = agent.wait_event("queue")
        assert (counts["open"], counts["due"]) == (1, 0), "one waits for its slot"
        agent.do("sign_out")
        agent.wait_event("presence", presence="signed_out")
        agent.wait_left(1)
        assert agent.states() == {
            "7101": "reached", "7102": "reached", "7103": "reached", "7201": "reached", "7301": "used_up",
            "7401": "vacant", "7402": "vacant", "7501": "declined", "7502": "declined",
        }
        attempts = {number: len(callee.calls) for number, callee in callees.items() if callee.calls}
        assert attempts == {"7101": 1, "7102": 1, "7103": 1, "7201": 2, "7301": 2, "7501": 1, "7502": 1}
        outcomes = [(row["number"], row["attempt"], row["outcome"]) for row in agent.results() if row["number"]]
        assert ("7201", "1", "busy") in outcomes and ("7201", "2", "answered") in outcomes
        assert ("7301", "1", "no_answer") in outcomes and ("7301", "2", "no_answer") in outcomes
        assert len(outcomes) == 11, "each attempt once"
        refused = [(row["line"], row["note"]) for row in agent.results() if row["end"] == "refused"]
        assert ("12", "stands further up already") in refused and len(refused) == 3
        assert any(row["name"].startswith("'=HYPERLINK") for row in agent.results()), "no formula (sec_17)"
        assert [row["number"] for row in agent.left()] == ["7202"]
        assert [event["open"] for event in agent.saw("headset")] == [True, False] * 11
        assert all(call["cancelled"] for call in callees["7301"].calls)


def test_an_announced_vacant_number_is_no_proof_alone_and_is_one_with_a_status(kamailio, tmp_path):
    """S3.15: by the tones before a network's announcement the row waits for a second attempt; with a 404 it is removed."""
    (tmp_path / "ada.csv").write_text("number\n7601\n7602\n")
    scripts = {"7601": ["announced 480"], "7602": ["announced 404"]}
    with (
        everybody(kamailio, scripts, talk=0.2) as callees,
        Agent(kamailio, tmp_path / "state", tmp_path, assignment={"attempts": 5}, extra=["--online"]).start() as agent,
    ):
        assert agent.wait_event("announced", 20)["what"] == "vacant"
        first = agent.wait_event("row", number="7601", outcome="vacant")
        assert first["state"] == "open" and "vacant" in first["next"], first
        agent.wait_event("row", 20, number="7602", state="vacant")
        agent.do("sign_out")
        agent.wait_left(1)
        assert agent.states() == {"7601": "open", "7602": "vacant"}
        assert {number: len(callee.calls) for number, callee in callees.items()} == {"7601": 1, "7602": 1}


def test_show_2_the_agent_is_there_when_the_callee_answers(kamailio, callees, tmp_path):
    """The first packets after the callee's ACK are the agent's microphone: no abandoned call, by construction."""
    (tmp_path / "ada.csv").write_text("number\n7101\n7102\n7103\n")
    with Agent(kamailio, tmp_path / "state", tmp_path, extra=["--online"]).start() as agent:
        agent.wait_event("list_done", 30)
        for number in ("7101", "7102", "7103"):
            [call] = callees[number].calls
            first = call["heard"][:5]
            assert len(first) == 5, f"{number} heard {len(first)} packets"
            sound = numpy.concatenate([g711.decode(packet.payload, packet.payload_type) for packet in first])
            assert abs(tone.peak_hertz(sound, 8000) - 440) < 12, number
            assert tone.level_dbfs(sound) > -15, number


def test_a_call_that_comes_in_goes_first_and_a_result_is_kept(kamailio, callees, tmp_path):
    (tmp_path / "ada.csv").write_text("number,name\n7101,Ann\n7102,Bo\n")
    with (
        Agent(kamailio, tmp_path / "state", tmp_path).start() as agent,
        Softphone("7009", kamailio.secret, kamailio.address()).start() as caller,
    ):
        agent.wait_registered()
        agent.wait_event("list_loaded")
        caller.wait_registered()
        caller.dial(AGENT)
        agent.wait_incoming()
        agent.do("online")
        agent.answer()
        agent.wait_established()
        time.sleep(1.5)
        assert not agent.saw("dialling"), "who talks is not given a call"
        caller.hangup()
        dialling = agent.wait_event("dialling")
        agent.do("pause_after_call")
        agent.do("result", result="1", note="two of them")
        agent.wait_event("presence", presence="away")
        agent.do("later", minutes=30)
        agent.wait_event("row", task=dialling["task"], state="open")
        agent.do("sign_out")
        agent.wait_left(2)
        [row] = [row for row in agent.results() if row["number"] == "7101"]
        assert (row["result"], row["note"], row["end"], row["outcome"]) == ("sold", "two of them", "open", "answered")
        assert row["next"], "it says when it is called next"
        assert not callees["7102"].calls


def test_show_3_signed_out_here_and_in_there_the_rest_arrives(kamailio, callees, tmp_path):
    """S3.19 with a file server alone: another phone goes on where this one ended, attempts included."""
    (tmp_path / "ada.csv").write_text("number,name\n7101,Ann\n7201,Bob\n7102,Cy\n7103,Di\n")
    slow = {"gap_s": 3}
    with Agent(kamailio, tmp_path / "one", tmp_path, assignment=slow, extra=["--online"]).start() as agent:
        agent.wait_event("dialling", number="7201")
        agent.do("sign_out")
        agent.wait_event("presence", 20, presence="signed_out")
        # What was left before the attempt ended has as many rows.
        rest = [("7201", 1), ("7102", 0), ("7103", 0)]
        until(lambda: [(row["number"], row["attempts"]) for row in agent.left()] == rest, 10, "its attempts are left", agent.tail)
    with Agent(kamailio, tmp_path / "two", tmp_path, name="7002", extra=["--online", "--quit-when-done"]).start() as other:
        loaded = other.wait_event("list_loaded")
        assert loaded["rows"] == 3
        other.wait_event("list_done", 60)
        other.wait_left(0)
        assert other.states() == {"7101": "reached", "7201": "reached", "7102": "reached", "7103": "reached"}
    assert {number: len(callee.calls) for number, callee in callees.items() if callee.calls} == {
        "7101": 1, "7201": 2, "7102": 1, "7103": 1,
    }
    # A third time nothing is left to be called.
    with Agent(kamailio, tmp_path / "three", tmp_path, extra=["--online"]).start() as third:
        third.wait_event("list_done", 30)
    assert sum(len(callee.calls) for callee in callees.values()) == 5


def test_show_4_killed_in_a_call_it_loses_nothing_and_dials_nobody_twice(kamailio, callees, tmp_path):
    (tmp_path / "ada.csv").write_text("number,name\n7101,Ann\n7301,Bob\n7102,Cy\n")
    with Agent(kamailio, tmp_path / "state", tmp_path, extra=["--online"]).start() as agent:
        agent.wait_event("dialling", number="7301")
        agent.wait_event("ringing")
        agent.kill()
    with Agent(kamailio, tmp_path / "state", tmp_path, extra=["--online"]).start() as again:
        loaded = again.wait_event("list_loaded")
        assert loaded["attempts"] == 2, "one that ended, and one of which nobody knows more"
        again.wait_event("list_done", 60)
        again.wait_left(0)
        rows = [(row["number"], row["attempt"], row["outcome"], row["end"]) for row in again.results() if row["number"]]
        assert sorted(set(rows)) == [
            ("7101", "1", "answered", "reached"), ("7102", "1", "answered", "reached"),
            ("7301", "1", "lost", ""), ("7301", "2", "no_answer", "used_up"),
        ]
    assert [len(callees[number].calls) for number in ("7101", "7301", "7102")] == [1, 2, 1]


STEPS = [
    ("list_loaded", {}), ("presence", {"presence": "online"}), ("dialling", {"number": "7101"}), ("calling", {"number": "7101"}),
    ("ringing", {}), ("answered", {}), ("ended", {}), ("row", {"state": "reached"}), ("uploaded", {}),
    ("dialling", {"number": "7201"}), ("row", {"number": "7201", "state": "open"}), ("row", {"state": "vacant"}), ("list_done", {}),
]


@pytest.mark.parametrize("step", STEPS, ids=lambda step: "-".join([step[0], *step[1].values()]))
def test_show_4_killed_at_each_step_everything_is_exactly_once_in_the_results(kamailio, callees, tmp_path, step):
    (tmp_path / "ada.csv").write_text("number,name\n7101,Ann\n7401,Bob\n7201,Cy\n7102,Di\n")
    more = {"attempts": 3}
    event, wanted = step
    with Agent(kamailio, tmp_path / "state", tmp_path, assignment=more, extra=["--online"]).start() as agent:
        agent.wait_event(event, 40, **wanted)
        agent.kill()
    # It stays when the list is done: one that has nothing left to do would end before its test could listen.
    with Agent(kamailio, tmp_path / "state", tmp_path, assignment=more, extra=["--online"]).start() as again:
        # A callee who is still in the call of the killed phone is busy, and called again after a minute.
        again.wait_event("list_done", 150)
        again.wait_left(0)
        until(lambda: len(again.states()) == 4, 10, "all results are there", again.tail)
        assert again.states() == {"7101": "reached", "7401": "vacant", "7201": "reached", "7102": "reached"}
        rows = [row for row in again.results() if row["number"]]
        names = [(row["number"], row["attempt"]) for row in rows]
        assert len(names) == len(set(names)), "each attempt once"
        for number in ("7101", "7102", "7201"):
            answered = [row for row in rows if row["number"] == number and row["outcome"] == "answered"]
            talks = [call for call in callees[number].calls if call["word"] == "answer" and "acked" in call]
            assert len(answered) == 1 and len(talks) <= 1, f"{number} was called again after a talk"
            assert len(callees[number].calls) <= sum(name == number for name, _ in names), "no call without its row"


def test_what_is_left_at_the_server_of_before_is_no_other_phones(kamailio, callees, tmp_path):
    """Show 4: killed before the newest of what is left had arrived, it knows the older one for its own, and calls nobody again."""
    (tmp_path / "ada.csv").write_text("number,name\n7101,Ann\n7201,Cy\n")
    more = {"attempts": 3, "upload_s": 1}
    with Agent(kamailio, tmp_path / "state", tmp_path, assignment=more, extra=["--online"]).start() as agent:
        agent.wait_event("row", 20, number="7201", state="open")
        until(lambda: any(link.endswith(".left.jsonl") for link in uploads(agent)), 10, "what is left is sent", agent.tail)
        [left] = {link for link in uploads(agent) if link.endswith(".left.jsonl")}
        before = Path(left).read_bytes()
        assert b"7201" in before
        agent.wait_event("list_done", 60)
        until(lambda: not Path(left).read_bytes(), 10, "nothing is left", agent.tail)
        agent.kill()
    Path(left).write_bytes(before)
    with Agent(kamailio, tmp_path / "state", tmp_path, assignment=more, extra=["--online"]).start() as again:
        again.wait_event("list_done", 30)
        again.wait_left(0)
        assert not again.saw("dialling"), "its journal knows more"
        assert again.states() == {"7101": "reached", "7201": "reached"}
    assert [len(callees[number].calls) for number in ("7101", "7201")] == [1, 2]


def uploads(agent):
    return [event["link"] for event in agent.saw("uploaded")]


def test_the_published_sample_is_as_the_published_schema_says():
    schema = json.loads((REPOSITORY / "docs/call-list.schema.json").read_text())
    rows = [json.loads(line) for line in (REPOSITORY / "docs/samples/call-list.jsonl").read_text().splitlines()]
    assert len(rows) == 3
    for row in rows:
        jsonschema.validate(row, schema)
    for wrong in ({"name": "Ann"}, {"number": "7101", "slot": "soon"}, {"number": "7101", "priority": 256}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(wrong, schema)


def test_a_wrong_list_or_assignment_says_what_and_where(kamailio, tmp_path):
    (tmp_path / "ada.csv").write_text("name,city\nAnn,Ulm\n")
    with Agent(kamailio, tmp_path / "state", tmp_path).start() as agent:
        refused = agent.wait_event("list_refused")
        assert refused["why"] == 'line 1: no column is called "number"; there are: name, city'
        agent.do("online")
        assert agent.wait_event("wish_refused")["why"] == "no list is loaded: sign in first"
        agent.do("dance")
        assert agent.wait_event("refused")["why"].startswith("unknown variant `dance`")
    (tmp_path / "ada.csv").write_text("number,agent\n7101,bob\n")
    with Agent(kamailio, tmp_path / "state", tmp_path).start() as agent:
        assert agent.wait_event("list_refused")["why"] == 'line 2: this list is for the agent "bob"'
    with Agent(kamailio, tmp_path / "state", tmp_path, assignment={"zone": "Mars"}) as agent:
        agent.spawn(agent._command)
        agent.wait_end(10)
        assert 'assignment, zone: "Mars" is no time zone such as Asia/Shanghai' in agent.log()
