// The platform's endpoints: where it is told what happened.

import { get, post, put, remove } from '../core/api.js';
import { element, fill } from '../core/dom.js';
import { say } from '../core/language.js';
import { actionButton, badge, confirmed, emptyHint, facts, heading, loaded } from '../core/parts.js';
import { may } from '../core/session.js';
import { submitOnce } from '../core/submission.js';
import { time } from '../core/time.js';
import { checkInput, entry, form, textInput } from './form.js';
import { secretBanner } from './secret.js';
import { missingScope, opening, section, tellAt, told } from './shared.js';

const TYPES = ['order.completed', 'order.failed', 'order.expired', 'order.rejected', 'order.refunded', 'balance.low', 'hold.expired', 'endpoint.disabled'];

/** The screen `/endpoints`. */
export function endpoints() {
  const news = element('div', { class: 'loaded' });
  const body = element('div', { class: 'loaded' });
  const load = (outcome) => {
    if (outcome) tellAt(news, outcome);
    fill(body, loaded(() => get('/v1/admin/endpoints'), ({ data }) => endpointParts(data, load)));
  };
  load(null);
  return [heading(say('operator.endpoints')), element('p', { class: 'hint' }, say('endpoints.hint')), news, body];
}

function endpointParts(all, load) {
  const editable = may('operator:configure');
  return [
    all.length === 0 ? emptyHint(say('endpoints.none')) : all.map((one) => endpointCard(one, editable, load)),
    editable ? section(say('endpoints.new'), opening(say('endpoints.new'), endpointForm(null, load))) : missingScope('operator:configure'),
  ];
}

function endpointCard(one, editable, load) {
  return element('article', { class: 'card' },
    element('div', { class: 'section-head' }, element('h2', {}, one.endpoint_id), stateBadge(one)),
    facts([
      [say('endpoint.url'), element('span', { class: 'code' }, one.url)],
      [say('endpoint.types'), one.types.length === 0 ? say('endpoint.everything') : one.types.join(', ')],
      [say('endpoint.disabled_reason'), one.disabled_reason && say(`endpoint.disabled.${one.disabled_reason}`)],
      [say('endpoint.disabled_at'), one.disabled_at && time(one.disabled_at)],
      [say('endpoint.failing_since'), one.failing_since && time(one.failing_since)],
      [say('endpoint.previous_secret_until'), one.previous_secret_until && time(one.previous_secret_until)],
    ]),
    editable ? [endpointActions(one, load), opening(say('operator.edit'), endpointForm(one, load))] : null);
}

function stateBadge({ enabled, failing_since: failing }) {
  if (!enabled) return badge('bad', say('endpoint.off'));
  return failing ? badge('waiting', say('endpoint.failing')) : badge('good', say('endpoint.on'));
}

function endpointActions(one, load) {
  const path = `/v1/admin/endpoints/${one.endpoint_id}`;
  const name = { id: one.endpoint_id };
  const test = async () => {
    const answer = await submitOnce(`test.${one.endpoint_id}`, {}, (key) => post(`${path}/test`, {}, key));
    load(told(answer.delivered ? 'good' : 'bad', say(answer.delivered ? 'endpoint.delivered' : 'endpoint.not_delivered', { outcome: answer.outcome })));
  };
  const rotate = async () => {
    if (!await confirmed(say('endpoint.rotate.sure', name), say('endpoint.rotate.detail'), say('keys.rotate'))) return;
    const answer = await post(`${path}/rotate`, {});
    load(secretBanner(answer.secret, say('endpoint.secret.of', name)));
  };
  const take = async () => {
    if (!await confirmed(say('endpoint.delete.sure', name), say('endpoint.delete.detail'), say('endpoint.delete'))) return;
    await remove(path);
    load(told('good', say('endpoint.delete.told', name)));
  };
  return element('div', { class: 'actions' }, actionButton('secondary small', say('endpoint.test'), test),
    actionButton('secondary small', say('keys.rotate'), rotate), actionButton('danger small', say('endpoint.delete'), take));
}

function endpointForm(one, load) {
  const types = TYPES.map((type) => ({ type, made: checkInput(element('span', { class: 'code' }, type), { checked: one?.types.includes(type) ?? false }) }));
  const enabled = checkInput(say('endpoint.enabled'), { checked: one?.enabled ?? true });
  const id = one ? null : entry('endpoint_id', say('endpoint.id'), textInput({ maxlength: '32' }), {
    hint: say('catalogue.product.code.hint'), check: (text) => (/^[a-z][a-z0-9-]{0,31}$/.test(text) ? null : say('catalogue.product.code.hint')),
  });
  return form({
    parts: [id, entry('url', say('endpoint.url'), textInput({ value: one?.url ?? '', maxlength: '500', inputmode: 'url' }), { hint: say('endpoint.url.hint') }),
      element('fieldset', { class: 'choice' }, element('legend', {}, say('endpoint.types')),
        element('p', { class: 'hint' }, say('endpoint.types.hint')), types.map(({ made }) => made)), enabled],
    submit: say('operator.save'),
    send: async ({ endpoint_id: typed, url }) => {
      const chosen = types.filter(({ made }) => made.control.checked).map(({ type }) => type);
      const answer = await put(`/v1/admin/endpoints/${one?.endpoint_id ?? typed}`, { url, types: chosen, enabled: enabled.control.checked });
      // A new endpoint comes with its secret; a known one keeps it.
      load(one || !answer.secret ? told('good', say('operator.saved')) : secretBanner(answer.secret, say('endpoint.secret.of', { id: answer.endpoint_id })));
    },
  });
}
