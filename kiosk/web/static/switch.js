// One switch, or two, in place of touch and keyboard. A switch box types Space or
// Enter. The first press, where nothing has the focus, begins (where a PIN is typed
// too, unless that has letters and the space comes behind one): what can be touched
// is lit by turns, rows before what is in them, and a press takes what is lit. The
// second switch, an arrow to the right or down, lights the next by hand. Tab,
// Escape and a finger end it; so does the visit, and three rounds that nobody took.
(() => {
  'use strict';
  const root = document.documentElement, stage = document.getElementById('stage');
  const pace = Number(root.dataset.pace) || 1500, rounds = 3, kept = 'carrel-switch';
  const ring = document.createElement('div');
  ring.className = 'scan';
  ring.setAttribute('aria-hidden', 'true');
  ring.hidden = true;
  let on = ''; // '', 'auto' or 'hand'
  let row = null, lit = [], at = -1, turns = 0, timer = 0;

  const modal = () => document.querySelector('dialog:modal, :popover-open');
  const open = e => e.isConnected && !e.disabled && e.checkVisibility({visibilityProperty: true}) && !e.closest('.skip');
  const asked = () => { const c = document.getElementById('countdown'); return c && !c.hidden ? c : null; };

  // rows gives what is lit as one, in the order of how much it is wanted: the question, the letters, the view, then the header.
  function rows() {
    const top = modal(), count = asked(), all = [...(top ?? document).querySelectorAll('button, a[href]')].filter(open);
    const named = new Map();
    for (const e of all) {
      if (count && !top && e.closest('.header')) continue; // the question lies over it
      const grid = e.closest('.keys, .caps, .class, .menu'), group = e.closest('.header, .line, .one, .steps');
      const name = grid ? `${grid.className} ${Math.round(e.getBoundingClientRect().top)}` : group ?? e;
      named.set(name, [...named.get(name) ?? [], e]);
    }
    const rank = es => count?.contains(es[0]) ? 0 : es[0].closest('.caps') ? 1 : es[0].closest('main') ? 2 : 3;
    return [...named.values()].sort((a, b) => rank(a) - rank(b));
  }

  function place() {
    const boxes = lit.filter(open).map(e => e.getBoundingClientRect());
    if (ring.hidden = !on || !boxes.length) return;
    (modal() ?? document.body).append(ring);
    const left = Math.min(...boxes.map(b => b.left)), top = Math.min(...boxes.map(b => b.top));
    Object.assign(ring.style, {left: `${left}px`, top: `${top}px`,
      width: `${Math.max(...boxes.map(b => b.right)) - left}px`, height: `${Math.max(...boxes.map(b => b.bottom)) - top}px`});
  }

  // next lights what follows; a row that nobody takes anything from is left after two rounds, a menu is closed.
  function next() {
    const list = row ? row.filter(open).map(e => [e]) : rows(), was = list.findIndex(es => es[0] === lit[0]);
    at = (was >= 0 ? was : Math.min(at, list.length - 1)) + 1;
    if (at >= list.length) {
      at = 0;
      turns++;
      if (row && turns > 1 || row && !list.length) return again();
      if (turns >= rounds && modal()) { modal().close?.(); modal()?.hidePopover?.(); return again(); }
      if (turns >= rounds && on === 'auto') return stop();
    }
    lit = list[at] ?? [];
    if (lit.length === 1) lit[0].focus({preventScroll: true}); // who listens hears its name
    else document.activeElement?.blur(); // two rings would be one too many
    lit[0]?.scrollIntoView({block: 'nearest'});
    place();
    wait(1);
  }
  function wait(steps) {
    clearTimeout(timer);
    if (on === 'auto') timer = setTimeout(next, steps * pace);
  }
  // again begins with the first; whoever has just pressed has a moment more.
  function again() {
    row = null;
    lit = [];
    at = -1;
    turns = 0;
    next();
    wait(1.5);
  }
  function take() {
    const now = lit.filter(open);
    if (!now.length) return again();
    if (now.length > 1) {
      row = now;
      lit = [];
      at = -1;
      turns = 0;
      next();
      return wait(1.5);
    }
    now[0].click();
    again();
  }
  function start(how) {
    on = how;
    sessionStorage.setItem(kept, how);
    again();
  }
  function stop() {
    on = '';
    sessionStorage.removeItem(kept);
    clearTimeout(timer);
    row = null;
    lit = [];
    place();
  }

  const press = e => e.key === ' ' || e.key === 'Enter', step = e => e.key === 'ArrowRight' || e.key === 'ArrowDown';
  const free = e => {
    const a = document.activeElement;
    if (a?.id === 'pin') return e.key === ' ' && !(a.value && document.getElementById('pin-keys'));
    return !a || a === document.body || a.matches('h1, main');
  };
  addEventListener('keydown', e => {
    if (e.ctrlKey || e.altKey || e.metaKey) return;
    if (on && (e.key === 'Tab' || e.key === 'Escape')) return stop();
    if (!press(e) && !step(e) || !on && !free(e)) return;
    e.preventDefault();
    if (e.repeat) return; // a switch that is held is pressed once
    if (!on) start(step(e) ? 'hand' : 'auto');
    else if (press(e)) take();
    else {
      on = 'hand';
      sessionStorage.setItem(kept, on);
      next();
    }
  }, true);
  addEventListener('keyup', e => { if (on && press(e)) e.preventDefault(); }, true); // or what is focused by now would be pressed too
  addEventListener('pointerdown', () => { if (on) stop(); }, true);
  addEventListener('resize', place);

  // Another view begins anew; after the visit the next one may be anybody.
  const is = () => { const s = stage.querySelector('.screen'); return {id: s.id, view: s.dataset.view, asks: !!asked()}; };
  let was = is();
  function changed() {
    const now = is(), before = was;
    was = now;
    if (!on) return;
    if (now.view === 'welcome' && before.view !== 'welcome') stop();
    else if (now.id !== before.id || now.asks && !before.asks) again();
    else place();
  }
  stage.addEventListener('htmx:sse:after:message', changed);
  setInterval(changed, 250); // the question comes by itself, and rows move
  const before = sessionStorage.getItem(kept); // the page was loaded again, in another mode
  if (before === 'auto' || before === 'hand') start(before);
})();
