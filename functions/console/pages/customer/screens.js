// The customer's screens and where they are.

import { addWords, say } from '../core/language.js';
import { route } from '../core/router.js';
import words from '../words/customer.js';
import orderWords from '../words/order.js';
import topUpWords from '../words/top_up.js';
import { history } from './history.js';
import { home } from './home.js';
import { oneOrder } from './order.js';
import { orders } from './orders.js';
import { receipt } from './receipt.js';
import { report } from './report.js';
import { result } from './result.js';
import { settings } from './settings.js';
import { productTopUp, walletTopUp } from './top_up.js';

addWords(words);
addWords(orderWords);
addWords(topUpWords);
route('/', home);
route('/top-up/wallet', walletTopUp);
route('/top-up/product/{product}', productTopUp);
route('/result/{order_id}', result);
route('/orders', orders);
route('/orders/{order_id}', oneOrder);
route('/orders/{order_id}/report', report);
route('/orders/{order_id}/receipt', receipt);
route('/history', history);
route('/settings', settings);

export default {
  links: [
    ['/', say('home')],
    ['/orders', say('customer.orders')],
    ['/history', say('customer.history')],
    ['/settings', say('customer.settings')],
  ],
};
