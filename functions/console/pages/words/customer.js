// What the customer's screens say: [English, 中文].

export default {
  'customer.orders': ['Order Details', '订单明细'],
  'customer.history': ['Balance history', '余额明细'],
  'customer.settings': ['Settings', '设置'],
  'home.title': ['Balances', '账户余额'],
  'home.wallet.note': ['Can be moved to any product', '可转入任意产品'],
  'home.product.note': ['Usable only in {product}', '仅限 {product} 使用'],
  'home.held': ['{amount} set aside', '冻结 {amount}'],
  'home.last_orders': ['Last orders', '最近订单'],
  'home.all_orders': ['Billing → Order Details', '账单 → 订单明细'],
  'home.no_orders': ['No orders yet. Press TOP UP to make the first one.', '暂无订单。点击 TOP UP 完成首次充值。'],
  'home.debt': [
    '{amount} is owed: it is taken from what comes in next.',
    '欠款 {amount}，将从后续到账金额中扣除。',
  ],
  'orders.actions': ['Actions', '操作'],
  top_up: ['TOP UP', 'TOP UP 充值'],
};
