// The catalogue: what can be topped up, how, at which rate and where money arrives. Every change is a
// new version that says who made it; orders that were made before keep what they were shown.

import { get } from '../core/api.js';
import { element } from '../core/dom.js';
import { named, say } from '../core/language.js';
import { money } from '../core/money.js';
import { badge, facts, heading, loaded } from '../core/parts.js';
import { may } from '../core/session.js';
import { time } from '../core/time.js';
import { bankAccountForm, productForm, rateForm, walletForm } from './catalogue_forms.js';
import { code, hint, lines, missingScope, opening, renewed, section } from './shared.js';

/** The screen `/catalogue`. */
export function catalogue() {
  // What is being typed into other forms stays when one is saved.
  const begun = new Map();
  const { news, body } = renewed((load) => loaded(() => get('/v1/admin/catalogue'),
    (read) => catalogueParts(read, may('operator:configure') ? editing(begun, load) : () => null)));
  return [heading(say('operator.catalogue')), news, body];
}

/** Makes forms that open: one that was begun and not saved is still the same one. */
function editing(begun, load) {
  return (name, label, make) => {
    if (begun.has(name)) return begun.get(name);
    const saved = (outcome) => {
      begun.delete(name);
      load(outcome);
    };
    const made = opening(label, make(saved));
    made.addEventListener('input', () => begun.set(name, made));
    return made;
  };
}

function catalogueParts(read, edit) {
  return [
    hint(say('catalogue.changed', { by: read.changed_by, version: read.version }), ' ', time(read.changed_at)),
    may('operator:configure') ? null : missingScope('operator:configure'),
    section(say('catalogue.products'), read.products.map((one) => productCard(one, read, edit)),
      edit('product', say('catalogue.product.new'), (done) => productForm(null, read, done))),
    section(say('wallet'),
      element('article', { class: 'card' }, limits(read.wallet),
        edit('wallet', say('operator.edit'), (done) => walletForm(read, done)))),
    section(say('catalogue.rates'),
      Object.entries(read.rates).map(([pair, rate]) => rateCard(pair, rate, edit)),
      edit('rate', say('catalogue.rate.new'), (done) => rateForm(null, '', done))),
    section(say('catalogue.bank_accounts'),
      Object.keys(read.bank_accounts).map((currency) => bankCard(currency, read, edit)),
      edit('bank account', say('catalogue.bank_account.new'), (done) => bankAccountForm(null, read, done))),
  ];
}

function productCard(one, read, edit) {
  return element('article', { class: 'card' },
    element('div', { class: 'section-head' },
      element('h3', {}, named(one.name), ' ', element('span', { class: 'hint code' }, one.product)),
      badge(one.enabled ? 'good' : 'neutral', say(one.enabled ? 'catalogue.enabled' : 'catalogue.disabled'))),
    facts([[say('catalogue.name.en'), one.name.en], [say('catalogue.name.zh'), element('span', { lang: 'zh-CN' }, one.name.zh)]]),
    limits(one.methods),
    edit(`product ${one.product}`, say('operator.edit'), (done) => productForm(one, read, done)));
}

function limits(methods) {
  return facts(Object.entries(methods).map(([method, currencies]) => [say(`method.${method}`),
    lines(Object.entries(currencies).map(([currency, one]) => element('span', {}, limitText(currency, one))))]));
}

function limitText(currency, { min_amount: least, max_amount: most }) {
  return most ? say('catalogue.from_to', { least: money(least, currency), most: money(most, currency) })
    : say('catalogue.from', { least: money(least, currency) });
}

function rateCard(pair, rate, edit) {
  const [paid, credited] = pair.split('-');
  return element('article', { class: 'card' }, element('h3', {}, pair),
    element('p', {}, say('catalogue.rate.says', { rate, paid, credited })),
    edit(`rate ${pair}`, say('operator.edit'), (done) => rateForm(pair, rate, done)));
}

function bankCard(currency, read, edit) {
  const one = read.bank_accounts[currency];
  return element('article', { class: 'card' }, element('h3', {}, currency), facts([
    [say('bank.holder'), one.holder], [say('bank.bank'), one.bank], [say('bank.branch'), one.branch],
    [say('bank.number'), code(one.number)],
    [say('bank.swift'), one.swift], [say('bank.cnaps'), one.cnaps],
  ]), edit(`bank account ${currency}`, say('operator.edit'), (done) => bankAccountForm(currency, read, done)));
}
