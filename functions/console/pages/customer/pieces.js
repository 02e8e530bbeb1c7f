// What several of the customer's screens show.

import { get, post } from '../core/api.js';
import { element } from '../core/dom.js';
import { say, t } from '../core/language.js';
import { money } from '../core/money.js';
import { actionButton, announce, banner, buttonLink, confirmed, link } from '../core/parts.js';
import { startOfDay } from '../core/time.js';

/** Where a person is: `[[path, label], …, [null, label]]`. */
export function breadcrumb(...steps) {
  const here = (label) => element('span', { 'aria-current': 'page' }, label);
  return element('nav', { class: 'breadcrumb no-print', 'aria-label': say('breadcrumb') }, element('ol', {}, steps.map(
    ([path, label]) => element('li', {}, path ? link(path, {}, label) : here(label)),
  )));
}

/** The trail of everything about orders: Billing → Order Details → …. */
export function billing(...steps) {
  return breadcrumb(['/', say('billing')], [steps.length > 0 ? '/orders' : null, say('customer.orders')], ...steps);
}

/** A banner of two sentences: what there is, and what follows from it. */
export function explained(tone, what, how) {
  return banner(tone, element('strong', {}, what), element('span', {}, how));
}

/** Whether the customer can still pay it by card. */
export function isPayable({ status, checkout_url: address }) {
  return status === 'pending_payment' && Boolean(address);
}

/** Whether the customer can report a bank transfer for it. */
export function isReportable({ method, status }) {
  return method === 'offline' && ['pending_payment', 'pending_review', 'rejected'].includes(status);
}

// Whether the customer can give it up.
function isCancellable({ method, status }) {
  return status === 'pending_payment' || (method === 'offline' && status === 'rejected');
}

/** Whether it was paid and credited; a payment that was only given back was not. */
export function isPaid({ credited_amount: credited }) {
  return credited !== null;
}

/** What became of a payment that its order could not take, once that is known; else null. */
export function lostPayment(order) {
  if (isPaid(order)) return null;
  if (order.status === 'refunded') {
    const amount = money(order.received_amount, order.received_currency);
    return explained('neutral', say('lost.given_back', { amount }), say('lost.nothing_credited'));
  }
  if (order.status_reason !== 'payment_booked') return null;
  return banner('neutral', element('strong', {}, say('lost.booked')), link('/orders', {}, say('customer.orders')));
}

/** What can be done with an order; `changed(order)` is told of what became of it. */
export function orderActions(order, changed, kind = '') {
  const size = kind ? ` ${kind}` : '';
  return [
    isPayable(order) ? payNow(order, `primary${size}`) : null,
    isReportable(order) ? reportLink(order, size) : null,
    isPaid(order) ? buttonLink(`secondary${size}`, `/orders/${order.order_id}/receipt`, say('order.receipt')) : null,
    isCancellable(order) ? cancelButton(order, changed, `secondary${size}`) : null,
  ];
}

function reportLink({ order_id: id, status }, size) {
  const [kind, key] = {
    rejected: ['primary', 'order.report_again'], pending_review: ['secondary', 'order.report_change'],
  }[status] ?? ['primary', 'order.report'];
  return buttonLink(`${kind}${size}`, `/orders/${id}/report`, say(key));
}

/** The way to the payment page. */
export function payNow(order, kind = 'primary') {
  return element('a', { class: `button ${kind}`, href: order.checkout_url }, say('order.pay_now'));
}

/** For an order that nobody looks at any more by themselves: `draw(order)` begins to look again. */
export function lookAgainButton(order, draw) {
  return element('button', { type: 'button', class: 'button secondary', onclick: () => draw(order) }, say('result.again'));
}

/** Gives an order up; asks first. `changed(order)` is told of what became of it. */
export function cancelButton(order, changed, kind) {
  return actionButton(kind, say('order.cancel'), async () => {
    const explained = order.method === 'card' ? 'order.cancel.card' : 'order.cancel.offline';
    if (!await confirmed(say('order.cancel.question'), say(explained), say('order.cancel.yes'), 'danger')) return;
    const now = await cancelled(order);
    changed(now);
    announceStatus(now);
  });
}

/** Says where an order stands now to who does not see it. */
export function announceStatus({ status }) {
  announce(() => `${t('order.status')}: ${t(`status.${status}`)}`);
}

async function cancelled({ order_id: id }) {
  try {
    return await post(`/v1/orders/${id}/cancel`, {});
  } catch (failure) {
    // It was paid, or closed, in between: what it has become says so.
    if (failure.code === 'order_not_cancellable') return get(`/v1/orders/${id}`);
    throw failure;
  }
}

/** The days of a filter as moments of the API: the whole first day to the whole last one. */
export function moments({ from, to }) {
  const isDay = (text) => /^\d{4}-\d\d-\d\d$/.test(text ?? '') && !Number.isNaN(Date.parse(text));
  const before = (moment) => new Date(Date.parse(moment) - 1).toISOString();
  return { from: isDay(from) ? startOfDay(from) : null, to: isDay(to) ? before(startOfDay(to, 1)) : null };
}
