"""Every test card and every magic amount does what it says."""

import pytest

from tests.core.stories import table
from tests.sandbox.world import OPENING, VISA, World, balanced, said
from tollbridge.core.brands import brand_of
from tollbridge.ground.currency import currency
from tollbridge.ground.secret import luhn
from tollbridge.sandbox import codes
from tollbridge.sandbox.cards import BY_ACCOUNT, BY_NUMBER, CARDS, described

# What the published lists say of each number: brand, code, and how much may be spent on it.
LISTED = """
number              | brand            | code | limit
4242424242424242    | Visa             | 00   | none
4000056655665556    | Visa Debit       | 00   | 100000
5555555555554444    | Mastercard       | 00   | none
5200828282828210    | Mastercard Debit | 00   | 100000
5105105105105100    | Mastercard       | 00   | 10000
378282246310005     | American Express | 00   | none
371449635398431     | American Express | 00   | none
6011111111111117    | Discover         | 00   | none
6011000990139424    | Discover         | 00   | none
3056930009020004    | Diners Club      | 00   | none
36227206271667      | Diners Club      | 00   | none
3566002020360505    | JCB              | 00   | none
6200000000000005    | UnionPay         | 00   | none
4506445006931933    | Interac          | 00   | 100000
6280000360000978    | eftpos           | 00   | 100000
4000050360000001    | Visa Debit       | 00   | 100000
5555050360000080    | Mastercard Debit | 00   | 100000
4001007020000002    | Visa             | 00   | none
4001000360000005    | Visa             | 00   | none
4000008260000075    | Visa             | 00   | none
4000002760000008    | Visa             | 00   | none
4000000000000002    | Visa             | 05   | none
4000000000009995    | Visa             | 51   | none
4000000000009987    | Visa             | 41   | none
4000000000009979    | Visa             | 43   | none
4000000000000069    | Visa             | 54   | none
4000000000000119    | Visa             | 96   | none
4000000000005126    | Visa             | 00   | none
5413330089099999    | Mastercard       | 00   | none
6799998900000099990 | Maestro          | 00   | 100000
5413330089020037    | Mastercard       | 00   | none
4444333322221111    | Visa             | 00   | none
4000008260000000    | Visa             | 00   | none
4000003920000003    | Visa             | 00   | none
4000007560000009    | Visa             | 00   | none
4000006160000005    | Visa             | 00   | none
6759649826438453    | Maestro          | 00   | 100000
6720000000000000007 | girocard         | 00   | 100000
6703444444444449    | Bancontact       | 00   | 100000
9756000000000007    | TWINT            | 00   | 100000
"""
ROWS = table(LISTED)
LIMITED = [(number, int(limit)) for number, _, code, limit in ROWS if limit != "none"]


def test_the_cards_are_the_listed_ones():
    assert [card.number for card in CARDS] == [number for number, *_ in ROWS]
    assert len(BY_NUMBER) == len(BY_ACCOUNT) == len(CARDS)
    assert all(luhn(card.number) for card in CARDS)


METHODS = {"online_pin", "offline_pin", "signature", "none"}


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.account)
def test_a_card_says_how_it_is_read_billed_and_verified(card):
    assert currency(card.currency)
    assert len(card.language) in (0, 2)
    assert card.verifications
    assert len(set(card.verifications)) == len(card.verifications)
    assert set(card.verifications) <= METHODS
    wanted = card.verification.removeprefix("sca_")
    assert wanted == "none" or wanted in card.verifications
    assert card.entries
    assert set(card.entries) <= {"chip", "contactless", "magstripe", "online", "qr"}
    shown = described(card)
    assert (shown["account"], shown["brand"]) == (card.account, card.brand.name)


def test_every_currency_a_terminal_converts_is_on_a_card():
    billed = {card.currency for card in CARDS if card.brand.name in ("Visa", "Mastercard")}
    assert {"EUR", "USD", "GBP", "JPY", "CHF", "PLN"} <= billed


def test_what_is_paid_by_a_qr_code_has_no_scheme_and_no_application():
    (twint,) = [card for card in CARDS if "qr" in card.entries]
    assert (twint.brand.name, twint.brand.application_id) == ("TWINT", "")
    assert brand_of(twint.number) is None


