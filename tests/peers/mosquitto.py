"""A real MQTT 5 broker (mosquitto) with TLS, names and passwords, and watches that speak to it (paho)."""
import json
import ssl
import subprocess
import threading
import time

import paho.mqtt.client as paho
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from .ports import LOOPBACK, free_port
from .process import Process
from .waiting import until

CONFIG = """\
listener {port} {host}
cafile {certificate}
certfile {certificate}
keyfile {key}
allow_anonymous false
password_file {passwords}
acl_file {rules}
persistence false
user root
log_type all
"""
# The exchange writes notices and reads dismissals; a watch the other way round, and only its own. A phone hears its own name.
RULES = """\
user exchange
topic write {topic}/+/notice
topic read {topic}/+/dismiss
topic write {topic}/+/wake

pattern read {topic}/%u/notice
pattern write {topic}/%u/dismiss
pattern read {topic}/%u/wake
"""


class Broker(Process):
    """`mosquitto` on one port of loopback; can go down and come up again there."""

    def __init__(self, certificate, topic="office/calls"):
        super().__init__("mosquitto")
        self.port = free_port()
        self.certificate = certificate
        self.topic = topic
        self.passwords = self.folder / "passwords"
        self.passwords.touch(mode=0o600)
        rules = self.folder / "rules"
        rules.write_text(RULES.format(topic=topic))
        rules.chmod(0o600)
        self.config = self.folder / "mosquitto.conf"
        self.config.write_text(CONFIG.format(host=LOOPBACK, port=self.port, certificate=certificate[0], key=certificate[1],
                                             passwords=self.passwords, rules=rules))
        self.admit("exchange", "a secret of the exchange")

    def admit(self, user, password):
        """Somebody may come in; a broker that runs hears of it."""
        subprocess.run(["mosquitto_passwd", "-b", self.passwords, user, password], check=True, capture_output=True)
        if self.alive():
            self.child.send_signal(1)
            time.sleep(0.2)

    def start(self):
        self.spawn(["mosquitto", "-c", self.config])
        until(lambda: f"running" in self.log(), 10, "mosquitto runs", self.tail, every=0.05)
        return self

    def extra(self):
        """What stands in the exchange's configuration."""
        return (f'\n[notices]\nbroker = "mqtts://{LOOPBACK}:{self.port}"\nuser = "exchange"\n'
                f'password = "a secret of the exchange"\ntopic = "{self.topic}"\nauthorities = "{self.certificate[0]}"\n')


class Watch:
    """A wearable that hears its topic and dismisses, with the rights of its own name alone."""

    def __init__(self, broker, wearable):
        self.wearable = wearable
        self.messages = []
        self._news = threading.Event()
        broker.admit(wearable["id"], "a secret of the watch")
        self.client = paho.Client(paho.CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5, client_id=wearable["id"])
        self.client.username_pw_set(wearable["id"], "a secret of the watch")
        self.client.tls_set(str(broker.certificate[0]), tls_version=ssl.PROTOCOL_TLS_CLIENT)
        self.client.on_message = lambda client, data, message: self.messages.append(message)
        self.ready = threading.Event()
        self.client.reconnect_delay_set(1, 2)
        self.client.on_subscribe = lambda *_: self.ready.set()
        self.client.on_disconnect = lambda *_: self.ready.clear()
        self.client.on_connect = lambda client, *_: client.subscribe(wearable["notices"], qos=1)
        self.client.connect(LOOPBACK, broker.port)
        self.client.loop_start()
        assert self.ready.wait(10), broker.tail()

    def told(self):
        return [json.loads(one.payload) for one in self.messages]

    def wait(self, count, seconds=10, tail=lambda: ""):
        """The messages, once there are so many."""
        return until(lambda: self.told() if len(self.told()) >= count else None, seconds, f"{count} notices",
                     lambda: f"{self.told()}\n{tail()}", every=0.02)

    def say(self, what, topic=None):
        text = what if isinstance(what, (str, bytes)) else json.dumps(what)
        self.client.publish(topic or self.wearable["dismissals"], text, qos=1, properties=Properties(PacketTypes.PUBLISH))

    def dismiss(self, notice):
        self.say({"call": notice["call"], "token": notice["token"]})

    def close(self):
        self.client.disconnect()
        self.client.loop_stop()
