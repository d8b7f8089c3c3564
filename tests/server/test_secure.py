"""The secure element in software."""

import stat
import sys

import pytest

from tollbridge.faces.contract import Seal, Sealed, SecureFault, Tokenize, Unseal, Unsealed
from tollbridge.ground.ids import RandomIds
from tollbridge.ground.secret import Secret
from tollbridge.server.secure import SecureElement

PAN = Tokenize(Secret("4242424242424242"))
UID = Tokenize(Secret("04A1B2C3D4E580"))
NO_KEY = SecureFault(key_missing=True)


@pytest.fixture
def file(tmp_path):
    return tmp_path / "journal.sqlite.device.key"


def element(file):
    return SecureElement(file, RandomIds())


@pytest.mark.req("P-115")
def test_a_token_is_the_same_each_time_on_one_device(file, tmp_path):
    first = element(file).tokenize(PAN)
    assert element(file).tokenize(PAN) == first
    assert len(first.token) == 24
    assert first.token.isascii()
    assert first.token.isalnum()
    others = {
        element(file).tokenize(UID).token,
        element(file).tokenize(Tokenize(Secret("4000056655665556"))).token,
        element(tmp_path / "other.key").tokenize(PAN).token,
        first.token,
    }
    assert len(others) == 4


def test_the_key_is_its_owners_alone(file):
    element(file).tokenize(PAN)
    assert len(file.read_bytes()) == 32
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(file.parent.iterdir()) == [file]


def test_nothing_is_made_before_it_is_needed(file):
    element(file)
    assert not file.exists()


def test_what_is_sealed_opens_at_its_own_terminal_only(file, tmp_path):
    plain = Seal(Secret("4242424242424242 and more"))
    sealed = element(file).seal(plain, "T1")
    assert isinstance(sealed, Sealed)
    assert sealed != element(file).seal(plain, "T1")
    assert "4242" not in sealed.sealed
    assert element(file).unseal(Unseal(sealed.sealed), "T1") == Unsealed(plain.plain)
    assert element(file).unseal(Unseal(sealed.sealed), "T2") == SecureFault()
    assert element(tmp_path / "other").unseal(Unseal(sealed.sealed), "T1") == SecureFault()


@pytest.mark.parametrize("change", [
    lambda text: text[:-4] + "AAAA",
    lambda text: text[:10],
    lambda text: "s2" + text[2:],
    lambda text: "",
    lambda text: text + "!",
    lambda text: "s1.é",
    lambda text: "s1." + "A" * 16,
])  # fmt: skip
def test_what_was_changed_does_not_open(file, change):
    sealed = element(file).seal(Seal(Secret("secret")), "T1").sealed
    assert element(file).unseal(Unseal(change(sealed)), "T1") == SecureFault()


@pytest.mark.req("P-137")
@pytest.mark.parametrize("content", [b"", b"short", b"x" * 33])
def test_a_damaged_key_is_a_missing_one_and_stays_as_it_is(file, content, caplog):
    file.write_bytes(content)
    broken = element(file)
    assert broken.tokenize(PAN) == NO_KEY
    assert broken.seal(Seal(Secret("x")), "T1") == NO_KEY
    assert broken.unseal(Unseal("s1.AAAA"), "T1") == NO_KEY
    assert file.read_bytes() == content
    assert len(caplog.records) == 1


def test_where_no_key_can_be_kept_there_is_none(tmp_path, caplog):
    assert element(tmp_path / "no" / "folder").tokenize(PAN) == NO_KEY
    assert len(caplog.records) == 1


def test_without_cryptography_tokens_work_and_sealing_does_not(file, monkeypatch, caplog):
    monkeypatch.setitem(sys.modules, "cryptography", None)
    poor = element(file)
    assert poor.tokenize(PAN) != NO_KEY
    assert poor.seal(Seal(Secret("x")), "T1") == NO_KEY
    assert poor.unseal(Unseal("s1.AAAA"), "T1") == NO_KEY
    assert len(caplog.records) == 1
