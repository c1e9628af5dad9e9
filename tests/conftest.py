"""Shared by all Python tests: a failed test shows the end of the log of each peer that it started."""
import pytest

from peers import process


@pytest.fixture(autouse=True)
def _fresh_list_of_peers():
    process.started[:] = [peer for peer in process.started if peer.alive()]
    yield


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    if report.when == "call" and report.failed:
        for peer in process.started:
            report.sections.append((f"{peer.name}", peer.tail()))
