// How the kiosk is, in the browser: all that it shows comes from the server.
// The bell rings when something new needs a person; again and again while
// somebody asks for help.
(() => {
  'use strict';
  const live = document.getElementById('live'), lost = document.getElementById('lost'), bell = document.getElementById('bell');
  const needs = () => new Map([...live.querySelectorAll('.need')].map(e => [e.id, e.classList.contains('help')]));
  let known = needs(), heard = performance.now(), audio;

  function ring(times) {
    document.documentElement.dataset.rung = Number(document.documentElement.dataset.rung ?? 0) + 1;
    if (!audio) return;
    for (let i = 0; i < times; i++) for (const [hz, at] of [[880, 0], [660, .18]]) {
      const o = audio.createOscillator(), g = audio.createGain(), t = audio.currentTime + i * .6 + at;
      o.frequency.value = hz;
      g.gain.setValueAtTime(.2, t);
      g.gain.exponentialRampToValueAtTime(.001, t + .35);
      o.connect(g).connect(audio.destination);
      o.start(t);
      o.stop(t + .35);
    }
  }
  // A browser lets a page sound after a touch of it: this button is that touch.
  bell.addEventListener('click', () => {
    const on = bell.getAttribute('aria-pressed') !== 'true';
    bell.setAttribute('aria-pressed', String(on));
    if (!on) { audio?.close(); audio = undefined; return; }
    audio = new AudioContext();
    ring(1);
  });
  function shown() {
    const is = needs();
    if ([...is.keys()].some(id => !known.has(id))) ring([...is.values()].some(Boolean) ? 3 : 1);
    document.title = document.title.replace(/^(\(\d+\) )?/, is.size ? `(${is.size}) ` : '');
    known = is;
  }
  shown();
  new MutationObserver(shown).observe(live, {subtree: true, childList: true});
  setInterval(() => { if ([...known.values()].some(Boolean)) ring(3); }, 15000);

  live.addEventListener('htmx:sse:after:message', e => {
    heard = performance.now();
    lost.hidden = true;
    const m = e.detail.message;
    if (m.event === 'gone' || m.event === 'version' && m.data !== document.documentElement.dataset.version) location.reload();
  });
  setInterval(() => { if (performance.now() - heard > 12000) lost.hidden = false; }, 1000);
})();
