// The manners of the screen, chosen and forgotten as patrons do it; its tones;
// and what a shared screen must not keep.
'use strict';
const assert = require('node:assert/strict');
const {open, shot, axe, layout, bench, cases} = require('./lib.cjs');
const base = process.env.BASE;
const {scene, touches, sent} = bench(base);
const mode = page => page.evaluate(() => document.documentElement.dataset.mode);
const view = (page, name) => page.locator(`.screen[data-view="${name}"]`).waitFor();

// A context that keeps what is played, to be computed afterwards.
const recording = () => {
  window.AudioContext = class extends OfflineAudioContext {
    constructor() { super(1, 44100 * 2, 44100); window.recorded = this; }
    get state() { return 'running'; }
  };
};

// heard computes the tune: how loud it is, and the frequency of each 40 ms that sound.
const heard = page => page.evaluate(async () => {
  if (!window.recorded) return {peak: 0, notes: []};
  const samples = (await OfflineAudioContext.prototype.startRendering.call(window.recorded)).getChannelData(0), size = 1764, notes = [];
  let peak = 0;
  for (const x of samples) peak = Math.max(peak, Math.abs(x));
  for (let i = 0; i + size <= samples.length; i += size) {
    const part = samples.subarray(i, i + size);
    if (Math.max(...part) < peak / 3) { if (notes.at(-1) !== 0) notes.push(0); continue; }
    let crossings = 0;
    for (let k = 1; k < size; k++) if (part[k - 1] < 0 && part[k] >= 0) crossings++;
    const hz = Math.round(crossings * 44100 / size / 50) * 50;
    if (notes.at(-1) !== hz) notes.push(hz);
  }
  return {peak, notes};
});

