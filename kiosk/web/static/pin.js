// The PIN pad: digits, and letters and signs where PINs have them. What is typed is
// in the field and nowhere else, and never told; which keys are open goes with the
// visit, so that a second try finds them.
(() => {
  'use strict';
  const $ = id => document.getElementById(id);
  const stage = $('stage'), screen = () => stage.querySelector('.screen');
  let was = '', lettered = null; // the screen; the visit whose letters are open

  function type(text, mark) {
    const pin = $('pin'), value = mark ? (pin.value + text).normalize('NFC') : pin.value + text;
    if (value.length <= pin.maxLength) pin.value = value;
  }
  function back() {
    const pin = $('pin');
    pin.value = [...pin.value].slice(0, -1).join('');
  }

  // A shift is for one letter. What has no capital of one letter (ß) stays as it is.
  const capital = text => text.toUpperCase().length === text.length ? text.toUpperCase() : text;
  const shifted = () => !!$('pin-keys').querySelector('[aria-pressed=true]');
  function shift(on) {
    for (const b of $('pin-keys').querySelectorAll('[data-shift]')) b.setAttribute('aria-pressed', on);
    for (const c of $('pin-keys').querySelectorAll('.layer:has([data-shift]) .cap[data-put]:not([aria-label])')) c.textContent = on ? capital(c.dataset.put) : c.dataset.put;
  }
  function put(cap) {
    const {put, mark} = cap.dataset, on = shifted();
    type(on ? capital(put) : put, mark !== undefined);
    if (on) shift(false);
  }
  function layer(name) {
    const held = $('pin-keys').contains(document.activeElement);
    shift(false);
    for (const l of $('pin-keys').children) l.hidden = l.dataset.layer !== name;
    if (held) $('pin-keys').querySelector('.layer:not([hidden]) .cap').focus({preventScroll: true}); // by keyboard: what had the focus is gone
  }
  function letters(open) {
    if (!$('pin-keys')) return;
    const held = $('to-letters') === document.activeElement || $('to-digits') === document.activeElement;
    layer('letters');
    $('pin-keys').hidden = $('to-digits').hidden = !open;
    $('digits').hidden = $('to-letters').hidden = open;
    if (held) $(open ? 'to-digits' : 'to-letters').focus({preventScroll: true});
    lettered = open ? screen().dataset.visit : null;
  }

  addEventListener('click', e => {
    const b = e.target.closest?.('main.pin button'), d = b?.dataset;
    if (!b) return;
    if (d.key === 'delete' || 'back' in d) back();
    else if ('key' in d) type(d.key);
    else if ('put' in d) put(b);
    else if ('shift' in d) shift(!shifted());
    else if ('to' in d) layer(d.to);
    else if ('letters' in d || 'digits' in d) letters('letters' in d);
  });
  // The caret stays in the field, unless another key was reached by keyboard; of the letters see find.js.
  addEventListener('mousedown', e => { if (e.target.closest?.('#to-letters, #to-digits')) e.preventDefault(); });
  // A keyboard types into the field whatever has the focus.
  addEventListener('keydown', e => {
    const pin = $('pin');
    if (e.defaultPrevented || !pin || document.activeElement === pin || e.ctrlKey || e.altKey || e.metaKey || e.isComposing || e.key === ' ' || [...e.key].length !== 1) return;
    e.preventDefault();
    type(e.key);
    pin.focus();
  });
  stage.addEventListener('htmx:after:request', e => {
    const pin = $('pin');
    if (pin && e.target.closest?.('#pinpad')) pin.value = '';
  });

  function shown() {
    const {id, dataset: {view, visit}} = screen();
    if (id === was) return;
    was = id;
    if ($('pin')) {
      $('pin').value = ''; // what was typed was another card's, or the answer to another question
      letters(lettered === visit);
    } else if (view === 'welcome') lettered = null;
  }
  stage.addEventListener('htmx:sse:after:message', e => { if (!e.detail.message?.event) shown(); });
  shown();
})();
