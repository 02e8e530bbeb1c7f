// Money is decimal text and whole numbers of its smallest unit (BigInt); never a float.

import { locale } from './language.js';

/** What a person sees, with the currency: a live text. The text of the API goes to Intl as it is. */
export function money(amount, currency) {
  return () => moneyText(amount, currency);
}

/** The same as text of this moment. */
export function moneyText(amount, currency) {
  if (amount === null || amount === undefined) return '—';
  const format = new Intl.NumberFormat(locale(), {
    style: 'currency', currency, currencyDisplay: 'code', maximumFractionDigits: Math.max(6, digitsOf(currency)),
    minimumFractionDigits: digitsOf(currency),
  });
  return format.format(amount);
}

/** How many decimals a currency has. */
export function digitsOf(currency) {
  return new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions().maximumFractionDigits;
}

/** Whether a text is an amount that a person may send: digits, a point, at most the currency's decimals. */
export function isAmount(text, currency) {
  const digits = digitsOf(currency);
  const decimals = digits > 0 ? `(\\.\\d{1,${digits}})?` : '';
  return new RegExp(`^\\d{1,12}${decimals}$`).test(text) && compare(text, '0') > 0;
}

/**
 * What a person typed as the API reads it: digits of any width, without blanks, without zeros before it, and without
 * commas where they group thousands. Any other comma stays, and makes it no amount: 1,5 is one and a half to some, and
 * fifteen to nobody.
 */
export function typed(text) {
  const plain = text.normalize('NFKC').replace(/\s/g, '');
  const isGrouped = /^[1-9]\d{0,2}(,\d{3})+(\.\d+)?$/.test(plain);
  return (isGrouped ? plain.replaceAll(',', '') : plain).replace(/^0+(?=\d)/, '').replace(/^\./, '0.');
}

/** Less than, equal or more: -1, 0 or 1. */
export function compare(one, other) {
  const [left, right] = aligned(one, other);
  return left < right ? -1 : Number(left > right);
}

/** One less the other, as decimal text. */
export function minus(one, other) {
  const [left, right, scale] = aligned(one, other);
  return written(left - right, scale);
}

/** An amount by a rate (so many of its currency for one of the other), rounded half-even as the service does. */
export function divided(amount, rate, digits) {
  const [dividend, amountScale] = scaled(amount);
  const [divisor, rateScale] = scaled(rate);
  return rounded(dividend * 10n ** BigInt(rateScale + digits), divisor * 10n ** BigInt(amountScale), digits);
}

/** The way back: what an amount costs at a rate, rounded in the same way. */
export function multiplied(amount, rate, digits) {
  const [left, amountScale] = scaled(amount);
  const [right, rateScale] = scaled(rate);
  return rounded(left * right * 10n ** BigInt(digits), 10n ** BigInt(amountScale + rateScale), digits);
}

/** How many of `steps` an amount is of a whole, rounded down: for lengths of drawings. */
export function share(amount, whole, steps) {
  const [part, all] = aligned(amount, whole);
  return all === 0n ? 0n : (part * BigInt(steps)) / all;
}

function rounded(numerator, denominator, digits) {
  const quotient = numerator / denominator;
  const twice = (numerator % denominator) * 2n;
  const up = twice > denominator || (twice === denominator && quotient % 2n === 1n);
  return written(up ? quotient + 1n : quotient, digits);
}

function scaled(text) {
  const [whole, decimals = ''] = text.split('.');
  return [BigInt(whole + decimals), decimals.length];
}

function aligned(one, other) {
  const [left, leftScale] = scaled(one);
  const [right, rightScale] = scaled(other);
  const scale = Math.max(leftScale, rightScale);
  return [left * 10n ** BigInt(scale - leftScale), right * 10n ** BigInt(scale - rightScale), scale];
}

function written(value, scale) {
  const digits = String(value < 0n ? -value : value).padStart(scale + 1, '0');
  const whole = digits.slice(0, digits.length - scale);
  const decimals = digits.slice(digits.length - scale);
  return (value < 0n ? '-' : '') + whole + (scale > 0 ? `.${decimals}` : '');
}
