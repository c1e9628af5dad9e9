"""D: agents at an outside telephone platform, by the real exchange and real HTTP (S0.3, S0.9 to S0.11, S0.14 to S0.16)."""
import datetime
import time

import pytest

from peers.api import administrator
from peers.exchange import Exchange
from peers.platform import CONFIG, Platform
from peers.waiting import until

WRAP_UP_S = 3
EVERY_S = 1
# A poll is at its rate and up to a tenth off it; the rest is for this machine.
ONE_POLL_S = EVERY_S * 1.1 + 0.4


@pytest.fixture(scope="module")
def platform():
    standing_in = Platform()
    yield standing_in
    standing_in.close()


@pytest.fixture(scope="module")
def exchange(platform, tmp_path_factory):
    token = tmp_path_factory.mktemp("platform") / "token"
    token.write_text(platform.token + "\n")
    with Exchange(config_extra=CONFIG.format(url=platform.url, token=token)) as running:
        yield running.start()


@pytest.fixture(scope="module")
def admin(exchange):
    return administrator(exchange)


@pytest.fixture
def agent(exchange, office, admin, platform):
    """Somebody who works at the platform and is signed in; signed out at the end."""
    name = f"person-{office.person().number}"
    exchange.run("account", "set", name, "--platform", "center", "--wrap-up", str(WRAP_UP_S))
    row = admin.post("/agents", {"account": name}).must(200).json
    assert row["state"] == "not-ready" and row["words"] == "not ready: signing in at platform center", row
    wait_state(admin, name, "ready")
    yield name
    admin.ask("DELETE", f"/agents/{name}")
    if platform.server is None:
        platform.up()
    platform.fault = None
    until(lambda: "unknown" not in stands(admin, name)["words"], 5, "it is known")


def stands(admin, name):
    return admin.get(f"/agents/{name}").must(200).json


def wait_state(admin, name, state, seconds=5):
    until(lambda: stands(admin, name)["state"] == state, seconds, f"the agent is {state}",
          lambda: stands(admin, name), every=0.02)
    return stands(admin, name)


def wait_words(admin, name, words, seconds=5):
    until(lambda: words in stands(admin, name)["words"], seconds, words, lambda: stands(admin, name), every=0.02)


