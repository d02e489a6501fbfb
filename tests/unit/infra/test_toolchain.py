import functools
import hashlib
import io
import tarfile
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from infra.setup import official, toolchain
from infra.setup.steps import SetupError


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Keep the test's output clean."""


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A download site of our own; its folder is the fixture's value."""
    folder = tmp_path / "site"
    folder.mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    monkeypatch.setenv("JANUA_PULUMI_DOWNLOADS", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    yield folder
    server.shutdown()
    server.server_close()
    thread.join()


def publish(site: Path, version: str, digest: str | None = None) -> None:
    """Put a release with one program on the site."""
    archive = site / official.archive_name(version)
    content = b"#!/bin/sh\n"
    with tarfile.open(archive, "w:gz") as tar:
        entry = tarfile.TarInfo("pulumi/pulumi")
        entry.size, entry.mode = len(content), 0o755
        tar.addfile(entry, io.BytesIO(content))
    published = digest or hashlib.sha256(archive.read_bytes()).hexdigest()
    (site / f"pulumi-{version}-checksums.txt").write_text(f"{published}  {archive.name}\n")


def test_the_official_release_is_downloaded_and_unpacked(site: Path, tmp_path: Path) -> None:
    publish(site, "9.9.9")
    assert official.download("9.9.9", tmp_path / "bin")
    assert (tmp_path / "bin" / "pulumi").read_text() == "#!/bin/sh\n"


def test_a_download_that_does_not_match_its_checksum_is_refused(site: Path, tmp_path: Path) -> None:
    publish(site, "9.9.9", digest="0" * 64)
    with pytest.raises(SetupError, match="does not match its published checksum"):
        official.download("9.9.9", tmp_path / "bin")
    assert not (tmp_path / "bin").exists()


def test_a_release_that_the_site_does_not_have_is_not_there(site: Path, tmp_path: Path) -> None:
    assert not official.download("9.9.9", tmp_path / "bin")


def test_a_site_that_does_not_answer_is_not_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("JANUA_PULUMI_DOWNLOADS", "http://127.0.0.1:9")
    assert not official.download("9.9.9", tmp_path / "bin")


def test_cli_and_plugin_versions_are_those_of_the_pins() -> None:
    assert toolchain.cli_version().count(".") == 2
    assert toolchain.plugin_version() == "5.2.0"


def fake_pulumi(folder: Path, version: str) -> None:
    folder.mkdir()
    for name in ("pulumi", "pulumi-language-python"):
        (folder / name).write_text(f"#!/bin/sh\necho {version}\n")
        (folder / name).chmod(0o755)


@pytest.mark.parametrize(
    ("version", "found"), [("v3.260.1", "3.260.1"), ("v3.100.0", None), ("v2.0.0", None), ("nonsense", None)]
)
def test_a_cli_on_the_path_is_used_if_it_is_new_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str, found: str | None
) -> None:
    fake_pulumi(tmp_path / "bin", version)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert toolchain._on_path() == found
    if found:
        assert toolchain.ensure_cli() == f"{found} is on PATH"


def test_without_go_the_error_says_what_to_install(site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(SetupError, match="install the Pulumi CLI, or Go"):
        toolchain.ensure_cli()


def test_an_unknown_choice_is_refused(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JANUA_TOOLCHAIN", "yes")
    with pytest.raises(SetupError, match="auto or build"):
        toolchain.ensure_cli()


@pytest.mark.parametrize("is_whole", [True, False])
def test_a_plugin_that_pulumi_has_not_finished_is_installed_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_whole: bool
) -> None:
    monkeypatch.setenv("PULUMI_HOME", str(tmp_path))
    monkeypatch.setenv("JANUA_TOOLCHAIN", "build")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    name = f"resource-docker-v{toolchain.plugin_version()}"
    (tmp_path / "plugins" / name).mkdir(parents=True)
    if not is_whole:
        (tmp_path / "plugins" / f"{name}.partial").touch()
    done: list[list[str]] = []
    monkeypatch.setattr(toolchain, "_build", lambda *_: None)
    monkeypatch.setattr(toolchain, "checked", lambda command, *_, **__: done.append(command))
    said = toolchain.ensure_docker_plugin()
    assert said.endswith("is installed") == is_whole
    assert bool(done) != is_whole
