"""The browser in which the tests look at reports and dashboards."""

import os
import shutil

from infra.setup.host import install_debian

PACKAGE = "chromium"


def program() -> str | None:
    """Return the browser's program: the one that CHROMIUM names, or the system's; None if there is none."""
    return os.environ.get("CHROMIUM") or shutil.which(PACKAGE)


def ensure() -> str:
    """Return where the browser is, after installing Debian's if need be."""
    if found := program():
        return f"{found} is there"
    install_debian([PACKAGE], "the tests look at pages in a browser")
    return f"{program()} installed"
