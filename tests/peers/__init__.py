"""Drivers for SIP programs that this project did not write, and for the exchange itself.

Each driver starts one process in a folder of its own, on ports that the system gave, keeps its log,
and waits with a deadline. When a wait fails the error carries the tail of that peer's log, so that
a reader sees whose fault it was.
"""
