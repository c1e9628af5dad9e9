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


# What takes longest, in this order. Several files run at a time, and whoever begins with the longest ends together.
LONGEST = (
    "test_console_pages", "test_cluster_deaths", "test_lists_links", "test_console_calls", "test_cluster", "test_background",
    "test_lists", "test_demo", "test_phone", "test_torture", "test_console_first_visit", "test_first_call", "test_platform",
    "test_trunks", "test_durability", "test_splits", "test_cluster_directory",
)


def pytest_collection_modifyitems(items):
    places = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path.stem, len(LONGEST)))


class _AtOnce:
    """Tells what failed when it does: a run that is cut off has said it."""

    def __init__(self, config):
        self.plugins = config.pluginmanager

    def pytest_runtest_logreport(self, report):
        if report.failed:
            told = self.plugins.get_plugin("terminalreporter")
            told.write_line(f"\n{report.nodeid} failed ({report.when})", red=True)
            told.write_line("\n".join(report.longreprtext.splitlines()[-15:]))


def pytest_configure(config):
    # Workers report to the one who began them, and that one tells.
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(_AtOnce(config))
