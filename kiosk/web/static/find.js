// The catalogue: what is typed goes to the desk while it is typed; the keys on
// the screen; which of them are open. Nothing of it is kept: with the next visit
// the field is empty.
(() => {
  'use strict';
  const pause = 180, again = 1000, patience = 10_000; // ms: without a key before it is looked for; after a desk that did not take it; for its answer
  const $ = id => document.getElementById(id);
  const stage = $('stage'), live = stage.hasAttribute('hx-sse:connect');
  const screen = () => stage.querySelector('.screen');
  const on = () => screen().dataset.view === 'find';
  const typed = () => $('query')?.value.trim();
  let timer = 0, want = {}, told = want, held = null, sending = false, visit = '', last = '';

  // What is wanted last, typed or touched, the desk is told next, and one thing at a time: an older search must not turn back what came after it.
  function ask(after = pause) {
    clearTimeout(timer);
    if ($('query') && live) timer = setTimeout(() => { if (typed() !== undefined && typed() !== want.q) want = {q: typed(), page: 0}; send(); }, after);
  }
  async function send() {
    if (sending || want === told) return;
    const what = told = want, {view, visit} = screen().dataset;
    sending = true;
    const body = new URLSearchParams({...what, view, visit});
    const taken = await fetch('/touch/search', {method: 'POST', body, signal: AbortSignal.timeout(patience)}).then(r => r.ok, () => false);
    sending = false;
    if (!taken && told === what) told = null;
    if (held) { const form = held; held = null; if (form.isConnected) return form.requestSubmit(); }
    if (want !== told) setTimeout(send, taken ? 0 : again);
  }
  // Pages, suggestions and subjects are searches as well. A title that is touched waits for one that is under way: the search would close it.
  addEventListener('submit', e => {
    const form = e.target, at = form.getAttribute('action');
    if (!live || !on() || form.matches('.asked')) return;
    if (at === '/touch/title') {
      clearTimeout(timer);
      want = told ??= {};
      if (sending) { hold(e); held = form; }
    } else if (at === '/touch/search') {
      hold(e);
      const d = new FormData(form), q = d.get('q'), page = Number(d.get('page') ?? 0);
      if (d.has('page')) { if (typed() !== q) return ask(0); } // of what was typed before
      else if ($('query')) $('query').value = q;
      clearTimeout(timer);
      want = {q, page};
      send();
    }
  }, true);
  function hold(e) { e.preventDefault(); e.stopImmediatePropagation(); }

  function put(text, mark) {
    const field = $('query');
    if (!field) return;
    const from = field.selectionStart ?? field.value.length, to = field.selectionEnd ?? from;
    let before = field.value.slice(0, from) + text;
    if (mark) before = before.normalize('NFC');
    const value = before + field.value.slice(to);
    if (value.length > field.maxLength) return;
    field.value = value;
    field.setSelectionRange(before.length, before.length);
    ask();
  }
  function back() {
    const field = $('query');
    const from = field.selectionStart, to = field.selectionEnd;
    const before = from === to ? [...field.value.slice(0, from)].slice(0, -1).join('') : field.value.slice(0, from);
    field.value = before + field.value.slice(to);
    field.setSelectionRange(before.length, before.length);
    ask();
  }
  function keys(open) {
    const box = $('keys'), button = $('show-keys');
    if (!box) return;
    box.hidden = !open;
    button.setAttribute('aria-expanded', String(open));
  }

  // A key must not take the caret away from the field, unless it was reached by keyboard.
  addEventListener('pointerdown', e => { if (e.target.closest?.('.keyboard')) e.preventDefault(); });
  addEventListener('mousedown', e => { if (e.target.closest?.('.keyboard')) e.preventDefault(); });
  addEventListener('click', e => {
    const b = e.target.closest?.('button');
    if (!b || !on()) return;
    if ('put' in b.dataset) put(b.dataset.put, 'mark' in b.dataset);
    else if ('back' in b.dataset) back();
    else if ('go' in b.dataset) { ask(0); keys(false); $('hits')?.focus({preventScroll: true}); }
    else if ('to' in b.dataset) {
      for (const l of document.querySelectorAll('#keys .layer')) l.hidden = l.dataset.layer !== b.dataset.to;
      document.querySelector('#keys .layer:not([hidden]) .cap')?.focus({preventScroll: true});
    } else if ('clear' in b.dataset) {
      $('query').value = '';
      keys(true);
      $('query').focus({preventScroll: true});
      ask(0);
    } else if ('keys' in b.dataset) keys($('keys').hidden);
  });
  addEventListener('input', e => { if (e.target.id === 'query') ask(); });
  addEventListener('submit', e => {
    if (!e.target.matches?.('.asked')) return;
    e.preventDefault();
    ask(0);
    keys(false);
    $('hits')?.focus({preventScroll: true});
  });
  // A keyboard that is plugged in types into the field, whatever has the focus; a switch (switch.js) does not.
  addEventListener('keydown', e => {
    const field = $('query'), at = document.activeElement;
    if (e.defaultPrevented || !field || at === field || e.ctrlKey || e.altKey || e.metaKey || e.isComposing || [...e.key].length !== 1) return;
    if (e.key === ' ' && at?.matches?.('button, [tabindex="0"]')) return;
    e.preventDefault();
    field.focus({preventScroll: true});
    field.setSelectionRange(field.value.length, field.value.length);
    put(e.key);
  });

  // After each screen: a field of another visit is empty, one that comes back has what was asked.
  function shown() {
    const s = screen(), field = $('query');
    if (!on()) { visit = last = ''; want = told = {}; held = null; clearTimeout(timer); return; }
    if (s.dataset.visit !== visit) {
      const first = visit === '';
      visit = s.dataset.visit;
      last = '';
      if (field) field.value = field.getAttribute('value') ?? '';
      want = told = {q: typed() ?? ''};
      if (!first) keys(true);
    }
    const open = stage.querySelector('#to-list') ? s.id : '';
    if (last && !open) ask(0); // what was typed and not looked for before the title was touched
    if (last && !open && typed()) { keys(false); stage.querySelector('.hit')?.focus({preventScroll: true}); }
    last = open;
  }
  stage.addEventListener('htmx:sse:after:message', e => { if (!e.detail.message?.event) shown(); });
  shown();
})();
