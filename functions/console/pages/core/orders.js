// Orders as both roles read them. A code that has no words is shown as it is.

import { element } from './dom.js';
import { knows, say } from './language.js';
import { compare, money } from './money.js';
import { link, statusBadge, table } from './parts.js';
import { day, time } from './time.js';

const PROGRAMS = ['stripe', 'automatic'];

/** How much a refund is, and how much of another currency, if that is what was paid. */
export function refunded({ amount, currency, pay_amount: paid, pay_currency: of }) {
  return [money(amount, currency), of === currency ? null : [' = ', money(paid, of)]];
}

/**
 * A table of orders; `targetName(order)` is what one tops up. `figures` are further columns beside the
 * amount, `actions` those at the end.
 */
export function orderTable(caption, orders, targetName, { figures = [], actions = [] }) {
  return table(caption, [
    { label: say('order.created_at'), cell: ({ created_at: at }) => time(at) },
    { label: say('order.order_id'), cell: ({ order_id: id }) => link(`/orders/${id}`, {}, id), kind: 'code' },
    { label: say('order.target'), cell: targetName },
    { label: say('order.method'), cell: ({ method }) => say(`method.${method}`) },
    { label: say('order.amount'), cell: amounts, kind: 'number' },
    ...figures,
    { label: say('order.status'), cell: ({ status }) => statusBadge(status) },
    ...actions,
  ], orders);
}

/** What was ordered, and what was credited if that is another amount. */
function amounts({ amount, currency, credited_amount: credited }) {
  const differs = credited && compare(credited, amount) !== 0;
  return [money(amount, currency), differs ? element('span', { class: 'hint each' }, say('order.credited', {
    amount: money(credited, currency),
  })) : null];
}

/** What became of an order, step by step, and by whom. */
export function timeline(order) {
  const step = ({ at, to, reason, by }) => element('li', {},
    element('strong', {}, say(`status.${to}`)),
    element('span', {}, reasonWords(reason)),
    element('span', { class: 'hint' }, time(at), ' · ', actorWords(by)));
  return element('ol', { class: 'timeline' }, order.timeline.map(step));
}

/** What refunds and disputes took out of the account again; null if that is no more than the refunds say. */
export function takenBack({ taken_back_amount: taken, refunded_amount: given, currency }) {
  return taken && compare(taken, '0') > 0 && compare(taken, given ?? '0') !== 0 ? money(taken, currency) : null;
}

/** When it was paid. Of a bank transfer only the day is known: the bank's. */
export function paidAt({ method, paid_at: at }) {
  if (!at) return null;
  return method === 'offline' ? day(at.slice(0, 10)) : time(at);
}

/** The account that a transfer goes to, in a line. */
export function accountLine({ holder, bank, number }) {
  return `${holder}, ${bank}, ${number}`;
}

/** Why a card was declined. */
export function declineWords(code) {
  if (!code) return say('decline.none');
  return knows(`decline.${code}`) ? say(`decline.${code}`) : say('decline.other', { code });
}

/** Why the status of an order changed: the words of its code, or what a person wrote. */
export function reasonWords(reason) {
  return reason ? codeWords('reason', reason) : '—';
}

/** Who did it: what the service does by itself has a name in both languages. */
export function actorWords(by) {
  return PROGRAMS.includes(by) ? say(`by.${by}`) : () => by;
}

/** A word of a closed list of the API, such as the status of a refund. */
export function codeWords(list, code) {
  return knows(`${list}.${code}`) ? say(`${list}.${code}`) : () => code;
}
