"""Walks through Topup as a customer with a browser does, and pulls its plug on the way.

    python3 tests/walk.py [--binary target/debug/topup]

It starts the local runner as the README says (`cargo run`, unless a binary is named) on data of
its own, and everything it does goes over HTTP. Each step is one line and builds on the one before,
so the first that fails is the last. Needs Python 3.9 or later, and nothing else.
"""

import argparse
import collections
import concurrent.futures
import contextlib
import gzip
import html.parser
import http.client
import itertools
import json
import os
import pathlib
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from decimal import Decimal

ROOT = pathlib.Path(__file__).resolve().parent.parent

GOOD_CARD = "4242 4242 4242 4242"
DECLINED_CARD = "4000 0000 0000 0002"

# The first start may have to compile everything.
BUILD_SECONDS = 30 * 60
START_SECONDS = 20
# A delivery that a crash cut off is repeated after 15 seconds.
DELIVERY_SECONDS = 25
# All that comes after the first start.
WALK_SECONDS = 240
TOO_SLOW = "the walk has taken too long, or was told to stop"

KILLS = 5
CUSTOMERS_AT_ONCE = 6


class Wrong(Exception):
    """Something is not as it must be."""


def must_be(what, actual, expected):
    if actual != expected:
        raise Wrong(f"{what}: {actual!r} must be {expected!r}")


def wait_until(what, seconds, condition):
    until = time.monotonic() + seconds
    while not (found := condition()):
        if time.monotonic() > until:
            raise Wrong(f"{what}: not within {seconds} s")
        time.sleep(0.05)
    return found


# ---- The runner -----------------------------------------------------------------------------


class Runner:
    """The local runner, in a process group of its own: Ctrl-C and `kill` reach all of it."""

    def __init__(self, command, folder):
        self.command, self.data, self.ready_file = command, folder / "data", folder / "ready.json"
        self.log = folder / "log.txt"
        # As in a deployment, the addresses stay what they are from one start to the next.
        self.port = free_pair_of_ports()
        self.process = None

    def start(self, *options, seconds=START_SECONDS):
        """Starts it and returns what it says about itself once it is ready."""
        self.ready_file.unlink(missing_ok=True)
        places = ["--data-dir", str(self.data), "--ready-file", str(self.ready_file)]
        command = [*self.command, "--port", str(self.port), *places, *options]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command,
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        wait_until("the ready file", seconds, self.is_ready)
        ready = json.loads(self.ready_file.read_text())
        secrets = json.loads((self.data / "secrets.json").read_text())
        return_url = f"{ready['base_url']}/paid"
        return {**ready, "provider_key": secrets["provider"], "return_url": return_url}

    def is_ready(self):
        if (code := self.process.poll()) is not None:
            raise Wrong(f"it stopped with exit code {code} instead of becoming ready")
        return self.ready_file.exists()

    def run(self, *options):
        """Runs it to its end beside the one that serves."""
        return subprocess.run(
            [*self.command, *options],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=START_SECONDS,
        )

    def press_control_c(self):
        os.killpg(self.process.pid, signal.SIGINT)
        must_be("the exit code after Ctrl-C", self.process.wait(timeout=10), 0)

    def kill(self):
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


def free_pair_of_ports():
    """The API takes a port, and the payment provider the next one."""
    while True:
        with socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", 0))
            port = first.getsockname()[1]
            with contextlib.suppress(OSError, OverflowError):
                second.bind(("127.0.0.1", port + 1))
                return port


# ---- HTTP -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Answer:
    status: int
    url: str
    headers: object
    text: str

    @property
    def json(self):
        return json.loads(self.text)

    def expect(self, *statuses):
        if self.status not in statuses:
            raise Wrong(f"{self.url} answered {self.status}: {self.text[:400]}")
        return self


class StayHere(urllib.request.HTTPRedirectHandler):
    """Where the provider sends the customer back to need not be on this machine."""

    def redirect_request(self, *_):
        return None


HTTP = urllib.request.build_opener(StayHere)


def fetch(url, method="GET", headers=None, body=None):
    """One request; a redirect is an answer."""
    request = urllib.request.Request(url, data=body, headers=headers or {}, method=method)
    try:
        response = HTTP.open(request, timeout=15)
    except urllib.error.HTTPError as refused:
        response = refused
    with response:
        body = response.read()
        if response.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        return Answer(response.status, response.geturl(), response.headers, body.decode())


