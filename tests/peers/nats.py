"""A real NATS server with JetStream (nats-server), and whoever reads there what an exchange published (nats-py)."""
import asyncio
import json
import shutil
import signal
import sys
from pathlib import Path

import nats
from nats.js.errors import APIError as NotYet
from nats.js.api import ConsumerConfig, DeliverPolicy, StreamConfig

from .ports import LOOPBACK, free_port
from .process import Process
from .waiting import until

CONFIG = """\
server_name: {name}
listen: "{host}:{port}"
http: "{host}:{monitor}"
jetstream {{ store_dir: "{store}", {sync} }}
authorization {{
  users: [
    {{ user: exchange, password: "a secret of the exchange" }}
    {{ user: reader, password: "a secret of who reads" }}
  ]
}}
"""
TLS = 'tls {{ cert_file: "{certificate}", key_file: "{key}" }}\n'


def program():
    """Beside the interpreter, where `scripts/setup peers` puts it."""
    beside = Path(sys.executable).parent / "nats-server"
    return beside if beside.exists() else shutil.which("nats-server") or "nats-server"


class Nats(Process):
    """`nats-server` on one port; can be killed and come up again there with all that it wrote."""

    def __init__(self, certificate=None, sync="sync_interval: always", place=None, name="office-nats"):
        super().__init__(name, place=place)
        self.host = place.address if place else LOOPBACK
        self.port, self.monitor = free_port(), free_port()
        self.certificate = certificate
        self.config = self.folder / "nats.conf"
        text = CONFIG.format(name=name, host=self.host, port=self.port, monitor=self.monitor, store=self.folder / "store", sync=sync)
        if certificate:
            text += TLS.format(certificate=certificate[0], key=certificate[1])
        self.config.write_text(text)
        self.password = self.folder / "password"
        self.password.write_text("a secret of the exchange\n".replace(" ", "-"))
        self.config.write_text(text.replace("a secret of the exchange", "a-secret-of-the-exchange"))

    def start(self):
        ready = self.log().count("Server is ready")
        self.spawn([program(), "-c", self.config])
        until(lambda: self.log().count("Server is ready") > ready, 10, "nats-server is ready", self.tail, every=0.05)
        return self

    def stop(self, seconds=5, sign=signal.SIGKILL):
        """Without a farewell, as everything here that is to be missed."""
        super().stop(seconds, sign)

    @property
    def url(self):
        return f"{'tls' if self.certificate else 'nats'}://{self.host}:{self.port}"

    def extra(self, more=""):
        """What stands in the exchange's configuration."""
        authorities = f'authorities = "{self.certificate[0]}"\n' if self.certificate else ""
        return (f'\n[nats]\nservers = "{self.url}"\nuser = "exchange"\npassword_file = "{self.password}"\n'
                f'monitor = "http://{self.host}:{self.monitor}"\n{authorities}{more}')

    # ---- whoever reads there

    async def _with(self, work):
        tls = None
        if self.certificate:
            import ssl
            tls = ssl.create_default_context(cafile=str(self.certificate[0]))
        client = await nats.connect(self.url, user="reader", password="a secret of who reads", tls=tls, connect_timeout=5)
        try:
            return await work(client)
        finally:
            await client.close()

    def make_stream(self, name, subjects):
        """A stream that is there before an exchange comes."""
        async def work(client):
            await client.jetstream().add_stream(StreamConfig(name=name, subjects=subjects))
        asyncio.run(self._with(work))

    def kept(self, stream="RINGDOWN", subject="ringdown.event.>"):
        """All that a stream has: [(subject, event)], the oldest first."""
        async def work(client):
            wanted = ConsumerConfig(deliver_policy=DeliverPolicy.ALL)
            try:
                reader = await client.jetstream().pull_subscribe(subject, stream=stream, config=wanted)
            except (asyncio.TimeoutError, NotYet):
                # Nobody has made it yet, or it is being read again after the server's death.
                return []
            found = []
            while True:
                try:
                    messages = await reader.fetch(200, timeout=0.5)
                except asyncio.TimeoutError:
                    return found
                for message in messages:
                    await message.ack()
                    found.append((message.subject, json.loads(message.data)))
        return asyncio.run(self._with(work))
