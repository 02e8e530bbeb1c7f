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
  const linesOf = (entry) => entry.lines.filter(({ place }) => place === balance).map((line) => ({ ...entry, line }));
  const rows = entries.flatMap(linesOf);
  const direction = (amount) => (compare(amount, '0') < 0 ? badge('neutral', say('out')) : badge('good', say('in')));
  const after = (entry) => money(entry.balances_after[balance], entry.line.currency);
  const size = (amount) => (compare(amount, '0') < 0 ? minus('0', amount) : amount);
  return table(say('customer.history'), [
    { label: say('entry.number'), cell: ({ number }) => String(number), kind: 'number' },
    { label: say('entry.at'), cell: ({ at }) => time(at) },
    { label: say('entry.kind'), cell: ({ kind }) => codeWords('kind', kind) },
    { label: say('entry.in_out'), cell: ({ line }) => direction(line.amount) },
    { label: say('entry.amount'), cell: ({ line }) => money(size(line.amount), line.currency), kind: 'number' },
    { label: say('entry.balance'), cell: after, kind: 'number' },
    { label: say('entry.order'), cell: ({ document_id: ids }) => documents(ids), kind: 'code' },
  ], rows);
}

/** What an entry belongs to; orders lead to their page. */
function documents(ids) {
  return ids.split(' ').map((id) => element('div', {}, id.startsWith('ord_') ? link(`/orders/${id}`, {}, id) : id));
}
