// Other ways than reading and touching: pictures with no word beside them, and one switch for everything.
'use strict';
const assert = require('node:assert/strict');
const {axe, layout, shot, swap, bench, cases, choose} = require('./lib.cjs');
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

const arrives = async () => { for (const end = Date.now() + 10_000; Date.now() < end;) { const [t] = await touches(); if (t) return t; } };

const tests = {
  async 'pictures: no word is to be read, and a screen reader has them all'(page) {
    await page.setViewportSize({width: 1024, height: 600});
    await page.goto(`${base}/gallery/view?scene=welcome&mode=pre-reader`);
    for (const name of process.env.SCENES.split(' ')) {
      if (/^account|^find|^hostile/.test(name)) continue; // account and search are all words: they are not offered
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

  async 'two switches lend a book: one lights the next, one takes it'(page) {
    await scene('welcome');
    await page.goto(`${base}/?mode=pre-reader`);
    const step = () => page.keyboard.press('ArrowRight'), press = () => page.keyboard.press('Space');
    await step();
    await choose(page, '.animal[aria-label=owl]', step, press);
    assert.match((await arrives()), /^kiosk\.CardRead\{Card:20\d\d\}$/);
    await scene('pin');
    await view(page, 'pin');
    assert.equal(await page.locator('#to-letters').count(), 0); // no letters for who does not read
    for (const key of ['4', '2']) await choose(page, `[data-key="${key}"]`, step, press);
    await choose(page, '#enter', step, press);
    await sent(['kiosk.PINEntered{PIN:42}']);
    await scene('items-one'); // the book
    await view(page, 'items');
    await choose(page, '#finish', step, press);
    await sent(['kiosk.Finish{Language:en}']);
    await scene('receipt');
    await view(page, 'receipt');
    await choose(page, '#done', step, press);
    await sent(['kiosk.Cancel{}']);
    await scene('welcome');
    await view(page, 'welcome');
    await page.locator('.scan').waitFor({state: 'hidden'}); // the next one has no switch
    assert.equal(await page.evaluate(() => sessionStorage.length), 0);
  },

  async 'one switch lends a book: what can be touched is lit by turns'(page) {
    await page.clock.install();
    await scene('welcome');
    await page.goto(base);
    await page.clock.pauseAt(await page.evaluate(() => Date.now()) + 1000); // from here on, time goes as it is told
    // The stream may wait on time too: it goes on, as slowly as outside.
    const comes = async what => { for (let i = 0; i < 500 && !await page.locator(what).first().isVisible(); i++) { await page.clock.runFor(20); await new Promise(r => setTimeout(r, 20)); } };
    const press = () => page.keyboard.press('Space'), turn = () => page.clock.runFor(100);
    await press();
    await choose(page, '#return', turn, press);
    await sent(['kiosk.StartReturn{}']);
    await scene('items'); // a visit: a line with two buttons is one row
    await comes('.screen[data-view=items]');
    await page.clock.runFor(300);
    await choose(page, '#line-a6 .primary', turn, press);
    await sent(['kiosk.RenewLine{Line:a6}']);
    await choose(page, '#language', turn, press);
    await page.locator('#languages[open]').waitFor();
    const loaded = page.waitForEvent('load');
    await choose(page, '#languages [value=de]', turn, press);
    await loaded;
    await comes('.screen[data-view=items]');
    await page.locator('.scan').waitFor(); // it goes on in the other language
    await scene('items-countdown');
    await comes('#countdown');
    await choose(page, '#countdown button', turn, press); // yes, still here
    await scene('items');
    await comes('.screen:not(:has(#countdown:not([hidden])))');
    await page.clock.runFor(300);
    await choose(page, '#finish', turn, press);
    await sent(['kiosk.Finish{Language:de}']);
    await page.clock.resume();
    await page.locator('.scan').waitFor();
    assert.deepEqual(await axe(page), []);
    assert.deepEqual(await layout(page), []);
    await shot(page, 'switch');
    await page.locator('.scan').waitFor({state: 'hidden'}); // three rounds that nobody took
  },

  async 'keys and fingers keep what they do, and end what a switch began'(page) {
    await scene('welcome');
    await page.goto(base);
    await page.locator('#return').focus();
    await page.keyboard.press('Space'); // its own, not a switch's
    await sent(['kiosk.StartReturn{}']);
    assert.ok(await page.locator('.scan').isHidden());
    await page.evaluate(() => document.activeElement.blur());
    for (const end of [() => page.keyboard.press('Tab'), () => page.keyboard.press('Escape'), () => page.locator('h1').click()]) {
      await page.keyboard.press('ArrowRight');
      await page.locator('.scan').waitFor();
      await end();
      await page.locator('.scan').waitFor({state: 'hidden'});
      await page.evaluate(() => document.activeElement.blur());
    }
    assert.deepEqual(await touches(), []);
    await page.keyboard.down('ArrowRight'); // held: one step
    const first = await page.evaluate(() => document.activeElement.id);
    for (let i = 0; i < 5; i++) await page.keyboard.down('ArrowRight');
    assert.equal(await page.evaluate(() => document.activeElement.id), first);
  },

  async 'who does not see hears each thing once, aloud where keys are used, and nothing of the visit before'(page) {
    await page.addInitScript(() => { window.spoken = []; SpeechSynthesis.prototype.speak = u => window.spoken.push(u.text); });
    const spoken = () => page.evaluate(() => window.spoken.splice(0));
    const told = () => page.locator('#say p').allInnerTexts();
    const heard = text => page.waitForFunction(text => window.spoken.some(s => s.includes(text)), text);
    await scene('items-one');
    await page.goto(base);
    await scene('items-refused'); // one more lent, one refused below it
    await page.locator('#say', {hasText: 'Matilda'}).waitFor();
    assert.deepEqual((await told()).sort(), ['Matilda: Not taken. Another reader is waiting for this one. Please leave it with staff.', 'Where the Wild Things Are: Lent. Due ' + (await page.locator('#line-a2 time').innerText()).slice(4)]);
    await scene('welcome');
    await view(page, 'welcome');
    await page.waitForFunction(() => !document.getElementById('say').textContent);
    assert.ok(!(await page.content()).includes('Matilda'));
    await scene('stack-busy');
    await view(page, 'items');
    await scene('stack-settled'); // ten at once
    await page.locator('#say', {hasText: 'books for you'}).waitFor();
    assert.equal((await told()).length, 1);
    await scene('account-loading');
    await view(page, 'account');
    await scene('account'); // has come: no news line by line
    await page.locator('#say', {hasText: 'reading club'}).waitFor();
    assert.deepEqual(await told(), ['Here is what you have at home.', 'To pay: 2.50 USD', 'Please pay at the staff desk.', 'From the library', 'Your reading club meets on Friday at four.']);
    await scene('account-renewing');
    await page.locator('#say', {hasText: 'Charlotte’s Web: Not taken. Another reader is waiting'}).waitFor();
    await page.locator('#say', {hasText: 'The Very Hungry Caterpillar: Renewed. Due '}).waitFor();
    await scene('fatal?why=Back+at+two');
    await view(page, 'welcome');
    await page.waitForFunction(() => document.activeElement.matches('h1')); // the reason is told with the title
    assert.deepEqual(await told(), []);
    await scene('fatal?why=Back+at+three');
    await page.locator('#say', {hasText: 'Back at three'}).waitFor();
    assert.deepEqual(await told(), ['Back at three']);
    assert.deepEqual(await spoken(), []); // nobody has used a key
    await scene('welcome');
    await page.locator('#borrow').waitFor(); // out of order it is the same view
    await page.waitForFunction(() => document.activeElement.matches('h1'));
    await page.keyboard.press('Tab');
    await heard('Borrow');
    assert.deepEqual(await spoken(), ['Welcome. What would you like to do?', 'Borrow. Scan your card to begin']);
    await scene('pin-wrong');
    await heard('PIN did not match');
    await page.keyboard.type('4711');
    const said = await spoken();
    assert.ok(said.includes('PIN. Type the PIN that goes with your card.') && !said.some(s => /\d{2}/.test(s) || s.includes('4')), said.join('; '));
    // The room hears no key, by a switch or by Tab; what lies beside the keys is told.
    await page.locator('#pin').fill(''); // a space behind letters is one
    await page.keyboard.press('Space');
    const step = () => page.keyboard.press('ArrowRight'), press = () => page.keyboard.press('Space');
    for (const key of ['4', '7']) await choose(page, `[data-key="${key}"]`, step, press);
    await page.locator('#pin').focus();
    for (let i = 0; i < 60 && !await page.evaluate(() => document.activeElement.id === 'cancel'); i++) await page.keyboard.press('Tab');
    await heard(await page.locator('#cancel').innerText());
    const keys = await page.locator('#pinpad button').evaluateAll(list => list.map(b => b.ariaLabel || b.textContent));
    assert.ok(keys.includes('4') && keys.length >= 12, keys.join('; '));
    await page.locator('#to-letters').focus();
    await page.keyboard.press('Enter');
    await heard('123: Digits');
    await page.locator('#pin-keys [data-put=q]').focus();
    await page.keyboard.press('Enter');
    const loud = await spoken();
    assert.deepEqual(loud.filter(s => keys.includes(s)), [], loud.join('; '));
    await scene('items-one');
    await view(page, 'items');
    await scene('items-countdown');
    await heard('Are you still here?');
    await page.locator('#lines').focus();
    await heard('Books on the desk. A Wrinkle in Time: Lent.');
    await page.locator('#tally').click(); // a finger: who sees
    await spoken();
    await scene('receipt');
    await view(page, 'receipt');
    assert.deepEqual(await spoken(), []);
  },

  async 'links lead past the header, and past the books'(page) {
    await scene('items-many');
    await page.goto(base);
    await page.keyboard.press('Tab');
    const link = page.locator('.skip:focus');
    assert.equal(await link.getAttribute('href'), '#main');
    assert.ok((await link.boundingBox()).height >= 44);
    assert.deepEqual(await axe(page), []);
    await page.keyboard.press('Enter');
    await page.keyboard.press('Tab');
    assert.ok(await page.evaluate(() => !!document.activeElement.closest('main')), 'the focus is not in the view');
    await page.goto(base);
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    assert.equal(await link.getAttribute('href'), '#finish');
    await page.keyboard.press('Enter');
    assert.equal(await page.evaluate(() => document.activeElement.id), 'finish');
  },
};

cases(tests, touches);