@dataclass(frozen=True)
class Client:
    """The API with one key."""

    base_url: str
    api_key: str

    def get(self, path, **query):
        query = f"?{urllib.parse.urlencode(query)}" if query else ""
        return self.call("GET", f"{path}{query}")

    def post(self, path, body=None, key=None):
        return self.call("POST", path, body, key)

    def upload(self, path, content):
        headers = {"Authorization": f"Bearer {self.api_key}", "Content-Type": "application/pdf"}
        return fetch(self.base_url + path, "POST", headers, content)

    def download(self, path):
        headers = {"Authorization": f"Bearer {self.api_key}"}
        request = urllib.request.Request(self.base_url + path, headers=headers)
        with HTTP.open(request, timeout=15) as response:
            return response.read()

    def call(self, method, path, body=None, key=None):
        headers = {"Authorization": f"Bearer {self.api_key}"}
        if key is not None:
            headers["Idempotency-Key"] = key
        if body is not None:
            headers["Content-Type"] = "application/json"
            body = json.dumps(body).encode()
        return fetch(self.base_url + path, method, headers, body)

    def pages(self, path):
        """The pages of a list, the newest first."""
        query = {"limit": 100}
        while query.get("cursor", "") is not None:
            page = self.get(path, **query).expect(200).json
            yield page["data"]
            query["cursor"] = page["next_cursor"]

    def all(self, path):
        return list(itertools.chain.from_iterable(self.pages(path)))


class Form(html.parser.HTMLParser):
    """The form of a page: where it goes, and what its fields hold."""

    def __init__(self, page):
        super().__init__()
        self.action, self.fields, self.button = None, {}, ""
        self._in_button = False
        self.feed(page.text)
        if self.action is None:
            raise Wrong(f"{page.url} has no form: {page.text[:400]}")

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag == "form":
            self.action = attributes.get("action", "")
            must_be("the method of the form", attributes.get("method"), "post")
        elif tag == "input":
            self.fields[attributes["name"]] = attributes.get("value", "")
        self._in_button = tag == "button"

    def handle_endtag(self, tag):
        self._in_button = self._in_button and tag != "button"

    def handle_data(self, text):
        if self._in_button:
            self.button += text


def pay(order, card, shows):
    """Opens the payment page, fills in its form, presses Pay, and returns what comes then.

    Once it is paid, that is a redirect back to the platform.
    """
    page = fetch(order["checkout_url"]).expect(200)
    form = Form(page)
    must_be("the button of the payment page", form.button, f"Pay {shows}")
    typed = {
        "email": "customer@example.com",
        "card_number": card,
        "expiry": "12 / 34",
        "cvc": "123",
    }
    must_be("the set of fields", set(form.fields), set(typed))
    body = urllib.parse.urlencode({**form.fields, **typed}).encode()
    return fetch(urllib.parse.urljoin(page.url, form.action), "POST", body=body)


def wait_until_paid(order):
    """Waits until the provider has the money, whatever the payer's browser shows."""

    def is_paid():
        return "Already paid" in fetch(order["checkout_url"]).text

    wait_until("the payment", 5, is_paid)


# ---- The customer ---------------------------------------------------------------------------


