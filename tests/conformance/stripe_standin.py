"""Holds the stand-in for Stripe against the official Python client (stripe==16.0.1).

    python stripe_standin.py --provider http://127.0.0.1:8788 --secret-key sk_test_... \
        [--webhook-secret whsec_... --webhook-port 8799]

With the last two it also listens where the stand-in sends its webhooks, and checks their
signatures with the client's own `construct_event`. It leaves the controls as it found them.
"""

import argparse
import concurrent.futures
import http.server
import json
import queue
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid

import stripe

CARD = "4242424242424242"
DECLINED = "4000000000000002"
NO_FUNDS = "4000000000009995"
CONFIRMATION = "4000002500003155"


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


class Standin:
    """The stand-in: its API through the official client, its page and its controls by HTTP."""

    def __init__(self, address, secret_key):
        self.address = address.rstrip("/")
        self.client = stripe.StripeClient(
            secret_key, base_addresses={"api": self.address}, max_network_retries=0
        )
        self.opener = urllib.request.build_opener(NoRedirect)

    @property
    def sessions(self):
        return self.client.v1.checkout.sessions

    def order(self, amount=10000, currency="usd", **changes):
        name = {"name": 'Wallet <b>"top-up"</b>'}
        price = {"currency": currency, "unit_amount": amount, "product_data": name}
        order = {
            "mode": "payment",
            "line_items": [{"price_data": price, "quantity": 1}],
            "success_url": "http://127.0.0.1:1/done?session={CHECKOUT_SESSION_ID}",
            "cancel_url": "http://127.0.0.1:1/cancelled",
            "customer_email": "payer@example.com",
            "client_reference_id": "acct_1:ord_1",
            "expires_at": int(time.time()) + 3600,
            "metadata": {"account_id": "acct_1", "order_id": "ord_1"},
            "payment_intent_data": {
                "metadata": {"order_id": "ord_1"},
                "description": "Order ord_1",
            },
            "allowed_payment_method_types": ["card"],
            "adaptive_pricing": {"enabled": False},
            "locale": "en",
            "submit_type": "pay",
        }
        order.update(changes)
        return {name: value for name, value in order.items() if value is not None}

    def create(self, amount=10000, currency="usd", options=None, **changes):
        return self.sessions.create(self.order(amount, currency, **changes), options or {})

    def http(self, url, fields=None):
        body = None if fields is None else urllib.parse.urlencode(fields).encode()
        try:
            answer = self.opener.open(urllib.request.Request(url, data=body), timeout=30)
        except urllib.error.HTTPError as error:
            answer = error
        return answer.status, answer.headers, answer.read().decode()

    def pay(self, session, card=CARD, expiry="12/34", cvc="123", email="payer@example.com"):
        fields = {"email": email, "card_number": card, "expiry": expiry, "cvc": cvc}
        return self.http(session.url, fields)

    def control(self, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.address}/_control/{path}", data=data)
        request.add_header("content-type", "application/json")
        return json.load(urllib.request.urlopen(request, timeout=30))

    def faults(self, *kinds):
        self.control("faults", {"next": [{"kind": kind} for kind in kinds]})


class Listener:
    """Where webhooks arrive."""

    def __init__(self, port, secret):
        self.secret, self.arrived, self.refuse = secret, queue.Queue(), 0
        listener = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                listener.arrived.put((body, self.headers["stripe-signature"]))
                listener.refuse -= 1
                self.send_response(500 if listener.refuse >= 0 else 200)
                self.end_headers()

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()

    def clear(self):
        while not self.arrived.empty():
            self.arrived.get()

    def events(self, seconds):
        """All events that arrive within the time, verified by the official client."""
        until, events = time.time() + seconds, []
        while (left := until - time.time()) > 0:
            try:
                body, signature = self.arrived.get(timeout=left)
            except queue.Empty:
                break
            events.append(stripe.Webhook.construct_event(body, signature, self.secret))
        return events


