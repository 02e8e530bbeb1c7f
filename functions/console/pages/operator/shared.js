// What several screens of the desk have in common.

import { element, fill } from '../core/dom.js';
import { named, say } from '../core/language.js';
import { banner, heading, link } from '../core/parts.js';
import { may } from '../core/session.js';

/** A screen for those who have a scope; everybody else is told which one it takes. */
export function scoped(scope, title, screen) {
  return (parameters, query) => (may(scope) ? screen(parameters, query) : [heading(say(title)), missingScope(scope)]);
}

/** What `make()` gives for those who have the scope, and for others a line that says which is missing. */
export function withScope(scope, make) {
  return may(scope) ? make() : missingScope(scope);
}

/** Says which scope is missing, in place of what it would allow. */
export function missingScope(scope) {
  return hint(say('scope.missing', { scope: say(`scope.${scope}`), code: scope }));
}

/** A part of a screen under a heading of its own; no landmark, for its table is one of that name already. */
export function section(title, ...children) {
  return element('section', {}, element('h2', {}, title), ...children);
}

/** A card that opens: for forms that are not needed at every look. */
export function opening(summary, ...children) {
  return element('details', { class: 'card opening' }, element('summary', {}, summary),
    element('div', { class: 'opened' }, ...children));
}

/**
 * A place for what `show(done)` makes, and above it one for news: `done(outcome)` tells what came of what a person did,
 * and shows anew.
 */
export function renewed(show) {
  const news = element('div', { class: 'loaded' });
  const body = element('div', { class: 'loaded' });
  const draw = () => fill(body, show(done));
  const done = (outcome) => {
    tellAt(news, outcome);
    draw();
  };
  draw();
  return { news, body, done };
}

/** What came of what a person did; it takes the focus, so that a screen reader says it. */
export function told(tone, ...children) {
  const made = banner(tone, ...children);
  made.setAttribute('role', 'status');
  made.setAttribute('tabindex', '-1');
  return made;
}

/** Puts an outcome where a form was, and goes there. */
export function tellAt(place, outcome) {
  fill(place, outcome);
  outcome.focus();
}

/** A sign that machines read: an id, a reference, an account number. */
export function code(text) {
  return element('span', { class: 'code' }, text);
}

/** A quiet line that explains. */
export function hint(...text) {
  return element('p', { class: 'hint' }, ...text);
}

/** Several short things beneath each other. */
export function lines(...each) {
  return element('div', { class: 'lines' }, ...each);
}

/** An order by its number. */
export function orderLink(id) {
  return id ? link(`/orders/${id}`, {}, code(id)) : '—';
}

/** An account by its id. */
export function accountLink(id) {
  return id ? link(`/accounts/${id}`, {}, code(id)) : '—';
}

/** A balance in words; products by their names, where the names are known. */
export function balanceName(balance, products = []) {
  if (balance === 'wallet') return say('wallet');
  const code = balance.replace(/^product:/, '');
  const product = products.find((one) => one.product === code);
  return product ? named(product.name) : () => code;
}

/** The balances of an account as a choice. */
export function balanceOptions(products) {
  return [['wallet', say('wallet')], ...products.map(({ product, name }) => [`product:${product}`, named(name)])];
}

/** Says of a bank reference that its money was credited, and to whom. */
export function usedBefore({ order_id: order, account_id: account }) {
  return [say('decision.used'), ' ', orderLink(order), ' · ', accountLink(account)];
}

/** What an order tops up. */
export function targetName({ target, product }, products) {
  return balanceName(target === 'wallet' ? target : `product:${product}`, products);
}
