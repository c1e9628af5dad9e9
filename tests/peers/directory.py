"""A directory, and exchanges that join it."""
import base64
import datetime
import json
import subprocess

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from .exchange import COMMAND_SECONDS, START_SECONDS, Exchange, binary
from .ports import LOOPBACK
from .process import PeerFailed, Process
from .waiting import until

SITE = """
[directory]
listen = "{host}:0"
region = "{region}"

[calls]
echo_number = ""
"""


class Directory(Process):
    """`ringdown directory` on a free port of loopback, or of a place; `store` is a section of a configuration, if a server keeps it."""

    def __init__(self, folder=None, extra=(), host=LOOPBACK, place=None, store=""):
        super().__init__("directory", folder, place)
        host = place.address if place else host
        self.binary, self.data, self.address = binary(), self.folder / "data", f"{host}:0"
        self.apps, self.extra, self.config = f"{host}:0", list(extra), []
        if store:
            path = self.folder / "ringdown.toml"
            path.write_text(store)
            self.config = ["--config", path]

    def start(self):
        """The first start picks a port, and later ones take it again: exchanges remember it."""
        return self.begin().wait_ready()

    def begin(self, *options):
        """Starts it, and does not wait."""
        with open(self.folder / "stdout.txt", "wb") as out:
            self.spawn([self.binary, "directory", "--data", self.data, "--listen", self.address, "--apps", self.apps,
                        *self.config, *self.extra, *options], stdout=out)
        return self

    def wait_ready(self, seconds=START_SECONDS):
        out_path = self.folder / "stdout.txt"

        def ready():
            self.must_live()
            lines = out_path.read_text().splitlines()
            return next((line for line in lines if line.startswith("ready directory=")), None)

        line = until(ready, seconds, "the directory prints `ready`", self.tail)
        self.address = line.split("=", 1)[1]
        self.apps = next(one for one in out_path.read_text().splitlines() if one.startswith("apps=wss:"))[len("apps=wss:"):]
        return self

    def run(self, *arguments, ok=True, data=None):
        """`ringdown --data DIR ARGUMENTS`, on its own data folder or another."""
        command = [str(self.binary), "--data", str(data or self.data), *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=COMMAND_SECONDS, check=False)
        if ok and done.returncode:
            raise PeerFailed(f"{command}: {done.stdout}{done.stderr}")
        return done

    def invite(self, name):
        """A link that works once."""
        return self.run("exchange", "invite", name, "--directory", self.address, *self.config).stdout.strip()

    def invite_app(self, account):
        """A link with which one app of this account enrols."""
        return self._links(account)[0]

    def invite_page(self, account):
        """The same for a browser."""
        return self._links(account)[1]

    def _links(self, account):
        return self.run("directory", "invite-app", account, "--directory", self.apps, *self.config).stdout.split()


def member(directory, name, region="", extra="", host=LOOPBACK, more="", place=None):
    """An exchange that joined, and runs; `more` are lines of its section [directory]."""
    site = SITE.format(host=place.address if place else host, region=region).replace("[calls]", f"{more}\n[calls]")
    exchange = Exchange(config_extra=site + extra, media_span=200, host=host, place=place)
    exchange.run("exchange", "join", directory.invite(name))
    exchange.start()
    exchange.wait_log("connected to the directory")
    return exchange


def told(copy):
    """What the copy says that an exchange keeps, a file: the payload of a JSON Web Signature."""
    if not copy.exists():
        return ""
    payload = copy.read_text().split(".")[1]
    return base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)).decode()


def joined_long_ago(directory, exchange, name):
    """Makes it 80 days since an exchange joined, by its certificate and the directory's file; the directory stands after that."""
    directory.stop()
    authority = directory.data / "directory"
    root = x509.load_pem_x509_certificate((authority / "authority.pem").read_bytes())
    root_key = serialization.load_pem_private_key((authority / "authority-key.pem").read_bytes(), None)
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.datetime.now(datetime.timezone.utc)
    uses = [x509.ExtendedKeyUsageOID.SERVER_AUTH, x509.ExtendedKeyUsageOID.CLIENT_AUTH]
    builder = x509.CertificateBuilder().subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)]))
    builder = builder.issuer_name(root.subject).public_key(key.public_key()).serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(now - datetime.timedelta(80)).not_valid_after(now + datetime.timedelta(10))
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), False)
    leaf = builder.add_extension(x509.ExtendedKeyUsage(uses), False).sign(root_key, hashes.SHA256())
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption(),
    ) + leaf.public_bytes(serialization.Encoding.PEM)
    (exchange.data / "membership" / "papers.pem").write_bytes(pem)
    path = authority / "exchanges" / f"{name.encode().hex()}.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "fingerprint": fingerprint(exchange)}))


def fingerprint(exchange):
    """Of the certificate that an exchange shows others, as the directory's copy has it."""
    leaf = x509.load_pem_x509_certificate((exchange.data / "membership" / "papers.pem").read_bytes())
    return base64.urlsafe_b64encode(leaf.fingerprint(hashes.SHA256())).decode().rstrip("=")
