"""The child of `pjsua.py`: PJSIP in one thread, commands as JSON lines.

    python pjsua_agent.py SETTINGS.json COMMANDS_FD EVENTS_FD

All of PJSIP's callbacks run inside `libHandleEvents` of this one loop (no worker thread), so no
lock is needed and a callback may call back into PJSIP.
"""
import json
import os
import sys
from pathlib import Path

import pjsua2 as pj

SETTINGS = json.loads(Path(sys.argv[1]).read_text())
COMMANDS, EVENTS = int(sys.argv[2]), int(sys.argv[3])
POLL_MS = 5

TRANSPORT = {
    "udp": pj.PJSIP_TRANSPORT_UDP,
    "tcp": pj.PJSIP_TRANSPORT_TCP,
    "tls": pj.PJSIP_TRANSPORT_TLS,
}
STATE = {
    pj.PJSIP_INV_STATE_NULL: "NULL",
    pj.PJSIP_INV_STATE_CALLING: "CALLING",
    pj.PJSIP_INV_STATE_INCOMING: "INCOMING",
    pj.PJSIP_INV_STATE_EARLY: "EARLY",
    pj.PJSIP_INV_STATE_CONNECTING: "CONNECTING",
    pj.PJSIP_INV_STATE_CONFIRMED: "CONFIRMED",
    pj.PJSIP_INV_STATE_DISCONNECTED: "DISCONNECTED",
}
MEDIA = {
    pj.PJSUA_CALL_MEDIA_NONE: "none",
    pj.PJSUA_CALL_MEDIA_ACTIVE: "active",
    pj.PJSUA_CALL_MEDIA_LOCAL_HOLD: "local_hold",
    pj.PJSUA_CALL_MEDIA_REMOTE_HOLD: "remote_hold",
    pj.PJSUA_CALL_MEDIA_ERROR: "error",
}


def tell(**message):
    os.write(EVENTS, (json.dumps(message) + "\n").encode())


class Call(pj.Call):
    """A call says its tone and writes what it hears to `heard-N.wav`, through hold and resume."""

    def __init__(self, account, call_id=pj.PJSUA_INVALID_ID):
        super().__init__(account, call_id)
        self.player = self.recorder = None

    def onCallState(self, _):
        info = self.getInfo()
        if self in phone.expected:
            phone.expected.remove(self)
            phone.keep(self)
        tell(
            event="state", call=info.id, state=STATE.get(info.state), code=info.lastStatusCode,
            reason=info.lastReason, remote=info.remoteUri,
        )
        if info.state == pj.PJSIP_INV_STATE_DISCONNECTED:
            phone.ended.append(info.id)

    def onCallMediaState(self, _):
        info = self.getInfo()
        for index, media in enumerate(info.media):
            if media.type != pj.PJMEDIA_TYPE_AUDIO:
                continue
            if media.status in (pj.PJSUA_CALL_MEDIA_ACTIVE, pj.PJSUA_CALL_MEDIA_REMOTE_HOLD):
                self.connect(self.getAudioMedia(index))
            codec = ""
            if media.status == pj.PJSUA_CALL_MEDIA_ACTIVE:
                codec = self.getStreamInfo(index).codecName
            tell(event="media", call=info.id, status=MEDIA.get(media.status), codec=codec)

    def connect(self, audio):
        if self.player is None:
            self.player = pj.AudioMediaPlayer()
            self.player.createPlayer(SETTINGS["tone"])
            self.recorder = pj.AudioMediaRecorder()
            self.recorder.createRecorder(phone.next_recording())
        self.player.startTransmit(audio)
        audio.startTransmit(self.recorder)

    def close_media(self):
        """Before the call object goes: PJSIP asserts on ports that outlive the bridge."""
        self.player = self.recorder = None

    def onDtmfDigit(self, prm):
        tell(event="dtmf", call=self.getId(), digit=prm.digit, method=int(prm.method))

    def onCallTransferRequest(self, prm):
        tell(event="refer", call=self.getId(), to=prm.dstUri)
        prm.statusCode = 202
        prm.newCall = phone.expect(phone.new_call())

    def onCallTransferStatus(self, prm):
        tell(
            event="transfer", call=self.getId(), code=int(prm.statusCode), reason=prm.reason,
            final=bool(prm.finalNotify),
        )

    def onCallReplaced(self, prm):
        tell(event="replaced", call=self.getId(), by=prm.newCallId)
        if prm.newCallId not in phone.calls:
            phone.keep(phone.new_call(prm.newCallId))


