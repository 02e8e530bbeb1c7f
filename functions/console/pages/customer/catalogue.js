// What can be topped up. Names are read once; limits and rates are read anew by whoever needs them,
// because the operator may change them at any time.

import { get } from '../core/api.js';
import { refresh } from '../core/dom.js';
import { language, say } from '../core/language.js';

const names = new Map();
let reading = null;

/** The catalogue as it is now. */
export async function catalogue() {
  const answer = await get('/v1/products');
  for (const { product, name } of answer.data) names.set(product, name);
  return answer;
}

/** The name of a product: a live text, which is its code until the names are known. */
export function productName(code) {
  if (!names.has(code)) readNames();
  return () => names.get(code)?.[language()] ?? code;
}

/** The name of a balance (`wallet`, `product:sms`): a live text. */
export function balanceName(balance) {
  const [, code] = balance.split(':');
  return code ? productName(code) : say('wallet');
}

/** What an order tops up: the wallet, or a product by its name. */
export function targetName({ target, product }) {
  return target === 'wallet' ? say('wallet') : productName(product);
}

/** The names of all products that are known, for filters: `[[code, live text]]`. */
export function productChoices({ data }) {
  return data.map(({ product }) => [product, productName(product)]);
}

function readNames() {
  // Without names there are codes; the next screen tries again.
  reading ??= catalogue().then(() => refresh(document.documentElement)).catch(() => {})
    .finally(() => { reading = null; });
}
