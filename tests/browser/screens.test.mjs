// Every screen, for every eye: no serious finding of axe-core, nothing that sticks out of a phone, a picture of each in
// both languages, both sizes, light and dark.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { before, test } from 'node:test';
import {
  newAccount, orders, person, picture, platform, provider, show, signIn, uploaded, withBrowser,
} from './support/world.mjs';

const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const EYES = [
  { language: 'en', size: 'desktop' }, { language: 'zh', size: 'phone', dark: true },
  { language: 'zh', size: 'desktop' }, { language: 'en', size: 'phone' },
];

withBrowser();

let account;
let screens;

const today = () => new Date().toISOString().slice(0, 10);

before(async () => {
  account = await newAccount('Ann’s shop');
  const bank = { received_currency: 'USD', received_on: today() };
  await platform('POST', `/v1/admin/accounts/${account}/received-payments`, { ...bank, received_amount: '500.00', bank_reference: `S1-${account}` });
  const { secret } = await platform('POST', '/v1/admin/api-keys', { name: 'server', account_id: account });
  const make = (path, body) => platform('POST', path, body, secret);
  await make('/v1/transfers', { product: 'whatsapp', amount: '60.00' });
  await make('/v1/charges', { product: 'whatsapp', amount: '0.0075' });
  const card = await make('/v1/orders', { target: 'wallet', method: 'card', amount: '30.00', email: 'ann@example.com' });
  const offline = await make('/v1/orders', { target: 'product', product: 'sms', method: 'offline', amount: '720.00', currency: 'CNY' });
  const reported = await make('/v1/orders', { target: 'wallet', method: 'offline', amount: '200.00' });
  await make(`/v1/orders/${reported.order_id}/transfer-report`, { payer_name: 'Li Lei', bank_reference: 'ICBC-7', paid_on: today(), amount: '200.00' });
  const [completed] = (await orders(account)).filter(({ status, method }) => status === 'completed' && method === 'offline');
  // What nobody asked for is a finding.
  await provider('payments', { session_id: card.checkout_url.split('/').at(-1), amount: 1_000 });
  const day = today();
  await platform('POST', '/_control/compare', { day });
  const { data: [run] } = await platform('GET', '/v1/admin/reconciliations');
  const { data: [found] } = await platform('GET', '/v1/admin/findings');
  const statement = await uploaded(`booked_on,amount,currency,bank_reference,payer_name,information
${day},200.00,USD,S2-${account},Li Lei,${reported.transfer_instructions.reference_code}
${day},7.00,USD,,Somebody,
`);
  screens = {
    customer: {
      home: '/', 'top-up-wallet': '/top-up/wallet', 'top-up-product': '/top-up/product/whatsapp', orders: '/orders',
      'order-unpaid': `/orders/${card.order_id}`, 'order-offline': `/orders/${offline.order_id}`,
      'order-reported': `/orders/${reported.order_id}`, 'order-completed': `/orders/${completed.order_id}`,
      report: `/orders/${offline.order_id}/report`, receipt: `/orders/${completed.order_id}/receipt`,
      result: `/result/${completed.order_id}`, 'result-unpaid': `/result/${card.order_id}`,
      history: '/history', settings: '/settings', nowhere: '/nowhere',
    },
    operator: {
      reviews: '/', statements: '/statements', statement: `/statements/${statement.statement_id}`, received: '/received', findings: '/findings', finding: `/findings/${found.finding_id}`,
      reconciliations: '/reconciliations', reconciliation: `/reconciliations/${run.run_id}`,
      accounts: '/accounts', account: `/accounts/${account}`, 'order-desk': `/orders/${completed.order_id}`,
      catalogue: '/catalogue', keys: '/keys', endpoints: '/endpoints',
    },
  };
});

for (const role of ['customer', 'operator']) {
  for (const eye of EYES) {
    const name = `${role}, ${eye.language}, ${eye.size}${eye.dark ? ', dark' : ''}`;
    test(`each screen: ${name}`, async () => {
      const somebody = await person(eye);
      const page = await signIn(somebody, role === 'customer' ? account : null);
      const wrong = [];
      for (const [screen, path] of Object.entries(screens[role])) {
        await show(page, path);
        wrong.push(...(await findings(page)).map((finding) => `${screen}: ${finding}`));
        await picture(page, `${role}-${screen}-${eye.language}-${eye.size}${eye.dark ? '-dark' : ''}`);
      }
      assert.deepEqual(wrong, []);
      await somebody.close();
    });
  }
}

test('names without an end stay within a phone', async () => {
  const endless = 'Endless'.repeat(12);
  const named = (products) => products.map((one) => ({ ...one, name: { en: endless, zh: endless } }));
  const renamed = async (route) => {
    const answer = await route.fetch();
    const { data, products, ...rest } = await answer.json();
    await route.fulfill({ response: answer, json: { ...rest, ...(data && { data: named(data) }), ...(products && { products: named(products) }) } });
  };
  const wrong = [];
  for (const [owner, paths] of [[account, ['/', '/top-up/product/whatsapp', '/settings', '/history?balance=product:whatsapp']],
    [null, ['/catalogue', `/accounts/${account}`]]]) {
    const somebody = await person({ size: 'phone' });
    const page = await signIn(somebody, owner);
    for (const path of ['**/v1/balances', '**/v1/products', '**/v1/admin/catalogue', '**/v1/admin/accounts/*/balances']) {
      await page.route(path, renamed);
    }
    await page.reload();
    for (const path of paths) {
      await show(page, path);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth);
      if (wide > 360) wrong.push(`${path} is ${wide} wide`);
    }
    await somebody.close();
  }
  assert.deepEqual(wrong, []);
});

/** What is wrong with a screen for somebody who cannot see it, and whether it is wider than it may be. */
async function findings(page) {
  // The page's policy lets no script of ours in but by the debugger, as here.
  if (!await page.evaluate('typeof axe !== "undefined"')) await page.evaluate(axe);
  const { violations } = await page.evaluate('axe.run(document, {resultTypes: ["violations"]})');
  const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id} at ${nodes.map(({ target }) => target).join(' ')}`);
  const [wide, width, zero] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth, document.querySelectorAll('main h1').length]);
  if (wide > width) serious.push(`is ${wide} wide on ${width}`);
  if (zero !== 1) serious.push(`has ${zero} headings of the first level`);
  return serious;
}