CHECKS = []


def check(function):
    CHECKS.append(function)
    return function


def refusal(action, kind=stripe.InvalidRequestError):
    try:
        action()
    except kind as error:
        return error
    raise AssertionError("it was not refused")


def key():
    return {"idempotency_key": str(uuid.uuid4())}


@check
def create_and_retrieve(standin):
    session = standin.create()
    assert session.id.startswith("cs_test_") and session.object == "checkout.session"
    assert (session.status, session.payment_status, session.livemode) == ("open", "unpaid", False)
    assert (session.amount_total, session.currency) == (10000, "usd")
    assert session.metadata["order_id"] == "ord_1" and session.client_reference_id
    assert session.url == f"{standin.address}/pay/{session.id}" and session.payment_intent is None
    assert session.last_response.headers["request-id"].startswith("req_")
    again = standin.sessions.retrieve(session.id, {"expand": ["line_items"]})
    assert again.id == session.id and again.line_items.data[0].amount_total == 10000


@check
def every_documented_field_is_there(standin):
    session = standin.create()
    expected = {name for name in stripe.checkout.Session.__annotations__ if name[0].islower()}
    left_out = {"line_items", "name_collection", "optional_items", "managed_payments", "discount"}
    hosted_only = {"redirect_on_completion", "return_url", "tax_id_collection"}
    missing = expected - set(session.to_dict()) - left_out - hosted_only
    assert not missing, missing


@check
def expire(standin):
    session = standin.create()
    closed = standin.sessions.expire(session.id)
    assert closed.status == "expired" and closed.url is None
    error = refusal(lambda: standin.sessions.expire(session.id))
    assert error.http_status == 400 and "has a status of `expired`" in str(error)
    status, _, page = standin.http(session.url)
    assert status == 410 and "Expired" in page
    assert standin.pay(session)[0] == 410


@check
def idempotent_replay(standin):
    options, order = key(), standin.order()
    first = standin.sessions.create(order, options)
    assert "idempotent-replayed" not in first.last_response.headers
    second = standin.sessions.create(order, options)
    assert second.id == first.id
    assert second.last_response.headers["idempotent-replayed"] == "true"
    first_request = first.last_response.headers["request-id"]
    assert second.last_response.headers["original-request"] == first_request


@check
def the_same_key_with_other_parameters(standin):
    options = key()
    session = standin.create(options=options)
    error = refusal(lambda: standin.create(20000, options=options), stripe.IdempotencyError)
    assert error.http_status == 400 and error.error.type == "idempotency_error"
    other_path = lambda: standin.sessions.expire(session.id, {}, options)
    refusal(other_path, stripe.IdempotencyError)


@check
def a_refused_parameter_does_not_use_up_the_key(standin):
    options = key()
    refusal(lambda: standin.create(10, options=options))
    assert standin.create(options=options).status == "open"


@check
def a_key_in_use_is_a_conflict(standin):
    options, order = key(), standin.order()
    standin.faults("slow")
    with concurrent.futures.ThreadPoolExecutor() as pool:
        slow = pool.submit(standin.sessions.create, order, options)
        time.sleep(0.5)
        error = refusal(lambda: standin.sessions.create(order, options), stripe.StripeError)
        assert error.http_status == 409, error.http_status
        assert error.error.code == "idempotency_key_in_use"
        assert slow.result().status == "open"