const tests = {
  async 'large print and high contrast: one touch each, both at once, forgotten after the visit'(page) {
    await scene('welcome');
    await page.goto(base);
    const text = () => page.locator('.choose h1, main h1').first().evaluate(e => parseFloat(getComputedStyle(document.documentElement).fontSize));
    const before = await text();
    await Promise.all([page.waitForEvent('load'), page.getByRole('button', {name: 'Large print'}).click()]);
    assert.equal(await mode(page), 'standard large');
    assert.ok(await text() >= before * 1.25, `${await text()} px after ${before}`);
    await Promise.all([page.waitForEvent('load'), page.getByRole('button', {name: 'High contrast'}).click()]);
    assert.equal(await mode(page), 'standard large contrast');
    await scene('items'); // the patron's visit
    await view(page, 'items');
    assert.equal(await mode(page), 'standard large contrast');
    await Promise.all([page.waitForEvent('load'), scene('welcome')]);
    await view(page, 'welcome');
    assert.equal(await mode(page), 'standard');
  },

  async 'calm does not move, count or sound; its rehearsal touches nothing and gives way'(page) {
    await scene('welcome');
    await page.goto(base);
    await Promise.all([page.waitForEvent('load'), page.getByRole('button', {name: 'Calm'}).click()]);
    await scene('items-countdown');
    await page.locator('#countdown').waitFor();
    assert.equal(await page.locator('[data-seconds]').count(), 0);
    const still = () => page.evaluate(() => document.getAnimations().filter(a => a.playState === 'running').length);
    assert.equal(await still(), 0);
    await scene('items');
    await page.locator('#line-a7').waitFor();
    assert.equal(await page.locator('.screen').getAttribute('data-volume'), '0');
    assert.equal(await page.evaluate(() => document.documentElement.dataset.sounded), undefined);
    await Promise.all([page.waitForEvent('load'), scene('welcome')]); // the choice is forgotten
    await view(page, 'welcome');
    await touches();
    await page.goto(`${base}/rehearsal/1?mode=calm`);
    for (const [n, button] of [[1, '#borrow'], [2, '#practice-next'], [3, '#practice-next'], [4, '#practice-next'], [5, '#countdown button'], [6, '#done']]) {
      assert.ok(page.url().includes(`/rehearsal/${n}`), `${page.url()} is not step ${n}`);
      assert.deepEqual(await layout(page), []);
      if (n === 3) assert.deepEqual(await axe(page), []);
      assert.equal(await mode(page), 'calm');
      await Promise.all([page.waitForEvent('load'), page.locator(button).click()]);
    }
    assert.equal(new URL(page.url()).pathname, '/');
    assert.deepEqual(await touches(), []);
    await page.goto(`${base}/rehearsal/2?mode=calm`);
    await Promise.all([page.waitForURL(base + '/'), scene('items')]); // somebody's card
    await page.goto(`${base}/story?lang=en`);
    assert.deepEqual(await axe(page), []);
    await shot(page, 'story');
  },

  async 'a pre-reader borrows by an animal, and sees one thing at a time'(page) {
    await scene('welcome');
    await page.goto(base);
    await Promise.all([page.waitForEvent('load'), page.getByRole('button', {name: 'Pictures'}).click()]);
    await touches();
    await page.getByRole('button', {name: 'owl'}).click();
    for (let got = []; got.length === 0;) if ((got = await touches()).length) assert.match(got[0], /^kiosk\.CardRead\{Card:20\d\d\}$/);
    await scene('items');
    await view(page, 'items');
    assert.equal(await page.locator('.one').count(), 1);
    const seen = await page.evaluate(() => [...document.querySelectorAll('main *')].filter(e => !e.children.length && e.textContent.trim().length > 1 && !e.closest('.sr, svg')).map(e => e.textContent.trim()));
    assert.deepEqual(seen, [], 'words to be read');
    await page.locator('#finish').click();
    await sent(['kiosk.Finish{Language:en}']);
    await scene('receipt');
    await page.locator('#done').click();
  },

  async 'a whole visit by the keyboard alone'(page) {
    await scene('welcome');
    await page.goto(base);
    await touches();
    const tabTo = async id => {
      for (let i = 0; i < 25; i++) {
        await page.keyboard.press('Tab');
        const at = await page.evaluate(() => ({id: document.activeElement.id, ring: getComputedStyle(document.activeElement).outlineStyle}));
        if (at.id === id) { assert.notEqual(at.ring, 'none', `${id} has the focus and does not show it`); return; }
      }
      assert.fail(`Tab never reaches ${id}`);
    };
    await tabTo('borrow');
    await page.keyboard.press('Enter');
    await scene('pin'); // the card
    await view(page, 'pin');
    await page.keyboard.type('1234');
    await page.keyboard.press('Enter');
    await sent(['kiosk.PINEntered{PIN:1234}']);
    await scene('items-one');
    await view(page, 'items');
    assert.equal(await page.evaluate(() => document.activeElement.tagName), 'H1', 'the new view has the focus');
    await scene('items');
    await page.locator('#line-a7').waitFor();
    await tabTo('finish');
    await page.keyboard.press('Enter');
    await sent(['kiosk.Finish{Language:en}']);
    await scene('receipt');
    await view(page, 'receipt');
    await tabTo('done');
    await page.keyboard.press('Space');
    await sent(['kiosk.Cancel{}']);
  },

  async 'each outcome has a tone of its own'(page, browser) {
    const tunes = {};
    for (const [name, from, to] of [['accepted', 'items-empty', 'items-one'], ['refused', 'items-countdown', 'items'], ['back', 'stack-settled', 'stack-back'], ['done', 'items-one', 'receipt']]) {
      const p = await open(browser, {viewport: {width: 1280, height: 800}});
      await p.addInitScript(recording);
      await scene(from);
      await p.goto(base);
      await scene(to);
      await p.waitForFunction(n => document.documentElement.dataset.sounded === n, name);
      const {peak, notes} = await heard(p);
      assert.ok(peak > .05 && peak < 1, `${name} is as loud as ${peak}`);
      tunes[name] = notes.filter(n => n).join(' ');
      await p.context().close();
    }
    console.log(JSON.stringify(tunes));
    assert.equal(new Set(Object.values(tunes)).size, 4, 'two tones are alike');
    const [a, r, , d] = ['accepted', 'refused', 'back', 'done'].map(n => tunes[n].split(' ').map(Number));
    assert.ok(a.at(-1) > a[0] && d.at(-1) > d[0] && r.at(-1) < r[0], 'what is good goes up, what is not goes down');
  },

  async 'the warning is reached whatever is open'(page) {
    await scene('items');
    await page.goto(base);
    await page.locator('#language').click();
    await page.locator('#languages[open]').waitFor();
    await scene('items-countdown');
    await page.locator('#countdown').waitFor();
    await page.locator('#languages[open]').waitFor({state: 'detached'});
    await touches();
    await page.getByRole('button', {name: 'I’m still here'}).click({timeout: 3000});
    await page.waitForFunction(async b => (await (await fetch(b + '/bench/touches')).json()).includes('kiosk.Touched{}'), base);
    await scene('items');
    await page.locator('#countdown').waitFor({state: 'hidden'});
    await page.locator('#language').click();
    await scene('welcome'); // it ended under an open menu
    await page.locator('#languages[open]').waitFor({state: 'detached'});
    await view(page, 'welcome');
  },

  async 'nothing of the patron is left: back, history, bfcache, fields'(page) {
    await scene('items');
    await page.goto(base);
    await page.getByText('Amélie').first().waitFor();
    await page.goto(`${base}/staff`);
    await page.goBack(); // as it was, while the patron is here
    await scene('receipt');
    await page.getByText('Amélie').first().waitFor();
    await page.goto(`${base}/staff`);
    await scene('welcome');
    await page.goBack();
    await view(page, 'welcome');
    const whole = await page.content();
    for (const name of ['Amélie', 'Hungry Caterpillar', 'Wild Things']) assert.ok(!whole.includes(name), `${name} is still there`);
    for (let i = 0; i < 4; i++) { await page.goBack().catch(() => {}); if (page.url().startsWith(base)) assert.ok(!(await page.content()).includes('Amélie')); }
    await scene('pin');
    await page.goto(base);
    await page.keyboard.type('9876');
    await scene('welcome');
    await view(page, 'welcome');
    await scene('pin');
    await view(page, 'pin');
    assert.equal(await page.locator('#pin').inputValue(), '');
    assert.ok(!JSON.stringify(await page.evaluate(() => [Object.entries(localStorage), Object.entries(sessionStorage), history.state])).includes('9876'));
    for (const f of await page.locator('input:not([type=hidden])').all()) assert.match(await f.evaluate(e => e.autocomplete || e.form.autocomplete), /off|one-time-code/);
  },

  async 'the welcome view names no book'(page) {
    for (const name of ['welcome', 'welcome-mended', 'welcome-notice', 'welcome-fault']) {
      await scene(name);
      await page.goto(base);
      const text = await page.locator('body').innerText();
      assert.ok(!/Caterpillar|Wild Things|Charlotte/.test(text), `${name}: ${text}`);
      assert.equal(await page.locator('.line, main .cover').count(), 0);
    }
  },
};

cases(tests, touches);
