"""The console's mock server: its pages with an invented office behind them, always the same, without an exchange."""
import shutil
import subprocess

from .exchange import REPOSITORY
from .process import PeerFailed, Process
from .waiting import until

# What a caller may call himself: harmless wherever it appears (sec_01).
HOSTILE = "'\";$(id)<script>=cmd|"


class Mock(Process):
    """`options`: what `console/mock/server.js` takes, as `people=5000` or `hostile=True`."""

    def __init__(self, **options):
        super().__init__("mock")
        self.arguments = []
        for name, value in options.items():
            self.arguments.append(f"--{name.replace('_', '-')}")
            if value is not True:
                self.arguments.append(str(value))
        self.url = ""

    def start(self):
        node = shutil.which("node")
        if node is None:
            raise PeerFailed("no node; run `scripts/setup build`")
        if not (REPOSITORY / "console/dist/index.html").is_file():
            raise PeerFailed("the console is not built; run `scripts/console`")
        out = self.folder / "stdout.txt"
        with open(out, "wb") as stdout:
            self.spawn([node, REPOSITORY / "console/mock/server.js", "--port", "0", *self.arguments], stdout=stdout)

        def address():
            self.must_live()
            text = out.read_text()
            return text.split("ready http=", 1)[1].split()[0] if "ready http=" in text and text.endswith("\n") else None

        self.url = f"http://{until(address, 10, 'the mock server is ready', self.tail)}"
        return self

    def stop(self, seconds=2):
        if self.alive():
            self.child.terminate()
            try:
                self.child.wait(seconds)
            except subprocess.TimeoutExpired:
                self.child.kill()

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()
