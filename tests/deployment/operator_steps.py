"""Steps that follow a customer's on a deployment: usage, finance, settings, what queues carry, what the clock calls.

Between them they need every statement of every role, so that none can be taken away unnoticed.
"""

import datetime
import json
import re
import urllib.parse
from decimal import Decimal

import walk
from emulator import PARAMETERS
from walk import GOOD_CARD, Client, Wrong, fetch, must_be, pay, wait_until

QUEUE_SECONDS = 120
STEPS = []


def step(title):
    def add(function):
        STEPS.append(walk.Step(title, function, of_a_runner=False))
        return function

    return add


def listed(client, path, key, value):
    """Waits for an item of a list; a new one may take a moment to be listed."""

    def found():
        items = client.get(path).expect(200).json["data"]
        return next((item for item in items if item[key] == value), None)

    return wait_until(f"{value} in {path}", 5, found)


def alerts(walk, balance, below):
    """The platform is to be told once this balance is below that."""
    walk.api.call("PUT", f"/v1/{balance}/thresholds", {"alert_below": below}).expect(200)


def goes_on(client, path):
    """Reads two pages of a list, of one item each."""
    first = client.get(path, limit=1).expect(200).json
    second = client.get(path, limit=1, cursor=first["next_cursor"]).expect(200).json
    pages = [first["data"], second["data"]]
    must_be(f"the pages of {path}", [len(page) for page in pages], [1, 1])
    if pages[0] == pages[1]:
        raise Wrong(f"{path} does not go on after its first page: {pages[0]}")


def now(seconds_ago=0):
    """As the API writes times: what is later sorts after what is earlier."""
    moment = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=seconds_ago)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000Z")


def today():
    return now()[:10]


def at_once(at):
    """An event of the clock, as EventBridge sends it."""
    return {
        "version": "0",
        "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa",
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": "123456789012",
        "time": at,
        "region": "us-east-1",
        "resources": ["arn:aws:events:us-east-1:123456789012:rule/topup-check"],
        "detail": {},
    }


@step("every role is what the template says, and beyond it there are only logs")
def roles(walk):
    must_be("wider roles", list(walk.runner.wider_roles()), [])


@step("usage is charged at once and many together, and set aside for a call")
def usage(walk):
    charge = {"product": "sms", "amount": "1.00"}
    made = walk.api.post("/v1/charges", charge, "used-1").expect(201).json
    walk.owns(sms="19.00")
    walk.api.get(f"/v1/charges/{made['charge_id']}").expect(200)
    batch = [{"key": "used-1", **charge}, {"key": "used-2", **charge}]
    answers = walk.api.post("/v1/charges/batch", {"charges": batch}).expect(200).json["data"]
    must_be("the answers", [answer["status"] for answer in answers], [200, 201])
    walk.owns(sms="18.00")
    alerts(walk, "products/whatsapp", "59.00")
    hold = {"product": "whatsapp", "amount": "2.00", "expires_in": 900}
    call = walk.api.post("/v1/holds", hold, "call").expect(201).json["hold_id"]
    other = walk.api.post("/v1/holds", hold, "other").expect(201).json["hold_id"]
    walk.api.get(f"/v1/holds/{call}").expect(200)
    taken = {"amount": "0.35", "final": True}
    walk.api.post(f"/v1/holds/{call}/capture", taken, "call-end").expect(201)
    walk.api.post(f"/v1/holds/{other}/release").expect(200)
    walk.owns(whatsapp="59.65")
    listed(walk.api, "/v1/holds", "hold_id", other)
    goes_on(walk.api, "/v1/holds")


@step("another customer sets something aside and forgets it: the sweep of a later walk closes it")
def forgotten(walk):
    account = f"{walk.ready['account_id']}-forgets"
    ready = walk.runner.new_customer(account, walk.ready["operator_key"])
    gift = {"balance": "product:sms", "amount": "2.00", "reason": "goodwill"}
    walk.admin.post(f"/v1/admin/accounts/{account}/adjustments", gift, "gift").expect(201)
    hold = {"product": "sms", "amount": "2.00", "expires_in": 60}
    Client(ready["base_url"], ready["customer_key"]).post("/v1/holds", hold, "forgotten").expect(201)


@step("a product that runs low is topped up from the wallet, and the platform can read of it")
def runs_low(walk):
    wanted = {"alert_below": "17.00", "top_up_below": "5.00", "top_up_amount": "10.00"}
    walk.api.call("PUT", "/v1/products/sms/thresholds", wanted).expect(200)
    walk.api.get("/v1/thresholds").expect(200)
    walk.api.post("/v1/charges", {"product": "sms", "amount": "14.00"}, "used-3").expect(201)
    walk.owns(sms="14.00", wallet="345.00")
    # It is below the one already, and falls below the other by usage that comes from the queue.
    alerts(walk, "products/sms", "15.00")
    alerts(walk, "products/sms", "12.00")


