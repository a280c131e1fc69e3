// Other ways than reading and touching: pictures with no word beside them, and one switch for everything.
'use strict';
const assert = require('node:assert/strict');
const {axe, layout, swap, bench, cases} = require('./lib.cjs');
const base = process.env.BASE;
const {scene, touches, sent} = bench(base);
const view = (page, name) => page.locator(`.screen[data-view="${name}"]`).waitFor();

// words gives what can be read: texts that are painted, of more than a letter or a number.
const words = page => page.evaluate(() => {
  const found = [], walker = document.createTreeWalker(document.getElementById('stage'), NodeFilter.SHOW_TEXT), range = document.createRange();
  for (let n = walker.nextNode(); n; n = walker.nextNode()) {
    const text = n.textContent.trim(), e = n.parentElement;
    if (!/[\p{L}]{2}/u.test(text) || e.closest('svg, style')) continue;
    let hidden = false;
    for (let up = e; up && !hidden; up = up.parentElement) { const s = getComputedStyle(up); hidden = s.display === 'none' || s.visibility === 'hidden' || s.clipPath === 'inset(50%)'; }
    range.selectNodeContents(n);
    if (!hidden && range.getBoundingClientRect().width > 1) found.push(text);
  }
  return found;
});

const tests = {
  async 'pictures: no word is to be read, and a screen reader has them all'(page) {
    await page.setViewportSize({width: 1024, height: 600});
    await page.goto(`${base}/gallery/view?scene=welcome&mode=pre-reader`);
    for (const name of process.env.SCENES.split(' ')) {
      if (/^account|^hostile/.test(name)) continue; // the account has no pictures: it is not offered
      await swap(page, name, '&mode=pre-reader&lang=en');
      assert.deepEqual(await words(page), [], name);
      assert.ok((await page.locator('main').evaluate(e => e.textContent)).match(/\p{L}{3}/u), `${name}: nothing to hear`);
      const mute = await page.locator('#stage button').evaluateAll(list => list.filter(b => b.checkVisibility() && !(b.ariaLabel || b.textContent).trim()).map(b => b.outerHTML));
      assert.deepEqual(mute, [], `${name}: buttons without a name`);
    }
    await swap(page, 'items-countdown', '&mode=standard&lang=en');
    assert.notDeepEqual(await words(page), []); // it does find words
  },

  async 'the picture of what to do moves, and stands still where nothing may move'(page) {
    await scene('welcome');
    const running = () => page.evaluate(() => document.querySelector('.how').getAnimations({subtree: true}).filter(a => a.playState === 'running').length);
    await page.goto(base);
    assert.ok(await running() > 0);
    await page.goto(`${base}/?mode=calm`);
    assert.equal(await running(), 0);
    await page.emulateMedia({reducedMotion: 'reduce'});
    await page.goto(base);
    assert.equal(await running(), 0);
    const seen = await page.locator('.how .c5').boundingBox();
    assert.ok(seen.width > 20 && seen.height > 20, JSON.stringify(seen)); // the book lies there
  },
};

cases(tests, touches);
