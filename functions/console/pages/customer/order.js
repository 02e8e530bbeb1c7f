// One order: everything that is known of it, and what can be done.

import { element } from '../core/dom.js';
import { say, t } from '../core/language.js';
import { compare, money, moneyText } from '../core/money.js';
import { accountLine, actorWords, codeWords, declineWords, paidAt, refunded, takenBack, timeline } from '../core/orders.js';
import { banner, facts, heading, statusBadge, table } from '../core/parts.js';
import { day, time } from '../core/time.js';
import { targetName } from './catalogue.js';
import { instructions } from './instructions.js';
import { billing, explained, isReportable, lookAgainButton, lostPayment, orderActions } from './pieces.js';
import { watchedOrder } from './watched.js';

/** About ten minutes; whoever stays longer looks again by a button, or by coming back to the page. */
const PAUSES_S = [3, 5, 5, 10, 10, 15, 15, 20, 20, 30, 30, 30, 60, 60, 60, 60, 60, 60];

/** The screen `/orders/{order_id}`. */
export function oneOrder({ order_id: id }) {
  return [
    billing([null, id]),
    heading(() => t('order.title', { id })),
    watchedOrder(id, PAUSES_S, (order, { draw, gaveUp }) => [
      notice(order),
      element('div', { class: 'actions no-print' }, orderActions(order, draw), gaveUp ? lookAgainButton(order, draw) : null),
      isReportable(order) ? instructions(order) : null,
      section('order.facts', facts(factsOf(order))),
      reported(order), attempts(order), refunds(order), disputes(order), reviews(order), section('order.timeline', timeline(order)),
    ]),
  ];
}

/** The reason that the last rejection gave the customer; null if the order does not stand rejected. */
export function rejection(order) {
  if (order.status !== 'rejected') return null;
  return order.transfer_reviews.findLast(({ outcome }) => outcome === 'rejected')?.reason ?? order.status_reason;
}

function notice(order) {
  const reason = rejection(order);
  if (reason) return explained('bad', [say('order.reject_reason'), ': ', reason], say('order.rejected.how'));
  if (order.status === 'exception') return banner('bad', say('result.exception'));
  if (order.status === 'pending_review') return banner('waiting', say('order.review.how'));
  const last = order.attempts.at(-1);
  if (order.status === 'pending_payment' && last?.outcome === 'declined') {
    const why = declineWords(last.decline_code);
    return explained('bad', say('result.declined', { reason: why }), say('result.declined.how'));
  }
  const isClosed = ['cancelled', 'expired'].includes(order.status);
  return lostPayment(order) ?? (isClosed ? banner('neutral', say(`order.closed.${order.method}`)) : null);
}

function section(key, ...children) {
  // No landmark of its own: a table in it is one, by the same name.
  return element('div', { class: 'card' }, element('h2', {}, say(key)), children);
}

function factsOf(order) {
  const some = (amount, currency) => (amount ? money(amount, currency) : null);
  const more = (amount, currency) => (amount && compare(amount, '0') > 0 ? money(amount, currency) : null);
  const instructed = order.transfer_instructions;
  return [
    [say('order.order_id'), order.order_id],
    [say('order.status'), element('span', {}, statusBadge(order.status), order.late ? [' ', say('order.late')] : null)],
    [say('order.type'), say(`type.${order.target}`)],
    [say('order.target'), targetName(order)],
    [say('order.method'), say(`method.${order.method}`)],
    [say('order.amount'), money(order.amount, order.currency)],
    [say('order.pay_amount'), money(order.pay_amount, order.pay_currency)],
    [say('order.fx_rate'), rate(order)],
    [say('order.received_amount'), some(order.received_amount, order.received_currency ?? order.pay_currency)],
    [say('order.credited_amount'), some(order.credited_amount, order.currency)],
    [say('order.debt_paid'), more(order.debt_paid, order.currency)],
    [say('order.refunded_amount'), more(order.refunded_amount, order.currency)],
    [say('order.taken_back_amount'), takenBack(order)],
    [say('order.payment_id'), order.payment_id],
    [say('order.card'), order.card_last4 ? `${order.card_brand ?? ''} •••• ${order.card_last4}` : null],
    [say('order.email'), order.email],
    [say('order.reference'), instructed?.reference_code],
    [say('order.receiving_account'), instructed ? accountLine(instructed.receiving_account) : null],
    [say('order.payer_name'), order.transfer_report?.payer_name],
    [say('order.bank_reference'), order.transfer_report?.bank_reference],
    [say('order.reject_reason'), rejection(order)],
    [say('order.created_at'), time(order.created_at)],
    [say('order.expires_at'), order.status === 'pending_payment' && order.expires_at ? time(order.expires_at) : null],
    [say('order.paid_at'), paidAt(order)],
    [say('order.completed_at'), order.completed_at ? time(order.completed_at) : null],
    ...Object.entries(order.metadata),
  ];
}

