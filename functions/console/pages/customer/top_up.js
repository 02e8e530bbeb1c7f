// TOP UP: of the wallet, or of a product. Everything that depends on what was typed is a live text, asked
// again with every change, so limits, conversion and what is missing are seen before anything is sent.

import { get, post } from '../core/api.js';
import { element, refresh } from '../core/dom.js';
import { draftOf } from '../core/draft.js';
import { amountEntry, entry, form, selectInput, showAtField, textInput, withinMeans } from '../core/form.js';
import { say, t } from '../core/language.js';
import { compare, money, moneyText } from '../core/money.js';
import { banner, choice, emptyHint, heading, link, loaded } from '../core/parts.js';
import { leave, replace, to } from '../core/router.js';
import { submitOnce } from '../core/submission.js';
import { catalogue, productName } from './catalogue.js';
import {
  amountOf, creditOf, currenciesOf, limitsOf, offerOf, presets, rateOf, shortfall, within,
} from './offer.js';
import { breadcrumb } from './pieces.js';

/** The screen `/top-up/wallet`. */
export function walletTopUp() {
  return screen(null, say('type.wallet'));
}

/** The screen `/top-up/product/{product}`. */
export function productTopUp({ product }) {
  return screen(product, say('top_up.product', { product: productName(product) }));
}

function screen(code, title) {
  const read = () => Promise.all([catalogue(), get('/v1/balances')]);
  return [
    breadcrumb(['/', say('home')], [null, title]),
    heading(title),
    element('div', { class: 'narrow' }, loaded(read, ([known, balances]) => offered(offerOf(known, balances, code)))),
  ];
}

function offered(offer) {
  if (!offer) return emptyHint(say('problem.unknown_product'), link('/', {}, say('home')));
  const note = offer.code ? say('top_up.product.note', { product: offer.name }) : say('top_up.wallet.note');
  const now = element('p', {}, say('top_up.now', { name: offer.name, amount: money(offer.available, offer.currency) }));
  const takes = offer.enabled && offer.methods.length > 0;
  return [now, element('p', { class: 'hint' }, note),
    takes ? topUpForm(offer) : banner('waiting', say('home.disabled'))];
}

/** The state of a form: what was typed (a draft), and what follows from it. */
function wishOf(offer) {
  const name = offer.code ? `top-up.product.${offer.code}` : 'top-up.wallet';
  const draft = draftOf(name, { amount: '', method: offer.methods[0], email: '', currency: offer.currency });
  const { values } = draft;
  if (!offer.methods.includes(values.method)) [values.method] = offer.methods;
  const wish = {
    name, draft, offer,
    get method() { return values.method; },
    get currency() {
      const usable = currenciesOf(offer, values.method);
      return values.method === 'offline' && usable.includes(values.currency) ? values.currency : usable[0];
    },
    get limits() { return limitsOf(offer, wish.method, wish.currency); },
    get amount() { return amountOf(values.amount, wish.currency); },
    get credit() { return wish.amount && creditOf(offer, wish.amount, wish.currency); },
    get short() { return wish.method === 'balance' && wish.amount ? shortfall(offer, wish.amount) : null; },
  };
  return wish;
}

function topUpForm(offer) {
  const wish = wishOf(offer);
  const update = () => refresh(made);
  const amount = amountField(wish);
  const options = offer.methods.map((value) => methodOption(offer, value));
  const method = choice(say('order.method'), 'method', options, wish.method, (value) => {
    wish.draft.set('method', value);
    amount.problem(null);
    update();
  });
  const made = form({
    parts: [
      method, currencyField(wish, amount), element('div', { class: 'stack' }, amount, presetButtons(wish, amount, update)),
      emailField(wish), conversion(wish), missing(wish), summary(wish),
    ],
    submit: say('submit'),
    send: async ({ email }, form) => {
      try {
        await withinMeans(amount, offer.currency, () => send(wish, email, form));
      } catch (failure) {
        if (failure.code !== 'rate_changed') throw failure;
        setRate(wish, failure.problem.fx_rate);
        update();
        showAtField(amount, say('top_up.rate_changed'));
      }
    },
  });
  made.addEventListener('input', update);
  return made;
}

function methodOption(offer, method) {
  const tag = method === 'offline' ? null : element('span', { class: 'tag' }, say('recommended'));
  const label = element('span', {}, say(`method.${method}`), ' ', tag);
  const limitsIn = (currency) => limitsText(limitsOf(offer, method, currency), currency);
  const limits = () => currenciesOf(offer, method).map(limitsIn).join(t('limits.other'));
  const note = method === 'balance'
    ? () => t('top_up.method.balance', { amount: moneyText(offer.wallet, offer.currency) })
    : () => `${t(`top_up.method.${method}`)} ${limits()}`;
  return { value: method, label, note };
}

function limitsText({ min_amount: least, max_amount: most }, currency) {
  const values = { least: moneyText(least, currency), most: most && moneyText(most, currency) };
  return t(most ? 'limits.both' : 'limits.least', values);
}

function amountField(wish) {
  const label = () => t('top_up.amount', { currency: wish.currency });
  return amountEntry('amount', label, () => wish.currency, {
    draft: wish.draft, hint: () => limitsText(wish.limits, wish.currency),
    check: (value) => (within(wish.limits, value) ? null : wrongLimits(wish)),
  });
}

// What it says stays as it is now, also if another method is chosen meanwhile.
function wrongLimits({ limits, currency }) {
  return say('limits.wrong', { limits: () => limitsText(limits, currency) });
}

