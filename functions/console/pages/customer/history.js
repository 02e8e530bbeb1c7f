// Every change of one balance, as the journal has it.

import { get } from '../core/api.js';
import { element } from '../core/dom.js';
import { selectInput } from '../core/form.js';
import { say } from '../core/language.js';
import { exportButton, pages } from '../core/lists.js';
import { compare, minus, money } from '../core/money.js';
import { codeWords } from '../core/orders.js';
import { badge, heading, link, loaded, table } from '../core/parts.js';
import { time } from '../core/time.js';
import { balanceName } from './catalogue.js';
import { filterBar } from './orders.js';
import { breadcrumb, moments } from './pieces.js';

/** The screen `/history`. */
export function history(parameters, query) {
  const filters = { balance: query.balance || 'wallet', from: query.from ?? '', to: query.to ?? '' };
  const asked = { balance: filters.balance, ...moments(filters) };
  return [
    breadcrumb(['/', say('billing')], [null, say('customer.history')]),
    heading(say('customer.history'), exportButton('/v1/entries.csv', asked, `entries-${filters.balance}`.replace(':', '-'))),
    loaded(() => get('/v1/balances'), (balances) => [filterForm(filters, balances), standing(filters, balances)]),
    pages('/v1/entries', asked, (entries) => journal(filters.balance, entries), say('history.none')),
  ];
}

function filterForm(filters, { products }) {
  const names = ['wallet', ...products.map(({ product }) => `product:${product}`)];
  const controls = {
    balance: selectInput(names.map((name) => [name, balanceName(name)]), filters.balance),
    from: element('input', { type: 'date', value: filters.from }),
    to: element('input', { type: 'date', value: filters.to }),
  };
  return filterBar('/history', controls, { balance: 'history.balance', from: 'filters.from', to: 'filters.to' },
    Boolean(filters.from || filters.to));
}

function standing({ balance }, { wallet, products, currency }) {
  const own = balance === 'wallet' ? wallet : products.find(({ product }) => `product:${product}` === balance);
  const values = own && { name: balanceName(balance), amount: money(own.available, currency) };
  return own && element('p', {}, say('top_up.now', values));
}

function journal(balance, entries) {
  const rows = entries.map((entry) => ({ ...entry, change: changeOf(balance, entry) }));
  const after = (place) => ({ balances_after: left, change }) => money(left[place] ?? null, change.currency);
  return table(say('customer.history'), [
    { label: say('entry.number'), cell: ({ number }) => String(number), kind: 'number' },
    { label: say('entry.at'), cell: ({ at }) => time(at) },
    { label: say('entry.kind'), cell: ({ kind }) => codeWords('kind', kind) },
    { label: say('entry.in_out'), cell: ({ change }) => direction(change) },
    { label: say('entry.amount'), cell: ({ change }) => amounts(change), kind: 'number' },
    { label: say('entry.balance'), cell: after(balance), kind: 'number' },
    { label: say('entry.aside'), cell: after(`${balance}:held`), kind: 'number' },
    { label: say('entry.order'), cell: ({ document_id: ids }) => documents(ids), kind: 'code' },
  ], rows);
}

/**
 * What an entry did to a balance, of which a part may be set aside: `total` came in or, below zero, went out, and `free`
 * of it changed what is available. If nothing came in or went out, so much was set aside or is free again.
 */
function changeOf(balance, { lines }) {
  const on = (wanted) => lines.find(({ place }) => place === wanted)?.amount ?? '0';
  const [free, aside] = [on(balance), on(`${balance}:held`)];
  return { free, total: minus(free, minus('0', aside)), currency: lines[0].currency };
}

function direction({ free, total }) {
  const moved = compare(total, '0') || compare(free, '0');
  if (compare(total, '0') === 0) return badge('neutral', say(moved < 0 ? 'kind.hold_placed' : 'kind.hold_released'));
  return moved < 0 ? badge('neutral', say('out')) : badge('good', say('in'));
}

/** What came in or went out, or was set aside; beneath it what was not needed of it and is free again. */
function amounts({ free, total, currency }) {
  const size = (amount) => money(amount.replace('-', ''), currency);
  if (compare(total, '0') === 0) return size(free);
  const rest = compare(total, '0') < 0 && compare(free, '0') > 0;
  return [size(total), rest ? element('span', { class: 'hint each' }, say('kind.hold_released'), ': ', size(free)) : null];
}

/** What an entry belongs to; orders lead to their page. */
function documents(ids) {
  return ids.split(' ').map((id) => element('div', {}, id.startsWith('ord_') ? link(`/orders/${id}`, {}, id) : id));
}
