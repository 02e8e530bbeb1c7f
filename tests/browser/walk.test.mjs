// The whole guide, clicked: ten steps of a new customer, in English and again in Chinese. The amounts are checks.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  balances, baseUrl, newAccount, orders, pay, person, picture, platform, provider, settled, show, signIn, withBrowser,
} from './support/world.mjs';
import { speaker } from './support/words.mjs';

withBrowser();

for (const language of ['en', 'zh']) {
  test(`ten steps of a new customer (${language})`, async (walk) => {
    const w = speaker(language);
    const account = await newAccount();
    const ann = await person({ language });
    const page = await signIn(ann, account);
    const step = (title, taken) => walk.test(title, taken);
    // A space of a number is not one that breaks.
    const seen = (text) => page.locator('main').getByText(text.replaceAll('\u00a0', ' ')).first().waitFor();
    const has = async (wanted) => {
      const found = await balances(account);
      for (const [name, amount] of Object.entries(wanted)) assert.equal(found[name], amount, name);
    };
    const card = (name) => page.locator('.balance').filter({ has: page.getByRole('heading', { name, exact: true }) });
    const topUp = async (name, method, amount, currency = null) => {
      await show(page, '/');
      await card(name).getByRole('link').click();
      await settled(page);
      await page.getByRole('radio', { name: w(`method.${method}`) }).check();
      if (currency) await page.getByLabel(w('top_up.currency')).selectOption(currency);
      await page.locator('[name=amount]').fill(amount);
    };
    const submit = () => page.getByRole('button', { name: w('submit'), exact: true }).click();
    const paid = (amount) => page.getByText(w('result.paid', { amount, name: w('wallet') })).waitFor();

    await step('1. nothing yet, and a hint', async () => {
      await settled(page);
      for (const name of [w('wallet'), 'WhatsApp']) assert.match(await card(name).innerText(), /USD\s0\.00/);
      await seen(w('home.no_orders'));
      await picture(page, `walk-${language}-1-new`);
    });

    await step('2. TOP UP, card, 100, Submit, pay: the wallet has 100.00, the order is completed', async () => {
      await topUp(w('wallet'), 'card', '100');
      await submit();
      await page.waitForURL(/\/pay\//);
      await page.getByText('USD 100.00').first().waitFor();
      await pay(page);
      await paid('USD 100.00');
      await seen(w('status.completed'));
      await has({ wallet: '100.00' });
      await picture(page, `walk-${language}-2-paid`);
    });

    await step('3. five more notices and five reloads: still 100.00, one credit', async () => {
      await provider('webhooks/resend', {});
      for (let times = 0; times < 5; times += 1) {
        if (times > 0) await provider('webhooks/resend', {});
        await page.reload();
        await paid('USD 100.00');
      }
      await has({ wallet: '100.00' });
      await show(page, '/history');
      assert.equal(await page.locator('tbody tr').count(), 1);
    });

    await step('4. WhatsApp TOP UP, balance, 60: at once, without a payment page', async () => {
      await topUp('WhatsApp', 'balance', '60');
      await submit();
      await page.getByText(w('result.moved', { amount: 'USD 60.00', name: 'WhatsApp' })).waitFor();
      await has({ wallet: '40.00', whatsapp: '60.00' });
    });

    await step('5. 50 more: 10.00 short, seen before and after Submit; nothing changes, no order', async () => {
      await topUp('WhatsApp', 'balance', '50');
      await seen(w('top_up.short', { amount: 'USD 10.00' }));
      await submit();
      await page.locator('[name=amount][aria-invalid=true]').waitFor();
      await picture(page, `walk-${language}-5-short`);
      await has({ wallet: '40.00', whatsapp: '60.00' });
      assert.equal((await orders(account)).length, 2);
    });

    let bank;
    await step('6. CNY 720.00 at 7.2000 is USD 100.00; reported, accepted once: the wallet has 140.00', async () => {
      await topUp(w('wallet'), 'offline', '720.00', 'CNY');
      await seen(w('top_up.conversion', { paid: 'CNY 720.00', rate: '7.2000', credited: 'USD 100.00' }));
      await submit();
      await seen(w('transfer.title'));
      [bank] = await orders(account);
      await seen(bank.transfer_instructions.reference_code);
      await seen(bank.transfer_instructions.receiving_account.number);
      await picture(page, `walk-${language}-6-instructions`);
      await report(page, w, 'Li Lei', `ICBC-${account}`);
      await seen(w('status.pending_review'));
      await accept(bank, '720.00', 'CNY', `ICBC-${account}`);
      await assert.rejects(accept(bank, '720.00', 'CNY', `ICBC-${account}`), /already_reviewed/);
      await has({ wallet: '140.00' });
      await page.reload();
      await seen(w('status.completed'));
    });

    await step('7. USD 200.00 declared, 185.00 received: both amounts are shown', async () => {
      await topUp(w('wallet'), 'offline', '200');
      await submit();
      await seen(w('transfer.title'));
      [bank] = await orders(account);
      await report(page, w, 'Li Lei', `HSBC-${account}`);
      await accept(bank, '185.00', 'USD', `HSBC-${account}`);
      await has({ wallet: '325.00' });
      await page.reload();
      await seen('USD 200.00');
      await seen('USD 185.00');
    });

    await step('8. a declined card leaves the order unpaid; Pay now completes the same order, two attempts', async () => {
      await topUp(w('wallet'), 'card', '30');
      await submit();
      await pay(page, '4000000000000002');
      await page.getByText(/declined/i).first().waitFor();
      await has({ wallet: '325.00' });
      const [order] = await orders(account);
      assert.equal(order.status, 'pending_payment');
      await page.goto(`${baseUrl}/#/orders`);
      await settled(page);
      const row = page.locator('tr').filter({ hasText: order.order_id });
      await row.getByText(w('status.pending_payment')).waitFor();
      await row.getByRole('link', { name: w('order.pay_now') }).click();
      await pay(page);
      await paid('USD 30.00');
      await has({ wallet: '355.00' });
      await show(page, `/orders/${order.order_id}`);
      await seen(w('order.attempts'));
      const [same] = await orders(account);
      assert.deepEqual([same.order_id, same.status, same.attempts.length], [order.order_id, 'completed', 2]);
      await picture(page, `walk-${language}-8-order`);
    });

    await step('9. SMS TOP UP by card, 20; using 25 of it is refused, and nothing else helps out', async () => {
      const sms = language === 'zh' ? '短信' : 'SMS';
      await topUp(sms, 'card', '20');
      await submit();
      await pay(page);
      await page.getByText(w('result.paid', { amount: 'USD 20.00', name: sms })).waitFor();
      const { secret } = await platform('POST', '/v1/admin/api-keys', { name: 'server', account_id: account });
      await assert.rejects(platform('POST', '/v1/charges', { product: 'sms', amount: '25.00' }, secret), /insufficient_balance/);
      await has({ wallet: '355.00', sms: '20.00', whatsapp: '60.00' });
    });

    await step('10. Order Details lists all of it with the right statuses, and each order its details', async () => {
      await show(page, '/orders');
      const rows = page.locator('tbody tr');
      assert.equal(await rows.count(), 6);
      assert.equal(await rows.filter({ hasText: w('status.completed') }).count(), 6);
      await picture(page, `walk-${language}-10-orders`);
      await page.getByLabel(w('order.method')).selectOption('offline');
      await page.getByRole('button', { name: w('filters.apply') }).click();
      await page.waitForFunction(() => document.querySelectorAll('tbody tr').length === 2);
    });
    await ann.close();
  });
}

async function report(page, w, payer, reference) {
  await page.getByRole('link', { name: w('order.report'), exact: true }).first().click();
  await settled(page);
  await page.locator('[name=payer_name]').fill(payer);
  await page.locator('[name=bank_reference]').fill(reference);
  await page.getByRole('button', { name: w('submit'), exact: true }).click();
  await page.getByText(w('status.pending_review')).first().waitFor();
}

function accept(order, amount, currency, reference) {
  const found = {
    received_amount: amount, received_currency: currency, bank_reference: reference, received_on: new Date().toISOString().slice(0, 10),
  };
  return platform('POST', `/v1/admin/orders/${order.order_id}/accept`, found);
}
