"""What a producer answers, whatever it is asked."""

import json
from dataclasses import replace

import pytest

from tests.faces.within.shop import CLIENT, CLIENT_KEY, PRICES, SERVER, WATER, Shop, client_token
from tollbridge.faces.within.events import (
    DeliveryBegun,
    DeliveryEnded,
    Failed,
    PaymentEnded,
    PaymentStarted,
    PricesAsked,
    Refunded,
    ServicesDiscovered,
    TotalAsked,
)
from tollbridge.faces.within.orders import Order
from tollbridge.faces.within.producer import Metered, Sweep, Terms
from tollbridge.faces.within.tokens import key_of
from tollbridge.ground.secret import Secret
from tollbridge.sandbox.faults import Fault, Rule
from tollbridge.testing.world import World
from tollbridge.wire.http import Request

WEEK_S = 7 * 24 * 3600
REFUNDING = Terms(server_id=SERVER, merchant_client_key=CLIENT_KEY, refund_on_expiry=True)
QUICK = replace(REFUNDING, session_limit_s=60)


@pytest.fixture
def shop():
    return Shop()


def trouble(world, fault, **more):
    world.faults.rules.append(Rule(fault, **more))


def taken(world):
    return sum(movement.taken_minor for movement in world.movements)


# Discover


@pytest.mark.req("W-025", "W-030", "W-031", "W-032", "W-033", "W-034", "W-035", "W-039")
def test_it_lists_every_service_it_can_provide(shop):
    shop.services = (WATER, replace(WATER, service_id=4, name="Pool", service_type="pool"))
    shop.restart()
    status, answer = shop.get("/service/discover")
    assert status == 200
    assert answer["serverID"] == SERVER
    assert [(one["ServiceID"], one["ServiceName"]) for one in answer["services"]] == [
        (3, "Garden Watering"), (4, "Pool"),
    ]  # fmt: skip


@pytest.mark.req("W-237", "W-238", "WX-027")
def test_services_come_and_go_while_it_is_open(shop):
    shop.face.catalogue.remove(3)
    assert shop.get("/service/discover")[1]["services"] is None
    shop.face.catalogue.add(WATER)
    assert shop.get("/service/discover")[1]["services"][0]["ServiceID"] == 3


@pytest.mark.req("W-041", "W-042", "W-046", "W-047", "W-048", "W-049", "W-050", "W-051", "W-052",
                 "W-053", "W-054", "W-055", "W-056", "W-057", "W-058", "W-073",
                 "W-074")  # fmt: skip
def test_it_lists_the_prices_of_a_service_each_for_one_unit(shop):
    status, answer = shop.get("/service/3/prices")
    assert status == 200
    assert answer["serverID"] == SERVER
    assert answer["prices"][1] == {
        "priceID": 2, "priceDescription": "Evening rate",
        "pricePerUnit": {"amount": 325, "currencyCode": "GBP"},
        "unitID": 1, "unitDescription": "100 litres", "serviceID": 3,
    }  # fmt: skip


@pytest.mark.req("W-048", "WX-028")
def test_prices_change_while_it_is_open(shop):
    shop.face.catalogue.replace(replace(WATER, prices={1: PRICES[1]}))
    assert len(shop.get("/service/3/prices")[1]["prices"]) == 1
    shop.face.catalogue.replace(replace(WATER, prices={}))
    assert shop.get("/service/3/prices")[1]["prices"] is None


# Select


@pytest.mark.req("W-021", "W-026", "W-040", "W-043", "W-044", "W-059", "W-060", "W-061", "W-062",
                 "W-063", "W-064", "W-065", "W-066", "W-067", "W-068", "W-069", "W-070", "W-071",
                 "W-072", "W-075", "W-076", "W-089")  # fmt: skip
def test_a_selection_is_answered_with_what_it_comes_to(shop):
    status, total = shop.total(units=6, price=2)
    reference = total.pop("paymentReferenceID")
    assert (status, total) == (200, {
        "serverID": SERVER, "clientID": CLIENT, "priceID": 2, "unitsToSupply": 6,
        "totalPrice": 1950, "currencyCode": "GBP", "merchantClientKey": CLIENT_KEY,
    })  # fmt: skip
    assert len(reference) == 36


