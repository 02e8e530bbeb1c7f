"""What each function is asked while it is measured.

Who changes something is asked for a new change each time, but for `deliver-event`, which is told of an event that nobody
wants, since an endpoint must be somewhere on the internet. Whatever must be there before (an order to be cancelled, a code
to be exchanged) is made through the local runner, which is not measured.
"""

import hashlib
import hmac
import itertools
import json
import re
import time
import uuid

import walk
from runtime import authorizer_event, example, http_event, queue_event

ACCOUNT = "demo"
TABLE = "topup-local"
CARD = {"target": "wallet", "method": "card", "amount": "10.00"}
OFFLINE = {"target": "wallet", "method": "offline", "currency": "USD", "amount": "100.00"}
USE = {"product": "sms", "amount": "1.00"}
REASON = {"reason": "measured"}
STATEMENT_COLUMNS = "booked_on,amount,currency,bank_reference,payer_name,information"
# An account holds at most a hundred at once: so many are made before all are released.
HOLDS_AT_ONCE = 50


class Questions:
    """For each function an event of its own at each call, and what says that the answer is the right one."""

    def __init__(self, ready, webhook_secret):
        self.ready, self.webhook_secret = ready, webhook_secret.encode()
        self.customer = walk.Client(ready["base_url"], ready["customer_key"])
        self.operator = walk.Client(ready["base_url"], ready["operator_key"])
        self.numbers = itertools.count()
        # What the authorizer says of the two keys, once it was asked.
        self.contexts = {}

    def prepare(self):
        """The customer has something to move and to use, and has paid by card."""
        for balance in ("wallet", "product:sms"):
            gift = {"balance": balance, "amount": "1000.00", **REASON}
            self.operator.post(f"/v1/admin/accounts/{ACCOUNT}/adjustments", gift, balance).expect(201)
        self.paid()
        self.stated = self.made(OFFLINE)["transfer_instructions"]["reference_code"]
        self.sms = self.operator.get("/v1/admin/catalogue").expect(200).json["products"]
        self.sms = next(product for product in self.sms if product.pop("product") == "sms")
        # The API lists events after a quarter of an hour.
        self.event_id = re.search(r"evt_[0-9a-hjkmnp-tv-z]{20}", self.table("Scan", {}))[0]

    def table(self, operation, asked):
        """What the table answers, as text."""
        headers = {
            "Content-Type": "application/x-amz-json-1.0",
            "X-Amz-Target": f"DynamoDB_20120810.{operation}",
            # The embedded table looks at no signature.
            "Authorization": "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/dynamodb/aws4_request, "
            "SignedHeaders=host;x-amz-date, Signature=0",
            "X-Amz-Date": time.strftime("%Y%m%dT%H%M%SZ", time.gmtime()),
        }
        body = json.dumps({"TableName": TABLE, **asked}).encode()
        return walk.fetch(self.ready["table_url"], "POST", headers, body).expect(200).text

    def made(self, order):
        return self.customer.post("/v1/orders", order, str(uuid.uuid4())).expect(201).json

    def paid(self):
        """An order as it is after its payment by card."""
        order = self.made(CARD)
        walk.pay(order, walk.GOOD_CARD, f"USD {CARD['amount']}")
        path = f"/v1/orders/{order['order_id']}"

        def credited():
            seen = self.customer.get(path).expect(200).json
            return seen if seen["status"] == "completed" else None

        return walk.wait_until("the credit", 10, credited)

    def of(self, function):
        """What makes an event for this function, and whether an answer is the right one."""
        return getattr(self, f"ask_{function.replace('-', '_')}"), RIGHT.get(function, with_status(200))

    # Customers.

    def ask_create_order(self):
        return self.asked_by("customer", "POST", "/v1/orders", {}, CARD)

    def ask_cancel_order(self):
        return self.about(self.made(CARD), "customer", "cancel")

    def ask_report_transfer(self):
        report = {"payer_name": "Li", "bank_reference": "W", "paid_on": time.strftime("%F", time.gmtime()), "amount": "100.00"}
        return self.about(self.made(OFFLINE), "customer", "transfer-report", report)

    def ask_transfer(self):
        return self.asked_by("customer", "POST", "/v1/transfers", {}, USE)

    def ask_charge(self):
        return self.asked_by("customer", "POST", "/v1/charges", {}, USE)

    def ask_hold(self):
        if next(self.numbers) % HOLDS_AT_ONCE == HOLDS_AT_ONCE - 1:
            for hold in self.customer.get("/v1/holds", status="open", limit=100).expect(200).json["data"]:
                self.customer.post(f"/v1/holds/{hold['hold_id']}/release", {}).expect(200)
        return self.asked_by("customer", "POST", "/v1/holds", {}, {**USE, "expires_in": 900})

    def ask_set_thresholds(self):
        below = f"{next(self.numbers) + 1}.00"
        return self.asked_by("customer", "PUT", "/v1/wallet/thresholds", {}, {"alert_below": below})

    def ask_query_orders(self):
        return self.asked_by("customer", "GET", "/v1/balances")

    # Operators.

    def ask_query_accounts(self):
        return self.asked_by("operator", "GET", "/v1/admin/accounts/{account_id}", {"account_id": ACCOUNT})

    def ask_review_order(self):
        return self.about(self.made(OFFLINE), "operator", "reject", REASON)

    def ask_refund_order(self):
        return self.about(self.paid(), "operator", "refunds", {"amount": CARD["amount"], **REASON})

    def ask_adjust_balance(self):
        gift = {"balance": "wallet", "amount": "1.00", **REASON}
        route = "/v1/admin/accounts/{account_id}/adjustments"
        return self.asked_by("operator", "POST", route, {"account_id": ACCOUNT}, gift)

    def ask_resolve_finding(self):
        """Of a payment with another amount than its order's."""
        event = paid_event(self.made(CARD), "11.00")
        headers = {"Content-Type": "application/json", **self.signed(event)}
        url = f"{self.ready['base_url']}/v1/webhooks/stripe"
        walk.fetch(url, "POST", headers, json.dumps(event).encode()).expect(200)
        payment = event["data"]["object"]["payment_intent"]
        found = self.operator.get("/v1/admin/findings", limit=100).expect(200).json["data"]
        finding = next(one for one in found if one["payment_id"] == payment)
        parameters = {"finding_id": finding["finding_id"]}
        return self.asked_by("operator", "POST", "/v1/admin/findings/{finding_id}/resolve", parameters, REASON)

    def ask_import_statement(self):
        """A statement of one line, which is the transfer for an order."""
        line = f"{time.strftime('%F', time.gmtime())},100.00,USD,{uuid.uuid4().hex},Li,{self.stated}"
        return self.asked_by("operator", "POST", "/v1/admin/statements", {}, f"{STATEMENT_COLUMNS}\n{line}\n")

    def ask_configure(self):
        named = {**self.sms, "name": {**self.sms["name"], "en": f"SMS {next(self.numbers)}"}}
        return self.asked_by("operator", "PUT", "/v1/admin/products/{product}", {"product": "sms"}, named)

    def ask_manage_endpoints(self):
        """Of an endpoint that is told of what does not happen here."""
        wanted = {"url": f"https://shop.invalid/{next(self.numbers)}", "types": ["order.failed"]}
        return self.asked_by("operator", "PUT", "/v1/admin/endpoints/{endpoint_id}", {"endpoint_id": "shop"}, wanted)

    def ask_manage_accounts(self):
        wanted = {"account_id": ACCOUNT, "name": f"server {next(self.numbers)}"}
        return self.asked_by("operator", "POST", "/v1/admin/api-keys", {}, wanted)

    # Everybody.

    def ask_exchange_code(self):
        wanted = {"role": "customer", "account_id": ACCOUNT, "person": "measured"}
        session = self.operator.post("/v1/admin/console-sessions", wanted, str(uuid.uuid4()))
        code = session.expect(201).json["url"].rsplit("=", 1)[1]
        return asked("POST", "/v1/console-tokens", {}, {"code": code})

    def ask_payment_webhook(self):
        event = paid_event(self.made(CARD), CARD["amount"])
        return asked("POST", "/v1/webhooks/stripe", {}, event, headers=self.signed(event))

    def ask_describe_api(self):
        return asked("GET", "/v1/openapi.json")

    def ask_console(self):
        return asked("GET", "/")

    ask_hello_world = ask_console

    def ask_authorizer(self):
        return authorizer_event(self.ready["customer_key"])

    # Queues and the clock.

    def ask_confirm_payment(self):
        order = self.made(CARD)
        paid = {"kind": "paid", "payment_id": f"pi_{uuid.uuid4().hex}", "amount": CARD["amount"], "currency": "USD"}
        notice = {"id": f"evt_{uuid.uuid4().hex}", "account_id": ACCOUNT, "order_id": order["order_id"]}
        return queue_event(json.dumps({**notice, "what": {**paid, "paid_at": int(time.time() * 1000)}}))

    def ask_meter_usage(self):
        return queue_event(json.dumps({"charges": [{"key": str(uuid.uuid4()), "account_id": ACCOUNT, **USE}]}))

    def ask_deliver_event(self):
        """Of an event that no endpoint wants: one that could be told must be somewhere on the internet."""
        return queue_event(json.dumps({"event_id": self.event_id}))

    def ask_compare_payments(self):
        return example("schedule")

    ask_reconcile = ask_verify_accounts = ask_compare_payments

    def signed(self, event):
        """The header by which the provider says that this is its event."""
        at = int(time.time())
        signature = hmac.new(self.webhook_secret, f"{at}.{json.dumps(event)}".encode(), hashlib.sha256)
        return {"stripe-signature": f"t={at},v1={signature.hexdigest()}"}

    def about(self, order, who, what, body=None):
        """What becomes of an order."""
        admin = "admin/" if who == "operator" else ""
        parameters = {"order_id": order["order_id"]}
        return self.asked_by(who, "POST", f"/v1/{admin}orders/{{order_id}}/{what}", parameters, body)

    def asked_by(self, who, method, route, parameters=None, body=None):
        return asked(method, route, parameters, body, self.contexts[who])


