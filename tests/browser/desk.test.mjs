// The operator's desk: what finance decides, and what the customer sees of it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { balances, baseUrl, held, newAccount, orders, person, platform, settled, show, signIn, withBrowser } from './support/world.mjs';
import { speaker } from './support/words.mjs';

withBrowser();

const w = speaker('en');
const PNG = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64');

async function reported(page, amount, reference, proof = null) {
  await show(page, '/top-up/wallet');
  await page.getByRole('radio', { name: 'Offline' }).check();
  await page.locator('[name=amount]').fill(amount);
  await page.getByRole('button', { name: 'Submit', exact: true }).click();
  await page.getByText(w('transfer.title')).first().waitFor();
  await page.getByRole('link', { name: 'Report transfer', exact: true }).first().click();
  await settled(page);
  await page.locator('[name=payer_name]').fill('Li Lei');
  await page.locator('[name=bank_reference]').fill(reference);
  if (proof) {
    await page.locator('input[type=file]').setInputFiles(proof);
    await page.locator('.files li').waitFor();
  }
  await page.getByRole('button', { name: 'Submit', exact: true }).click();
  await page.getByText('Pending review').first().waitFor();
}

const queued = (page, order) => page.locator('article').filter({ has: page.getByRole('link', { name: order.order_id }) });

test('finance sees what was declared beside what arrived, with its proof, and credits it once', async () => {
  const account = await newAccount();
  const ann = await person();
  await reported(await signIn(ann, account), '200', `FIRST-${account}`, { name: 'proof.png', mimeType: 'image/png', buffer: PNG });
  const [order] = await orders(account);

  const [bob, eve] = [await person(), await person()];
  const desks = [await signIn(bob), await signIn(eve, null, 'Eve')];
  for (const desk of desks) {
    await settled(desk);
    await queued(desk, order).getByText('USD 200.00').first().waitFor();
  }
  const card = queued(desks[0], order);
  await card.getByRole('img').first().waitFor();
  await card.getByLabel(w('decision.received_amount')).fill('185.00');
  await card.getByText(w('decision.under', { amount: 'USD 15.00' })).waitFor();
  await card.getByRole('button', { name: w('decision.accept') }).dblclick();
  await desks[0].getByText(w('decision.accepted', { amount: 'USD 185.00' })).waitFor();
  assert.equal((await balances(account)).wallet, '185.00');

  // The other person still has it in front of her.
  await queued(desks[1], order).getByRole('button', { name: w('decision.accept') }).click();
  await desks[1].getByText(/Already handled by Bob at/).waitFor();
  assert.equal((await balances(account)).wallet, '185.00');
  await Promise.all([ann.close(), bob.close()]);
});

test('a report that its customer replaced meanwhile is not decided on', async () => {
  const account = await newAccount();
  const ann = await person();
  const page = await signIn(ann, account);
  await reported(page, '150', `OLD-${account}`);
  const [order] = await orders(account);
  const bob = await person();
  const desk = await signIn(bob);
  await settled(desk);
  const card = queued(desk, order);
  await card.getByText(`OLD-${account}`).waitFor();
  await show(page, `/orders/${order.order_id}/report`);
  await page.locator('[name=bank_reference]').fill(`NEW-${account}`);
  await page.getByRole('button', { name: 'Submit', exact: true }).click();
  await page.getByText(`NEW-${account}`).first().waitFor();
  await card.getByText(w('decision.reject.open')).click();
  await card.getByLabel(w('order.reject_reason')).fill('No such transfer');
  await card.getByRole('button', { name: w('decision.reject') }).click();
  await desk.getByText(w('decision.replaced')).waitFor();
  assert.equal((await orders(account))[0].status, 'pending_review');
  await Promise.all([ann.close(), bob.close()]);
});

