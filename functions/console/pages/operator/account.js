// One account: what it has, what happened to it, and what the operator may do about it.

import { get } from '../core/api.js';
import { element } from '../core/dom.js';
import { knows, named, say } from '../core/language.js';
import { exportButton, pages } from '../core/lists.js';
import { compare, money } from '../core/money.js';
import { codeWords, orderTable } from '../core/orders.js';
import { badge, banner, emptyHint, facts, heading, link, loaded, table } from '../core/parts.js';
import { may } from '../core/session.js';
import { time } from '../core/time.js';
import { adjustForm, changeForm, freezeButton } from './account_forms.js';
import { accountBadge } from './accounts.js';
import { receivedForm } from './received.js';
import {
  balanceName, code, hint, lines, opening, orderLink, renewed, section, targetName, withScope,
} from './shared.js';

/** The screen `/accounts/{account_id}`. */
export function account({ account_id: id }) {
  const path = `/v1/admin/accounts/${encodeURIComponent(id)}`;
  const read = () => Promise.all([get(path), get(`${path}/balances`), get('/v1/admin/catalogue')]);
  const { news, body } = renewed((load) => loaded(read,
    ([one, balances, catalogue]) => accountParts({ path, one, balances, catalogue, load })));
  return [
    heading(say('account.title', { id }), may('operator:keys') ? link('/keys', { account: id }, say('account.keys')) : null),
    news, body,
  ];
}

function accountParts(desk) {
  const { one, path, balances: { products } } = desk;
  const { account_id: id } = one;
  return [
    one.status === 'frozen' ? banner('bad', say('account.frozen.hint')) : null,
    element('div', { class: 'card' }, accountFacts(one)),
    section(say('account.balances'), balancesPart(desk)),
    section(say('account.actions'), actions(desk)),
    section(say('account.orders'), pages(`${path}/orders`, {}, (rows) => ordersOf(rows, products), say('account.orders.none')),
      exportButton(`${path}/orders.csv`, {}, `${id}-orders`)),
    section(say('account.entries.title'),
      pages(`${path}/entries`, {}, (rows) => entryTable(rows, products), say('account.entries.none')),
      exportButton(`${path}/entries.csv`, {}, `${id}-entries`)),
    section(say('account.adjustments'),
      pages(`${path}/adjustments`, {}, (rows) => adjustmentTable(rows, products), say('account.adjustments.none'))),
    section(say('account.thresholds'), loaded(() => get(`${path}/thresholds`),
      ({ data }) => (data.length > 0 ? thresholdTable(data, products) : emptyHint(say('account.thresholds.none'))))),
  ];
}

function accountFacts(one) {
  return facts([
    [say('operator.status'), accountBadge(one.status)],
    [say('account.name'), one.name],
    [say('account.currency'), one.currency],
    [say('account.entries'), String(one.entries)],
    [say('operator.created_at'), time(one.created_at)],
    [say('by'), one.created_by],
  ]);
}

function balancesPart({ balances: { wallet, products, currency, debt, as_of: asOf } }) {
  const rows = [{ name: say('wallet'), ...wallet }, ...products.map((one) => ({ ...one, name: named(one.name) }))];
  return [
    compare(debt, '0') > 0 ? banner('bad', say('account.debt', { amount: money(debt, currency) })) : null,
    table(say('account.balances'), [
      { label: say('operator.balance'), cell: ({ name }) => name },
      {
        label: say('account.available'), kind: 'number',
        cell: ({ available }) => element('strong', {}, money(available, currency)),
      },
      { label: say('account.held'), cell: ({ held }) => money(held, currency), kind: 'number' },
    ], rows),
    hint(say('account.as_of'), ' ', time(asOf)),
  ];
}

function actions({ one, balances, catalogue, path, load }) {
  return [
    withScope('operator:money', () => opening(say('adjust.open'), adjustForm(one, balances, load))),
    withScope('operator:review', () => opening(say('received.title'), hint(say('received.hint')),
      receivedForm({ account: one.account_id, catalogue, done: load }))),
    withScope('operator:configure', () => [
      opening(say('account.change'), changeForm(one, path, load)), freezeButton(one, path, load)]),
  ];
}

function ordersOf(rows, products) {
  return orderTable(say('account.orders'), rows, (order) => targetName(order, products), { figures: [{
    label: say('order.credited_amount'), kind: 'number',
    cell: ({ credited_amount: amount, currency }) => money(amount, currency),
  }] });
}

function entryTable(rows, products) {
  return table(say('account.entries.title'), [
    { label: say('entry.number'), cell: ({ number }) => String(number), kind: 'number' },
    { label: say('entry.at'), cell: ({ at }) => time(at) },
    { label: say('entry.kind'), cell: ({ kind }) => codeWords('kind', kind) },
    { label: say('entry.lines'), cell: ({ lines }) => lineList(lines, products) },
    { label: say('entry.balance'), cell: (entry) => afterList(entry, products) },
    { label: say('entry.document'), cell: ({ document_id: id }) => documentLinks(id) },
  ], rows);
}

function lineList(lines, products) {
  return element('ul', { class: 'plain' }, lines.map(({ place, currency, amount }) => element('li', {},
    placeName(place, products), ' ', element('span', { class: 'nowrap' }, money(amount, currency)))));
}

function afterList({ balances_after: after, lines }, products) {
  const currencyOf = (place) => lines.find((line) => line.place === place)?.currency ?? lines[0].currency;
  return element('ul', { class: 'plain' }, Object.entries(after).map(([place, amount]) => element('li', {},
    placeName(place, products), ' ', element('span', { class: 'nowrap' }, money(amount, currencyOf(place))))));
}

function placeName(place, products) {
  if (knows(`place.${place}`)) return say(`place.${place}`);
  const held = place.endsWith(':held');
  const balance = balanceName(held ? place.slice(0, -':held'.length) : place, products);
  return held ? say('place.held', { balance }) : balance;
}

// An entry may belong to several documents, with a blank between them.
function documentLinks(ids) {
  return lines(ids.split(' ').map((id) => (id.startsWith('ord_') ? orderLink(id) : code(id))));
}

function adjustmentTable(rows, products) {
  return table(say('account.adjustments'), [
    { label: say('entry.at'), cell: ({ at }) => time(at) },
    { label: say('operator.balance'), cell: ({ balance }) => balanceName(balance, products) },
    { label: say('entry.amount'), cell: ({ amount, currency }) => money(amount, currency), kind: 'number' },
    { label: say('reason'), cell: ({ reason }) => reason },
    { label: say('by'), cell: ({ by }) => by },
  ], rows);
}

function thresholdTable(rows, products) {
  const amount = (key) => ({ label: say(`threshold.${key}`), cell: (row) => money(row[key], row.currency), kind: 'number' });
  return table(say('account.thresholds'), [
    { label: say('operator.balance'), cell: ({ balance }) => balanceName(balance, products) },
    amount('alert_below'),
    { label: say('threshold.alert_given'), cell: ({ alert_given: given }) => alertBadge(given) },
    ...['top_up_below', 'top_up_amount', 'top_up_to', 'monthly_cap', 'moved_this_month'].map(amount),
    { label: say('by'), cell: ({ set_by: by }) => by ?? '—' },
  ], rows);
}

// Null where no alert is set.
function alertBadge(given) {
  if (given === null) return '—';
  return badge(given ? 'waiting' : 'neutral', say(given ? 'yes' : 'no'));
}
