// A secret that is shown once.

import { element } from '../core/dom.js';
import { say } from '../core/language.js';
import { copyable } from '../core/parts.js';
import { told } from './shared.js';

/** Shows it with a button that copies it; a secret that was shown before (a repetition) is null. */
export function secretBanner(secret, title) {
  if (!secret) return told('waiting', element('p', {}, title), element('p', {}, say('secret.gone')));
  return told('waiting', element('p', {}, element('strong', {}, title)),
    copyable(secret, say('secret.name')), element('p', {}, say('secret.once')));
}
