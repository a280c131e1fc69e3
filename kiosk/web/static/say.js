// What is told to who does not see the screen. After each screen this finds what
// is news, waits a moment until it is settled, and says it once: to a screen
// reader by a live region; and aloud, by the browser's own voice, where the
// library has that (data-voice), to whoever moves about by keys or by a switch.
//
//	a line that changed   its title, what became of it, what to do
//	more than two good    how many there are: the list can be heard again
//	data-tell             what stands there, when it comes or changes
//	data-tell="later"     the same, but not with its view: the title goes with it
//
// What was said of one view is gone with it: the next patron finds no title there.
(() => {
  'use strict';
  const settle = 300, most = 2000; // ms: without a change before it is told; told at the latest
  const root = document.documentElement, $ = id => document.getElementById(id);
  const stage = $('stage'), box = $('say'), screen = () => stage.querySelector('.screen');
  // text is what a screen reader finds in a thing: no picture, no running number.
  function text(e) {
    const found = [], walker = e && document.createTreeWalker(e, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT,
      n => n.nodeType === 1 && n.ariaHidden === 'true' ? NodeFilter.FILTER_REJECT : NodeFilter.FILTER_ACCEPT);
    while (walker?.nextNode()) if (walker.currentNode.nodeType === 3) found.push(walker.currentNode.data);
    return found.join(' ').replace(/\s+/g, ' ').trim();
  }
  let was = {id: '', view: '', news: '', lines: null, told: new Map()};
  let changed = new Set(), timer = 0, since = 0;

  function tell(what) {
    const p = document.createElement('p');
    p.textContent = what;
    box.append(p);
    if (box.children.length > 30) box.firstChild.remove();
    speak(what);
  }
  addEventListener('carrel:say', e => tell(e.detail));

  // A line in words. What became of it stands first where the rest does not tell.
  function line(l) {
    const became = l.matches('.is-lent, .is-renewed, .is-refused') && !l.matches('.listed.is-action') ? text(l.querySelector('.state')) : '';
    return `${text(l.querySelector('h2, h3'))}: ${[became, text(l.querySelector('.said'))].filter(Boolean).join('. ')}`;
  }
  const good = l => l.matches('.is-lent, .is-renewed, .is-returned') && !l.matches('.alert');
  function flush() {
    clearTimeout(timer);
    timer = 0;
    const now = [...changed].map($).filter(Boolean), fine = now.filter(good);
    changed = new Set();
    for (const l of now) if (fine.length < 3 || !fine.includes(l)) tell(line(l));
    if (fine.length > 2) tell(text($('tally')) || line(fine[0]));
  }

  function lines(s) {
    const before = was.lines;
    was.lines = new Map();
    for (const l of s.querySelectorAll('#lines .line[data-state]')) {
      const mark = `${l.dataset.state}:${l.dataset.times}`;
      was.lines.set(l.id, mark);
      const had = before?.get(l.id); // a loan of the account that has come is none
      if (before && had !== mark && (had || !l.matches('.listed'))) changed.add(l.id);
    }
    if (!changed.size) return;
    const now = performance.now();
    if (timer) clearTimeout(timer); else since = now;
    timer = setTimeout(flush, Math.max(Math.min(settle, since + most - now), 0));
  }

  function shown() {
    const s = screen(), {news, view} = s.dataset, entered = s.id !== was.id;
    if (entered) {
      clearTimeout(timer);
      timer = 0;
      changed = new Set();
      box.replaceChildren();
      Object.assign(was, {lines: null, news: ''});
      if (view === 'welcome' && was.view && was.view !== 'welcome') hush();
    }
    const told = new Map();
    for (const e of s.querySelectorAll('[data-tell], [role=alert]:not([hidden])')) {
      const is = text(e);
      told.set(e.id, is);
      if (!is || was.told.get(e.id) === is || entered && e.dataset.tell === 'later') continue;
      if (e.matches('[role=alert]')) speak(is); // a screen reader says it by itself
      else if (was.id) tell(is);
    }
    was.told = told;
    if (news && news !== was.news) news.split('\n').forEach(tell);
    lines(s);
    Object.assign(was, {id: s.id, view, news});
  }

  // Aloud: what has the focus, and what is told. A key begins it, a finger or the end of the visit ends it.
  const kept = 'carrel-voice', voice = window.speechSynthesis && Number(root.dataset.voice);
  let aloud = false, voices = new Map();
  // The plain voice of a language: eSpeak NG has hundreds in disguise ("+"), and calls Mandarin cmn.
  function speaker(tag) {
    if (voices.has(tag)) return voices.get(tag);
    const base = tag.split('-')[0], names = base === 'zh' ? ['zh', 'cmn'] : [base];
    const all = speechSynthesis.getVoices().filter(v => !v.name.includes('+') && names.includes(v.lang.toLowerCase().split(/[-_]/)[0]));
    const rank = v => [...names, `${base}-${base.toUpperCase()}`, 'zh-CN'].includes(v.lang.replace('_', '-')) ? 0 : 1;
    const found = all.sort((a, b) => rank(a) - rank(b))[0] ?? null;
    if (found) voices.set(tag, found);
    return found;
  }
  function speak(what) {
    if (!aloud || !what || /\bcalm\b/.test(root.dataset.mode)) return;
    const u = new SpeechSynthesisUtterance(what);
    u.lang = root.lang;
    u.volume = voice;
    u.voice = speaker(root.lang);
    speechSynthesis.speak(u);
  }
  const byId = (e, name) => (e.getAttribute(name) ?? '').split(' ').map(id => text($(id))).filter(Boolean).join('. ');
  // named is what a thing is called, and what it holds where it is a list; a secret is not read.
  function named(e) {
    const name = byId(e, 'aria-labelledby') || e.ariaLabel || text(e.labels?.[0]);
    if (e.matches('input')) return [name, e.type === 'password' ? '' : e.value, byId(e, 'aria-describedby')].filter(Boolean).join('. ');
    const inside = (e.innerText ?? '').trim().replace(/\s*\n\s*/g, '. ').replace(/\s+/g, ' ');
    if (e.matches('button, a, h1')) return [name || inside, byId(e, 'aria-describedby')].filter(Boolean).join('. ');
    const all = [...e.querySelectorAll('.line[data-state]')];
    return [name, ...all.length ? all.map(line) : [inside]].filter(Boolean).join('. ');
  }
  // What types a PIN is not told, nor where among the keys the focus is: the room hears it.
  const typing = e => e.closest('#pinpad') && !e.matches('h1, #pin');
  function hush() {
    if (!aloud) return;
    aloud = false;
    sessionStorage.removeItem(kept);
    speechSynthesis.cancel();
  }
  function begin() {
    aloud = true;
    sessionStorage.setItem(kept, '1');
    speak(named(stage.querySelector('h1')));
  }
  const letter = e => e.key === ' ' && e.target.matches?.('input') && e.target.value;
  if (voice > 0) {
    addEventListener('keydown', e => {
      if (e.ctrlKey || e.altKey || e.metaKey || letter(e)) return;
      if (aloud && ['Tab', 'Escape', 'ArrowRight', 'ArrowDown'].includes(e.key)) speechSynthesis.cancel();
      else if (!aloud && ['Tab', 'ArrowRight', 'ArrowDown', ' ', 'Enter'].includes(e.key)) begin();
    }, true);
    addEventListener('focusin', e => {
      if (!aloud) return;
      if (e.target.matches('h1, input')) speechSynthesis.cancel(); // another view
      if (!typing(e.target)) speak(named(e.target));
    });
    addEventListener('pointerdown', hush, true);
    if (sessionStorage.getItem(kept)) begin(); // the page was loaded again, in another language
  }

  stage.addEventListener('htmx:sse:after:message', e => { if (!e.detail.message?.event) shown(); });
  new MutationObserver(shown).observe(stage, {subtree: true, attributes: true, attributeFilter: ['hidden']}); // the question comes by itself
  shown();
})();
