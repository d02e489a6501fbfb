"""A fault in the running stack pages in time, and leaves nothing behind; what a killed drill left is found."""

import docker

from tests.e2e.deployment import Deployment


def test_a_dead_exporter_pages_with_its_links_and_resolves(staging: Deployment) -> None:
    drill = staging.shell("make drill NAME=scrape-dead")
    assert drill.returncode == 0, drill.stdout
    assert "passed" in drill.stdout
    assert staging.pulumi("preview --expect-no-changes").returncode == 0
    label = f"com.janua.drill={staging.stack}"
    assert docker.from_env().containers.list(all=True, filters={"label": label}) == []


def test_what_a_killed_drill_left_is_taken_out(staging: Deployment) -> None:
    (redis,) = staging.containers("redis")
    redis.kill()
    cleared = staging.shell("make drill NAME=clear")
    assert cleared.returncode == 0, cleared.stdout
    assert f"{redis.name}: started" in cleared.stdout
    assert "left over" not in staging.shell("make drill NAME=clear").stdout
