// The forms of the catalogue. Each says what is to be so from now on; `done(outcome)` reads it again.
//
// A person changes what they see: what a colleague has changed since is not overwritten unseen.

import { get, put } from '../core/api.js';
import { element } from '../core/dom.js';
import { checkInput, entry, form, showAtField, textInput } from '../core/form.js';
import { say } from '../core/language.js';
import { digitsOf, typed } from '../core/money.js';
import { confirmed, freshId, noted } from '../core/parts.js';
import { codeEntry, currencyEntry } from './entries.js';
import { told } from './shared.js';

const PRODUCT_METHODS = ['card', 'offline', 'balance'];
const WALLET_METHODS = ['card', 'offline'];

/** The form of a product; a new one if `one` is null. */
export function productForm(one, catalogue, done) {
  const code = one ? null : codeEntry('product', say('catalogue.product.code'));
  const enabled = checkInput(say('catalogue.enabled.long'), { checked: one?.enabled ?? true });
  const methods = methodsPart(PRODUCT_METHODS, one?.methods ?? {}, currenciesOf(catalogue));
  return form({
    parts: [code,
      element('div', { class: 'columns' },
        entry('name.en', say('catalogue.name.en'), textInput({ value: one?.name.en ?? '' })),
        entry('name.zh', say('catalogue.name.zh'), textInput({ value: one?.name.zh ?? '', lang: 'zh-CN' }))),
      enabled, methods.place],
    submit: say('save'),
    send: async (body) => {
      const name = { en: body['name.en'], zh: body['name.zh'] };
      const product = one?.product ?? body.product;
      if (!await isAsSeen(catalogue, ({ products }) => products.find((known) => known.product === product), code)) return;
      await save(`/v1/admin/products/${product}`, { name, enabled: enabled.control.checked, methods: methods.read() }, done);
    },
  });
}

/** The form of how the wallet can be topped up. */
export function walletForm(catalogue, done) {
  const methods = methodsPart(WALLET_METHODS, catalogue.wallet, currenciesOf(catalogue));
  return form({
    parts: [methods.place], submit: say('save'),
    send: async () => {
      if (!await isAsSeen(catalogue, ({ wallet }) => wallet)) return;
      await save('/v1/admin/wallet', { methods: methods.read() }, done);
    },
  });
}

/** The form of a rate; of a new pair if `pair` is null. A wrong rate costs money, so it asks first. */
export function rateForm(pair, rate, done) {
  const currency = (name) => currencyEntry(name, say(`catalogue.rate.${name}`));
  const check = (text) => (/^\d{1,10}(\.\d{1,8})?$/.test(text) ? null : say('catalogue.rate.hint'));
  const control = textInput({ value: rate, inputmode: 'decimal' });
  return form({
    parts: [
      pair ? null : element('div', { class: 'columns' }, currency('paid'), currency('credited')),
      entry('rate', say('order.fx_rate'), control,
        { hint: say('catalogue.rate.hint'), check, read: () => typed(control.value) })],
    submit: say('save'),
    send: async (body) => {
      const [paid, credited] = pair?.split('-') ?? [body.paid, body.credited];
      const before = await rateNow(paid, credited);
      const detail = before ? say('catalogue.rate.before', { rate: before }) : say('catalogue.rate.first');
      if (!await confirmed(say('catalogue.rate.sure', { rate: body.rate, paid, credited }), detail, say('save'))) return;
      await saveRate(body.rate, paid, credited, done);
    },
  });
}

async function rateNow(paid, credited) {
  const { rates } = await get('/v1/admin/catalogue');
  return rates[`${paid}-${credited}`];
}

// The service takes a rate that is far from the present one only from somebody who knows that it is.
async function saveRate(rate, paid, credited, done) {
  const path = `/v1/admin/rates/${paid}-${credited}`;
  try {
    await save(path, { rate }, done);
  } catch (failure) {
    if (failure.code !== 'difference_not_confirmed') throw failure;
    const detail = say('catalogue.rate.far.detail', { rate, before: await rateNow(paid, credited) });
    if (!await confirmed(say('catalogue.rate.far'), detail, say('catalogue.rate.far.yes'), 'danger')) return;
    await save(path, { rate, confirm_difference: true }, done);
  }
}

