// What a top-up may be: the methods, currencies and limits of the catalogue, and what an amount becomes.

import { named, say } from '../core/language.js';
import { compare, digitsOf, divided, isAmount, minus, typed } from '../core/money.js';

const METHODS = ['card', 'balance', 'offline'];
const PRESETS = ['50', '100', '500', '1000'];

/** What can be done for the wallet, or for the product of this code; null if there is no such product. */
export function offerOf(catalogue, balances, code) {
  const product = code ? catalogue.data.find(({ product: known }) => known === code) : null;
  if (code && !product) return null;
  const own = code ? balances.products.find(({ product: known }) => known === code) : balances.wallet;
  const { methods } = product ?? catalogue.wallet;
  const offer = {
    code, name: product ? named(product.name) : say('wallet'), enabled: product?.enabled ?? true, limits: methods,
    rates: catalogue.rates, currency: balances.currency, wallet: balances.wallet.available,
    available: own?.available ?? null, debt: balances.debt,
  };
  offer.methods = METHODS.filter((method) => currenciesOf(offer, method).length > 0);
  return offer;
}

/** The currencies that a method takes for this account, its own first. */
export function currenciesOf(offer, method) {
  const listed = Object.keys(offer.limits[method] ?? {});
  const isUsable = (currency) => currency === offer.currency || (method === 'offline' && rateOf(offer, currency));
  const usable = listed.filter(isUsable);
  return usable.sort((one, other) => Number(other === offer.currency) - Number(one === offer.currency));
}

/** The amounts of the buttons. */
export function presets() {
  return PRESETS;
}

/** The limits of a method in a currency: `min_amount`, and `max_amount` if there is one. */
export function limitsOf(offer, method, currency) {
  return offer.limits[method]?.[currency] ?? null;
}

/** Whether an amount is within the limits. */
export function within(limits, amount) {
  return compare(amount, limits.min_amount) >= 0 && (!limits.max_amount || compare(amount, limits.max_amount) <= 0);
}

/** How many of this currency one of the account's costs; null if they are the same, or nobody knows. */
export function rateOf(offer, currency) {
  const found = offer.rates.find((rate) => rate.pay_currency === currency && rate.currency === offer.currency);
  return currency === offer.currency ? null : found?.rate ?? null;
}

/** What is typed as an amount of this currency; null if it is none. */
export function amountOf(text, currency) {
  const amount = typed(text);
  return isAmount(amount, currency) ? amount : null;
}

/** What is credited for an amount in this currency. */
export function creditOf(offer, amount, currency) {
  const rate = rateOf(offer, currency);
  return rate ? divided(amount, rate, digitsOf(offer.currency)) : amount;
}

/** How much the wallet lacks for an amount; null if it has enough. */
export function shortfall(offer, amount) {
  return compare(amount, offer.wallet) > 0 ? minus(amount, offer.wallet) : null;
}