@check
def parameters_are_checked(standin):
    order = standin.order()
    removed = {**order, "payment_method_types": ["card"]}
    error = refusal(lambda: standin.sessions.create(removed))
    assert (error.code, error.param) == ("parameter_unknown", "payment_method_types")
    for name in ("mode", "success_url", "line_items"):
        error = refusal(lambda: standin.create(**{name: None}))
        assert (error.code, error.param) == ("parameter_missing", name), error
    now = int(time.time())
    for seconds in (60, 90000):
        error = refusal(lambda: standin.create(expires_at=now + seconds))
        assert error.param == "expires_at" and error.http_status == 400
    assert refusal(lambda: standin.create(49)).code == "amount_too_small"
    assert refusal(lambda: standin.create(100_000_000)).code == "amount_too_large"
    assert refusal(lambda: standin.create("1.5")).code == "parameter_invalid_integer"
    assert refusal(lambda: standin.create(success_url="nowhere")).code == "url_invalid"
    assert refusal(lambda: standin.create(customer_email="nobody")).code == "email_invalid"
    refusal(lambda: standin.create(currency="zzz"))
    refusal(lambda: standin.create(metadata={str(number): "v" for number in range(51)}))
    refusal(lambda: standin.create(metadata={"k" * 41: "v"}))
    refusal(lambda: standin.create(metadata={"k": "v" * 501}))
    refusal(lambda: standin.create(client_reference_id="r" * 201))
    assert standin.create(5000, "jpy").amount_total == 5000
    assert standin.create(1500, "kwd").currency == "kwd"


@check
def keys_and_ids_are_checked(standin):
    stranger = Standin(standin.address, "sk_test_wrong_wrong_wrong")
    error = refusal(stranger.create, stripe.AuthenticationError)
    assert error.http_status == 401 and "wrong_wrong" not in str(error)
    error = refusal(lambda: standin.sessions.retrieve("cs_test_nobody"))
    assert error.http_status == 404 and error.code == "resource_missing"


@check
def pay_by_the_form(standin):
    session = standin.create()
    status, headers, page = standin.http(session.url)
    assert status == 200 and "USD 100.00" in page and "<b>" not in page
    status, headers, _ = standin.pay(session)
    done = f"http://127.0.0.1:1/done?session={session.id}"
    assert (status, headers["location"]) == (303, done)
    expand = {"expand": ["payment_intent.latest_charge.balance_transaction"]}
    paid = standin.sessions.retrieve(session.id, expand)
    assert (paid.status, paid.payment_status, paid.url) == ("complete", "paid", None)
    assert paid.customer_details.email == "payer@example.com"
    intent = paid.payment_intent
    charge, card = intent.latest_charge, intent.latest_charge.payment_method_details.card
    assert (intent.status, intent.amount_received) == ("succeeded", 10000)
    assert intent.metadata["order_id"] == "ord_1" and intent.description == "Order ord_1"
    assert (charge.paid, card.brand, card.last4) == (True, "visa", "4242")
    movement = charge.balance_transaction
    assert (movement.amount, movement.fee, movement.net) == (10000, 320, 9680)
    assert (movement.reporting_category, movement.source) == ("charge", charge.id)
    assert standin.client.v1.payment_intents.retrieve(intent.id).latest_charge == charge.id
    assert standin.client.v1.charges.retrieve(charge.id).payment_intent == intent.id
    status, _, page = standin.pay(session)
    assert status == 200 and "Already paid" in page
    refused = refusal(lambda: standin.sessions.expire(session.id))
    assert "has a status of `complete`" in str(refused)


@check
def mistakes_in_the_form_are_no_attempts(standin):
    session = standin.create()
    wrong = [
        ({"card": "4242424242424241"}, "incorrect_number"),
        ({"expiry": "01/20"}, "expired_card"),
        ({"expiry": "soon"}, "invalid_expiry"),
        ({"cvc": "1"}, "invalid_cvc"),
        ({"email": "nobody"}, "email_invalid"),
    ]
    for fields, code in wrong:
        status, _, page = standin.pay(session, **fields)
        assert status == 422 and f'data-code="{code}"' in page, (status, code)
        assert "4242424242424241" not in page
    assert standin.sessions.retrieve(session.id).payment_intent is None


