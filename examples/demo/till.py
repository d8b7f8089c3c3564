"""Chapter one: a till, a server, and a card network as a process of its own.

It is also the shortest program that speaks WPI over HTTP.
"""

import contextlib
import http.client
import json
import os
import secrets
import threading
import time

from stage import FOLDER, command, get, tell, tell_start

JOURNAL = FOLDER / "shop.sqlite"
INTENT = "com.worldline.payment.action."


class Till:
    """A point of sale: it keeps the session id before it sends, so that it can always ask again."""

    def __init__(self, url, token):
        self.address = url.removeprefix("http://")
        self.token = token
        self.sessions = 0

    def new_session(self):
        self.sessions += 1
        return f"till-7-{self.sessions}"

    def send(self, intent, service, request=None, session=None):
        extras = {
            "WPI_SERVICE_TYPE": service,
            "WPI_VERSION": "2.0",
            "WPI_SESSION_ID": session or self.new_session(),
        }
        if request is not None:
            extras["WPI_REQUEST"] = json.dumps(request)
        line = http.client.HTTPConnection(self.address, timeout=60)
        try:
            line.request(
                "POST",
                f"/wpi/{INTENT}{intent}",
                json.dumps(extras),
                {
                    "Authorization": f"Bearer {self.token}",
                    "WPI-Package": "com.example.till",
                    "Content-Type": "application/json",
                },
            )
            return json.loads(line.getresponse().read())
        finally:
            line.close()

    def pay(self, amount, session=None):
        request = {"currency": "EUR", "requestedAmount": amount, "reference": "order 7"}
        return self.send("PROCESS_TRANSACTION", "WPI_SVC_PAYMENT", request, session)

    def cancel(self, reference):
        request = {"paymentSolutionReference": reference}
        return self.send("PROCESS_TRANSACTION", "WPI_SVC_CANCEL_PAYMENT", request)

    def last(self, session):
        return self.send("PROCESS_INFORMATION", "WPI_SVC_LAST_TRANSACTION", session=session)


def show(extras):
    """Print the response a till gets, without the receipt."""
    response = json.loads(extras.get("WPI_RESPONSE", "{}"))
    receipt = response.pop("receipt", None)
    for name, value in response.items():
        print(f"    {name + ':':<26} {value}")
    return response, receipt


def story(sandbox, server):
    tell("A card network starts as a process of its own, with its own book,")
    tell_start(sandbox, "control")
    control = sandbox.url
    network = json.loads(get(control, "/health"))["port"]
    tell("and a Tollbridge server on a fresh SQLite journal. They know only each other's address.")
    token = secrets.token_hex(16)
    os.environ["TOLLBRIDGE_TOKEN"] = token
    os.environ["TOLLBRIDGE_SANDBOX_CONTROL"] = control
    os.environ["TOLLBRIDGE_JOURNAL"] = str(JOURNAL)
    server.arguments = (*server.arguments, "--sandbox-url", f"http://127.0.0.1:{network}")
    tell_start(server, "listens on")
    os.environ["TOLLBRIDGE_URL"] = server.url
    till = Till(server.url, token)

    tell("A till sends a payment of 11.91 EUR through WPI; the cardholder taps a Visa card.")
    paid, receipt = show(till.pay(1191))
    print("\n" + "\n".join(f"      | {line:<32} |" for line in
                           receipt["formatted"]["client"].splitlines()))  # fmt: skip

    tell("The till cancels it, by the reference on the receipt.")
    show(till.cancel(paid["paymentSolutionReference"]))

    tell("42.51 EUR: the issuer says no, with response code 51, as it does for 42.51 anywhere.")
    show(till.pay(4251))

    tell("Now the bad day. The network will do the next payment and stay silent about it,")
    command("sandbox", "fault", "lose_answer", "--verb", "purchase")
    session = till.new_session()
    asking = threading.Thread(target=_pay_into_the_void, args=(till, session))
    asking.start()
    time.sleep(1.5)
    tell("and while the server waits for the answer, it is killed with SIGKILL.")
    server.kill()
    asking.join()
    print("    the till: no answer. Was the customer charged?")
    command("journal", "tail", "-n", "1")

    tell("The server starts again on the same journal and asks the network what became of it.")
    tell_start(server, "listens on")
    till = Till(server.url, token)
    os.environ["TOLLBRIDGE_URL"] = server.url
    tell(f"The till asks with LAST_TRANSACTION and the session it had kept ({session}).")
    for _ in range(60):
        extras = till.last(session)
        if "BUSY" not in extras["WPI_RESPONSE"]:
            break
        time.sleep(0.25)
    response, _ = show(extras)
    assert response["result"] == "WPI_RESULT_SUCCESS", "the charge that happened is found"

    tell("What the journal holds, and what the network's own book says:")
    command("payments")
    command("sandbox", "book")
    assert command("sandbox", "compare") == 0, "the books agree"
    tell("And the journal proves that nobody changed it:")
    assert command("journal", "verify") == 0, "the chain is intact"


def _pay_into_the_void(till, session):
    with contextlib.suppress(OSError, http.client.HTTPException):
        till.pay(1191, session)
