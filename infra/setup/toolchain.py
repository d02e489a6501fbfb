"""Pulumi's CLI, Python language host and docker plugin: the official ones, or built here from Go modules."""

import os
import platform
import shutil
from pathlib import Path

from infra.images.table import content_hash
from infra.setup import golang, official
from infra.setup.host import ROOT, cache_folder, checked, run, succeeds
from infra.setup.steps import SetupError

SOURCES = ROOT / "infra" / "toolchain"
SDK = "github.com/pulumi/pulumi/sdk/v3"
DOWNLOAD_SECONDS = 180
OLDEST_CLI = (3, 200)


def cli_version() -> str:
    """Return the version of the CLI that this project pins, without a leading v: the one that its module requires."""
    return _required("cli", "github.com/pulumi/pulumi/pkg/v3")


def plugin_version() -> str:
    """Return the version of the docker plugin: the one of the pinned Python package, which asks for it."""
    lines = (ROOT / "requirements" / "dev.txt").read_text().splitlines()
    pin = next(line for line in lines if line.startswith("pulumi-docker=="))
    return pin.split("==")[1].split()[0]


def folder() -> Path:
    """Return where the toolchain of this revision is kept, in the user's cache: other clones find it there."""
    return cache_folder() / "toolchain" / f"{cli_version()}-{content_hash(SOURCES)}-{platform.machine()}"


def home() -> Path:
    """Return PULUMI_HOME: our own unless the user set one, so that nobody's login or plugins are touched."""
    return Path(os.environ.get("PULUMI_HOME") or cache_folder() / "pulumi")


def search_path() -> str:
    """Return PATH with the Python environment and the toolchain in front, if one is kept."""
    parts = [str(ROOT / ".venv" / "bin"), str(folder() / "bin"), os.environ["PATH"]]
    return os.pathsep.join(parts)


def ensure_cli() -> str:
    """Find, download or build the CLI; JANUA_TOOLCHAIN=build skips the first two."""
    if (folder() / "bin" / "pulumi").exists():
        return f"{cli_version()} is kept in the cache"
    if _may_look() and (found := _on_path()):
        return f"{found} is on PATH"
    if _may_look() and official.download(cli_version(), folder() / "bin"):
        return f"{cli_version()} downloaded"
    _build(
        "cli",
        "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
        "pulumi",
        f"{SDK}/go/common/version.Version",
        cli_version(),
    )
    return f"{cli_version()} built from Go modules"


def ensure_language_host() -> str:
    """Build the Python language host, unless the CLI came with one."""
    if shutil.which("pulumi-language-python", path=search_path()):
        return "there"
    # Its two scripts are of the CLI's version; the module that holds them is a requirement of the CLI's module.
    cli = str(SOURCES / "cli")
    checked(["go", "mod", "download", "-C", cli, SDK], "Is the Go module proxy reachable?", seconds=300)
    module = Path(checked(["go", "list", "-C", cli, "-m", "-f", "{{.Dir}}", SDK], "").strip()) / "python"
    target = folder() / "bin"
    for script in (module / "cmd" / "pulumi-language-python-exec", module / "dist" / "pulumi-resource-pulumi-python"):
        shutil.copyfile(script, target / script.name)
        (target / script.name).chmod(0o755)
    # Last, since it is what is looked for: an interrupted set-up leaves no half of it.
    _build("language-python", f"{SDK}/python/cmd/pulumi-language-python", "pulumi-language-python")
    return "built from Go modules"


def ensure_docker_plugin() -> str:
    """Install the docker plugin into PULUMI_HOME: downloaded, or built and kept in the cache."""
    version = plugin_version()
    environment = {
        "PATH": search_path(),
        "PULUMI_HOME": str(home()),
        "PULUMI_SKIP_UPDATE_CHECK": "1",
    }
    installed = home() / "plugins" / f"resource-docker-v{version}"
    # What Pulumi puts beside one that it has not finished.
    if installed.is_dir() and not installed.with_name(f"{installed.name}.partial").exists():
        return f"{version} is installed"
    built = folder() / "pulumi-resource-docker"
    install = ["pulumi", "plugin", "install", "resource", "docker", version]
    may_download = not built.exists() and _may_look() and official.reachable(cli_version())
    if may_download and succeeds(install, seconds=DOWNLOAD_SECONDS, environment=environment):
        return f"{version} downloaded"
    how = "installed from the cache"
    if not built.exists():
        _build("docker-plugin", ".", "../pulumi-resource-docker", "main.version", version)
        how = "built from Go modules"
    checked([*install, "--file", str(built)], "", environment=environment)
    return f"{version} {how}"


def _may_look() -> bool:
    choice = os.environ.get("JANUA_TOOLCHAIN", "auto")
    if choice not in ("auto", "build"):
        raise SetupError(f"JANUA_TOOLCHAIN is auto or build, not {choice!r}")
    return choice == "auto"


def _on_path() -> str | None:
    """Return the version of the official CLI on PATH if it is new enough and has its language host beside it."""
    program = shutil.which("pulumi")
    if program is None or shutil.which("pulumi-language-python") is None:
        return None
    version = run([program, "version"], environment={"PULUMI_SKIP_UPDATE_CHECK": "1"}).stdout.strip().removeprefix("v")
    try:
        numbers = tuple(int(part) for part in version.split("-")[0].split(".")[:2])
    except ValueError:
        return None
    return version if numbers >= OLDEST_CLI else None


def _required(module: str, requirement: str) -> str:
    lines = (SOURCES / module / "go.mod").read_text().splitlines()
    line = next(line for line in lines if f"{requirement} v" in line and "=>" not in line)
    return line.split(f"{requirement} v")[1].split()[0]


def _build(module: str, package: str, output: str, variable: str = "", value: str = "") -> None:
    """Build `package` of the wrapper module `module` into the toolchain's bin folder as `output`."""
    if shutil.which("go") is None:
        raise SetupError(
            f"Pulumi {cli_version()} is not on PATH, cannot be downloaded here, and building it needs Go: "
            "install the Pulumi CLI, or Go 1.21 or newer"
        )
    flags = f"-X {variable}={value}" if variable else ""
    golang.build(SOURCES / module, package, (folder() / "bin" / output).resolve(), flags)
