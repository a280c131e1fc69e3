// The door on the kiosk's own display: a badge that its scanner reads is filled
// in, and the PIN is asked for. Whoever looks away takes no badges.
(() => {
  'use strict';
  const badge = document.getElementById('badge'), secret = document.getElementById('password'), says = document.getElementById('read');
  const open = new Set(); // the one that waits and the one before it, which the server ends
  const close = s => { s.close(); open.delete(s); };
  const leave = () => open.forEach(close);

  function wait() {
    if (document.hidden) return;
    const s = new EventSource('/staff/badge');
    open.add(s);
    s.onopen = () => { says.hidden = false; };
    s.onerror = () => close(s);
    s.onmessage = e => {
      badge.value = e.data;
      says.textContent = '';
      requestAnimationFrame(() => { says.textContent = says.dataset.read; }); // said again for the next badge
      secret.focus();
    };
  }

  wait();
  setInterval(wait, 5000); // sooner than the server's patience ends: no badge falls between
  addEventListener('pagehide', leave);
  addEventListener('pageshow', e => { if (e.persisted) wait(); });
  document.addEventListener('visibilitychange', () => document.hidden ? leave() : wait());
})();