class Account(pj.Account):
    def onRegState(self, prm):
        tell(event="registered", code=int(prm.code), reason=prm.reason, expires=prm.expiration)

    def onIncomingCall(self, prm):
        call = phone.keep(phone.new_call(prm.callId))
        info = call.getInfo()
        tell(
            event="incoming", call=info.id, remote=info.remoteUri, local=info.localUri,
            message=prm.rdata.wholeMsg,
        )
        if SETTINGS["answer"]:
            phone.answer(call, int(SETTINGS["answer"]))


class Phone:
    def __init__(self):
        self.calls, self.ended, self.newest, self.recorded = {}, [], None, 0
        self.expected = []
        self.endpoint = pj.Endpoint()
        self.endpoint.libCreate()
        config = pj.EpConfig()
        config.uaConfig.threadCnt = 0
        config.uaConfig.mainThreadOnly = True
        config.uaConfig.maxCalls = 16
        config.uaConfig.userAgent = "pjsua2"
        if SETTINGS.get("nameserver"):
            config.uaConfig.nameserver.append(SETTINGS["nameserver"])
        config.logConfig.level = 5
        config.logConfig.consoleLevel = 5
        config.medConfig.noVad = True
        config.medConfig.ecTailLen = 0
        self.endpoint.libInit(config)
        transport = pj.TransportConfig()
        transport.boundAddress = SETTINGS["host"]
        transport.port = SETTINGS["port"]
        transport.tlsConfig.verifyServer = False
        transport.tlsConfig.verifyClient = False
        self.endpoint.transportCreate(TRANSPORT[SETTINGS["transport"]], transport)
        self.endpoint.libStart()
        self.endpoint.audDevManager().setNullDev()
        self.choose_codecs()
        self.account = Account()
        self.account.create(self.account_config())

    def choose_codecs(self):
        have = [codec.codecId for codec in self.endpoint.codecEnum2()]
        for codec in have:
            self.endpoint.codecSetPriority(codec, 0)
        for rank, wanted in enumerate(SETTINGS["codecs"]):
            match = next((codec for codec in have if codec.upper().startswith(wanted.upper() + "/")), None)
            if match is None:
                raise SystemExit(f"this PJSIP has no {wanted}; it has {have}")
            self.endpoint.codecSetPriority(match, 250 - rank)

    def account_config(self):
        user, registrar = SETTINGS["user"], SETTINGS["registrar"]
        via = f";transport={SETTINGS['transport']}"
        config = pj.AccountConfig()
        config.idUri = f"sip:{user}@{registrar}"
        config.regConfig.registrarUri = f"sip:{registrar}{via}"
        config.regConfig.registerOnAdd = SETTINGS["register"]
        config.regConfig.timeoutSec = SETTINGS["expires"]
        if SETTINGS.get("retry"):
            # As desk phones do; by itself PJSIP tries once at once, and then after five minutes.
            config.regConfig.retryIntervalSec = SETTINGS["retry"]
            config.regConfig.randomRetryIntervalSec = 0
        config.sipConfig.authCreds.append(pj.AuthCredInfo("digest", "*", user, 0, SETTINGS["secret"]))
        config.sipConfig.proxies.append(f"sip:{registrar}{via};lr")
        config.mediaConfig.transportConfig.boundAddress = SETTINGS["host"]
        config.mediaConfig.transportConfig.port = SETTINGS["rtp_port"]
        config.mediaConfig.transportConfig.portRange = 200
        config.mediaConfig.srtpUse = SETTINGS.get("srtp", pj.PJMEDIA_SRTP_OPTIONAL if SETTINGS["transport"] == "tls" else pj.PJMEDIA_SRTP_DISABLED)
        config.mediaConfig.srtpSecureSignaling = 0
        config.callConfig.timerUse = (
            pj.PJSUA_SIP_TIMER_OPTIONAL if SETTINGS["timers"] else pj.PJSUA_SIP_TIMER_INACTIVE
        )
        if SETTINGS["prack"]:
            config.callConfig.prackUse = pj.PJSUA_100REL_OPTIONAL
        return config

    # ---- calls

    def new_call(self, call_id=pj.PJSUA_INVALID_ID):
        return Call(self.account, call_id)

    def keep(self, call):
        self.newest = call.getId()
        self.calls[self.newest] = call
        return call

    def expect(self, call):
        """A call that PJSIP will make for a REFER: it has no number yet, and must not be collected."""
        self.expected.append(call)
        return call

    def next_recording(self):
        self.recorded += 1
        return f"{SETTINGS['folder']}/heard-{self.recorded:03}.wav"

    def find(self, command):
        call_id = command.get("call")
        call_id = self.newest if call_id is None else call_id
        if call_id not in self.calls:
            raise KeyError(f"no call {call_id}; up are {list(self.calls)}")
        return self.calls[call_id]

    def answer(self, call, code):
        prm = pj.CallOpParam(True)
        prm.statusCode = code
        call.answer(prm)

    def forget_ended(self):
        while self.ended:
            call = self.calls.pop(self.ended.pop(), None)
            if call:
                call.close_media()

    # ---- commands

    def do_dial(self, command):
        call = self.new_call()
        call.makeCall(command["to"], pj.CallOpParam(True))
        self.keep(call)
        return call.getId()

    def do_answer(self, command):
        self.answer(self.find(command), command["code"])

    def do_hangup(self, command):
        prm = pj.CallOpParam()
        prm.statusCode = command.get("code", 0)
        self.find(command).hangup(prm)

    def do_hold(self, command):
        self.find(command).setHold(pj.CallOpParam(True))

    def do_resume(self, command):
        prm = pj.CallOpParam(True)
        prm.opt.flag |= pj.PJSUA_CALL_UNHOLD
        self.find(command).reinvite(prm)

    def do_reinvite(self, command):
        self.find(command).reinvite(pj.CallOpParam(True))

    def do_update(self, command):
        self.find(command).update(pj.CallOpParam(True))

    def do_dtmf(self, command):
        prm = pj.CallSendDtmfParam()
        prm.digits = command["digits"]
        prm.method = {
            "rfc2833": pj.PJSUA_DTMF_METHOD_RFC2833,
            "info": pj.PJSUA_DTMF_METHOD_SIP_INFO,
        }[command["method"]]
        self.find(command).sendDtmf(prm)

    def do_transfer(self, command):
        self.find(command).xfer(command["to"], pj.CallOpParam(True))

    def do_attended(self, command):
        self.find(command).xferReplaces(self.calls[command["other"]], pj.CallOpParam(True))

    def do_info(self, command):
        call = self.find(command)
        info = call.getInfo()
        out = {
            "call": info.id, "state": STATE.get(info.state), "code": info.lastStatusCode,
            "remote": info.remoteUri, "call_id": info.callIdString,
        }
        for index, media in enumerate(info.media):
            if media.status == pj.PJSUA_CALL_MEDIA_ACTIVE:
                stream, counts = call.getStreamInfo(index), call.getStreamStat(index).rtcp
                out |= {
                    "codec": stream.codecName, "remote_rtp": stream.remoteRtpAddress,
                    "sent": counts.txStat.pkt, "received": counts.rxStat.pkt, "lost": counts.rxStat.loss,
                }
        return out

    def do_register(self, command):
        self.account.setRegistration(command.get("on", True))

    # ---- the loop

    def obey(self, line):
        """False ends the loop."""
        command = json.loads(line)
        if command["do"] == "quit":
            return False
        try:
            result = getattr(self, "do_" + command["do"])(command)
            tell(token=command["token"], result=result)
        except Exception as problem:  # noqa: BLE001 - the test is told, it decides
            text = problem.info() if isinstance(problem, pj.Error) else repr(problem)
            tell(token=command["token"], error=text)
        return True

    def run(self):
        os.set_blocking(COMMANDS, False)
        pending, going = b"", True
        tell(event="started")
        while going:
            self.endpoint.libHandleEvents(POLL_MS)
            self.forget_ended()
            try:
                piece = os.read(COMMANDS, 65536)
                going = piece != b""
                pending += piece
            except BlockingIOError:
                pass
            while b"\n" in pending and going:
                line, pending = pending.split(b"\n", 1)
                going = self.obey(line)

    def close(self):
        self.endpoint.hangupAllCalls()
        for _ in range(40):
            self.endpoint.libHandleEvents(POLL_MS)
            self.forget_ended()
        for call in self.calls.values():
            call.close_media()
        self.calls.clear()
        self.account.shutdown()
        self.endpoint.libDestroy()


phone = Phone()
phone.run()
phone.close()
os._exit(0)  # the order in which Python drops what is left is not PJSIP's