class Walk:
    """A customer, what the customer must own, and the runner."""

    def __init__(self, runner):
        self.runner = runner
        self.balances = {name: Decimal(0) for name in ("wallet", "whatsapp", "sms", "voice", "otp")}
        self.entries = 0
        self.ready = self.api = self.admin = self.receipt = None
        self.top_up = self.return_url = self.payment_page = None

    def start(self, *options, **limits):
        self.ready = self.runner.start(*options, **limits)
        self.api = Client(self.ready["base_url"], self.ready["customer_key"])
        self.admin = Client(self.ready["base_url"], self.ready["operator_key"])
        return self.ready

    # What the customer does.

    def order(self, amount, key, product=None):
        target = {"target": "product", "product": product} if product else {"target": "wallet"}
        body = {**target, "method": "card", "amount": amount}
        return self.api.post("/v1/orders", body, key)

    def order_offline(self, currency, amount, key):
        body = {"target": "wallet", "method": "offline", "currency": currency, "amount": amount}
        return self.api.post("/v1/orders", body, key)

    def transfer(self, amount, product, key):
        return self.api.post("/v1/transfers", {"product": product, "amount": amount}, key)

    def look_up(self, order):
        return self.api.get(f"/v1/orders/{order['order_id']}").expect(200).json

    def comes_back(self):
        """Opens the page that the customer is sent to after paying."""
        fetch(self.return_url).expect(200)

    # What finance does.

    def accept(self, order, currency, amount, bank_reference, key):
        body = {
            "received_currency": currency,
            "received_amount": amount,
            # One transfer is credited once, whoever claims it.
            "bank_reference": f"{bank_reference} {self.ready['account_id']}",
            "received_on": "2026-11-23",
        }
        return self.admin.post(f"/v1/admin/orders/{order['order_id']}/accept", body, key)

    # What must be true then.

    def owns(self, **changes):
        """Checks every balance, against what it was and what has changed since."""
        self.balances.update({name: Decimal(amount) for name, amount in changes.items()})
        answer = self.api.get("/v1/balances").expect(200).json
        shown = {item["product"]: item for item in answer["products"]}
        shown["wallet"] = answer["wallet"]
        expected = {
            name: {"available": f"{amount:.2f}", "held": "0.00"}
            for name, amount in self.balances.items()
        }
        shown = {
            name: {"available": item["available"], "held": item["held"]}
            for name, item in shown.items()
        }
        must_be("the balances", shown, expected)
        must_be("the debt", answer["debt"], "0.00")
        must_be("the currency", answer["currency"], "USD")

    def is_journalled(self, entries):
        """Checks the journal from its first entry: no gap, a chain of hashes, the right sums."""
        journal = self.journal()
        must_be("the number of entries", len(journal), entries)
        self.entries = entries
        sums, previous_hash = collections.Counter(), "0" * 64
        for number, entry in enumerate(journal, start=1):
            must_be("the number of an entry", entry["number"], number)
            must_be(f"the chain at entry {number}", entry["previous_hash"], previous_hash)
            previous_hash = entry["hash"]
            by_currency = dict.fromkeys((line["currency"] for line in entry["lines"]), Decimal(0))
            for line in entry["lines"]:
                by_currency[line["currency"]] += Decimal(line["amount"])
            must_be(f"the sums of entry {number}", set(by_currency.values()), {Decimal(0)})
            lines = [(line["place"], Decimal(line["amount"])) for line in entry["lines"]]
            for place, amount in lines:
                if not place.startswith("external:"):
                    sums[place.removeprefix("product:")] += amount
            for place, amount in entry["balances_after"].items():
                name = place.removeprefix("product:")
                must_be(f"{place} after entry {number}", Decimal(amount), sums[name])
        # What is not there is nothing, to a counter.
        must_be("the sums of the journal", sums, collections.Counter(self.balances))
        return journal

    def journal(self, after=0):
        """The entries after this one, the oldest first."""
        found = []
        for page in self.api.pages("/v1/entries"):
            found += [entry for entry in page if entry["number"] > after]
            if not page or page[-1]["number"] <= after:
                break
        return found[::-1]

    def lists(self, *expected):
        """Checks the newest orders; a new one may take a second to be listed."""
        words = ("method", "amount", "status")

        def listed():
            orders = self.api.all("/v1/orders")
            return [" ".join(order[word] for word in words) for order in orders]

        wait_until("the list of orders", 3, lambda: listed() == list(expected))

    def completes(self, order):
        """Waits for the provider's notice, which a crash may have cut off."""

        def is_completed():
            return self.look_up(order)["status"] == "completed"

        wait_until("the credit", DELIVERY_SECONDS, is_completed)

    # What the provider offers beside its payment page.

    def control(self, path, body):
        headers = {"Content-Type": "application/json"}
        url = f"{self.ready['provider_url']}/_control/{path}"
        return fetch(url, "POST", headers, json.dumps(body).encode()).expect(200).json

    def events(self, kind):
        """The provider's events of a kind, the newest first, as its own API lists them."""
        provider = Client(self.ready["provider_url"], self.ready["provider_key"])
        return provider.get("/v1/events", type=kind, limit=100).expect(200).json["data"]

    def notify_again(self, order, times):
        """Has the provider send the notice of this payment again, until it was taken."""
        paid = "checkout.session.completed"
        ids = [
            event["id"]
            for event in self.events(paid)
            if event["data"]["object"]["metadata"]["order_id"] == order["order_id"]
        ]
        must_be("the number of notices", len(ids), 1)
        self.control("webhooks/resend", {"event_id": ids[0], "times": times})

        def taken():
            event = next(event for event in self.events(paid) if event["id"] == ids[0])
            return event["pending_webhooks"] == 0

        wait_until("the notices", DELIVERY_SECONDS, taken)