@step("usage that nobody waits for is charged from its queue, and a message that is none is kept")
def usage_queue(walk):
    account = walk.ready["account_id"]
    charge = {"key": "queued-1", "account_id": account, "product": "sms", "amount": "4.00"}
    walk.runner.send("UsageQueueUrl", "not a batch")
    walk.runner.send("UsageQueueUrl", json.dumps({"charges": [charge]}))

    def charged():
        products = walk.api.get("/v1/balances").expect(200).json["products"]
        return any(one["product"] == "sms" and one["available"] == "10.00" for one in products)

    wait_until("the charge", QUEUE_SECONDS, charged)
    walk.owns(sms="10.00")


@step("finance corrects, gives back, rejects and books what came without an order")
def finance(walk):
    account = f"/v1/admin/accounts/{walk.ready['account_id']}"
    alerts(walk, "wallet", "344.00")
    for amount in ("-2.00", "7.00"):
        change = {"balance": "wallet", "amount": amount, "reason": "goodwill"}
        walk.admin.post(f"{account}/adjustments", change, f"by{amount}").expect(201)
    walk.owns(wallet="350.00")
    goes_on(walk.admin, f"{account}/adjustments")
    refund = {"amount": "15.00", "reason": "asked for it"}
    path = f"/v1/admin/orders/{walk.top_up['order_id']}/refunds"
    must_be("the refund", walk.admin.post(path, refund, "refund").expect(201).json["status"], "succeeded")
    walk.owns(wallet="335.00")
    order = walk.order_offline("USD", "100.00", "rejected").expect(201).json
    report = {"payer_name": "Li", "bank_reference": "W9", "paid_on": today(), "amount": "100.00"}
    walk.api.post(f"/v1/orders/{order['order_id']}/transfer-report", report).expect(200)
    path = f"/v1/admin/orders/{order['order_id']}/reject"
    walk.admin.post(path, {"reason": "nothing arrived"}, "reject").expect(200)
    came = {"received_amount": "10.00", "received_currency": "USD", "received_on": today()}
    came["bank_reference"] = f"WIRE 7 {walk.ready['account_id']}"
    walk.admin.post(f"{account}/received-payments", came, "came").expect(201)
    walk.owns(wallet="345.00")


@step("a bank statement credits the order that its line is for")
def statement(walk):
    order = walk.order_offline("USD", "100.00", "stated").expect(201).json
    code = order["transfer_instructions"]["reference_code"]
    lines = "booked_on,amount,currency,bank_reference,payer_name,information\n"
    lines += f"{today()},100.00,USD,ST {walk.ready['account_id']},Li Lei,{code}\n"
    headers = {"Authorization": f"Bearer {walk.ready['operator_key']}", "Content-Type": "text/csv"}
    url = f"{walk.ready['base_url']}/v1/admin/statements"

    def proposed():
        read = fetch(url, "POST", headers, lines.encode()).expect(200, 201).json
        return read if read["lines"][0]["state"] == "exact" else None

    read = wait_until("the proposal", 5, proposed)
    path = f"/v1/admin/statements/{read['statement_id']}"
    walk.admin.post(f"{path}/accept", {"exact": True}).expect(200)
    walk.owns(wallet="445.00")
    must_be("the line", walk.admin.get(path).expect(200).json["lines"][0]["state"], "credited")
    listed(walk.admin, "/v1/admin/statements", "statement_id", read["statement_id"])
    other = lines.replace(code, "no code")
    other = fetch(url, "POST", headers, other.encode()).expect(200, 201).json
    listed(walk.admin, "/v1/admin/statements", "statement_id", other["statement_id"])
    goes_on(walk.admin, "/v1/admin/statements")


@step("payments that no page asked for become findings: one is credited, one given back, one explained")
def findings(walk):
    actions = {
        "credit": {"balance": "wallet"},
        "refund": {"reason": "paid twice"},
        "resolve": {"reason": "another system's"},
    }
    for action, body in actions.items():
        walk.control("payments", {"session_id": walk.payment_page.rsplit("/", 1)[1]})
        finding = listed(walk.admin, "/v1/admin/findings", "type", "duplicate_payment")
        path = f"/v1/admin/findings/{finding['finding_id']}"
        walk.admin.get(path).expect(200)
        walk.admin.post(f"{path}/{action}", body).expect(200)
        wait_until("no finding", 5, lambda: not walk.admin.get("/v1/admin/findings").json["data"])
    walk.owns(wallet="545.00")


