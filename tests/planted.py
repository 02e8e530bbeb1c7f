"""Shows that the tests can fail: plants one defect after the other, and says what caught it.

    python3 tests/planted.py [--list] [--sample] [--only NAME ...]

Each defect is planted in a copy of the workspace below target/planted. There the simulation of
tests/src/simulation runs, always with the same seeds, and stops at the first thing that must not
be. What it lets pass is tried with the one other test that the defect names, if it names one. The
first row is the copy without a defect, which must pass all of it.

Prints a table in Markdown. Exits non-zero if a defect is caught by nothing, does not compile, or
has lost its place in the code. Needs Rust, git, Python 3.9 or later, and nothing else.
"""

import argparse
import fcntl
import os
import pathlib
import re
import signal
import subprocess
import sys
import time
from dataclasses import dataclass

ROOT = pathlib.Path(__file__).resolve().parent.parent
COPY = ROOT / "target" / "planted"
# Its own: cargo gives a workspace and its copy the same names for what it builds.
TARGET = ROOT / "target" / "planted-build"

FIRST_SEED = 0
OPERATIONS = 12_000
# Short histories: each has its own weather.
OPERATIONS_PER_HISTORY = 500
# Longer than anything but a program that does not end.
RUN_SECONDS = 600
ENDLESS = f"does not end within {RUN_SECONDS} s"
SHOWN_CHARACTERS = 120


@dataclass(frozen=True)
class Defect:
    """Something wrong, and where: in each file the first text stands once, and becomes the second.

    A test is what comes after `cargo test`, for what the simulation cannot see.
    """

    name: str
    meaning: str
    edits: "tuple[tuple[str, str, str], ...]"
    test: str = ""


def story(name):
    return f"-p tests --test stories -- --exact {name}"


ADDRESS = "shared/service/src/delivery/address.rs"
COMMIT = "shared/service/src/table/commit.rs"
DELIVERY = "shared/service/src/delivery/mod.rs"
ENDPOINTS = "shared/service/src/endpoints.rs"
THRESHOLD = "shared/ledger/src/threshold.rs"
READ = "shared/service/src/table/read.rs"
LISTS = "shared/service/src/table/lists.rs"
CLAIM = "shared/service/src/table/items/payment.rs"
ORDERS = "shared/service/src/orders.rs"
PAGES = "shared/service/src/pages.rs"
SWEEP = "shared/service/src/sweep.rs"
TRANSFERS = "shared/service/src/transfers.rs"
PAYMENTS = "shared/service/src/payments.rs"
CANCELLATIONS = "shared/service/src/cancellations.rs"
WEBHOOK = "shared/service/src/webhook.rs"
STRIPE = "shared/service/src/stripe/client.rs"
EVENT = "shared/service/src/stripe/event.rs"
SIGNATURE = "shared/service/src/stripe/signature.rs"
REFUNDS = "shared/service/src/refunds.rs"
CONFIRM = "functions/confirm-payment/src/lib.rs"
ACCOUNT = "shared/ledger/src/account.rs"
CREDIT = "shared/ledger/src/credit.rs"
ACCEPT = "shared/ledger/src/accept.rs"
BANK = "shared/ledger/src/bank.rs"
REVIEWS = "shared/service/src/reviews.rs"
STATEMENT = "shared/ledger/src/statement.rs"
CREDITED = "shared/service/src/statements/credited.rs"
REFERENCES = "shared/service/src/statements/references.rs"
CAMT = "shared/service/src/statements/camt/mod.rs"
BANK_TRANSFERS = "shared/service/src/bank_transfers.rs"
CONSOLE = "shared/service/src/console.rs"
API_KEYS = "shared/service/src/api_keys.rs"
REVERSAL = "shared/ledger/src/reversal.rs"
REFUND = "shared/ledger/src/refund.rs"
DISPUTE = "shared/ledger/src/dispute.rs"
ADJUSTMENTS = "shared/service/src/adjustments.rs"
JOURNAL = "shared/ledger/src/journal.rs"
ORDER = "shared/ledger/src/order.rs"
SETTLE = "shared/ledger/src/settle.rs"
FINDING_STATE = "shared/ledger/src/finding_state.rs"
CREDIT_SUM = "shared/ledger/src/credit_sum.rs"
VERIFY = "shared/ledger/src/verify.rs"
VERIFICATION = "shared/service/src/verification.rs"
TRANSFER = "shared/ledger/src/transfer.rs"
SPENDING = "shared/ledger/src/spending.rs"
CHARGE = "shared/ledger/src/charge.rs"
HOLD = "shared/ledger/src/hold.rs"
CHARGES = "shared/service/src/charges.rs"
METER = "functions/meter-usage/src/lib.rs"

# A refused transfer that does not look for its order a second time.
REFUSED_AT_ONCE = (
    TRANSFERS,
    """\
                Err(refused) => match self.table.order(&wanted.order_id).await? {
                    Some(record) => return again(account_id, wanted, record),
                    None => return Err(refused),
                },
""",
    """\
                Err(refused) => return Err(refused),
""",
)