function presetButtons(wish, amount, update) {
  const choose = (preset) => {
    amount.entry.control.value = preset;
    wish.draft.set('amount', preset);
    amount.problem(null);
    update();
  };
  const button = (preset) => element('button', {
    type: 'button', class: 'button secondary small', onclick: () => choose(preset),
    hidden: () => !within(wish.limits, preset),
    'aria-pressed': () => String(wish.amount !== null && compare(wish.amount, preset) === 0),
  }, () => moneyText(preset, wish.currency));
  return element('div', { class: 'presets', role: 'group', 'aria-label': say('top_up.presets') }, presets().map(button));
}

function currencyField(wish, amount) {
  const usable = currenciesOf(wish.offer, 'offline');
  // The one that counts once the method is offline, whatever the method is now.
  const { currency: kept } = wish.draft.values;
  const chosen = usable.includes(kept) ? kept : usable[0];
  const input = selectInput(usable.map((currency) => [currency, currency]), chosen);
  input.addEventListener('input', () => {
    wish.draft.set('currency', input.value);
    // What was wrong with the amount was so in the other currency.
    amount.problem(null);
  });
  return entry('currency', say('top_up.currency'), input, {
    hint: say('top_up.currency.hint'), hidden: () => wish.method !== 'offline' || usable.length < 2,
  });
}

function emailField(wish) {
  const input = textInput({ type: 'email', autocomplete: 'email', maxlength: 254 });
  return entry('email', say('top_up.email'), input, {
    draft: wish.draft, hint: say('top_up.email.hint'), hidden: () => wish.method !== 'card', optional: true,
    // The browser is content without a dot, and the service is not.
    check: (address) => (input.validity.typeMismatch || !/@.+\../.test(address) ? say('top_up.email.wrong') : null),
  });
}

function conversion(wish) {
  const text = () => {
    const rate = rateOf(wish.offer, wish.currency);
    if (!rate || !wish.amount) return '';
    return t('top_up.conversion', {
      paid: moneyText(wish.amount, wish.currency), rate, credited: moneyText(wish.credit, wish.offer.currency),
    });
  };
  return element('div', { class: 'banner neutral', hidden: () => text() === '' },
    element('div', { role: 'status' },
      element('strong', {}, text), element('span', {}, say('top_up.conversion.locked'))));
}

function missing(wish) {
  const { currency } = wish.offer;
  return element('div', { class: 'banner waiting', hidden: () => !wish.short },
    element('div', { role: 'status' },
      element('span', {}, () => (wish.short ? t('top_up.short', { amount: moneyText(wish.short, currency) }) : '')),
      link('/top-up/wallet', {}, say('top_up.short.link'))));
}

function summary(wish) {
  const { offer } = wish;
  const row = (label, value) => element('div', {}, element('dt', {}, label), element('dd', {}, value));
  const owed = compare(offer.debt, '0') > 0 && element('p', { class: 'hint', hidden: () => wish.method === 'balance' },
    say('top_up.debt', { amount: money(offer.debt, offer.currency) }));
  return element('section', { class: 'card', 'aria-label': say('top_up.summary') },
    element('dl', { class: 'facts' },
      row(() => t(wish.method === 'balance' ? 'top_up.moved' : 'top_up.paid'),
        () => moneyText(wish.amount, wish.currency)),
      row(() => t('top_up.credited', { name: offer.name }), () => moneyText(wish.credit, offer.currency))),
    owed, element('p', { class: 'hint' }, () => t(`top_up.next.${wish.method}`)));
}

/** What is shown is the present rate from now on. */
function setRate({ offer, currency }, rate) {
  const isIt = (one) => one.pay_currency === currency && one.currency === offer.currency;
  offer.rates = offer.rates.map((one) => (isIt(one) ? { ...one, rate } : one));
}

async function send(wish, email, form) {
  try {
    await (wish.method === 'balance' ? transfer(wish, form) : order(wish, email, form));
  } catch (failure) {
    if (failure.code === 'insufficient_balance') {
      wish.offer.wallet = failure.problem.available;
      refresh(form);
    }
    throw failure;
  }
}

async function transfer(wish, form) {
  const body = { product: wish.offer.code, amount: wish.amount };
  const made = await submitOnce(wish.name, body, (key) => post('/v1/transfers', body, key));
  wish.draft.clear();
  if (form.isConnected) replace(`/result/${made.order_id}`);
}

async function order(wish, email, form) {
  const { offer, method, amount, currency, draft, name } = wish;
  const body = { target: offer.code ? 'product' : 'wallet', method, amount, currency };
  if (offer.code) body.product = offer.code;
  const shown = method === 'offline' ? rateOf(offer, currency) : null;
  if (shown !== null) body.fx_rate = shown;
  if (method === 'card') {
    body.return_url = `${location.origin}/`;
    if (email) body.email = email;
  }
  const made = await submitOnce(name, body, (key) => post('/v1/orders', body, key));
  draft.clear();
  // Whoever has left meanwhile stays where they are; the order is in the list.
  if (!form.isConnected) return;
  if (!made.checkout_url) {
    replace(`/orders/${made.order_id}`);
    return;
  }
  // Whoever comes back from the payment page by the browser's own button finds this order, not an empty form.
  history.replaceState(null, '', location.pathname + to(`/result/${made.order_id}`));
  await leave(made.checkout_url);
  replace(`/result/${made.order_id}`);
}
