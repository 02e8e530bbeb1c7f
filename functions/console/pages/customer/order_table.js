// Orders in a table, as Home and Order Details show them.

import { say } from '../core/language.js';
import { money } from '../core/money.js';
import { link, statusBadge, table } from '../core/parts.js';
import { time } from '../core/time.js';
import { targetName } from './catalogue.js';

/** A table of these orders; `actions(order)` gives what can be done with one. */
export function orderTable(orders, actions = null) {
  const columns = [
    { label: say('order.created_at'), cell: ({ created_at: at }) => time(at) },
    { label: say('order.order_id'), cell: ({ order_id: id }) => link(`/orders/${id}`, {}, id), kind: 'code' },
    { label: say('order.target'), cell: targetName },
    { label: say('order.method'), cell: ({ method }) => say(`method.${method}`) },
    { label: say('order.amount'), cell: ({ amount, currency }) => money(amount, currency), kind: 'number' },
    { label: say('order.status'), cell: ({ status }) => statusBadge(status) },
  ];
  if (actions) columns.push({ label: say('orders.actions'), cell: actions, kind: 'actions-cell' });
  return table(say('customer.orders'), columns, orders);
}