DEFECTS = [
    # The one commit.
    Defect(
        "no-version-condition",
        "an account or order is replaced whatever its version is",
        ((
            COMMIT,
            """\
            Guard::Version(version) => put
                .condition_expression("version = :seen")
                .expression_attribute_values(":seen", AttributeValue::N(version.to_string())),
""",
            """\
            Guard::Version(_) => put,
""",
        ),),
    ),
    Defect(
        "no-absent-condition",
        "the claim of a payment, an entry or a new order is put over the one that is there",
        ((
            COMMIT,
            'Guard::Absent => put.condition_expression("attribute_not_exists(pk)"),',
            "Guard::Absent => put,",
        ),),
    ),
    Defect(
        "silence-is-success",
        "a commit that was not answered is taken for done",
        ((
            COMMIT,
            "None => Err(unavailable(error).into()),",
            "None => Ok(Committed::Yes),",
        ),),
    ),
    Defect(
        "account-before-document",
        "a refused commit is decoded account first, and a refusal does not ask for the order again",
        (
            (
                COMMIT,
                """\
    if let Some(reason) = reasons.iter().take(documents).find(failed) {
""",
                """\
    let last = reasons.iter().skip(documents).rfind(failed).and_then(CancellationReason::item);
    if let Some(item) = last.filter(|item| items::kind(item) == items::AccountItem::SORT_KEY) {
        return Ok(Stale::Account(Box::new(items::to_account(item.clone())?)));
    }
    if let Some(reason) = reasons.iter().take(documents).find(failed) {
""",
            ),
            REFUSED_AT_ONCE,
        ),
    ),
    Defect(
        "completed-without-money",
        "an order is completed and its payment claimed, without the entry and the account",
        ((PAYMENTS, "Ok(Step::Commit(commit.decision(&decision), Confirmed::Credited))", "Ok(Step::Commit(commit, Confirmed::Credited))"),),
    ),
    # Reads.
    Defect(
        "rule-before-document",
        "a repeated transfer is decided before its order is looked at: `insufficient`",
        (
            (
                TRANSFERS,
                """\
            if let Some(record) = seen.order {
                return again(account_id, wanted, record);
            }
""",
                "",
            ),
            REFUSED_AT_ONCE,
        ),
    ),
    Defect(
        "torn-read",
        "a transfer is refused without asking for its order once more",
        (REFUSED_AT_ONCE,),
    ),
    Defect(
        "unprocessed-is-absent",
        "keys that DynamoDB left unprocessed count as items that are not there",
        ((
            READ,
            "keys = left.remove(&self.name).map(|left| left.keys).unwrap_or_default();",
            "keys = left.remove(&self.name).map(|_| Vec::new()).unwrap_or_default();",
        ),),
    ),
    Defect(
        "owner-not-checked",
        "an order is shown and cancelled for whoever knows its id",
        ((READ, ".filter(|record| record.order.account == *account);", ";"),),
    ),
    Defect(
        "list-not-sorted",
        "Order Details come in whatever order a batch read has",
        ((
            LISTS,
            "orders.sort_by_key(|record| Reverse((record.order.created_at, record.order.id.clone())));",
            "orders.sort_by_key(|_| Reverse(0));",
        ),),
    ),
    Defect(
        "list-ends-too-soon",
        "a page of an index on which nothing is shown yet ends the list",
        ((
            LISTS,
            "        Ok(Keys { found: found.collect(), next })",
            """\
        let found: Vec<_> = found.collect();
        let next = found.last().and(next);
        Ok(Keys { found, next })""",
        ),),
    ),
    Defect(
        "list-skips-accounts",
        "where a page of the accounts starts, its shard gives one key less than the others",
        ((
            LISTS,
            "..listing }, None, limit.saturating_add(1))",
            "..listing }, None, limit)",
        ),),
        story("offline::accounts::accounts_are_listed_newest_first_over_pages"),
    ),
    Defect(
        "eventually-consistent",
        "a balance is read from a replica that may be behind",
        ((READ, "request.consistent_read(true).send()", "request.consistent_read(false).send()"),),
        story("wire::every_use_case_costs_what_the_architecture_says"),
    ),
    # Races.
    Defect(
        "stale-account-again",
        "after a lost race the same account is decided on again",
        (
            (TRANSFERS, "seen.account = Some(*account);", "drop(account);"),
            (
                TRANSFERS,
                """\
                    pause_before_retry(tries).await;
                    seen = self.table.seen(&wanted.order_id, account_id).await?;
""",
                """\
                    pause_before_retry(tries).await;
""",
            ),
        ),
    ),
    Defect(
        "stale-balances",
        "after a lost race only version and journal are taken over, not the balances",
        ((
            TRANSFERS,
            "seen.account = Some(*account);",
            "seen.account = seen.account.map(|old| ledger::Account {"
            " balances: old.balances, ..*account });",
        ),),
    ),
    Defect(
        "page-over-cancel",
        "whoever stores a payment page writes over what others wrote meanwhile",
        ((
            PAGES,
            "Committed::No(Stale::Order(current)) => return Ok(*current),",
            """\
Committed::No(Stale::Order(current)) => {
                let record = OrderRecord { version: current.version, ..record };
                return Box::pin(stored(table, record, now)).await;
            }""",
        ),),
    ),
    # Idempotency.
    Defect(
        "key-reuse-of-transfer",
        "a key that made a transfer answers for any other transfer",
        ((TRANSFERS, "match same {", "match same || order.method == Method::Balance {"),),
    ),
    Defect(
        "key-reuse-of-order",
        "a key that made an order answers for any amount",
        ((ORDERS, "            && order.payable.amount == money.amount\n", ""),),
    ),
    Defect(
        "early-return-on-exists",
        "a repeated order is answered as it is, without the page that it lacks",
        ((
            ORDERS,
            "Ok(Made::Before(Box::new(with_page(&self.table, &self.stripe, record, now).await?)))",
            "Ok(Made::Before(Box::new(record)))",
        ),),
        story(
            "faults::payment_page::"
            "a_provider_that_is_down_leaves_an_order_that_the_same_key_completes"
        ),
    ),
    Defect(
        "payment-returns-early-on-exists",
        "a payment whose claim exists is taken for credited, though to another order",
        ((
            PAYMENTS,
            """\
                met.claimed = true;
                seen = read(table, notice).await?;
""",
            """\
                return Ok(Confirmed::AlreadyCredited);
""",
        ),),
    ),
    # Stripe.
    Defect(
        "fresh-stripe-key",
        "each call of Stripe has a key of its own",
        ((
            STRIPE,
            'format!("{}:{}", record.order.id, checkout.attempt);',
            'format!("{}:{}", record.order.id, fastrand::u32(..));',
        ),),
    ),
    Defect(
        "one-stripe-key",
        "new parameters go out with the key of the old ones",
        ((
            STRIPE,
            'format!("{}:{}", record.order.id, checkout.attempt);',
            'format!("{}:1", record.order.id);',
        ),),
    ),
    Defect(
        "500-with-the-same-key",
        "after a 500, which Stripe keeps, the same attempt is made again",
        ((
            STRIPE,
            "500.. => CallFailed::Unclear(why),",
            "500.. => CallFailed::Repeat(why),",
        ),),
    ),
    Defect(
        "attempt-not-stored",
        "the next attempt is sent to Stripe before it is stored",
        ((
            PAGES,
            """\
                last = Unavailable::Provider(why);
                record = stored(table, with_next_attempt(&record, now), now).await?;
""",
            """\
                last = Unavailable::Provider(why);
                record = with_next_attempt(&record, now);
""",
        ),),
    ),
    Defect(
        "page-time-not-renewed",
        "a page is asked for with an end that has passed",
        ((
            PAGES,
            "if checkout.expires_at < now.plus(SHORTEST_PAGE_TIME) {",
            "if checkout.expires_at.unix_millis() == 0 {",
        ),),
    ),
    # What runs by the clock.
    Defect(
        "sweep-does-not-settle",
        "a payment that only the sweep finds is not credited",
        ((
            SWEEP,
            "let confirmed = payments::confirm(self.table(), &notice, now).await?;",
            "let confirmed = Confirmed::Unchanged;",
        ),),
        story("sweep::a_young_order_is_left_to_its_webhook"),
    ),
    Defect(
        "sweep-closes-unseen",
        "an order whose time is over is closed without looking at its page",
        ((
            SWEEP,
            "let state = match self.stripe().look(&record, &session, now).await? {",
            "if ends {\n            return self.page_expired(&record, session, now).await;\n        }\n"
            "        let state = match self.stripe().look(&record, &session, now).await? {",
        ),),
    ),
    Defect(
        "refunds-without-turns",
        "each sweep begins with the oldest refund that waits, though it hangs",
        ((SWEEP, "begun.refunds.clone()", "None"),),
        story("turns::refunds_that_hang_keep_no_other_from_its_turn"),
    ),
    # Webhooks and the queue.
    Defect(
        "signature-not-checked",
        "an event is acted on whoever signed it",
        ((
            WEBHOOK,
            "if !self.is_genuine(body, signature, now).await? {",
            "if signature.is_empty() && !self.is_genuine(body, signature, now).await? {",
        ),),
    ),
    Defect(
        "old-signature-taken",
        "a recorded webhook can be sent again for hours",
        ((
            SIGNATURE,
            "if distance > TOLERANCE.as_secs() {",
            "if distance > TOLERANCE.as_secs() * 100 {",
        ),),
        "-p service --lib -- --exact "
        "stripe::signature::tests::only_a_fresh_signature_of_these_bytes_is_genuine",
    ),
    Defect(
        "other-stage-taken",
        "an event of another deployment is acted on",
        ((EVENT, "(Some(other), ..) if other != stage", "(Some(other), ..) if other.is_empty()"),),
    ),
    Defect(
        "acknowledged-before-commit",
        "a payment that could not be committed is acknowledged without being queued",
        ((
            WEBHOOK,
            "self.queue(&told.to_message(), Some(told.group()), &cause).await?;",
            "",
        ),),
    ),
    Defect(
        "acknowledged-without-queue",
        "a payment that the queue did not take either is acknowledged",
        ((
            WEBHOOK,
            "self.queue(&told.to_message(), Some(told.group()), &cause).await?;",
            "drop(self.queue(&told.to_message(), Some(told.group()), &cause).await);",
        ),),
    ),
    Defect(
        "no-batch-failures",
        "a queued payment is acknowledged though it could not be committed",
        ((CONFIRM, "None => message.message_id.clone(),", "None => None::<String>,"),),
        story(
            "faults::queue::"
            "an_unreadable_message_ends_in_the_dead_letter_queue_and_harms_none_beside_it"
        ),
    ),
    Defect(
        "unreadable-webhook-dropped",
        "an event of ours that cannot be read is acknowledged and nobody hears of it",
        ((WEBHOOK, "self.queue(&message, None, why).await?;", "drop(message);"),),
        story("bad_input::webhooks::what_is_signed_and_cannot_be_read_ends_as_a_dead_letter"),
    ),
    Defect(
        "unreadable-message-dropped",
        "a queued message that cannot be read is acknowledged and nobody hears of it",
        ((
            CONFIRM,
            """\
to the dead-letter queue");
            return None;
""",
            """\
to the dead-letter queue");
            return Some(());
""",
        ),),
        story(
            "faults::queue::"
            "an_unreadable_message_ends_in_the_dead_letter_queue_and_harms_none_beside_it"
        ),
    ),
    # What a payment means.
    Defect(
        "credit-on-unpaid",
        "a payment that is still under way is credited",
        ((EVENT, '"unpaid" => return Ok(What::Processing),', '"unpaid" => {}'),),
    ),
    Defect(
        "amount-not-compared",
        "an order is credited whatever was paid",
        ((
            SETTLE,
            "(payment.money != order.payable).then_some(FindingKind::AmountDiffers)",
            "None",
        ),),
    ),
    Defect(
        "currency-not-compared",
        "as many euros as there should be dollars are credited",
        (
            (
                SETTLE,
                "if payment.money.currency != order.payable.currency {",
                "if payment.money.amount != order.payable.amount {",
            ),
            (
                SETTLE,
                "(payment.money != order.payable).then_some(FindingKind::AmountDiffers)",
                "None",
            ),
        ),
    ),
    Defect(
        "claim-of-the-order",
        "the claim is keyed by the order, so that one payment can credit two of them",
        ((
            CLAIM,
            "stored(PaymentItem::SORT_KEY, id, value)",
            "stored(PaymentItem::SORT_KEY, claim.order.as_str(), value)",
        ),),
    ),
    Defect(
        "late-payment-dropped",
        "money for an order that was closed is acknowledged and forgotten",
        ((
            SETTLE,
            "if order.payment_id.as_ref() == Some(&payment.id) {",
            "if order.payment_id.as_ref() == Some(&payment.id)\n"
            "        || matches!(order.status(), OrderStatus::Cancelled | OrderStatus::Expired)\n"
            "    {",
        ),),
    ),
    Defect(
        "second-payment-dropped",
        "any further payment for an order is taken for the one that paid it",
        ((
            SETTLE,
            "if order.payment_id.as_ref() == Some(&payment.id) {",
            "if order.payment_id.is_some() {",
        ),),
    ),
    Defect(
        "finding-not-stored",
        "a payment that must not be credited is acknowledged without a finding",
        ((
            PAYMENTS,
            "Ok(found(commit, &finding, met))",
            "drop(commit);\n            Ok(Step::Done(Confirmed::Found(finding.kind)))",
        ),),
    ),
    Defect(
        "late-flag-lost",
        "an order that was paid after it closed is not marked",
        ((
            SETTLE,
            "let late = !order.status().is_open();",
            "let late = order.status().is_open() && !order.status().is_open();",
        ),),
        story("walk::money_that_comes_after_the_order_was_closed_is_credited_and_marked_late"),
    ),
    Defect(
        "debt-not-paid",
        "a top-up is credited in full though the customer owes",
        ((
            CREDIT,
            "account.debt.decimal().min(worth.amount.decimal());",
            "account.debt.decimal().saturating_sub(account.debt.decimal());",
        ),),
        "-p ledger --test laws -- --exact rules::a_debt_is_paid_first_in_the_same_entry",
    ),
    Defect(
        "second-finding-dropped",
        "a payment that leads to a finding of one order is no finding of another one",
        ((
            PAYMENTS,
            "Committed::No(Stale::Found) => met.found = true,",
            "Committed::No(Stale::Found) => return Ok(confirmed),",
        ),),
        story(
            "back::findings::"
            "a_payment_that_two_orders_are_told_of_is_a_finding_for_each_and_has_one_place"
        ),
    ),
    Defect(
        "given-back-and-credited",
        "a payment that is on its way back is credited when it is told again",
        ((
            FINDING_STATE,
            "None => self.resolved_before.is_some() || self.refunds.goes_back(),",
            "None => self.resolved_before.is_some(),",
        ),),
        story(
            "back::findings::"
            "what_was_given_back_is_never_credited_whatever_becomes_of_its_order"
        ),
    ),
    # Money that goes back.
    Defect(
        "refund-not-set-aside",
        "Stripe is asked for a refund before its money is set aside",
        ((
            REFUNDS,
            """\
        let changed = Box::pin(change(&self.table, &order.id, &order.account, now, decide)).await;
""",
            """\
        if let (None, Some(payment)) = (order.refund(&asked.id), order.payment_id.as_ref()) {
            let early = Refund {
                id: asked.id.clone(),
                money: asked.money,
                status: RefundStatus::Pending,
                provider_id: None,
                bank_reference: None,
                reason: None,
                failure: None,
                attempt: 1,
                unclear_since: None,
                by: asked.by.clone(),
                created_at: now,
            };
            let of = Refunded { payment, account: Some(&order.account), order: Some(&order.id) };
            drop(self.stripe.create_refund(&of, &early, now).await);
        }
        let changed = Box::pin(change(&self.table, &order.id, &order.account, now, decide)).await;
""",
        ),),
    ),
    Defect(
        "next-attempt-without-a-look",
        "after an answer that Stripe keeps nobody looks whether the refund was made",
        ((
            REFUNDS,
            """\
        match self.look(holder, id, now).await? {
            Holder::Order(record) => {
                let Some(order) = ledger::asked_otherwise""",
            """\
        match holder {
            Holder::Order(record) => {
                let Some(order) = ledger::asked_otherwise""",
        ),),
        story("back::refunds::after_an_error_that_stripe_keeps_another_attempt_is_made_only_if_none_is_found"),
    ),
    Defect(
        "repeated-without-a-look",
        "a refund is asked for again a day later without looking whether it was made",
        ((
            REFUNDS,
            "if just_begun { holder } else { self.look(holder, id, now).await? };",
            "if just_begun { holder } else { holder };",
        ),),
    ),
    Defect(
        "debt-not-taken",
        "what goes back and is spent already is taken from nobody",
        ((REVERSAL, "let owed = out.saturating_sub(there);", "let owed = out.min(Decimal::ZERO);"),),
        "-p ledger --test laws -- --exact "
        "reversals::what_is_spent_already_becomes_a_debt_that_the_next_top_up_pays",
    ),
    Defect(
        "told-refund-applied-twice",
        "a refund that is told again is another refund",
        ((
            REFUND,
            "Some(known) => *known == told.provider_id,",
            "Some(known) => *known == told.provider_id && self.status < told.status,",
        ),),
        "-p ledger --test laws -- --exact reversals::a_refund_is_set_aside_before_it_leaves",
    ),
    Defect(
        "refund-moves-back",
        "an old notice makes a refund pending that has arrived",
        ((REFUND, "status: self.status.max(told.status),", "status: told.status,"),),
        "-p ledger --test laws -- --exact reversals::a_refund_is_set_aside_before_it_leaves",
    ),
    Defect(
        "more-back-than-came",
        "an order can be given back as often as the account has money",
        ((
            REFUND,
            "if wanted.money.amount.decimal() > refundable.decimal() {",
            "if wanted.money.amount.decimal() > order.amount.amount.decimal() {",
        ),),
        "-p ledger --test laws -- --exact "
        "reversals::no_more_is_given_back_than_came_in_and_is_unspent",
    ),
    Defect(
        "won-dispute-not-returned",
        "what a bank took for a dispute that was won stays taken",
        ((
            DISPUTE,
            "DisputeStatus::Withdrawn | DisputeStatus::Lost =>",
            "DisputeStatus::Withdrawn | DisputeStatus::Lost | DisputeStatus::Won =>",
        ),),
        "-p ledger --test laws -- --exact reversals::the_life_of_a_dispute",
    ),
    Defect(
        "unknown-reversal-dropped",
        "a refund of a payment that nobody knows is acknowledged and forgotten",
        ((CONFIRM, "reversals::give_up(&self.0, notice, now).await", "Ok(Confirmed::Unchanged)"),),
    ),
    Defect(
        "adjusted-without-a-document",
        "an adjustment moves money and leaves no record of why",
        ((
            ADJUSTMENTS,
            "Commit::default().adjustment(&adjustment).decision(&decision);",
            "Commit::default().decision(&decision);",
        ),),
    ),
    # Money that is used.
    Defect(
        "charged-without-a-document",
        "a charge moves money and leaves nothing by which its repetition is known",
        ((
            CHARGES,
            "made.fold(Commit::default(), Commit::charge);",
            "made.fold(Commit::default(), |commit, _| commit);",
        ),),
        story("usage::charges::a_charge_whose_answer_was_lost_is_made_once"),
    ),
    Defect(
        "refused-by-a-torn-read",
        "a charge is refused without looking for it once more",
        ((
            CHARGES,
            "let since = self.table.charges(&refused).await?;",
            "let since = self.table.charges(refused.get(..0).unwrap_or_default()).await?;",
        ),),
        story("wire::money_that_is_used_costs_what_the_architecture_says"),
    ),
    Defect(
        "batch-spends-twice",
        "each charge of a batch is held against the balance before the batch",
        ((SPENDING, "        self.left.insert(target, after);\n", ""),),
        story("usage::batches::each_charge_of_a_batch_has_its_own_answer"),
    ),
    Defect(
        "hold-not-carried",
        "the account does not know the holds that keep its money",
        ((
            HOLD,
            "decision.account.holds.insert(wanted.id.clone(), open);",
            "drop(open);",
        ),),
        story("usage::holds::a_call_is_paid_out_of_money_that_was_set_aside_for_it"),
    ),
    Defect(
        "hold-never-ends",
        "what a hold keeps after its time is not free for the next use",
        ((
            ACCOUNT,
            "let released = next.release_expired_holds(now)?;",
            "let released: Option<Entry> = None;",
        ),),
        story(
            "usage::holds::"
            "a_forgotten_hold_is_free_when_its_time_is_over_whether_or_not_anything_runs"
        ),
    ),
    Defect(
        "last-capture-keeps-the-rest",
        "what is left after the last capture of a hold stays set aside",
        ((
            HOLD,
            "let freed = rest.filter(|_| wanted.last);",
            "let freed = rest.filter(|_| false);",
        ),),
        story("usage::holds::a_call_is_paid_out_of_money_that_was_set_aside_for_it"),
    ),
    Defect(
        "usage-acknowledged-before-it-is-charged",
        "a message of the usage queue is acknowledged though a charge of it was refused",
        ((METER, "made == charges.len()", "made <= charges.len()"),),
        story("usage::metering::usage_that_cannot_be_paid_waits_for_a_top_up"),
    ),
    # The full run: what no commit does, but somebody at the table can do.
    Defect(
        "balances-not-verified",
        "an account is verified without comparing its balances with its journal",
        ((
            VERIFY,
            "places.find(|place| held(place) != account.balance(place)) {",
            "places.find(|place| held(place) > Balance::ZERO && account.entries == 0) {",
        ),),
        story("verify::a_damaged_account_or_entry_is_found_and_cured"),
    ),
    Defect(
        "orders-only-counted",
        "as many credited orders as entries are taken for the same ones",
        ((CREDIT_SUM, "sum: self.sum.wrapping_add(credit.0) }", "sum: self.sum.wrapping_mul(credit.0) }"),),
        story("verify::orders_and_entries_that_disagree_are_found_and_cured"),
    ),
    Defect(
        "reversals-not-verified",
        "what went back by an order is not compared with what went back by its journal",
        ((
            "shared/service/src/verification/gone_back.rs",
            "self.torn.is_none() && self.sum == Ok(journal.reversals)",
            "self.torn.is_none() && (self.sum.is_ok() || journal.number == 0)",
        ),),
        story("verify::what_went_back_of_an_order_that_its_entries_do_not_say_is_found_and_cured"),
    ),
    Defect(
        "going-back-while-it-is-read",
        "what goes back while an account's orders are read is called broken",
        ((
            "shared/service/src/verification/gone_back.rs",
            "            if moving {\n",
            "            if moving && account.entries == 0 {\n",
        ),),
        story("verify::an_account_that_is_being_used_is_never_called_broken"),
    ),
    Defect(
        "entries-behind-the-account",
        "an account that was put back to what it was is verified, though its journal goes on",
        ((
            VERIFICATION,
            "&& self.account().await?.entries < beyond",
            "&& self.account().await?.entries > beyond",
        ),),
        story("verify::an_account_that_was_put_back_to_what_it_was_is_found"),
    ),
    Defect(
        "checkpoint-trusted-for-ever",
        "a whole round goes on from the checkpoints too",
        ((
            VERIFICATION,
            "record.begun_at != since",
            "record.begun_at > since",
        ),),
        story("verify::after_a_checkpoint_only_what_is_new_is_read"),
    ),
    Defect(
        "seen-at-two-moments",
        "what was completed while an account was verified is called broken",
        (
            (
                VERIFICATION,
                "            let until = self.account().await?.entries;\n",
                "            let until = account.entries;\n",
            ),
            (
                VERIFICATION,
                "        let account = self.follow().await?;\n        if agrees",
                "        if agrees",
            ),
        ),
        story("verify::an_account_that_is_being_used_is_never_called_broken"),
    ),
    # The journal.
    Defect(
        "gap-in-the-journal",
        "entries are numbered by twos",
        ((ACCOUNT, "number: self.entries.saturating_add(1),", "number: self.entries + 2,"),),
    ),
    Defect(
        "hash-not-chained",
        "every entry follows the beginning of all journals",
        ((ACCOUNT, "previous_hash: self.head,", "previous_hash: EntryHash::GENESIS,"),),
    ),
    Defect(
        "hash-without-amounts",
        "the hash of an entry does not cover what moved",
        ((JOURNAL, "            form.field(&line.amount.normalize().to_string());\n", ""),),
    ),
    Defect(
        "clock-runs-backwards",
        "an entry is as old as the clock of its function says",
        ((
            ACCOUNT,
            "at: self.last_entry_at.map_or(now, |last| last.max(now)),",
            "at: now,",
        ),),
    ),
    Defect(
        "credit-to-the-wallet",
        "a top-up of a product is credited to the wallet",
        ((
            CREDIT,
            "let target = Place::Available(target.clone());",
            "let _ = target;\n    let target = Place::WALLET;",
        ),),
    ),
    Defect(
        "transfer-from-nowhere",
        "a transfer does not take from the wallet what it gives",
        ((
            TRANSFER,
            "Movement { from: Place::WALLET, to, money }",
            "Movement { from: Place::External(crate::External::Card), to, money }",
        ),),
    ),
    # Bank transfers.
    Defect(
        "references-as-written",
        "a bank reference in other capitals or with blanks is another transfer",
        ((
            BANK,
            "&account.number, &self.bank_reference.compared];",
            "&account.number, &self.bank_reference.written];",
        ),),
    ),
    Defect(
        "credit-what-was-ordered",
        "an accepted transfer is credited as it was ordered, not as it arrived",
        ((
            ACCEPT,
            "    completed(open, account, acceptance, worth, by, now)\n",
            "    let _ = worth;\n    completed(open, account, acceptance, order.amount, by, now)\n",
        ),),
    ),
    Defect(
        "rate-of-the-day",
        "an order is credited at the rate of the day on which its money comes",
        (
            (ACCEPT, "own.or(transfer.rate)", "transfer.rate.or(own)"),
            (REVIEWS, "                true => transfer,\n", "                true => self.with_rate(transfer, known.currency, *now).await?,\n"),
        ),
        story("offline::ordering::an_order_keeps_the_rate_and_the_account_that_it_showed"),
    ),
    Defect(
        "difference-not-asked",
        "whatever arrives is credited without a question",
        ((ACCEPT, "&& !transfer.difference_confirmed {", "&& false {"),),
    ),
    Defect(
        "accepted-though-credited",
        "who accepts second is told that the order is closed, not who was first",
        ((ACCEPT, "    if order.credited.is_some() {\n        let review", "    if order.late && order.credited.is_some() {\n        let review"),),
    ),
    Defect(
        "exchange-not-booked",
        "yuan are credited as dollars that come out of nowhere",
        ((CREDIT, "exchange.into_iter().chain(parts).collect()", "{ drop(exchange); parts.collect() }"),),
    ),
    Defect(
        "reference-not-claimed",
        "an order shows a reference code without claiming it",
        ((ORDERS, "Some(reference) => commit.reference(reference),", "Some(_) => commit,"),),
    ),
    Defect(
        "code-chosen",
        "the reference code of an order follows from its id, and so from the customer's idempotency key",
        ((
            ORDERS,
            "TransferReference::drawn(&(self.draw)()?)",
            'TransferReference::drawn(&ledger::derive_bytes(&["code", wanted.id.as_str()]))',
        ),),
        story("offline::ordering::a_reference_code_follows_from_nothing_that_a_customer_chooses"),
    ),
    Defect(
        "code-within-words",
        "a code that parts of a payer's own words make up is exact",
        ((
            "shared/ledger/src/transfer_reference.rs",
            "Self::found_in(text, |is_alone| is_alone)",
            "Self::found_in(text, |is_alone| is_alone || !text.is_empty())",
        ),),
        "-p ledger --test laws -- --exact "
        "statement::a_code_that_words_make_up_is_evidence_but_not_exact",
    ),
    Defect(
        "session-outlives-its-key",
        "a console session goes on once the key that asked for it has ended by itself",
        # Either of the two alone still stops it: the authorizer, or the function by the end that it is told.
        (
            ("shared/service/src/console.rs", "filter(|key| key.is_usable(now))", "filter(|key| key.revoked_at.is_none())"),
            ("shared/service/src/console.rs", "chain(key.ends_at()).min()", "chain(key.retires_at).min()"),
        ),
        story("offline::console::a_session_is_over_when_the_key_is_that_asked_for_it"),
    ),
    Defect(
        "sweep-without-answers",
        "a sweep that the provider answers nothing at all ends well",
        ((SWEEP, "self.missing.filter(|_| !self.given)", "self.missing.filter(|_| self.given)"),),
        story("sweep::a_sweep_that_is_answered_nothing_at_all_fails_so_that_its_alarm_rings"),
    ),
    Defect(
        "review-key-ignored",
        "a repeated acceptance is answered as if somebody else had made the first",
        ((
            REVIEWS,
            "Verdict::Accepted(acceptance) if acceptance.id == review => Some(acceptance),",
            "Verdict::Accepted(acceptance) if acceptance.id.len() == review.len() + 1 => Some(acceptance),",
        ),),
    ),
    Defect(
        "file-not-stored",
        "an order names a file that was not stored",
        ((
            BANK_TRANSFERS,
            "self.objects.put(&proof_folder(id), bytes).await?;",
            "let _ = (&self.objects, proof_folder(id));",
        ),),
    ),
    Defect(
        "claim-not-checked-by-account",
        "a transfer is claimed without saying at which account it arrived",
        ((
            BANK,
            "let parts = [account.currency.code(), &account.number, &self.bank_reference.compared];",
            "let parts = [account.currency.code(), &self.bank_reference.compared];",
        ),),
    ),
    Defect(
        "code-used-twice",
        "a code of the console can be exchanged as often as one likes",
        ((CONSOLE, "        && session.token.is_none()\n", ""),),
        story("offline::console::a_signed_in_customer_comes_to_the_console_without_an_api_key"),
    ),
    Defect(
        "keys-hand-on-everything",
        "whoever may make keys can make one that may do anything",
        ((
            API_KEYS,
            "Scope::OPERATOR.contains(scope) && !minter.scopes.contains(scope);",
            "Scope::OPERATOR.contains(scope) && minter.scopes.is_empty();",
        ),),
        story("offline::accounts::no_key_hands_on_what_it_lacks"),
    ),
    Defect(
        "late-transfer-not-marked",
        "a transfer for an order that had expired is not marked late",
        ((ACCEPT, "let late = closed || is_overdue(order, now);", "let late = closed && is_overdue(order, now);"),),
        story("offline::ordering::an_order_that_nobody_reports_expires_after_seven_days"),
    ),
    # Cancelling and closing.
    Defect(
        "cancelled-with-an-open-page",
        "an order is cancelled without closing its page first",
        ((
            CANCELLATIONS,
            "CancelStep::Close(order) => match self.close_page(&record, now).await? {",
            "CancelStep::Close(order) if record.version > 0 => *order,\n"
            "                CancelStep::Close(order) =>"
            " match self.close_page(&record, now).await? {",
        ),),
        story("walk::an_order_that_was_just_paid_is_credited_instead_of_cancelled"),
    ),
    Defect(
        "cancelled-though-paid",
        "an order whose page turns out to be paid is cancelled all the same",
        ((
            CANCELLATIONS,
            """\
                    Closed::Completed(notice) => {
                        payments::confirm(&self.table, &notice, now).await?;
                        pause_before_retry(tries).await;
                        record = self.table.owned_order(account, id).await?;
                        continue;
                    }
""",
            """\
                    Closed::Completed(_) => *order,
""",
        ),),
        story("walk::an_order_that_was_just_paid_is_credited_instead_of_cancelled"),
    ),
    Defect(
        "any-page-closes-the-order",
        "the end of a page that nobody was shown closes the order",
        ((PAYMENTS, "Some(shown) => shown.id == session,", "Some(_) => !session.is_empty(),"),),
        story(
            "faults::payment_page::"
            "an_orphan_page_that_closes_does_not_close_the_order_that_has_another_page"
        ),
    ),
    # Thresholds.
    Defect(
        "cap-ignored",
        "an automatic top-up moves more than its monthly cap",
        ((
            SPENDING,
            "let allowed = wallet.min(cap);",
            "let allowed = wallet.max(cap);",
        ),),
    ),
    Defect(
        "alert-told-again",
        "a balance that stays low is told of with every use",
        ((THRESHOLD, "alert.given = was_given && available <= alert.below.into();", ""),
         (THRESHOLD, "if available < alert.below.into() && !was_given {", "if available < alert.below.into() {")),
    ),
    # What the API is said to be.
    Defect(
        "field-without-document",
        "an order is answered with a field that the OpenAPI document does not list",
        (("shared/service/src/http/view/order.rs", '"late": order.late,', '"late": order.late, "was_late": order.late,'),),
        story("walk::the_walk_of_a_new_customer"),
    ),
    # What a role allows.
    Defect(
        "role-too-narrow",
        "the role of `hold` does not write holds",
        ((
            "infra/usage.yaml",
            "['ACCOUNT#*', 'CHARGE#*', 'EVENT#*', 'HOLD#*', 'JOURNAL#*', 'ORDER#*']",
            "['ACCOUNT#*', 'CHARGE#*', 'EVENT#*', 'JOURNAL#*', 'ORDER#*']",
        ),),
        story("usage::holds::a_hold_that_is_not_needed_is_released"),
    ),
    # Telling the platform.
    Defect(
        "event-not-told",
        "an order is completed without an event of it",
        ((
            COMMIT,
            "events.into_iter().fold(commit, Self::event)",
            "events.into_iter().skip(1).fold(commit, Self::event)",
        ),),
    ),
    Defect(
        "told-once",
        "an endpoint that was down is not told again",
        ((
            DELIVERY,
            "(Health::Failing, Some(wait)) => DeliveryState::Waiting(now.plus(*wait)),",
            "(Health::Failing, Some(_)) => DeliveryState::GivenUp(now),",
        ),),
        story("deliveries::an_endpoint_that_was_down_is_told_when_it_is_back"),
    ),
    Defect(
        "lost-with-the-queue",
        "an event that the queue lost is not found by the sweep",
        ((
            SWEEP,
            "let next = EventRecord { due, ..record };",
            "let next = EventRecord { due: due.filter(|_| false), ..record };",
        ),),
        story("deliveries::without_the_queue_the_sweep_tells"),
    ),
    Defect(
        "any-address",
        "an event is sent wherever a name leads",
        ((
            ADDRESS,
            "let checked: Vec<_> = found.filter(|found| reach.covers(found.ip())).collect();",
            "let checked: Vec<_> = found.filter(|_| reach == reach).collect();",
        ),),
        "-p service --features endpoints --lib --"
        " --exact delivery::sender::tests::a_name_that_leads_to_this_machine_is_not_connected_to",
    ),
    Defect(
        "old-secret-forgotten",
        "a rotation takes the old secret away at once",
        ((
            ENDPOINTS,
            "let previous = Some((endpoint.secret, now.plus(OVERLAP)));",
            "let previous = Some((endpoint.secret, now));",
        ),),
        story("deliveries::while_a_secret_is_rotated_both_sign"),
    ),
    Defect(
        "shared-tokens",
        "the SDK's pseudo-random numbers are the tokens of transactions",
        ((COMMIT, "transaction.client_request_token(draw_token()?).send()", "transaction.send()"),),
        "-p tests --test table_conformance -- --exact "
        "commits::functions_whose_pseudo_random_numbers_agree_commit_side_by_side",
    ),
    Defect(
        "attempts-as-told",
        "attempts to pay are listed as their notices came",
        ((
            ORDER,
            "(known.outcome == AttemptOutcome::Succeeded, known.at)",
            "known.reference.is_empty()",
        ),),
        story("races::the_notice_of_a_good_card_overtakes_that_of_the_refused_one_before_it"),
    ),
    Defect(
        "times-run-backwards",
        "whoever loses a race writes the time that it knew before the time of the winner",
        ((
            "shared/ledger/src/timeline.rs",
            "at.not_before(self.changed_at)",
            "at",
        ),),
        "-p ledger --lib -- --exact "
        "timeline::tests::times_never_run_backwards_whoever_loses_a_race_knows_an_earlier_one",
    ),
    Defect(
        "told-at-one-moment",
        "several events of one order have the same time, and are listed by chance",
        ((
            "shared/service/src/events.rs",
            "told_at.map_or(at, |told_at| at.after(told_at))",
            "told_at.map_or(at, |_| at)",
        ),),
        story("back::refunds::refunds_of_one_order_that_one_sweep_finds_are_told_one_after_the_other"),
    ),
    Defect(
        "cancelled-by-who-saw-it",
        "who sees the page closed is written down as who cancelled",
        ((
            "shared/ledger/src/cancel.rs",
            "(OrderStatus::PendingPayment, Method::Card, Some(wish)) => wish.by.as_ref().unwrap_or(by)",
            "(OrderStatus::PendingPayment, Method::Card, Some(_)) => by",
        ),),
        "-p ledger --test laws -- --exact "
        "rules::a_page_that_closes_on_a_wish_to_cancel_ends_as_cancelled",
    ),
    Defect(
        "paid-when-looked-at",
        "what no webhook told was paid when the sweep looked",
        ((EVENT, "charged.map_or(now, moment)", "charged.map_or(now, |_| now)"),),
        story("sweep::what_the_sweep_finds_out_was_paid_when_the_card_was_charged"),
    ),
    Defect(
        "transfer-refunds-twice",
        "one outgoing bank transfer is taken from an order as often as it is booked",
        ((
            REFUND,
            "if let Some(refund) = order.refund_by(wanted.bank_reference.as_ref()) {",
            "if let Some(refund) = order.refund_by(None) {",
        ),),
        story("back::refunds::one_outgoing_transfer_is_taken_from_an_order_once_however_many_clerks_book_it"),
    ),
    Defect(
        "quote-swallows-lines",
        "the lines of a statement behind a quote that is not closed are dropped in silence",
        (("shared/service/src/statements/csv.rs", "    check_quotes(text)?;\n", ""),),
        story("offline::statements::a_file_that_cannot_be_read_says_where"),
    ),
    Defect(
        "completed-told-as-refunded",
        "an order that the right payment completes after the wrong one went back is told as refunded",
        ((
            "shared/service/src/events.rs",
            "| (_, Reason::RefundReturned) => Some(Self::OrderRefunded),",
            "| (_, Reason::RefundReturned | Reason::PaidLate) => Some(Self::OrderRefunded),",
        ),),
        story("back::findings::a_payment_told_again_for_an_order_that_can_take_it_now_closes_its_finding"),
    ),
    Defect(
        "gone-before-it-was-credited",
        "what went back of a payment before it was credited is never taken",
        ((
            "shared/service/src/comparing/looking_again.rs",
            "&& self.take_back(payment, reversal, now).await?)\n",
            "&& { let _ = Self::take_back; true })\n",
        ),),
        story("back::comparison::what_went_back_of_a_payment_before_it_was_credited_is_taken_by_the_next_comparison"),
    ),
    Defect(
        "failed-refund-forgotten",
        "a late word of a refund that failed takes a payment back that was credited since",
        ((
            SETTLE,
            "Ok((order.with_failed_refunds(before), decision))",
            "let _ = before;\n    Ok((order, decision))",
        ),),
        story("back::lost_refunds::a_refund_that_failed_before_its_payment_was_credited_takes_nothing_whatever_is_told_late"),
    ),
    Defect(
        "settled-and-credited",
        "a payment that a person has settled is credited when it is told again",
        ((
            FINDING_STATE,
            "Some(FindingOutcome::Resolved | FindingOutcome::Refunded) => true,",
            "Some(FindingOutcome::Refunded) => true,\n            Some(FindingOutcome::Resolved) => false,",
        ),),
        story("back::findings::a_payment_that_a_person_has_settled_is_not_credited_by_itself_whoever_tells_it_again"),
    ),
    Defect(
        "came-back-as-gone",
        "what comes back of a payment without a place is drift as if it had gone once more",
        ((
            "shared/service/src/comparing/moved.rs",
            "direction: self.amount.signum(), money",
            "direction: -1, money",
        ),),
        story("back::lost_refunds::what_comes_back_of_lost_money_is_drift_in_the_other_direction"),
    ),
    Defect(
        "inquiry-never-closes",
        "a question of a bank that is answered stands as open",
        ((DISPUTE, "_ if self.closed => DisputeStatus::Closed", "_ if self.closed => DisputeStatus::Inquiry"),),
        story("back::disputes::a_lost_dispute_stays_taken_and_an_inquiry_only_marks"),
    ),
    # What comes by a bank, and what cannot be read.
    Defect(
        "used-reference-hides-payment",
        "a line is taken for credited because its bank reference was, with another amount",
        ((CREDITED, "own(line).filter(|claim| claim.money == line.money)", "own(line)"),),
        story("offline::doubts::a_reference_that_was_credited_for_another_amount_hides_no_payment"),
    ),
    Defect(
        "named-line-hides-payment",
        "a line that names another order is taken for what was credited under its reference",
        ((CREDITED, "!names_it && named.any(", "names_it && named.any("),),
        story("offline::doubts::a_payment_that_names_another_order_does_not_pass_for_what_was_credited"),
    ),
    Defect(
        "credited-whole-and-in-parts",
        "the parts of a batch that was credited whole are exact",
        ((CAMT, "[&numbered, &alone, &whole]", "[&numbered, &alone, &None]"),),
        story("offline::doubts::what_was_credited_whole_is_not_credited_again_in_parts_and_not_whole_after_its_parts"),
    ),
    Defect(
        "credited-in-parts-and-whole",
        "what was split and credited by hand is exact as a whole",
        ((REFERENCES, '["1", "2"].into_iter()', '["1", "2"].into_iter().take(0)'),),
        story("offline::doubts::what_was_credited_whole_is_not_credited_again_in_parts_and_not_whole_after_its_parts"),
    ),
    Defect(
        "returned-money-is-exact",
        "money that was sent to a customer, and comes back, is that customer's payment",
        ((CAMT, "(written.reverses || returned)", "(written.reverses || returned && written.reverses)"),),
        story("offline::doubts::money_that_left_again_is_not_exact"),
    ),
    Defect(
        "hidden-by-a-lost-dispute",
        "a refund that fails after the money of a lost dispute came back is given to nobody, and told to nobody",
        ((REFUND, "hides_refund(order, told, now);", "hides_refund(order, told, now).filter(|_| false);"),),
        story("back::lost_disputes::a_refund_that_fails_after_the_money_of_a_lost_dispute_came_back_is_for_a_person"),
    ),
    Defect(
        "finding-after-its-cause",
        "a finding is written after the refund that it is about: a function that dies between the two tells nobody",
        (
            ("shared/service/src/reversals.rs", "(Box::pin(findings::found_by(table, commit, finding)).await?, found)", "(commit, found)"),
            (
                "shared/service/src/reversals.rs",
                "Committed::Yes => return Ok((next.written(now), confirmed)),",
                "Committed::Yes => { if let Some(finding) = &finding { let later = findings::found_by(table, Commit::default(), finding).await?; "
                "drop(table.commit(later).await?); } return Ok((next.written(now), confirmed)); }",
            ),
        ),
        story("back::lost_disputes::a_run_that_dies_over_a_refund_which_a_lost_dispute_hides_keeps_both_or_neither"),
    ),
    Defect(
        "part-settled-before-its-payment",
        "a part that went back is closed before its payment is decided, and then taken out of nothing",
        (("shared/service/src/findings.rs", "(FindingKind::UnknownPayment, Some(payment)) =", "(FindingKind::JournalBroken, Some(payment)) ="),),
        story("back::lost_refunds::a_part_that_went_back_stays_open_until_its_payment_is_decided"),
    ),
    Defect(
        "closed-once-for-all",
        "what a person had closed is told to nobody when it breaks once more",
        (("shared/service/src/findings.rs", "matches!(state.outcome(), None | Some(FindingOutcome::Resolved))", "state.is_open()"),),
        story("verify::what_is_cured_and_breaks_again_is_open_again_also_if_a_person_had_closed_it"),
    ),
    Defect(
        "given-back-after-it-was-settled",
        "a payment that was settled by hand is given back after that, and nobody is told",
        ((FINDING_STATE, "told.at <= end.at ||", "told.at >= end.at ||"),),
        story("back::lost_refunds::what_is_given_back_after_a_person_settled_its_payment_is_told_once_more"),
    ),
    Defect(
        "back-once-more-is-green",
        "a day on which money without a place came back once more is compared as if nothing were apart",
        (("shared/service/src/comparing/provider.rs", "return self.name_leading(Some(&notice.payment), moved, report).await;", "return Ok(());"),),
        story("back::lost_refunds::a_day_on_which_lost_money_came_back_once_more_is_not_green"),
    ),
    Defect(
        "dispute-told-once",
        "the platform is told that a payment is disputed, and never how that ends",
        ((
            "shared/service/src/events.rs",
            "self.stored_disputes.get(&dispute.id).copied() != Some(dispute.status())",
            "!self.stored_disputes.contains_key(&dispute.id)",
        ),),
        story("events::the_platform_is_told_where_a_dispute_stands_whenever_that_changes"),
    ),
    Defect(
        "reversal-not-seen",
        "money that a bank took back on the same statement is exact",
        ((STATEMENT, "lines.iter().filter(|line| line.doubt.is_some())", "lines.iter().filter(|_| false)"),),
        story("offline::doubts::money_that_left_again_is_not_exact"),
    ),
    Defect(
        "statement-of-another-account",
        "what was found on a statement is recorded at the account that its currency has now",
        ((REVIEWS, "ArrivedAt::Statement(id) => self.account_of_statement(id, found.currency).await?,", "ArrivedAt::Statement(_) => self.expected(record, found.currency, now).await?,"),),
        story("offline::doubts::what_was_found_on_a_statement_is_credited_once_though_its_bank_account_was_replaced"),
    ),
    Defect(
        "batch-of-its-first-payer",
        "a batch that cannot be taken apart is a line of its first payer",
        ((
            "shared/service/src/statements/camt/mod.rs",
            "let of_one = !written.several && said.is_none_or(|said| said == 1);",
            "let of_one = !written.several || said.is_none();",
        ),),
        story("offline::camt::a_batch_that_cannot_be_taken_apart_is_shown_and_credited_to_nobody"),
    ),
    Defect(
        "look-alike-references",
        "a bank reference with letters that look like others, or like none, is another transfer",
        ((
            BANK,
            "|| character.is_alphabetic() && LATIN_LETTERS.contains(&character)",
            "|| character.is_alphabetic() || LATIN_LETTERS.contains(&character)",
        ),),
        story("offline::reviewing::a_transfer_is_credited_once_however_its_reference_is_spelled"),
    ),
    Defect(
        "order-of-another-currency",
        "an order of before its account had another currency is credited in that",
        ((ACCEPT, "if account.currency != order.amount.currency {", "if account.currency != account.currency {"),),
        story("offline::accounts::an_order_of_before_its_account_had_another_currency_takes_no_money"),
    ),
    Defect(
        "one-hides-all",
        "one order that cannot be read stops every sweep",
        ((
            LISTS,
            "Ok(Page { items: readable(found, items::to_order), next })",
            "let orders = found.into_iter().map(items::to_order);\n"
            "        Ok(Page { items: orders.collect::<Result<_, _>>()?, next })",
        ),),
        story("sweep::what_cannot_be_read_is_an_error_in_the_log_and_hides_nothing_else"),
    ),
    Defect(
        "no-room-for-what-is-aside",
        "a balance takes so much that it cannot take back what is set aside of it",
        ((ACCOUNT, "self.must_have_room(&line.place)?;", "let _ = self.must_have_room(&line.place);"),),
        "-p ledger --test laws -- --exact "
        "usage::a_balance_takes_no_more_than_it_can_hold_with_what_is_set_aside_of_it",
    ),
    Defect(
        "token-renews-itself",
        "a token of the console opens another session, as anybody and after its key is gone",
        (("functions/manage-accounts/src/lib.rs", "call.must_be_a_key()?;", "drop(call.must_be_a_key());"),),
        story("offline::console::an_operator_signs_in_with_what_the_asking_key_has"),
    ),
    Defect(
        "refund-in-other-money",
        "a refund in euros takes as many dollars",
        ((REFUND, "    order.must_be_in(told.money.currency)?;\n", ""),),
        story("back::refunds::a_refund_that_the_provider_made_in_another_currency_takes_nothing_and_a_person_must_look"),
    ),
    Defect(
        "unclear-is-not-made",
        "after a 5xx a refund is asked for with another key at once, though Stripe may still make it",
        ((REFUND, "now.since(since) < UNCLEAR_FOR", "now < since"),),
        story("back::refunds::after_an_error_that_stripe_keeps_another_attempt_is_made_only_if_none_is_found"),
    ),
    Defect(
        "returned-is-kept",
        "what comes back of a lost dispute is kept without a word",
        ((DISPUTE, "if !dispute.is_lost_and_returned() {", "if !dispute.is_lost_and_returned() || dispute.reinstated {"),),
        story("back::comparison::what_comes_back_of_a_lost_dispute_is_drift_until_a_person_has_given_it_back"),
    ),
    Defect(
        "forbidden-is-missing",
        "what the key of Stripe may not see is taken for what was never paid",
        ((STRIPE, '404 => CallFailed::Missing(why),', '403 | 404 => CallFailed::Missing(why),'),),
        story("back::comparison::what_the_key_may_not_see_is_not_taken_for_what_was_never_paid"),
    ),
    Defect(
        "late-answer-of-another",
        "what an endpoint answers late switches off the one that was made in its place",
        (("shared/service/src/delivery/health.rs", "known.made == attempt.made && known.url == attempt.url", "known.url == attempt.url"),),
        story("deliveries::what_an_endpoint_before_it_answers_late_is_nothing_of_the_one_of_its_name"),
    ),
]


