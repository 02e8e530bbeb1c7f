// One press of a button makes one thing, whatever happens in between.
//
// The idempotency key belongs to what is asked for. It is kept in this tab until the API has answered,
// so a double click, a second try after a lost answer, and a reload in the middle all send the same key.

import { Refusal } from './api.js';

const PREFIX = 'topup.submission.';

/** Calls `send(key)` with the key of this content, and forgets the key once the outcome is known. */
export async function submitOnce(name, content, send) {
  const stored = PREFIX + name;
  const text = JSON.stringify(content);
  const known = JSON.parse(sessionStorage.getItem(stored) ?? 'null');
  const key = known?.text === text ? known.key : crypto.randomUUID();
  sessionStorage.setItem(stored, JSON.stringify({ key, text }));
  try {
    const answer = await send(key);
    sessionStorage.removeItem(stored);
    return answer;
  } catch (failure) {
    // Nothing was made, and what comes next is another wish. Unknown stays unknown: the key stays.
    if (failure instanceof Refusal) sessionStorage.removeItem(stored);
    throw failure;
  }
}
