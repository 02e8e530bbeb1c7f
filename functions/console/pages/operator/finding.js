// One finding: both sides, the next step, and the ways to end it.

import { get, post } from '../core/api.js';
import { element } from '../core/dom.js';
import { entry, form, selectInput, showAtField } from '../core/form.js';
import { say } from '../core/language.js';
import { confirmed, facts, heading, link, loaded } from '../core/parts.js';
import { time } from '../core/time.js';
import { accountEntry, reasonEntry } from './entries.js';
import { findingBadge, side } from './findings.js';
import { refundBadge } from './refund.js';
import { accountLink, balanceOptions, code, hint, opening, orderLink, renewed, section, told, withScope } from './shared.js';

// Only in these the payment has no place yet: it can be given one, or given back.
const LOST_PAYMENTS = ['amount_differs', 'currency_differs', 'duplicate_payment', 'order_in_exception', 'unknown_order',
  'not_creditable', 'paid_not_credited'];

/** The screen `/findings/{finding_id}`. */
export function finding({ finding_id: id }) {
  const path = `/v1/admin/findings/${encodeURIComponent(id)}`;
  const read = () => Promise.all([get(path), get('/v1/admin/catalogue')]);
  const { news, body } = renewed((load) => loaded(read, ([one, catalogue]) => findingParts(one, { path, catalogue, load })));
  return [heading(say('finding.title'), link('/findings', {}, say('operator.findings'))), news, body];
}

function findingParts(one, desk) {
  return [
    element('div', { class: 'card' },
      element('div', { class: 'section-head' }, element('h2', {}, say(`finding.type.${one.type}`)), findingBadge(one)),
      findingFacts(one)),
    ...(one.status === 'open' ? [
      section(say('finding.next_step'), element('p', { class: 'card' }, say(`finding.next.${one.type}`))),
      section(say('finding.actions'), withScope('operator:money', () => actions(one, desk))),
    ] : []),
  ];
}

function findingFacts(one) {
  return facts([
    [say('finding.expected'), side(one.expected)],
    [say('finding.actual'), side(one.actual)],
    [say('order.account'), one.account_id && accountLink(one.account_id)],
    [say('entry.order'), one.order_id && orderLink(one.order_id)],
    [say('order.payment_id'), one.payment_id && code(one.payment_id)],
    [say('finding.reversal_id'), one.reversal_id && code(one.reversal_id)],
    [say('finding.refund'), one.refund && refundState(one.refund)],
    [say('finding.found_at'), time(one.found_at)],
    [say('finding.closed_at'), one.closed_at && time(one.closed_at)],
    [say('finding.closed_by'), one.closed_by],
    [say('reason'), one.reason],
    [say('finding.resolved_before'), one.resolved_before && [time(one.resolved_before.at), ' ', one.resolved_before.by, ': ', one.resolved_before.reason]],
    [say('finding.id'), code(one.finding_id)],
  ]);
}

function refundState({ refund_id: id, status, failure_reason: failure }) {
  return [refundBadge(status), ' ', code(id), failure ? ` ${failure}` : null];
}

function actions(one, desk) {
  const lost = LOST_PAYMENTS.includes(one.type) && one.payment_id && one.actual;
  const underWay = one.refund && one.refund.status !== 'failed';
  return [
    lost && !underWay ? opening(say('finding.credit'), creditForm(one, desk)) : null,
    lost && !underWay ? opening(say('finding.give_back'), refundForm(one, desk)) : null,
    opening(say('finding.resolve'), resolveForm(one, desk)),
  ];
}

function creditForm(one, { path, catalogue, load }) {
  const account = accountEntry({ value: one.account_id ?? '' });
  return form({
    parts: [hint(say('finding.credit.hint')), account,
      entry('balance', say('operator.balance'), selectInput(balanceOptions(catalogue.products), 'wallet'))],
    submit: say('finding.credit'),
    send: async (body) => {
      const question = say('finding.credit.sure', { amount: side(one.actual), account: body.account_id });
      if (!await confirmed(question, say('operator.no_way_back'), say('finding.credit'))) return;
      try {
        const answer = await post(`${path}/credit`, body);
        load(told('good', element('p', {}, say('finding.credited')), orderLink(answer.order.order_id)));
      } catch (failure) {
        if (failure.status !== 404) throw failure;
        showAtField(account, say('account.unknown'));
      }
    },
  });
}

function refundForm(one, { path, load }) {
  return form({
    parts: [reasonEntry(say('reason'))], submit: say('finding.give_back'), kind: 'danger',
    send: async (body) => {
      const question = say('finding.give_back.sure', { amount: side(one.actual) });
      if (!await confirmed(question, say('operator.no_way_back'), say('finding.give_back'), 'danger')) return;
      const answer = await post(`${path}/refund`, body);
      load(answer.status === 'closed' ? told('good', say('finding.given_back')) : told('waiting', say('finding.giving_back')));
    },
  });
}

function resolveForm(one, { path, load }) {
  return form({
    parts: [hint(say('finding.resolve.hint')), reasonEntry(say('reason'))],
    submit: say('finding.resolve'), kind: 'secondary',
    send: async (body) => {
      await post(`${path}/resolve`, body);
      load(told('good', say('finding.resolved')));
    },
  });
}