# One of each kind, for a run of minutes.
SAMPLE = (
    "no-version-condition",
    "no-absent-condition",
    "account-before-document",
    "rule-before-document",
    "torn-read",
    "unprocessed-is-absent",
    "sweep-does-not-settle",
    "fresh-stripe-key",
    "attempt-not-stored",
    "signature-not-checked",
    "acknowledged-before-commit",
    "no-batch-failures",
    "credit-on-unpaid",
    "amount-not-compared",
    "claim-of-the-order",
    "hash-not-chained",
    "credit-what-was-ordered",
    "references-as-written",
    "reference-not-claimed",
    "debt-not-taken",
)


class Broken(Exception):
    """The table of defects, or the copy, is not as it must be."""


def copy_workspace():
    """Makes the copy like the workspace; what did not change keeps its time, and is not rebuilt."""
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout.decode()
    wanted = {}
    for name in filter(None, names.split("\0")):
        if (ROOT / name).is_file():
            wanted[COPY / name] = (ROOT / name).read_bytes()
    for path in COPY.rglob("*"):
        if path.is_file() and path not in wanted:
            path.unlink()
    for path, content in wanted.items():
        if not path.is_file() or path.read_bytes() != content:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)


def plant(defect):
    """The files of the copy with the defect in them, by path, after checking its place."""
    changed = {}
    for name, old, new in defect.edits:
        path = COPY / name
        text = changed.get(path) or path.read_text()
        if text.count(old) != 1:
            found = f"its text is {text.count(old)} times in {name}"
            raise Broken(f"{defect.name} must be planted anew: {found}\n{old}")
        changed[path] = text.replace(old, new)
    return changed


