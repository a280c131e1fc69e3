// The page about phones: a code is used up, a phone is there.
(() => {
  'use strict';
  const stage = document.getElementById('stage'), lost = document.getElementById('lost');
  let heard = performance.now();
  stage.addEventListener('htmx:sse:after:message', e => {
    heard = performance.now();
    lost.hidden = true;
    const m = e.detail.message;
    if (m.event === 'gone' || m.event === 'version' && m.data !== document.documentElement.dataset.version) location.reload();
  });
  setInterval(() => { if (performance.now() - heard > 12000) lost.hidden = false; }, 1000);
})();
