// A receipt to print or to keep as a PDF, of an order that was paid and credited.

import { get } from '../core/api.js';
import { element } from '../core/dom.js';
import { say } from '../core/language.js';
import { compare, money } from '../core/money.js';
import { paidAt, takenBack } from '../core/orders.js';
import { buttonLink, emptyHint, facts, heading, loaded } from '../core/parts.js';
import { time } from '../core/time.js';
import { targetName } from './catalogue.js';
import { billing, isPaid } from './pieces.js';

/** The screen `/orders/{order_id}/receipt`. */
export function receipt({ order_id: id }) {
  return [
    billing([`/orders/${id}`, id], [null, say('order.receipt')]),
    heading(say('order.receipt')),
    loaded(() => get(`/v1/orders/${encodeURIComponent(id)}`), (order) => (isPaid(order) ? paper(order)
      : emptyHint(say('receipt.none'), buttonLink('secondary', `/orders/${id}`, say('result.order'))))),
  ];
}

function paper(order) {
  const some = (amount, currency) => (amount && compare(amount, '0') > 0 ? money(amount, currency) : null);
  return [
    element('div', { class: 'actions no-print' },
      element('button', { type: 'button', class: 'button primary', onclick: () => print() }, say('receipt.print')),
      buttonLink('plain', `/orders/${order.order_id}`, say('result.order'))),
    element('article', { class: 'card' },
      element('p', { class: 'amount' }, money(order.credited_amount, order.currency)),
      element('p', {}, say(`type.${order.target}`), ' · ', targetName(order)),
      facts([
        [say('order.order_id'), order.order_id],
        [say('order.account'), order.account_id],
        [say('order.paid_at'), paidAt(order)],
        [say('order.completed_at'), time(order.completed_at)],
        [say('order.method'), say(`method.${order.method}`)],
        [say('order.payment_id'), order.payment_id],
        [say('order.payer_name'), order.transfer_report?.payer_name],
        [say('order.amount'), money(order.amount, order.currency)],
        [say('order.pay_amount'), money(order.pay_amount, order.pay_currency)],
        [say('order.fx_rate'), order.fx_rate],
        [say('order.received_amount'), some(order.received_amount, order.received_currency ?? order.pay_currency)],
        [say('order.credited_amount'), money(order.credited_amount, order.currency)],
        [say('order.debt_paid'), some(order.debt_paid, order.currency)],
        [say('order.refunded_amount'), some(order.refunded_amount, order.currency)],
        [say('order.taken_back_amount'), takenBack(order)],
      ]),
      element('p', { class: 'hint' }, say('receipt.note'))),
  ];
}
