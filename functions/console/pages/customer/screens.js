// The customer's screens and where they are.

import { addWords, say } from '../core/language.js';
import { route } from '../core/router.js';
import words from '../words/customer.js';
import { home } from './home.js';

addWords(words);
route('/', home);

export default {
  links: [
    ['/', say('home')],
    ['/orders', say('customer.orders')],
    ['/history', say('customer.history')],
    ['/settings', say('customer.settings')],
  ],
};
