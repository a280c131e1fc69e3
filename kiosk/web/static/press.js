// What a finger pressed is what it meant. A browser asks again when the finger
// lifts, and makes no click of a long press; by then a book may have landed, and
// another button, a new one in the place of the old, or nothing lies there.
//
// A press that began on a button clicks that button, or the one that has come in
// its place and would do the same; never another one. A finger that stays long
// clicks too, but on what counts on while it is held (data-step). One that slides
// away, or scrolls, does not.
(() => {
  'use strict';
  const long = 400, late = 100, slop = 16; // ms: the browser may call it long; its own click comes by then. px: a finger rolls
  const what = 'button, a[href]';
  let press = null;

  // same names what a button does: for whom, in which view, with which thing.
  const same = b => JSON.stringify([b.tagName, b.id || !b.form && b.textContent.trim(), b.name, b.value, b.dataset, b.getAttribute('href'), b.form?.getAttribute('action'),
    ...[...b.form?.elements ?? []].filter(e => e.type === 'hidden').map(e => [e.name, e.value])]);
  const there = p => p.button.isConnected && same(p.button) === p.same;
  const meant = p => there(p) ? p.button : [...document.querySelectorAll(what)].find(b => same(b) === p.same);
  const stayed = (p, e) => Math.hypot(e.clientX - p.x, e.clientY - p.y) <= slop || meant(p)?.contains(document.elementFromPoint(e.clientX, e.clientY));
  function click(p) {
    p.done = true;
    const button = meant(p);
    if (button?.checkVisibility({visibilityProperty: true})) button.click();
  }

  addEventListener('pointerdown', e => {
    const button = e.isPrimary && e.button === 0 && e.target.closest?.(what);
    press = button ? {id: e.pointerId, x: e.clientX, y: e.clientY, at: performance.now(), button, same: same(button), long: false, done: false} : null;
  }, true);
  addEventListener('contextmenu', () => { if (press) press.long = true; }, true);
  addEventListener('pointerup', e => {
    const p = press;
    if (p?.id !== e.pointerId) return;
    p.stayed = stayed(p, e);
    const held = p.long || performance.now() - p.at > long;
    if (!p.stayed || there(p) && (!held || 'step' in p.button.dataset)) return;
    setTimeout(() => { if (!p.done) click(p); }, late);
  }, true);
  addEventListener('click', e => {
    const p = press;
    if (!e.isTrusted || p?.id !== e.pointerId) return; // by keys, or by us
    const twice = p.done, on = meant(p);
    p.done = true;
    if (!twice && on === e.target.closest?.(what)) return;
    e.preventDefault();
    e.stopImmediatePropagation();
    if (!twice && p.stayed) click(p);
  }, true);
})();