def cargo(command, *arguments):
    """Runs cargo in the copy, and returns its exit code and all that it said."""
    environment = {**os.environ, "CARGO_INCREMENTAL": "1", "RUST_BACKTRACE": "0"}
    own = ["cargo", command, "--quiet", "--locked", "--target-dir", str(TARGET)]
    return run([*own, *arguments], env=environment)


def run(command, **options):
    both = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    # A session of its own: what cargo started ends with cargo.
    running = subprocess.Popen(command, cwd=COPY, start_new_session=True, **both, **options)
    try:
        said, _ = running.communicate(timeout=RUN_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(running.pid, signal.SIGKILL)
        running.communicate()
        return 1, ENDLESS
    return running.returncode, said


def compile_or_stop(*arguments):
    code, said = cargo(*arguments)
    if code != 0:
        raise Broken(f"does not compile: cargo {' '.join(arguments)}\n{said[-4_000:]}")


def simulated():
    """What the simulation says, and after how many operations; None if nothing is wrong."""
    compile_or_stop("build", "-p", "tests", "--bin", "simulate")
    options = {
        "--seed": FIRST_SEED,
        "--operations": OPERATIONS,
        "--per-history": OPERATIONS_PER_HISTORY,
    }
    program = TARGET / "debug" / "simulate"
    code, said = run([program, *(str(word) for pair in options.items() for word in pair)])
    if code == 0:
        return None
    found = re.search(r"^seed (\d+), operation (\d+): (.*)$", said, re.MULTILINE)
    if not found:
        return complaint(said), ""
    histories_before = int(found[1]) - FIRST_SEED
    return found[3], histories_before * OPERATIONS_PER_HISTORY + int(found[2])


def tested(test):
    """What the named test says; None if it passes."""
    arguments, _, name = test.partition(" -- ")
    compile_or_stop("test", "--no-run", *arguments.split())
    code, said = cargo("test", *arguments.split(), "--", *name.split())
    if code != 0:
        return complaint(said)
    if " 1 passed" not in said:
        raise Broken(f"there is no such test: {test}")
    return None


def complaint(said):
    """What a program said as it panicked, or that it did not end."""
    panicked = re.search(r"panicked at [^\n]*\n([^\n]*(?:\n +(?:left|right):[^\n]*)*)", said)
    if not panicked and said != ENDLESS:
        raise Broken(f"stopped, and not because something was wrong:\n{said[-4_000:]}")
    return panicked[1] if panicked else said


def shown(text):
    """A violation as the table shows it: in one line, without ids, and short."""
    text = re.sub(r"\b(ord|pi|evt|cs_test)_\w+|\bcustomer-\d+|\bkey-\d+-\d+", "…", text)
    text = re.sub(r"[0-9a-f]{32,}", "…", " ".join(text.split()))
    short = text if len(text) <= SHOWN_CHARACTERS else text[:SHOWN_CHARACTERS].rstrip() + "…"
    return short.replace("|", "\\|").replace("`", "'")


def row(*cells):
    print("| " + " | ".join(cells) + " |", flush=True)


def try_untouched(defects):
    """The copy as it is passes everything that a defect is to be caught by."""
    wrong = simulated()
    if wrong:
        raise Broken(f"the untouched product does not pass: {wrong[0]}")
    for test in sorted({defect.test for defect in defects if defect.test}):
        wrong = tested(test)
        if wrong:
            raise Broken(f"the untouched product does not pass {test}: {wrong}")
    row("none: the untouched product", "passes", f"{OPERATIONS:,}")


def try_defect(defect):
    """Plants a defect, shows its row, and takes it out again. Returns whether it was caught."""
    changed = plant(defect)
    before = {path: path.read_text() for path in changed}
    title = f"`{defect.name}`: {defect.meaning}"
    try:
        for path, text in changed.items():
            path.write_text(text)
        wrong = simulated()
        if wrong:
            row(title, f"simulation: `{shown(wrong[0])}`", str(wrong[1]))
            return True
        wrong = tested(defect.test) if defect.test else None
        if wrong:
            row(title, f"`cargo test {defect.test}`: `{shown(wrong)}`", "")
            return True
        row(title, "**nothing**", f"{OPERATIONS:,}")
        return False
    except Broken as broken:
        raise Broken(f"{defect.name}: {broken}") from broken
    finally:
        for path, text in before.items():
            path.write_text(text)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--list", action="store_true", help="only say which defects there are")
    parser.add_argument("--only", action="append", metavar="NAME", help="only this defect")
    parser.add_argument("--sample", action="store_true", help="only one of each kind")
    options = parser.parse_args()
    only = [*(options.only or []), *(SAMPLE if options.sample else [])]
    defects = [defect for defect in DEFECTS if not only or defect.name in only]
    unknown = set(only) - {defect.name for defect in defects}
    if unknown:
        parser.error(f"no such defect: {', '.join(sorted(unknown))}")
    if options.list:
        for defect in defects:
            print(f"{defect.name}: {defect.meaning}")
        return
    began = time.monotonic()
    COPY.mkdir(parents=True, exist_ok=True)
    # A second run waits: there is one copy.
    lock = COPY.with_suffix(".lock").open("w")
    fcntl.flock(lock, fcntl.LOCK_EX)
    try:
        copy_workspace()
        for defect in defects:
            plant(defect)
        row("defect", "what caught it", "after so many operations")
        row("---", "---", "---:")
        try_untouched(defects)
        missed = [defect.name for defect in defects if not try_defect(defect)]
    except Broken as broken:
        sys.exit(str(broken))
    print(f"{len(defects)} defects in {time.monotonic() - began:.0f} s", file=sys.stderr)
    if missed:
        sys.exit(f"caught by nothing: {', '.join(missed)}")


if __name__ == "__main__":
    main()