@dataclass(frozen=True)
class Step:
    title: str
    take: object
    # Whether it takes a runner that can be stopped and killed; the others can be taken on any deployment.
    of_a_runner: bool


STEPS = []


def step(title, of_a_runner=False):
    def add(function):
        STEPS.append(Step(title, function, of_a_runner))
        return function

    return add


@step("the runner starts, says so, and has a --help", of_a_runner=True)
def start(walk):
    print(f"starting `{' '.join(walk.runner.command)}`; the first time compiles it", flush=True)
    walk.start(seconds=BUILD_SECONDS)
    signal.alarm(WALK_SECONDS)
    printed = walk.runner.log.read_text()
    for name in ("base_url", "provider_url", "customer_key", "operator_key", "account_id"):
        if walk.ready[name] not in printed:
            raise Wrong(f"{name} of the ready file is not on the terminal")
    fetch(f"{walk.ready['base_url']}/healthz").expect(200)
    help_text = walk.runner.run("--help")
    must_be("the exit code of --help", help_text.returncode, 0)
    for option in ("--port", "--data-dir", "--reset", "--in-memory", "--quiet", "--ready-file"):
        if option not in help_text.stdout:
            raise Wrong(f"--help does not tell of {option}")


@step("1. a new customer has nothing, and sees what can be topped up")
def nothing(walk):
    walk.owns()
    walk.lists()
    walk.is_journalled(0)
    products = walk.api.get("/v1/products").expect(200).json
    offered = [item["name"]["en"] for item in products["data"] if item["enabled"]]
    must_be("the products", offered, ["WhatsApp", "SMS", "Voice", "OTP"])
    limits = products["wallet"]["methods"]["card"]["USD"]
    must_be("the limits of a card", limits, {"min_amount": "10.00", "max_amount": "10000.00"})


@step("2. the wallet is topped up by card: 100.00, and a double click makes one order")
def top_up(walk):
    with concurrent.futures.ThreadPoolExecutor() as clicks:
        answers = list(clicks.map(lambda _: walk.order("100", "top-up"), range(2)))
    must_be("the answers", sorted(answer.status for answer in answers), [200, 201])
    order, same = (answer.json for answer in answers)
    must_be("the other order", same["order_id"], order["order_id"])
    must_be("the status", order["status"], "pending_payment")
    walk.owns()
    back = pay(order, GOOD_CARD, shows="USD 100.00").expect(303)
    return_url = f"{walk.ready['return_url']}?order_id={order['order_id']}"
    must_be("where the customer is sent", back.headers["Location"], return_url)
    walk.owns(wallet="100.00")
    paid = walk.look_up(order)
    must_be("the status", paid["status"], "completed")
    must_be("what was credited", paid["credited_amount"], "100.00")
    walk.top_up, walk.return_url, walk.payment_page = paid, return_url, order["checkout_url"]


@step("3. five more notices and five reloads later: still 100.00, one credit")
def repeated(walk):
    walk.notify_again(walk.top_up, times=5)
    for _ in range(5):
        walk.comes_back()
        must_be("the order", walk.look_up(walk.top_up), walk.top_up)
    walk.owns()
    walk.is_journalled(1)


@step("4. 60 go from the wallet to WhatsApp at once, without a payment page")
def move(walk):
    moved = walk.transfer("60", "whatsapp", "to-whatsapp").expect(201).json
    must_be("the status", (moved["status"], moved["method"]), ("completed", "balance"))
    must_be("the payment page", moved["checkout_url"], None)
    walk.owns(wallet="40.00", whatsapp="60.00")
    walk.is_journalled(2)


@step("5. 50 more are refused: 10.00 short, nothing changed, no order")
def too_much(walk):
    refused = walk.transfer("50", "whatsapp", "too-much").expect(402).json
    must_be("the refusal", refused["code"], "insufficient_balance")
    amounts = (refused["available"], refused["required"])
    must_be("available and required", amounts, ("40.00", "50.00"))
    walk.owns()
    walk.lists("balance 60.00 completed", "card 100.00 completed")
    walk.is_journalled(2)


