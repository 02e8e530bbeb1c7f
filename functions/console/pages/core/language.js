// What the page says, in the language that the person chose.

import { refresh } from './dom.js';

const LANGUAGES = ['en', 'zh'];
const STORED = 'topup.language';
const words = new Map();

let current = localStorage.getItem(STORED) ?? preferred();

/** Adds words: a key leads to what is said in English and in Chinese. */
export function addWords(added) {
  for (const [key, pair] of Object.entries(added)) words.set(key, pair);
}

/** Whether there are words for this key. */
export function knows(key) {
  return words.has(key);
}

/** What is said now; `{name}` in it stands for a value. */
export function t(key, values = {}) {
  const pair = words.get(key);
  if (!pair) throw new Error(`no words for ${key}`);
  return pair[LANGUAGES.indexOf(current)]
    .replace(/\{(\w+)\}/g, (_, name) => {
      const value = values[name];
      return typeof value === 'function' ? value() : value;
    });
}

/** The same as a live text: said again when the language changes. */
export function say(key, values) {
  return () => t(key, values);
}

/** The language as HTML and Intl name it. */
export function locale() {
  return current === 'zh' ? 'zh-CN' : 'en-US';
}

/** A name of the catalogue, which has both languages. */
export function named(name) {
  return () => name[current];
}

/** Which language is spoken: `en` or `zh`. */
export function language() {
  return current;
}

/** Speaks this language from now on, in the whole document. */
export function speak(chosen) {
  current = LANGUAGES.includes(chosen) ? chosen : 'en';
  localStorage.setItem(STORED, current);
  document.documentElement.lang = locale();
  refresh(document.documentElement);
}

function preferred() {
  return navigator.language.startsWith('zh') ? 'zh' : 'en';
}
