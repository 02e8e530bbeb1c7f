// What became of a payment. It says "paid" only if the service knows; until then it looks again by itself.

import { get } from '../core/api.js';
import { element } from '../core/dom.js';
import { say } from '../core/language.js';
import { compare, money } from '../core/money.js';
import { declineWords } from '../core/orders.js';
import { banner, buttonLink, facts, heading, link, loaded, statusBadge } from '../core/parts.js';
import { balanceName, targetName } from './catalogue.js';
import {
  billing, cancelButton, explained, isPaid, isPayable, lookAgainButton, lostPayment, payNow,
} from './pieces.js';
import { watchedOrder } from './watched.js';

/** About two minutes, dense at first: a payment is usually known within a second. */
const PAUSES_S = [1, 2, 3, 3, 4, 4, 5, 5, 8, 10, 10, 15, 15, 15, 20];

/** The screen `/result/{order_id}`. */
export function result({ order_id: id }) {
  return [
    billing([`/orders/${id}`, id], [null, say('result.title')]),
    heading(say('result.title')),
    element('div', { class: 'narrow' }, watchedOrder(id, PAUSES_S, outcome)),
  ];
}

function outcome(order, { draw, gaveUp }) {
  return [
    ...said(order, gaveUp, draw),
    element('section', { class: 'card' }, facts([
      [say('order.order_id'), link(`/orders/${order.order_id}`, {}, order.order_id)],
      [say('order.target'), targetName(order)],
      [say('order.amount'), money(order.amount, order.currency)],
      [say('order.method'), say(`method.${order.method}`)],
      [say('order.status'), statusBadge(order.status)],
    ])),
    isPaid(order) ? newBalances(order) : null,
    element('div', { class: 'actions' },
      buttonLink('secondary', `/orders/${order.order_id}`, say('result.order')), buttonLink('plain', '/', say('home'))),
  ];
}

function said(order, gaveUp, draw) {
  if (isPaid(order)) return paid(order);
  const lost = lostPayment(order);
  if (lost) return [lost];
  if (order.status === 'pending_payment') return order.method === 'card' ? awaited(order, gaveUp, draw) : [];
  const [tone, key] = {
    processing: ['waiting', 'result.processing'], pending_review: ['waiting', 'result.review'],
    exception: ['bad', 'result.exception'],
  }[order.status] ?? ['neutral', 'result.closed'];
  const target = order.target === 'wallet' ? '/top-up/wallet' : `/top-up/product/${order.product}`;
  return [banner(tone, say(key)), key === 'result.closed' ? buttonLink('primary', target, say('result.new')) : null];
}

function paid(order) {
  const key = order.method === 'balance' ? 'result.moved' : 'result.paid';
  const taken = order.taken_back_amount && compare(order.taken_back_amount, '0') > 0
    && money(order.taken_back_amount, order.currency);
  const owed = order.debt_paid && compare(order.debt_paid, '0') > 0;
  return [banner('good',
    element('strong', {}, say(key, { amount: money(order.credited_amount, order.currency), name: targetName(order) })),
    taken ? element('span', {}, say('result.taken_back', { amount: taken })) : null,
    owed ? element('span', {}, say('result.debt', { amount: money(order.debt_paid, order.currency) })) : null)];
}

function awaited(order, gaveUp, draw) {
  const pay = isPayable(order) ? payNow(order) : null;
  const last = order.attempts.at(-1);
  // A later attempt may have succeeded that nobody has told of yet: it is never said that nothing was charged.
  const reason = last?.outcome === 'declined' && declineWords(last.decline_code);
  const declined = reason && explained('bad', say('result.declined', { reason }), say('result.declined.how'));
  if (gaveUp) {
    return [explained('waiting', say('result.later'), say('result.later.how')), declined,
      element('div', { class: 'actions' },
        lookAgainButton(order, draw), pay)];
  }
  const working = element('span', { class: 'working' }, say('result.confirming'));
  const calm = pay && element('div', { class: 'action' },
    element('p', { class: 'hint' }, say('result.not_paid')),
    element('div', { class: 'actions' }, payNow(order, 'secondary'), cancelButton(order, draw, 'plain')));
  return [explained('waiting', working, say('result.confirming.how')), declined, calm];
}

function newBalances(order) {
  return element('section', { class: 'card', 'aria-labelledby': 'balances-now' },
    element('h2', { id: 'balances-now' }, say('result.balances')),
    loaded(() => get('/v1/balances'), ({ wallet, products, currency }) => {
      const own = products.find(({ product }) => product === order.product);
      return facts([
        [say('wallet'), money(wallet.available, currency)],
        own ? [balanceName(`product:${own.product}`), money(own.available, currency)] : [null, null],
      ]);
    }));
}
