"""An agent with a list: `ringdown phone --list`, and what it uploads."""
import csv
import json

from .softphone import Softphone
from .waiting import until

AGENT = "7001"


class Agent(Softphone):
    """A phone with a list. `lists` is the folder of the list and of the results, unless `results` is another."""

    def __init__(self, kamailio, state, lists, name=AGENT, assignment=None, extra=(), results=None, card=None):
        self.uploads = results or lists / "results"
        options = {
            "agent": "ada", "list": str(lists / "ada.csv"), "results": str(self.uploads), "gap_s": 0, "interval_s": 1,
            "attempts": 2, "ring_s": 10, "keys": {"1": "sold"}, "upload_s": 1, **(assignment or {}),
        }
        self.uploads.mkdir(exist_ok=True)
        path = lists / "assignment.json"
        path.write_text(json.dumps(options))
        super().__init__(name, kamailio.secret, kamailio.address(), hertz=440.0, card=card,
                         extra=["--assignment", path, "--state", state, *extra])

    def results(self):
        """Each attempt by number and ordinal, from all files that were uploaded."""
        rows = {}
        for path in sorted(self.uploads.glob("*.results.csv")):
            for row in csv.DictReader(path.open(encoding="utf-8")):
                rows[row["task"] or row["line"], row["attempt"]] = row
        return list(rows.values())

    def left(self):
        """The rows of what is left; None before it has arrived."""
        paths = list(self.uploads.glob("*.left.jsonl"))
        assert len(paths) <= 1, paths
        return [json.loads(line) for path in paths for line in path.read_text(encoding="utf-8").splitlines()] if paths else None

    def wait_left(self, count, seconds=10):
        def there():
            rows = self.left()
            return rows is not None and len(rows) == count

        until(there, seconds, f"{count} rows are left", self.tail)

    def states(self):
        """The last word on each number."""
        return {row["number"]: row["end"] for row in self.results() if row["end"] and row["number"]}