@pytest.mark.req("W-080")
def test_every_selection_has_a_payment_reference_of_its_own(shop):
    assert len({shop.total()[1]["paymentReferenceID"] for _ in range(20)}) == 20


@pytest.mark.req("W-077", "W-078", "W-079")
def test_it_offers_fewer_units_at_the_right_total_when_it_has_no_more(shop):
    shop.services = (replace(WATER, supply=lambda price, units: 4),)
    shop.restart()
    status, total = shop.total(units=6)
    assert (status, total["unitsToSupply"], total["totalPrice"]) == (200, 4, 1300)
    assert total["paymentReferenceID"]
    assert total["merchantClientKey"] == CLIENT_KEY
    assert shop.pay(total["paymentReferenceID"])[1]["totalPaid"] == 1300


@pytest.mark.req("W-077")
def test_it_sells_nothing_it_cannot_supply(shop):
    shop.services = (replace(WATER, supply=lambda price, units: 0),)
    shop.restart()
    assert shop.total() == (409, _no(409, "Service can not be supplied at this time", 8))


@pytest.mark.parametrize("units", [0, -1, -(2**31)])
def test_it_sells_no_fewer_than_one_unit(shop, units):
    assert shop.total(units=units) == (400, _no(400, "Number of units must be at least 1", 6))