@check
def declines_keep_the_form_and_the_payment_intent(standin):
    session, intents = standin.create(), set()
    for card, code in ((DECLINED, "generic_decline"), (NO_FUNDS, "insufficient_funds")):
        status, _, page = standin.pay(session, card)
        assert status == 402 and f'data-code="{code}"' in page and 'name="card_number"' in page
        open_one = standin.sessions.retrieve(
            session.id, {"expand": ["payment_intent.latest_charge"]}
        )
        intent = open_one.payment_intent
        assert open_one.status == "open" and intent.status == "requires_payment_method"
        assert intent.last_payment_error.decline_code == code
        assert intent.latest_charge.status == "failed"
        intents.add(intent.id)
    assert standin.pay(session)[0] == 303
    intents.add(standin.sessions.retrieve(session.id).payment_intent)
    assert len(intents) == 1


@check
def the_confirmation_step(standin):
    session = standin.create()
    status, _, page = standin.pay(session, CONFIRMATION)
    assert status == 200 and 'value="complete"' in page and 'value="fail"' in page
    status, _, page = standin.http(session.url, {"confirmation": "fail"})
    assert status == 402 and "unable to authenticate" in page
    standin.pay(session, CONFIRMATION)
    assert standin.http(session.url, {"confirmation": "complete"})[0] == 303
    assert standin.sessions.retrieve(session.id).payment_status == "paid"


@check
def a_double_submit_pays_once(standin):
    session = standin.create()
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: standin.pay(session)[0], range(8)))
    assert sorted(answers) == [200] * 7 + [303], answers
    intent = standin.sessions.retrieve(session.id).payment_intent
    charge = standin.client.v1.payment_intents.retrieve(intent).latest_charge
    movements = standin.client.v1.balance_transactions.list({"source": charge})
    assert len(movements.data) == 1


@check
def lists(standin):
    ids = [standin.create().id for _ in range(3)]
    page = standin.sessions.list({"limit": 2})
    assert [item.id for item in page.data] == [ids[2], ids[1]] and page.has_more
    rest = standin.sessions.list({"limit": 1, "starting_after": ids[1]})
    assert rest.data[0].id == ids[0]
    open_ones = standin.sessions.list({"status": "open", "limit": 3})
    assert [item.id for item in open_ones.data] == ids[::-1]
    seen = [item.id for item, _ in zip(page.auto_paging_iter(), range(3))]
    assert seen == ids[::-1]
    refusal(lambda: standin.sessions.list({"limit": 101}))
    refusal(lambda: standin.sessions.list({"colour": "red"}))


@check
def balance_transactions(standin):
    since = int(time.time())
    amounts = [1050, 500, 9999]
    for amount in amounts:
        assert standin.pay(standin.create(amount))[0] == 303
    listing = standin.client.v1.balance_transactions
    created = {"gte": since, "lt": since + 600}
    page = listing.list({"created": created, "limit": 3, "expand": ["data.source"]})
    assert [row.amount for row in page.data] == amounts[::-1]
    assert [row.fee for row in page.data] == [320, 45, 60]
    assert all(row.amount - row.fee == row.net for row in page.data)
    assert all(row.source.metadata["order_id"] == "ord_1" for row in page.data)
    rest = listing.list({"starting_after": page.data[1].id, "limit": 1})
    assert rest.data[0].id == page.data[2].id
    assert listing.list({"created": {"lt": since - 86400 * 365}}).data == []


@check
def events_are_listed(standin):
    session = standin.create()
    standin.pay(session)
    listed = standin.client.v1.events.list({"type": "checkout.session.completed", "limit": 1})
    event = listed.data[0]
    assert event.data.object.id == session.id and event.api_version == stripe.api_version
    assert standin.client.v1.events.retrieve(event.id).type == event.type


