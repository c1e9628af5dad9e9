"""A small Kamailio: a registrar and proxy that is known to work.

It has two uses. The drivers are proven against it, so that a failing test of the exchange is not the
driver's fault. And it plays the provider behind a trunk: what it does not know itself goes to `peer`,
and what comes from `peer` is let in by its address.
"""
from . import sipsak
from .certificate import own_certificate
from .ports import LOOPBACK, free_port
from .process import PeerFailed, Process
from .waiting import until

CONFIG = """\
#!KAMAILIO
debug=2
log_stderror=yes
log_name="kamailio"
fork=yes
children=2
tcp_children=2
auto_aliases=no
disable_tcp=no
enable_tls={enable_tls}
listen=udp:{host}:{port}
listen=tcp:{host}:{port}
{listen_tls}
listen=tcp:{host}:{ws_port}
tcp_accept_no_cl=yes
loadmodule "jsonrpcs.so"
loadmodule "kex.so"
loadmodule "tm.so"
loadmodule "tmx.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "maxfwd.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "xlog.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
loadmodule "auth.so"
loadmodule "nathelper.so"
{load_tls}
loadmodule "xhttp.so"
loadmodule "websocket.so"
modparam("jsonrpcs", "transport", 0)
modparam("usrloc", "db_mode", 0)
modparam("usrloc", "timer_interval", 1)
modparam("registrar", "default_expires", 60)
modparam("registrar", "max_contacts", 100)
modparam("registrar|nathelper", "received_avp", "$avp(RECEIVED)")
modparam("tm", "fr_timer", 5000)
modparam("tm", "fr_inv_timer", 30000)

request_route {{
    if (!mf_process_maxfwd_header("10")) {{ sl_send_reply("483", "Too Many Hops"); exit; }}
    if (has_totag()) {{
        if (loose_route()) {{
            if (!$du) {{ handle_ruri_alias(); }}
            add_contact_alias();
            t_relay();
            exit;
        }}
        if (is_method("ACK")) {{ if (t_check_trans()) {{ t_relay(); }} exit; }}
        sl_send_reply("404", "Not Here");
        exit;
    }}
    if (is_method("CANCEL")) {{ if (t_check_trans()) {{ t_relay(); }} exit; }}
    t_check_trans();
    if (is_method("OPTIONS") && $rU == $null) {{ sl_send_reply("200", "OK"); exit; }}
    if (is_method("REGISTER")) {{
        if (!pv_www_authenticate("$td", "{secret}", "0")) {{ www_challenge("$td", "0"); exit; }}
        if ($proto != "udp") {{ fix_nated_register(); }}
        if (!save("location")) {{ sl_reply_error(); }}
        exit;
    }}
    if (!is_method("INVITE|MESSAGE|OPTIONS")) {{ sl_send_reply("405", "Method Not Allowed"); exit; }}
    record_route();
    add_contact_alias();
    if ($si == "{peer_host}" && $sp == {peer_port}) {{
        if (!lookup("location")) {{ sl_send_reply("404", "Not Found"); exit; }}
        t_relay();
        exit;
    }}
    if (is_method("INVITE") && !pv_proxy_authenticate("$fd", "{secret}", "0")) {{
        proxy_challenge("$fd", "0");
        exit;
    }}
    consume_credentials();
    if (lookup("location")) {{ t_relay(); exit; }}
    {to_peer}
    sl_send_reply("404", "Not Found");
}}

# SIP over WebSocket (RFC 7118), at one path.
event_route[xhttp:request] {{
    if ($hdr(Upgrade) =~ "websocket" && $hu == "{ws_path}" && ws_handle_handshake()) {{ exit; }}
    xhttp_reply("404", "Not Found", "text/plain", "no telephone here");
}}

# Phones on TCP and TLS are reached by the connection that they opened, not by their Contact.
onreply_route {{ add_contact_alias(); }}
"""

TLS_CONFIG = """\
[server:default]
method = TLSv1.2+
verify_certificate = no
require_certificate = no
private_key = {key}
certificate = {certificate}

[client:default]
verify_certificate = no
require_certificate = no
"""


# Where its WebSocket is.
WS_PATH = "/telephone"


class Kamailio(Process):
    """Every user exists, all with the same `secret`. `peer` is `host:port` of an exchange."""

    def __init__(self, secret="secret", peer=None, tls=False):
        super().__init__("kamailio")
        self.certificate = self.folder / "kamailio.pem"
        self.secret, self.peer, self.tls = secret, peer, tls
        self.port, self.tls_port, self.ws_port, self.wss_port = free_port(), free_port(), free_port(), free_port()

    def start(self):
        if self.tls:
            self._certificate()
        peer_host, peer_port = self.peer.rsplit(":", 1) if self.peer else ("0.0.0.0", "0")
        config = self.folder / "kamailio.cfg"
        config.write_text(
            CONFIG.format(
                host=LOOPBACK,
                port=self.port,
                secret=self.secret,
                peer_host=peer_host,
                peer_port=peer_port,
                to_peer=f'$du = "sip:{self.peer}"; t_relay(); exit;' if self.peer else "",
                enable_tls="yes" if self.tls else "no",
                ws_port=self.ws_port,
                ws_path=WS_PATH,
                listen_tls=f"listen=tls:{LOOPBACK}:{self.tls_port}\nlisten=tls:{LOOPBACK}:{self.wss_port}"
                if self.tls
                else "",
                load_tls=f'loadmodule "tls.so"\nmodparam("tls", "config", "{self.folder}/tls.cfg")'
                if self.tls
                else "",
            )
        )
        # -DD keeps the main process in the foreground as our child; its workers are its own to end.
        self.spawn(
            ["kamailio", "-DD", "-E", "-m", "64", "-M", "8", "-f", config, "-Y", self.folder,
             "-P", self.folder / "pid", "-w", self.folder]
        )
        until(self._answers, 10, "kamailio answers OPTIONS", self.tail)
        return self

    def _answers(self):
        self.must_live()
        return sipsak.options(f"sip:{LOOPBACK}:{self.port}", ok=False).ok

    def _certificate(self):
        certificate, key = own_certificate(self.folder, self.certificate.stem)
        (self.folder / "tls.cfg").write_text(TLS_CONFIG.format(certificate=certificate, key=key))

    def address(self, transport="udp"):
        if transport in ("tls", "wss") and not self.tls:
            raise PeerFailed("this Kamailio was started without TLS")
        ports = {"tls": self.tls_port, "ws": self.ws_port, "wss": self.wss_port}
        host = f"{LOOPBACK}:{ports.get(transport, self.port)}"
        return f"{transport}://{host}{WS_PATH}" if transport in ("ws", "wss") else host
