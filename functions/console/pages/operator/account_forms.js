// What the operator does to an account: corrects a balance, changes its name, freezes it.

import { post, put } from '../core/api.js';
import { element } from '../core/dom.js';
import { amountEntry, entry, form, selectInput, textInput, withinMeans } from '../core/form.js';
import { say } from '../core/language.js';
import { money } from '../core/money.js';
import { actionButton, confirmed } from '../core/parts.js';
import { submitOnce } from '../core/submission.js';
import { currencyEntry, reasonEntry } from './entries.js';
import { balanceName, balanceOptions, told } from './shared.js';

/** The form of an adjustment: a direction and an amount, so that nobody forgets a sign. */
export function adjustForm(one, balances, done) {
  const directions = [['', say('adjust.choose')], ['in', say('adjust.in')], ['out', say('adjust.out')]];
  const hint = say('adjust.amount.hint', { currency: one.currency });
  const amount = amountEntry('amount', say('entry.amount'), () => one.currency, { hint });
  return form({
    parts: [
      element('div', { class: 'columns' },
        entry('balance', say('operator.balance'), selectInput(balanceOptions(balances.products), 'wallet')),
        entry('direction', say('adjust.direction'), selectInput(directions, '')),
        amount),
      reasonEntry(say('reason'), say('adjust.reason.hint')),
    ],
    submit: say('adjust.submit'),
    send: async ({ direction, ...body }, made) => {
      const signed = { ...body, amount: direction === 'out' ? `-${body.amount}` : body.amount };
      const answer = await withinMeans(amount, one.currency, () => adjust(one, balances, signed));
      if (!answer) return;
      made.reset();
      const values = { amount: money(answer.amount, answer.currency), balance: balanceName(answer.balance, balances.products) };
      done(told('good', say('adjust.told', values)));
    },
  });
}

// Null if the person thought better of it.
async function adjust(one, balances, body) {
  const balance = balanceName(body.balance, balances.products);
  const question = say('adjust.sure', { amount: money(body.amount, one.currency), balance, account: one.account_id });
  const kind = body.amount.startsWith('-') ? 'danger' : 'primary';
  if (!await confirmed(question, say('adjust.sure.detail', { reason: body.reason }), say('adjust.submit'), kind)) return null;
  const path = `/v1/admin/accounts/${one.account_id}/adjustments`;
  return submitOnce(`adjust.${one.account_id}`, body, (key) => post(path, body, key));
}

/** The form of the name and, until the first entry, the currency. */
export function changeForm(one, path, done) {
  const currency = one.entries > 0 ? null : currencyEntry('currency', say('account.currency'), one.currency);
  return form({
    parts: [entry('name', say('account.name'), textInput({ value: one.name, maxlength: '140' })), currency],
    submit: say('save'),
    send: async (body) => {
      await put(path, body);
      done(told('good', say('saved')));
    },
  });
}

/** Freezes an account, or lets its money move again; asks first. */
export function freezeButton(one, path, done) {
  const frozen = one.status === 'frozen';
  const words = frozen ? 'unfreeze' : 'freeze';
  const [kind, sure] = frozen ? ['secondary', 'primary'] : ['danger', 'danger'];
  return actionButton(kind, say(`account.${words}`), async () => {
    const question = say(`account.${words}.sure`, { account: one.account_id });
    if (!await confirmed(question, say(`account.${words}.detail`), say(`account.${words}`), sure)) return;
    await put(path, { status: frozen ? 'active' : 'frozen' });
    done(told(frozen ? 'good' : 'waiting', say(`account.${words}.told`)));
  });
}
