"""The cards of a consumer, sealed in a file."""

import json
import stat
from dataclasses import replace

import keyring
import keyring.errors
import pytest
from keyring.backend import KeyringBackend

from tollbridge.faces.within.card import HceCard
from tollbridge.faces.within.errors import BadArgument
from tollbridge.ground.ids import RandomIds
from tollbridge.ground.secret import Secret
from tollbridge.within import cards
from tollbridge.within.cards import Vault, VaultDamaged, VaultLocked

NUMBER, CVC = "4444333322221111", "90817"  # a code of this length stands nowhere by chance
CARD = HceCard("Ada", "Field", 11, 2033, Secret(NUMBER), Secret(CVC))
WORDS = Secret("correct horse")


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(cards, "SCRYPT_N", 1 << 4)


def vault(folder, words=WORDS):
    return Vault(folder / "cards.vault", RandomIds(), words)


@pytest.mark.req("W-012")
def test_a_card_is_kept_masked_listed_and_forgotten(tmp_path):
    mine = vault(tmp_path)
    assert mine.entries() == []
    mine.add("blue", CARD, keep_cvc=True)
    mine.add("red", replace(CARD, first_name="Bob"))
    (blue, red) = vault(tmp_path).entries()
    assert (blue.name, blue.masked_number, blue.holder) == ("blue", "444433******1111", "Ada Field")
    assert (blue.exp_month, blue.exp_year, blue.with_cvc) == (11, 2033, True)
    assert not red.with_cvc
    assert mine.get("blue") == CARD
    mine.remove("blue")
    assert [one.name for one in mine.entries()] == ["red"]


@pytest.mark.req("W-012")
def test_a_security_code_is_kept_only_if_asked_for(tmp_path):
    mine = vault(tmp_path)
    mine.add("blue", CARD)
    assert mine.get("blue") == replace(CARD, cvc=Secret(""))


@pytest.mark.req("W-012", "WX-035")
def test_number_and_code_stand_nowhere_in_clear(tmp_path, caplog):
    caplog.set_level(0)
    mine = vault(tmp_path)
    mine.add("blue", CARD, keep_cvc=True)
    (file,) = tmp_path.iterdir()
    shown = [file.read_bytes().decode(), caplog.text, repr(mine), str(mine), repr(mine.entries()),
             repr(mine.get("blue")), repr(mine._open()), repr(mine.__dict__)]  # fmt: skip
    for text in shown:
        for hidden in (NUMBER, CVC, "Field" if text is shown[0] else NUMBER, "correct horse"):
            assert hidden not in text
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.req("W-012")
def test_a_wrong_passphrase_opens_nothing_and_destroys_nothing(tmp_path):
    vault(tmp_path).add("blue", CARD)
    for words in (Secret("wrong"), None):
        with pytest.raises(VaultLocked):
            vault(tmp_path, words).get("blue")
        with pytest.raises(VaultLocked):
            vault(tmp_path, words).add("red", CARD)
    assert vault(tmp_path).get("blue").number == CARD.number


@pytest.mark.req("W-012")
def test_every_change_of_the_file_is_found(tmp_path):
    vault(tmp_path).add("blue", CARD)
    file = tmp_path / "cards.vault"
    right = json.loads(file.read_bytes())
    for key, value in right.items():
        for wrong in (1, None, "", "AAAA", "scrypt", "keyring",
                      value[:-4] + "AAA=" if isinstance(value, str) else 2):  # fmt: skip
            if wrong == value:
                continue
            file.write_text(json.dumps(right | {key: wrong}))
            with pytest.raises((VaultDamaged, VaultLocked)):
                vault(tmp_path).get("blue")
    file.write_text(json.dumps(right | {"more": 1}))
    with pytest.raises(VaultDamaged):
        vault(tmp_path).get("blue")
    sealed = right["sealed"]
    swapped = ("B" if sealed[0] == "A" else "A") + sealed[1:]
    for text in (json.dumps(right | {"sealed": swapped}), "", "[]", "nonsense", json.dumps({})):
        file.write_text(text)
        with pytest.raises(VaultDamaged, match="not a vault, or was changed"):
            vault(tmp_path).entries()


def test_the_same_cards_are_never_sealed_the_same(tmp_path):
    mine = vault(tmp_path)
    mine.add("blue", CARD)
    first = (tmp_path / "cards.vault").read_bytes()
    mine.add("red", CARD)
    mine.remove("red")
    assert (
        json.loads(first)["nonce"] != json.loads((tmp_path / "cards.vault").read_bytes())["nonce"]
    )


def test_what_cannot_be_a_card_is_refused(tmp_path):
    mine = vault(tmp_path)
    for wrong in (
        replace(CARD, number=Secret("4444333322221112")),
        replace(CARD, number=Secret("4444 3333")),
        replace(CARD, number=Secret("٤" * 16)),
        replace(CARD, exp_month=13),
        replace(CARD, exp_year=33),
    ):
        with pytest.raises(BadArgument) as refused:
            mine.add("blue", wrong)
        assert wrong.number.reveal() not in str(refused.value)
    mine.add("blue", CARD)
    for name in ("", "blue"):
        with pytest.raises(BadArgument):
            mine.add(name, CARD)
    for call in (mine.get, mine.remove):
        with pytest.raises(BadArgument, match="no card named 'red'"):
            call("red")


class Drawer(KeyringBackend):
    priority = 1

    def __init__(self):
        super().__init__()
        self.kept = {}

    def get_password(self, service, username):
        return self.kept.get((service, username))

    def set_password(self, service, username, password):
        self.kept[service, username] = password

    def delete_password(self, service, username):
        raise keyring.errors.PasswordDeleteError


@pytest.fixture
def drawer():
    before = keyring.get_keyring()
    drawer = Drawer()
    keyring.set_keyring(drawer)
    yield drawer
    keyring.set_keyring(before)


@pytest.mark.req("W-012")
def test_the_key_may_lie_in_the_systems_keyring(tmp_path, drawer):
    vault(tmp_path, None).add("blue", CARD)
    assert len(drawer.kept) == 1
    assert vault(tmp_path, None).get("blue").number == CARD.number
    drawer.kept = dict.fromkeys(drawer.kept, "another")
    with pytest.raises(VaultLocked, match="does not fit"):
        vault(tmp_path, None).get("blue")
    drawer.kept.clear()
    with pytest.raises(VaultLocked, match="not in this user's keyring"):
        vault(tmp_path, None).get("blue")


def test_looking_into_no_vault_makes_none(tmp_path, drawer):
    assert vault(tmp_path, None).entries() == []
    assert not drawer.kept
    assert not list(tmp_path.iterdir())


def test_a_system_without_a_keyring_is_told(tmp_path):
    before = keyring.get_keyring()
    keyring.set_keyring(keyring.backends.fail.Keyring())
    try:
        with pytest.raises(VaultLocked, match="a passphrase would do"):
            vault(tmp_path, None).add("blue", CARD)
    finally:
        keyring.set_keyring(before)
