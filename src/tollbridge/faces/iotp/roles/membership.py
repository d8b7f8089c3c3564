"""The core's own way to authenticate: a member's name and pass phrase, no payment software (2.1).

The answer to a challenge is PBKDF2-HMAC-SHA-256 of the pass phrase; its salt is the challenge, the
authentication's id and the name. The pass phrase itself is not sent.
"""

import hashlib
import hmac
from collections.abc import Mapping, Sequence

from tollbridge.faces.iotp.api.elements import Content
from tollbridge.ground.ids import IdSource
from tollbridge.ground.secret import Secret

ALGORITHM = "x-tollbridge-member"
CHALLENGE, MEMBER, PROOF = "Challenge", "Member", "Proof"
ROUNDS = 20_000


def challenge(ids: IdSource) -> tuple[Content, ...]:
    """Make a challenge that nobody saw before."""
    return (Content(text=ids.secret(), name=CHALLENGE),)


def prove(
    authentication_id: str, asked: Sequence[Content], name: str, phrase: Secret[str]
) -> tuple[Content, ...]:
    """Answer a challenge as a member."""
    proof = _proof(authentication_id, asked, name, phrase)
    return (Content(text=name, name=MEMBER), Content(text=proof, name=PROOF))


def proves(
    authentication_id: str,
    asked: Sequence[Content],
    answered: Sequence[Content],
    members: Mapping[str, Secret[str]],
) -> bool:
    """Say whether an answer is a member's. A stranger's takes as long to refuse."""
    name = _named(answered, MEMBER)
    known = members.get(name)
    wanted = _proof(authentication_id, asked, name, known or Secret(""))
    return hmac.compare_digest(wanted, _named(answered, PROOF)) and known is not None


def _proof(authentication_id: str, asked: Sequence[Content], name: str, phrase: Secret[str]) -> str:
    salt = f"{_named(asked, CHALLENGE)}\n{authentication_id}\n{name}".encode()
    return hashlib.pbkdf2_hmac("sha256", phrase.reveal().encode(), salt, ROUNDS).hex()


def _named(contents: Sequence[Content], name: str) -> str:
    return next((one.text for one in contents if one.name == name and one.text.isascii()), "")
