"""A real PostgreSQL server of the test's own: on a Unix socket in its folder, with fsync, by another user than root."""
import os
import pwd
import shutil
import signal
import subprocess
from pathlib import Path

from .certificate import own_certificate
from .ports import LOOPBACK, free_port
from .process import PeerFailed, Process
from .waiting import until

OWNER = "ringdown"
DATABASE = "office"


def program(name):
    """Debian keeps them out of the way, each version apart."""
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: int(folder.parent.name), reverse=True)
    for folder in versions:
        if (folder / name).is_file():
            return folder / name
    found = shutil.which(name)
    if not found:
        raise PeerFailed(f"no program {name}; run `scripts/setup tests`")
    return Path(found)


def user():
    """PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    known = pwd.getpwnam("postgres")
    return {"user": known.pw_uid, "group": known.pw_gid, "extra_groups": []}


class Postgres(Process):
    """A server with one empty database; can go down and come up again. With a certificate it is on a port of loopback or of a place,
    too."""

    def __init__(self, tls=False, place=None):
        super().__init__("postgres", place=place)
        tls = tls or place
        self.host = place.address if place else LOOPBACK
        self.port = free_port() if tls else 5432
        self.certificate, key = own_certificate(self.folder, "server", self.host) if tls else (None, None)
        self.settings = ["listen_addresses="]
        if tls:
            self.settings = [f"listen_addresses={self.host}", "ssl=on", f"ssl_cert_file={self.certificate}", f"ssl_key_file={key}"]
            key.chmod(0o600)
        self.data = self.folder / "data"
        self.user = user()
        if self.user:
            for path in [self.folder, *self.folder.iterdir()]:
                os.chown(path, self.user["user"], self.user["group"])
        made = subprocess.run(
            [program("initdb"), "-U", OWNER, "-A", "trust", "-E", "UTF8", "--locale", "C.UTF-8", "-D", self.data],
            capture_output=True, text=True, check=False, cwd=self.folder, **self.user)
        if made.returncode:
            raise PeerFailed(made.stderr)
        if place:
            with open(self.data / "pg_hba.conf", "a") as who:
                who.write(f"hostssl all all {place.address}/24 trust\n")

    def start(self):
        settings = [part for setting in self.settings for part in ("-c", setting)]
        self.spawn([program("postgres"), "-D", self.data, "-k", self.folder, "-p", self.port, *settings], **self.user)
        until(lambda: self.ask("postgres", "SELECT 1").returncode == 0, 30, "PostgreSQL answers", self.tail, every=0.05)
        self.ask("postgres", f"CREATE DATABASE {DATABASE}")
        return self

    def stop(self, seconds=10, sign=signal.SIGINT):
        """Without waiting for those who are connected."""
        super().stop(seconds, sign)

    def ask(self, database, statement):
        return subprocess.run(
            [program("psql"), "-X", "-A", "-t", "-U", OWNER, "-h", self.folder, "-p", str(self.port), "-d", database, "-c", statement],
            capture_output=True, text=True, check=False)

    def sql(self, statement):
        """One value of the office's database."""
        told = self.ask(DATABASE, statement)
        if told.returncode:
            raise PeerFailed(told.stderr)
        return told.stdout.strip()

    def extra(self):
        """What stands in the exchange's configuration."""
        if self.certificate:
            return self.over_tls(self.host, f"&sslrootcert={self.certificate}")
        return f'\n[store]\nurl = "postgresql://{OWNER}@/{DATABASE}?host={self.folder}"\n'

    def over_tls(self, host, more=""):
        """As for a server beyond this machine, which must prove who it is."""
        return f'\n[store]\nurl = "postgresql://{OWNER}@{host}:{self.port}/{DATABASE}?sslmode=verify-full{more}"\n'
