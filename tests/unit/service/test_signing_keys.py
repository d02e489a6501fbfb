"""The keys that sign tokens: where they come from, and when they are published."""

import logging
from base64 import urlsafe_b64decode
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.settings import Settings
from service.tokens.keys import KEY_SET_SECONDS, SigningKey, SigningKeys
from service.tokens.secret import SigningSecret, load_signing_secret

EPOCH_SECONDS = 3600
TOKEN_SECONDS = 300
OLD, NEW = "an old secret", "a new secret"
moments = st.datetimes(datetime(2026, 1, 1), datetime(2036, 1, 1), timezones=st.just(UTC))


def keys(*secrets: str, rotation_seconds: int = EPOCH_SECONDS) -> SigningKeys:
    return SigningKeys(SigningSecret(secrets), rotation_seconds)


def ids(signing: SigningKeys, now: datetime) -> list[str]:
    return [key.kid for key in signing.published(now)]


def test_a_key_and_its_id_are_those_of_the_standard() -> None:
    """The example of RFC 8037, appendix A."""
    seed = urlsafe_b64decode("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=")
    public = SigningKey.from_seed(seed).public
    assert public.x == "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
    assert public.kid == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
    assert public.model_dump().keys() == {"kty", "crv", "x", "kid", "use", "alg"}


@given(moments)
def test_every_replica_with_the_same_secret_has_the_same_keys(now: datetime) -> None:
    one, other = keys(NEW, OLD), keys(NEW, OLD)
    assert one.published(now) == other.published(now)
    assert one.signing(now).public == other.signing(now).public
    assert not set(ids(one, now)) & set(ids(keys("another secret"), now))


@given(moments)
def test_a_set_has_three_different_keys_of_each_secret(now: datetime) -> None:
    assert len(set(ids(keys(OLD), now))) == 3
    assert len(set(ids(keys(NEW, OLD), now))) == 6
    assert set(ids(keys(NEW, OLD), now)) == set(ids(keys(NEW), now)) | set(ids(keys(OLD), now))


@given(moments, st.floats(-KEY_SET_SECONDS, TOKEN_SECONDS))
def test_a_key_is_published_before_it_signs_and_as_long_as_its_tokens_live(issued_at: datetime, fetched: float) -> None:
    """Whichever set a verifier uses, from one cached before the token was issued to one fetched as it expires."""
    signing = keys(OLD)
    assert signing.signing(issued_at).public in signing.published(issued_at + timedelta(seconds=fetched))


@pytest.mark.parametrize("seconds", [-KEY_SET_SECONDS, -1, 0, 1, TOKEN_SECONDS])
def test_the_moment_of_change_is_no_exception(seconds: int) -> None:
    signing = keys(OLD)
    change = datetime.fromtimestamp(1000 * EPOCH_SECONDS, UTC)
    last, first = change - timedelta(microseconds=1), change
    assert signing.signing(last).public != signing.signing(first).public
    for issued_at in (last, first):
        assert signing.signing(issued_at).public in signing.published(issued_at + timedelta(seconds=seconds))


def test_a_key_is_gone_two_epochs_later() -> None:
    signing = keys(OLD)
    now = datetime.fromtimestamp(1000 * EPOCH_SECONDS, UTC)
    present = signing.signing(now).public
    assert present in signing.published(now + timedelta(seconds=2 * EPOCH_SECONDS - 1))
    assert present not in signing.published(now + timedelta(seconds=2 * EPOCH_SECONDS))
    assert present not in signing.published(now - timedelta(seconds=EPOCH_SECONDS, microseconds=1))


def test_the_first_secret_signs() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    assert keys(NEW, OLD).signing(now).public == keys(NEW).signing(now).public
    assert keys(OLD, NEW).signing(now).public == keys(OLD).signing(now).public


def test_a_key_is_derived_once_and_few_are_kept() -> None:
    signing = keys(OLD)
    now = datetime(2026, 1, 1, tzinfo=UTC)
    assert signing.signing(now) is signing.signing(now + timedelta(seconds=EPOCH_SECONDS - 1))
    for number in range(100):
        signing.published(now + timedelta(seconds=number * EPOCH_SECONDS))
    assert signing._of_epoch.cache_info().currsize == 4


def test_the_secrets_are_the_lines_of_the_file(tmp_path: Path) -> None:
    file = tmp_path / "signing"
    file.write_text(f"{NEW}\n\n  {OLD}  \n")
    secret = load_signing_secret(Settings(signing_secret_file=file))
    assert secret == SigningSecret((NEW, OLD))
    assert NEW not in repr(secret)


def test_without_a_file_every_process_has_a_secret_of_its_own_and_says_so(caplog: pytest.LogCaptureFixture) -> None:
    one, other = load_signing_secret(Settings()), load_signing_secret(Settings())
    assert one != other
    assert "signing_secret_generated" in caplog.text
    assert not [secret for secret in (*one.secrets, *other.secrets) if secret in caplog.text]
    assert [record.levelno for record in caplog.records] == [logging.WARNING] * 2
