// What the payer of a bank transfer must know, each value with a button that copies it.

import { element } from '../core/dom.js';
import { say, t } from '../core/language.js';
import { moneyText } from '../core/money.js';
import { copyable } from '../core/parts.js';
import { timeText } from '../core/time.js';

/** The instructions of an order that awaits its transfer. */
export function instructions({ transfer_instructions: told }) {
  const account = told.receiving_account;
  const lines = [
    ['order.reference', told.reference_code, 'reference'],
    ['transfer.amount', told.amount, '', () => moneyText(told.amount, told.currency)],
    ['transfer.holder', account.holder],
    ['transfer.bank', account.bank],
    ['transfer.branch', account.branch],
    ['transfer.number', account.number],
    ['transfer.swift', account.swift],
    ['transfer.cnaps', account.cnaps],
  ].filter(([, value]) => value);
  return element('section', { class: 'card', 'aria-labelledby': 'instructions' },
    element('h2', { id: 'instructions' }, say('transfer.title')),
    element('p', {}, () => t('transfer.how', { reference: told.reference_code })),
    element('dl', { class: 'facts instructions' }, lines.map(line)),
    told.deadline ? element('p', {}, () => t('transfer.deadline', { at: timeText(told.deadline) })) : null,
    element('p', { class: 'hint' }, say('transfer.review', { time: reviewTime(told.review_time) })));
}

function line([key, value, kind = '', shown = value]) {
  return element('div', { class: kind },
    element('dt', {}, say(key)), element('dd', {}, copyable(value, say(key), shown)));
}

/** The words of the operator, in Chinese too where they are the usual ones. */
function reviewTime(text) {
  return text === '1 to 3 working days' ? say('transfer.review.usual') : text;
}
