"""A provider as a process, a shop's pages on another origin, and one browser, for tests."""

import http.client
import json
import re
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.processes import TOKEN, free_port, sandbox, server
from tests.terminal.browser import NAMELESS, SHOTS
from tollbridge.ground.secret import Secret
from tollbridge.server import bills

HERE = Path(__file__).parent
PATIENCE_MS = 15_000
CARD = "4242424242424242"
ADA = "ada@example.org"
SILENT = "carl@example.org"  # no code can be sent to him
SEED = "mymail@provider.com"
ALWAYS = {"amount_minor": 0}
# Each seller is challenged in another way.
SIGNS = "Signed by its server"
POLICIES = {
    "Free": {"amount_minor": 10_000_000, "new_instrument": False},
    "Text": ALWAYS | {"kinds": ["text"]},
    "Image": ALWAYS | {"kinds": ["image"]},
    "Url": ALWAYS | {"kinds": ["url"]},
    "Quick": ALWAYS | {"kinds": ["text"], "expires_s": 2.5},
    "QuickUrl": ALWAYS | {"kinds": ["url"], "expires_s": 2.5},
    "Shop & <b>Söhne</b>": ALWAYS | {"kinds": ["text"]},
    "ShopName12345": ALWAYS | {"kinds": ["text"]},
    SIGNS: {"amount_minor": 10_000_000, "new_instrument": False},
}


def key(kind, seller):
    return f"{kind}_test_{re.sub('[^A-Za-z0-9]', '', seller).lower()}"


def signed(bill, items=(), **more):
    """Sign a bill as the server of the seller that wants signed bills does."""
    claims = {"iss": SIGNS, "jti": f"b-{time.monotonic_ns()}", "exp": int(time.time()) + 600,
              "once": True, "bill": bill, "items": list(items)}  # fmt: skip
    return bills.sign(claims | more, Secret(key("sk", SIGNS)))


def settings(origins):
    """Write the provider's settings."""
    lines = ["[faces.webinos]", 'name = "Tollbridge"']
    for name, policy in POLICIES.items():
        seller = {"name": name, "publishable_key": key("pk", name), "secret_key": key("sk", name)}
        seller |= {"origins": origins, "policy": policy}
        if name == SIGNS:
            seller |= {"signed_bills": "required"}
        lines.append(f"[faces.webinos.sellers.{json.dumps(name)}]")
        lines += [f"{each} = {_toml(value)}" for each, value in seller.items()]
    for name in (ADA, SEED, SILENT):
        lines.append(f"[faces.webinos.customers.{json.dumps(name)}]")
        if name != SILENT:
            lines.append('contact = "+44 7700 900056"')
        lines.append('name = "Ada Field"')
        lines.append('mark = "tulip red"')
        lines.append(f'instruments = [{{number = "{CARD}", expiry = "12/33", label = "Everyday"}}]')
    return "\n".join(lines)


def _toml(value):
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name} = {_toml(each)}" for name, each in value.items()) + "}"
    return json.dumps(value, ensure_ascii=False)


def call(method, url, body=None, token=TOKEN):
    """Make one call, without a loop: the browser's tool has one of its own."""
    address, _, path = url.removeprefix("http://").partition("/")
    line = http.client.HTTPConnection(address, timeout=15)
    try:
        fields = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        line.request(method, f"/{path}", None if body is None else json.dumps(body), fields)
        answer = line.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        line.close()


def until(page, truth, patience_s=PATIENCE_MS / 1000):
    """Wait until something is true. Pages under a strict policy do not wait for expressions."""
    deadline = time.monotonic() + patience_s
    while not (truth() if callable(truth) else page.evaluate(truth)):
        assert time.monotonic() < deadline, truth
        page.wait_for_timeout(30)


class Provider:
    """A Tollbridge server with the face, and the card network it plays as a process beside it."""

    def __init__(self, folder, origins):
        (folder / "web.toml").write_text(settings(origins))
        self.sandbox = sandbox(folder).start()
        network = call("GET", f"{self.sandbox.url}/health")[1]["port"]
        here = ("--sandbox-url", f"http://127.0.0.1:{network}", "--config", "web.toml")
        self.process = server(folder, *here, port=free_port())
        try:
            self.process.start()
        except BaseException:
            self.sandbox.kill()
            raise
        self.port = int(self.process.url.rpartition(":")[2])
        self.base = f"http://pay.localhost:{self.port}"

    def close(self):
        self.process.kill()
        self.sandbox.kill()

    def code(self, nth=0, *, patience_s=5.0):
        """Give the code that was sent last, once there are more than `nth`."""
        deadline = time.monotonic() + patience_s
        while time.monotonic() < deadline:
            sent = self.codes()
            if len(sent) > nth:
                return sent[-1]
            time.sleep(0.02)
        raise AssertionError("no code was sent")

    def codes(self):
        # The console and the log both show it.
        return re.findall(
            r"^  code for .*?: (\d{6}) is", self.process.log.read_text(), re.MULTILINE
        )

    def moved(self, minor):
        """Give the approved movements of an amount, from the card network's own book."""
        book, after = [], 0
        while page := call("GET", f"{self.sandbox.url}/control/book?after={after}")[1]["movements"]:
            book += page
            after = page[-1]["number"]
        return [
            each
            for each in book
            if each["amount_minor"] == minor
            and each["status"] == "approved"
            and each["verb"] not in ("verify", "store")
        ]

    def verify(self, seller, proof):
        url = f"{self.process.url}/v1/verify"
        return call("POST", url, {"proof": proof}, token=key("sk", seller))


