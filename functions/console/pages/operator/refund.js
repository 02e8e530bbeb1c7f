// Giving money of an order back: at most what it brought in and is unspent where it was credited.

import { post } from '../core/api.js';
import { element, refresh } from '../core/dom.js';
import { amountEntry, bankReferenceEntry, form, withinMeans } from '../core/form.js';
import { say, t } from '../core/language.js';
import { compare, digitsOf, isAmount, minus, money, moneyText, multiplied, typed } from '../core/money.js';
import { codeWords } from '../core/orders.js';
import { badge, confirmed } from '../core/parts.js';
import { submitOnce } from '../core/submission.js';
import { reasonEntry } from './entries.js';
import { balanceName, hint, told } from './shared.js';

const TONES = { pending: 'waiting', succeeded: 'good', failed: 'bad' };

/** Where a refund stands: colour, sign and word. */
export function refundBadge(status) {
  return badge(TONES[status], codeWords('refund', status));
}

/** The form; `done(outcome)` is told what came of it. */
export function refundForm(order, balances, done) {
  const place = order.target === 'wallet' ? balances.wallet
    : balances.products.find(({ product }) => product === order.product) ?? { available: '0' };
  const left = order.refundable_amount;
  const most = compare(place.available, left) < 0 ? place.available : left;
  const amount = amountEntry('amount', say('entry.amount'), () => order.currency, {
    hint: say('refund.most', {
      most: money(most, order.currency), left: money(left, order.currency), available: money(place.available, order.currency),
      balance: balanceName(order.target === 'wallet' ? 'wallet' : `product:${order.product}`, balances.products),
    }),
    check: (value) => (compare(value, most) > 0 ? say('refund.too_much', { most: money(most, order.currency) }) : null),
  });
  const reference = order.method === 'offline'
    ? bankReferenceEntry(say('refund.bank_reference'), {}, { hint: say('refund.bank_reference.hint') })
    : null;
  const made = form({
    parts: [hint(say(`refund.way.${order.method}`)), asPaid(order), amount, preview(order, amount, most), reference,
      reasonEntry(say('reason'))],
    submit: say('refund.submit'), kind: 'danger',
    send: (body) => refund(order, body, amount, done),
  });
  made.addEventListener('input', () => refresh(made));
  return made;
}

/** The rate by which it was credited, if it was paid in another currency. */
function rateOf({ transfer_reviews: reviews, refundable_pay_amount: paid }) {
  return paid === null ? null : reviews.at(-1)?.fx_rate ?? null;
}

/** What to send, if the order was paid in another currency. */
function asPaid(order) {
  const rate = rateOf(order);
  return rate && hint(say('refund.as_paid', {
    left: money(order.refundable_amount, order.currency), paid: money(order.refundable_pay_amount, order.received_currency), rate,
  }));
}

/** What of it the typed amount is, as soon as that is an amount that can be given back. */
function preview(order, amount, most) {
  const text = () => {
    const part = typed(amount.entry.control.value);
    const isPart = isAmount(part, order.currency) && compare(part, most) <= 0;
    return isPart ? t('refund.part', { part: partText(order, part) }) : '';
  };
  return rateOf(order) && element('p', { class: 'hint', role: 'status' }, text);
}

function partText(order, part) {
  const own = moneyText(part, order.currency);
  return rateOf(order) ? `${own} = ${moneyText(partAsPaid(order, part), order.received_currency)}` : own;
}

/** What a part is of what was paid, as the service counts: so that all parts together are exactly what arrived. */
function partAsPaid(order, part) {
  const { credited_amount: credited, received_amount: received, received_currency: currency } = order;
  const asPaid = (amount) => (compare(amount, credited) === 0 ? received
    : multiplied(amount, rateOf(order), digitsOf(currency)));
  const left = minus(order.refundable_amount, part);
  return minus(asPaid(minus(credited, left)), asPaid(minus(credited, order.refundable_amount)));
}

async function refund(order, body, field, done) {
  const question = say('refund.sure', { amount: () => partText(order, body.amount) });
  const detail = say('refund.sure.detail', { account: order.account_id });
  if (!await confirmed(question, detail, say('refund.submit'), 'danger')) return;
  const path = `/v1/admin/orders/${order.order_id}/refunds`;
  const answer = await withinMeans(field, order.currency,
    () => submitOnce(`refund.${order.order_id}`, body, (key) => post(path, body, key)));
  if (!answer) return;
  done(told(TONES[answer.status], say(`refund.told.${answer.status}`, { amount: money(answer.amount, answer.currency) })));
}
