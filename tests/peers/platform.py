"""A stand-in for an outside telephone platform: real HTTP, the JSON of docs/platforms.md, and faults when told."""
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

from .ports import LOOPBACK, free_port
from .waiting import until

# How an exchange is told of it.
CONFIG = """
[platforms.center]
kind = "http"
url = "{url}"
secret_file = "{token}"
every = 1
connections = 4
"""

# Whoever is not asked for that long is signed out.
SILENCE_SECONDS = 120


class Platform:
    """Agents, calls and what was asked, on one port of loopback; can go down and come up again there."""

    def __init__(self, token="platform-token"):
        self.port = free_port()
        self.token = token
        self.changed = threading.Condition()
        # agent: (state, when the last call ended, when they were asked for last)
        self.agents = {}
        self.news = []
        self.asked = []
        self.refuses = {}
        # A fault for all that is asked: "late", "wrong", "silent" or none.
        self.fault = None
        self.open = set()
        self.most_open = 0
        self.server = None
        self.up()

    @property
    def url(self):
        return f"http://{LOOPBACK}:{self.port}/v1"

    def up(self):
        platform = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self):
                super().setup()
                with platform.changed:
                    platform.open.add(self)
                    platform.most_open = max(platform.most_open, len(platform.open))

            def finish(self):
                with platform.changed:
                    platform.open.discard(self)
                super().finish()

            def log_message(self, *_):
                pass

            def answer(self):
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                status, value = platform.ask(self.command, self.path, body, self.headers.get("authorization"))
                if status is None:
                    self.close_connection = True
                    return
                sent = value if isinstance(value, bytes) else json.dumps(value).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(sent)))
                self.end_headers()
                self.wfile.write(sent)

            do_GET = do_PUT = do_POST = do_DELETE = answer

        ThreadingHTTPServer.allow_reuse_address = True
        self.server = ThreadingHTTPServer((LOOPBACK, self.port), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def down(self, forgets=False):
        """Nobody listens any more, and connections break; with `forgets` it knows nobody when it is back."""
        server, self.server = self.server, None
        server.shutdown()
        server.server_close()
        with self.changed:
            handlers = list(self.open)
            if forgets:
                self.agents.clear()
        for handler in handlers:
            handler.close_connection = True
            try:
                handler.connection.shutdown(2)
            except OSError:
                pass

    def close(self):
        if self.server:
            self.down()

    # ---- what happens there

    def set(self, agent, state, ended=None):
        """Something happens to an agent by itself."""
        with self.changed:
            before = self.agents[agent]
            self.agents[agent] = (state, before[1] if ended is None else ended, before[2])
            self.news.append(agent)
            self.changed.notify_all()

    def call(self, agent, seconds=0.0):
        """A call comes and ends; returns when it ended."""
        self.set(agent, "busy")
        time.sleep(seconds)
        ended = time.time()
        self.set(agent, "after-call", ended)
        return ended

    def state(self, agent):
        with self.changed:
            return self.agents.get(agent, ("offline", None, 0))[0]

    def switches(self, agent):
        """When somebody was switched, and to what."""
        with self.changed:
            return [(at, what) for at, kind, who, what in self.asked if kind == "state" and who == agent]

    def polls(self):
        with self.changed:
            return [at for at, kind, *_ in self.asked if kind == "poll"]

    def wait(self, agent, state, seconds=5):
        until(lambda: self.state(agent) == state, seconds, f"{agent} is {state} at the platform",
              lambda: f"{self.state(agent)} {self.asked[-5:]}")

    # ---- what is asked

    def ask(self, method, path, body, authorization):
        fault = self.fault
        if fault == "silent":
            time.sleep(15)
            return None, None
        if fault == "late":
            time.sleep(1.5)
        if fault == "wrong":
            return 200, b"<html>maintenance</html>"
        if self.token and authorization != f"Bearer {self.token}":
            return 401, {"error": "who are you?"}
        parts = urlsplit(path)
        words = [unquote(word) for word in parts.path.split("/")[2:]]
        value = json.loads(body) if body else None
        if (method, words) == ("POST", ["agents", "states"]):
            return 200, {"agents": self.states(value["agents"])}
        if (method, words) == ("GET", ["events"]):
            asked = parse_qs(parts.query)
            return 200, self.events(asked.get("after", [""])[0], int(asked["hold_ms"][0]) / 1000)
        return self.about(method, words, value)

    def states(self, agents):
        now = time.time()
        with self.changed:
            self.asked.append((now, "poll", None, len(agents)))
            for agent in agents:
                state, ended, asked = self.agents.get(agent, ("offline", None, 0))
                if now - asked < SILENCE_SECONDS:
                    self.agents[agent] = (state, ended, now)
                else:
                    self.agents.pop(agent, None)
            return [self.stands(agent) for agent in agents if agent in self.agents]

    def stands(self, agent):
        state, ended, _ = self.agents[agent]
        told = {"agent": agent, "state": state}
        if ended is not None:
            told["ended_ms"] = int((time.time() - ended) * 1000)
        return told

    def events(self, after, hold):
        with self.changed:
            place = int(after) if after else len(self.news)
            self.changed.wait_for(lambda: len(self.news) > place, hold)
            agents = dict.fromkeys(agent for agent in self.news[place:] if agent in self.agents)
            return {"token": str(len(self.news)), "agents": [self.stands(agent) for agent in agents]}

    def about(self, method, words, value):
        agent = words[1]
        with self.changed:
            if agent in self.refuses:
                return 409, {"error": self.refuses[agent]}
            if method == "DELETE":
                self.asked.append((time.time(), "sign-out", agent, None))
                self.agents.pop(agent, None)
                return 200, {}
            if words[2:] == ["state"]:
                self.asked.append((time.time(), "state", agent, value["state"]))
                if agent not in self.agents:
                    return 404, {"error": "not signed in"}
                self.agents[agent] = (value["state"], self.agents[agent][1], time.time())
                return 200, {}
            self.asked.append((time.time(), "sign-in", agent, value["phone"]))
            known = self.agents.get(agent, ("ready", None, 0))
            self.agents[agent] = (known[0], known[1], time.time())
            return 201, {}