@pytest.mark.parametrize("account", ["girocard", "bancontact", "maestro-signature", "maestro"])
def test_a_number_range_names_the_brand(account):
    card = BY_ACCOUNT[account]
    assert brand_of(card.number).name.lower() == account.partition("-")[0]
    assert card.brand_name == ""


@pytest.mark.parametrize(("number", "brand", "code", "limit"), ROWS)
def test_a_card_has_its_brand_and_gives_its_code_to_every_opening_verb(number, brand, code, limit):
    assert BY_NUMBER[number].brand.name == brand
    world = World()
    for verb in OPENING:
        amount = 0 if verb in ("verify", "store") else 1000
        answer = world.send(verb, amount, card=number)
        assert said(answer) == ("approved 00" if code == "00" else f"declined {code}")
        assert answer["text"] == codes.text(code)
        assert answer.get("amount_minor", 0) == (amount if code == "00" else 0)
    assert world.balance(BY_NUMBER[number].account) == ((1000, 0) if code == "00" else (0, 0))


@pytest.mark.parametrize(("number", "limit"), LIMITED)
@pytest.mark.parametrize("verb", ["purchase", "authorize"])
def test_a_limited_card_gives_what_is_there_and_no_more(number, limit, verb):
    world = World()
    assert said(world.send(verb, limit + 1, payment="A", card=number)) == "declined 51"
    assert said(world.send(verb, limit - 100, payment="B", card=number)) == "approved 00"
    assert said(world.send(verb, 101, payment="C", card=number)) == "declined 51"
    assert said(world.send(verb, 101, "USD", payment="D", card=number)) == "approved 00"
    part = world.send(verb, 101, payment="E", card=number, partial_ok=True)
    assert said(part) == "approved 10"
    assert part["amount_minor"] == 100
    assert said(world.send(verb, 1, payment="F", card=number, partial_ok=True)) == "declined 51"


@pytest.mark.parametrize(("number", "limit"), LIMITED)
def test_money_given_first_does_not_lift_the_limit(number, limit):
    world = World()
    assert said(world.send("credit", 100, payment="A", card=number)) == "approved 00"
    assert said(world.send("purchase", limit + 101, payment="B", card=number)) == "declined 51"
    assert said(world.send("purchase", limit + 100, payment="C", card=number)) == "approved 00"


def test_a_card_without_limit_takes_the_largest_amount():
    assert said(World().send("purchase", 10**15)) == "approved 00"


@pytest.mark.parametrize(
    "number", ["4111111111111111", "4242424242424241", "", "x", "5454545454545454", "4" * 200]
)
@pytest.mark.parametrize("verb", OPENING)
def test_no_other_number_is_ever_approved(number, verb):
    world = World()
    amount = 0 if verb in ("verify", "store") else 4200
    assert said(world.send(verb, amount, card=number)) == "declined 14"
    assert world.book.accounts() == []


@pytest.mark.parametrize("verb", OPENING)
def test_without_a_card_nothing_is_approved(verb):
    amount = 0 if verb in ("verify", "store") else 1000
    assert said(World().send(verb, amount, card=None)) == "declined 14"
    assert said(World().send(verb, amount, token="tok_unknown")) == "declined 14"
    assert said(World().send(verb, amount, token="")) == "declined 14"


def test_a_refund_of_the_refund_failing_card_fails_later():
    world = World()
    world.send("purchase", 1000, card="4000000000005126")
    refund = world.send("refund", 400)
    assert said(refund) == "pending 05"
    assert "amount_minor" not in refund
    world.clock.advance(4.9)
    assert said(world.ask("P.2")) == "pending 05"
    world.clock.advance(0.1)
    assert said(world.ask("P.2")) == "declined 05"
    assert world.balance("visa-refund-fails") == (0, 1000)


def test_a_stored_card_pays_by_its_token():
    world = World()
    stored = world.send("store", card="4000056655665556")
    token = stored["details"]["token"]
    assert token.startswith("tok_")
    assert "amount_minor" not in stored
    assert said(world.send("purchase", 500, payment="Q", token=token)) == "approved 00"
    assert world.balance("visa-debit") == (0, 500)


def test_a_declined_card_is_not_stored():
    assert "details" not in World().send("store", card="4000000000000002")


# Magic amounts


CURRENCIES = ["JPY", "EUR", "KWD", "CLF"]
APPROVING = {"00", "08", "11", "16"}


