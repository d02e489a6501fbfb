"""The server's settings that others rely on."""

import re

from service.server import KEEP_ALIVE_SECONDS
from tests.servers import ROOT


def test_an_idle_connection_is_never_closed_under_the_edge_that_is_about_to_use_it() -> None:
    """The edge hangs up first: a request in flight to a connection that is being closed would be lost."""
    [idle] = re.findall(r"timeout http-keep-alive (\d+)s", (ROOT / "infra/edge/haproxy.cfg").read_text())
    assert 2 * int(idle) <= KEEP_ALIVE_SECONDS
