// Giving money of an order back: at most what it brought in and is unspent where it was credited.

import { post } from '../core/api.js';
import { amountEntry, bankReferenceEntry, form, withinMeans } from '../core/form.js';
import { say } from '../core/language.js';
import { compare, money } from '../core/money.js';
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
  return form({
    parts: [hint(say(`refund.way.${order.method}`)), asPaid(order), amount, reference, reasonEntry(say('reason'))],
    submit: say('refund.submit'), kind: 'danger',
    send: (body) => refund(order, body, amount, done),
  });
}

/** What to send, if the order was paid in another currency. */
function asPaid(order) {
  const rate = order.transfer_reviews.at(-1)?.fx_rate;
  if (!rate || order.refundable_pay_amount === null) return null;
  return hint(say('refund.as_paid', {
    left: money(order.refundable_amount, order.currency), paid: money(order.refundable_pay_amount, order.received_currency), rate,
  }));
}

async function refund(order, body, field, done) {
  const question = say('refund.sure', { amount: money(body.amount, order.currency) });
  const detail = say('refund.sure.detail', { account: order.account_id });
  if (!await confirmed(question, detail, say('refund.submit'), 'danger')) return;
  const path = `/v1/admin/orders/${order.order_id}/refunds`;
  const answer = await withinMeans(field, order.currency,
    () => submitOnce(`refund.${order.order_id}`, body, (key) => post(path, body, key)));
  if (!answer) return;
  done(told(TONES[answer.status], say(`refund.told.${answer.status}`, { amount: money(answer.amount, answer.currency) })));
}