@step("6. CNY 720.00 by bank transfer, with a receipt: finance accepts it once, 140.00")
def yuan(walk):
    order = walk.order_offline("CNY", "720.00", "yuan").expect(201).json
    shown = (order["amount"], order["currency"], order["fx_rate"])
    must_be("amount, currency and rate", shown, ("100.00", "USD", "7.2000"))
    instructions = order["transfer_instructions"]
    must_be("the payable amount", instructions["amount"], "720.00")
    if len(instructions["reference_code"].replace("-", "")) != 9:
        raise Wrong(f"the reference code is {instructions['reference_code']}")
    path = f"/v1/orders/{order['order_id']}"
    receipt = b"%PDF-1.7 a receipt \xfe\xff"
    proof = walk.api.upload(f"{path}/proofs", receipt).expect(200).json["proof_id"]
    report = {
        "payer_name": "李雷",
        "bank_reference": "ICBC 2026-7",
        "paid_on": "2026-11-23",
        "amount": "720.00",
    }
    reported = walk.api.post(f"{path}/transfer-report", report).expect(200).json
    must_be("the status", reported["status"], "pending_review")
    walk.owns()
    waiting = walk.admin.get("/v1/admin/reviews").expect(200).json["data"]
    if order["order_id"] not in [item["order_id"] for item in waiting]:
        raise Wrong(f"nobody is asked to review it: {waiting}")
    walk.receipt = (f"/v1/admin/orders/{order['order_id']}/proofs/{proof}", receipt)
    must_be("the receipt", walk.admin.download(walk.receipt[0]), receipt)
    accepted = walk.accept(order, "CNY", "720.00", "ICBC 2026-7", "a").expect(201).json
    must_be("what was credited", accepted["credited_amount"], "100.00")
    walk.owns(wallet="140.00")
    second = walk.accept(order, "CNY", "720.00", "ICBC 2026-8", "b").expect(409).json
    must_be("the second accept", second["code"], "already_reviewed")
    walk.owns()
    walk.is_journalled(3)


@step("7. USD 200.00 by bank transfer of which 185.00 arrive: 325.00, and both amounts are shown")
def dollars(walk):
    order = walk.order_offline("USD", "200.00", "dollars").expect(201).json
    accepted = walk.accept(order, "USD", "185.00", "WIRE 1", "c").expect(201).json
    amounts = (accepted["pay_amount"], accepted["received_amount"], accepted["credited_amount"])
    must_be("ordered, received and credited", amounts, ("200.00", "185.00", "185.00"))
    walk.owns(wallet="325.00")
    walk.is_journalled(4)


@step("8. a declined card leaves the order unpaid; a good one completes the same order")
def declined(walk):
    order = walk.order("30", "second").expect(201).json
    page = pay(order, DECLINED_CARD, shows="USD 30.00").expect(402)
    if 'role="alert"' not in page.text:
        raise Wrong("the payment page does not say why the card was declined")
    must_be("the form after it", Form(page).button, "Pay USD 30.00")
    walk.owns()
    unpaid = walk.look_up(order)
    must_be("the status", unpaid["status"], "pending_payment")
    pay(unpaid, GOOD_CARD, shows="USD 30.00").expect(303)
    walk.completes(order)
    walk.owns(wallet="355.00")
    paid = walk.look_up(order)
    must_be("the status", paid["status"], "completed")

    def attempts():
        """Both, once the notice of the refused card has come too, for which nobody waits."""
        found = [attempt["outcome"] for attempt in walk.look_up(order)["attempts"]]
        return found if len(found) == 2 else None

    must_be("the attempts", wait_until("both attempts", DELIVERY_SECONDS, attempts), ["declined", "succeeded"])


@step("9. SMS is topped up by card: 20.00; using 25 of it is refused, and nothing else helps out")
def product(walk):
    order = walk.order("20", "sms", product="sms").expect(201).json
    pay(order, GOOD_CARD, shows="USD 20.00").expect(303)
    walk.completes(order)
    walk.owns(sms="20.00")
    refused = walk.api.post("/v1/charges", {"product": "sms", "amount": "25"}, "use").expect(402).json
    told = [refused[name] for name in ("code", "product", "available", "required")]
    must_be("the refusal", told, ["insufficient_balance", "sms", "20.00", "25.00"])
    walk.owns()
    walk.is_journalled(6)