def moment(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def test_s0_14_a_poll_sees_busy_and_exactly_one_switch_comes_at_the_end_and_the_interval(exchange, admin, platform, agent):
    platform.set(agent, "busy")
    row = wait_state(admin, agent, "talking")
    assert (row["words"], row["rule"]) == ("talking at platform center", "agents.platform"), row
    time.sleep(ONE_POLL_S)
    assert not platform.switches(agent), "none while a call is up"
    ended = time.time()
    platform.set(agent, "after-call", ended)
    row = wait_state(admin, agent, "wrap-up")
    assert row["words"].startswith(f"wrap-up {WRAP_UP_S} s by agent, ends "), row
    assert abs(moment(row["ends"]) - ended - WRAP_UP_S) < 0.2, "it counts from the platform's own end"
    wait_state(admin, agent, "ready", WRAP_UP_S + 2)
    time.sleep(2 * ONE_POLL_S)
    switches = platform.switches(agent)
    assert [what for _, what in switches] == ["ready"], switches
    assert -0.1 <= switches[0][0] - ended - WRAP_UP_S <= ONE_POLL_S, switches[0][0] - ended
    told = exchange.run("explain", "agent", agent).stdout
    for words in ("agents.sign-in", "talking at platform center", f"wrap-up {WRAP_UP_S} s by agent", "agents.platform"):
        assert words in told, told


def test_s0_10_polls_begin_with_the_first_sign_in_and_end_with_the_last_sign_out(admin, platform, agent):
    before = len(platform.polls())
    until(lambda: len(platform.polls()) >= before + 4, 6, "polls")
    at = platform.polls()[-3:]
    assert all(0.9 * EVERY_S <= later - earlier <= ONE_POLL_S for earlier, later in zip(at, at[1:])), at
    admin.ask("DELETE", f"/agents/{agent}").must(204)
    platform.wait(agent, "offline")
    time.sleep(ONE_POLL_S)
    polls = len(platform.polls())
    time.sleep(2 * ONE_POLL_S)
    assert len(platform.polls()) == polls, "nobody is signed in, and nobody is asked for"
    assert platform.most_open <= 4


def test_s0_15_none_after_a_sign_out_or_a_change_by_hand(admin, platform, agent):
    """Early end, extension, a break out of a wrap-up, and a sign-out: each is what the person said."""
    platform.call(agent)
    wait_state(admin, agent, "wrap-up")
    admin.post(f"/agents/{agent}/state", {"state": "ready"}).must(200)
    wait_state(admin, agent, "ready", 1)
    assert platform.state(agent) == "ready", "early"
    ended = platform.call(agent)
    wait_state(admin, agent, "wrap-up")
    row = admin.post(f"/agents/{agent}/extension").must(200).json
    assert moment(row["ends"]) - ended > WRAP_UP_S + 20, row
    time.sleep(WRAP_UP_S + ONE_POLL_S)
    assert len(platform.switches(agent)) == 1, "longer"
    admin.post(f"/agents/{agent}/state", {"state": "not-ready", "reason": "lunch"}).must(200)
    platform.wait(agent, "not-ready", 1)
    time.sleep(WRAP_UP_S + ONE_POLL_S)
    assert [what for _, what in platform.switches(agent)] == ["ready", "not-ready"]
    assert stands(admin, agent)["reason"] == "lunch"
    admin.post(f"/agents/{agent}/state", {"state": "ready"}).must(200)
    platform.wait(agent, "ready", 1)
    platform.call(agent)
    wait_state(admin, agent, "wrap-up")
    switches = len(platform.switches(agent))
    admin.ask("DELETE", f"/agents/{agent}").must(204)
    time.sleep(WRAP_UP_S + ONE_POLL_S)
    assert len(platform.switches(agent)) == switches, "signed out"


def test_s0_16_a_platform_that_is_down_during_the_switch_is_waited_for(exchange, admin, platform, agent):
    """The state is held and shown as unknown; when the platform is back, the switch comes once."""
    platform.call(agent)
    wait_state(admin, agent, "wrap-up")
    platform.down()
    wait_words(admin, agent, "unknown since ")
    time.sleep(WRAP_UP_S)
    row = stands(admin, agent)
    assert row["state"] == "wrap-up" and not platform.switches(agent), "held"
    assert "unknown since" in exchange.run("agent", "list").stdout
    platform.up()
    wait_state(admin, agent, "ready", 20)
    time.sleep(ONE_POLL_S)
    assert [what for _, what in platform.switches(agent)] == ["ready"]


@pytest.mark.parametrize("fault", ["wrong", "silent", "late"])
def test_s0_16_faults_change_nothing(admin, platform, agent, fault):
    platform.fault = fault
    if fault != "late":
        wait_words(admin, agent, "unknown since ", 15)
        assert stands(admin, agent)["state"] == "ready", "held"
        platform.fault = None
        until(lambda: "unknown" not in stands(admin, agent)["words"], 30, "known again", every=0.1)
    platform.call(agent, 3 if fault == "late" else 0)
    wait_state(admin, agent, "ready", WRAP_UP_S + 10)
    until(lambda: platform.switches(agent), 15, "the switch")
    time.sleep(2 * ONE_POLL_S)
    assert [what for _, what in platform.switches(agent)] == ["ready"]


def test_s0_9_a_platform_that_was_restarted_and_forgot_its_agents_gets_them_back(admin, platform, agent):
    platform.down(forgets=True)
    wait_words(admin, agent, "unknown since ")
    platform.up()
    platform.wait(agent, "ready", 20)
    wait_state(admin, agent, "ready")


def test_s0_9_a_refused_sign_in_is_said_in_words_and_not_complete(exchange, office, admin, platform):
    name = f"person-{office.person().number}"
    exchange.run("account", "set", name, "--platform", "center")
    platform.refuses[name] = "no licence left"
    admin.post("/agents", {"account": name}).must(200)
    wait_words(admin, name, "not ready: platform center: no licence left")
    del platform.refuses[name]
    admin.post(f"/agents/{name}/state", {"state": "ready"}).must(200)
    wait_state(admin, name, "ready")
    admin.ask("DELETE", f"/agents/{name}").must(204)


def test_s0_3_a_platform_that_is_not_there_is_refused(exchange, office, admin):
    name = f"person-{office.person().number}"
    person = admin.edit("PATCH", f"/people/{name}", {"platform": "elsewhere", "wrap_up": 45}).must(200).json
    assert (person["platform"], person["wrap_up"]) == ("elsewhere", 45)
    said = admin.post("/agents", {"account": name})
    assert said.status == 409 and "not in the configuration" in said.body.decode(), said
    admin.edit("PATCH", f"/people/{name}", {"wrap_up": 3601}).must(422)
    assert admin.edit("PATCH", f"/people/{name}", {"platform": None, "wrap_up": None}).must(200).json["wrap_up"] is None


def test_r20_a_restart_of_ours_keeps_the_end_of_the_wrap_up(platform, tmp_path):
    with own_exchange(platform, tmp_path, "every = 1") as running:
        admin = administrator(running.start())
        works_there(running, admin, platform, "eve")
        wait_state(admin, "eve", "ready")
        platform.call("eve")
        ends = moment(wait_state(admin, "eve", "wrap-up")["ends"])
        running.restart()
        wait_state(administrator(running), "eve", "ready", WRAP_UP_S + 10)
        (at, what), = platform.switches("eve")
        assert what == "ready" and at >= ends - 0.1


def own_exchange(platform, folder, every):
    token = folder / "token"
    token.write_text(platform.token)
    return Exchange(config_extra=CONFIG.format(url=platform.url, token=token).replace("every = 1", every))


def works_there(exchange, admin, platform, name):
    exchange.add_account(name, "201")
    exchange.run("account", "set", name, "--platform", "center", "--wrap-up", str(WRAP_UP_S))
    admin.post("/agents", {"account": name}).must(200)
    platform.wait(name, "ready")


def test_s0_10_events_come_before_the_next_poll_where_the_platform_holds_questions(platform, tmp_path):
    """`every` is far away; what happens is known at once all the same."""
    with own_exchange(platform, tmp_path, "every = 30\nhold = 10") as running:
        admin = administrator(running.start())
        works_there(running, admin, platform, "ada")
        wait_state(admin, "ada", "ready", 3)
        ended = platform.call("ada", 0.5)
        wait_state(admin, "ada", "wrap-up", 1)
        wait_state(admin, "ada", "ready", WRAP_UP_S + 1)
        (at, what), = platform.switches("ada")
        assert what == "ready" and abs(at - ended - WRAP_UP_S) < 0.3, at - ended
