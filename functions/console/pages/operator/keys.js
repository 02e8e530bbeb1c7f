// API keys: the operator's own, and those of an account. A secret is shown once, and never again.

import { post, remove } from '../core/api.js';
import { element } from '../core/dom.js';
import { checkInput, entry, form, textInput } from '../core/form.js';
import { say } from '../core/language.js';
import { pages } from '../core/lists.js';
import { actionButton, badge, confirmed, freshId, heading, link, table } from '../core/parts.js';
import { go } from '../core/router.js';
import { may } from '../core/session.js';
import { submitOnce } from '../core/submission.js';
import { time } from '../core/time.js';
import { accountEntry } from './entries.js';
import { secretBanner } from './secret.js';
import { accountLink, lines, opening, renewed, section, told } from './shared.js';

const CUSTOMER_SCOPES = ['balances:read', 'orders:read', 'orders:write', 'transfers:write', 'usage:write'];
const OPERATOR_SCOPES = ['operator:read', 'operator:review', 'operator:money', 'operator:configure', 'operator:keys'];

/** The screen `/keys`: the operator's keys, or with `account` those of an account. */
export function keys(_, { account }) {
  const path = account ? `/v1/admin/accounts/${encodeURIComponent(account)}/api-keys` : '/v1/admin/api-keys';
  const { news, body, done } = renewed((load) => pages(path, {}, (rows) => keyTable(rows, load), say('keys.none')));
  return [
    heading(say('operator.keys'), account ? link('/keys', {}, say('keys.of_operator')) : null),
    element('div', { class: 'card' }, accountForm(account)),
    news,
    opening(say('keys.new'), newKeyForm(account, done)),
    account ? section(say('keys.of_account', { account }), accountLink(account), body)
      : section(say('keys.of_operator'), body),
  ];
}

function accountForm(account) {
  return form({
    parts: [accountEntry({ name: 'account', value: account ?? '', hint: say('keys.account.hint') })],
    submit: say('keys.show'), kind: 'secondary',
    send: async (body) => go('/keys', body),
  });
}

function newKeyForm(account, load) {
  const scopes = account ? CUSTOMER_SCOPES : OPERATOR_SCOPES;
  const checks = scopes.map((scope) => scopeCheck(scope, account));
  const problem = element('p', { class: 'problem', role: 'alert', hidden: true, id: freshId('scopes') }, say('keys.scopes.none'));
  return form({
    parts: [
      entry('name', say('keys.name'), textInput({ maxlength: '100' }), { hint: say('keys.name.hint') }),
      element('fieldset', { class: 'choice', 'aria-describedby': problem.id, oninput: () => { problem.hidden = true; } },
        element('legend', {}, say('keys.scopes')), checks, problem),
      entry('expires_at', say('keys.expires_at'), element('input', { type: 'datetime-local' }),
        { optional: true, hint: say('keys.expires_at.hint') }),
    ],
    submit: say('keys.create'),
    send: async ({ name, expires_at: expires }, made) => {
      const chosen = checks.filter(({ control }) => control.checked).map(({ control }) => control.value);
      problem.hidden = chosen.length > 0;
      if (chosen.length === 0) {
        checks.find(({ control }) => !control.disabled)?.control.focus();
        return;
      }
      const body = {
        name, scopes: chosen, ...(account && { account_id: account }),
        ...(expires && { expires_at: new Date(expires).toISOString() }),
      };
      const answer = await submitOnce('api-key', body, (key) => post('/v1/admin/api-keys', body, key));
      made.reset();
      load(secretBanner(answer.secret, say('keys.secret.of', { name: answer.name })));
    },
  });
}

// Nobody can give away an operator's scope that they lack; the API refuses it, so it is not offered.
function scopeCheck(scope, account) {
  const mine = Boolean(account) || may(scope);
  return checkInput([say(`scope.${scope}`), ' ', element('span', { class: 'hint code' }, scope)],
    { value: scope, checked: Boolean(account) && mine, disabled: !mine });
}

function keyTable(rows, load) {
  return table(say('operator.keys'), [
    { label: say('keys.name'), cell: ({ name }) => name },
    { label: say('keys.id'), cell: ({ key_id: id }) => id, kind: 'code' },
    { label: say('operator.status'), cell: keyBadge },
    {
      label: say('keys.scopes'),
      cell: ({ scopes }) => lines(scopes.map((scope) => element('span', { class: 'hint' }, say(`scope.${scope}`)))),
    },
    {
      label: say('operator.created_at'),
      cell: ({ created_at: at, created_by: by, created_by_key: key }) => lines(time(at), element('span', { class: 'hint' }, by),
        key ? element('span', { class: 'hint' }, key) : null),
    },
    { label: say('keys.ends'), cell: (key) => time(key.revoked_at ?? key.retires_at ?? key.expires_at) },
    { label: say('actions'), cell: (key) => (isLive(key) ? keyActions(key, load) : '—') },
  ], rows);
}

function isOver(at) {
  return at !== null && Date.parse(at) <= Date.now();
}

function isLive({ revoked_at: revoked, retires_at: retires, expires_at: expires }) {
  return revoked === null && !isOver(retires) && !isOver(expires);
}

function keyBadge(key) {
  if (key.revoked_at) return badge('bad', say('keys.revoked'));
  if (!isLive(key)) return badge('neutral', say('keys.expired'));
  return key.retires_at ? badge('waiting', say('keys.retiring')) : badge('good', say('keys.live'));
}

function keyActions(key, load) {
  const path = `/v1/admin/api-keys/${key.key_id}`;
  const rotate = async () => {
    if (!await confirmed(say('keys.rotate.sure', { name: key.name }), say('keys.rotate.detail'), say('keys.rotate'))) return;
    const answer = await submitOnce(`rotate.${key.key_id}`, {}, (once) => post(`${path}/rotate`, {}, once));
    load(secretBanner(answer.secret, say('keys.secret.of', { name: answer.name })));
  };
  const revoke = async () => {
    const question = say('keys.revoke.sure', { name: key.name });
    if (!await confirmed(question, say('keys.revoke.detail'), say('keys.revoke'), 'danger')) return;
    await remove(path);
    load(told('good', say('keys.revoke.told', { name: key.name })));
  };
  return element('div', { class: 'actions' },
    key.retires_at ? null : actionButton('secondary small', say('keys.rotate'), rotate),
    actionButton('danger small', say('keys.revoke'), revoke));
}
