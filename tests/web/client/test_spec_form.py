"""The Webinos Payment API as its specification has it: discovery, callbacks, the example itself."""

from pathlib import Path

import pytest

from tests.web.client.bench import ADA, SEED, until

EXAMPLE = Path(__file__).with_name("seed_example.js")
URI = "http://webinos.org/api/payment"
BILL = {"productID": "S-1", "description": "Bill 1", "currency": "EUR", "itemPrice": "3.14"}


def called(shop, seller="Free", bill=BILL, customer=ADA, **more):
    given = {"seller": seller, "bill": bill, "customer": customer, **more}
    return shop.page.evaluate("given => called(given)", given)


def knows_codes(shop, provider):
    sent = [len(provider.codes())]
    shop.page.expose_function("code", lambda: provider.code(sent[0]))


@pytest.mark.req("N-010", "N-011", "N-012")
def test_services_are_found_with_everything_they_have(shop):
    found = shop.page.evaluate(
        """async () => {
          const [one] = await zoneOf("Free").services();
          const walked = [];
          const api = "http://webinos.org/api/payment/*";
          for await (const each of zoneOf("Free").services({ api })) walked.push(each.id);
          const names = ["state", "api", "id", "displayName", "description", "icon",
                         "serviceAddress", "bindService", "unbindService"];
          const kinds = names.map((name) => typeof one[name]);
          return { kinds, api: one.api, walked, id: one.id, global: typeof window.Payment };
        }"""
    )
    assert found["kinds"] == ["object", *["string"] * 6, "function", "function"]
    assert found["api"].startswith(URI)
    assert found["walked"] == [found["id"]]
    assert found["global"] == "undefined"


@pytest.mark.req("N-014", "N-016")
def test_finding_ends_in_a_service_or_an_error_and_can_be_cancelled(shop):
    def find(api=URI, *, cancel=False, timeout=5, seller="Free"):
        given = {"api": api, "cancel": cancel, "timeout": timeout, "seller": seller}
        return shop.page.evaluate("given => finding(given)", given)

    assert find() == ["found"]
    assert find("http://webinos.org/api/nothing") == ["NotFoundError"]
    assert find(cancel=True) == ["AbortError"]
    assert find(timeout=0.001) == ["TimeoutError"]
    assert find(seller="Nobody") == ["SecurityError"]
    shop.expected = ("401",)


@pytest.mark.req("N-015")
def test_a_bound_service_pays(shop):
    assert shop.page.evaluate(
        """async () => {
          const [one] = await zoneOf("Free").services();
          return await new Promise((done) => {
            let early = true;
            const onBind = (bound) => done(!early && bound === one && Boolean(bound.pay));
            one.bindService({ onBind });
            early = false;
          });
        }"""
    )


@pytest.mark.req("N-020", "N-021", "N-060", "N-062", "N-098")
def test_paid_with_callbacks(shop):
    calls = called(shop)
    assert [each[0] for each in calls] == ["returned", "success"]
    assert calls[0][1] is None
    assert len(calls[1]) == 2
    assert len(calls[1][1]) > 100


@pytest.mark.req("N-070", "N-071", "N-072", "N-078", "NX-041")
def test_challenged_with_callbacks_and_answered_by_the_third_argument(shop, provider):
    knows_codes(shop, provider)
    calls = called(shop, "Text", answer=True)
    assert calls[1] == ["challenge", "text", "string", 1]
    assert [each[0] for each in calls] == ["returned", "challenge", "success"]
    assert shop.dialog.count() == 0


@pytest.mark.req("N-063", "N-064", "N-065", "N-066")
def test_a_wrong_answer_is_another_challenge_and_then_an_error(shop):
    calls = called(shop, "Text", answer="wrong")
    assert [each[0] for each in calls] == ["returned", *["challenge"] * 3, "error"]
    error = calls[-1][1]
    assert error["code"] == "payment_authentication_failed"
    assert (error["retryPossible"], bool(error["message"])) == (False, True)


@pytest.mark.req("N-078")
def test_the_services_own_answer_challenge(shop, provider):
    knows_codes(shop, provider)
    given = {"seller": "Text", "bill": BILL, "customer": ADA}
    shop.page.evaluate("given => void called(given)", given)
    until(shop.page, "Boolean(window.calls?.some(([name]) => name === 'challenge'))")
    shop.page.evaluate("async () => service.answerChallenge(await code())")
    until(shop.page, "calls.some(([name]) => name === 'success')")
    with pytest.raises(Exception, match="no challenge to answer"):
        shop.page.evaluate("service.answerChallenge('1')")


