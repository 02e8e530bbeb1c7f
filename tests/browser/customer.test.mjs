// What people do that no guide says: they click twice, go back, reload, close the page, and use two tabs.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  balances, baseUrl, held, keyOf, newAccount, orders, pay, person, platform, provider, settled, show, signIn, withBrowser,
} from './support/world.mjs';
import { speaker } from './support/words.mjs';

withBrowser();

const w = speaker('en');
const submitButton = (page) => page.getByRole('button', { name: 'Submit', exact: true });

async function ordered(page, amount = '100') {
  await show(page, '/top-up/wallet');
  await page.locator('[name=amount]').fill(amount);
  await submitButton(page).click();
  await page.waitForURL(/\/pay\//);
}

/** Puts money into the wallet of an account, as finance books a transfer that came without an order. */
async function give(account, amount) {
  await platform('POST', `/v1/admin/accounts/${account}/received-payments`, {
    received_amount: amount, received_currency: 'USD', bank_reference: `GIFT-${account}`,
    received_on: new Date().toISOString().slice(0, 10),
  });
}

test('a double click on Submit makes one order', async () => {
  const account = await newAccount();
  const ann = await person();
  const page = await signIn(ann, account);
  await show(page, '/top-up/wallet');
  await page.locator('[name=amount]').fill('100');
  await submitButton(page).dblclick();
  await page.waitForURL(/\/pay\//);
  assert.equal((await orders(account)).length, 1);
  await ann.close();
});

test('an answer that is lost on its way is asked for again, and makes one order', async () => {
  const account = await newAccount();
  const ann = await person();
  const page = await signIn(ann, account);
  let lost = 0;
  await page.route('**/v1/orders', async (route) => {
    if (route.request().method() !== 'POST' || lost > 0) return route.continue();
    lost += 1;
    await route.fetch();
    return route.abort('connectionreset');
  });
  await ordered(page);
  assert.deepEqual([lost, (await orders(account)).length], [1, 1]);
  await ann.close();
});

test('a reload in the middle of Submit goes on with the same order', async () => {
  const account = await newAccount();
  const ann = await person();
  const page = await signIn(ann, account);
  // The order is made, and the page is gone before it hears of it.
  await page.route('**/v1/orders', async (route) => {
    if (route.request().method() !== 'POST') return route.continue();
    await route.fetch();
    return undefined;
  }, { times: 1 });
  await show(page, '/top-up/wallet');
  await page.locator('[name=amount]').fill('100');
  const [request] = await Promise.all([
    page.waitForRequest((sent) => sent.method() === 'POST' && sent.url().endsWith('/v1/orders')), submitButton(page).click(),
  ]);
  while ((await orders(account)).length === 0) await new Promise((resolve) => { setTimeout(resolve, 50); });
  await page.reload();
  await settled(page);
  assert.equal(await page.locator('[name=amount]').inputValue(), '100');
  const [again] = await Promise.all([
    page.waitForRequest((sent) => sent.method() === 'POST' && sent.url().endsWith('/v1/orders')), submitButton(page).click(),
  ]);
  await page.waitForURL(/\/pay\//);
  assert.equal(again.headers()['idempotency-key'], request.headers()['idempotency-key']);
  assert.equal((await orders(account)).length, 1);
  await ann.close();
});

test('back and reload on the result page change nothing', async () => {
  const account = await newAccount();
  const ann = await person();
  const page = await signIn(ann, account);
  await ordered(page);
  await pay(page);
  const paid = page.getByText(w('result.paid', { amount: 'USD 100.00', name: 'Wallet' }));
  await paid.waitFor();
  await page.reload();
  await paid.waitFor();
  await page.goBack();
  await page.goForward();
  await paid.waitFor();
  assert.equal((await balances(account)).wallet, '100.00');
  assert.equal((await orders(account)).length, 1);
  await ann.close();
});

test('who comes back without paying finds the same order, and can pay it', async () => {
  const account = await newAccount();
  const ann = await person();
  const page = await signIn(ann, account);
  await ordered(page);
  await page.goBack();
  await page.getByText('Confirming your payment…').waitFor();
  await page.getByRole('link', { name: 'Pay now' }).first().click();
  await pay(page);
  await page.getByText(w('result.paid', { amount: 'USD 100.00', name: 'Wallet' })).waitFor();
  assert.equal((await orders(account)).length, 1);
  await ann.close();
});

test('until the server knows, the page says confirming, never paid; then it updates itself', async () => {
  const account = await newAccount();
  const ann = await person();
  const page = await signIn(ann, account);
  await ordered(page);
  await provider('webhooks', { mode: 'drop' });
  try {
    await pay(page);
    await page.getByText('Confirming your payment…').waitFor();
    assert.equal((await balances(account)).wallet, '0.00');
  } finally {
    await provider('webhooks', { mode: 'deliver' });
  }
  await provider('webhooks/resend', {});
  await page.getByText(w('result.paid', { amount: 'USD 100.00', name: 'Wallet' })).waitFor();
  await ann.close();
});

test('the payment page closed right after paying: the money is there at the next look', async () => {
  const account = await newAccount();
  const ann = await person();
  const page = await signIn(ann, account);
  await ordered(page);
  // The answer to Pay never comes: the tab is gone.
  await page.route(`**/?order_id=*`, () => page.close());
  await pay(page).catch(() => {});
  const again = await signIn(ann, account);
  await again.locator('.balance.wallet').getByText('USD 100.00').waitFor();
  await ann.close();
});

test('two tabs spend the same wallet: one goes through, the other is told what is left', async () => {
  const account = await newAccount();
  await give(account, '100.00');
  const ann = await person();
  const tabs = [await signIn(ann, account), await signIn(ann, account)];
  for (const [tab, product] of [[tabs[0], 'whatsapp'], [tabs[1], 'sms']]) {
    await show(tab, `/top-up/product/${product}`);
    await tab.getByRole('radio', { name: 'Balance' }).check();
    await tab.locator('[name=amount]').fill('80');
  }
  await Promise.all(tabs.map((tab) => submitButton(tab).click()));
  const outcomes = await Promise.all(tabs.map((tab) => Promise.race([
    tab.getByText('was moved from the wallet').waitFor().then(() => 'moved'),
    tab.locator('[aria-invalid=true]').waitFor().then(() => 'refused'),
  ])));
  assert.deepEqual(outcomes.toSorted(), ['moved', 'refused']);
  const refused = tabs[outcomes.indexOf('refused')];
  await refused.getByText(w('top_up.short', { amount: 'USD 60.00' })).waitFor();
  assert.equal((await balances(account)).wallet, '20.00');
  await ann.close();
});

test('an order is given up: the payment page is closed, and Order Details says so', async () => {
  const account = await newAccount();
  const ann = await person();
  const page = await signIn(ann, account);
  await ordered(page);
  const payment = page.url();
  await page.goto(`${baseUrl}/#/orders`);
  await settled(page);
  await page.getByRole('button', { name: 'Cancel', exact: true }).click();
  await page.getByRole('dialog').getByRole('button', { name: w('order.cancel.yes') }).click();
  await page.locator('tbody').getByText('Cancelled').waitFor();
  await page.goto(payment);
  assert.equal(await page.locator('[name=card_number]').count(), 0);
  await ann.close();
});

test('limits are said before an error, and a wrong amount beside the field, in both languages', async () => {
  const ann = await person();
  const page = await signIn(ann, await newAccount());
  await show(page, '/top-up/wallet');
  await page.locator('.hint').getByText('USD 10.00 to USD 10,000.00').waitFor();
  for (const amount of ['', '0', '9.99', '10000.01', '1e3', '-5', '10.001', '1,5', '100,00', '1,00,000', 'ten']) {
    await page.locator('[name=amount]').fill(amount);
    await submitButton(page).click();
    await page.locator('[name=amount][aria-invalid=true]').waitFor();
    assert.equal(await page.evaluate(() => document.activeElement.name), 'amount', amount);
  }
  await page.getByRole('button', { name: '中文' }).click();
  await page.getByText(speaker('zh')('form.amount', { currency: 'USD' })).waitFor();
  assert.equal(await page.locator('[name=amount]').inputValue(), 'ten');
  await ann.close();
});

test('a rate that has changed since it was shown is shown before anything is ordered at it', async () => {
  const account = await newAccount();
  const ann = await person();
  const page = await signIn(ann, account);
  const sent = [];
  // The function that makes orders keeps a rate for a minute: what it answers after that.
  await page.route('**/v1/orders', async (route) => {
    const body = route.request().postDataJSON();
    if (!body) return route.fallback();
    sent.push(body.fx_rate);
    if (sent.length > 1) return route.fulfill({ status: 503, json: { code: 'unavailable', retry: 'same_key' } });
    const problem = { status: 409, code: 'rate_changed', fx_rate: '7.5000', field: 'fx_rate', detail: 'the rate is 7.5000 now', retry: 'same_key' };
    return route.fulfill({ status: 409, contentType: 'application/problem+json', json: problem });
  });
  await show(page, '/top-up/wallet');
  await page.getByRole('radio', { name: 'Offline' }).check();
  await page.locator('[name=currency]').selectOption('CNY');
  await page.locator('[name=amount]').fill('720');
  await page.getByText(w('top_up.conversion', { paid: 'CNY 720.00', rate: '7.2000', credited: 'USD 100.00' })).waitFor();
  await submitButton(page).click();
  await page.getByText(w('top_up.rate_changed')).waitFor();
  await page.getByText(w('top_up.conversion', { paid: 'CNY 720.00', rate: '7.5000', credited: 'USD 96.00' })).waitFor();
  assert.deepEqual(await orders(account), []);
  await submitButton(page).click();
  await page.waitForFunction(() => document.querySelector('.banner.bad, [role=alert]'));
  assert.deepEqual(sent.slice(0, 2), ['7.2000', '7.5000']);
  await ann.close();
});

test('a balance that cannot be loaded is a dash and a retry, never 0.00', async () => {
  const account = await newAccount();
  await give(account, '100.00');
  const ann = await person();
  const page = await signIn(ann, account);
  await page.route('**/v1/balances', (route) => route.abort());
  await page.reload();
  await page.locator('.not-loaded .dash').waitFor();
  assert.equal(await page.locator('.balance').count(), 0);
  await page.unroute('**/v1/balances');
  await page.getByRole('button', { name: 'Try again' }).click();
  await page.locator('.balance.wallet').getByText('USD 100.00').waitFor();
  await ann.close();
});

test('somebody else\'s order is not found', async () => {
  const [account, other] = [await newAccount(), await newAccount()];
  await give(other, '100.00');
  const [order] = await orders(other);
  const ann = await person();
  const page = await signIn(ann, account);
  await show(page, `/orders/${order.order_id}`);
  await page.getByText(w('problem.not_found')).waitFor();
  await ann.close();
});

test('a card is declined, another pays, and nobody has told yet: it is never said that nothing was charged', async () => {
  const account = await newAccount();
  const ann = await person();
  const page = await signIn(ann, account);
  await ordered(page);
  await pay(page, '4000000000000002');
  await page.getByText(/declined/i).first().waitFor();
  while ((await orders(account))[0].attempts.length === 0) await new Promise((resolve) => { setTimeout(resolve, 50); });
  await provider('webhooks', { mode: 'drop' });
  try {
    await pay(page);
    await page.getByText('Confirming your payment…').waitFor();
    await page.getByText('If you have paid since, do not pay again.').waitFor();
  } finally {
    await provider('webhooks', { mode: 'deliver' });
  }
  await provider('webhooks/resend', {});
  await page.getByText(w('result.paid', { amount: 'USD 100.00', name: 'Wallet' })).waitFor();
  await ann.close();
});

/** Lets the service do what is asked at this path, and loses its answers, until `found` is called. */
async function loseAnswers(page, path) {
  await page.route(path, async (route) => {
    if (route.request().method() !== 'POST') return route.continue();
    await route.fetch();
    return route.abort('connectionreset');
  });
  return () => page.unroute(path);
}

async function moving(page, amount) {
  await show(page, '/');
  await show(page, '/top-up/product/whatsapp');
  await page.getByRole('radio', { name: 'Balance' }).check();
  await page.locator('[name=amount]').fill(amount);
  await submitButton(page).click();
}

/** Somebody has 300, moved 60 of it, and never got an answer. */
async function withUnknownOutcome() {
  const account = await newAccount();
  await give(account, '300.00');
  const ann = await person();
  const page = await signIn(ann, account);
  const found = await loseAnswers(page, '**/v1/transfers');
  await moving(page, '60');
  await page.getByText(w('problem.unavailable.wrote')).waitFor();
  await found();
  return { account, ann, page };
}

test('after an outcome that nobody knows, the same again is done once, and says so', async () => {
  const { account, ann, page } = await withUnknownOutcome();
  await moving(page, '60');
  await page.getByRole('dialog').getByText(w('submission.done_before')).waitFor();
  await page.getByRole('button', { name: w('understood') }).click();
  await page.getByText('was moved from the wallet').waitFor();
  assert.equal((await balances(account)).whatsapp, '60.00');
  // Once more, and meant so.
  await moving(page, '60');
  await page.getByText('was moved from the wallet').waitFor();
  assert.equal((await balances(account)).whatsapp, '120.00');
  await ann.close();
});

test('after an outcome that nobody knows, something else is asked about first', async () => {
  const { account, ann, page } = await withUnknownOutcome();
  await moving(page, '70');
  const asked = page.getByRole('dialog');
  await asked.getByText(w('submission.unknown')).waitFor();
  await asked.getByRole('button', { name: 'Back' }).click();
  assert.equal((await balances(account)).whatsapp, '60.00');
  await submitButton(page).click();
  await asked.getByRole('button', { name: w('submission.unknown.yes') }).click();
  await page.getByText('was moved from the wallet').waitFor();
  assert.equal((await balances(account)).whatsapp, '130.00');
  await ann.close();
});

test('what was refused after an outcome that nobody knows is still done once', async () => {
  const { account, ann, page } = await withUnknownOutcome();
  // Somebody takes what this person may do away, and gives it back.
  await page.route('**/v1/transfers', (route) => route.fulfill({
    status: 403, contentType: 'application/problem+json', json: { status: 403, code: 'forbidden', detail: 'Not now.' },
  }));
  await moving(page, '60');
  await page.getByRole('alert').getByText('Not now.').waitFor();
  await page.unroute('**/v1/transfers');
  await moving(page, '60');
  await page.getByRole('dialog').getByText(w('submission.done_before')).waitFor();
  assert.equal((await balances(account)).whatsapp, '60.00');
  await ann.close();
});

test('the history of a product tells each use, of what was set aside too', async () => {
  const account = await newAccount();
  await give(account, '100.00');
  const key = await keyOf(account);
  await platform('POST', '/v1/transfers', { product: 'whatsapp', amount: '50.00' }, key);
  const hold = (amount) => platform('POST', '/v1/holds', { product: 'whatsapp', amount, expires_in: 900 }, key);
  const capture = ({ hold_id: id }, body) => platform('POST', `/v1/holds/${id}/capture`, body, key);
  await capture(await hold('2.00'), { amount: '0.35', final: true });
  const second = await hold('10.00');
  for (let times = 0; times < 25; times += 1) await capture(second, { amount: '0.10' });
  const ann = await person();
  const page = await signIn(ann, account);
  await show(page, '/history?balance=product:whatsapp');
  const rows = page.locator('tbody tr');
  assert.equal(await rows.count(), 20);
  const latest = (await rows.first().locator('.cell').allTextContents()).slice(2, 7);
  assert.deepEqual(latest.map((text) => text.replaceAll('\u00a0', ' ')),
    ['Use of what was set aside', 'Out', 'USD 0.10', '—', 'USD 7.50']);
  await page.getByRole('button', { name: w('more') }).click();
  const final = rows.filter({ hasText: 'USD 0.35' });
  await final.waitFor();
  assert.equal((await final.locator('.cell').nth(3).textContent()), 'Out');
  assert.match((await final.locator('.cell').nth(4).textContent()).replaceAll('\u00a0', ' '), /Free again: USD 1\.65/);
  assert.equal(await rows.count(), 29);
  await ann.close();
});

test('what a lost dispute took back stands on the order, its result and its receipt', async () => {
  const account = await newAccount();
  const ann = await person();
  const page = await signIn(ann, account);
  await ordered(page, '250');
  await pay(page);
  await page.getByText(w('result.paid', { amount: 'USD 250.00', name: 'Wallet' })).waitFor();
  const [order] = await orders(account);
  await provider('disputes', { payment_id: order.payment_id, outcome: 'lost' });
  while ((await orders(account))[0].taken_back_amount !== '250.00') await new Promise((resolve) => { setTimeout(resolve, 50); });
  for (const path of [`/orders/${order.order_id}`, `/orders/${order.order_id}/receipt`]) {
    await show(page, path);
    await page.locator('.facts > div').filter({ hasText: 'Taken back' }).getByText('USD 250.00').waitFor();
  }
  await show(page, `/result/${order.order_id}`);
  await page.getByText(w('result.taken_back', { amount: 'USD 250.00' })).waitFor();
  await ann.close();
});

test('a question is taken back with the screen that asked it', async () => {
  const account = await newAccount();
  const ann = await person();
  const page = await signIn(ann, account);
  await ordered(page);
  const [order] = await orders(account);
  await page.goto(baseUrl);
  await show(page, '/orders');
  await show(page, `/orders/${order.order_id}`);
  await page.getByRole('button', { name: w('order.cancel'), exact: true }).click();
  await page.getByRole('heading', { name: w('order.cancel.question') }).waitFor();
  await page.goBack();
  await page.getByRole('heading', { name: w('order.cancel.question') }).waitFor({ state: 'detached' });
  await settled(page);
  assert.equal((await orders(account))[0].status, 'pending_payment');

  // From the list by keyboard: the focus stays on the page, and what became of it is said.
  const cancel = page.getByRole('button', { name: w('order.cancel'), exact: true });
  await cancel.focus();
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: w('order.cancel.yes') }).click();
  await page.locator('#announced').filter({ hasText: 'Cancelled' }).waitFor({ state: 'attached' });
  assert.equal(await page.evaluate(() => document.activeElement.tagName), 'H1');
  await ann.close();
});

test('a rejected transfer stays on Home however many orders come after it', async () => {
  const account = await newAccount();
  await give(account, '100.00');
  const key = await keyOf(account);
  const order = await platform('POST', '/v1/orders', { target: 'wallet', method: 'offline', amount: '100.00' }, key);
  await platform('POST', `/v1/orders/${order.order_id}/transfer-report`, {
    payer_name: 'Li Lei', bank_reference: 'R', paid_on: new Date().toISOString().slice(0, 10), amount: '100.00',
  }, key);
  await platform('POST', `/v1/admin/orders/${order.order_id}/reject`, { reason: 'Not there' });
  for (let times = 0; times < 51; times += 1) {
    await platform('POST', '/v1/transfers', { product: 'sms', amount: '1.00' }, key);
  }
  const ann = await person();
  const page = await signIn(ann, account);
  await page.getByText(w('home.rejected', { amount: 'USD 100.00', reason: 'Not there' })).waitFor();
  await ann.close();
});

test('an order that nobody watches any more is looked at again by who comes back', async () => {
  const account = await newAccount();
  const key = await keyOf(account);
  const order = await platform('POST', '/v1/orders', { target: 'wallet', method: 'offline', amount: '100.00' }, key);
  const ann = await person();
  const page = await signIn(ann, account);
  await page.clock.install();
  await show(page, `/orders/${order.order_id}`);
  // The page's clock stands still while it waits for an answer, which takes its real time: else its session would end.
  let asked = 0;
  const isLook = (request) => request.url().endsWith(order.order_id);
  page.on('request', (request) => { if (isLook(request)) asked += 1; });
  for (const ended of ['requestfinished', 'requestfailed']) {
    page.on(ended, (request) => { if (isLook(request)) asked -= 1; });
  }
  const again = page.getByRole('button', { name: w('result.again') });
  for (let times = 0; times < 150 && await again.count() === 0; times += 1) {
    await page.clock.runFor(10_000);
    while (asked > 0) await new Promise((resolve) => { setTimeout(resolve, 10); });
  }
  await again.waitFor();
  await platform('POST', `/v1/admin/orders/${order.order_id}/accept`, {
    received_amount: '100.00', received_currency: 'USD', bank_reference: `LATE-${account}`,
    received_on: new Date().toISOString().slice(0, 10),
  });
  await page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')));
  await page.getByText('Completed').first().waitFor();
  await ann.close();
});

test('what was wrong with an amount of one currency is not said of another', async () => {
  const account = await newAccount();
  const ann = await person();
  const page = await signIn(ann, account);
  await show(page, '/top-up/wallet');
  await page.getByRole('radio', { name: 'Offline' }).check();
  await page.locator('[name=currency]').selectOption('CNY');
  await page.locator('[name=amount]').fill('300');
  await submitButton(page).click();
  await page.locator('[name=amount][aria-invalid=true]').waitFor();
  await page.locator('[name=currency]').selectOption('USD');
  await page.locator('[name=amount][aria-invalid=false]').waitFor();
  await ann.close();
});

test('an account whose currency nothing is sold in is not led to a form that cannot be sent', async () => {
  const account = await newAccount('Eve', 'EUR');
  const ann = await person();
  const page = await signIn(ann, account);
  await settled(page);
  await page.getByText(w('home.disabled')).first().waitFor();
  assert.equal(await page.getByRole('link', { name: /^TOP UP/ }).count(), 0);
  await ann.close();
});

test('zeros before an amount are no part of it', async () => {
  const account = await newAccount();
  const ann = await person();
  const page = await signIn(ann, account);
  await ordered(page, '00100');
  assert.equal((await orders(account))[0].amount, '100.00');
  await ann.close();
});

/** An order of 100 that 90 were paid for, and the finding about that. */
async function wronglyPaid(account) {
  const order = await platform('POST', '/v1/orders', { target: 'wallet', method: 'card', amount: '100.00' }, await keyOf(account));
  await provider(`sessions/${order.checkout_url.split('/').at(-1)}/pay`, { card_number: '4242424242424242', amount: 9_000 });
  while ((await orders(account))[0].status !== 'exception') await new Promise((resolve) => { setTimeout(resolve, 50); });
  const { data } = await platform('GET', '/v1/admin/findings?limit=100');
  return [order, data.find(({ order_id: id }) => id === order.order_id)];
}

test('a payment that was given back is not said to be credited, and has no receipt', async () => {
  const account = await newAccount();
  const [order, finding] = await wronglyPaid(account);
  await platform('POST', `/v1/admin/findings/${finding.finding_id}/refund`, { reason: 'Not what was ordered' });
  const ann = await person();
  const page = await signIn(ann, account);
  for (const path of [`/result/${order.order_id}`, `/orders/${order.order_id}`]) {
    await show(page, path);
    await page.getByText(w('lost.given_back', { amount: 'USD 90.00' })).waitFor();
    assert.equal(await page.getByRole('link', { name: w('order.receipt') }).count(), 0);
  }
  await show(page, `/orders/${order.order_id}/receipt`);
  await page.getByText(w('receipt.none')).waitFor();
  await ann.close();
});

test('a payment that was booked as another order is not asked for again', async () => {
  const account = await newAccount();
  const [order, finding] = await wronglyPaid(account);
  await platform('POST', `/v1/admin/findings/${finding.finding_id}/credit`, { balance: 'wallet' });
  const [ann, bob] = [await person(), await person()];
  const page = await signIn(ann, account);
  for (const path of [`/result/${order.order_id}`, `/orders/${order.order_id}`]) {
    await show(page, path);
    await page.getByText(w('lost.booked')).waitFor();
    for (const text of [w('result.closed'), w('result.new'), w('order.closed.card')]) {
      assert.equal(await page.getByText(text).count(), 0, text);
    }
  }
  await page.locator('.banner').getByRole('link', { name: w('customer.orders') }).click();
  await page.locator('tbody tr').nth(1).waitFor();
  const desk = await signIn(bob);
  await show(desk, `/orders/${order.order_id}`);
  await desk.getByText(w('order.attempts.not_taken')).waitFor();
  const other = (await orders(account)).find(({ order_id: id }) => id !== order.order_id);
  await show(desk, `/orders/${other.order_id}`);
  await desk.locator('.empty').getByText(w('reason.payment_booked')).waitFor();
  await Promise.all([ann.close(), bob.close()]);
});

test('a draft brings back what was touched, and nothing else over what is newer', async () => {
  const account = await newAccount();
  const ann = await person();
  const page = await signIn(ann, account);
  const whatsapp = page.locator('article').filter({ has: page.getByRole('heading', { name: 'WhatsApp' }) });
  await show(page, '/settings');
  await whatsapp.locator('[name=alert_below]').fill('7.00');
  await platform('PUT', '/v1/products/whatsapp/thresholds', { top_up_below: '5.00', top_up_amount: '20.00' }, await keyOf(account));
  await page.reload();
  await settled(page);
  assert.equal(await whatsapp.locator('[name=alert_below]').inputValue(), '7.00');
  assert.equal(await whatsapp.locator('[name=automatic]').isChecked(), true);
  await whatsapp.getByRole('button', { name: w('save') }).click();
  await whatsapp.getByText(w('saved')).waitFor();
  const { data } = await platform('GET', `/v1/admin/accounts/${account}/thresholds`);
  assert.deepEqual([data[0].alert_below, data[0].top_up_below, data[0].top_up_amount], ['7.00', '5.00', '20.00']);
  await ann.close();
});

test('Submit waits for the files of a report, and says so if one cannot be sent', async () => {
  const account = await newAccount();
  const order = await platform('POST', '/v1/orders', { target: 'wallet', method: 'offline', amount: '100.00' }, await keyOf(account));
  const ann = await person();
  const page = await signIn(ann, account);
  await show(page, `/orders/${order.order_id}/report`);
  await page.locator('[name=payer_name]').fill('Li Lei');
  await page.locator('[name=bank_reference]').fill(`PROOF-${account}`);
  const proof = { name: 'proof.pdf', mimeType: 'application/pdf', buffer: Buffer.from('%PDF-1.4\n%%EOF\n') };
  const path = `/v1/orders/${order.order_id}/proofs`;
  const choose = async () => {
    await page.locator('input[type=file]').focus();
    await page.locator('input[type=file]').setInputFiles(proof);
  };
  const refused = { status: 422, contentType: 'application/problem+json', json: { status: 422, code: 'invalid_field', detail: 'Not a file.' } };
  const lost = await held(page, path, 'POST', refused);
  await choose();
  await lost.asked;
  await submitButton(page).click();
  lost.release();
  await page.getByText('Not a file.').waitFor();
  assert.equal((await orders(account))[0].status, 'pending_payment');
  await page.unroute(`**${path}`);

  const late = await held(page, path, 'POST');
  await choose();
  await late.asked;
  assert.equal(await page.evaluate(() => document.activeElement.type), 'file');
  await submitButton(page).click();
  late.release();
  await page.getByText('Pending review').first().waitFor();
  assert.equal((await orders(account))[0].transfer_report.proofs.length, 1);
  assert.deepEqual(await page.evaluate(() => Object.keys(sessionStorage).filter((key) => key.startsWith('topup.draft.'))), []);
  await ann.close();
});

test('what was refused because the session had ended is not asked about afterwards', async () => {
  const account = await newAccount();
  await give(account, '100.00');
  const ann = await person();
  const page = await signIn(ann, account);
  await page.route('**/v1/transfers', (route) => route.fulfill({ status: 401, body: '{}' }));
  await moving(page, '60');
  const ended = page.getByRole('heading', { name: w('ended.title') });
  await ended.waitFor();
  await page.unroute('**/v1/transfers');
  await signIn(ann, account);
  await ended.waitFor({ state: 'detached' });
  await page.locator('[name=amount]').fill('70');
  await submitButton(page).click();
  await page.getByText('was moved from the wallet').waitFor();
  assert.equal((await balances(account)).whatsapp, '70.00');
  await ann.close();
});

test('who leaves while Submit is under way stays where they went', async () => {
  const account = await newAccount();
  const ann = await person();
  const page = await signIn(ann, account);
  await show(page, '/top-up/wallet');
  await page.locator('[name=amount]').fill('100');
  const slow = await held(page, '/v1/orders', 'POST');
  await submitButton(page).click();
  const answered = page.waitForResponse((answer) => answer.request().method() === 'POST');
  await slow.asked;
  await show(page, '/settings');
  slow.release();
  await (await answered).finished();
  await page.waitForTimeout(300);
  assert.equal(page.url(), `${baseUrl}/#/settings`);
  await ann.close();
});
