"""Servers that lists lie on: vsftpd and OpenSSH, with a person of their own who has a password and a folder.

The person stands in copies of the machine's files of users, which only these servers see: they run in a mount namespace.
"""
import os
import socket
import subprocess

import pytest

from .ports import LOOPBACK, free_port
from .process import Process
from .waiting import until

USER, PASSWORD, UID = "ada", "open.Sesame-417", 64_417

FTP = """\
listen=YES
listen_address={host}
listen_port={port}
background=NO
anonymous_enable=NO
local_enable=YES
write_enable=YES
local_umask=022
local_max_rate={rate}
secure_chroot_dir={empty}
seccomp_sandbox=NO
isolate_network=NO
port_enable=NO
xferlog_enable=YES
xferlog_std_format=NO
log_ftp_protocol=YES
vsftpd_log_file={log}
ssl_enable={tls}
implicit_ssl={implicit}
rsa_cert_file={certificate}
rsa_private_key_file={key}
force_local_logins_ssl=YES
force_local_data_ssl=YES
require_ssl_reuse=YES
strict_ssl_read_eof=YES
ssl_ciphers=HIGH
"""

SSH = """\
Port {port}
ListenAddress {host}
HostKey {key}
PidFile none
UsePAM no
AllowUsers {user}
AuthorizedKeysFile {authorized}
StrictModes no
Subsystem sftp internal-sftp
"""


class FileServer(Process):
    """A server with the folder `files` of its person."""

    def __init__(self, name):
        if os.geteuid() != 0:
            pytest.skip(f"{name} lets people in as root only")
        super().__init__(name)
        self.port = free_port()
        self.folder.chmod(0o755)
        self.files = self.folder / "files"
        self.empty = self.folder / "empty"
        for folder in (self.files, self.empty):
            folder.mkdir()
        os.chown(self.files, UID, UID)

    def spawn_with_person(self, command):
        """Runs a server that knows the person."""
        hashed = subprocess.run(["openssl", "passwd", "-6", PASSWORD], check=True, capture_output=True, text=True).stdout.strip()
        lines = {
            "passwd": f"{USER}:x:{UID}:{UID}::{self.files}:/bin/sh\n",
            "group": f"{USER}:x:{UID}:\n",
            "shadow": f"{USER}:{hashed}:20000:0:99999:7:::\n",
        }
        for name, line in lines.items():
            (self.folder / name).write_text(open(f"/etc/{name}").read() + line)
        (self.folder / "shadow").chmod(0o600)
        mounts = [f"mount --bind {self.folder / name} /etc/{name}" for name in lines]
        script = " && ".join([*mounts, "mount -t tmpfs none /run", "mkdir -m 755 /run/sshd", 'exec "$@"'])
        self.spawn(["unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh", *command])
        until(self._is_there, 10, f"{self.name} listens", self.tail)
        return self

    def _is_there(self):
        self.must_live()
        with socket.socket() as caller:
            return caller.connect_ex((LOOPBACK, self.port)) == 0

    def write(self, name, text):
        """A list that the person may read."""
        path = self.files / name
        path.write_text(text, encoding="utf-8")
        os.chown(path, UID, UID)
        return path


class FtpServer(FileServer):
    """`vsftpd`; `tls` is None, "explicit" or "implicit"."""

    def __init__(self, certificate, tls=None, rate=0):
        super().__init__(f"vsftpd {tls or 'clear'}")
        self.tls = tls
        self.said = self.folder / "vsftpd.log"
        config = self.folder / "vsftpd.conf"
        yes = {True: "YES", False: "NO"}
        config.write_text(FTP.format(
            host=LOOPBACK, port=self.port, rate=rate, empty=self.empty, log=self.said, tls=yes[tls is not None],
            implicit=yes[tls == "implicit"], certificate=certificate[0], key=certificate[1]))
        self.config = config

    def start(self):
        return self.spawn_with_person(["/usr/sbin/vsftpd", self.config])

    def link(self, name, password=PASSWORD):
        scheme = {None: "ftp", "explicit": "ftpes", "implicit": "ftps"}[self.tls]
        return f"{scheme}://{USER}:{password}@{LOOPBACK}:{self.port}/{name}"

    def log(self):
        said = self.said.read_text(errors="replace") if self.said.exists() else ""
        return super().log() + said


class SshServer(FileServer):
    """`sshd`; the person logs in with the password, or with the private key `key`."""

    def __init__(self):
        super().__init__("sshd")
        self.key = self.folder / "key"
        self.known_hosts = self.folder / "known_hosts"
        self.config = self.folder / "sshd_config"
        self._make_key(self.key)
        self.host_key = self.new_host_key()
        self.config.write_text(SSH.format(port=self.port, host=LOOPBACK, key=self.folder / "host_key", user=USER,
                                          authorized=f"{self.key}.pub"))
        self.know(self.host_key)

    @staticmethod
    def _make_key(path):
        for old in (path, path.with_name(path.name + ".pub")):
            old.unlink(missing_ok=True)
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path], check=True)

    def new_host_key(self):
        """Another key, from the next start on; returns its public half."""
        self._make_key(self.folder / "host_key")
        return (self.folder / "host_key.pub").read_text()

    def know(self, host_key):
        """The file of known hosts has this key alone, or none."""
        self.known_hosts.write_text(f"[{LOOPBACK}]:{self.port} {host_key}" if host_key else "")

    def start(self):
        return self.spawn_with_person(["/usr/sbin/sshd", "-D", "-e", "-f", self.config])

    def link(self, name, scheme="sftp", password=PASSWORD):
        login = f"{USER}:{password}" if password else USER
        return f"{scheme}://{login}@{LOOPBACK}:{self.port}/~/{name}"
