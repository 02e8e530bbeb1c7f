// One press of a button makes one thing, whatever happens in between.
//
// The idempotency key belongs to what is asked for. It is kept in this tab until the API has answered, so a double
// click, a second try after a lost answer, and a reload in the middle all send the same key.
//
// What never got an answer may have been done. Whoever then asks for something else is told so first; whoever asks
// for the same again, perhaps much later and meaning once more, is told if it had been done the first time.

import { Abandoned, Refusal, SignedOut, isRepeated } from './api.js';
import { say } from './language.js';
import { confirmed, noted } from './parts.js';
import { currentSession } from './session.js';
import { timeText } from './time.js';

const PREFIX = 'topup.submission.';

/** Calls `send(key)` with the key of this content, and forgets the key once the outcome is known. */
export async function submitOnce(name, content, send) {
  const store = storeOf(name);
  const text = JSON.stringify(content);
  const open = store.read();
  const known = open.find((one) => one.text === text);
  if (!known) await sureAbout(open);
  const asked = known ?? { text, key: crypto.randomUUID(), at: new Date().toISOString() };
  const others = open.filter((one) => one !== known).map((one) => ({ ...one, told: true }));
  store.write([...others, asked]);
  let answer;
  try {
    answer = await send(asked.key);
  } catch (failure) {
    // Nothing was made, and what comes next is another wish. But what had no answer before may have been made then,
    // whatever is refused now: its key stays, as it does while the outcome is unknown.
    const isRefused = failure instanceof Refusal || (failure instanceof SignedOut && !failure.wrote);
    if (isRefused && !known) store.write(others);
    else if (failure instanceof Refusal) store.write([...others, { ...known, told: true }]);
    throw failure;
  }
  store.write(others);
  // An order that still waits for its payment is simply gone on with.
  if (known && isRepeated(answer) && answer.status !== 'pending_payment') {
    await noted(say('submission.done_before'), say('submission.done_before.how', { at: () => timeText(known.at) }));
  }
  return answer;
}

async function sureAbout(open) {
  const first = open.find((one) => !one.told);
  if (!first) return;
  const how = say('submission.unknown.how', { at: () => timeText(first.at) });
  if (!await confirmed(say('submission.unknown'), how, say('submission.unknown.yes'))) throw new Abandoned();
}

/** What waits for an answer, of this form and this person: `[{text, key, at, told}]`. */
function storeOf(name) {
  const { role, account_id: account, person } = currentSession() ?? {};
  const stored = PREFIX + [role, account, person, name].join('.');
  return {
    read: () => JSON.parse(sessionStorage.getItem(stored) ?? '[]'),
    write: (open) => (open.length > 0 ? sessionStorage.setItem(stored, JSON.stringify(open)) : sessionStorage.removeItem(stored)),
  };
}
