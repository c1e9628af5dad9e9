"""An SMPP server (npm smpp): texts, and a receipt for each at once, over real TCP."""
import json
import os
import shutil
from pathlib import Path

from .exchange import REPOSITORY
from .ports import free_port
from .process import PeerFailed, Process
from .waiting import until

SCRIPT = REPOSITORY / "tests" / "peers" / "smsc.cjs"


def modules():
    """Where `scripts/setup peers` put what node loads."""
    target = Path(os.environ.get("CARGO_TARGET_DIR") or REPOSITORY / "target")
    path = target / "peers-node" / "node_modules"
    if not (path / "smpp").is_dir():
        raise PeerFailed(f"no {path / 'smpp'}: run `scripts/setup peers`")
    return path


class Smsc(Process):
    """`early`: each receipt comes before the answer that names the message."""

    def __init__(self, password, state="DELIVRD", early=False):
        super().__init__("smsc")
        self.port = free_port()
        self.arguments = [str(self.port), password, state, *(["early"] if early else [])]
        self.heard = self.folder / "heard.jsonl"
        self.heard.touch()

    def up(self):
        node = shutil.which("node")
        if node is None:
            raise PeerFailed("no node; run `scripts/setup build`")
        with open(self.heard, "ab") as out:
            self.spawn([node, SCRIPT, *self.arguments], stdout=out, env={**os.environ, "NODE_PATH": str(modules())})
        until(lambda: self.must_live() or self.all("listening"), 10, "the SMPP server listens", self.tail)
        return self

    def all(self, kind):
        """What it heard of this kind, in order."""
        # The last line may be half written.
        lines = self.heard.read_text().split("\n")[:-1]
        return [value[kind] for value in map(json.loads, lines) if kind in value]

    @property
    def submitted(self):
        return self.all("submitted")

    @property
    def receipts_answered(self):
        return self.all("receipt_answered")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.alive():
            self.child.kill()
            self.child.wait()
