// Makes the pages livelier: uploads with progress, thumbnails as they come, links that copy themselves.
// Without it the same forms and links work. It runs before the body, which is looked for once it is there.
'use strict';
document.documentElement.classList.add('js');

const find = (selector, inside = document) => inside.querySelector(selector);
const pause = (ms) => new Promise((go) => setTimeout(go, ms));

/** An element with attributes (`text` is its text, `on…` are listeners) and children. */
function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key === 'text') element.textContent = value;
    else if (key.startsWith('on')) element.addEventListener(key.slice(2), value);
    else element.setAttribute(key, value);
  }
  element.append(...children);
  return element;
}

/** Tells a screen reader. */
function say(text) {
  const said = find('#said');
  if (said) said.textContent = said.textContent === text ? text + '\u00a0' : text;
}

function size(bytes) {
  if (bytes < 1000) return `${bytes} bytes`;
  const units = ['kB', 'MB', 'GB'];
  let unit = -1;
  do { bytes /= 1000; unit += 1; } while (bytes >= 999.5 && unit < 2);
  return `${bytes < 9.95 ? bytes.toFixed(1) : Math.round(bytes)} ${units[unit]}`;
}

/** Copies a field's text. Without HTTPS browsers give no clipboard: then the old way. */
async function copy(button) {
  const field = find('input', button.closest('.copy'));
  let done = true;
  try { await navigator.clipboard.writeText(field.value); } catch {
    field.focus();
    field.select();
    done = document.execCommand('copy');
    if (done) button.focus();
  }
  button.textContent = done ? 'Copied' : 'Press Ctrl+C';
  say(done ? 'Link copied.' : 'The link is selected: copy it by Ctrl and C.');
  clearTimeout(button.timer);
  button.timer = setTimeout(() => { button.textContent = 'Copy'; }, 2000);
}

/** Asks for an upload's state, held back by the server until there is more than `known` sizes. */
async function state(address, known) {
  const answer = await fetch(`${address}?wait=20&known=${known}`, { headers: { Accept: 'application/json' } });
  if (answer.ok) return answer.json();
  if (answer.status === 404 || answer.status === 410) return { state: 'gone', ready: [], urls: {} };
  throw new Error(`status ${answer.status}`);
}

/** Calls `seen` with each new state until it is the last one. A fault of the line is outlasted. */
async function watch(address, seen) {
  let known = 1;
  for (let faults = 0; ;) {
    const begun = Date.now();
    try {
      const now = await state(address, known);
      faults = 0;
      const over = now.state !== 'pending', news = over || now.ready.length > known;
      if (news) seen(now);
      if (over) return;
      known = Math.max(known, now.ready.length);
      // Old news that were not held back mean that the server has no room to hold them.
      if (!news && Date.now() - begun < 500) await pause(1000);
    } catch {
      faults += 1;
      await pause(Math.min(30, 2 ** faults) * 1000);
    }
  }
}

// ---- The page to upload with

const KINDS = ['image/jpeg', 'image/png', 'image/gif', 'image/webp'];
const AT_ONCE = 2;
const WORDS = {
  no_token: 'Uploads need a token here. Enter it above and try again.',
  wrong_token: 'The upload token is wrong. Enter it again above.',
  not_an_image: 'This file is not a picture.',
  truncated_image: 'Only the beginning of this picture is there. Is the file whole?',
  unsupported_image: 'Pictures of this kind are not taken. Save it as JPEG, PNG, GIF or WebP.',
  too_many_pixels: 'This picture has too many pixels. Make it smaller and try again.',
  empty_file: 'This file is empty.',
};
/** Codes for which the same file will be refused again. */
const HOPELESS = ['not_an_image', 'truncated_image', 'corrupt_image', 'unsupported_image', 'too_many_pixels', 'too_large', 'empty_file'];

