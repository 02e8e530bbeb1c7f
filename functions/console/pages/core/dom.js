// Elements from plain function calls. Text is always a text node, so nothing that the API returns
// can become markup.
//
// A child or an attribute may be a function: it is *live*, and is asked again whenever the language
// changes. So a switch of the language touches words only; what a person typed stays where it is.

/** Makes an element: `element('p', {class: 'note'}, 'text', child, () => t('key'))`. */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith('on')) made.addEventListener(name.slice(2), value);
    else if (typeof value === 'function') liveAttribute(made, name, value);
    else setAttribute(made, name, value);
  }
  made.append(...nodes(children));
  return made;
}

/** Puts these children in place of what an element has. */
export function fill(parent, ...children) {
  parent.replaceChildren(...nodes(children));
  return parent;
}

/** A drawing of the page's own, from the path of an SVG of 24 by 24; decoration, never read out. */
export function icon(path) {
  const space = 'http://www.w3.org/2000/svg';
  const drawing = document.createElementNS(space, 'svg');
  const line = document.createElementNS(space, 'path');
  line.setAttribute('d', path);
  drawing.setAttribute('viewBox', '0 0 24 24');
  drawing.setAttribute('aria-hidden', 'true');
  drawing.classList.add('icon');
  drawing.append(line);
  return drawing;
}

/** Asks every live text and attribute below an element again. */
export function refresh(root) {
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT);
  for (let node = walker.currentNode; node; node = walker.nextNode()) {
    if (node.live) node.data = node.live();
    for (const [name, value] of node.liveAttributes ?? []) setAttribute(node, name, value());
  }
}

function nodes(children) {
  return children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false)
    .map((child) => {
      if (child instanceof Node) return child;
      if (typeof child !== 'function') return document.createTextNode(child);
      const text = document.createTextNode(child());
      text.live = child;
      return text;
    });
}

function liveAttribute(made, name, value) {
  (made.liveAttributes ??= new Map()).set(name, value);
  setAttribute(made, name, value());
}

function setAttribute(made, name, value) {
  if (value === false || value === null || value === undefined) made.removeAttribute(name);
  else made.setAttribute(name, value === true ? '' : value);
}