@pytest.mark.req("N-075")
def test_a_url_challenge_may_be_shown_by_us(shop):
    shop.page.evaluate(
        """async (bill) => {
          const [service] = await zoneOf("Url").services();
          const challenged = (type, value, answer) => {
            asked.push([type, value]);
            answer.open();
          };
          service.pay((proof) => end("paid", { proof }), (fault) => end("failed", fault),
            challenged, [], bill, "carl@example.org", "Url");
        }""",
        BILL,
    )
    frame = shop.page.frame_locator("dialog iframe")
    frame.locator("#form").wait_for()
    shop.page.wait_for_timeout(450)
    frame.locator("#pay").click()
    assert shop.end()["what"] == "paid"
    [[kind, address]] = shop.page.evaluate("asked")
    assert kind == "url"
    assert address.startswith(shop.base)


@pytest.mark.req("N-075", "N-079")
def test_a_url_challenge_may_be_opened_as_the_example_does(shop):
    with shop.context.expect_page() as opened:
        shop.page.evaluate(
            """async (bill) => {
              const [service] = await zoneOf("Url").services();
              const challenged = (type, value) =>
                void window.open(value, "Confirm Payment", "width=300,height=200,scrollbars=yes");
              service.pay((proof) => end("paid", { proof }), (fault) => end("failed", fault),
                challenged, [], bill, "carl@example.org", "Url");
            }""",
            BILL,
        )
    opened.value.locator("#form").wait_for()
    shop.page.wait_for_timeout(450)
    opened.value.locator("#pay").click()
    assert shop.end()["what"] == "paid"
    assert shop.dialog.count() == 0


@pytest.mark.req("N-022", "N-023", "N-024", "N-030")
def test_callbacks_that_are_missing_are_type_errors_at_once(shop):
    names = shop.page.evaluate(
        """async (bill) => {
          const [service] = await zoneOf("Free").services();
          const no = () => {};
          const rest = [[], bill, null, "Free"];
          const tried = [[], [null, no, no, ...rest], [no, null, no, ...rest],
                         [no, no, null, ...rest], [no, no], ["x", no, no]];
          return tried.map((given) => {
            try {
              return String(service.pay(...given));
            } catch (fault) {
              return fault.name;
            }
          });
        }""",
        BILL,
    )
    assert names == ["TypeError"] * 6


@pytest.mark.req("N-025", "N-026", "N-036", "N-037", "N-039", "N-040", "N-053")
@pytest.mark.parametrize(
    "bill",
    [
        None,
        {},
        BILL | {"currency": None},
        BILL | {"itemPrice": "1e3"},
        BILL | {"itemPrice": "NaN"},
        BILL | {"itemPrice": "3.141"},
        BILL | {"itemCount": 2},
        BILL | {"itemsPrice": "3.15"},
        BILL | {"itemPrice": 0},
        BILL | {"description": "x" * 300_000},
    ],
    ids=lambda bill: str(bill)[:70],
)  # fmt: skip
def test_a_bill_that_cannot_be_paid_is_an_error_and_no_exception(shop, bill):
    calls = called(shop, bill=bill)
    assert [each[0] for each in calls] == ["returned", "error"]
    error = calls[1][1]
    assert (error["code"], error["retryPossible"]) == ("payment_charge_failed", False)
    assert error["message"]
    assert error["reason"] != "outcome_unknown", "what is refused is known"
    shop.expected = ("422", "400")


@pytest.mark.req("N-053", "N-099")
def test_numbers_are_amounts_only_as_they_are_written(shop, provider):
    reasons = shop.page.evaluate(
        """async (bill) => {
          const [service] = await zoneOf("Free").services();
          const told = [];
          const pay = (wish) => service.pay({ sellerID: "Free", ...wish })
            .catch((fault) => told.push(fault.reason));
          for (const itemPrice of [NaN, Infinity, -Infinity, 1e21, 1e-7]) {
            await pay({ bill: { ...bill, itemPrice } });
          }
          await pay({ bill, items: [null] });
          const loop = { ...bill };
          loop.self = loop;
          await pay({ bill: loop });
          return told;
        }""",
        BILL,
    )
    assert reasons == ["invalid_amount"] * 5 + ["invalid_item", "invalid_bill"]
    number = 0.1 + 0.2 - 0.1 + 8.7
    calls = called(shop, bill=BILL | {"itemPrice": round(number, 2)})
    _, told = provider.verify("Free", calls[1][1])
    assert told["amount"] == "8.90"


@pytest.mark.req("N-031", "N-032", "N-033", "N-034")
def test_the_item_list_informs_and_changes_nothing(shop, provider):
    items = [{"description": "A", "currency": "USD", "itemPrice": 100, "mine": "kept"}, {}]
    calls = called(shop, items=items)
    _, told = provider.verify("Free", calls[1][1])
    assert told["amount"] == "3.14"
    assert [each.get("description") for each in told["items"]] == ["A", None]