test('finance rejects with a reason; the customer reads it, reports again, and is credited', async () => {
  const account = await newAccount();
  const ann = await person();
  const page = await signIn(ann, account);
  await reported(page, '100', `WRONG-${account}`);
  const [order] = await orders(account);
  const bob = await person();
  const desk = await signIn(bob);
  await settled(desk);
  const card = () => queued(desk, order);
  await card().getByText(w('decision.reject.open')).click();
  await card().getByLabel(w('order.reject_reason')).fill('No such transfer: please check the reference.');
  await card().getByRole('button', { name: w('decision.reject') }).click();
  await desk.getByText(w('decision.rejected', { reason: 'No such transfer: please check the reference.' })).waitFor();

  await show(page, '/');
  await page.getByText('No such transfer: please check the reference.').first().waitFor();
  await show(page, `/orders/${order.order_id}/report`);
  assert.equal(await page.locator('[name=bank_reference]').inputValue(), `WRONG-${account}`);
  await page.locator('[name=bank_reference]').fill(`RIGHT-${account}`);
  await page.getByRole('button', { name: 'Submit', exact: true }).click();
  await page.getByText('Pending review').first().waitFor();

  await desk.reload();
  await settled(desk);
  await card().getByRole('button', { name: w('decision.accept') }).click();
  await desk.getByText(w('decision.accepted', { amount: 'USD 100.00' })).waitFor();
  assert.equal((await balances(account)).wallet, '100.00');
  await Promise.all([ann.close(), bob.close()]);
});

test('a bank reference that was credited before is flagged', async () => {
  const account = await newAccount();
  const ann = await person();
  const page = await signIn(ann, account);
  await reported(page, '100', `ONCE-${account}`);
  const [first] = await orders(account);
  await platform('POST', `/v1/admin/orders/${first.order_id}/accept`, {
    received_amount: '100.00', received_currency: 'USD', bank_reference: `ONCE-${account}`,
    received_on: new Date().toISOString().slice(0, 10),
  });
  await reported(page, '100', `once ${account}`.replace(' ', '-'));
  const [second] = await orders(account);
  const bob = await person();
  const desk = await signIn(bob);
  await settled(desk);
  await queued(desk, second).getByRole('button', { name: w('decision.accept') }).click();
  await queued(desk, second).getByText(w('decision.used')).waitFor();
  assert.equal((await balances(account)).wallet, '100.00');
  await Promise.all([ann.close(), bob.close()]);
});

test('somebody who may only look sees no form that decides', async () => {
  const { secret } = await platform('POST', '/v1/admin/api-keys', { name: 'looks only', scopes: ['operator:read', 'operator:keys'] });
  const eve = await person();
  const desk = await signIn(eve, null, 'Eve', secret);
  await settled(desk);
  await show(desk, '/statements');
  await desk.getByText('operator:review').first().waitFor();
  assert.equal(await desk.locator('form').count(), 0);
  await eve.close();
});

test('a balance is corrected with a reason, after being asked, and the journal says who', async () => {
  const account = await newAccount();
  const bob = await person();
  const desk = await signIn(bob);
  await show(desk, `/accounts/${account}`);
  await desk.getByText(w('adjust.open')).click();
  await desk.getByLabel(w('adjust.direction')).selectOption('in');
  await desk.getByLabel(w('entry.amount')).first().fill('12.34');
  await desk.getByLabel(w('reason')).first().fill('Goodwill');
  await desk.getByRole('button', { name: w('adjust.submit') }).click();
  await desk.getByRole('dialog').getByRole('button', { name: w('adjust.submit') }).click();
  await desk.getByText('USD 12.34').first().waitFor();
  assert.equal((await balances(account)).wallet, '12.34');
  await bob.close();
});