def expected(code):
    return f"approved {code}" if code in APPROVING else f"declined {code}"


@pytest.mark.parametrize("code", CURRENCIES)
@pytest.mark.parametrize("verb", ["purchase", "authorize", "credit"])
def test_every_magic_amount_gives_its_code_whatever_the_exponent(code, verb):
    world = World()
    for n in range(100):
        answer = world.send(verb, 4200 + n, code, payment=f"P{n}")
        assert said(answer) == expected(f"{n:02d}")
        assert ("authorization" in answer) == (f"{n:02d}" in APPROVING)


@pytest.mark.parametrize("code", CURRENCIES)
def test_every_magic_amount_gives_its_code_to_what_continues_a_payment(code):
    world = World()
    for n in range(100):
        world.send("authorize", 10_000, code, payment=f"A{n}")
        answer = world.send("increment", 4200 + n, code, payment=f"A{n}")
        assert said(answer) == expected(f"{n:02d}")
        world.send("authorize", 10_000, code, payment=f"C{n}")
        answer = world.send("capture", 4200 + n, code, payment=f"C{n}")
        assert said(answer) == expected(f"{n:02d}")
        world.send("purchase", 10_000, code, payment=f"B{n}")
        answer = world.send("refund", 4200 + n, code, payment=f"B{n}")
        assert said(answer) == expected(f"{n:02d}")


def test_a_magic_amount_does_not_disturb_a_void():
    world = World()
    world.send("authorize", 2100)
    world.send("increment", 2105)
    assert said(world.send("void", 4205, target="P.1")) == "approved 00"


@pytest.mark.parametrize("amount", [1, 42, 4199, 4300, 420_005])
def test_other_amounts_are_not_magic(amount):
    assert said(World().send("purchase", amount)) == "approved 00"


def test_the_amount_decides_before_the_card():
    assert said(World().send("purchase", 4251, card=VISA)) == "declined 51"
    assert said(World().send("purchase", 4200, card="4000000000000002")) == "approved 00"


@pytest.mark.parametrize("code", ["60", "65", "70"])
@pytest.mark.parametrize("verified", ["offline_pin", "device"])
def test_a_verified_holder_needs_no_further_verification(code, verified):
    world = World()
    amount = 4200 + int(code)
    assert said(world.send("purchase", amount, payment="A")) == f"declined {code}"
    assert said(world.send("purchase", amount, payment="B", verified=verified)) == "approved 00"


@pytest.mark.parametrize("verified", ["signature", "none", "online_pin", "yes"])
def test_a_signature_or_a_claim_verifies_nobody(verified):
    assert said(World().send("purchase", 4265, verified=verified)) == "declined 65"


def test_a_verified_holder_does_not_change_other_codes():
    assert said(World().send("purchase", 4255, verified="device")) == "declined 55"


def test_a_part_is_approved_only_where_one_was_asked_for():
    world = World()
    whole = world.send("purchase", 4210, payment="A")
    assert said(whole) == "declined 10"
    assert "amount_minor" not in whole
    part = world.send("purchase", 4210, payment="B", partial_ok=True)
    assert said(part) == "approved 10"
    assert part["amount_minor"] == 2105
    held = world.send("authorize", 4210, payment="C", partial_ok=True)
    assert held["amount_minor"] == 2105
    assert world.balance() == (2105, 2105)
    assert world.balance() == (2105, 2105)


def test_there_is_no_part_of_nothing():
    world = World()
    world.send("purchase", 100_000, payment="A", card="4000056655665556")
    nothing = world.send("purchase", 4210, payment="B", card="4000056655665556", partial_ok=True)
    assert said(nothing) == "declined 51"


@pytest.mark.parametrize(
    ("first", "verb"),
    [
        ("authorize", "increment"),
        ("authorize", "capture"),
        ("purchase", "refund"),
        ("purchase", "credit"),
    ],
)
def test_only_what_opens_with_a_card_is_approved_in_part(first, verb):
    world = World()
    world.send(first, 10_000)
    before = world.balance()
    assert said(world.send(verb, 4210, partial_ok=True)) == "declined 10"
    assert world.balance() == before


# Codes that a request asks for


