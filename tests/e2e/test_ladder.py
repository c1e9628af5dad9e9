"""`ringdown ladder`: what a call sent and received (R23), without what R32 keeps back."""
from peers import sdp


def test_r23_a_call_is_drawn_and_its_secrets_are_not_shown(exchange, office):
    """Both legs of the call in one drawing, by device; no credentials in the full text; other calls are not in it."""
    one, two = office.person(), office.person()
    with office.raw(two) as phone, office.raw(one) as caller:
        phone.register()
        caller.invite(two.number, sdp.describe(40000))
        phone.wait_invite().refuse(486)
        record = office.record(one.number, two.number)
        caller.invite("no-such-number", sdp.describe(40000)).wait_final()
    drawn = exchange.run("ladder", record["session_id"]).stdout.splitlines()
    assert "Exchange" in drawn[1] and two.user in drawn[1], drawn
    arrows = "\n".join(drawn[2:])
    assert arrows.count("INVITE +sdp") >= 2 and arrows.count(" 486 ") >= 2 and arrows.count(" ACK ") >= 2, arrows
    assert "404" not in arrows and "REGISTER" not in arrows
    full = exchange.run("ladder", record["session_id"], "--full").stdout
    assert "Authorization: (left out)" in full and "response=" not in full and "a=rtpmap" in full
    assert " 404 " in exchange.run("ladder").stdout, "without a name: the last call"
    result = exchange.run("ladder", "0" * 31 + "1", ok=False)
    assert result.returncode == 1 and "nothing is kept of that call" in result.stderr