test('who sends yuan back is told how many, and sees afterwards how many it was', async () => {
  const account = await newAccount();
  const { secret } = await platform('POST', '/v1/admin/api-keys', { name: 'server', account_id: account });
  const order = await platform('POST', '/v1/orders', { target: 'wallet', method: 'offline', amount: '720.00', currency: 'CNY' }, secret);
  await platform('POST', `/v1/admin/orders/${order.order_id}/accept`, {
    received_amount: '720.00', received_currency: 'CNY', bank_reference: `YUAN-${account}`,
    received_on: new Date().toISOString().slice(0, 10),
  });
  const bob = await person();
  const desk = await signIn(bob);
  await show(desk, `/orders/${order.order_id}`);
  await desk.getByText(w('refund.open')).click();
  await desk.getByText(w('refund.as_paid', { left: 'USD 100.00', paid: 'CNY 720.00', rate: '7.2000' })).waitFor();
  await desk.getByLabel(w('entry.amount')).first().fill('40.00');
  await desk.getByLabel(w('refund.bank_reference')).fill('OUT-1');
  await desk.getByLabel(w('reason')).first().fill('Asked for it');
  await desk.getByRole('button', { name: w('refund.submit') }).click();
  await desk.getByRole('dialog').getByRole('button', { name: w('refund.submit') }).click();
  await desk.getByText(w('refund.part', { part: 'USD 40.00 = CNY 288.00' })).waitFor({ state: 'detached' });
  await desk.getByRole('cell', { name: 'USD 40.00 = CNY 288.00' }).waitFor();

  const ann = await person();
  const page = await signIn(ann, account);
  await show(page, `/orders/${order.order_id}`);
  await page.getByText('USD 40.00 = CNY 288.00').waitFor();
  await Promise.all([ann.close(), bob.close()]);
});

test('a report that a colleague has rejected meanwhile is not credited by who still sees it waiting', async () => {
  const account = await newAccount();
  const ann = await person();
  await reported(await signIn(ann, account), '100', `STALE-${account}`);
  const [order] = await orders(account);
  const bob = await person();
  const desk = await signIn(bob);
  await settled(desk);
  await platform('POST', `/v1/admin/orders/${order.order_id}/reject`, { reason: 'Not ours.' });
  await queued(desk, order).getByRole('button', { name: w('decision.accept') }).click();
  await queued(desk, order).getByText(/has changed while you looked at it/).waitFor();
  await queued(desk, order).getByText('Rejected', { exact: true }).waitFor();
  assert.equal((await balances(account)).wallet, '0.00');
  await Promise.all([ann.close(), bob.close()]);
});

test('a bank statement credits the orders that its lines fit, at one press', async () => {
  const account = await newAccount();
  const ann = await person();
  await reported(await signIn(ann, account), '100', `LINE-${account}`);
  const [order] = await orders(account);
  const code = order.transfer_instructions.reference_code;
  const lines = ['booked_on,amount,currency,bank_reference,payer_name,information',
    `${order.created_at.slice(0, 10)},100.00,USD,ST-${account},Li Lei,${code}`,
    `${order.created_at.slice(0, 10)},77.00,USD,SX-${account},Somebody,nothing that we know`];
  const bob = await person();
  const desk = await signIn(bob);
  await show(desk, '/statements');
  await desk.locator('input[type=file]').setInputFiles({
    name: 'november.csv', mimeType: 'text/csv', buffer: Buffer.from(lines.join('\n')),
  });
  await desk.getByRole('button', { name: w('statements.upload') }).click();
  await desk.getByRole('button', { name: w('statement.accept_exact', { count: 1 }) }).click();
  await desk.getByText(w('statement.accepted', { count: 1 })).waitFor();
  assert.equal((await balances(account)).wallet, '100.00');
  await Promise.all([ann.close(), bob.close()]);
});

/** Opens a card of the desk by its words, and gives it. */
async function opened(page, label) {
  const card = page.locator('details').filter({ has: page.locator('summary', { hasText: label }) }).last();
  await card.locator('summary').first().click();
  return card;
}

const save = (place) => place.getByRole('button', { name: w('save'), exact: true }).click();

