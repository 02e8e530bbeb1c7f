// One order as finance sees it: what was asked for, what came of it, and what can still be done.

import { get } from '../core/api.js';
import { element } from '../core/dom.js';
import { say } from '../core/language.js';
import { compare, money } from '../core/money.js';
import { codeWords, paidAt, reasonWords, refunded, takenBack, timeline } from '../core/orders.js';
import { badge, emptyHint, facts, heading, loaded, statusBadge, table } from '../core/parts.js';
import { day, time } from '../core/time.js';
import { acceptForm, decisionBanner, isAcceptable, isRejectable, rejectForm } from './decision.js';
import { proofsOf } from './proofs.js';
import { refundBadge, refundForm } from './refund.js';
import { declared } from './reviews.js';
import { accountLink, code, opening, renewed, section, targetName, withScope } from './shared.js';

/** The screen `/orders/{order_id}`. */
export function order({ order_id: id }) {
  // After a decision the order is read again; what came of it stays above.
  const { news, body } = renewed((load) => loaded(() => everything(id), (read) => orderParts(read, load)));
  return [heading(say('order.title', { id })), news, body];
}

async function everything(id) {
  const one = await get(`/v1/admin/orders/${encodeURIComponent(id)}`);
  const [catalogue, balances] = await Promise.all([
    get('/v1/admin/catalogue'), get(`/v1/admin/accounts/${one.account_id}/balances`)]);
  return { order: one, catalogue, balances };
}

function orderParts({ order: one, catalogue, balances }, load) {
  return [
    element('div', { class: 'card' },
      element('div', {}, statusBadge(one.status), one.late ? [' ', badge('waiting', say('order.late'))] : null),
      orderFacts(one, catalogue.products)),
    decisions(one, Object.keys(catalogue.bank_accounts), load),
    refundPart(one, balances, load),
    reportPart(one, catalogue.products), reviewsPart(one), attemptsPart(one),
    refundsPart(one), disputesPart(one), section(say('order.timeline'), timeline(one)),
  ];
}

function orderFacts(one, products) {
  return facts([
    [say('order.account'), accountLink(one.account_id)],
    [say('order.target'), targetName(one, products)],
    [say('order.method'), say(`method.${one.method}`)],
    [say('desk.status_reason'), reasonWords(one.status_reason)],
    [say('order.amount'), money(one.amount, one.currency)],
    [say('order.pay_amount'), money(one.pay_amount, one.pay_currency)],
    [say('order.fx_rate'), one.fx_rate],
    [say('order.received_amount'), one.received_amount && money(one.received_amount, one.received_currency ?? one.pay_currency)],
    [say('order.credited_amount'), one.credited_amount && money(one.credited_amount, one.currency)],
    [say('order.debt_paid'), one.debt_paid && money(one.debt_paid, one.currency)],
    [say('order.refunded_amount'), one.refunded_amount && money(one.refunded_amount, one.currency)],
    [say('order.taken_back_amount'), takenBack(one)],
    [say('order.payment_id'), one.payment_id && code(one.payment_id)],
    [say('order.email'), one.email],
    [say('order.created_at'), time(one.created_at)],
    [say('order.expires_at'), one.expires_at && time(one.expires_at)],
    [say('order.paid_at'), paidAt(one)],
    [say('order.completed_at'), one.completed_at && time(one.completed_at)],
    ...Object.entries(one.metadata ?? {}).map(([name, value]) => [name, value]),
  ]);
}

function decisions(one, currencies, load) {
  if (!isAcceptable(one)) return null;
  const settled = (outcome) => load(decisionBanner(outcome));
  const forms = () => [
    element('div', { class: 'card' }, acceptForm(one, currencies, settled)),
    isRejectable(one) ? opening(say('decision.reject.open'), rejectForm(one, settled)) : null,
  ];
  return section(say('decision.received'), withScope('operator:review', forms));
}