function uploadPage(main) {
  const input = find('#files'), list = find('.pictures'), section = list.parentElement, form = find('form', main);
  const max = Number(main.dataset.max), waiting = [];
  let busy = 0;
  input.multiple = true;
  input.required = false;
  find('#here').textContent = new URL('.', location.href).href;

  function next() {
    while (busy < AT_ONCE && waiting.length) {
      busy += 1;
      waiting.shift()().finally(() => { busy -= 1; next(); });
    }
  }

  function add(files) {
    for (const file of files) {
      section.hidden = false;
      const card = new Card(file);
      list.prepend(card.element);
      const wrong = refusal(file);
      if (wrong) card.fail(wrong);
      else enqueue(card);
    }
    if (files.length) say(files.length === 1 ? `Uploading ${files[0].name}.` : `Uploading ${files.length} pictures.`);
  }

  function enqueue(card) {
    waiting.push(() => card.upload(main.dataset.images, find('#expires').value, find('#token')?.value));
    next();
  }

  /** What can be said without asking the server. */
  function refusal(file) {
    if (!file.size) return WORDS.empty_file;
    if (file.size > max) return `This file has ${size(file.size)}; at most ${size(max)} can be uploaded.`;
    if (file.type && !KINDS.includes(file.type)) return file.type.startsWith('image/') ? WORDS.unsupported_image : WORDS.not_an_image;
    return '';
  }

  input.addEventListener('change', () => { add([...input.files]); input.value = ''; });
  form.addEventListener('submit', (event) => event.preventDefault());
  list.addEventListener('retry', (event) => enqueue(event.detail));
  document.addEventListener('paste', (event) => {
    if (event.clipboardData.files.length) { event.preventDefault(); add([...event.clipboardData.files]); }
  });
  const carriesFiles = (event) => event.dataTransfer?.types.includes('Files');
  const over = (is) => document.body.classList.toggle('dragging', is);
  document.addEventListener('dragover', (event) => { if (carriesFiles(event)) { event.preventDefault(); over(true); } });
  document.addEventListener('dragleave', (event) => { if (!event.relatedTarget) over(false); });
  document.addEventListener('drop', (event) => {
    over(false);
    if (carriesFiles(event)) { event.preventDefault(); add([...event.dataTransfer.files]); }
  });
}

/** One picture in the list. */
class Card {
  static count = 0;

  constructor(file) {
    this.file = file;
    this.name = file.name || 'pasted picture';
    const id = `picture-${Card.count += 1}`;
    this.state = make('span', { class: 'card-state', text: 'Waiting' });
    this.bar = make('progress', { max: 100, value: 0, 'aria-label': `Upload of ${this.name}` });
    this.body = make('div', { class: 'card-body' });
    this.element = make('li', { class: 'card', 'aria-labelledby': id },
      make('div', { class: 'card-head' }, make('h3', { class: 'card-name', id, text: this.name, title: this.name }), this.state),
      this.bar);
  }

  upload(address, expires, token) {
    const form = new FormData();
    if (expires) form.append('expires', expires);
    form.append('image', this.file);
    return new Promise((done) => {
      const request = new XMLHttpRequest();
      request.open('POST', address);
      request.responseType = 'json';
      request.setRequestHeader('Accept', 'application/json');
      if (token) request.setRequestHeader('Authorization', `Bearer ${token}`);
      request.upload.addEventListener('progress', (event) => this.progress(event.loaded, event.total));
      request.addEventListener('load', () => { this.answered(request.status, request.response); done(); });
      request.addEventListener('error', () => { this.fail('The server could not be reached. Check your connection and try again.', true); done(); });
      request.send(form);
    });
  }

  progress(loaded, total) {
    const percent = Math.floor(100 * loaded / total);
    this.bar.value = percent;
    this.state.textContent = percent < 100 ? `${percent} % of ${size(this.file.size)}` : 'Checking';
  }

  answered(status, answer) {
    if (status === 202 && answer?.id) { this.done(answer); return; }
    const error = answer?.error;
    const text = WORDS[error?.code] || error?.message || `The server answered with status ${status}.`;
    this.fail(text, !HOPELESS.includes(error?.code));
  }

  fail(text, again = false) {
    this.bar.hidden = true;
    this.state.textContent = 'Not uploaded';
    this.element.classList.add('failed');
    this.wrong = make('p', { class: 'wrong', text });
    this.element.append(this.wrong);
    if (again) {
      this.again = make('div', { class: 'actions' }, make('button', { type: 'button', text: 'Try again', onclick: () => this.retry() }));
      this.element.append(this.again);
    }
    say(`${this.name}: ${text}`);
  }

  retry() {
    this.wrong.remove();
    this.again.remove();
    this.element.classList.remove('failed');
    this.bar.hidden = false;
    this.bar.value = 0;
    this.state.textContent = 'Waiting';
    this.element.dispatchEvent(new CustomEvent('retry', { bubbles: true, detail: this }));
  }

