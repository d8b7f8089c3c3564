"""Keys of proofs: who signs, what is believed, what a rotation leaves behind."""

import json
import stat
from base64 import urlsafe_b64decode, urlsafe_b64encode

import pytest

from tollbridge.faces.webinos.wishes import Check, Sign
from tollbridge.ground.clock import SystemClock
from tollbridge.ground.errors import ConfigError
from tollbridge.server import proofs
from tollbridge.web.keys import ProofKeys, proof_key_file

CLAIMS = {"iss": "https://pay.example", "sub": "wp_1", "aud": "ShopName12345", "jti": "j1",
          "iat": 1_700_000_000, "amount": "25.96", "currency": "EUR"}  # fmt: skip


def keys_in(folder):
    return ProofKeys(proof_key_file(folder / "journal.sqlite"), SystemClock())


def part(proof, place):
    text = proof.split(".")[place]
    return json.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4)))


def packed(value):
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return urlsafe_b64encode(data).rstrip(b"=").decode()


@pytest.mark.req("N-061")
def test_what_is_signed_is_believed(tmp_path):
    keys = keys_in(tmp_path)
    proof = keys.sign(Sign(CLAIMS)).proof
    assert keys.check(Check(proof)).claims == CLAIMS
    assert part(proof, 0) == {"alg": "EdDSA", "typ": "proof+jwt", "kid": keys.rows[0].kid}


def test_the_file_is_its_owners_and_outlives_the_process(tmp_path):
    proof = keys_in(tmp_path).sign(Sign(CLAIMS)).proof
    file = tmp_path / "journal.sqlite.proof.key"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    again = keys_in(tmp_path)
    assert again.check(Check(proof)).claims == CLAIMS
    assert len(again.rows) == 1
    assert [path.name for path in tmp_path.iterdir()] == [file.name]


def test_what_is_published_tells_no_private_key(tmp_path):
    keys = keys_in(tmp_path)
    (shown,) = keys.jwks["keys"]
    assert shown.keys() == {"kty", "crv", "x", "kid", "use", "alg"}
    proof = keys.sign(Sign(CLAIMS)).proof
    assert proofs.read(proof, {shown["kid"]: proofs.key_of(shown)}) == CLAIMS


def test_after_a_rotation_old_proofs_are_still_believed(tmp_path):
    keys = keys_in(tmp_path)
    old = keys.sign(Sign(CLAIMS)).proof
    first = keys.rows[0].kid
    # Another process rotates; the server notices by itself.
    made = keys_in(tmp_path).rotate()
    new = keys.sign(Sign(CLAIMS)).proof
    assert part(new, 0)["kid"] == made.kid != first
    assert [row["kid"] for row in keys.jwks["keys"]] == [made.kid, first]
    assert keys.check(Check(old)).claims == keys.check(Check(new)).claims == CLAIMS
    written = json.loads((tmp_path / "journal.sqlite.proof.key").read_text())["keys"]
    assert ["d" in row for row in written] == [True, False]
    assert keys.rows[1].retired_at
    keys.rotate()
    assert keys_in(tmp_path).check(Check(old)).claims == CLAIMS
    assert len(keys.jwks["keys"]) == 3


@pytest.mark.req("N-085")
def test_forgeries_are_told_apart_and_none_is_believed(tmp_path):
    keys = keys_in(tmp_path)
    head, body, signature = keys.sign(Sign(CLAIMS)).proof.split(".")
    kid = keys.rows[0].kid
    cheaper = packed(CLAIMS | {"amount": "0.01"})
    stranger = ProofKeys(None, SystemClock())
    foreign = stranger.sign(Sign(CLAIMS)).proof
    disguised = proofs.make(CLAIMS, proofs.new_key(), kid)
    header = {"alg": "EdDSA", "typ": "proof+jwt", "kid": kid}
    for forged, why in (
        ("", "malformed"),
        (f"{head}.{body}", "malformed"),
        (f"{head}.{body}.", "malformed"),
        (f"{head}.{body}.{signature}.{signature}", "malformed"),
        (f"{head}.{body}.{signature}\n", "malformed"),
        ("x" * 10_000, "malformed"),
        (f"{head}.{'A' * 9000}.{signature}", "malformed"),
        (f"{packed(b'[]')}.{body}.{signature}", "malformed"),
        (f"{packed(header | {'crit': ['exp']})}.{body}.{signature}", "malformed"),
        (f"{packed(header | {'jwk': {}})}.{body}.{signature}", "malformed"),
        (f"{packed(header | {'alg': 'none'})}.{body}.{signature}", "algorithm"),
        (f"{packed(header | {'alg': 'HS256'})}.{body}.{signature}", "algorithm"),
        (f"{packed(header | {'typ': 'JWT'})}.{body}.{signature}", "type"),
        (foreign, "unknown_key"),
        (disguised, "signature"),
        (f"{head}.{cheaper}.{signature}", "signature"),
        (f"{head}.{body}.{'A' * 86}", "signature"),
        (keys.sign(Sign(CLAIMS | {"exp": 1})).proof, "claims"),
        (keys.sign(Sign(CLAIMS | {"aud": ["a", "b"]})).proof, "claims"),
        (keys.sign(Sign({"iss": "x"})).proof, "claims"),
    ):
        checked = keys.check(Check(forged))
        assert (checked.claims, checked.reason) == (None, why), forged[:60]


def test_a_file_that_holds_no_keys_stops_the_start(tmp_path):
    file = tmp_path / "journal.sqlite.proof.key"
    for text in ("", "{}", '{"keys": []}', '{"keys": [{"kid": "a"}]}'):
        file.write_text(text)
        with pytest.raises(ConfigError, match="no keys to sign with"):
            keys_in(tmp_path)
    keys = ProofKeys(None, SystemClock())
    listed = {"made_at": "", "retired_at": "", **keys.jwks["keys"][0]}
    file.write_text(json.dumps({"keys": [listed]}))
    with pytest.raises(ConfigError, match="not whole"):
        keys_in(tmp_path)


def test_without_the_packages_it_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "joserfc", None)
    with pytest.raises(ConfigError, match=r"tollbridge\[web\]"):
        keys_in(tmp_path)
