"""Card data planted everywhere a caller can put it is in no byte that is written or answered."""

import json
import re

from tests.processes import TOKEN, server, talk

NUMBER = "4242424242424242"
SPACED = "4242 4242 4242 4242"
TRACK = f";{NUMBER}=29121010000012300000?"
CODE = "9174"
INTENT = "com.worldline.payment.action.PROCESS_TRANSACTION"


def planted():
    """Requests with card data in them, good and bad."""
    ten = {"minor": 1000, "currency": "EUR"}
    card = {"number": NUMBER, "expiry": "2912", "security_code": CODE}
    for verb in ("purchase", "authorize", "verify", "store", "credit"):
        amount = {} if verb in ("verify", "store") else {"amount": ten}
        for fault in ("", "drop", "garbage", "wrong_amount", "refuse", "pending:0.1"):
            yield {"verb": verb, "card": card, **amount, "details": {"sandbox.fault": fault}}
    yield {"amount": {"minor": 4205, "currency": "EUR"}, "card": card}
    yield {"amount": ten, "card": {"number": NUMBER, "security_code": int(CODE)}}
    yield {"amount": ten, "card": {"number": int(NUMBER)}}
    yield {"amount": ten, "card": NUMBER}
    yield {"amount": ten, "card": {**card, "track": TRACK}}
    yield {"amount": ten, "card": card, NUMBER: 1}
    yield {"amount": NUMBER, "card": card}
    yield {"amount": {"minor": int(NUMBER), "currency": "EUR"}, "card": card}
    yield {"verb": NUMBER, "card": card}
    yield [NUMBER]


def test_card_data_reaches_no_file_no_log_and_no_answer(tmp_path):
    answers = []
    with server(tmp_path, "--log-level", "debug") as running:
        url = running.url
        for number, body in enumerate(planted()):
            answers.append(talk("POST", f"{url}/v1/payments", body, key=f"k{number}"))
        for body in (
            f"{NUMBER}".encode(),
            b'{"card": "' + TRACK.encode(),
            b"\xff" + NUMBER.encode(),
        ):
            answers.append(talk("POST", f"{url}/v1/payments", body, key="raw"))
        for request in (
            {"currency": "EUR", "requestedAmount": 1191, "pan": NUMBER, "isoTrack2": TRACK},
            {"currency": NUMBER, "requestedAmount": 1191},
            {"currency": "EUR", "requestedAmount": NUMBER},
            {"currency": "EUR", "requestedAmount": int(NUMBER)},
            {"currency": "EUR", "requestedAmount": 1191, "reference": [SPACED]},
            NUMBER,
        ):
            answers.append(wpi(url, f"s{len(answers)}", json.dumps(request)))
        answers += [
            talk("GET", f"{url}/v1/payments?limit=200"),
            talk("GET", f"{url}/v1/facts?limit=1000"),
            talk("GET", f"{url}/v1/payments/{NUMBER}"),
            talk("GET", f"{url}/nothing/{NUMBER}?x={NUMBER}"),
        ]
        running.stop()
    files = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    assert "journal.sqlite" in files
    assert b"moves money" in files["server.log"], "the debug log shows conversations"
    for name, data in files.items():
        assert not _shows(data.decode("latin-1")), name
    for status, answer, headers in answers:
        assert status < 500
        assert not _shows(json.dumps(answer)), answer
        assert not _shows(json.dumps(dict(headers)))


def _shows(text):
    found = NUMBER in text or SPACED in text or TRACK[1:] in text
    return found or re.search(rf"(?<![\w.]){CODE}(?![\w.])", text)


def wpi(url, session, request):
    extras = {
        "WPI_SERVICE_TYPE": "WPI_SVC_PAYMENT",
        "WPI_VERSION": "2.0",
        "WPI_SESSION_ID": session,
        "WPI_REQUEST": request,
    }
    headers = [("wpi-package", "com.example.till")]
    return talk("POST", f"{url}/wpi/{INTENT}", extras, token=TOKEN, headers=headers)
