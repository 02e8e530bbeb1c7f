// What is to happen when a balance runs low: an alert to the platform, and money from the wallet.

import { get, put } from '../core/api.js';
import { element, fill, refresh } from '../core/dom.js';
import { draftOf } from '../core/draft.js';
import { amountEntry, form } from '../core/form.js';
import { say } from '../core/language.js';
import { compare, money } from '../core/money.js';
import { badge, choice, heading, loaded } from '../core/parts.js';
import { balanceName } from './catalogue.js';
import { amountOf } from './offer.js';
import { breadcrumb } from './pieces.js';

const NUMBERS = ['alert_below', 'top_up_below', 'top_up_amount', 'top_up_to', 'monthly_cap'];
const NEEDED = ['top_up_below', 'top_up_amount', 'top_up_to'];

/** The screen `/settings`. */
export function settings() {
  const read = () => Promise.all([get('/v1/balances'), get('/v1/thresholds')]);
  return [
    breadcrumb(['/', say('home')], [null, say('customer.settings')]),
    heading(say('customer.settings')),
    element('p', {}, say('settings.how')),
    loaded(read, ([balances, { data }]) => element('div', { class: 'settings' },
      ['wallet', ...balances.products.map(({ product }) => `product:${product}`)].map((balance) => {
        const set = data.find((threshold) => threshold.balance === balance);
        return card(balance, balances.currency, set ?? null);
      }))),
  ];
}

/** What is set for a balance; it is made anew from what the service answers. */
function card(balance, currency, set) {
  const place = element('div', { class: 'loaded' });
  const said = element('p', { class: 'hint saved', role: 'status' });
  const draw = (now) => fill(place, ...contents(balance, currency, now, saved));
  const saved = (now, words) => {
    draw(now);
    fill(said, words);
    place.querySelector('[type="submit"]').focus({ preventScroll: true });
  };
  draw(set);
  return element('article', { class: 'card', 'aria-label': balanceName(balance) }, place, said);
}

function contents(balance, currency, set, saved) {
  const isOn = NUMBERS.some((name) => set?.[name]);
  return [
    element('div', { class: 'section-head' }, element('h2', {}, balanceName(balance)),
      badge(isOn ? 'good' : 'neutral', say(isOn ? 'settings.on' : 'settings.off'))),
    set?.top_up_below ? element('p', { class: 'hint' }, moved(set, currency)) : null,
    thresholdsForm(balance, currency, set, saved),
  ];
}

function moved(set, currency) {
  return say(set.monthly_cap ? 'settings.moved.cap' : 'settings.moved', {
    amount: money(set.moved_this_month ?? '0', currency), cap: money(set.monthly_cap, currency),
  });
}

function thresholdsForm(balance, currency, set, saved) {
  const draft = draftOf(`settings.${balance}`, {
    ...Object.fromEntries(NUMBERS.map((name) => [name, set?.[name] ?? ''])),
    automatic: Boolean(set?.top_up_below), size: set?.top_up_to ? 'to' : 'amount',
  });
  const { values } = draft;
  const isOff = () => !values.automatic;
  const hides = {
    top_up_below: isOff, monthly_cap: isOff,
    top_up_amount: () => isOff() || values.size !== 'amount', top_up_to: () => isOff() || values.size !== 'to',
  };
  const isLess = (value, name) => {
    const other = amountOf(values[name], currency);
    return other !== null && compare(value, other) < 0;
  };
  const checks = {
    top_up_to: (value) => (isLess(value, 'top_up_below') ? say('settings.to_below') : null),
    monthly_cap: (value) => (values.size === 'amount' && isLess(value, 'top_up_amount') ? say('settings.cap_below') : null),
  };
  const number = (name) => amountEntry(name, say(`settings.${name}`, { currency }), () => currency, {
    draft, optional: !NEEDED.includes(name), hint: say(`settings.${name}.hint`), hidden: hides[name], check: checks[name],
  });
  const made = form({
    parts: [number('alert_below'), balance === 'wallet' ? null : [
      automatic(draft), number('top_up_below'),
      element('div', { hidden: isOff }, size(draft, balance, () => refresh(made))),
      number('top_up_amount'), number('top_up_to'), number('monthly_cap'),
    ]],
    submit: say('save'),
    send: async (body) => {
      const path = balance === 'wallet' ? 'wallet' : `products/${balance.replace('product:', '')}`;
      const now = await put(`/v1/${path}/thresholds`, body);
      draft.clear();
      saved(now, say(Object.keys(body).length === 0 ? 'settings.saved.off' : 'saved'));
    },
  });
  made.addEventListener('input', () => refresh(made));
  return made;
}

function automatic(draft) {
  const box = draft.bind('automatic', element('input', { type: 'checkbox', name: 'automatic' }));
  return element('label', { class: 'check' }, box,
    element('span', { class: 'option-label' }, say('settings.automatic')),
    element('span', { class: 'option-note' }, say('settings.automatic.hint')));
}

function size(draft, balance, update) {
  const options = ['amount', 'to'].map((value) => ({ value, label: say(`settings.size.${value}`) }));
  return choice(say('settings.size'), `size-${balance}`, options, draft.values.size, (value) => {
    draft.set('size', value);
    update();
  });
}