  done(answer) {
    this.answer = answer;
    const page = new URL(answer.url);
    const secure = location.protocol === 'https:' ? '; Secure' : '';
    const age = answer.expires ? Math.max(1, Math.ceil((Date.parse(answer.expires) - Date.now()) / 1000)) : 31536000;
    // Lets this browser delete the picture from its own page.
    document.cookie = `delete=${answer.delete_token}; Path=${page.pathname}; Max-Age=${age}; SameSite=Lax${secure}`;
    this.bar.value = 100;
    this.state.textContent = 'Making sizes';
    this.thumbs = make('ul', { class: 'thumbs', 'aria-label': `Sizes of ${this.name}` });
    for (const each of answer.sizes.slice(1)) {
      const caption = make('p', {}, make('span', { text: each.name }), ' ', make('span', { text: `${each.width} × ${each.height}` }));
      this.thumbs.append(make('li', { class: 'thumb', 'data-name': each.name }, make('div', { class: 'wait' }), caption));
    }
    const link = make('input', { type: 'text', readonly: '', value: answer.url, 'aria-label': `Link to ${this.name}` });
    link.addEventListener('focus', () => link.select());
    const button = make('button', { type: 'button', class: 'primary', text: 'Copy', 'aria-label': `Copy the link to ${this.name}` });
    this.asked = make('button', { type: 'button', class: 'quiet', text: 'Delete', 'aria-label': `Delete ${this.name}`, onclick: () => this.ask() });
    this.actions = make('div', { class: 'actions' }, make('a', { class: 'button', href: answer.url, text: 'Open', 'aria-label': `Open the page of ${this.name}` }), this.asked);
    this.element.append(make('div', { class: 'copy' }, link, button), this.thumbs, this.actions);
    say(`${this.name} is uploaded. Its link is ready to be copied.`);
    watch(new URL(answer.status_url).pathname, (now) => this.seen(now));
  }

  seen({ state: now, ready, urls, error }) {
    for (const name of ready) {
      const place = find(`[data-name="${name}"]`, this.thumbs);
      const wait = place && find('.wait', place);
      if (!wait) continue;
      const image = make('img', { src: urls[name], alt: `${this.name}, ${name}` });
      wait.replaceWith(make('a', { href: urls[name] }, image));
    }
    if (now === 'pending') return;
    this.bar.hidden = true;
    if (now === 'ready') {
      this.state.textContent = 'Ready';
      say(`All sizes of ${this.name} are ready.`);
    } else if (now === 'failed') {
      this.thumbs.remove();
      this.state.textContent = 'Only the original';
      this.actions.before(make('p', { class: 'wrong', text: `No smaller sizes could be made: ${error.message}` }));
      say(`No smaller sizes of ${this.name} could be made.`);
    } else if (!this.gone) {
      this.away('No longer there');
    }
  }

  ask() {
    const sure = make('button', { type: 'button', class: 'danger', text: 'Delete for good', onclick: () => this.remove() });
    const no = make('button', { type: 'button', text: 'Keep', onclick: () => { both.replaceWith(this.asked); this.asked.focus(); } });
    const both = make('span', { class: 'actions', role: 'group', 'aria-label': `Delete ${this.name}?` }, sure, no);
    this.asked.replaceWith(both);
    sure.focus();
  }

  async remove() {
    const target = new URL(this.answer.delete_url);
    let status = 0;
    try {
      const answer = await fetch(target.pathname, { method: 'DELETE', headers: { 'X-Delete-Token': this.answer.delete_token } });
      status = answer.status;
    } catch { /* told below */ }
    if (status === 204 || status === 410) { this.away('Deleted'); return; }
    say(`${this.name} could not be deleted.`);
    find('.wrong', this.element)?.remove();
    this.actions.before(make('p', { class: 'wrong', text: 'It could not be deleted just now. Try again in a moment.' }));
  }

  away(text) {
    this.gone = true;
    for (const part of [...this.element.children].slice(1)) part.remove();
    this.state.textContent = text;
    const name = find('.card-name', this.element);
    name.tabIndex = -1;
    name.focus();
    say(`${this.name}: ${text.toLowerCase()}.`);
  }
}

// ---- A picture's own page

/** Replaces what is there by the page as it is now, once the sizes are made. */
async function sharePage(main) {
  await watch(main.dataset.status, () => {});
  try {
    const answer = await fetch(location.pathname, { headers: { Accept: 'text/html' } });
    const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
    const fresh = page.querySelector('main'), focused = document.activeElement.id;
    main.replaceWith(fresh);
    if (focused) document.getElementById(focused)?.focus();
    say(fresh.dataset.said || fresh.querySelector('h1').textContent);
  } catch { location.reload(); }
}

document.addEventListener('click', (event) => {
  const button = event.target.closest('.copy button');
  if (button) copy(button);
});
document.addEventListener('DOMContentLoaded', () => {
  const upload = find('#upload'), pending = find('main[data-status]');
  if (upload) uploadPage(upload);
  if (pending) sharePage(pending);
});
