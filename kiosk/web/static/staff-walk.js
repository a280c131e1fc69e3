// Scans on their way to an inventory: a scanner types faster than a network answers, and a network goes away. Each code
// waits here, over a reload too, until the kiosk has it.
(() => {
  'use strict';
  const form = document.getElementById('scan'), code = document.getElementById('code');
  const refused = document.getElementById('refused'), waiting = document.getElementById('waiting');
  const place = 'carrel-scans ' + form.action;
  let queue = [], sending = false;
  try { queue = JSON.parse(sessionStorage.getItem(place)) ?? []; } catch { /* none are kept */ }

  function show() {
    sessionStorage.setItem(place, JSON.stringify(queue));
    waiting.hidden = queue.length < 2;
    waiting.querySelector('b').textContent = queue.length;
  }
  const pause = ms => new Promise(done => setTimeout(done, ms));

  async function send() {
    if (sending) return;
    sending = true;
    while (queue.length) {
      let answer;
      try {
        answer = await fetch(form.action, {method: 'POST', headers: {'HX-Request': 'true'}, body: new URLSearchParams({value: queue[0]}), signal: AbortSignal.timeout(10000)});
      } catch { /* the line is cut */ }
      if (answer?.status === 403) return location.reload(); // signed out: what waits stays
      if (!answer || answer.status >= 500) {
        await pause(1000);
        continue;
      }
      refused.textContent = answer.ok ? '' : `${queue[0]}: ${await answer.text()}`;
      queue.shift();
      show();
    }
    sending = false;
  }

  form.addEventListener('submit', e => {
    e.preventDefault();
    const text = code.value.trim();
    code.value = '';
    code.focus();
    if (!text) return;
    queue.push(text);
    show();
    send();
  });
  show();
  send();
})();
