"""The report that an update writes of the release that it deployed, or refused."""

from pathlib import Path

import pulumi

from evidence.deployment import Deployment, write_report
from loadtest.gate.answer import read


class DeploymentReport:
    """Hears how k6 and the gate ended, and writes the report as soon as the outcome is known.

    A report that cannot be written is a warning: it decides nothing. Where k6 `may_fail` the gate has the last word.
    """

    def __init__(self, deployment: Deployment, folder: Path, *, may_fail: bool = False) -> None:
        self._may_fail = may_fail
        self._deployment = deployment
        self._folder = folder
        self._k6_log = ""
        self.file = ""
        """Where the report is; empty until there is one."""

    def k6_ended(self, exit_code: int, log: str) -> None:
        """Take k6's log; if it failed, and must not, the gate will not be asked."""
        self._k6_log = log
        if exit_code and not self._may_fail:
            self._write({})

    def judged(self, _exit_code: int, log: str) -> None:
        """Take the log of the gate."""
        self._write(read(log))

    def _write(self, judgement: dict[str, object]) -> None:
        try:
            file = write_report(self._deployment, self._k6_log, judgement, self._folder)
        except Exception as error:  # noqa: BLE001 - whatever it is, the release is as good as it was judged
            pulumi.warn(f"the report of this deployment could not be written: {error}")
            return
        self.file = str(file or "")
        if file and judgement.get("verdict") != "pass":
            pulumi.info(f"release {self._deployment.release} is not passed by the gate; its report: {file}")