class Site:
    """A shop's origin: fixed pages under a strict policy."""

    def __init__(self, provider=None, name="shop.localhost"):
        site = self
        self.provider = provider
        self.files = {}
        self.policies = {}

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                path = self.path.partition("?")[0]
                kind, body = site.files.get(path, ("text/plain", None))
                self.send_response(404 if body is None else 200)
                data = (body or "nothing").encode()
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(data)))
                self.send_header("Content-Security-Policy", site.policies.get(path, site.policy))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.origin = f"http://{name}:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def policy(self):
        pay = "http://pay.localhost:*"
        return (
            f"default-src 'none'; script-src 'self' {pay}; connect-src 'self' {pay}; "
            f"frame-src {pay}; img-src data: {pay}; style-src 'self'; "
            "base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; "
            "trusted-types 'none'"
        )

    def page(self, path, *scripts, html=""):
        tags = "".join(scripts)
        body = '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Shop</title>'
        body += '<meta name="viewport" content="width=device-width, initial-scale=1">'
        body += f'<link rel="icon" href="data:,"></head><body>{html}{tags}</body></html>'
        self.files[path] = ("text/html; charset=utf-8", body)

    def script(self, path, text):
        self.files[path] = ("text/javascript; charset=utf-8", text)

    def close(self):
        self.server.shutdown()
        self.server.server_close()


SHOP_HTML = '<main><h1>Shop</h1><button id="pay">Pay</button><p id="out" role="status"></p></main>'
SHOP_JS = (HERE / "shop.js").read_text()


class Shop:
    """One page of a shop in one browser context, watched for every complaint."""

    def __init__(self, window, site, base, *, viewport=None, scheme="light", path="/", **more):
        self.base = base
        self.context = window.new_context(
            viewport=viewport or {"width": 1280, "height": 800}, color_scheme=scheme, **more
        )
        self.context.set_default_timeout(PATIENCE_MS)
        self.complaints = []
        self.expected = ()  # what a test provokes, by words of the browser's
        self.url = f"{site.origin}{path}?base={base}"
        self.page = self.open()

    def open(self, context=None):
        page = (context or self.context).new_page()
        self.watch(page)
        page.goto(self.url)
        page.wait_for_selector("body[data-ready]")
        return page

    def watch(self, page):
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _heard(self, message):
        if message.type in {"error", "warning"}:
            self.complaints.append(message.text)

    def pay(self, seller, amount="25.96", *, customer="", bill=None, page=None, **wish):
        page = page or self.page
        if customer == "":
            customer = SILENT if "Url" in seller else ADA
        bill = bill or {"productID": f"B-{time.monotonic_ns()}", "currency": "EUR"}
        bill = {"description": "Best of Ladytron 00-10, deluxe edition", **bill}
        bill.setdefault("itemPrice", amount)
        wish = {"seller": seller, "bill": bill, "customerID": customer, **wish}
        page.evaluate("wish => { window.wish = wish; }", wish)
        page.click("#pay")
        return bill["productID"]

    @property
    def dialog(self):
        return self.page.locator("dialog")

    def field(self):
        field = self.page.locator("dialog input")
        field.wait_for()
        return field

    def answer(self, text):
        self.field().fill(text)
        self.page.keyboard.press("Enter")

    def press(self, name):
        self.page.get_by_role("button", name=name, exact=True).click()

    def ends(self, count=1, page=None, patience_s=PATIENCE_MS / 1000):
        """Wait for outcomes and give them; there must not be more."""
        page = page or self.page
        until(page, f"ends.length >= {count}", patience_s)
        ends = page.evaluate("ends")
        assert len(ends) == count, ends
        return ends

    def end(self, page=None):
        return self.ends(1, page)[0]

    def check(self):
        """Everything that can be used has a name, and nothing is wider than the window."""
        nameless = NAMELESS.findall(self.page.locator("dialog").aria_snapshot())
        assert nameless == []
        wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert self.page.evaluate(wide) <= 0
        inner = "dialog => dialog.scrollWidth - dialog.clientWidth"
        assert self.page.locator("dialog").evaluate(inner) <= 0

    def shot(self, name):
        SHOTS.mkdir(exist_ok=True)
        self.page.wait_for_timeout(320)
        self.page.screenshot(path=SHOTS / f"{name}.png")

    def close(self):
        violations = [each for page in self.context.pages for each in _violations(page)]
        self.context.close()
        told = [*self.complaints, *violations]
        return [each for each in told if not any(words in each for words in self.expected)]


def _violations(page):
    return page.evaluate("window.violations ?? []") if "/?base=" in page.url else []