function rate({ fx_rate: text, currency, pay_currency: paid }) {
  return text && paid !== currency ? () => `${moneyText('1', currency)} = ${paid} ${text}` : null;
}

function reported(order) {
  const report = order.transfer_report;
  if (!report) return null;
  return section('order.reported', facts([
    [say('order.payer_name'), report.payer_name],
    [say('order.bank_reference'), report.bank_reference],
    [say('report.paid_on'), day(report.paid_on)],
    [say('report.amount'), money(report.amount, report.currency)],
    [say('report.note'), report.note],
    [say('report.proofs.sent'), report.proofs.length > 0 ? String(report.proofs.length) : null],
    [say('report.reported_at'), time(report.reported_at)],
    [say('by'), actorWords(report.by)],
  ]));
}

function attempts(order) {
  if (order.attempts.length === 0) return null;
  return section('order.attempts', table(say('order.attempts'), [
    { label: say('entry.at'), cell: ({ at }) => time(at) },
    { label: say('attempt.outcome'), cell: ({ outcome, decline_code: code }) => (outcome === 'declined'
      ? [codeWords('attempt', outcome), ': ', declineWords(code)] : codeWords('attempt', outcome)) },
    { label: say('order.payment_id'), cell: ({ payment_id: id }) => id, kind: 'code' },
  ], order.attempts));
}

function refunds(order) {
  if (order.refunds.length === 0) return null;
  const outcome = ({ status, failure_reason: why }) => [codeWords('refund', status), why ? `: ${why}` : null];
  const number = ({ refund_id: id, bank_reference: reference }) => reference ?? id;
  return section('order.refunds', table(say('order.refunds'), [
    { label: say('entry.at'), cell: ({ created_at: at }) => time(at) },
    { label: say('entry.amount'), cell: refunded, kind: 'number' },
    { label: say('order.status'), cell: outcome },
    { label: say('reason'), cell: ({ reason }) => reason ?? '—' },
    { label: say('entry.number'), cell: number, kind: 'code' },
  ], order.refunds));
}

function disputes(order) {
  if (order.disputes.length === 0) return null;
  return section('order.disputes', table(say('order.disputes'), [
    { label: say('entry.at'), cell: ({ created_at: at }) => time(at) },
    { label: say('entry.amount'), cell: ({ amount, currency }) => money(amount, currency), kind: 'number' },
    { label: say('order.status'), cell: ({ status }) => codeWords('dispute', status) },
    { label: say('reason'), cell: ({ reason }) => (reason ? codeWords('dispute_reason', reason) : '—') },
  ], order.disputes));
}

/** What was decided on reports; what was accepted shows what arrived beside what was ordered. */
function reviews(order) {
  if (order.transfer_reviews.length === 0) return null;
  const received = ({ received_amount: amount, received_currency: currency }) => money(amount, currency);
  return section('order.reviews', table(say('order.reviews'), [
    { label: say('entry.at'), cell: ({ at }) => time(at) },
    { label: say('review.outcome'), cell: ({ outcome }) => codeWords('review', outcome) },
    { label: say('order.received_amount'), cell: received, kind: 'number' },
    { label: say('reason'), cell: ({ reason }) => reason ?? '—' },
    { label: say('by'), cell: ({ by }) => actorWords(by) },
  ], order.transfer_reviews));
}