def paid_event(order, amount):
    """A card paid for an order, as the provider tells it."""
    return {
        "id": f"evt_{uuid.uuid4().hex}",
        "object": "event",
        "api_version": "2026-09-30.endive",
        "created": int(time.time()),
        "livemode": False,
        "type": "checkout.session.completed",
        "data": {"object": {
            "id": f"cs_test_{uuid.uuid4().hex}",
            "object": "checkout.session",
            "amount_total": int(amount.replace(".", "")),
            "currency": "usd",
            "payment_intent": f"pi_{uuid.uuid4().hex}",
            "payment_status": "paid",
            "status": "complete",
            "metadata": {"topup_stage": "local", "account_id": ACCOUNT, "order_id": order["order_id"]},
        }},
    }


def asked(method, route, parameters=None, body=None, context=None, headers=None):
    headers = {"idempotency-key": str(uuid.uuid4()), "accept-encoding": "gzip", **(headers or {})}
    if body is not None:
        is_file = isinstance(body, str)
        headers["content-type"] = "text/csv" if is_file else "application/json"
        body = body if is_file else json.dumps(body)
    parameters = parameters or {}
    return http_event(method, route, route.format(**parameters), context, body, parameters, headers)


def with_status(status):
    return lambda answer: answer["statusCode"] == status


def taken(answer):
    return answer == {"batchItemFailures": []}


MADE = with_status(201)
RIGHT = {
    "create-order": MADE,
    "transfer": MADE,
    "charge": MADE,
    "hold": MADE,
    "refund-order": MADE,
    "adjust-balance": MADE,
    "exchange-code": MADE,
    "import-statement": MADE,
    "manage-accounts": MADE,
    "payment-webhook": lambda answer: json.loads(answer["body"])["outcome"] == "credited",
    "confirm-payment": taken,
    "meter-usage": taken,
    "deliver-event": taken,
    "authorizer": lambda answer: answer["isAuthorized"],
    "compare-payments": lambda answer: True,
    "reconcile": lambda answer: True,
    "verify-accounts": lambda answer: True,
}
