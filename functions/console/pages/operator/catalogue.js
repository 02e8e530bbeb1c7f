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
  const { news, body } = renewed((load) => loaded(() => get('/v1/admin/catalogue'), (read) => catalogueParts(read, load)));
  return [heading(say('operator.catalogue')), news, body];
}

function catalogueParts(read, done) {
  const editable = may('operator:configure');
  const edit = (label, make) => (editable ? opening(label, make()) : null);
  return [
    hint(say('catalogue.changed', { by: read.changed_by, version: read.version }), ' ', time(read.changed_at)),
    editable ? null : missingScope('operator:configure'),
    section(say('catalogue.products'), read.products.map((one) => productCard(one, edit, () => productForm(one, read, done))),
      edit(say('catalogue.product.new'), () => productForm(null, read, done))),
    section(say('wallet'),
      element('article', { class: 'card' }, limits(read.wallet), edit(say('operator.edit'), () => walletForm(read, done)))),
    section(say('catalogue.rates'),
      Object.entries(read.rates).map(([pair, rate]) => rateCard(pair, rate, edit, () => rateForm(pair, rate, done))),
      edit(say('catalogue.rate.new'), () => rateForm(null, '', done))),
    section(say('catalogue.bank_accounts'),
      Object.entries(read.bank_accounts).map(([currency, one]) => bankCard(currency, one, edit, done)),
      edit(say('catalogue.bank_account.new'), () => bankAccountForm(null, {}, done))),
  ];
}

function productCard(one, edit, make) {
  return element('article', { class: 'card' },
    element('div', { class: 'section-head' },
      element('h3', {}, named(one.name), ' ', element('span', { class: 'hint code' }, one.product)),
      badge(one.enabled ? 'good' : 'neutral', say(one.enabled ? 'catalogue.enabled' : 'catalogue.disabled'))),
    facts([[say('catalogue.name.en'), one.name.en], [say('catalogue.name.zh'), element('span', { lang: 'zh-CN' }, one.name.zh)]]),
    limits(one.methods), edit(say('operator.edit'), make));
}

function limits(methods) {
  return facts(Object.entries(methods).map(([method, currencies]) => [say(`method.${method}`),
    lines(Object.entries(currencies).map(([currency, one]) => element('span', {}, limitText(currency, one))))]));
}

function limitText(currency, { min_amount: least, max_amount: most }) {
  return most ? say('catalogue.from_to', { least: money(least, currency), most: money(most, currency) })
    : say('catalogue.from', { least: money(least, currency) });
}

function rateCard(pair, rate, edit, make) {
  const [paid, credited] = pair.split('-');
  return element('article', { class: 'card' }, element('h3', {}, pair),
    element('p', {}, say('catalogue.rate.says', { rate, paid, credited })), edit(say('operator.edit'), make));
}

function bankCard(currency, one, edit, done) {
  return element('article', { class: 'card' }, element('h3', {}, currency), facts([
    [say('bank.holder'), one.holder], [say('bank.bank'), one.bank], [say('bank.branch'), one.branch],
    [say('bank.number'), code(one.number)],
    [say('bank.swift'), one.swift], [say('bank.cnaps'), one.cnaps],
  ]), edit(say('operator.edit'), () => bankAccountForm(currency, one, done)));
}