@check
def faults(standin):
    order, options = standin.order(), key()
    standin.faults("error_500")
    error = refusal(lambda: standin.sessions.create(order, options), stripe.APIError)
    assert error.http_status == 500
    error = refusal(lambda: standin.sessions.create(order, options), stripe.APIError)
    assert error.http_status == 500 and error.headers["idempotent-replayed"] == "true"

    newest = standin.sessions.list({"limit": 1}).data[0].id
    options = key()
    standin.faults("error_after")
    refusal(lambda: standin.sessions.create(order, options), stripe.APIError)
    assert standin.sessions.list({"limit": 1}).data[0].id != newest, "the effect happened"
    refusal(lambda: standin.sessions.create(order, options), stripe.APIError)

    options = key()
    standin.faults("lost_response")
    refusal(lambda: standin.sessions.create(order, options), stripe.APIConnectionError)
    created = standin.sessions.list({"limit": 1}).data[0].id
    replayed = standin.sessions.create(order, options)
    assert replayed.id == created
    assert replayed.last_response.headers["idempotent-replayed"] == "true"

    options = key()
    standin.faults("rate_limited")
    refusal(lambda: standin.sessions.create(order, options), stripe.RateLimitError)
    assert standin.sessions.create(order, options).status == "open"


@check
def requests_are_logged_without_secrets(standin):
    options = key()
    standin.create(options=options)
    logged = standin.control("requests")
    latest = logged["data"][-1]
    assert (latest["method"], latest["path"]) == ("POST", "/v1/checkout/sessions")
    assert latest["idempotency_key"] == options["idempotency_key"] and latest["status"] == 200
    assert latest["params"]["line_items[0][price_data][unit_amount]"] == "10000"
    assert "sk_test" not in json.dumps(logged) and CARD not in json.dumps(logged)


@check
def a_payment_that_differs(standin):
    session = standin.create()
    paid = standin.control(f"sessions/{session.id}/pay", {"amount": 7000, "currency": "eur"})
    assert paid["outcome"] == "paid"
    seen = standin.sessions.retrieve(session.id, {"expand": ["payment_intent"]})
    assert (seen.amount_total, seen.currency) == (7000, "eur")
    assert seen.payment_intent.amount_received == 7000


def paid(standin, amount=10000):
    """The payment intent of a session that is paid, with its charge."""
    session = standin.create(amount)
    assert standin.pay(session)[0] == 303
    expand = {"expand": ["payment_intent.latest_charge"]}
    return standin.sessions.retrieve(session.id, expand).payment_intent


def missing_fields(kind, shape, left_out):
    """What the client documents at the top level of an object, and this one has not."""
    names = {name for name in kind.__annotations__ if name[0].islower()}
    return names - set(shape.to_dict()) - left_out


def newest_events(standin, payment):
    """The types of the events about a payment's charge after it was made, oldest first."""
    events = standin.client.v1.events.list({"limit": 20}).data
    of_payment = lambda thing: getattr(thing, "payment_intent", None) == payment
    about = [event.type for event in reversed(events) if of_payment(event.data.object)]
    return [kind for kind in about if "refund" in kind or "dispute" in kind]


def is_refused(standin, path, body, status):
    try:
        standin.control(path, body)
    except urllib.error.HTTPError as error:
        assert error.code == status, error.code
        return json.load(error)["error"]
    raise AssertionError("it was not refused")


