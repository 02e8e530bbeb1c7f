// Why something was refused: [English, 中文], a sentence for each code of the contract. `{available}`,
// `{required}`, `{field}`, `{detail}` and others stand for what the answer carries.

export default {
  // Money.
  'problem.insufficient_balance': [
    'There is not enough: {available} is available and {required} is needed. Nothing was changed.',
    '余额不足：可用 {available}，需要 {required}。未发生任何变动。',
  ],
  'problem.account_frozen': [
    'This account is frozen: money can come in, but cannot be moved, spent or refunded. Please contact us.',
    '账户已被冻结：可以充值，但无法转出、消费或退款。请联系我们。',
  ],
  'problem.account_not_frozen': ['Freeze the account first.', '请先冻结该账户。'],
  'problem.balance_too_large': ['This balance cannot hold that much money.', '该余额已超过可持有的上限。'],
  'problem.amount_out_of_range': [
    'This amount is outside the limits: {detail}',
    '金额超出允许范围：{detail}',
  ],
  'problem.invalid_amount': ['This is not an amount that can be used: {detail}', '金额格式不正确：{detail}'],
  'problem.currency_differs': ['The account is kept in another currency: {detail}', '币种与账户币种不一致：{detail}'],
  'problem.currency_fixed': [
    'The account has had money already: its currency cannot change any more.',
    '账户已有资金往来，币种不能再更改。',
  ],
  'problem.unknown_currency': ['This currency is not taken: {detail}', '不支持该币种：{detail}'],
  'problem.rate_changed': ['The exchange rate has changed meanwhile: {detail}', '汇率刚刚发生变化：{detail}'],
  'problem.unknown_rate': ['There is no exchange rate for this currency: {detail}', '该币种暂无汇率：{detail}'],

  // What can be topped up.
  'problem.unknown_product': ['There is no such product.', '没有该产品。'],
  'problem.product_disabled': ['This product cannot be topped up at the moment.', '该产品暂时无法充值。'],
  'problem.method_not_allowed': ['It cannot be topped up in this way: choose another method.', '不支持该支付方式，请选择其他方式。'],
  'problem.unknown_method': ['This method is not known: choose another one.', '未知的支付方式，请重新选择。'],
  'problem.invalid_return_url': [
    'The payment page could not be told to lead back here. Please contact us.',
    '支付页面无法返回当前地址，请联系我们。',
  ],

  // Orders.
  'problem.order_not_found': ['There is no order with this number.', '没有此编号的订单。'],
  'problem.order_not_cancellable': [
    'This order cannot be cancelled any more: {detail}',
    '该订单已无法取消：{detail}',
  ],
  'problem.order_not_reportable': [
    'A transfer cannot be reported for this order any more: {detail}',
    '该订单已不能提交汇款信息：{detail}',
  ],
  'problem.order_not_reviewable': [
    'There is no bank transfer to decide on: {detail}',
    '该订单没有可审核的汇款：{detail}',
  ],
  'problem.already_reviewed': [
    'Already handled by {reviewed_by} at {reviewed_at}.',
    '{reviewed_by} 已于 {reviewed_at} 处理。',
  ],
  'problem.report_changed': [
    'The report was replaced meanwhile: look at the order again.', '汇款信息已被更换，请重新查看订单。',
  ],
  'problem.order_not_refundable': [
    'There is nothing of this order to give back: {detail}',
    '该订单没有可退的金额：{detail}',
  ],
  'problem.refund_too_large': ['At most {available} of this order can be given back.', '该订单最多可退 {available}。'],
  'problem.refund_reference_used': [
    'This bank transfer was booked as a refund of this order already.',
    '该笔银行汇款已登记为此订单的退款。',
  ],
  'problem.too_many_refunds': [
    'This order was given back in too many parts: adjust the balance instead.',
    '该订单退款次数过多，请改用调账。',
  ],
  'problem.too_many_reports': [
    'Transfers of this order were rejected too often: make a new order.',
    '该订单的汇款被驳回次数过多，请重新下单。',
  ],
  'problem.too_many_proofs': ['At most 3 files can be attached.', '最多可上传 3 个文件。'],
  'problem.unknown_proof': ['This file was not uploaded for this order: add it again.', '该文件未上传到此订单，请重新添加。'],
  'problem.bank_reference_used': [
    'This bank reference was credited before, to order {order_id} of account {account_id}.',
    '该银行流水号已入账：账户 {account_id} 的订单 {order_id}。',
  ],
  'problem.difference_not_confirmed': [
    'What arrived differs from the order: confirm that it is right. {detail}',
    '到账金额与订单不一致，请确认：{detail}',
  ],

  // Use.
  'problem.too_many_holds': ['There are too many open holds: {detail}', '未结束的冻结过多：{detail}'],
  'problem.hold_closed': ['This hold is closed: {detail}', '该冻结已结束：{detail}'],
  'problem.capture_too_large': ['The hold keeps only {available}; {required} was wanted.', '该冻结仅剩 {available}，需要 {required}。'],

  // Findings, statements, endpoints and keys.
  'problem.finding_closed': ['This finding is closed already: {detail}', '该差异已关闭：{detail}'],
  'problem.finding_not_creditable': ['This payment cannot be credited: {detail}', '该笔付款无法入账：{detail}'],
  'problem.refund_under_way': [
    'The payment is on its way back already: it closes itself, or the refund fails.',
    '该笔付款正在退回：完成后会自动关闭，或退款失败。',
  ],
  'problem.payment_undecided': [
    'The payment itself is undecided, and this is a part of it: {detail}',
    '该笔付款本身尚未处理，这只是其中一部分：{detail}',
  ],
  'problem.too_many_comparisons': ['There are too many comparisons of this day: {detail}', '当天的对账次数过多：{detail}'],
  'problem.invalid_statement': ['The statement cannot be read: {detail}', '无法读取对账单：{detail}'],
  'problem.too_many_endpoints': ['There are as many endpoints as there can be: {detail}', '通知地址数量已达上限：{detail}'],
  'problem.rotation_in_progress': [
    'The secret was replaced a short while ago, and the old one still counts: {detail}',
    '密钥刚刚轮换过，旧密钥仍然有效：{detail}',
  ],
  'problem.key_not_active': ['This key has ended, or another one has taken its place.', '该密钥已失效或已被替换。'],
  'problem.scope_not_yours': ['You cannot give a right that you do not have: {detail}', '不能授予您自己没有的权限：{detail}'],

  // Who may.
  'problem.missing_scope': ['You are not allowed to do this: {detail}', '您没有此操作的权限：{detail}'],
  'problem.key_expired': ['This key has expired.', '该密钥已过期。'],
  'problem.invalid_code': ['This sign-in link is not good any more: sign in again.', '登录链接已失效，请重新登录。'],
  'problem.refused': ['This was refused. Please contact us if it happens again.', '请求被拒绝。若再次出现，请联系我们。'],

  // What the page, or a program, wrote.
  'problem.missing_field': ['This is needed.', '此项必填。'],
  'problem.invalid_field': ['This cannot be taken: {detail}', '填写有误：{detail}'],
  'problem.unknown_field': ['The page and the service do not fit together ({field}): reload the page.', '页面版本与服务不一致（{field}），请刷新页面。'],
  'problem.invalid_parameter': ['This filter cannot be used: {detail}', '筛选条件无效：{detail}'],
  'problem.moment_too_far': [
    'This moment is too far inside the journal: use the export instead. {detail}',
    '该时间点过于久远，请改用导出：{detail}',
  ],
  'problem.invalid_cursor': ['The list has changed: begin again from its first page.', '列表已变化，请从第一页重新开始。'],
  'problem.invalid_json': ['The page sent something unreadable: reload it.', '页面发送的内容无法读取，请刷新页面。'],
  'problem.invalid_signature': ['The signature does not fit.', '签名不匹配。'],
  'problem.unsupported_media_type': ['This type of file is not taken: {detail}', '不支持该文件类型：{detail}'],
  'problem.body_too_large': ['This is too large: {detail}', '内容过大：{detail}'],
  'problem.idempotency_key_required': ['The page forgot to number its request: reload it.', '页面请求缺少编号，请刷新页面。'],
  'problem.invalid_idempotency_key': ['The page numbered its request wrongly: reload it.', '页面请求编号有误，请刷新页面。'],
  'problem.idempotency_key_reused': [
    'Another request had the same number. Nothing was done: send it again.',
    '请求编号已被其他请求使用。未执行任何操作，请重新提交。',
  ],
  'problem.internal_error': ['Something is wrong inside; we have been told. Try again later.', '系统内部异常，我们已收到通知。请稍后重试。'],
  'problem.not_taken': ['It was not taken: send it again.', '未能接收，请重新发送。'],
};