/** The form of the bank account of a currency; of another currency if it is null. */
export function bankAccountForm(currency, catalogue, done) {
  const one = catalogue.bank_accounts[currency] ?? {};
  const other = currency ? null : currencyEntry('currency', say('run.currency'));
  const line = (name, optional = false) => entry(name, say(`bank.${name}`),
    textInput({ value: one[name] ?? '', maxlength: '140' }), { optional });
  return form({
    parts: [
      other,
      element('div', { class: 'columns' }, line('holder'), line('bank'), line('branch', true)),
      element('div', { class: 'columns' }, line('number'), line('swift', true), line('cnaps', true))],
    submit: say('save'),
    send: async ({ currency: chosen, ...body }) => {
      const code = currency ?? chosen;
      if (!await isAsSeen(catalogue, ({ bank_accounts: banks }) => banks[code], other)) return;
      // Money of other people is sent there: a mistake here is asked about.
      if (!await confirmed(say('bank.sure', { currency: code }), say('bank.sure.detail', body), say('save'))) return;
      await save(`/v1/admin/bank-accounts/${code}`, body, done);
    },
  });
}

/**
 * Whether a part of the catalogue still is what the person saw; if not, they are told. `code` is the field that names
 * a new part: PUT would change one that is there.
 */
async function isAsSeen(catalogue, part, code = null) {
  const now = part(await get('/v1/admin/catalogue'));
  if (code && now) {
    showAtField(code, say('form.known'));
    return false;
  }
  const isSame = JSON.stringify(now) === JSON.stringify(part(catalogue));
  if (!isSame) await noted(say('catalogue.outdated'), say('catalogue.outdated.how'));
  return isSame;
}

async function save(path, body, done) {
  const answer = await put(path, body);
  done(told('good', say('catalogue.saved', { version: answer.version })));
}

// Every currency that anything in the catalogue speaks of.
function currenciesOf({ wallet, products, rates, bank_accounts: banks }) {
  const limits = [wallet, ...products.map((one) => one.methods)].flatMap((methods) => Object.values(methods));
  const limited = limits.flatMap((one) => Object.keys(one));
  return [...new Set([...limited, ...Object.keys(rates).flatMap((pair) => pair.split('-')), ...Object.keys(banks)])].sort();
}

/** Limits by method and currency; one without a smallest amount is not taken. */
function methodsPart(names, methods, currencies) {
  const rows = names.map((method) => ({
    method, limits: currencies.map((currency) => limitRow(method, currency, methods[method]?.[currency] ?? {})),
  }));
  const place = rows.map(({ method, limits }) => element('fieldset', { class: 'limits' },
    element('legend', {}, say(`method.${method}`)), limits.map((one) => one.place)));
  const read = () => Object.fromEntries(rows.map(({ method, limits }) => [method, readLimits(limits)])
    .filter(([, limits]) => Object.keys(limits).length > 0));
  return { place: [element('p', { class: 'hint', id: freshId('limits') }, say('catalogue.limits.hint')), ...place], read };
}

function limitRow(method, currency, { min_amount: least, max_amount: most }) {
  const digits = digitsOf(currency);
  const form = new RegExp(`^\\d{1,13}${digits > 0 ? `(\\.\\d{1,${digits}})?` : ''}$`);
  const check = (text) => (form.test(text) ? null : say('form.amount', { currency }));
  const end = (name, value, empty) => {
    const control = textInput({ value: value ?? '', inputmode: 'decimal' });
    const label = say(`catalogue.${name}`, { currency });
    const settings = { optional: true, check, empty, read: () => typed(control.value) };
    return entry(`methods.${method}.${currency}.${name}`, label, control, settings);
  };
  // A limit alone is refused by the API; it is said here, at the field that is empty.
  const smallest = end('min_amount', least, () => (largest.entry.read() === '' ? null : say('problem.missing_field')));
  const largest = end('max_amount', most,
    () => (method !== 'card' || smallest.entry.read() === '' ? null : say('problem.missing_field')));
  const ends = [smallest, largest];
  return { currency, ends, place: element('div', { class: 'columns' }, ends) };
}

function readLimits(limits) {
  const read = limits.map(({ currency, ends: [least, most] }) => [currency, least.entry.read(), most.entry.read()]);
  return Object.fromEntries(read.filter(([, least, most]) => least !== '' || most !== '')
    .map(([currency, least, most]) => [currency, { ...(least && { min_amount: least }), ...(most && { max_amount: most }) }]));
}
