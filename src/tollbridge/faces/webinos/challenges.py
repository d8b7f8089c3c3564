"""Challenges: made, shown and checked. One is open at a time, and each has an id of its own.

The right answer is never kept, only what the device makes of it together with the payment it is
for: another bill, seller or customer makes another answer of it (N-077).
"""

from collections.abc import Mapping
from typing import Any

from tollbridge.faces.webinos import pictures, policy
from tollbridge.faces.webinos.house import House, Talk, equal
from tollbridge.faces.webinos.outcome import IMPOSSIBLE, Failed
from tollbridge.faces.webinos.pictures import Picture
from tollbridge.faces.webinos.sessions import Challenge, Checkout, Means, State, later
from tollbridge.faces.webinos.wallet import Held, Wallet
from tollbridge.faces.webinos.wishes import CodeSent, SendCode
from tollbridge.ground.clock import Instant, iso
from tollbridge.ground.flow import Exchange, Party
from tollbridge.ground.secret import Secret

CODE_DIGITS = 6
ID_LETTERS = 32
"""128 bits."""
ANSWER_LETTERS_MAX = 100
PROVIDED = "/web/confirm"


def asked(checkout: Checkout, seller: str) -> str:
    """Say what a customer confirms."""
    verb = "to be given back" if checkout.kind == "refund" else "to pay"
    preposition = "by" if checkout.kind == "refund" else "to"
    return f"{verb} {_money(checkout)} {preposition} {seller}"


def issue(house: House, checkout: Checkout, wallet: Wallet | None, held: Held | None) -> Talk[None]:
    """Open a challenge of the first kind that works. Raises Failed where none does."""
    rules = house.policy(checkout.seller)
    for kind in policy.kinds(rules, checkout, wallet, held):
        challenge = _made(house, checkout, kind, Means.CONFIRM)
        match kind:
            case "text":
                assert wallet is not None
                works = yield from send(house, checkout, challenge, wallet)
            case "image":
                assert wallet is not None
                works = yield from _picture(house, checkout, challenge, wallet)
            case _:
                works = yield from _page(house, checkout, challenge, wallet)
        if works:
            opened(house, checkout, challenge)
            return
    raise Failed(IMPOSSIBLE)


def receipt(house: House, checkout: Checkout, service: str) -> Challenge:
    """Make the question for what was bought in a store. Raises Failed where it cannot be asked."""
    made = _made(house, checkout, "text", Means.RECEIPT)
    made.text = f"Give the receipt of {service}, {asked(checkout, seller_name(house, checkout))}."
    return made


def approval(house: House, checkout: Checkout, page: str) -> Challenge:
    """Make the challenge that is a page of the bridge's provider.

    Raises Failed where the payer's page cannot show it.
    """
    made = _made(house, checkout, "url", Means.APPROVAL)
    made.text = f"Approve {asked(checkout, seller_name(house, checkout))}."
    made.page = page
    return made


def _made(house: House, checkout: Checkout, kind: str, means: Means) -> Challenge:
    if kind not in checkout.kinds:
        raise Failed(IMPOSSIBLE)
    return Challenge(
        id=f"ch_{checkout.id[3:]}_{house.ids.secret()[:ID_LETTERS]}",
        kind=kind,
        means=means,
        expires=later(house.now, house.policy(checkout.seller).expires_s),
    )


def opened(house: House, checkout: Checkout, challenge: Challenge) -> None:
    """Open a challenge."""
    checkout.challenge = challenge
    checkout.challenged = True
    checkout.state = State.CHALLENGE
    checkout.happened("challenge", house.now)


def send(house: House, checkout: Checkout, challenge: Challenge, wallet: Wallet) -> Talk[bool]:
    """Send a customer a code that answers a challenge; False where it cannot be sent."""
    number = int(house.ids.secret(), 16) % 10**CODE_DIGITS
    code = f"{number:0{CODE_DIGITS}d}"
    seller = seller_name(house, checkout)
    text = f"{house.provider.name}: {code} is your code {asked(checkout, seller)}. Tell nobody."
    sent = yield Exchange(Party.DEVICE, SendCode(wallet.customer, wallet.contact, Secret(text)))
    if not isinstance(sent, CodeSent) or not sent.sent:
        return False
    where = f" sent to {sent.hint}" if sent.hint else " that was sent to you"
    challenge.means = Means.CODE
    challenge.text = f"Enter the code{where} {asked(checkout, seller)}."
    challenge.token = yield from _token(house, checkout, challenge, code)
    return True


