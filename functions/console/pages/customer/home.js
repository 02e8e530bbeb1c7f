// Home: what there is, what waits for the customer, and the way to more.

import { get, list } from '../core/api.js';
import { element } from '../core/dom.js';
import { named, say, t } from '../core/language.js';
import { compare, money } from '../core/money.js';
import { orderTable } from '../core/orders.js';
import { badge, banner, buttonLink, emptyHint, heading, link, loaded } from '../core/parts.js';
import { timeText } from '../core/time.js';
import { catalogue, targetName } from './catalogue.js';
import { offerOf } from './offer.js';
import { rejection } from './order.js';
import { isPayable, isReportable, orderActions, payNow } from './pieces.js';

/** So many orders are looked at first; so many that wait are told of, and so many are listed: the list has them all. */
const MAX_READ = 50;
/** Of more orders, those that wait are looked for among five pages of so many. */
const MAX_PAGE = 100;
const MAX_WAITING = 3;
const MAX_LISTED = 5;

/** The screen `/`. */
export function home() {
  return [
    heading(say('home.title')),
    loaded(() => Promise.all([get('/v1/balances'), catalogue(), thresholds()]), balances),
    loaded(orders, ({ last, waiting }, again) => [
      ...waitingOrders(waiting),
      element('section', { 'aria-labelledby': 'last-orders' },
        element('div', { class: 'section-head' }, element('h2', { id: 'last-orders' }, say('home.last_orders')),
          link('/orders', {}, say('home.all_orders'))),
        lastOrders(last.slice(0, MAX_LISTED), again)),
    ]),
  ];
}

/** The last orders, and those that may wait for the customer: these also among many newer ones. */
async function orders() {
  const { data: last, next_cursor: more } = await list('/v1/orders', { limit: MAX_READ }, 1);
  if (!more) return { last, waiting: last };
  const those = (status) => list('/v1/orders', { status, limit: MAX_PAGE });
  const found = await Promise.all([those('rejected'), those('pending_payment')]);
  return { last, waiting: found.flatMap(({ data }) => data) };
}

/** Thresholds only add hints: the balances are shown without them. */
async function thresholds() {
  const answer = await get('/v1/thresholds').catch(() => ({ data: [] }));
  return new Map(answer.data.map((threshold) => [threshold.balance, threshold]));
}

function balances([answer, known, low]) {
  const { currency } = answer;
  const owed = compare(answer.debt, '0') > 0;
  // In no way, if it is not sold any more, or not in the currency of the account.
  const takes = (code) => {
    const offer = offerOf(known, answer, code);
    return Boolean(offer?.enabled) && offer.methods.length > 0;
  };
  const isLow = (balance, { available }) => {
    const threshold = low.get(balance)?.alert_below;
    return Boolean(threshold) && compare(available, threshold) < 0;
  };
  return [
    owed ? banner('bad', say('home.debt', { amount: money(answer.debt, currency) })) : null,
    element('div', { class: 'balances' },
      balanceCard({
        ...answer.wallet, name: say('wallet'), currency, note: say('home.wallet.note'),
        path: '/top-up/wallet', kind: 'wallet', enabled: takes(null), low: isLow('wallet', answer.wallet),
      }),
      answer.products.map((product) => balanceCard({
        ...product, name: named(product.name), currency,
        note: say('home.product.note', { product: named(product.name) }),
        path: `/top-up/product/${product.product}`, kind: '', enabled: takes(product.product),
        low: isLow(`product:${product.product}`, product),
      }))),
  ];
}

function balanceCard({ name, available, held, currency, note, path, kind, enabled, low }) {
  const aside = compare(held, '0') > 0 ? say('home.held', { amount: money(held, currency) }) : null;
  return element('article', { class: `card balance ${kind}` },
    element('h2', {}, name),
    element('p', { class: 'amount' }, money(available, currency)),
    low ? element('p', {}, badge('waiting', say('home.low'))) : null,
    aside && element('p', { class: 'hint' }, aside),
    element('p', { class: 'hint' }, note),
    enabled
      ? buttonLink('primary', path, say('top_up'), { 'aria-label': () => `${t('top_up')}: ${name()}` })
      : element('p', { class: 'hint' }, say('home.disabled')));
}

/** Orders that wait for something of the customer. */
function waitingOrders(orders) {
  const those = (status, show) => orders.filter((order) => order.status === status).slice(0, MAX_WAITING).map(show);
  return [...those('rejected', rejectedBanner), ...those('pending_payment', unpaidBanner)];
}

function rejectedBanner(order) {
  const values = { amount: money(order.pay_amount, order.pay_currency), reason: rejection(order) ?? '—' };
  const again = buttonLink('secondary small', `/orders/${order.order_id}/report`, say('order.report_again'));
  return banner('bad', element('span', {}, say('home.rejected', values)), element('div', { class: 'actions' }, again));
}

function unpaidBanner(order) {
  const values = {
    amount: money(order.pay_amount, order.pay_currency), name: targetName(order), at: () => timeText(order.expires_at),
  };
  const action = isPayable(order) ? payNow(order, 'secondary small')
    : isReportable(order) && buttonLink('secondary small', `/orders/${order.order_id}`, say('home.unpaid.transfer'));
  return banner('waiting',
    element('span', {}, say(order.method === 'card' ? 'home.unpaid.card' : 'home.unpaid.offline', values)),
    element('div', { class: 'actions' }, action));
}

function lastOrders(orders, again) {
  if (orders.length === 0) return emptyHint(say('home.no_orders'));
  const cell = (order) => element('div', { class: 'actions row' }, orderActions(order, again, 'small'),
    buttonLink('plain small', `/orders/${order.order_id}`, say('order.details')));
  return orderTable(say('customer.orders'), orders, targetName, { actions: [{ label: say('actions'), cell }] });
}
