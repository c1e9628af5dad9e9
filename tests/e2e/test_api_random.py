"""B, Show 4: schemathesis asks every operation of the description for sense and nonsense; nothing answers 500."""
import os
import subprocess
import sys

import pytest

from peers.api import REPOSITORY, administrator, described
from peers.exchange import Exchange

SECONDS = 25
# They end what the run itself lives by, or never end.
LEFT_OUT = ("session_close", "session_password", "sessions_end", "events_stream", "events_socket", "webhooks_test")


@pytest.mark.parametrize("who", ["session", "token"])
def test_nothing_answers_500(who):
    # Webhooks are made of random addresses: nobody is asked where they are.
    with Exchange(config_extra='[dns]\nservers = "127.0.0.1:9"\n') as exchange:
        exchange.start()
        admin = administrator(exchange)
        if who == "session":
            proof = [f"Cookie: {admin.cookie}", f"X-Ringdown-CSRF: {admin.csrf}"]
        else:
            scopes = {one["x-ringdown-scope"] for _, _, one in described()[0]} - {None}
            token = admin.post("/tokens", {"name": "random", "scopes": sorted(scopes)}).must(201).json
            proof = [f"Authorization: Bearer {token['secret']}"]
        command = [sys.executable, "-m", "schemathesis.cli", "run", str(REPOSITORY / "docs" / "openapi.json")]
        command += ["--url", f"http://{exchange.ready['http']}", "--checks", "not_a_server_error", "--max-examples", "12"]
        command += ["--phases", "examples,coverage,fuzzing", "--max-time", str(SECONDS), "--continue-on-failure", "--no-color"]
        command += ["--seed", "4", "--generation-database", "none", "--request-timeout", "5"]
        command += [part for header in proof for part in ("--header", header)]
        command += [part for name in LEFT_OUT for part in ("--exclude-operation-id", name)]
        environment = {**os.environ, "HOME": str(exchange.folder), "PYTHONPATH": str(REPOSITORY / "tests"), "SCHEMATHESIS_HOOKS": "peers.sounds"}
        run = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS + 30, cwd=exchange.folder, env=environment)
        assert run.returncode == 0, (run.stdout + run.stderr)[-4000:]
        assert "generated" in run.stdout, "it asked for something"
        exchange.must_live()
        admin.stranger().send("GET", "/healthz").must(200)
