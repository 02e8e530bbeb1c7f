// The operator's screens and where they are.

import { addWords, say } from '../core/language.js';
import { route } from '../core/router.js';
import words from '../words/operator.js';
import orderWords from '../words/order.js';
import { account } from './account.js';
import { accounts } from './accounts.js';
import { catalogue } from './catalogue.js';
import { endpoints } from './endpoints.js';
import { finding } from './finding.js';
import { findings } from './findings.js';
import { keys } from './keys.js';
import { order } from './order.js';
import { received } from './received.js';
import { reconciliation, reconciliations } from './reconciliations.js';
import { reviews } from './reviews.js';
import { scoped } from './shared.js';
import { statement, statements } from './statements.js';

addWords(orderWords);
addWords(words);
route('/', scoped('operator:read', 'operator.reviews', reviews));
route('/statements', scoped('operator:review', 'operator.statements', statements));
route('/statements/{statement_id}', scoped('operator:review', 'operator.statements', statement));
route('/received', scoped('operator:review', 'received.title', received));
route('/findings', scoped('operator:read', 'operator.findings', findings));
route('/findings/{finding_id}', scoped('operator:read', 'operator.findings', finding));
route('/reconciliations', scoped('operator:read', 'operator.reconciliations', reconciliations));
route('/reconciliations/{run_id}', scoped('operator:read', 'operator.reconciliations', reconciliation));
route('/accounts', scoped('operator:read', 'operator.accounts', accounts));
route('/accounts/{account_id}', scoped('operator:read', 'operator.accounts', account));
route('/orders/{order_id}', scoped('operator:read', 'operator.order', order));
route('/catalogue', scoped('operator:read', 'operator.catalogue', catalogue));
route('/keys', scoped('operator:keys', 'operator.keys', keys));
route('/endpoints', scoped('operator:read', 'operator.endpoints', endpoints));

export default {
  links: [
    ['/', say('desk.reviews')],
    ['/statements', say('desk.statements')],
    ['/findings', say('operator.findings')],
    ['/reconciliations', say('operator.reconciliations')],
    ['/accounts', say('operator.accounts')],
    ['/catalogue', say('operator.catalogue')],
    ['/keys', say('desk.keys')],
    ['/endpoints', say('operator.endpoints')],
  ],
};
