// Fields that only forms of the desk have.

import { element } from '../core/dom.js';
import { entry, textInput } from '../core/form.js';
import { say } from '../core/language.js';

/** A field for the id of an account. */
export function accountEntry({ name = 'account_id', value = '', hint } = {}) {
  return entry(name, say('account.id'), textInput({ value, maxlength: '64' }),
    { hint, check: (id) => (/^[A-Za-z0-9_-]{1,64}$/.test(id) ? null : say('account.id.hint')) });
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
