"""D, Show 1, first sentence: start-up loads the profile and the phone in one act, in a real browser; a change of the file
reaches the open page; a wrong file changes nothing and is told with its line."""
import pytest

from peers import ear, sdp, tone
from peers.api import administrator as administrator_of
from peers.exchange import Exchange
from peers.rtp import RtpEnd
from peers.seat import Seat
from peers.waiting import until

SALES = """for = ["user {account}"]
codecs = ["pcma"]
auto_answer = true
queues = ["queue-{number}"]
wrap_up = {wrap_up}
look = "dark"
{more}
[audio]
ring = 40
"""


class Profile:
    """`profiles/NAME.toml` in the data folder of an exchange."""

    def __init__(self, exchange, name):
        self.path = exchange.data / "profiles" / f"{name}.toml"
        self.path.parent.mkdir(parents=True, exist_ok=True)

    def write(self, text):
        # As editors do it: never half a file.
        draft = self.path.with_suffix(".draft")
        draft.write_text(text)
        draft.replace(self.path)

    def remove(self):
        self.path.unlink(missing_ok=True)


@pytest.fixture
def agent(office, administrator):
    """An account in a queue, with a second queue and a profile of its own: (account, number, profile)."""
    exchange = administrator.exchange
    device = office.person()
    account, number = f"person-{device.number}", f"8{device.number}"
    names = [f"queue-{number}", f"other-{number}"]
    for place, name in enumerate(names):
        exchange.run("queue", "add", name, "--number", f"{number}{place}", "--member", account)
    profile = Profile(exchange, account)
    yield account, number, profile
    profile.remove()
    for name in names:
        exchange.run("queue", "remove", name)


def own_phone(page):
    """What the exchange says of the web phone of a page: its profile."""
    return page.evaluate("""async () => {
        const devices = await (await fetch('/api/v1/devices?limit=500')).json();
        return devices.items.filter((one) => one.kind === 'web').map((one) => one.profile)[0] ?? null;
    }""")


def look(page):
    return page.evaluate("() => document.documentElement.dataset.look ?? 'system'")


def complete(page, name):
    """The start-up by this profile is complete."""
    def done():
        told = own_phone(page)
        return told if told and told["name"] == name and told["loaded"] == told["version"] and told["since"] else None

    return until(done, 10, f"the phone has loaded {name}", lambda: str(own_phone(page)), every=0.1)


def test_s0_7_start_up_loads_the_profile_and_the_phone_in_one_act_and_a_change_reaches_the_open_page(
        office, administrator, agent):
    account, number, profile = agent
    profile.write(SALES.format(account=account, number=number, wrap_up=3, more=""))
    exchange = administrator.exchange
    exchange.run("reload")
    seat = Seat(administrator.browser, exchange).enter(administrator.link_for(account))
    page, caller = seat.open, office.person()
    try:
        first = complete(page, account)
        assert look(page) == "dark"
        page.get_by_role("button", name="Sign in to work").click()
        page.locator(".work-state .chip", has_text="Ready").wait_for()
        row = page.evaluate("() => fetch('/api/v1/work').then((answer) => answer.json())")
        assert row["queues"] == [f"queue-{number}"], row
        with office.raw(caller) as line, RtpEnd() as mouth:
            # Nobody touches anything: it is answered, it wraps up, it is ready again.
            call = line.invite(f"{number}0", sdp.describe(mouth.port))
            answer = call.wait_answer()
            mouth.send_to(answer.sdp)
            mouth.say(1000)
            ear.assert_hears(page, 1000)
            tone.assert_tone(mouth.wait_heard(2.5).last(2), 440, None)
            call.bye()
            page.locator(".work-state .chip", has_text="Wrap-up").wait_for()
            row = page.evaluate("() => fetch('/api/v1/work').then((answer) => answer.json())")
            assert row["words"].startswith("wrap-up 3 s by profile"), row
            page.locator(".work-state .chip", has_text="Ready").wait_for(timeout=6000)

        # The file changes; nobody reloads anything.
        profile.write(SALES.format(account=account, number=number, wrap_up=5, more='language = "zh-CN"').replace("dark", "light"))
        until(lambda: look(page) == "light", 10, "the page looks as the file says now")
        until(lambda: page.evaluate("() => document.documentElement.lang") == "zh-CN", 5, "and speaks its language")
        second = complete(page, account)
        assert second["version"] != first["version"]

        # A wrong file changes nothing, and says where.
        profile.write(f'for = ["user {account}"]\nlook = "blue"\n')
        wrong = exchange.run("reload", ok=False)
        assert wrong.returncode != 0 and f"{account}.toml:2: " in wrong.stderr, wrong.stderr
        checked = exchange.run("check", "--config", exchange.config, ok=False)
        assert f"{account}.toml:2: " in checked.stdout, checked.stdout
        until(lambda: "the profiles of before go on" in exchange.tail(), 5, "the log says so", exchange.tail)
        assert complete(page, account)["version"] == second["version"]
        loaded = f"{account} {second['version']}, loaded "
        assert loaded in exchange.run("device", "list").stdout
        assert f"profile {loaded}" in exchange.run("explain", "agent", account).stdout

        # Without it, the phone is told to start as any other, and the page is the reader's own again.
        profile.remove()
        complete(page, "default")
        assert look(page) == "system"
        until(lambda: page.evaluate("() => document.documentElement.lang") == "en", 5, "it speaks the browser's language")
    finally:
        seat.close()


def test_s0_5_a_wrong_profile_keeps_nobody_from_a_telephone():
    with Exchange() as exchange:
        sales, rest = Profile(exchange, "sales"), Profile(exchange, "default")
        sales.write('for = ["user ada"]\nlook = "blue"\n')
        rest.write('look = "dark"\n')
        exchange.start()
        assert f"{sales.path}:2: " in exchange.tail(), exchange.tail()
        client = administrator_of(exchange)
        client.post("/people", {"name": "ada"}).must(201)
        started = client.post("/phone/start", {}).must(201).json
        assert started["profile"]["look"] == "dark", "the right one holds"
        told = client.post("/phone/loaded", {"version": "another"}).must(409).json
        assert "is wanted" in told["detail"], told
        client.post("/phone/loaded", {"version": started["profile"]["version"]}).must(204)
        # A file that changed is read although another is wrong still: then nothing of it is taken.
        rest.write('look = "light"\n')
        until(lambda: "the profiles of before go on" in exchange.tail(), 5, "the log says so", exchange.tail)
        assert client.post("/phone/start", {}).must(201).json["profile"]["look"] == "dark"
        sales.write('for = ["user ada"]\nlook = "light"\n')
        until(lambda: client.post("/phone/start", {}).must(201).json["profile"]["look"] == "light", 5, "all is right")
