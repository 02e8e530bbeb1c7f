// Forms of the desk: what was typed is looked at here first, then sent once, and what is wrong with it
// is said at its field, with the focus there. Nothing that was typed is taken away by an error.

import { Refusal } from '../core/api.js';
import { element } from '../core/dom.js';
import { say } from '../core/language.js';
import { isAmount, money, typed } from '../core/money.js';
import { field, locked, problemText } from '../core/parts.js';
import { today } from '../core/time.js';

const TOO_LITTLE = ['insufficient_balance', 'refund_too_large'];

/**
 * A field under its name in the API. `check(value)` is what is wrong with a value, or null; `optional`
 * may stay empty, and is left out of the body then, unless `empty()` says that it must not now.
 */
export function entry(name, label, control, { hint, check, read, empty, optional = false } = {}) {
  const made = field(label, control, hint);
  made.entry = { name, control, check, empty, optional, read: read ?? (() => control.value.trim()) };
  return made;
}

/** A field for an amount of a currency; the currency is asked for when it is needed. */
export function amountEntry(name, label, currency, options = {}) {
  const control = textInput({ inputmode: 'decimal', ...options.attributes });
  return entry(name, label, control, {
    ...options, read: () => typed(control.value),
    check: (value) => (isAmount(value, currency()) ? null : say('form.amount', { currency })),
  });
}

/** A field for a currency by its code. */
export function currencyEntry(name, label, value = '') {
  return entry(name, label, textInput({ value, maxlength: '3' }), {
    hint: say('account.currency.hint'), check: (text) => (/^[A-Z]{3}$/.test(text) ? null : say('account.currency.hint')),
  });
}

/** A field for a name that machines know something by, as the code of a product. */
export function codeEntry(name, label) {
  const check = (text) => (/^[a-z][a-z0-9-]{0,31}$/.test(text) ? null : say('form.code'));
  return entry(name, label, textInput({ maxlength: '32' }), { hint: say('form.code'), check });
}

/** A field for why: a few sentences. */
export function reasonEntry(label, hint) {
  return entry('reason', label, element('textarea', { maxlength: '500' }), { hint });
}

/** A field for a day that is not in the future. */
export function pastDayEntry(name, label, value) {
  return entry(name, label, element('input', { type: 'date', value, max: today() }));
}

/** A line of text. */
export function textInput(attributes = {}) {
  return element('input', { type: 'text', autocomplete: 'off', spellcheck: 'false', ...attributes });
}

/** A choice of one: `[[value, label]]`. */
export function selectInput(options, chosen, attributes = {}) {
  return element('select', attributes, options.map(([value, label]) => element('option',
    { value, selected: value === chosen }, label)));
}

/** A choice of yes or no, with its words beside it: the label, whose `control` is the input. */
export function checkInput(label, attributes = {}) {
  return element('label', { class: 'tick' }, element('input', { type: 'checkbox', ...attributes }), element('span', {}, label));
}

/**
 * A form of entries and whatever stands around them. `send(values, form)` is called with what was
 * typed; its refusal is shown at the field that it names, any other failure beside the button.
 */
export function form({ parts, submit, send, kind = 'primary', beside = null, attributes = {} }) {
  const problem = element('p', { class: 'problem', role: 'alert', hidden: true });
  const button = element('button', { type: 'submit', class: `button ${kind}` }, submit);
  const made = element('form', { novalidate: true, ...attributes }, parts,
    element('div', { class: 'action' }, element('div', { class: 'actions' }, button, beside), problem));
  made.addEventListener('submit', (event) => {
    event.preventDefault();
    const entries = [...made.querySelectorAll('.field')].filter((one) => one.entry);
    if (!looksRight(entries)) return;
    locked(button, problem, () => sent(entries, send, made));
  });
  return made;
}

/** Whether every field can be sent; the first that cannot takes the focus. */
export function looksRight(entries) {
  let first = null;
  for (const made of entries) {
    const wrong = wrongWith(made.entry);
    made.problem(wrong);
    if (wrong && !first) first = made;
  }
  first?.entry.control.focus();
  return first === null;
}

/** Says at a field what is wrong with it, and goes there. */
export function showAtField(made, text) {
  made.problem(text);
  made.entry.control.focus();
}

/**
 * Does it, and says at the amount if there is less than that; null then. The answer names what is
 * there without its currency, so the currency is given.
 */
export async function withinMeans(amount, currency, act) {
  try {
    return await act();
  } catch (failure) {
    if (!TOO_LITTLE.includes(failure.code)) throw failure;
    showAtField(amount, say('form.too_much', { available: money(failure.problem.available, currency) }));
    return null;
  }
}

async function sent(entries, send, made) {
  try {
    await send(valuesOf(entries), made);
  } catch (failure) {
    const at = failure instanceof Refusal ? entryNamed(entries, failure.problem.field) : null;
    if (!at) throw failure;
    showAtField(at, problemText(failure));
  }
}

function wrongWith({ read, check, empty, optional }) {
  const value = read();
  if (value === '') return optional ? empty?.() ?? null : say('form.missing');
  return check?.(value) ?? null;
}

function valuesOf(entries) {
  const read = entries.map(({ entry: { name, read: value } }) => [name, value()]);
  return Object.fromEntries(read.filter(([, value]) => value !== ''));
}

// The API may name a part of a field, as `name.en` of `name`.
function entryNamed(entries, name) {
  return entries.find((made) => made.entry.name === name)
    ?? entries.find((made) => name?.startsWith(`${made.entry.name}.`));
}
