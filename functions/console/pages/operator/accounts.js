// Accounts: finding one, and making one.

import { get, put } from '../core/api.js';
import { element } from '../core/dom.js';
import { entry, form, showAtField, textInput } from '../core/form.js';
import { say } from '../core/language.js';
import { pages } from '../core/lists.js';
import { badge, heading, table } from '../core/parts.js';
import { go } from '../core/router.js';
import { time } from '../core/time.js';
import { accountEntry, currencyEntry } from './entries.js';
import { accountLink, opening, section, withScope } from './shared.js';

/** The screen `/accounts`. */
export function accounts() {
  return [
    heading(say('operator.accounts')),
    element('div', { class: 'beside' },
      element('div', { class: 'card' }, lookUp('account_id', 'accounts.look_up', 'account.id', 'account.unknown',
        (id) => `/v1/admin/accounts/${id}`, (id) => `/accounts/${id}`)),
      element('div', { class: 'card' }, lookUp('order_id', 'accounts.look_up_order', 'order.order_id', 'problem.order_not_found',
        (id) => `/v1/admin/orders/${id}`, (id) => `/orders/${id}`))),
    section(say('accounts.new'), withScope('operator:configure', () => opening(say('accounts.new'), newAccount()))),
    section(say('accounts.list'), pages('/v1/admin/accounts', {}, accountTable, say('accounts.none'))),
  ];
}

/** Whether an account is active: colour, sign and word. */
export function accountBadge(status) {
  return badge(status === 'active' ? 'good' : 'bad', say(`account.status.${status}`));
}

function lookUp(name, submit, label, unknown, path, screen) {
  const id = entry(name, say(label), textInput());
  return form({
    parts: [id], submit: say(submit), kind: 'secondary',
    send: async ({ [name]: typed }, made) => {
      const code = encodeURIComponent(typed);
      try {
        await get(path(code));
      } catch (failure) {
        if (failure.status !== 404) throw failure;
        showAtField(id, say(unknown));
        return;
      }
      if (made.isConnected) go(screen(code));
    },
  });
}

function newAccount() {
  const id = accountEntry({ hint: say('account.id.hint') });
  return form({
    parts: [id, entry('name', say('account.name'), textInput({ maxlength: '140' })),
      currencyEntry('currency', say('account.currency'), 'USD')],
    submit: say('accounts.new'),
    send: async ({ account_id: typed, ...body }, made) => {
      // PUT would change an account that is there: a new one must not be one that is known.
      const known = await get(`/v1/admin/accounts/${typed}`).catch((failure) => {
        if (failure.status === 404) return null;
        throw failure;
      });
      if (known) {
        showAtField(id, say('account.known'));
        return;
      }
      await put(`/v1/admin/accounts/${typed}`, body);
      if (made.isConnected) go(`/accounts/${typed}`);
    },
  });
}

function accountTable(rows) {
  return table(say('accounts.list'), [
    { label: say('account.id'), cell: ({ account_id: id }) => accountLink(id) },
    { label: say('account.name'), cell: ({ name }) => name },
    { label: say('account.currency'), cell: ({ currency }) => currency },
    { label: say('operator.status'), cell: ({ status }) => accountBadge(status) },
    { label: say('account.entries'), cell: ({ entries }) => String(entries), kind: 'number' },
    { label: say('operator.created_at'), cell: ({ created_at: at }) => time(at) },
    { label: say('by'), cell: ({ created_by: by }) => by },
  ], rows);
}