@step("an order is cancelled, and its payment page is closed; a paid one cannot be")
def cancel(walk):
    order = walk.order("50", "unwanted").expect(201).json
    path = f"/v1/orders/{order['order_id']}/cancel"
    for _ in range(2):
        cancelled = walk.api.post(path).expect(200).json
        must_be("the status", cancelled["status"], "cancelled")
        must_be("the payment page", cancelled["checkout_url"], None)
    fetch(order["checkout_url"]).expect(410)
    path = f"/v1/orders/{walk.top_up['order_id']}/cancel"
    must_be("the refusal", walk.api.post(path).expect(409).json["code"], "order_not_cancellable")
    walk.owns()
    walk.lists(
        "card 50.00 cancelled",
        "card 20.00 completed",
        "card 30.00 completed",
        "offline 200.00 completed",
        "offline 100.00 completed",
        "balance 60.00 completed",
        "card 100.00 completed",
    )


@step("a second runner on the same data is refused, with --reset too", of_a_runner=True)
def second_runner(walk):
    for options in ([], ["--reset"]):
        second = walk.runner.run("--port", "0", "--data-dir", str(walk.runner.data), *options)
        must_be("its exit code", second.returncode, 1)
        if "is used by another runner" not in second.stderr:
            raise Wrong(f"it says {second.stderr!r}")
    walk.owns()


@step("after Ctrl-C and a restart balances, orders, journal and keys are the same", of_a_runner=True)
def restart(walk):
    unpaid = walk.order("10", "unpaid").expect(201).json

    def everything():
        return walk.api.all("/v1/orders"), walk.api.all("/v1/entries")

    wait_until("the list of orders", 3, lambda: len(walk.api.all("/v1/orders")) == 8)
    ready, before = walk.ready, everything()
    walk.runner.press_control_c()
    again = walk.start()
    # Where the table and the queues are is the operator's concern, and another place with each start; so are the
    # addresses that sign somebody in.
    passing = {"table_url", "queue_url", "functions_url", "customer_console_url", "operator_console_url"}
    lasting = [name for name in ready if name not in passing]
    said = [[one[name] for name in lasting] for one in (again, ready)]
    must_be("what the runner says about itself", *said)
    must_be("orders and entries", everything(), before)
    walk.owns()
    walk.order("10", "unpaid").expect(200)
    pay(unpaid, GOOD_CARD, shows="USD 10.00").expect(303)
    walk.owns(wallet="365.00")
    walk.is_journalled(7)
    must_be("the receipt", walk.admin.download(walk.receipt[0]), walk.receipt[1])


@contextlib.contextmanager
def pulling_the_plug(walk):
    """Threads for customers, under whom the runner is killed at the end, whatever happens."""
    with concurrent.futures.ThreadPoolExecutor(max_workers=CUSTOMERS_AT_ONCE) as customers:
        try:
            yield customers
        finally:
            walk.runner.kill()


@step("two orders are paid while the plug is pulled: each is credited once", of_a_runner=True)
def plug_pulled_while_paying(walk):
    # One notice has not left yet when the plug is pulled, the other is anywhere on its way.
    orders = [walk.order("11", "notice-waits"), walk.order("12", "notice-on-its-way")]
    orders = [answer.expect(201).json for answer in orders]
    with pulling_the_plug(walk) as customers:
        for order, mode in zip(orders, ("delay", "deliver")):
            walk.control("webhooks", {"mode": mode})
            customers.submit(pay, order, GOOD_CARD, f"USD {order['amount']}")
            wait_until_paid(order)
    walk.start()
    for order in orders:
        walk.completes(order)
        walk.notify_again(order, times=2)
    walk.owns(wallet="388.00")
    walk.is_journalled(9)


@step("a large top-up, to have something to move: 9,000.00", of_a_runner=True)
def large_top_up(walk):
    order = walk.order("9000", "large").expect(201).json
    pay(order, GOOD_CARD, shows="USD 9000.00").expect(303)
    walk.owns(wallet="9388.00")
    walk.is_journalled(10)


@dataclass
class Transfer:
    """A transfer as its sender knows it: without an order id it may have happened or not."""

    key: str
    amount: Decimal
    order_id: str = None

    def send(self, walk, *also):
        answer = walk.transfer(f"{self.amount:.2f}", "voice", self.key).expect(200, 201, *also)
        self.order_id = answer.json.get("order_id")
        return answer.status