@step("what the webhook cannot look up is carried by the queue, and credited")
def confirmation_queue(walk):
    order = walk.order("40", "queued").expect(201).json

    def pays_again(open_findings):
        walk.control("payments", {"session_id": order["checkout_url"].rsplit("/", 1)[1]})
        found = lambda: walk.admin.all("/v1/admin/findings")
        wait_until("the finding", QUEUE_SECONDS, lambda: len(found()) == open_findings)
        return found()

    def gives_back(finding):
        path = f"/v1/admin/findings/{finding['finding_id']}/refund"
        walk.admin.post(path, {"reason": "paid twice"}).expect(200)

    with walk.runner.without_the_table("PaymentWebhook"):
        pay(order, GOOD_CARD, shows="USD 40.00").expect(303)
        wait_until("the credit", QUEUE_SECONDS, lambda: walk.look_up(order)["status"] == "completed")
        [finding] = pays_again(1)
        told = walk.events("checkout.session.completed")[0]["id"]
        gives_back(finding)
        # Told again, and on its way before what comes next: it is seen that it went back.
        walk.control("webhooks/resend", {"event_id": told})
        pays_again(1)
        findings = pays_again(2)
    walk.owns(wallet="585.00")
    goes_on(walk.admin, "/v1/admin/findings")
    for finding in findings:
        gives_back(finding)


def paid_untold(walk, amount):
    """An order that is paid, and whose notice never arrives."""
    order = walk.order(amount, f"untold-{amount}").expect(201).json
    walk.control("webhooks", {"mode": "drop"})
    pay(order, GOOD_CARD, shows=f"USD {amount}.00").expect(303)
    walk.control("webhooks", {"mode": "deliver"})
    return order


@step("an order whose payment nobody told is found paid when it is cancelled")
def cancelled_too_late(walk):
    order = paid_untold(walk, "20")
    walk.api.post(f"/v1/orders/{order['order_id']}/cancel").expect(200, 409)
    must_be("the status", walk.look_up(order)["status"], "completed")
    walk.owns(wallet="605.00")


@step("the clock calls the sweep, the comparison with Stripe and the verification of every journal")
def clock(walk):
    # The sweep of a later walk asks the provider about it, when it was quiet for some minutes.
    walk.order("15", "left-open").expect(201)
    swept = walk.runner.invoke("reconcile", at_once(f"{today()}T12:00:00Z"))
    must_be("what could not be swept", swept["left"], 0)
    order = paid_untold(walk, "12")
    walk.runner.invoke("compare-payments", {"day": today()})
    must_be("the status of what was not told", walk.look_up(order)["status"], "completed")
    walk.owns(wallet="617.00")
    runs = walk.admin.get("/v1/admin/reconciliations").expect(200).json["data"]
    must_be("the comparison", [(run["status"], run["drift"]) for run in runs[:1]], [("finished", [])])
    walk.admin.get(f"/v1/admin/reconciliations/{runs[0]['run_id']}").expect(200)
    walk.runner.invoke("verify-accounts", {"round": "whole"})
    must_be("findings", walk.admin.get("/v1/admin/findings").expect(200).json["data"], [])


@step("accounts, keys and sessions of the console are made, listed and taken away")
def keys(walk):
    account = walk.ready["account_id"]
    path = f"/v1/admin/accounts/{account}"
    walk.admin.call("PUT", path, {"name": "Walker Ltd"}).expect(200)
    must_be("the name", walk.admin.get(path).expect(200).json["name"], "Walker Ltd")
    listed(walk.admin, "/v1/admin/accounts", "account_id", account)
    # Whoever does not say a currency gets the one that the deployment has for new accounts.
    opened, keyed = f"{account}-opened", f"{account}-keyed"
    walk.admin.call("PUT", f"/v1/admin/accounts/{opened}", {"name": "Another"}).expect(200)
    walk.admin.post("/v1/admin/api-keys", {"account_id": keyed, "name": "server"}, keyed).expect(201)
    for other in (opened, keyed):
        shown = walk.admin.get(f"/v1/admin/accounts/{other}").expect(200).json
        must_be("its currency", shown["currency"], PARAMETERS["Currency"])
    wanted = {"account_id": account, "name": "second server"}
    made = walk.admin.post("/v1/admin/api-keys", wanted, f"second-key-{account}").expect(201).json
    Client(walk.ready["base_url"], made["secret"]).get("/v1/balances").expect(200)
    listed(walk.admin, f"{path}/api-keys", "key_id", made["key_id"])
    walk.admin.get("/v1/admin/api-keys").expect(200)
    goes_on(walk.admin, f"{path}/api-keys")
    goes_on(walk.admin, "/v1/admin/accounts")
    key = f"/v1/admin/api-keys/{made['key_id']}"
    walk.admin.post(f"{key}/rotate", {}, f"rotate-key-{account}").expect(200, 201)
    walk.admin.call("DELETE", key).expect(200, 204)
    session = {"role": "customer", "account_id": account, "person": "Ann Lee"}
    made = walk.admin.post("/v1/admin/console-sessions", session, f"console-{account}").expect(201).json
    code = urllib.parse.parse_qs(urllib.parse.urlsplit(made["url"]).fragment)["code"][0]
    headers = {"Content-Type": "application/json"}
    url = f"{walk.ready['base_url']}/v1/console-tokens"
    token = fetch(url, "POST", headers, json.dumps({"code": code}).encode()).expect(201).json
    Client(walk.ready["base_url"], token["token"]).get("/v1/balances").expect(200)
    for path in ("/balances", "/thresholds", "/orders.csv", "/entries.csv"):
        walk.admin.get(f"/v1/admin/accounts/{account}{path}").expect(200)
    for path in ("/orders", "/entries"):
        goes_on(walk.admin, f"/v1/admin/accounts/{account}{path}")
        goes_on(walk.api, f"/v1{path}")
    walk.admin.get(f"/v1/admin/orders/{walk.top_up['order_id']}").expect(200)
    walk.api.get("/v1/balances", at=now(seconds_ago=1)).expect(200)
    for path in ("/v1/orders.csv", "/v1/entries.csv"):
        walk.api.get(path).expect(200)