@pytest.mark.req("N-098")
def test_exceptions_of_the_app_are_reported_and_harmless(shop, provider):
    knows_codes(shop, provider)
    shop.page.evaluate(
        """async (bill) => {
          const [service] = await zoneOf("Text").services();
          service.pay((proof) => { end("paid", { proof }); throw new Error("mine: success"); },
            (fault) => end("failed", fault),
            (type, value, answer) => { code().then(answer); throw new Error("mine: challenge"); },
            [], bill, "ada@example.org", "Text");
        }""",
        BILL,
    )
    assert shop.end()["what"] == "paid"
    shop.page.wait_for_timeout(100)
    assert sorted(shop.complaints) == ["mine: challenge", "mine: success"]
    shop.expected = ("mine:",)


@pytest.mark.req("N-095")
def test_many_payments_at_once_never_mix_their_callbacks(shop, provider):
    ends = shop.page.evaluate(
        """async () => {
          const [service] = await zoneOf("Free").services();
          const one = (number) => new Promise((done) => {
            const itemPrice = `${number + 1}.01`;
            const bill = { productID: `M-${number}`, currency: "EUR", itemPrice };
            const end = (what) => done([number, String(what)]);
            service.pay(end, end, () => {}, null, bill, "ada@example.org", "Free");
          });
          return await Promise.all(Array.from({ length: 8 }, (_, number) => one(number)));
        }"""
    )
    for number, proof in ends:
        status, told = provider.verify("Free", proof)
        assert (status, told["bill"]["productID"]) == (200, f"M-{number}")


@pytest.mark.req("N-042")
def test_a_refund_is_a_negative_bill(shop, provider):
    paid = called(shop, bill=BILL | {"productID": "R-1", "itemPrice": 14.99})
    assert paid[1][0] == "success"
    back = called(shop, bill=BILL | {"productID": "R-2", "itemPrice": -14.99})
    _, told = provider.verify("Free", back[1][1])
    assert (told["kind"], told["status"], told["amount"]) == ("refund", "refunded", "-14.99")


# The example, as it is printed


def old_page(site, provider, path, *, after="", attributes="data-answer-challenge"):
    head = (f'<script src="{provider.base}/client/webinos.js" data-seller-key="'
            f'pk_test_shopname12345" {attributes}></script>')  # fmt: skip
    site.page(path, head, f'<script src="{path}.js"></script>')
    site.script(f"{path}.js", after)
    pay = "http://pay.localhost:*"
    sources = f"script-src 'self' {pay}; connect-src {pay}; img-src data:"
    site.policies[path] = f"default-src 'none'; {sources}"


FIND = """
webinos.discovery.findServices(new ServiceType("http://webinos.org/api/payment"), {
  onFound: function (service) {
    window.paymentService = service;
    console.assert(service instanceof WebinosService);
    var script = document.createElement("script");
    script.src = "/seed_example.js";
    document.body.appendChild(script);
  },
  onError: function (fault) { document.title = fault.name; }
});
"""


@pytest.mark.req("N-038", "N-071", "N-078", "NX-042")
def test_the_specifications_example_runs_as_it_is(window, site, provider):
    site.script("/seed_example.js", EXAMPLE.read_text())
    old_page(site, provider, "/old", after=FIND)
    sent = len(provider.codes())
    before = len(provider.moved(2596))
    page = window.new_page()
    alerts, prompts = [], []

    def spoken(dialog):
        if dialog.type == "prompt":
            prompts.append(dialog.message)
            dialog.accept(provider.code(sent))
        else:
            alerts.append(dialog.message)
            dialog.accept()

    page.on("dialog", spoken)
    complaints = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(f"{site.origin}/old")
    until(page, lambda: alerts)
    assert alerts == ["Payment handled successfully - payment was performed."]
    assert "25.96 EUR" in prompts[0]
    assert len(provider.moved(2596)) == before + 1
    assert complaints == []
    page.close()


@pytest.mark.req("N-024", "N-026")
def test_old_pages_may_pass_no_challenge_callback(window, site, provider):
    old_page(site, provider, "/mute", after=FIND.replace("/seed_example.js", "/mute_pay.js"))
    site.script("/mute_pay.js", f"""
      var bill = {{ description: "Bill 7", currency: "EUR", itemPrice: "5.51" }};
      paymentService.pay(function () {{ document.title = "paid"; }},
        function (e) {{ document.title = [e.code, e.retryPossible, typeof e.message].join(" "); }},
        null, null, bill, "{SEED}", "ShopName12345");
    """)  # fmt: skip
    page = window.new_page()
    page.goto(f"{site.origin}/mute")
    until(page, "document.title.startsWith('payment')")
    assert page.title() == "payment_authentication_failed false string"
    page.close()


