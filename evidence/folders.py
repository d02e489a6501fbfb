"""Where results are kept."""

from infra.config import ROOT

RESULTS = ROOT / "evidence" / "results"
REPORTS = ROOT / "reports"