@pytest.mark.parametrize("code", [*sorted(codes.TEXTS), "ZZ", "77"])
def test_a_request_is_answered_with_the_code_it_asks_for(code):
    world = World()
    world.send("authorize", 10_000)
    for verb, more in (
        ("increment", {}),
        ("void", {"target": "P.2" if code in APPROVING else "P.1"}),
        ("capture", {}),
        ("refund", {}),
        ("purchase", {"payment": "A"}),
        ("purchase", {"payment": "B", "card": "4000000000000002"}),
        ("credit", {"payment": "C", "card": "4000000000005126"}),
        ("verify", {"payment": "D"}),
        ("store", {"payment": "E"}),
    ):
        amount = 0 if verb in ("verify", "store") else 100
        answer = world.send(verb, amount, **more, forced=code)
        assert said(answer) == expected(code), verb
        assert ("authorization" in answer) == (code in APPROVING and amount > 0)


def test_the_code_a_request_asks_for_comes_before_amount_and_card():
    world = World()
    answer = world.send("purchase", 4205, card="4000000000009987", forced="51")
    assert said(answer) == "declined 51"
    assert said(world.send("purchase", 4205, payment="Q", forced="00")) == "approved 00"
    world.send("purchase", 100, payment="R", card="4000000000005126")
    assert said(world.send("refund", 100, payment="R", forced="00")) == "approved 00"


def test_an_approving_code_lifts_no_rule_of_the_book():
    world = World()
    debit = {"card": "4000056655665556", "forced": "11"}
    assert said(world.send("purchase", 100_001, payment="A", **debit)) == "declined 51"
    assert said(world.send("purchase", 100_000, payment="B", **debit)) == "approved 11"
    assert said(world.send("refund", 100_001, payment="B", forced="00")) == "declined 61"
    assert said(world.send("capture", 1, payment="B", forced="08")) == "declined 12"
    assert said(world.send("purchase", 1, payment="C", card="1", forced="00")) == "declined 14"
    part = world.send("purchase", 101, payment="D", partial_ok=True, forced="10")
    assert (said(part), part["amount_minor"]) == ("approved 10", 50)
    assert balanced(world.book)


@pytest.mark.parametrize("code", ["60", "65", "70", "1A"])
def test_a_verified_holder_satisfies_also_a_code_that_was_asked_for(code):
    world = World()
    assert said(world.send("purchase", 100, payment="A", forced=code)) == f"declined {code}"
    for number, more in enumerate(({"verified": "device"}, {"pin": "1234"})):
        answer = world.send("purchase", 100, payment=f"B{number}", forced=code, **more)
        assert said(answer) == "approved 00"
    wrong = world.send("purchase", 100, payment="C", forced=code, pin="1")
    assert said(wrong) == "declined 55"


def test_a_declining_code_that_was_asked_for_looks_at_no_pin():
    world = World()
    assert said(world.send("purchase", 100, forced="55", pin="1234")) == "declined 55"
    assert said(world.send("purchase", 100, payment="Q", forced="05", pin="1")) == "declined 05"
    assert world.book.wrong_pins() == {}


@pytest.mark.parametrize(
    ("code", "more", "end"),
    [
        ("05", {}, "declined 05"),
        ("08", {}, "approved 08"),
        ("65", {}, "declined 65"),
        ("65", {"pin": "1234"}, "approved 00"),
        ("65", {"verified": "offline_pin"}, "approved 00"),
    ],
)
def test_what_is_pending_is_decided_with_the_code_it_asks_for(code, more, end):
    world = World()
    assert world.pend(world.order("purchase", 100, forced=code, **more), 5)["status"] == "pending"
    world.clock.advance(5)
    assert said(world.ask("P.1")) == end


@pytest.mark.parametrize("code", ["5", "005", "5a", "0\n", "05\n", "٠٥", 5, None])
def test_what_is_no_code_is_refused(code):
    answer = World().send("purchase", 100, forced=code)
    assert (answer["http"], answer["code"]) == (400, "30")


def test_identification_is_asked_for_with_code_08():
    assert World().send("purchase", 4208)["details"] == {"action": "identification"}


@pytest.mark.parametrize("code", sorted({f"{n:02d}" for n in range(100)}))
def test_every_code_has_a_text(code):
    assert codes.text(code)
    assert (codes.magic(4200 + int(code)), codes.magic(4199)) == (code, None)
