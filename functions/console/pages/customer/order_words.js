// Codes of orders as a person reads them: live texts. A code that has no words is shown as it is.

import { knows, say } from '../core/language.js';

const PEOPLE = ['stripe', 'automatic'];

/** Why a card was declined. */
export function declineWords(code) {
  if (!code) return say('decline.none');
  return knows(`decline.${code}`) ? say(`decline.${code}`) : say('decline.other', { code });
}

/** Why the status of an order changed. */
export function reasonWords(reason) {
  return knows(`reason.${reason}`) ? say(`reason.${reason}`) : () => reason;
}

/** Who did it: what the service does by itself has a name in both languages. */
export function actorWords(by) {
  return PEOPLE.includes(by) ? say(`by.${by}`) : () => by;
}

/** A word of a closed list of the API, such as the status of a refund. */
export function codeWords(list, code) {
  return knows(`${list}.${code}`) ? say(`${list}.${code}`) : () => code;
}
