// The station in the browser: sounds, keys, and where the cursor is. All that
// it shows comes from the server.
(() => {
  'use strict';
  const stage = document.getElementById('stage'), code = document.getElementById('code'), lost = document.getElementById('lost');
  const now = () => document.getElementById('now');
  let was = {...now().dataset}, heard = performance.now();

  function shown() {
    heard = performance.now();
    lost.hidden = true;
    const is = {...now().dataset};
    if (is.heard !== undefined) {
      if (Number(is.heard) > Number(was.heard) && carrelTunes[is.tone]) carrelTunes.play(is.tone);
    } else if (Number(is.count) > Number(was.count)) carrelTunes.play('good');
    else if (is.tone !== was.tone || is.stage !== was.stage || is.verdict !== was.verdict) {
      if (is.tone === 'bad' || is.tone === 'ask') carrelTunes.play('bad');
    }
    was = is;
  }
  new MutationObserver(shown).observe(stage, {subtree: true, childList: true, attributes: true, characterData: true});
  // Another version of the program, or the end of the session: the page comes anew.
  stage.addEventListener('htmx:sse:after:message', e => {
    heard = performance.now();
    lost.hidden = true;
    const m = e.detail.message;
    if (m.event === 'gone' || m.event === 'version' && m.data !== document.documentElement.dataset.version) location.reload();
  });
  setInterval(() => { if (performance.now() - heard > 12000) lost.hidden = false; }, 1000);

  // Keys press the buttons that name them. What a scanner types goes to the field, wherever the cursor is.
  addEventListener('keydown', e => {
    const name = [e.ctrlKey && 'Control', e.altKey && 'Alt', e.key.length === 1 ? e.key.toUpperCase() : e.key].filter(Boolean).join('+');
    const button = document.querySelector(`button[data-keys="${CSS.escape(name)}"]`);
    if (button && !(e.key === 'z' && code.value)) {
      e.preventDefault();
      button.click();
    } else if (e.key.length === 1 && !e.ctrlKey && !e.altKey && !e.metaKey && e.key !== ' ' && document.activeElement !== code) {
      code.focus();
    }
  });
  // What a touch comes to, where it is not done: why.
  const why = document.getElementById('refused');
  stage.addEventListener('htmx:response:error', e => { if (why) why.textContent = e.detail.ctx.text; });
  stage.addEventListener('htmx:before:request', e => { if (why && e.target.matches('form')) why.textContent = ''; });
  document.getElementById('scan').addEventListener('htmx:after:request', () => {
    code.value = '';
    code.focus();
  });
})();