def _picture(house: House, checkout: Checkout, challenge: Challenge, wallet: Wallet) -> Talk[bool]:
    if wallet.mark:
        challenge.means = Means.MARK
    else:
        odd = int(house.ids.secret(), 16) % 2
        challenge.means = Means.COUNT if odd else Means.DIGITS
    drawn = yield from picture(house, checkout, challenge, wallet.mark)
    challenge.text = drawn.question
    challenge.token = yield from _token(house, checkout, challenge, drawn.answer)
    return True


def _page(
    house: House, checkout: Checkout, challenge: Challenge, wallet: Wallet | None
) -> Talk[bool]:
    seller = seller_name(house, checkout)
    if wallet is None:
        challenge.means = Means.INSTRUMENT
        challenge.text = f"Choose how {asked(checkout, seller)}."
    elif not (wallet.contact and (yield from send(house, checkout, challenge, wallet))):
        challenge.means = Means.CONFIRM
        challenge.text = f"Confirm {asked(checkout, seller)}."
    return True


def picture(house: House, checkout: Checkout, challenge: Challenge, mark: str) -> Talk[Picture]:
    """Draw a challenge's picture, the same one each time."""
    seed = yield from house.token(f"picture\0{challenge.id}")
    match challenge.means:
        case Means.MARK:
            seller = seller_name(house, checkout)
            return pictures.mark(seed, mark, seller, _money(checkout))
        case Means.COUNT:
            return pictures.count(seed)
        case _:
            return pictures.digits(seed)


def shown(house: House, checkout: Checkout, mark: str) -> Talk[Mapping[str, Any] | None]:
    """Give the open challenge as pages see it; None where there is none."""
    challenge = checkout.challenge
    if challenge is None:
        return None
    text, alt, given = challenge.text, None, None
    match challenge.kind:
        case "image":
            drawn = yield from picture(house, checkout, challenge, mark)
            text, alt, given = drawn.url, f"{drawn.question} {drawn.alt}", "digits"
        case "url" if challenge.means is Means.APPROVAL:
            text = challenge.page
        case "url":
            token = yield from house.confirm_token(challenge.id)
            text = f"{checkout.reached}{PROVIDED}#ch={challenge.id}&t={token.reveal()}"
        case _:
            given = "text" if challenge.means is Means.RECEIPT else "digits"
    return {
        "id": challenge.id,
        "type": challenge.kind,
        "challenge": text,
        "alt": alt,
        "question": challenge.text,
        "expires_at": iso(Instant(challenge.expires)),
        "attempts_left": max(0, house.policy(checkout.seller).attempts - checkout.tries),
        "input": given,
    }


def right(
    house: House, checkout: Checkout, challenge: Challenge, answer: Secret[str]
) -> Talk[bool]:
    """Say whether an answer is the right one."""
    given = "".join(answer.reveal().split()).casefold()[:ANSWER_LETTERS_MAX]
    token = yield from _token(house, checkout, challenge, given)
    return equal(token, challenge.token)


def seller_name(house: House, checkout: Checkout) -> str:
    """Give the name people know a seller by."""
    seller = house.seller(checkout.seller)
    return seller.name if seller else checkout.seller


def _token(house: House, checkout: Checkout, challenge: Challenge, answer: str) -> Talk[str]:
    bound = (challenge.id, checkout.id, checkout.bill_hash, checkout.seller, checkout.customer,
             challenge.who, answer)  # fmt: skip
    return (yield from house.token("answer\0" + "\0".join(bound)))


def _money(checkout: Checkout) -> str:
    money = checkout.money
    return f"{money.decimal()} {money.currency.code}"
