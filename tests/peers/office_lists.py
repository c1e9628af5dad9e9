"""An office that deals out call lists, its callees, and the phones of its agents."""
import json
import ssl
import urllib.error
import urllib.request
from contextlib import contextmanager

from .callees import Callee
from .exchange import Exchange
from .softphone import Softphone

LISTS = """
[lists]
lease = 3
refresh = 1
upload = 1
gap = 0
interval = 1
attempts = 2
ring = 10
"""
AGENTS = {"ada": "7001", "bob": "7002", "cy": "7003"}


@contextmanager
def office_with(scripts, talk=0.4, config=LISTS):
    """An exchange with three agents and a callee for each number of `scripts`."""
    with Exchange(config_extra=config).start() as office:
        rows = [[agent, agent, number, number, f"secret-of-{number}"] for agent, number in AGENTS.items()]
        # A second phone for the first agent.
        rows.append(["ada", "ada", "7001", "7009", "secret-of-7009"])
        rows += [[f"c{number}", f"c{number}", number, number, f"secret-of-{number}"] for number in scripts]
        office.import_people(rows)
        office.callees = {number: Callee(number, f"secret-of-{number}", office.host_port(), script, talk)
                          for number, script in scripts.items()}
        try:
            yield office
        finally:
            for callee in office.callees.values():
                callee.close()


def make(office, name, text, *options):
    path = office.folder / f"{name}.csv"
    path.write_text(text, encoding="utf-8")
    return office.run("list", "add", name, path, *options).stdout


def link(office, agent):
    """The assignment of a new link."""
    return json.loads(office.run("list", "link", agent).stdout)


def calls(office):
    """How often each callee was called."""
    return {number: len(callee.calls) for number, callee in office.callees.items() if callee.calls}


def board(office, name):
    """A list as the API of the command line has it, by agent: rows left."""
    lines = office.run("list", "show", name).stdout.splitlines()
    head = next(index for index, line in enumerate(lines) if line.startswith("agent"))
    rows = [line.split() for line in lines[head + 1:] if line.strip()]
    return {row[0]: int(row[2]) for row in rows}


def results(office, name):
    """What became of each attempt."""
    text = office.run("list", "results", name, "--format", "json").stdout
    return [json.loads(line) for line in text.splitlines()]


class AgentPhone(Softphone):
    """`ringdown phone` that works by a link of the office."""

    def __init__(self, office, state, assignment, device="7001", extra=()):
        state.mkdir(exist_ok=True)
        path = state / "assignment.json"
        path.write_text(json.dumps(assignment))
        super().__init__(device, f"secret-of-{device}", office.address(), extra=[
            "--assignment", path, "--state", state, "--allow", "127.0.0.0/8", "--tls-trust-any", *extra])


def ask(url, token=None, body=None, tag=None, method=None):
    """Status, body and ETag of a request, whoever signed the certificate."""
    headers = {**({"Authorization": f"Bearer {token}"} if token else {}), **({"If-None-Match": tag} if tag else {})}
    request = urllib.request.Request(url, data=body, headers=headers, method=method or ("PUT" if body is not None else "GET"))
    try:
        with urllib.request.urlopen(request, context=ssl._create_unverified_context(), timeout=10) as answer:
            return answer.status, answer.read(), answer.headers.get("ETag")
    except urllib.error.HTTPError as error:
        return error.code, error.read(), error.headers.get("ETag")
