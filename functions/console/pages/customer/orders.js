// Billing → Order Details. The filters are in the address, so that a list can be linked to and gone back to.

import { element } from '../core/dom.js';
import { selectInput } from '../core/form.js';
import { say } from '../core/language.js';
import { exportButton, pages } from '../core/lists.js';
import { orderTable } from '../core/orders.js';
import { buttonLink, field, heading, link, loaded } from '../core/parts.js';
import { go } from '../core/router.js';
import { catalogue, productChoices, targetName } from './catalogue.js';
import { billing, moments, orderActions } from './pieces.js';

const STATUSES = ['pending_payment', 'processing', 'pending_review', 'completed', 'rejected', 'failed', 'cancelled',
  'expired', 'exception', 'partially_refunded', 'refunded'];
const NAMES = ['status', 'target', 'product', 'method', 'from', 'to'];

/** The screen `/orders`. */
export function orders(parameters, query) {
  const filters = Object.fromEntries(NAMES.map((name) => [name, query[name] ?? '']));
  const asked = { ...filters, ...moments(filters) };
  return [
    billing(),
    heading(say('customer.orders'), exportButton('/v1/orders.csv', asked, 'orders')),
    loaded(catalogue, (known) => filterForm(filters, known)),
    pages('/v1/orders', asked, (rows, redraw) => orderTable(say('customer.orders'), rows, targetName, {
      actions: [{ label: say('actions'), cell: (order) => rowActions(order, rows, redraw) }],
    }), ...nothing(filters)),
  ];
}

function nothing(filters) {
  return Object.values(filters).some(Boolean)
    ? [say('orders.none_found'), link('/orders', {}, say('filters.clear'))]
    : [say('home.no_orders'), buttonLink('primary', '/top-up/wallet', say('top_up'))];
}

function rowActions(order, rows, redraw) {
  const changed = (now) => {
    rows.splice(rows.indexOf(order), 1, now);
    redraw();
  };
  return element('div', { class: 'actions row' }, orderActions(order, changed, 'small'),
    buttonLink('plain small', `/orders/${order.order_id}`, say('order.details')));
}

function filterForm(filters, known) {
  const any = ['', say('filters.any')];
  const words = (prefix, values) => values.map((value) => [value, say(`${prefix}.${value}`)]);
  const controls = {
    status: selectInput([any, ...words('status', STATUSES)], filters.status),
    target: selectInput([any, ['wallet', say('type.wallet')], ['product', say('type.product')]], filters.target),
    product: selectInput([any, ...productChoices(known)], filters.product),
    method: selectInput([any, ...words('method', ['card', 'offline', 'balance'])], filters.method),
    from: element('input', { type: 'date', value: filters.from }),
    to: element('input', { type: 'date', value: filters.to }),
  };
  const labels = {
    status: 'order.status', target: 'order.type', product: 'filters.product', method: 'order.method',
    from: 'filters.from', to: 'filters.to',
  };
  return filterBar('/orders', controls, labels, Object.values(filters).some(Boolean));
}

/** Filters of a list: pressing the button changes the address, and so the list. */
export function filterBar(path, controls, labels, isFiltered) {
  const send = (event) => {
    event.preventDefault();
    go(path, Object.fromEntries(Object.entries(controls).map(([name, control]) => [name, control.value])));
  };
  return element('form', { class: 'filters', 'aria-label': say('filters'), onsubmit: send },
    Object.entries(controls).map(([name, control]) => field(say(labels[name]), control)),
    element('div', { class: 'actions' },
      element('button', { type: 'submit', class: 'button secondary' }, say('filters.apply')),
      isFiltered ? buttonLink('plain', path, say('filters.clear')) : null));
}