def test_the_global_answer_is_only_there_when_it_is_wished(window, site, provider):
    old_page(site, provider, "/plain", attributes="")
    page = window.new_page()
    page.goto(f"{site.origin}/plain")
    until(page, "Boolean(window.webinos)")
    told = page.evaluate(
        "[typeof answerChallenge, typeof webinos.session.getPZPId(), typeof Payment]"
    )
    assert told == ["undefined", "string", "undefined"]
    page.close()


@pytest.fixture
def old(window, site, provider):
    """A page that has the client under its old name, and nothing else."""
    old_page(site, provider, "/bare")
    page = window.new_page()
    page.goto(f"{site.origin}/bare")
    yield page
    page.close()


LOOK = """async ([api, options]) => await new Promise((done) => {
  const heard = {
    onFound: (service) => done(service.api),
    onError: ({ name, code }) => done([name, code]),
  };
  const filter = { zoneId: ["tv"], cache: false };
  webinos.discovery.findServices(new ServiceType(api), heard, options ?? null, filter);
})"""


@pytest.mark.req("NX-014")
def test_the_class_that_was_registered_last_makes_the_services(old):
    told = old.evaluate(
        """async ([api, bill, customer]) => {
          class Mine {
            constructor(service) { this.service = service; }
            pay(...given) { return this.service.pay(...given); }
          }
          _webinos.registerServiceConstructor(api, class Earlier {});
          _webinos.registerServiceConstructor(api, Mine);
          _webinos.registerServiceConstructor("http://webinos.org/api/tv", class Tv {});
          const found = await new Promise((onFound) =>
            webinos.discovery.findServices(new ServiceType(`${api}/*`), { onFound }));
          const proof = await new Promise((done) => found.pay(done, (fault) => done(fault.code),
            null, null, bill, customer, "ShopName12345"));
          return [found instanceof Mine, found instanceof WebinosService, proof];
        }""",
        [URI, BILL, SEED],
    )
    # Its policy challenges, and a page without a challenge callback cannot answer.
    assert told == [True, True, "payment_authentication_failed"]


@pytest.mark.req("NX-015", "NX-016", "NX-018")
def test_an_old_page_waits_milliseconds_and_its_filter_hides_nothing(old):
    found = f"{URI}/wallet"
    assert old.evaluate(LOOK, [URI, {"timeout": 120_000}]) == found
    assert old.evaluate(LOOK, [URI, None]) == found
    old.route("**/web/services*", lambda route: old.wait_for_timeout(400) or route.continue_())
    assert old.evaluate(LOOK, [URI, {"timeout": 50}])[0] == "TimeoutError"
    assert old.evaluate(LOOK, [URI, {"timeout": 5000}]) == found


@pytest.mark.req("NX-017")
def test_a_search_before_the_client_is_there_is_made_when_it_is(window, site, provider):
    old_page(site, provider, "/early", after="""
      webinos.discovery.findServices(new ServiceType("http://webinos.org/api/payment"),
        { onFound: function (service) { document.title = service.displayName; } });
      window.asked = true;
    """)  # fmt: skip
    page = window.new_page()
    held = []

    def hold(route):
        held.append(route)

    page.route("**/client/tollbridge.js", hold)
    page.goto(f"{site.origin}/early")
    until(page, lambda: held and page.evaluate("asked === true"))
    assert page.title() == "Shop"
    held[0].continue_()
    until(page, "document.title === 'Tollbridge Wallet'")
    page.close()


@pytest.mark.req("NX-019")
def test_an_old_page_has_bound_its_service_on_the_next_line(old):
    sent = []
    old.evaluate(
        """async (api) => {
          window.found = await new Promise((onFound) =>
            webinos.discovery.findServices(new ServiceType(api), { onFound }));
        }""",
        URI,
    )
    old.on("request", lambda request: sent.append(request.url))
    assert old.evaluate(
        """() => {
          let bound = null;
          found.bindService({ onBind: (service) => { bound = service; } });
          const same = bound === found;
          found.unbindService();
          return same && typeof found.pay === "function";
        }"""
    )
    assert sent == []


@pytest.mark.req("NX-056", "N-016")
def test_an_old_page_with_a_strange_key_is_denied_as_by_the_policy(window, site, provider):
    site.page("/strange", f'<script src="{provider.base}/client/webinos.js" '
              'data-seller-key="pk_of_nobody"></script>')  # fmt: skip
    page = window.new_page()
    page.goto(f"{site.origin}/strange")
    assert page.evaluate(LOOK, [URI, None]) == ["SecurityError", 18]
    page.close()