function refundPart(one, balances, load) {
  if (compare(one.refundable_amount ?? '0', '0') <= 0) return null;
  const form = () => opening(say('refund.open'), refundForm(one, balances, load));
  return section(say('refund.title'), withScope('operator:money', form));
}

function reportPart(one, products) {
  if (one.method !== 'offline') return null;
  return section(say('order.reported'), element('div', { class: 'card' }, declared(one, products), proofsOf(one)));
}

function reviewsPart(one) {
  if (one.transfer_reviews.length === 0) return null;
  return section(say('order.reviews'), table(say('order.reviews'), [
    { label: say('entry.at'), cell: ({ at }) => time(at) },
    { label: say('by'), cell: ({ by }) => by },
    {
      label: say('review.outcome'),
      cell: ({ outcome }) => badge(outcome === 'accepted' ? 'good' : 'bad', codeWords('review', outcome)),
    },
    {
      label: say('order.received_amount'), kind: 'number',
      cell: ({ received_amount: amount, received_currency: currency }) => money(amount, currency),
    },
    { label: say('order.bank_reference'), cell: ({ bank_reference: reference }) => reference ?? '—', kind: 'code' },
    { label: say('decision.received_on'), cell: ({ received_on: on }) => (on ? day(on) : '—') },
    { label: say('order.reject_reason'), cell: ({ reason }) => reason ?? '—' },
  ], one.transfer_reviews));
}

function attemptsPart(one) {
  if (one.method !== 'card') return null;
  return section(say('order.attempts'), one.attempts.length === 0 ? emptyHint(say(noAttempts(one)))
    : table(say('order.attempts'), [
      { label: say('entry.at'), cell: ({ at }) => time(at) },
      { label: say('order.payment_id'), cell: ({ payment_id: id }) => id, kind: 'code' },
      {
        label: say('attempt.outcome'),
        cell: ({ outcome }) => badge(outcome === 'succeeded' ? 'good' : 'bad', codeWords('attempt', outcome)),
      },
      { label: say('attempt.decline_code'), cell: ({ decline_code: code }) => code ?? '—' },
    ], one.attempts));
}

/** Money may come without an attempt of the order: it could not be taken, or a person has booked it. */
function noAttempts({ received_amount: received, credited_amount: credited }) {
  if (credited) return 'reason.payment_booked';
  return received ? 'order.attempts.not_taken' : 'order.attempts.none';
}

function refundsPart(one) {
  if (one.refunds.length === 0) return null;
  return section(say('order.refunds'), table(say('order.refunds'), [
    { label: say('entry.at'), cell: ({ created_at: at }) => time(at) },
    { label: say('refund.id'), cell: ({ refund_id: id }) => id, kind: 'code' },
    { label: say('entry.amount'), cell: refunded, kind: 'number' },
    { label: say('operator.status'), cell: ({ status }) => refundBadge(status) },
    { label: say('reason'), cell: ({ reason }) => reason ?? say('refund.dashboard') },
    { label: say('order.bank_reference'), cell: ({ bank_reference: reference }) => reference ?? '—', kind: 'code' },
    { label: say('refund.failure'), cell: ({ failure_reason: reason }) => reason ?? '—' },
  ], one.refunds));
}

function disputesPart(one) {
  if (one.disputes.length === 0) return null;
  return section(say('order.disputes'), table(say('order.disputes'), [
    { label: say('entry.at'), cell: ({ created_at: at }) => time(at) },
    { label: say('dispute.id'), cell: ({ dispute_id: id }) => id, kind: 'code' },
    { label: say('entry.amount'), cell: ({ amount, currency }) => money(amount, currency), kind: 'number' },
    { label: say('operator.status'), cell: ({ status }) => codeWords('dispute', status) },
    { label: say('reason'), cell: ({ reason }) => (reason ? codeWords('dispute_reason', reason) : '—') },
  ], one.disputes));
}
