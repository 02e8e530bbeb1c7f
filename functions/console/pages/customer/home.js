// Home: what there is, and the way to more.

import { get, list } from '../core/api.js';
import { element } from '../core/dom.js';
import { named, say, t } from '../core/language.js';
import { compare, money } from '../core/money.js';
import { banner, emptyHint, heading, link, loaded } from '../core/parts.js';
import { to } from '../core/router.js';
import { orderTable } from './order_table.js';

/** The screen `/`. */
export function home() {
  return [
    heading(say('home.title')),
    loaded(() => get('/v1/balances'), balances),
    element('section', { 'aria-labelledby': 'last-orders' },
      element('div', { class: 'section-head' }, element('h2', { id: 'last-orders' }, say('home.last_orders')),
        link('/orders', {}, say('home.all_orders'))),
      loaded(() => list('/v1/orders', { limit: 5 }), ({ data }) => lastOrders(data))),
  ];
}

function balances(answer) {
  const owed = compare(answer.debt, '0') > 0;
  return [
    owed ? banner('bad', say('home.debt', { amount: money(answer.debt, answer.currency) })) : null,
    element('div', { class: 'balances' },
      balanceCard(say('wallet'), answer.wallet, answer.currency, say('home.wallet.note'), '/top-up/wallet', 'wallet'),
      answer.products.map((product) => balanceCard(named(product.name), product, answer.currency,
        say('home.product.note', { product: named(product.name) }), `/top-up/product/${product.product}`, ''))),
  ];
}

function balanceCard(name, { available, held }, currency, note, path, kind) {
  const title = element('h2', {}, name);
  return element('article', { class: `card balance ${kind}` },
    title,
    element('p', { class: 'amount' }, money(available, currency)),
    compare(held, '0') > 0 ? element('p', { class: 'hint' }, say('home.held', { amount: money(held, currency) })) : null,
    element('p', { class: 'hint' }, note),
    element('a', { class: 'button primary', href: to(path), 'aria-label': () => `${t('top_up')}: ${name()}` }, say('top_up')));
}

function lastOrders(orders) {
  return orders.length > 0 ? orderTable(orders) : emptyHint(say('home.no_orders'));
}
