// What topping up says, and what comes of it: [English, 中文].

export default {
  submit: ['Submit', '提交 Submit'],
  recommended: ['Recommended', '推荐'],
  'limits.other': [' · ', ' · '],
  'limits.both': ['{least} to {most}', '{least} 至 {most}'],
  'limits.least': ['{least} or more', '{least} 起'],
  'limits.wrong': ['The amount must be {limits}.', '金额须为 {limits}。'],

  'top_up.product': ['Product top-up: {product}', '产品充值：{product}'],
  'top_up.wallet.note': [
    'Money in the wallet can be moved to any product, at any time.',
    '钱包余额可随时转入任意产品。',
  ],
  'top_up.product.note': [
    'Usable only in {product}: it cannot be moved back to the wallet or to another product.',
    '仅限 {product} 使用，不能转回钱包或其他产品。',
  ],
  'top_up.now': ['{name} now: {amount}', '{name}当前余额：{amount}'],
  'top_up.amount': ['Amount in {currency}', '金额（{currency}）'],
  'top_up.presets': ['Common amounts', '常用金额'],
  'top_up.method.card': ['Credited at once after you pay.', '支付成功后立即到账。'],
  'top_up.method.offline': ['Bank transfer, 1 to 3 working days.', '银行转账，1 至 3 个工作日到账。'],
  'top_up.method.balance': ['From the wallet, at once. {amount} available.', '从钱包转入，立即到账。可用 {amount}。'],
  'top_up.currency': ['Currency that you transfer', '汇款币种'],
  'top_up.currency.hint': [
    'Each currency has its own bank account; you see it after Submit.',
    '不同币种使用不同收款账户，提交后显示。',
  ],
  'top_up.email': ['E-mail for the receipt (optional)', '收据邮箱（选填）'],
  'top_up.email.hint': ['The payment page fills it in for you.', '支付页面会自动填入。'],
  'top_up.email.wrong': ['This is not an e-mail address.', '邮箱格式不正确。'],
  'top_up.conversion': ['{paid} at {rate} = {credited}', '{paid} 按汇率 {rate} = {credited}'],
  'top_up.conversion.locked': [
    'The rate and the result are locked when you press Submit.',
    '点击 Submit 提交时锁定汇率和到账金额。',
  ],
  'top_up.rate_changed': [
    'The rate has changed meanwhile. Look at what is credited now, and press Submit again.',
    '汇率刚刚发生变化，请确认新的到账金额后再次点击 Submit 提交。',
  ],
  'top_up.short': ['The wallet is {amount} short.', '钱包余额不足，还差 {amount}。'],
  'top_up.short.link': ['Top up the wallet', '为钱包充值'],
  'top_up.summary': ['Summary', '汇总'],
  'top_up.paid': ['You pay', '应付金额'],
  'top_up.moved': ['Taken from the wallet', '从钱包扣除'],
  'top_up.credited': ['Credited to {name}', '到账至{name}'],
  'top_up.debt': ['What is owed, {amount}, is paid from it first.', '欠款 {amount} 将优先从中扣除。'],
  'top_up.next.card': [
    'Submit leads to the payment page, where you fill in e-mail and card and press Pay. You come back here.',
    '提交后前往支付页面，填写邮箱和卡信息并点击 Pay（支付），完成后返回此处。',
  ],
  'top_up.next.offline': [
    'Submit shows the bank account and the reference code for your transfer. Nothing is charged now.',
    '提交后显示收款账户和汇款识别码，此时不会扣款。',
  ],
  'top_up.next.balance': [
    'Submit moves the money at once, without a payment page.',
    '提交后立即转入，无需前往支付页面。',
  ],

  'result.title': ['Result of the top-up', '充值结果'],
  'result.paid': ['Paid. {amount} was credited to {name}.', '支付成功，{amount} 已到账至{name}。'],
  'result.moved': ['Done. {amount} was moved from the wallet to {name}.', '转入成功，{amount} 已从钱包转入{name}。'],
  'result.debt': ['Of it {amount} paid what was owed.', '其中 {amount} 已用于偿还欠款。'],
  'result.confirming': ['Confirming your payment…', '正在确认支付结果…'],
  'result.confirming.how': [
    'This page updates itself. If you have paid, do not pay again. Your money is safe even if you close this page.',
    '本页会自动更新。如您已支付，请勿重复支付；即使关闭页面，款项也不会丢失。',
  ],
  'result.not_paid': ['You did not pay yet? Go on with the same order:', '尚未支付？可继续支付此订单：'],
  'result.taken_back': ['Of it {amount} was taken back since, by refunds or disputes.', '其中 {amount} 已因退款或争议扣回。'],
  'result.later': ['The payment is not confirmed yet', '尚未确认支付结果'],
  'result.later.how': [
    'If you have paid, it will be credited by itself, also while this page is closed. Look again in Order Details.',
    '如您已支付，系统确认后会自动到账，关闭本页也不受影响。可稍后在订单明细中查看。',
  ],
  'result.again': ['Look again', '重新查看'],
  'result.declined': ['An attempt was declined: {reason}', '一次支付未成功：{reason}'],
  'result.declined.how': [
    'If you have paid since, do not pay again. Else try the same or another card: it stays the same order.',
    '如之后已支付成功，请勿重复支付；否则可使用原卡或其他卡重试，仍为同一订单。',
  ],
  'result.processing': [
    'Your payment is on its way. It is credited as soon as your bank has confirmed it.',
    '您的付款正在处理中，银行确认后立即到账。',
  ],
  'result.review': ['Your transfer is being reviewed.', '您的汇款正在审核中。'],
  'result.closed': ['This order is closed. Nothing was credited.', '此订单已关闭，未到账。'],
  'result.exception': [
    'What arrived differs from the order. We are looking into it: your money is not lost.',
    '收到的款项与订单不一致，我们正在核查，您的款项不会丢失。',
  ],
  'result.balances': ['Balances now', '当前余额'],
  'result.order': ['See the order', '查看订单'],
  'result.new': ['Make a new order', '重新下单'],
};