def transfer_until_killed(walk, name, acknowledged):
    """What one customer sent before the answers stopped."""
    sent = []
    for number in itertools.count():
        amount = Decimal(100 + number % 100) / 100
        sent.append(Transfer(f"{name}-{number}", amount))
        try:
            # Too many at once: as good as no answer.
            sent[-1].send(walk, 503)
            if sent[-1].order_id:
                acknowledged.set()
        except (OSError, http.client.HTTPException):
            return sent


def plug_pulled_while_moving(walk, round_number):
    first_new = walk.entries
    with pulling_the_plug(walk) as customers:
        names = [f"kill-{round_number}-{name}" for name in range(CUSTOMERS_AT_ONCE)]
        begun = threading.Event()
        sending = [customers.submit(transfer_until_killed, walk, name, begun) for name in names]
        if not begun.wait(DELIVERY_SECONDS):
            raise Wrong("nothing is acknowledged")
        time.sleep(random.uniform(0.1, 0.7))
    transfers = [transfer for sent in sending for transfer in sent.result()]
    acknowledged = [transfer for transfer in transfers if transfer.order_id]
    unknown = [transfer for transfer in transfers if not transfer.order_id]

    walk.start()
    survived = {entry["document_id"] for entry in walk.journal(first_new)}
    lost = [transfer for transfer in acknowledged if transfer.order_id not in survived]
    must_be("what was acknowledged and is lost", lost, [])
    for transfer in unknown:
        happened_now = transfer.send(walk) == 201
        must_be(f"{transfer.key} before", transfer.order_id in survived, not happened_now)
        must_be(f"{transfer.key} again", transfer.send(walk), 200)
    moved = sorted(entry["document_id"] for entry in walk.journal(first_new))
    must_be("what was moved", moved, sorted(transfer.order_id for transfer in transfers))
    total = sum(transfer.amount for transfer in transfers)
    walk.owns(wallet=walk.balances["wallet"] - total, voice=walk.balances["voice"] + total)
    walk.is_journalled(first_new + len(transfers))
    return f"{len(acknowledged)} acknowledged, {len(unknown)} open"


for kill in range(1, KILLS + 1):
    title = f"kill -9 in the middle of transfers, round {kill} of {KILLS}: none lost, none twice"
    step(title, of_a_runner=True)(
        lambda walk, round_number=kill: plug_pulled_while_moving(walk, round_number)
    )


@step("--reset empties everything that is Topup's, and nothing else", of_a_runner=True)
def reset(walk):
    walk.runner.press_control_c()
    foreign, old = walk.runner.data / "notes.txt", walk.api
    foreign.write_text("not Topup's")
    walk.start("--reset")
    walk.balances = dict.fromkeys(walk.balances, Decimal(0))
    walk.owns()
    walk.lists()
    walk.is_journalled(0)
    must_be("the file of somebody else", foreign.read_text(), "not Topup's")
    old.get("/v1/balances").expect(403)
    walk.runner.press_control_c()


def take_steps(walk, steps):
    """Takes the steps in order until one fails, and returns how many passed and failed."""
    for number, step in enumerate(steps):
        started = time.monotonic()
        try:
            note = step.take(walk)
        except Exception as error:  # whatever it is, it is reported, and the runner is stopped
            print(f"FAILED  {step.title}: {type(error).__name__}: {error}", flush=True)
            if not isinstance(error, Wrong):
                traceback.print_exc()
            print("".join(walk.runner.log.read_text().splitlines(True)[-15:]))
            return number, 1
        seconds = time.monotonic() - started
        print(f"ok  {step.title}{f' ({note})' if note else ''}  {seconds:.1f} s", flush=True)
    return len(steps), 0


def give_up(*_):
    raise Wrong(TOO_SLOW)


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--binary", type=pathlib.Path, help="instead of `cargo run`")
    options = options.parse_args()
    command = ["cargo", "run", "--quiet", "--"]
    if options.binary:
        command = [str(options.binary.resolve())]
    for reason in (signal.SIGALRM, signal.SIGTERM):
        signal.signal(reason, give_up)
    with tempfile.TemporaryDirectory(prefix="topup-walk-") as folder:
        runner = Runner(command, pathlib.Path(folder))
        try:
            passed, failed = take_steps(Walk(runner), STEPS)
        finally:
            signal.alarm(0)
            runner.kill()
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
