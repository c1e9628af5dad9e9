"""Callees who do each time what a script says: for a phone that works through a list."""
import threading
import time
from contextlib import contextmanager

from . import sdp
from .rawua import RawUA
from .rtp import RtpEnd


@contextmanager
def everybody(kamailio, scripts, talk=0.4):
    """A callee for each number of `scripts`, at a proxy."""
    callees = {number: Callee(number, kamailio.secret, ("127.0.0.1", kamailio.port), script, talk)
               for number, script in scripts.items()}
    yield callees
    for callee in callees.values():
        callee.close()


class Callee:
    """One number. `script` has a word for each call, the last for all that follow: `answer`, `silent`, `announced 480`
    (the tones of a vacant number and a voice as early media, then that status) or a status.

    `calls` are the calls that came, each with its word, and `heard`, what arrived after our 200's ACK.
    """

    def __init__(self, number, secret, server, script, talk=0.4):
        self.number, self.script, self.talk, self.calls = number, script, talk, []
        self.ua = RawUA(number, secret, server)
        self.ua.register(600)
        self._closed = False
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self):
        while not self._closed:
            try:
                call = self.ua.wait_invite(0.2)
            except AssertionError:
                continue
            word = self.script[min(len(self.calls), len(self.script) - 1)]
            told = {"at": time.time(), "word": word, "heard": [], "cancelled": False}
            self.calls.append(told)
            # A caller who was killed leaves a call that nobody ends; the next one is another matter.
            threading.Thread(target=self._take, args=(call, word, told), daemon=True).start()

    def _take(self, call, word, told):
        try:
            self._do(call, word, told)
        except AssertionError:
            # What a test asserts of this call tells it.
            told["failed"] = True

    def _do(self, call, word, told):
        if word == "silent":
            call.respond(180)
            call.wait_cancel(60)
            told["cancelled"] = True
        elif str(word).startswith("announced "):
            with RtpEnd() as end:
                end.send_to(call.offer)
                call.respond(183, sdp.describe(end.port))
                # ITU-T E.180 6, and what could be a voice.
                for hertz, seconds in ((950, 0.33), (1400, 0.33), (1800, 0.33), (300, 1.0)):
                    end.say(hertz)
                    time.sleep(seconds)
                call.refuse(int(word.split()[1]))
        elif word == "answer":
            with RtpEnd() as end:
                call.respond(180)
                time.sleep(0.1)
                end.send_to(call.offer)
                call.respond(200, sdp.describe(end.port))
                call.wait_request("ACK")
                acknowledged = time.monotonic()
                told["acked"] = True
                time.sleep(self.talk)
                told["heard"] = [packet for packet in end.speech() if packet.arrived >= acknowledged]
                call.bye()
        else:
            call.refuse(word)

    def close(self):
        self._closed = True
        self._thread.join(2)
        self.ua.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