@check
def refunds(standin):
    intent, options = paid(standin), key()
    calls = standin.client.v1.refunds
    order = {
        "payment_intent": intent.id,
        "amount": 2500,
        "reason": "requested_by_customer",
        "metadata": {"refund_id": "ref_1"},
        "expand": ["balance_transaction", "charge"],
    }
    refund = calls.create(order, options)
    assert refund.id.startswith("re_") and refund.object == "refund"
    assert (refund.status, refund.amount, refund.currency) == ("succeeded", 2500, "usd")
    assert (refund.payment_intent, refund.reason) == (intent.id, "requested_by_customer")
    assert refund.metadata["refund_id"] == "ref_1"
    assert (refund.charge.amount_refunded, refund.charge.refunded) == (2500, False)
    other_kinds = {
        "customer",
        "customer_account",
        "description",
        "instructions_email",
        "next_action",
        "payment_method",
        "presentment_details",
    }
    only_then = {"failure_balance_transaction", "failure_reason", "pending_reason"}
    assert not missing_fields(stripe.Refund, refund, other_kinds | only_then)
    movement = refund.balance_transaction
    assert (movement.type, movement.reporting_category) == ("refund", "refund")
    assert (movement.amount, movement.fee, movement.net) == (-2500, 0, -2500)
    assert movement.fee_details == [] and movement.source == refund.id
    again = calls.create(order, options)
    assert again.id == refund.id
    assert again.last_response.headers["idempotent-replayed"] == "true"
    assert calls.retrieve(refund.id).amount == 2500
    rest = calls.create({"charge": intent.latest_charge.id})
    assert (rest.amount, rest.reason, rest.metadata.to_dict()) == (7500, None, {})
    for filters in ({"payment_intent": intent.id}, {"charge": intent.latest_charge.id}):
        assert [row.id for row in calls.list(filters).data] == [rest.id, refund.id]
    charge = standin.client.v1.charges.retrieve(intent.latest_charge.id)
    assert (charge.amount_refunded, charge.refunded) == (10000, True)
    assert newest_events(standin, intent.id) == ["refund.created", "charge.refunded"] * 2


@check
def refused_refunds(standin):
    calls, intent, options = standin.client.v1.refunds, paid(standin), key()
    refused = lambda order: refusal(lambda: calls.create(order))
    assert refused({"amount": 1}).code == "parameter_missing"
    refused({"payment_intent": intent.id, "charge": intent.latest_charge.id})
    error = refused({"payment_intent": intent.id, "amount": 0})
    assert (error.code, error.param) == ("parameter_invalid_integer", "amount")
    assert refused({"payment_intent": intent.id, "colour": "red"}).code == "parameter_unknown"
    assert refused({"payment_intent": intent.id, "reason": "mood"}).param == "reason"
    for kind in ("payment_intent", "charge"):
        error = refused({kind: "nobody"})
        assert (error.http_status, error.code) == (404, "resource_missing")
    unpaid = standin.create()
    standin.pay(unpaid, DECLINED)
    unpaid = standin.sessions.retrieve(unpaid.id, {"expand": ["payment_intent"]}).payment_intent
    assert refused({"payment_intent": unpaid.id}).http_status == 400
    assert refused({"charge": unpaid.latest_charge}).http_status == 400
    too_much = lambda: calls.create({"payment_intent": intent.id, "amount": 10001}, options)
    error = refusal(too_much)
    assert error.http_status == 400
    message = "Refund amount ($100.01) is greater than unrefunded amount on charge ($100.00)"
    assert error.user_message == message, error.user_message
    assert refusal(too_much).headers["idempotent-replayed"] == "true"
    calls.create({"payment_intent": intent.id})
    assert refused({"payment_intent": intent.id}).code == "charge_already_refunded"