test('what is new does not take the place of what has its name', async () => {
  const known = { url: 'https://platform.example/told', enabled: false, types: [] };
  await platform('PUT', '/v1/admin/endpoints/known', known);
  const { products } = await platform('GET', '/v1/admin/catalogue');
  const bob = await person();
  const desk = await signIn(bob);
  await show(desk, '/catalogue');
  const product = await opened(desk, w('catalogue.product.new'));
  await product.locator('[name=product]').fill('whatsapp');
  await product.locator('[name="name.en"]').fill('Another');
  await product.locator('[name="name.zh"]').fill('Another');
  await save(product);
  await product.getByText(w('form.known')).waitFor();
  await show(desk, '/endpoints');
  const endpoint = await opened(desk, w('endpoints.new'));
  await endpoint.locator('[name=endpoint_id]').fill('known');
  await endpoint.locator('[name=url]').fill('https://platform.example/other');
  await save(endpoint);
  await endpoint.getByText(w('endpoint.known')).waitFor();
  assert.deepEqual((await platform('GET', '/v1/admin/catalogue')).products, products);
  const { data } = await platform('GET', '/v1/admin/endpoints');
  assert.equal(data.find(({ endpoint_id: id }) => id === 'known').url, known.url);
  await bob.close();
});

test('a rate is asked about beside the present one, and again if it is far from it', async () => {
  await platform('PUT', '/v1/admin/rates/EUR-USD', { rate: '1.1', confirm_difference: true });
  const bob = await person();
  const desk = await signIn(bob);
  await show(desk, '/catalogue');
  const dialog = desk.getByRole('dialog');
  const confirmed = async (question, yes) => {
    await dialog.getByText(question).waitFor();
    await dialog.getByRole('button', { name: yes, exact: true }).click();
  };
  const fresh = await opened(desk, w('catalogue.rate.new'));
  await fresh.locator('[name=paid]').fill('EUR');
  await fresh.locator('[name=credited]').fill('USD');
  await fresh.locator('[name=rate]').fill('011');
  await save(fresh);
  await confirmed(w('catalogue.rate.before', { rate: '1.1000' }), w('save'));
  await confirmed(w('catalogue.rate.far.detail', { rate: '11', before: '1.1000' }), w('catalogue.rate.far.yes'));
  await desk.getByText(w('catalogue.rate.says', { rate: '11.0000', paid: 'EUR', credited: 'USD' })).waitFor();

  const card = desk.locator('article').filter({ has: desk.getByRole('heading', { name: 'EUR-USD' }) });
  await card.locator('summary').click();
  await card.locator('[name=rate]').fill('1.1');
  await save(card);
  await confirmed(w('catalogue.rate.before', { rate: '11.0000' }), w('save'));
  await confirmed(w('catalogue.rate.far.detail', { rate: '1.1', before: '11.0000' }), w('catalogue.rate.far.yes'));
  await desk.getByText(w('catalogue.rate.says', { rate: '1.1000', paid: 'EUR', credited: 'USD' })).waitFor();
  await bob.close();
});

test('saving a part of the catalogue keeps what is typed elsewhere, and undoes nothing of a colleague', async () => {
  const bob = await person();
  const desk = await signIn(bob);
  await show(desk, '/catalogue');
  const card = (name) => desk.locator('article').filter({ has: desk.locator('h3', { hasText: name }) });
  await card('sms').locator('summary').click();
  await card('sms').locator('[name="name.en"]').fill('Texts');
  const wallet = desk.locator('section').filter({ has: desk.getByRole('heading', { name: 'Wallet', exact: true }) }).last();
  await wallet.locator('summary').click();
  await save(wallet);
  await desk.getByText(/^Saved as version/).waitFor();
  await settled(desk);
  assert.equal(await card('sms').locator('[name="name.en"]').inputValue(), 'Texts');

  await desk.route('**/v1/admin/catalogue', async (route) => {
    const answer = await route.fetch();
    const { products, ...rest } = await answer.json();
    const changed = products.map((one) => (one.product === 'sms' ? { ...one, enabled: false } : one));
    await route.fulfill({ response: answer, json: { ...rest, products: changed } });
  });
  await save(card('sms'));
  await desk.getByRole('dialog').getByText(w('catalogue.outdated.how')).waitFor();
  await desk.getByRole('button', { name: w('understood') }).click();
  assert.equal(await card('sms').locator('[name="name.en"]').inputValue(), 'Texts');
  const { products } = await platform('GET', '/v1/admin/catalogue');
  assert.equal(products.find(({ product }) => product === 'sms').name.en, 'SMS');
  await bob.close();
});

