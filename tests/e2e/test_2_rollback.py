"""Going back to the release of before, from its commit, over a migration, while the edge is being asked."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.database.tables import REQUIRED_REVISION
from tests.e2e.asking import asking
from tests.e2e.deployment import Deployment

NEWER = "999_one_column_more"
MIGRATION = f'''
"""What the release before can do without."""

import sqlalchemy as sa
from alembic import op

revision = "{NEWER}"
down_revision = "{REQUIRED_REVISION}"


def upgrade() -> None:
    op.add_column("users", sa.Column("nickname", sa.String(20)))


def downgrade() -> None:
    op.drop_column("users", "nickname")
'''
COMMIT = "git add --all && git -c user.name=Somebody -c user.email=somebody@example.com commit --quiet --message"


@pytest.fixture
def repository(staging: Deployment) -> Iterator[Deployment]:
    """The clone with a history of its own; afterwards without, and with the schema that it had."""
    staging.shell(f"git init --quiet && {COMMIT} first").check_returncode()
    yield staging
    (staging.folder / "migrations" / "versions" / f"{NEWER}.py").unlink(missing_ok=True)
    shutil.rmtree(staging.folder / ".git")
    if staging.sql("SELECT version_num FROM alembic_version") == NEWER:
        staging.sql("ALTER TABLE users DROP COLUMN nickname")
        staging.sql(f"UPDATE alembic_version SET version_num = '{REQUIRED_REVISION}'")  # noqa: S608 - of our own


def test_there_is_nothing_to_go_back_to_yet(repository: Deployment) -> None:
    refused = repository.shell("make rollback COMMIT=0123456789")
    assert refused.returncode != 0
    assert "nothing was rolled back" in refused.stdout


def test_a_rollback_deploys_the_commit_of_before_and_loses_no_request(repository: Deployment) -> None:
    repository.pulumi("up --yes --skip-preview").check_returncode()
    first = repository.outputs()["release"]
    (repository.folder / "migrations" / "versions" / f"{NEWER}.py").write_text(MIGRATION)
    repository.shell(f"{COMMIT} second").check_returncode()
    newer = repository.pulumi("up --yes --skip-preview")
    assert newer.returncode == 0, newer.stdout
    assert repository.outputs()["release"] != first
    with asking(repository) as answers:
        back = repository.shell("make rollback")
    assert back.returncode == 0, back.stdout
    answers.require_all_right()
    outputs = repository.outputs()
    assert outputs["release"] == first
    assert Path(outputs["report"]).is_file()
    # What the newer release has added to the schema stays.
    assert repository.sql("SELECT version_num FROM alembic_version") == NEWER
    assert repository.sql("SELECT count(nickname) FROM users") == "0"
    assert repository.shell("git worktree list").stdout.count("\n") == 1
    # The checkout is the newer one still, and its tools are those that a shell gets.
    assert repository.shell("git log -1 --format=%s").stdout == "second\n"
    # What is in a commit can be gone back to again.
    history = json.loads(repository.pulumi("stack history --json --page-size 1").stdout)
    assert history[0]["environment"]["git.dirty"] == "false"
    assert str(repository.folder / ".venv") in (repository.folder / ".janua" / "env").read_text()