@step("a browser is given the console's page and its files, and nothing else")
def console(walk):
    root = walk.ready["base_url"]
    page = fetch(f"{root}/").expect(200)
    must_be("what may run", "script-src 'self'" in page.headers["content-security-policy"], True)
    files = set(re.findall(r'"(/assets/[^"]+)"', page.text))
    must_be("a script and a style sheet", {file.rsplit(".", 1)[1] for file in files} >= {"js", "css"}, True)
    for file in sorted(files):
        plain = fetch(f"{root}{file}").expect(200)
        must_be("how long it is kept", plain.headers["cache-control"], "public, max-age=31536000, immutable")
        small = fetch(f"{root}{file}", headers={"Accept-Encoding": "gzip"}).expect(200)
        must_be("the coding", small.headers["content-encoding"], "gzip")
        must_be("what is in it", small.text, plain.text)
        fetch(f"{root}{file}/none").expect(404)


@step("the catalogue and the endpoints of the platform are set")
def settings(walk):
    catalogue = walk.admin.get("/v1/admin/catalogue").expect(200).json
    product = next(one for one in catalogue["products"] if one["product"] == "sms")
    product = {key: value for key, value in product.items() if key != "product"}
    for name in ("Text messages", product["name"]["en"]):
        named = {**product, "name": {**product["name"], "en": name}}
        walk.admin.call("PUT", "/v1/admin/products/sms", named).expect(200)
    account = walk.ready["account_id"]
    endpoint = "/v1/admin/endpoints/shop"
    walk.admin.call("PUT", endpoint, {"url": "https://shop.invalid/events"}).expect(200)
    walk.admin.post(f"{endpoint}/rotate", {}, f"rotate-endpoint-{account}").expect(200)
    walk.admin.post(f"{endpoint}/test", {}, f"try-endpoint-{account}").expect(200)
    # It is told of something, signed, and nobody is there.
    alerts(walk, "products/sms", "11.00")

    def tried():
        [shop] = walk.admin.get("/v1/admin/endpoints").expect(200).json["data"]
        return shop["failing_since"] is not None

    wait_until("an attempt", QUEUE_SECONDS, tried)
    walk.admin.call("DELETE", endpoint).expect(200, 204)
    # Those of this customer are younger than a quarter of an hour; those of an earlier walk need not be.
    events = walk.admin.get("/v1/events").expect(200).json["data"]
    must_be("young events", [one["id"] for one in events if account in json.dumps(one)], [])
    document = fetch(f"{walk.ready['base_url']}/v1/openapi.json").expect(200).json
    must_be("the document's version", document["openapi"][:4], "3.1.")


@step("the operator's command derives the account again, sweeps, and looks at what waits for a person")
def command(walk):
    verified = json.loads(walk.runner.admin("--json", "verify", "--account", walk.ready["account_id"]))
    must_be("what was verified", (verified["holds"], verified["broken"]), (True, []))
    must_be("what is left", json.loads(walk.runner.admin("--json", "reconcile"))["left"], 0)
    letters = json.loads(walk.runner.admin("--json", "dead-letters"))
    must_be("the queues", [one["queue"] for one in letters["queues"]], ["confirmation", "usage", "events"])


@step("the journal holds all of it, and no function asked for what its role does not allow")
def whole(walk):
    walk.is_journalled(len(walk.journal()))
    refused = walk.runner.log.refused() - walk.runner.known_refused
    must_be("what roles refused", sorted(line for _, line in refused), [])
    if sum(walk.balances.values()) <= Decimal(0):
        raise Wrong("there is no money")
