"""The Pulumi stack: its environment, and what the set-up found written into its configuration."""

import json
import os
import re
import shlex
import subprocess

from infra.setup import images, secrets, toolchain
from infra.setup.host import LOCAL, ROOT, checked
from infra.setup.steps import SetupError

ENVIRONMENT_FILE = LOCAL / "env"
STATE = LOCAL / "state"
NAMESPACE = "janua"
SETTING = re.compile(rf" +{NAMESPACE}:(?P<key>\w+): *(?P<value>.*)")


def environment() -> dict[str, str]:
    """Return the variables under which Pulumi runs here; a backend or passphrase of the user's own is kept."""
    variables = {
        "PATH": toolchain.search_path(),
        "PULUMI_HOME": str(toolchain.home()),
        "PULUMI_SKIP_UPDATE_CHECK": "1",
        # The set-up has installed the one plugin that there is.
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
    }
    own = {"PULUMI_BACKEND_URL": f"file://{STATE}"}
    if "PULUMI_CONFIG_PASSPHRASE" not in os.environ:
        own["PULUMI_CONFIG_PASSPHRASE_FILE"] = str(secrets.PASSPHRASE)
    # A shell that has sourced `.janua/env` has these very values: they are not the user's own.
    return variables | {key: value for key, value in own.items() if os.environ.get(key, value) == value}


def write_environment() -> str:
    """Write `.janua/env`, which a shell sources to run pulumi by hand."""
    LOCAL.mkdir(exist_ok=True)
    lines = [f"export {key}={shlex.quote(value)}" for key, value in environment().items() if key != "PATH"]
    folders = os.pathsep.join(str(part) for part in (ROOT / ".venv" / "bin", toolchain.folder() / "bin"))
    ENVIRONMENT_FILE.write_text("\n".join([*lines, f'export PATH={shlex.quote(folders)}:"$PATH"', ""]))
    return f"source {ENVIRONMENT_FILE.relative_to(ROOT)}"


def ensure(stack: str) -> str:
    """Create the stack if it is new, select it, and record what the set-up chose; return what changed."""
    STATE.mkdir(parents=True, exist_ok=True)
    write_environment()
    _pulumi("stack", "select", "--create", stack)
    present = configured(stack)
    wanted = _wanted(present)
    for key, value in wanted.items():
        _pulumi("config", "set", "--stack", stack, f"{NAMESPACE}:{key}", value)
    added = _record_secrets(stack, known=_known_secrets(stack) if "secrets" in present else {})
    changed = [*(f"{key}={value}" for key, value in wanted.items()), *(f"secret {name}" for name in added)]
    return f"{stack}: recorded {', '.join(changed)}" if changed else f"{stack}: nothing to record"


def configured(stack: str) -> dict[str, str]:
    """Return the configuration of `stack` without the namespace; encrypted values and structures are empty.

    Read from the file that Pulumi writes, line by line: where the images come from has to be known long before a
    CLI is there to ask, and the standard library reads no YAML.
    """
    file = ROOT / f"Pulumi.{stack}.yaml"
    lines = file.read_text().splitlines() if file.exists() else []
    settings = [match for line in lines if (match := SETTING.fullmatch(line))]
    return {match["key"]: match["value"].strip("\"'") for match in settings}


def _wanted(present: dict[str, str]) -> dict[str, str]:
    """Return what has to be written: the source unless somebody chose one, Grafana unless somebody decided."""
    found = images.choice()
    wanted: dict[str, str] = {}
    if "images" not in present:
        wanted["images"] = found.source
    if present.get("grafana") not in ("required", "off"):
        grafana = "deploy" if found.grafana else "absent"
        if present.get("grafana") != grafana:
            wanted["grafana"] = grafana
    return wanted


def _record_secrets(stack: str, known: dict[str, str]) -> list[str]:
    """Add the generated secrets that the configuration lacks; return their names.

    Those that it has are in use (a database keeps the password that it was made with), whatever the files say.
    """
    missing = {name: value for name, value in secrets.read(stack).items() if name not in known}
    if missing:
        _set_secret(stack, "secrets", json.dumps(known | missing))
    return list(missing)


def _known_secrets(stack: str) -> dict[str, str]:
    """Return the secrets in the configuration of `stack`, which may be those of a release that needed fewer."""
    known: dict[str, str] = json.loads(_pulumi("config", "get", "--stack", stack, f"{NAMESPACE}:secrets"))
    return known


def _pulumi(*arguments: str) -> str:
    advice = "The environment is in .janua/env."
    return checked(["pulumi", "--non-interactive", "--cwd", str(ROOT), *arguments], advice, environment=environment())


def _set_secret(stack: str, key: str, value: str) -> None:
    """Set an encrypted value by standard input: arguments can be read by every user of the machine."""
    command = [
        "pulumi",
        "--cwd",
        str(ROOT),
        "config",
        "set",
        "--secret",
        "--stack",
        stack,
        f"{NAMESPACE}:{key}",
    ]
    result = subprocess.run(
        command, input=value, text=True, capture_output=True, env=os.environ | environment(), check=False
    )
    if result.returncode:
        raise SetupError(f"{NAMESPACE}:{key} could not be set: {result.stderr.strip()}")