@check
def refunds_by_the_controls(standin):
    calls, intent = standin.client.v1.refunds, paid(standin)
    payment = {"payment_id": intent.id}
    made = standin.control("refunds", {**payment, "amount": 4000, "status": "pending"})["refund"]
    assert (made["status"], made["balance_transaction"]) == ("pending", None)
    standin.control(f"refunds/{made['id']}", {"status": "succeeded"})
    standin.control(f"refunds/{made['id']}", {"status": "failed"})
    failed = calls.retrieve(made["id"], {"expand": ["failure_balance_transaction"]})
    assert (failed.status, failed.failure_reason) == ("failed", "declined")
    back = failed.failure_balance_transaction
    assert (back.type, back.reporting_category) == ("refund_failure", "refund_failure")
    assert (back.amount, back.net, back.source) == (4000, 4000, failed.id)
    all_of_it = standin.control("refunds", payment)["refund"]
    assert (all_of_it["amount"], all_of_it["reason"]) == (10000, None)
    assert newest_events(standin, intent.id) == [
        "refund.created",
        "charge.refunded",
        "refund.updated",
        "refund.failed",
        "refund.updated",
        "refund.created",
        "charge.refunded",
    ]
    assert is_refused(standin, "refunds", payment, 422) == "charge_already_refunded"
    is_refused(standin, "refunds", {"payment_id": "pi_nobody"}, 404)
    is_refused(standin, "refunds/re_nobody", {"status": "failed"}, 404)
    is_refused(standin, f"refunds/{failed.id}", {"status": "succeeded"}, 422)
    other = paid(standin)
    standin.control("refund_status", {"next": ["pending", "failed"]})
    statuses = [calls.create({"charge": other.latest_charge.id, "amount": 1}) for _ in range(3)]
    assert [refund.status for refund in statuses] == ["pending", "failed", "succeeded"]
    canceled = standin.control(f"refunds/{statuses[0].id}", {"status": "canceled"})
    assert canceled["refund"]["status"] == "canceled"
    assert standin.client.v1.charges.retrieve(other.latest_charge.id).amount_refunded == 1


@check
def disputes(standin):
    calls, intent = standin.client.v1.disputes, paid(standin)
    payment = {"payment_id": intent.id}
    opened = standin.control("disputes", {**payment, "outcome": "open"})["dispute"]
    dispute = calls.retrieve(opened["id"])
    assert dispute.id.startswith("dp_") and dispute.object == "dispute"
    assert (dispute.status, dispute.reason) == ("needs_response", "fraudulent")
    assert (dispute.amount, dispute.charge) == (10000, intent.latest_charge.id)
    assert not missing_fields(stripe.Dispute, dispute, set())
    evidence = missing_fields(stripe.Dispute.Evidence, dispute.evidence, set())
    assert not evidence, evidence
    (taken,) = dispute.balance_transactions
    assert (taken.type, taken.reporting_category) == ("adjustment", "dispute")
    assert (taken.amount, taken.fee, taken.net) == (-10000, 1500, -11500)
    assert taken.source == dispute.id
    refused = refusal(lambda: standin.client.v1.refunds.create({"payment_intent": intent.id}))
    assert (refused.http_status, refused.code) == (400, "charge_disputed")
    is_refused(standin, "refunds", payment, 422)
    is_refused(standin, "disputes", {**payment, "outcome": "open"}, 422)
    is_refused(standin, "disputes", {"payment_id": "pi_nobody", "outcome": "open"}, 404)
    assert standin.client.v1.charges.retrieve(dispute.charge).disputed is True
    standin.control(f"disputes/{dispute.id}", {"outcome": "won"})
    (won,) = calls.list({"payment_intent": intent.id}).data
    assert won.status == "won" and calls.list({"charge": won.charge}).data == [won]
    back = won.balance_transactions[1]
    assert (back.reporting_category, back.net) == ("dispute_reversal", 10000)
    names = ["created", "funds_withdrawn", "funds_reinstated", "closed"]
    assert newest_events(standin, intent.id) == [f"charge.dispute.{name}" for name in names]
    is_refused(standin, f"disputes/{dispute.id}", {"outcome": "lost"}, 422)
    lost = {"payment_id": paid(standin).id, "outcome": "lost", "amount": 3000}
    assert standin.control("disputes", lost)["dispute"]["status"] == "lost"
    inquiry = {"payment_id": paid(standin).id, "outcome": "won", "inquiry": True}
    inquiry = standin.control("disputes", inquiry)["dispute"]
    assert (inquiry["status"], inquiry["balance_transactions"]) == ("warning_closed", [])


