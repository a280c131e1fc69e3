// The screen as patrons use it, and the line cut under it.
'use strict';
const assert = require('node:assert/strict');
const {open, shot, axe, bench, cases} = require('./lib.cjs');
const base = process.env.BASE;
const {scene, touches, sent} = bench(base);
const within = (what, wrong) => Promise.race([what, new Promise((_, reject) => setTimeout(reject, 10_000, new Error(wrong)).unref())]);
const deferred = () => {
  const d = {};
  d.promise = new Promise((resolve, reject) => Object.assign(d, {resolve, reject}));
  return d;
};
const text = page => page.locator('main').innerText();

const tests = {
  async 'a reload and a second browser show the same'(page, browser) {
    await scene('items');
    await page.goto(base);
    await page.locator('.line').first().waitFor();
    const before = await text(page);
    await page.reload();
    assert.equal(await text(page), before);
    const other = await open(browser, {viewport: {width: 1280, height: 800}});
    await other.goto(base);
    assert.equal(await text(other), before);
    await scene('receipt');
    await Promise.all([page.locator('#done').waitFor(), other.locator('#done').waitFor()]);
    assert.equal(await text(other), await text(page));
    await other.context().close();
  },

  async 'a book lands in sight, without a reload'(page) {
    await scene('items-many');
    await page.goto(base);
    const list = page.locator('#lines');
    await list.evaluate(e => { window.stays = 1; e.scrollTop = e.scrollHeight; });
    await scene('items');
    await page.locator('#line-a7').waitFor();
    await page.waitForFunction(() => {
      const r = document.getElementById('line-a7').getBoundingClientRect(), q = document.getElementById('lines').getBoundingClientRect();
      return r.top >= q.top - 1 && r.bottom <= q.bottom + 1;
    });
    assert.equal(await page.evaluate(() => window.stays), 1);
    await page.locator('#say', {hasText: /Pippi Longstocking: One moment/}).waitFor();
    // A page that lacks what the stream thinks it has gets all of it again.
    await page.evaluate(() => document.getElementById('line-a7').remove());
    await scene('items');
    await page.locator('#line-a7 .what').waitFor();
    assert.equal(await page.evaluate(() => window.stays), undefined);
  },

  async 'every button reaches the desk'(page) {
    await scene('welcome');
    await page.goto(base);
    await page.locator('#return').click();
    await sent(['kiosk.StartReturn{}']);
    await page.locator('#borrow').click(); // says what to do, and no more
    await scene('held');
    await page.locator('#line-h2 button').click();
    await sent(['kiosk.DropLine{Line:h2}']);
    await page.locator('#return-these').click();
    await sent(['kiosk.StartReturn{}']);
    await scene('items');
    await page.locator('#line-a6').getByRole('button', {name: 'Renew'}).click();
    await sent(['kiosk.RenewLine{Line:a6}']);
    await page.locator('#line-a6').getByRole('button', {name: 'No, thanks'}).click();
    await sent(['kiosk.DropLine{Line:a6}']);
    await page.getByRole('button', {name: 'My account'}).click();
    await sent(['kiosk.ShowAccount{}']);
    await page.locator('#finish').click();
    await sent(['kiosk.Finish{Language:en}']);
    await scene('items-closing');
    await page.locator('#finish[disabled]').waitFor();
    await scene('receipt');
    await page.locator('#done').click();
    await sent(['kiosk.Cancel{}']);
  },

  async 'a finger means what it pressed: however long it stays, whatever comes under it'(page) {
    const finger = (what, type, by = 0) => page.locator(what).evaluate((e, [type, by]) => {
      const r = e.getBoundingClientRect(), at = {clientX: r.left + r.width / 2 + by, clientY: r.top + r.height / 2};
      e.dispatchEvent(new PointerEvent(type, {pointerId: 77, pointerType: 'touch', isPrimary: true, bubbles: true, cancelable: true, ...at}));
    }, [type, by]);
    const press = async (what, ...then) => { // a long one, of which a browser makes no click
      await finger(what, 'pointerdown');
      await finger(what, 'contextmenu');
      await finger(what, ...then);
    };
    await scene('welcome');
    await page.goto(base);
    await press('#account', 'pointercancel');
    await press('#account', 'pointerup', 600); // it slid away
    await press('#return', 'pointerup');
    await sent(['kiosk.StartReturn{}']);
    // The stream puts another in its place, while it is held: the same thing, or not.
    const replaced = f => page.locator('#return').evaluate((e, f) => {
      const form = e.form.cloneNode(true);
      if (f) for (const name of ['action', 'hx-post']) form.setAttribute(name, '/touch/account');
      e.form.replaceWith(form);
      window.htmx.process(form);
    }, f);
    const mouse = async f => { await page.locator('#return').hover(); await page.mouse.down(); await replaced(f); await page.mouse.up(); };
    await mouse(true);
    await page.evaluate(() => new Promise(done => setTimeout(done, 150))); // a click of press.js would come before
    await scene('welcome');
    await page.reload();
    await mouse(false);
    await sent(['kiosk.StartReturn{}']);
    // A book lands above it: another line lies under the finger.
    await scene('items');
    const renew = page.locator('#line-a6').getByRole('button', {name: 'Renew'});
    const {x, y, width, height} = await renew.boundingBox(), cdp = await page.context().newCDPSession(page);
    await cdp.send('Input.dispatchTouchEvent', {type: 'touchStart', touchPoints: [{x: x + width / 2, y: y + height / 2}]});
    await page.locator('#line-a6').evaluate(e => { const other = e.nextElementSibling; e.parentElement.insertBefore(other, e); });
    await cdp.send('Input.dispatchTouchEvent', {type: 'touchEnd', touchPoints: []});
    await sent(['kiosk.RenewLine{Line:a6}']);
    await page.locator('#finish').click();
    await sent(['kiosk.Finish{Language:en}']);
  },

  async 'the account renews one or all, and covers itself'(page) {
    await scene('welcome');
    await page.goto(base);
    await page.locator('#account').click();
    await sent(['kiosk.ShowAccount{}']);
    await scene('card');
    await page.locator('#cancel').click();
    await sent(['kiosk.Cancel{}']);
    await scene('account');
    await page.getByRole('button', {name: 'Renew: Where the Wild Things Are'}).click();
    await sent(['kiosk.RenewLine{Line:b2}']);
    assert.equal(await page.locator('#line-b4').getByRole('button').count(), 0); // none left
    await page.locator('#renew-all').focus();
    await page.keyboard.press('Enter');
    await sent(['kiosk.RenewAll{}']);
    await page.locator('#to-books').click();
    await sent(['kiosk.StartBorrow{}']);
    await scene('account-covered');
    await page.locator('#uncover').waitFor();
    const html = await page.content();
    for (const secret of ['Amélie', 'Charlotte', 'USD', 'Hatchet']) assert.ok(!html.includes(secret), `${secret} is still in the page`);
    await page.keyboard.press('Tab');
    await page.waitForFunction(() => document.activeElement.closest('.screen') && document.activeElement !== document.body);
    await page.locator('#uncover').click();
    await page.waitForFunction(async b => (await (await fetch(b + '/bench/touches')).json()).includes('kiosk.Touched{}'), base);
    await scene('account');
    await page.locator('#finish').click();
    await sent(['kiosk.Finish{Language:en}']);
  },

  async 'the catalogue of refusals shows each in words and in pictures'(page) {
    for (const [mode, lang] of [['standard', 'en'], ['pre-reader.contrast', 'ar']]) {
      await page.goto(`${base}/gallery/refusals?mode=${mode}&lang=${lang}`);
      const rows = await page.locator('tbody tr').evaluateAll(list => list.map(r => [r.id, ...[...r.querySelectorAll('svg')].map(e => e.getBBox().width > 20), ...[...r.querySelectorAll('td[dir]')].map(e => e.innerText.trim().length > 5)]));
      assert.ok(rows.length > 25, `${rows.length} reasons`);
      for (const [id, ...all] of rows) assert.deepEqual(all, [true, true, true, true], id);
      assert.deepEqual(await axe(page), [], `${mode}, ${lang}`);
    }
  },

  async 'help is called by touch, told, and taken back at another place'(page) {
    await scene('items');
    await page.goto(base);
    const at = await page.locator('#help').boundingBox();
    await page.getByRole('button', {name: 'Call for help'}).click();
    await sent(['kiosk.CallHelp{}']);
    await scene('items-called');
    await page.locator('#cared').waitFor();
    assert.match(await page.locator('#cared').innerText(), /Somebody will come/);
    const under = await page.evaluate(({x, y}) => document.elementFromPoint(x, y).closest('button')?.id ?? '', {x: at.x + at.width / 2, y: at.y + at.height / 2});
    assert.notEqual(under, 'help-back', 'a second tap takes it back');
    await page.getByRole('button', {name: 'No help needed any more'}).click();
    await sent(['kiosk.DropHelp{}']);
    await scene('welcome');
    await page.locator('#help').focus();
    await page.keyboard.press('Enter');
    await sent(['kiosk.CallHelp{}']);
    await scene('welcome-coming');
    assert.match(await page.locator('#cared').innerText(), /on the way/);
  },

  async 'the keyboard is enough'(page) {
    await scene('welcome');
    await page.goto(base);
    await page.locator('#borrow').focus();
    await page.keyboard.press('Tab');
    assert.equal(await page.evaluate(() => document.activeElement.id), 'return');
    assert.notEqual(await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle), 'none');
    await page.keyboard.press('Enter');
    await sent(['kiosk.StartReturn{}']);
    // A whole visit; the card and the books come by themselves.
    const focus = id => page.waitForFunction(id => document.activeElement.id === id, id);
    const tab = async id => { for (let i = 0; i < 30 && await page.evaluate(() => document.activeElement.id) !== id; i++) await page.keyboard.press('Tab'); await focus(id); };
    await scene('pin');
    await focus('pin');
    await page.keyboard.type('1234');
    await page.keyboard.press('Enter');
    await sent(['kiosk.PINEntered{PIN:1234}']);
    await scene('items');
    await page.waitForFunction(() => document.activeElement.matches('h1'));
    await tab('lines'); // read, scrolled
    await page.keyboard.press('Tab');
    assert.match(await page.evaluate(() => document.activeElement.ariaLabel), /^Renew/);
    await page.keyboard.press('Enter');
    await sent(['kiosk.RenewLine{Line:a6}']);
    await tab('finish');
    await page.keyboard.press('Enter');
    await sent(['kiosk.Finish{Language:en}']);
    await scene('receipt-ways');
    await page.waitForFunction(() => document.activeElement.matches('h1'));
    await tab('done');
    await page.keyboard.press('Enter');
    await sent(['kiosk.Cancel{}']);
  },

  async 'the PIN is typed by touch and by keys, masked, and gone after'(page) {
    await scene('pin');
    await page.goto(base);
    const pin = page.locator('#pin');
    for (const k of ['1', '2', '3', 'delete']) await page.locator(`[data-key="${k}"]`).click();
    await scene('pin'); // a new screen takes no digits away
    await page.waitForFunction(() => document.querySelector('.screen').dataset.left > 59000);
    await page.locator('[data-key="4"]').click();
    assert.equal(await pin.inputValue(), '124');
    assert.equal(await pin.getAttribute('type'), 'password');
    await page.locator('#enter').click();
    await sent(['kiosk.PINEntered{PIN:124}']);
    await page.waitForFunction(() => document.getElementById('pin').value === '');
    await page.keyboard.type('0042');
    await page.keyboard.press('Enter');
    await sent(['kiosk.PINEntered{PIN:0042}']);
    assert.ok(!page.url().includes('0042'));
    // Letters and signs; the caret stays in the field, and a new screen takes no key away.
    const at = () => page.evaluate(() => document.activeElement.id || document.activeElement.textContent);
    const key = text => page.locator('#pin-keys .layer:not([hidden])').getByRole('button', {name: text, exact: true});
    const pressed = () => key('Capital letters').getAttribute('aria-pressed');
    await page.locator('#to-letters').click();
    assert.equal(await page.locator('#digits').isVisible(), false);
    await key('Capital letters').click();
    assert.equal(await pressed(), 'true');
    await key('K').click();
    assert.equal(await pressed(), 'false'); // a shift is for one letter
    for (const k of ['o', 'h', 'x', 'Delete one letter', 'Space', 'a', '!?#: Signs', '|', '"']) await key(k).click();
    assert.equal(await at(), 'pin');
    await scene('pin');
    await page.waitForFunction(() => document.querySelector('.screen').dataset.left > 59000);
    await key('Continue').click();
    await sent(['kiosk.PINEntered{PIN:Koh a|"}']);
    await scene('identifying');
    await page.locator('.screen[data-view=identifying]').waitFor();
    await scene('pin-wrong'); // a second try finds the letters
    await key('q').click();
    await page.keyboard.type('ä ß'); // as it is plugged in: into the field; a space behind a letter is no switch
    assert.ok(await page.locator('.scan').isHidden());
    await page.locator('#to-digits').click();
    await page.locator('[data-key="7"]').click();
    await page.locator('#to-letters').focus(); // by keys: the focus goes to what has come in its place, and to the first of other keys
    await page.keyboard.press('Enter');
    assert.equal(await at(), 'to-digits');
    await key('!?#: Signs').focus();
    await page.keyboard.press('Enter');
    assert.equal(await at(), '!');
    await page.keyboard.press('Enter');
    await page.keyboard.type('Z'.repeat(40)); // no more than fits
    assert.equal(await pin.inputValue(), 'qä ß7!' + 'Z'.repeat(26));
    assert.equal(await at(), 'pin');
    await page.keyboard.press('Enter');
    await sent([`kiosk.PINEntered{PIN:qä ß7!${'Z'.repeat(26)}}`]);
    await scene('pin-other'); // another card finds the digits
    await page.locator('#digits').waitFor();
    assert.equal(await page.locator('#pin-keys').isVisible(), false);
    await page.locator('#cancel').click();
    await sent(['kiosk.Cancel{}']);
  },

  async 'nobody gets the digits, or the late tap, of the card before'(page) {
    // The finger is slower than the next card. The form may go with the old screen, and the browser then drops the
    // request, with an event or without: so the request that it made is delivered from here. The way leads here from
    // the first: a page that is slow to hear of a new one sends past it, and nobody sees that.
    const late = deferred();
    await page.route('**/touch/pin', async r => {
      try {
        await scene('pin');
        const response = await r.fetch();
        late.resolve(response.status());
        await r.fulfill({response}).catch(() => {}); // nobody may wait for it any more
      } catch (e) { late.reject(e); }
    });
    await scene('pin');
    await page.goto(base);
    const pin = page.locator('#pin');
    for (const k of '1234') await page.locator(`[data-key="${k}"]`).click();
    assert.equal(await pin.inputValue(), '1234');
    await scene('pin-other');
    await page.locator('.screen[data-visit=v2]').waitFor();
    await page.waitForFunction(() => document.activeElement.id === 'pin'); // the page has taken note of it, and not only drawn it
    assert.equal(await pin.inputValue(), '');
    await page.keyboard.type('77');
    await page.keyboard.press('Enter');
    assert.equal(await within(late.promise, 'the PIN was not sent'), 409);
    await page.locator('.screen[data-visit=v1]').waitFor();
    assert.equal(await pin.inputValue(), '');
    assert.deepEqual(await touches(), []);
  },

  async 'the patron counts by touch, and a new screen takes no number away'(page) {
    await scene('stack-count');
    await page.goto(base);
    const n = page.locator('#counted');
    const more = page.getByRole('button', {name: 'One more'}), less = page.getByRole('button', {name: 'One less'});
    await less.click(); // not below nothing
    for (let i = 0; i < 4; i++) await more.click();
    await less.click();
    assert.equal(await n.inputValue(), '3');
    const seq = await page.locator('.screen').getAttribute('data-seq');
    await scene('stack-count');
    await page.locator(`.screen:not([data-seq="${seq}"])`).waitFor();
    assert.equal(await n.inputValue(), '3');
    await more.evaluate(e => { // what was held has counted: lifted, it counts no more
      for (const type of ['pointerdown', 'contextmenu', 'pointerup']) e.dispatchEvent(new PointerEvent(type, {pointerId: 77, isPrimary: true, bubbles: true}));
      return new Promise(done => setTimeout(done, 150)); // a click of press.js would come before
    });
    assert.equal(await n.inputValue(), '3');
    await more.hover();
    await page.mouse.down(); // a finger that stays
    await page.waitForFunction(() => Number(document.getElementById('counted').value) >= 6);
    await page.mouse.up();
    const held = Number(await n.inputValue());
    await page.locator('#count-ok').click();
    await sent([`kiosk.Counted{Items:${held}}`]);
    assert.match(await page.locator('#finish').innerText(), /Finish\s+Please count first/);
    await scene('stack-settled');
    await n.waitFor({state: 'hidden'});
    await page.locator('#finish.primary').waitFor();
  },

  async 'a stack that is lent a line at a time stays where it is'(page) {
    await page.emulateMedia({reducedMotion: 'reduce'});
    await scene('stack-busy');
    await page.goto(base);
    await page.locator('#line-s11').waitFor();
    await scene('stack-settled');
    await page.locator('#finish.primary').waitFor();
    assert.equal(await page.locator('#lines').evaluate(e => e.scrollTop), 0);
    await scene('stack'); // the set, which is on top, now wants its part
    await page.locator('#line-set.is-action').waitFor();
    const [line, list] = [await page.locator('#line-set').boundingBox(), await page.locator('#lines').boundingBox()];
    assert.ok(line.y >= list.y, `the line is cut: ${line.y} in ${list.y}`);
  },

  async 'what was lifted too early comes to the top, and is told'(page) {
    await scene('stack-settled');
    await page.goto(base);
    const list = page.locator('#lines');
    await list.evaluate(e => { e.scrollTop = e.scrollHeight; });
    await scene('stack-back');
    const line = page.locator('.line.urgent');
    await line.waitFor();
    assert.ok(await page.locator('#lines > li:first-child.urgent').count());
    await page.waitForFunction(() => {
      const r = document.querySelector('.line.urgent').getBoundingClientRect(), q = document.getElementById('lines').getBoundingClientRect();
      return r.top >= q.top - 1 && r.bottom <= q.bottom + 1;
    });
    await page.locator('#say', {hasText: /Where the Wild Things Are: Please put this one back/}).waitFor();
    assert.ok(await page.locator('#finish:not(.primary)').count());
  },

  async 'the countdown comes by itself, whatever the browser thinks the time is'(page) {
    await page.addInitScript(() => { const now = Date.now; Date.now = () => now() - 3.15e10; });
    await page.addInitScript(() => addEventListener('DOMContentLoaded', () => { // notes what the question was, from the first
      const box = document.getElementById('countdown'), seen = window.seen = [], note = () => seen.push(box.hidden ? 'hidden' : Number(box.querySelector('[data-seconds]').textContent));
      note();
      new MutationObserver(note).observe(box, {attributes: true, attributeFilter: ['hidden'], subtree: true, childList: true});
    }));
    let seen = [];
    for (let i = 0; i < 5 && seen[0] !== 'hidden'; i++) { // a slow browser may come when it is there already
      await scene('items-soon');
      await page.goto(base);
      seen = await page.evaluate(() => window.seen);
    }
    assert.equal(seen[0], 'hidden');
    await page.waitForFunction(() => new Set(window.seen).size > 2);
    const counts = (await page.evaluate(() => window.seen)).filter(n => n !== 'hidden');
    assert.ok(counts[0] <= 3 && counts.every((n, i) => n <= (counts[i - 1] ?? n)), `counts ${counts}`);
    await page.getByRole('button', {name: 'I’m still here'}).click();
    await page.waitForFunction(async b => (await (await fetch(b + '/bench/touches')).json()).includes('kiosk.Touched{}'), base);
    await scene('items');
    await page.locator('#countdown').waitFor({state: 'hidden'});
  },

  async 'a lost stream is told, and mended'(page) {
    await scene('items-one');
    await page.goto(base);
    await page.locator('#lost').waitFor({state: 'hidden'});
    await fetch(`${base}/bench/cut`).catch(() => {});
    await page.locator('#lost').waitFor();
    await shot(page, 'lost');
    await scene('receipt'); // meanwhile
    await fetch(`${base}/bench/mend`);
    await page.locator('#lost').waitFor({state: 'hidden'});
    await page.locator('#done').waitFor();
    assert.match(await text(page), /Thank you, Amélie/);
  },

  async 'the stream opens in whatever order the scripts arrive'(page) {
    await scene('welcome');
    const last = page.waitForResponse(/kiosk\.js/);
    await page.route(/hx-sse/, async r => { await last; await r.continue(); });
    const stream = page.waitForResponse(/\/stream/);
    await page.goto(base);
    assert.equal((await stream).status(), 200);
  },

  async 'a stream that falls silent is told, and mended'(page) {
    await page.clock.install();
    await fetch(`${base}/bench/mute`);
    await scene('welcome');
    await page.goto(base);
    await page.clock.fastForward(12_000);
    await page.locator('#lost').waitFor();
    await scene('items-one'); // which only a new stream tells
    await fetch(`${base}/bench/mend`);
    await page.clock.fastForward(12_000);
    await page.locator('#finish').waitFor();
    await page.locator('#lost').waitFor({state: 'hidden'});
  },

  async 'after any change the page is what a reload gives'(page) {
    const names = process.env.SCENES.split(' ');
    let seed = 7;
    const random = n => (seed = (seed * 48271) % 2147483647) % n;
    await page.goto(base);
    for (let i = 0; i < 150; i++) {
      const name = names[random(names.length)];
      await scene(name);
      if (random(3) === 0) await scene(names[random(names.length)]); // and at once another
      const differs = await page.evaluate(async () => {
        const parse = async () => new DOMParser().parseFromString(await (await fetch('/')).text(), 'text/html').querySelector('.screen');
        const shape = root => [...root.querySelectorAll('*')].map(e => `${e.tagName} ${e.id} ${e.hasAttribute('data-seconds') || e.children.length ? '' : e.textContent.trim()} ${e.getAttribute('name')} ${e.type === 'hidden' ? e.value : ''}`);
        const want = await parse(), seq = want.dataset.seq;
        for (const end = performance.now() + 5000; document.querySelector('.screen').dataset.seq !== seq;) {
          if (performance.now() > end) return `the screen ${seq} never came`;
          await new Promise(requestAnimationFrame);
        }
        const got = shape(document.querySelector('.screen')), should = shape(want);
        const at = should.findIndex((s, i) => s !== got[i]);
        return got.length === should.length && at < 0 ? '' : `${got.length} elements, not ${should.length}; at ${at}: ${got[at]} | ${should[at]}`;
      });
      assert.equal(differs, '', `change ${i} to ${name}`);
      const buttons = page.locator('button:not([aria-pressed]):not(:disabled)');
      if (random(2) === 0 && await buttons.count()) await buttons.first().click({force: true, noWaitAfter: true, timeout: 1000}).catch(() => {});
    }
    await touches();
  },

  async 'the second tap of a double tap does not reach the next view'(page) {
    await scene('receipt');
    await page.goto(base);
    await page.locator('#done').click();
    await sent(['kiosk.Cancel{}']);
    await scene('items-one'); // and Finish lies where the finger comes down again
    await page.locator('#finish').hover();
    await page.mouse.down({clickCount: 2});
    await page.mouse.up({clickCount: 2});
    await page.locator('#finish').click();
    await sent(['kiosk.Finish{Language:en}']); // once
  },

  async 'a language goes with the one who chose it'(page) {
    await scene('welcome');
    await page.goto(base);
    await page.getByRole('button', {name: 'Español'}).click();
    await page.getByText('Bienvenidos').waitFor();
    assert.equal(await page.locator('html').getAttribute('lang'), 'es');
    await scene('items');
    await page.getByText('Hola, Amélie').waitFor();
    await scene('welcome');
    await page.getByText('What would you like to do?').waitFor();
    assert.equal(await page.locator('html').getAttribute('lang'), 'en');
  },
};

cases(tests, touches, () => fetch(`${base}/bench/mend`));
