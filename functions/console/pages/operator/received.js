// A bank transfer that came without an order: booked to whoever it belongs to.

import { get, post } from '../core/api.js';
import { element, fill } from '../core/dom.js';
import { amountEntry, bankReferenceEntry, entry, form, pastDayEntry, selectInput, showAtField } from '../core/form.js';
import { named, say } from '../core/language.js';
import { money } from '../core/money.js';
import { heading, loaded } from '../core/parts.js';
import { submitOnce } from '../core/submission.js';
import { accountEntry } from './entries.js';
import { accountLink, hint, orderLink, tellAt, told, usedBefore } from './shared.js';

/** The screen `/received`: filled in from a line of a statement. */
export function received(_, query) {
  const place = element('div', { class: 'loaded' });
  const outcome = element('div', { class: 'loaded' });
  fill(place, loaded(() => get('/v1/admin/catalogue'), (catalogue) => element('div', { class: 'card' },
    receivedForm({ catalogue, known: query, done: (banner) => tellAt(outcome, banner) }))));
  return [heading(say('received.title')), hint(say('received.hint')), outcome, place];
}

/** The form; without an `account` it asks whose money it is. */
export function receivedForm({ account = null, catalogue, known = {}, done }) {
  const currency = selectInput(Object.keys(catalogue.bank_accounts).map((code) => [code, code]), known.currency);
  const reference = bankReferenceEntry(say('order.bank_reference'), { value: known.reference ?? '' },
    { hint: say('decision.bank_reference.hint') });
  const amount = amountEntry('received_amount', say('decision.received_amount'), () => currency.value,
    { value: known.amount });
  const owner = account ? null : accountEntry();
  let { statement } = known;
  const product = selectInput([['', say('wallet')], ...catalogue.products.map((one) => [one.product, named(one.name)])], '');
  return form({
    parts: [
      owner,
      element('div', { class: 'columns' }, amount, entry('received_currency', say('decision.received_currency'), currency)),
      element('div', { class: 'columns' }, reference,
        pastDayEntry('received_on', say('decision.received_on'), { value: known.on })),
      entry('product', say('order.target'), product, { optional: true }),
    ],
    submit: say('received.submit'),
    send: ({ account_id: typed, ...typedBody }, made) => {
      // The account of the statement may have been replaced since.
      const body = statement ? { ...typedBody, statement_id: statement } : typedBody;
      return book(account ?? typed, body, {
        reference, owner, made, done: (banner) => {
          // What is typed after it is not from there.
          statement = null;
          done(banner);
        },
      });
    },
  });
}

async function book(id, body, { reference, owner, made, done }) {
  const path = `/v1/admin/accounts/${encodeURIComponent(id)}/received-payments`;
  try {
    const order = await submitOnce(`received.${id}`, body, (key) => post(path, body, key));
    made.reset();
    done(told('good', element('p', {}, say('received.told', { amount: money(order.credited_amount, order.currency) })),
      orderLink(order.order_id), accountLink(order.account_id)));
  } catch (failure) {
    if (failure.status === 404 && owner) showAtField(owner, say('account.unknown'));
    else if (failure.code === 'bank_reference_used') showAtField(reference, usedBefore(failure.problem));
    else throw failure;
  }
}