@check
def movements_of_every_kind_show_their_source(standin):
    intent = paid(standin)
    standin.client.v1.refunds.create({"payment_intent": intent.id, "amount": 100})
    standin.control("disputes", {"payment_id": intent.id, "outcome": "open", "amount": 9900})
    listing = standin.client.v1.balance_transactions
    page = listing.list({"limit": 3, "expand": ["data.source"]})
    assert [row.source.object for row in page.data] == ["dispute", "refund", "charge"]
    page = listing.list({"limit": 3, "expand": ["data.source.charge"]})
    dispute, refund, charge = [row.source for row in page.data]
    assert dispute.charge.id == refund.charge.id == charge.id == intent.latest_charge.id
    assert refund.charge.metadata["order_id"] == "ord_1"
    types = [row.source for row in listing.list({"type": "refund", "limit": 1}).data]
    assert types == [refund.id]


def webhooks_are_signed_and_stable(standin, listener):
    listener.clear()
    session = standin.create()
    standin.pay(session)
    kinds = {event.type: event for event in listener.events(1)}
    assert {"charge.succeeded", "payment_intent.succeeded"} <= set(kinds), list(kinds)
    event = kinds["checkout.session.completed"]
    assert event.data.object.id == session.id and event.api_version == stripe.api_version
    assert event.pending_webhooks == 1 and event.livemode is False
    assert standin.client.v1.events.retrieve(event.id).pending_webhooks == 0


def refused_webhooks_are_tried_again(standin, listener):
    listener.clear()
    session = standin.create()
    listener.refuse = 2
    standin.sessions.expire(session.id)
    events = listener.events(4.5)
    assert [event.type for event in events] == ["checkout.session.expired"] * 3
    assert len({event.id for event in events}) == 1


def the_modes(standin, listener):
    kinds = lambda seconds: [event.type for event in listener.events(seconds)]
    expired = "checkout.session.expired"
    listener.clear()
    try:
        standin.control("webhooks", {"mode": "drop"})
        standin.sessions.expire(standin.create().id)
        assert kinds(1) == []
        standin.control("webhooks/resend", {"times": 2})
        assert kinds(1) == [expired] * 2
        standin.control("webhooks", {"mode": "duplicate"})
        standin.sessions.expire(standin.create().id)
        assert kinds(2) == [expired] * 3
        standin.control("webhooks", {"mode": "delay", "delay_seconds": 2})
        standin.sessions.expire(standin.create().id)
        assert kinds(1) == [] and kinds(2) == [expired]
        standin.control("webhooks", {"mode": "reorder"})
        standin.pay(standin.create())
        assert kinds(2) == [
            "checkout.session.completed",
            "payment_intent.succeeded",
            "charge.succeeded",
        ]
        standin.sessions.expire(standin.create().id)
        assert kinds(1) == []
    finally:
        standin.control("webhooks", {"mode": "deliver"})
    assert kinds(1) == [expired]


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--provider", required=True)
    options.add_argument("--secret-key", required=True)
    options.add_argument("--webhook-secret")
    options.add_argument("--webhook-port", type=int)
    options = options.parse_args()
    standin = Standin(options.provider, options.secret_key)
    checks = [(function, (standin,)) for function in CHECKS]
    if options.webhook_secret and options.webhook_port:
        listener = Listener(options.webhook_port, options.webhook_secret)
        # What earlier checks left undelivered would otherwise arrive in the middle of these.
        standin.control("webhooks/resend", {})
        listener.events(2)
        for function in (
            webhooks_are_signed_and_stable,
            refused_webhooks_are_tried_again,
            the_modes,
        ):
            checks.append((function, (standin, listener)))
    failed = 0
    for function, arguments in checks:
        try:
            function(*arguments)
        except Exception as error:  # each check is reported, whatever went wrong in it
            failed += 1
            print(f"FAILED {function.__name__}: {type(error).__name__}: {error}")
    print(f"{len(checks) - failed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