test('a day that has begun anywhere is one on which a bank may have booked', async () => {
  const account = await newAccount();
  const bob = await person({ zone: 'Pacific/Pago_Pago' });
  const desk = await signIn(bob);
  await show(desk, '/received');
  const begun = (ahead) => new Date(Date.now() + ahead * 3_600_000).toISOString().slice(0, 10);
  await desk.locator('[name=account_id]').fill(account);
  await desk.locator('[name=received_amount]').fill('0100');
  await desk.locator('[name=received_currency]').selectOption('USD');
  await desk.locator('[name=bank_reference]').fill(`EAST-${account}`);
  await desk.locator('[name=received_on]').fill(begun(14 + 24));
  await desk.getByRole('button', { name: w('received.submit') }).click();
  await desk.getByText(w('form.future')).waitFor();
  await desk.locator('[name=received_on]').fill(begun(14));
  await desk.getByRole('button', { name: w('received.submit') }).click();
  await desk.getByText(w('received.told', { amount: 'USD 100.00' })).waitFor();
  await bob.close();
});

test('a part of yuan is told to the coin before it goes back, as the service counts it', async () => {
  const account = await newAccount();
  const { order_id: id, refundable_amount: all } = await platform('POST', `/v1/admin/accounts/${account}/received-payments`, {
    received_amount: '1000.01', received_currency: 'CNY', bank_reference: `ODD-${account}`,
    received_on: new Date().toISOString().slice(0, 10),
  });
  const bob = await person();
  const desk = await signIn(bob);
  const told = [];
  const given = [];
  for (const part of ['33.33', '33.33', null]) {
    await show(desk, '/accounts');
    await show(desk, `/orders/${id}`);
    const form = await opened(desk, w('refund.open'));
    const { refundable_amount: left } = await platform('GET', `/v1/admin/orders/${id}`);
    const amount = part ?? left;
    await form.locator('[name=amount]').fill(amount);
    told.push((await form.locator('[role=status]').textContent()).replaceAll('\u00a0', ' '));
    const { pay_amount: paid } = await platform('POST', `/v1/admin/orders/${id}/refunds`,
      { amount, reason: 'Asked for it', bank_reference: `BACK-${given.length}-${account}` });
    given.push(w('refund.part', { part: `USD ${amount} = CNY ${paid}` }));
  }
  assert.equal(all, '138.89');
  assert.deepEqual(told, given);
  await bob.close();
});

test('a key asks for what it may do until something is chosen', async () => {
  const bob = await person();
  const desk = await signIn(bob);
  await show(desk, '/keys');
  const form = await opened(desk, w('keys.new'));
  await form.locator('[name=name]').fill('Nothing');
  await form.getByRole('button', { name: w('keys.create') }).click();
  await form.getByText(w('keys.scopes.none')).waitFor();
  await form.getByRole('checkbox').first().check();
  await form.getByText(w('keys.scopes.none')).waitFor({ state: 'hidden' });
  await bob.close();
});

test('who leaves while an account is being made stays where they went', async () => {
  const bob = await person();
  const desk = await signIn(bob);
  const id = `left-${Date.now()}`;
  await show(desk, '/accounts');
  const form = await opened(desk, w('accounts.new'));
  await form.locator('[name=account_id]').fill(id);
  await form.locator('[name=name]').fill('Left');
  const slow = await held(desk, `/v1/admin/accounts/${id}`, 'PUT');
  await form.getByRole('button', { name: w('accounts.new') }).click();
  const answered = desk.waitForResponse((answer) => answer.request().method() === 'PUT');
  await slow.asked;
  await show(desk, '/findings');
  slow.release();
  await (await answered).finished();
  await desk.waitForTimeout(300);
  assert.equal(desk.url(), `${baseUrl}/#/findings`);
  await bob.close();
});