@pytest.mark.parametrize("units", [2**31, 2**31 // 325 + 1, 10**17])
def test_a_total_beyond_31_bits_is_refused(shop, units):
    assert shop.total(units=units) == (400, _no(400, "Total price is above 2147483647", 7))


def test_a_client_without_a_name_is_refused(shop):
    assert shop.total(client="") == (400, _no(400, "clientID is empty", 5))


# Pay


@pytest.mark.req("W-014", "W-022", "W-045", "W-086", "W-087", "W-122", "W-123", "W-124", "W-125",
                 "W-126", "W-134", "W-135", "W-142", "W-178", "W-179", "W-180", "W-181", "W-182",
                 "W-183", "W-184", "W-186")  # fmt: skip
def test_a_payment_is_made_and_answered_with_a_token(shop):
    reference = shop.total()[1]["paymentReferenceID"]
    status, paid = shop.pay(reference)
    assert status == 200
    assert (paid["serverID"], paid["clientID"], paid["totalPaid"]) == (SERVER, CLIENT, 1950)
    token = paid["serviceDeliveryToken"]
    assert set(token) == {"key", "issued", "expiry", "refundOnExpiry", "signature"}
    assert token["issued"] == "2026-03-01T09:00:00Z"
    assert token["expiry"] == "2026-03-08T09:00:00Z"
    assert taken(shop.world) == 1950


@pytest.mark.req("W-185", "WX-013")
def test_a_token_cannot_be_guessed_from_what_others_know(shop):
    reference = shop.total()[1]["paymentReferenceID"]
    key = shop.pay(reference)[1]["serviceDeliveryToken"]["key"]
    assert len(key) == 40
    assert reference not in key
    status, answer = shop.begin({"key": reference, "issued": "2026-03-01T09:00:00Z",
                                 "expiry": "2026-03-08T09:00:00Z"}, 1)  # fmt: skip
    assert (status, answer["errorCode"]) == (400, 15)


@pytest.mark.req("W-149", "W-150", "W-176", "WX-015")
def test_the_provider_gets_the_description_the_originals_give(shop):
    shop.bought(6)
    request = shop.world.payments[0].operations[0].request
    assert request.details["description"] == "Garden Watering - 6 units @ GBP 3.25 per unit."
    assert request.reference == request.key.value.partition("#")[0]


@pytest.mark.req("W-018", "W-143")
def test_a_payment_repeated_is_answered_the_same_and_charged_once(shop):
    reference = shop.total()[1]["paymentReferenceID"]
    first = shop.pay(reference)
    shop.world.clock.advance(60)
    assert shop.pay(reference) == first
    shop.restart()
    assert shop.pay(reference) == first
    assert taken(shop.world) == 1950


@pytest.mark.req("WX-018")
def test_a_payment_sent_many_times_at_once_is_charged_once(shop):
    reference = shop.total()[1]["paymentReferenceID"]
    body = json.dumps({"clientID": CLIENT, "clientToken": shop.token,
                       "paymentReferenceID": reference}).encode()  # fmt: skip
    answers = shop.together(*[Request("POST", "/payment", body=body) for _ in range(8)])
    assert {status for status, _ in answers} == {200}
    assert len({answer["serviceDeliveryToken"]["key"] for _, answer in answers}) == 1
    assert taken(shop.world) == 1950


@pytest.mark.req("WX-018")
def test_two_client_tokens_at_once_are_not_both_charged(shop):
    reference = shop.total()[1]["paymentReferenceID"]
    other = client_token(shop.world, "mastercard")
    bodies = [json.dumps({"clientID": CLIENT, "clientToken": token,
                          "paymentReferenceID": reference}).encode()
              for token in (shop.token, other)]  # fmt: skip
    answers = shop.together(*[Request("POST", "/payment", body=body) for body in bodies])
    assert sorted(status for status, _ in answers) == [200, 409]
    assert taken(shop.world) == 1950
    assert shop.pay(reference, other)[0] in (200, 409)
    assert taken(shop.world) == 1950


def test_an_unknown_payment_reference_is_a_404_with_an_object(shop):
    assert shop.pay("nobody knows") == (
        404, _no(404, "Unable to find order for payment ref nobody knows", 9))  # fmt: skip


def test_another_clients_order_cannot_be_paid(shop):
    reference = shop.total()[1]["paymentReferenceID"]
    assert shop.pay(reference, client="somebody else") == (
        400, _no(400, "Client ID does not match Order Client ID", 10))  # fmt: skip
    assert taken(shop.world) == 0


def test_without_a_client_token_nothing_is_paid(shop):
    reference = shop.total()[1]["paymentReferenceID"]
    wanted = {"clientID": CLIENT, "paymentReferenceID": reference}
    assert shop.post("/payment", wanted) == (
        500, _no(500, "Unable to process payment with gateway at this time", 11))  # fmt: skip
    assert taken(shop.world) == 0


@pytest.mark.req("W-178")
def test_a_refused_payment_gives_no_token_and_another_token_may_be_tried(shop):
    reference = shop.total()[1]["paymentReferenceID"]
    status, answer = shop.pay(reference, "no such token")
    assert (status, answer) == (
        500, _no(500, "Unable to process payment with gateway at this time", 13))  # fmt: skip
    assert shop.pay(reference)[0] == 200
    assert taken(shop.world) == 1950


def test_a_quote_is_honoured_for_a_while_only(shop):
    reference = shop.total()[1]["paymentReferenceID"]
    shop.world.clock.advance(15 * 60 + 1)
    assert shop.pay(reference)[0] == 404


def test_quotes_are_bounded(shop):
    shop.terms = Terms(server_id=SERVER, merchant_client_key=CLIENT_KEY, quotes_max=3)
    shop.restart()
    references = [shop.total()[1]["paymentReferenceID"] for _ in range(4)]
    assert [shop.pay(reference)[0] for reference in references] == [404, 200, 200, 200]


def test_the_price_of_the_quote_counts_when_the_price_changes_before_the_payment(shop):
    reference = shop.total(units=6, price=2)[1]["paymentReferenceID"]
    dearer = {2: replace(PRICES[2], per_unit=replace(PRICES[2].per_unit, amount_minor=9999))}
    shop.face.catalogue.replace(replace(WATER, prices=dearer))
    assert shop.pay(reference)[1]["totalPaid"] == 1950
    shop.face.catalogue.remove(3)
    assert shop.pay(reference)[1]["totalPaid"] == 1950


@pytest.mark.parametrize("fault", [Fault.LOSE_ANSWER, Fault.GARBAGE, Fault.DROP])
@pytest.mark.req("WX-018")
def test_an_unknown_outcome_is_said_and_learned_later_and_charged_at_most_once(shop, fault):
    trouble(shop.world, fault)
    reference = shop.total()[1]["paymentReferenceID"]
    status, answer = shop.pay(reference)
    assert (status, answer["errorCode"]) == (503, 14)
    assert shop.pay(reference)[0] == 503
    shop.world.recover()
    assert shop.pay(reference)[0] == 200
    assert taken(shop.world) == 1950
    assert shop.world.differences() == []


def test_a_provider_that_cannot_be_reached_leaves_the_order_to_be_paid(shop):
    trouble(shop.world, Fault.REFUSE)
    reference = shop.total()[1]["paymentReferenceID"]
    assert shop.pay(reference)[0] == 500
    assert shop.pay(reference)[0] == 200
    assert taken(shop.world) == 1950


def test_another_token_is_refused_while_the_first_payment_is_unknown(shop):
    trouble(shop.world, Fault.LOSE_ANSWER)
    reference = shop.total()[1]["paymentReferenceID"]
    other = client_token(shop.world, "mastercard")
    assert shop.pay(reference)[0] == 503
    assert shop.pay(reference, other)[0] == 409
    shop.world.recover()
    assert shop.pay(reference, other)[0] == 409
    assert shop.pay(reference)[0] == 200
    assert taken(shop.world) == 1950


def test_what_is_remembered_of_an_order_never_hides_what_became_of_it(shop):
    trouble(shop.world, Fault.REFUSE)
    reference = shop.total()[1]["paymentReferenceID"]
    assert shop.pay(reference)[0] == 500
    [(page, before)] = shop.face._orders.items()
    token = shop.pay(reference)[1]["serviceDeliveryToken"]
    shop.begin(token, 4)
    now = shop.face._orders[page]
    shop.face._keep(page, *before)
    assert shop.face._orders[page] == now
    shop.face._orders[page] = before
    assert shop.pay(reference, client_token(shop.world, "mastercard"))[0] == 409
    assert shop.end(token, 4)[1]["unitsRemaining"] == 2
    assert taken(shop.world) == 1950


def test_nothing_secret_is_written(shop):
    token = shop.bought()
    pages = shop.world.journal.browse("within", "")
    text = b"".join(page.value for _, page in pages)
    text += b"".join(row.body for row in shop.world.journal.entries())
    for secret in (shop.token, token["key"], token["signature"]):
        assert secret.encode() not in text
    assert token["key"] not in repr(shop.told)
    assert shop.token not in repr(shop.told)


# Release


@pytest.mark.req("W-015", "W-017", "W-023", "W-188", "W-189", "W-195", "W-196", "W-197", "W-198",
                 "W-199", "W-200", "W-201", "W-202", "W-203", "W-204", "W-205", "W-207", "W-208",
                 "W-209", "W-210", "W-211", "W-212", "W-213", "W-214", "W-215", "W-216", "W-217",
                 "W-220", "W-221", "W-222")  # fmt: skip
def test_everything_can_be_supplied_at_once(shop):
    token = shop.bought(6)
    assert shop.begin(token, 6) == (200, {
        "serverID": SERVER, "clientID": CLIENT, "serviceDeliveryToken": token, "unitsToSupply": 6,
    })  # fmt: skip
    assert shop.end(token, 6) == (200, {
        "serverID": SERVER, "clientID": CLIENT, "serviceDeliveryToken": token,
        "unitsJustSupplied": 6, "unitsRemaining": 0,
    })  # fmt: skip


@pytest.mark.req("W-016", "W-190", "W-191", "W-192", "W-193", "W-206", "W-218", "W-219", "WX-012",
                 "WX-031")  # fmt: skip
def test_it_can_be_supplied_in_parts_until_nothing_is_left(shop):
    token = shop.bought(6)
    assert shop.begin(token, 4)[1]["unitsToSupply"] == 4
    assert shop.end(token, 4)[1]["unitsRemaining"] == 2
    assert shop.begin(token, 5)[1]["unitsToSupply"] == 2
    assert shop.end(token, 2)[1]["unitsRemaining"] == 0
    assert shop.begin(token, 1)[1]["unitsToSupply"] == 0
    assert shop.end(token, 1)[1]["unitsJustSupplied"] == 0


@pytest.mark.req("WX-018")
def test_what_was_sold_is_supplied_by_a_producer_that_started_again(shop):
    token = shop.bought(6)
    shop.begin(token, 4)
    shop.restart()
    assert shop.end(token, 4)[1]["unitsRemaining"] == 2
    shop.restart()
    assert shop.begin(token, 9)[1]["unitsToSupply"] == 2


@pytest.mark.req("WX-018")
def test_two_deliveries_at_once_never_take_the_same_unit(shop):
    token = shop.bought(10)
    body = json.dumps({"clientID": CLIENT, "serviceDeliveryToken": token,
                       "unitsToSupply": 3}).encode()  # fmt: skip
    begin = Request("POST", "/service/3/delivery/begin", body=body)
    answers = shop.together(*[begin for _ in range(6)])
    assert sorted(answer["unitsToSupply"] for _, answer in answers) == [0, 0, 1, 3, 3, 3]


def test_the_consumers_number_counts_between_nothing_and_what_was_granted(shop):
    token = shop.bought(6)
    shop.begin(token, 4)
    assert shop.end(token, 2**31)[1]["unitsJustSupplied"] == 4
    shop.begin(token, 2)
    assert shop.end(token, -7)[1] | {"serviceDeliveryToken": 0} == {
        "serverID": SERVER, "clientID": CLIENT, "serviceDeliveryToken": 0,
        "unitsJustSupplied": 0, "unitsRemaining": 2,
    }  # fmt: skip


def test_what_the_meter_says_is_the_least_that_counts(shop):
    token = shop.bought(6)
    shop.begin(token, 4)
    shop.tell(Metered(Secret(token["key"]), 3))
    shop.tell(Metered(Secret(token["key"]), 1))
    assert shop.end(token, 0)[1]["unitsJustSupplied"] == 3


def test_an_end_repeated_changes_nothing(shop):
    token = shop.bought(6)
    shop.begin(token, 4)
    shop.end(token, 4)
    status, answer = shop.end(token, 4)
    assert (status, answer["unitsJustSupplied"], answer["unitsRemaining"]) == (200, 0, 2)


def test_a_delivery_that_never_ends_counts_as_supplied_after_its_limit():
    shop = Shop(terms=QUICK)
    token = shop.bought(6)
    shop.begin(token, 4)
    shop.world.clock.advance(61)
    assert shop.begin(token, 6)[1]["unitsToSupply"] == 2
    assert shop.end(token, 2)[1]["unitsRemaining"] == 0


def test_a_delivery_that_never_ends_counts_as_far_as_the_meter_says():
    shop = Shop(terms=QUICK)
    token = shop.bought(6)
    shop.begin(token, 4)
    shop.tell(Metered(Secret(token["key"]), 1))
    shop.world.clock.advance(61)
    assert shop.begin(token, 6)[1]["unitsToSupply"] == 5


@pytest.mark.parametrize("units", [0, -1, -(2**31)])
def test_no_delivery_begins_without_units(shop, units):
    assert shop.begin(shop.bought(), units)[1]["errorCode"] == 6


def test_another_client_gets_nothing_for_somebodys_token(shop):
    token = shop.bought()
    shop.begin(token, 2)
    assert shop.begin(token, 1, client="thief")[1]["errorCode"] == 10
    assert shop.end(token, 0, client="thief")[1]["errorCode"] == 10


def test_a_token_is_good_for_its_service_only(shop):
    shop.face.catalogue.add(replace(WATER, service_id=4))
    token = shop.bought()
    assert shop.begin(token, 1, service=4) == (
        404, _no(404, "Could not deliver service. Please contact service provider.", 17)
    )  # fmt: skip
    assert shop.end(token, 1, service=4)[0] == 404


def test_a_service_that_is_gone_is_not_supplied(shop):
    token = shop.bought()
    shop.face.catalogue.remove(3)
    assert shop.begin(token, 1)[1]["message"] == "Service not found for id 3"


def test_the_producers_own_expiry_counts_not_the_consumers(shop):
    token = shop.bought()
    shop.world.clock.advance(WEEK_S)
    forged = token | {"expiry": "2999-01-01T00:00:00Z"}
    assert shop.begin(forged, 1) == (400, _no(400, "ServiceDeliveryToken has expired", 16))


def test_a_token_degraded_by_an_agent_is_as_good(shop):
    token = shop.bought()
    degraded = token | {"signature": "", "refundOnExpiry": True}
    assert shop.begin(degraded, 1)[1]["serviceDeliveryToken"] == degraded


def test_a_payment_that_failed_entitles_to_nothing(shop):
    reference = shop.total()[1]["paymentReferenceID"]
    shop.pay(reference, "no such token")
    unpaid = {
        "key": key_of(shop.face._secret, reference).reveal(),
        "issued": "2026-03-01T09:00:00Z",
        "expiry": "2026-03-08T09:00:00Z",
    }
    assert shop.begin(unpaid, 1)[1]["errorCode"] == 15
    assert shop.end(unpaid, 1)[1]["errorCode"] == 18


# Time


@pytest.mark.req("WX-014")
def test_what_was_not_supplied_is_refunded_once_at_expiry():
    shop = Shop(terms=REFUNDING)
    token = shop.bought(6)
    assert token["refundOnExpiry"]
    shop.begin(token, 4)
    shop.end(token, 4)
    shop.world.clock.advance(WEEK_S)
    for _ in range(3):
        shop.tell(Sweep())
        shop.restart()
    assert taken(shop.world) == 4 * 325
    assert shop.world.differences() == []
    assert shop.begin(token, 1)[1]["errorCode"] == 16
    [refunded] = [event for event in shop.told if isinstance(event, Refunded)]
    assert refunded.amount_minor == 2 * 325


@pytest.mark.req("WX-014")
def test_a_refund_whose_answer_is_lost_is_learned_and_made_once():
    shop = Shop(terms=REFUNDING)
    shop.bought(6)
    shop.world.clock.advance(WEEK_S)
    trouble(shop.world, Fault.LOSE_ANSWER)
    shop.tell(Sweep())
    shop.restart()
    shop.world.recover()
    shop.tell(Sweep())
    assert taken(shop.world) == 0
    assert shop.world.differences() == []


@pytest.mark.req("WX-014")
def test_a_refund_that_could_not_be_sent_is_tried_again():
    shop = Shop(terms=REFUNDING)
    shop.bought(6)
    shop.world.clock.advance(WEEK_S)
    trouble(shop.world, Fault.REFUSE)
    shop.tell(Sweep())
    assert taken(shop.world) == 1950
    shop.tell(Sweep())
    assert taken(shop.world) == 0


def test_without_the_promise_nothing_is_refunded(shop):
    shop.bought(6)
    shop.world.clock.advance(WEEK_S)
    shop.tell(Sweep())
    assert taken(shop.world) == 1950


def test_a_session_open_at_expiry_counts_as_supplied():
    shop = Shop(terms=REFUNDING)
    token = shop.bought(6)
    shop.begin(token, 5)
    shop.world.clock.advance(WEEK_S)
    shop.tell(Sweep())
    assert taken(shop.world) == 5 * 325


def test_a_payment_that_a_crash_cut_off_from_its_order_is_found_by_the_sweep():
    shop = Shop(terms=REFUNDING)
    trouble(shop.world, Fault.LOSE_ANSWER)
    reference = shop.total()[1]["paymentReferenceID"]
    shop.pay(reference)
    shop.restart()
    shop.world.recover()
    shop.tell(Sweep())
    shop.world.clock.advance(WEEK_S + 1)
    shop.tell(Sweep())
    assert taken(shop.world) == 0


def test_orders_are_forgotten_long_after_they_are_over(shop):
    shop.bought()
    shop.tell(Sweep())
    shop.world.clock.advance(WEEK_S)
    shop.tell(Sweep())
    assert shop.world.journal.browse("within", "order/")
    shop.world.clock.advance(30 * 24 * 3600)
    shop.tell(Sweep())
    assert shop.world.journal.browse("within", "order/") == []


# Events


@pytest.mark.req("WX-036", "WX-037", "WX-038", "WX-039", "WX-040", "WX-041", "WX-043")
def test_a_plain_purchase_tells_the_six_events_in_order(shop):
    shop.get("/service/discover")
    shop.get("/service/3/prices")
    token = shop.bought(6)
    shop.begin(token, 9)
    shop.end(token, 9)
    told = [event for event in shop.told if not isinstance(event, PaymentEnded)]
    assert [type(event) for event in told] == [
        ServicesDiscovered, PricesAsked, TotalAsked, PaymentStarted, DeliveryBegun, DeliveryEnded,
    ]  # fmt: skip
    assert told[0].peer == "192.168.40.52:40912"
    assert told[4].units == 6
    assert told[5].units == 6


def test_prices_of_a_service_that_is_not_there_are_told_as_well(shop):
    assert shop.get("/service/9/prices") == (404, _no(404, "Service not found for id 9", 3))
    assert shop.told == [PricesAsked("192.168.40.52:40912", 9)]


@pytest.mark.req("WX-042")
def test_what_a_person_should_hear_of_is_told(shop):
    shop.services = (replace(WATER, prices={1: replace(PRICES[1], per_unit=replace(
        PRICES[1].per_unit, currency_code="DEM"))}),)  # fmt: skip
    shop.restart()
    reference = shop.total(price=1)[1]["paymentReferenceID"]
    assert shop.pay(reference)[0] == 500
    assert any(isinstance(event, Failed) for event in shop.told)


# Nonsense


@pytest.mark.parametrize("path", ["/service/{}/prices"])
@pytest.mark.parametrize("number", ["abc", "", "3.0", "0x3", "٣", "3 "])
@pytest.mark.req("WX-010")
def test_a_service_id_that_is_none_is_refused(shop, path, number):
    assert shop.get(path.format(number)) == (
        400, _no(400, "Unable to parse input service id", 1))  # fmt: skip


@pytest.mark.parametrize("number", ["+3", "003"])
def test_a_sign_and_leading_zeros_are_read(shop, number):
    assert shop.get(f"/service/{number}/prices")[0] == 200


@pytest.mark.parametrize("body", [b"", b"{nope", b"[]", b"1", b'"text"', b'{"clientID": 7}',
                                  b'{"selectedNumberOfUnits": 1.0}', b"{} {}",
                                  b'{"selectedPriceID": true}', b"\xff"])  # fmt: skip
@pytest.mark.req("WX-010", "WX-011")
def test_a_body_that_cannot_be_read_is_422(shop, body):
    for url in ("/service/3/requestTotal",):
        assert shop.post(url, body) == (422, _no(422, "Unable to parse POST body", 2))


@pytest.mark.parametrize("token", [{"key": "k", "expiry": "2099-01-01T00:00:00"},
                                   {"key": "k", "issued": ""}, {"key": "k", "signature": "***"},
                                   {"key": 7}, 7])  # fmt: skip
@pytest.mark.req("WX-010")
def test_a_token_that_cannot_be_read_is_422(shop, token):
    assert shop.begin(token, 1)[0] == 422
    assert shop.end(token, 1)[0] == 422


@pytest.mark.req("WX-011")
def test_keys_are_read_without_case_and_unknown_ones_ignored(shop):
    status, total = shop.post("/service/3/requestTotal", {
        "CLIENTID": CLIENT, "SelectedNumberOfUnits": 2, "selectedpriceid": 1, "more": [1, {}],
    })  # fmt: skip
    assert (status, total["totalPrice"]) == (200, 820)


def test_null_is_an_empty_message(shop):
    assert shop.post("/service/3/requestTotal", b"null")[0] == 404
    assert shop.begin(None, 1)[1]["errorCode"] == 15


def test_an_order_survives_the_notebook(shop):
    token = shop.bought(6)
    shop.begin(token, 4)
    [(_, page)] = shop.world.journal.browse("within", "order/")
    assert Order.read(page.value).write() == page.value


def _no(status, message, number):
    return {"HTTPStatusCode": status, "message": message, "errorCode": number}


def test_the_worlds_books_agree_after_a_day_of_trade():
    world = World()
    shop = Shop(world)
    for units in range(1, 8):
        token = shop.bought(units)
        shop.begin(token, units)
        shop.end(token, units)
    assert world.differences() == []
    assert taken(world) == 325 * 28
