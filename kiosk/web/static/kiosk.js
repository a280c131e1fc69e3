// The touch screen's own behaviour. What is shown comes from the server; this
// keeps the countdown going between two screens and the newest book in sight, and
// says when the stream is lost.
(() => {
  'use strict';
  const silence = 10_000;  // ms without a sign of life: the stream is lost
  const giveUp = 20_000;   // ms: load the page again as soon as the server answers
  const keep = 60_000;     // ms nobody touched the welcome view: what was chosen goes back
  const root = document.documentElement;
  const $ = id => document.getElementById(id);
  const stage = $('stage'), lost = $('lost');
  const screen = () => stage.querySelector('.screen');
  const live = stage.hasAttribute('hx-sse:connect'); // else it is a picture: nothing is sent
  const reduced = matchMedia('(prefers-reduced-motion: reduce)');

  // The stream.
  let heard = performance.now(), link = null, failed = false, asking = false;
  const setLost = is => { if (lost.hidden === is) lost.hidden = !is; };

  stage.addEventListener('htmx:sse:before:connection', e => {
    link = e.detail.connection;
    if (link.attempt > 0) setLost(true);
  });
  stage.addEventListener('htmx:sse:error', () => setLost(true));
  // The extension connects again by itself, but only where it has once been connected.
  for (const name of ['htmx:error', 'htmx:response:error']) {
    stage.addEventListener(name, e => { if (e.target === stage && !link) setLost(failed = true); });
  }
  // Two screens that come at once are two tasks: between them a tap is heard.
  stage.addEventListener('htmx:sse:before:message', e => {
    if (!e.detail.message.event) e.detail.waitUntil(new Promise(done => setTimeout(done)));
  });
  stage.addEventListener('htmx:sse:after:message', e => {
    heard = performance.now();
    setLost(false);
    const m = e.detail.message;
    if (m.event === 'beat' || m.event === 'version') {
      if (m.data !== root.dataset.version) location.reload();
      return;
    }
    shown();
  });
  // What the stream has sent before it only names: the page keeps what it has.
  window.htmx?.registerExtension('parts', {htmx_before_morph_node: (_, {newNode}) => !newNode.hasAttribute?.('data-same')});

  async function reloadIfServed() {
    if (asking) return;
    asking = true;
    try {
      const r = await fetch('/healthz', {signal: AbortSignal.timeout(3000)});
      if (r.ok) location.reload();
    } catch { /* not yet */ } finally { asking = false; }
  }

  function watch() {
    if (!live) return;
    const quiet = performance.now() - heard;
    if (quiet < silence && !failed) return;
    setLost(true);
    if (quiet > giveUp || failed) reloadIfServed(); else link?.reader?.cancel();
  }

  // The countdown runs on the times sent with the screen, never on the browser's clock.
  let endsAt = null, warnAt = null;
  function times() {
    const now = performance.now(), {left, warn} = screen().dataset;
    endsAt = Number(left) < 0 ? null : now + Number(left);
    warnAt = Number(warn) < 0 ? null : now + Number(warn);
  }
  function count() {
    const now = performance.now(), box = $('countdown');
    if (endsAt !== null) {
      const left = Math.max(endsAt - now, 0);
      for (const e of stage.querySelectorAll('[data-seconds]')) {
        const text = String(Math.ceil(left / 1000));
        if (e.textContent !== text) e.textContent = text;
      }
    }
    if (!box) return;
    const hidden = warnAt === null || now < warnAt;
    if (!hidden && endsAt !== null) box.style.setProperty('--left', Math.max(endsAt - now, 0) / Math.max(endsAt - warnAt, 1));
    if (!hidden) for (const d of document.querySelectorAll('dialog[open]')) d.close(); // nothing lies over the question
    if (box.hidden !== hidden) box.hidden = hidden;
  }

  // After each screen: what changed, and what follows from it.
  let was = {id: '', view: '', lines: null, since: performance.now()};
  function shown() {
    if (stage.querySelector('[data-same]')) return location.reload(); // it is not here, whyever
    const s = screen(), {view} = s.dataset;
    for (const [name, value] of [['lang', s.lang], ['dir', s.dir], ['data-mode', s.dataset.mode]]) {
      if (root.getAttribute(name) !== value) root.setAttribute(name, value); // set anew, each element would be styled anew
    }
    for (const b of document.querySelectorAll('#languages button')) b.setAttribute('aria-pressed', b.value === s.lang);
    if (was.lang !== s.lang) { // the server can't say it then
      lost.querySelector('strong').textContent = s.dataset.lost;
      lost.querySelector('div div span').textContent = s.dataset.wait;
    }
    times();
    count();
    sound(s);
    if (s.id !== was.id) entered(s);
    lines(s); // asks where things are: after all that moves them
    if (view === 'welcome' && was.view && was.view !== 'welcome' && 'chosen' in root.dataset) forget();
    Object.assign(was, {id: s.id, view, lang: s.lang});
  }
  // One tone for what has come since the screen before: the most urgent of it.
  function sound(s) {
    const {view, visit, tones, volume} = s.dataset, now = tones ? tones.split(' ') : [], before = was.tones;
    was.tones = {visit, all: new Set(now)};
    if (!live || !before) return; // what was here when the page came is no news
    let fresh = before.visit === visit ? now.filter(t => !before.all.has(t)) : now;
    if (view === 'receipt') fresh = was.view === 'receipt' ? [] : ['done:'];
    const names = fresh.map(t => t.split(':')[0]), name = ['back', 'refused', 'done', 'accepted'].find(n => names.includes(n));
    if (name) setTimeout(() => dispatchEvent(new CustomEvent('carrel:sound', {detail: {name, volume: Number(volume)}}))); // the picture goes first
  }
  const tell = text => dispatchEvent(new CustomEvent('carrel:say', {detail: text})); // see say.js
  function entered(s) {
    was.since = performance.now();
    was.lines = null;
    if (live && s.dataset.view === 'items' && 'chosen' in root.dataset) keepMode(s);
    $('languages')?.close?.();
    if (was.id || s.dataset.view === 'pin' || s.dataset.view === 'find') ($('pin') ?? $('query') ?? s.querySelector('h1'))?.focus({preventScroll: true});
  }
  function lines(s) {
    const before = was.lines, changed = [];
    was.lines = new Map();
    for (const l of s.querySelectorAll('#lines .line')) {
      const mark = l.dataset.state + ':' + l.dataset.times, old = before?.get(l.id);
      was.lines.set(l.id, mark);
      if (!before || old === mark) {
        if (l.classList.contains('again')) l.classList.remove('again');
        continue;
      }
      // A stack is lent a line at a time: only what is new, or wants a look, is brought into sight.
      if (!/^(waiting|lent|returned|renewed)/.test(mark) || !old || !old.endsWith(':' + l.dataset.times)) changed.push(l);
      if (old) again(l);
    }
    if (!changed.length) return;
    const first = s.querySelector('#lines .urgent') ?? changed[0]; // the newest of them
    painted(() => first.scrollIntoView({block: 'nearest', behavior: still() ? 'auto' : 'smooth'}));
  }
  const still = () => reduced.matches || /\bcalm\b/.test(root.dataset.mode);
  // Where things are is known for nothing once they are painted; asked before, all is laid out twice.
  const painted = f => requestAnimationFrame(() => setTimeout(f));
  function again(line) {
    line.classList.add('again');
    if (!still()) line.animate([{}, {transform: 'scale(1.02)', offset: .4}, {}], {duration: 500, easing: 'ease-out'});
  }
  function nudge(e) {
    e.classList.remove('nudge');
    void e.offsetWidth; // begin the animation anew
    e.classList.add('nudge');
  }

  // A chosen language and mode belong to whoever chose them.
  async function forget() {
    try {
      await fetch('/forget', {method: 'POST'});
      location.replace('/');
    } catch { /* the next welcome tries again */ }
  }

  // What was chosen before the card may be kept with it, where the library does that.
  function keepMode(s) {
    const {mode, view, visit} = s.dataset;
    fetch('/mode', {method: 'POST', redirect: 'manual', body: new URLSearchParams({mode, view, visit})}).catch(() => {});
  }

  // Touches. A second tap of a double tap that lands on another view than the first is nobody's wish.
  let touched = 0, firstTap = '';
  addEventListener('click', e => {
    if (e.detail <= 1) firstTap = screen().id;
    else if (firstTap !== screen().id) { e.preventDefault(); e.stopImmediatePropagation(); }
  }, true);
  function alive() {
    const now = performance.now(), {view, visit} = screen().dataset;
    was.since = now;
    if (!live || view === 'identifying' || view === 'welcome' || now - touched < 3000) return;
    touched = now;
    fetch('/touch/stay', {method: 'POST', body: new URLSearchParams({view, visit})}).catch(() => {});
  }
  // A phone takes its time to find the code: the receipt stays meanwhile, for so long
  // since the code was opened last. Then the receipt's own time runs.
  const scans = 45_000; // ms
  let scanning = 0;
  addEventListener('toggle', e => { if (e.target.id === 'phone') scanning = performance.now(); }, true);
  const scanned = () => { if ($('phone')?.matches(':popover-open') && performance.now() - scanning < scans) alive(); };
  addEventListener('pointerdown', alive, true);
  addEventListener('keydown', alive, true);
  if (!live) addEventListener('submit', e => e.preventDefault(), true);
  addEventListener('contextmenu', e => e.preventDefault());

  // A rehearsal: whatever is touched leads to its next step. It gives way to whoever comes, and to nobody.
  if (root.dataset.next) {
    const away = () => location.replace('/');
    addEventListener('click', e => { if (e.target.closest?.('main button:not([type=button]), #countdown button, #borrow')) location.replace(root.dataset.next); });
    new EventSource('/api/v1/events').addEventListener('message', e => {
      const {view, lines} = JSON.parse(e.data);
      if (view !== 'welcome' || lines.length) away();
    });
    setInterval(() => { if (performance.now() - was.since > keep) away(); }, 1000);
  }

  addEventListener('click', e => {
    const by = e.target.closest?.('[data-step]');
    if (by) { step(Number(by.dataset.step)); tell($('counted')?.value); }
    const tile = e.target.closest?.('[data-nudge]');
    if (tile) {
      nudge(tile);
      tell(tile.querySelector('.words span').textContent);
    }
  });
  // The patron's own count; a finger that stays goes on counting.
  let holding = 0;
  function step(by) {
    const n = $('counted');
    if (n) n.value = Math.min(Math.max((Number(n.value) || 0) + by, Number(n.min)), Number(n.max));
  }
  addEventListener('pointerdown', e => {
    const by = e.target.closest?.('[data-step]');
    clearInterval(holding);
    if (!by) return;
    const began = performance.now();
    holding = setInterval(() => {
      if (!by.isConnected) clearInterval(holding);
      else if (performance.now() - began > 500) step(Number(by.dataset.step));
    }, 150);
  });
  for (const name of ['pointerup', 'pointercancel']) addEventListener(name, () => clearInterval(holding));

  // A page that the browser kept (bfcache) is another patron's.
  addEventListener('pageshow', e => { if (e.persisted) { stage.replaceChildren(); location.reload(); } });

  // A sign that this page still paints, for the watchdog of the kiosk's own browser.
  if (live) {
    const beat = () => requestAnimationFrame(() => fetch('/beat', {method: 'POST', signal: AbortSignal.timeout(5000)}).catch(() => {}));
    const gone = () => navigator.sendBeacon('/beat?gone');
    beat();
    setInterval(beat, 10_000);
    addEventListener('pagehide', gone);
    addEventListener('visibilitychange', () => document.hidden ? gone() : beat());
  }

  setInterval(count, 200);
  setInterval(() => {
    watch();
    scanned();
    const {view} = screen().dataset;
    if (view === 'welcome' && 'chosen' in root.dataset && performance.now() - was.since > keep) forget();
  }, 1000);
  shown();
})();
