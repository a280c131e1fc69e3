// A book is found, and reserved: by touch, by keys alone, on a whole desk.
'use strict';
const assert = require('node:assert/strict');
const {launch, open, shot, axe, layout, choose} = require('./lib.cjs');
const base = process.env.BASE;
const bench = what => fetch(`${base}/bench/${what}`, {method: 'POST'});
const view = (page, name) => page.locator(`.screen[data-view="${name}"]`).waitFor();
const press = async (page, text) => { for (const c of text) await page.locator(`#keys .layer:not([hidden]) [data-put="${c}"]`).tap(); };
const sound = async (page, where) => assert.deepEqual([...await layout(page), ...await axe(page)], [], where);
const count = (page, what) => page.locator('#count', {hasText: what}).waitFor();

const tests = {
  async 'by touch: typed, found, seen where it stands, and reserved'(page) {
    await page.goto(base);
    await page.tap('#find');
    await view(page, 'find');
    await sound(page, 'the empty catalogue');
    await press(page, 'hobibt');
    await page.locator('.hit', {hasText: 'The Hobbit'}).waitFor();
    assert.equal(await page.locator('.hit').count(), 1); // two copies, one title
    assert.equal(await page.inputValue('#query'), 'hobibt'); // the answer takes no letter away
    await sound(page, 'what is near');
    await page.tap('#meant');
    await page.waitForFunction(() => document.getElementById('query').value === 'hobbit');
    await page.locator('#meant').waitFor({state: 'detached'});
    await page.tap('[data-back]');
    assert.equal(await page.inputValue('#query'), 'hobbi');
    await page.tap('#keys .layer:not([hidden]) [data-go]');
    assert.equal(await page.locator('#keys').isVisible(), false);
    await page.tap('.hit'); // which waits for the search
    await page.locator('#hold').waitFor();
    assert.match(await page.locator('#copies').innerText(), /Fiction · FIC 0[^]*On the shelf/);
    await page.waitForFunction(() => document.querySelector('.plan img')?.naturalWidth > 0);
    await page.locator('#copies').evaluate(e => { e.scrollTop = e.scrollHeight; });
    await sound(page, 'one title');
    await shot(page, 'find-plan');
    await page.tap('.topic');
    await count(page, '1 title found');
    assert.equal(await page.inputValue('#query'), 'Dwarfs – Fiction');
    await page.tap('.hit');
    await page.tap('.topic'); // the same once more
    await count(page, '1 title found');
    await page.tap('.hit');
    await page.locator('#hold').waitFor();
    await view(page, 'find'); // the plan's script has returned nothing
    await bench('down');
    await page.tap('#hold');
    await page.getByText('so nothing was reserved').waitFor();
    await bench('up');
    await page.tap('#hold');
    await view(page, 'card');
    await page.tap('#cancel');
    await page.locator('#hold').tap();
    await view(page, 'card');
    await bench('card');
    await view(page, 'pin');
    for (const k of '1234') await page.tap(`[data-key="${k}"]`);
    await page.tap('#enter');
    await page.getByText('It is reserved for you. Your place in line: 1').waitFor();
    await sound(page, 'reserved');
    await page.click('#to-list'); // by another pointer: it lies where OK was, and a second tap at once would be a double tap, which reaches no other view
    await page.locator('.hit').first().waitFor();
    assert.equal(await page.inputValue('#query'), 'Dwarfs – Fiction');
    await page.tap('#finish');
    await view(page, 'welcome');
    // Nothing is left of it.
    assert.ok(!/hobb|dwarf/i.test(await page.content()), 'the welcome view knows what was looked for');
    await page.tap('#find');
    await view(page, 'find');
    assert.equal(await page.inputValue('#query'), '');
    assert.equal(await page.locator('.hit').count(), 0);
    await page.tap('#leave');
    await view(page, 'welcome');
  },

  async 'by keys alone: typed, paged, opened, closed'(page) {
    await page.goto(base);
    await page.focus('#find');
    await page.keyboard.press('Enter');
    await view(page, 'find');
    await page.waitForFunction(() => document.activeElement?.id === 'query');
    await page.keyboard.type('dragons');
    await count(page, '23 titles found');
    await page.keyboard.press('Enter'); // the keys on the screen give way
    assert.equal(await page.locator('#keys').isVisible(), false);
    await page.focus('#after');
    await page.keyboard.press('Enter');
    await page.getByText('Page 2 of 3').waitFor();
    await page.locator('.hit').first().focus();
    const name = await page.locator('.hit .name').first().innerText();
    await page.keyboard.press('Enter');
    await page.locator('h1', {hasText: name}).waitFor();
    await page.waitForFunction(() => document.activeElement?.tagName === 'H1');
    await page.focus('#to-list');
    await page.keyboard.press('Enter');
    await page.getByText('Page 2 of 3').waitFor();
    await page.waitForFunction(() => document.activeElement?.classList.contains('hit'));
    await page.keyboard.type('x'); // goes into the field, whatever has the focus
    await page.waitForFunction(() => document.getElementById('query').value === 'dragonsx');
    await page.locator('#meant').waitFor();
    for (let i = 0; i < 8; i++) await page.keyboard.press('Backspace');
    await page.keyboard.type('qqqqq');
    await count(page, 'Nothing found');
    await page.keyboard.press('Tab');
    assert.equal(await page.evaluate(() => document.activeElement.id), 'clear');
    await page.focus('#leave');
    await page.keyboard.press('Enter');
    await view(page, 'welcome');
  },

  async 'by two switches: typed row by row, found, opened'(page) {
    await page.goto(base);
    const step = () => page.keyboard.press('ArrowRight'), press = () => page.keyboard.press('Space');
    await step();
    await choose(page, '#find', step, press);
    await view(page, 'find');
    for (const c of 'mu') await choose(page, `#keys .layer:not([hidden]) [data-put="${c}"]`, step, press, 16); // of forty
    assert.equal(await page.inputValue('#query'), 'mu'); // the switch types nothing by itself
    await page.locator('.hit', {hasText: 'Müller kocht'}).waitFor();
    await choose(page, '#keys .layer:not([hidden]) [data-go]', step, press, 16);
    assert.equal(await page.locator('#keys').isVisible(), false);
    await choose(page, '.hit', step, press);
    await page.locator('h1', {hasText: 'Müller kocht'}).waitFor();
    await choose(page, '#to-list', step, press);
    await page.locator('.hit').waitFor();
    await choose(page, '#leave', step, press);
    await view(page, 'welcome');
  },

  async 'what the desk does not take is sent again, and nothing overtakes'(page) {
    await page.clock.install();
    await page.goto(base);
    await page.tap('#find');
    await view(page, 'find');
    await page.keyboard.insertText('dragons');
    await page.locator('#after').waitFor();
    await page.clock.pauseAt(await page.evaluate(() => Date.now()) + 1000); // from here on, time goes as it is told
    const asked = [], turn = () => page.clock.runFor(200);
    let answer, come;
    const comes = () => new Promise(done => { come = done; });
    await page.route('**/touch/search', route => {
      const d = new URLSearchParams(route.request().postData());
      asked.push(d.get('q') + (d.get('page') > 0 ? ` ${d.get('page')}` : ''));
      answer = status => route.fulfill({status});
      come();
    });
    // Pages and searches go one by one too: of a page of what was typed before, what is typed now comes.
    const answered = status => Promise.all([page.waitForResponse('**/touch/search'), answer(status)]);
    const other = comes();
    await page.keyboard.type('x');
    await page.evaluate(() => document.getElementById('after').click());
    await turn();
    await other;
    await page.keyboard.press('Backspace');
    await page.evaluate(() => document.getElementById('after').click());
    await turn();
    assert.deepEqual(asked, ['dragonsx']);
    const paged = comes();
    await answered(204);
    await turn();
    await paged;
    assert.deepEqual(asked.splice(0), ['dragonsx', 'dragons 1']);
    await answered(204);
    await page.evaluate(() => document.getElementById('clear').click());
    const first = comes();
    await page.keyboard.type('mu');
    await turn();
    await first;
    await page.keyboard.type('ll'); // while the desk has not answered
    for (let i = 0; i < 5; i++) await turn();
    assert.deepEqual(asked, ['mu']);
    const second = comes();
    await Promise.all([page.waitForResponse('**/touch/search'), answer(204)]);
    await turn();
    await second;
    assert.deepEqual(asked, ['mu', 'mull']);
    const third = comes();
    await Promise.all([page.waitForResponse('**/touch/search'), answer(409)]);
    for (let i = 0; i < 6; i++) await turn();
    await third;
    assert.deepEqual(asked, ['mu', 'mull', 'mull']);
    await answer(204);
    await page.unroute('**/touch/search');
    await page.clock.resume();
    await page.tap('#leave');
    await view(page, 'welcome');
  },

  async 'the keys follow the language'(page) {
    for (const [lang, dir, text, title] of [['de', 'ltr', 'mü', 'Müller kocht'], ['uk', 'ltr', 'коб', 'Кобзар'], ['ar', 'rtl', 'ليل', 'ألف ليلة'], ['vi', 'ltr', 'kiê\u0300', 'Truyện Kiều'], ['es', 'ltr', 'u\u0308', '']]) {
      await page.goto(`${base}/?lang=${lang}`);
      await page.tap('#find');
      await view(page, 'find');
      assert.equal(await page.evaluate(() => getComputedStyle(document.body).direction), dir);
      await press(page, text);
      if (title) await page.locator('.hit', {hasText: title}).waitFor();
      else assert.equal(await page.inputValue('#query'), 'ü');
      assert.deepEqual(await layout(page), [], lang);
      if (lang === 'uk') { // Latin letters and digits are one key away
        await page.tap('#clear');
        await page.tap('[data-layer=letters] [data-to=latin]');
        await press(page, 'kie');
        await page.locator('.hit', {hasText: 'Truyện Kiều'}).waitFor();
        await page.tap('[data-layer=latin] [data-to=digits]');
        await press(page, '1');
      }
      await page.tap('#leave');
      await view(page, 'welcome');
    }
  },
};

(async () => {
  const browser = await launch();
  await bench('up');
  for (const [name, run] of Object.entries(tests)) {
    if (process.env.ONLY && !name.includes(process.env.ONLY)) continue;
    const page = await open(browser, {viewport: {width: 1024, height: 600}, hasTouch: true, reducedMotion: 'reduce'});
    page.setDefaultTimeout(20_000);
    try {
      await run(page);
      assert.deepEqual(page.wrong, []);
      console.log(`ok   ${name}`);
    } catch (e) {
      await shot(page, 'failed-' + name.replace(/\W+/g, '-')).catch(() => {});
      console.log(`FAIL ${name}: ${e.stack}\n${page.wrong.join('\n')}`);
      process.exitCode = 1;
    }
    await page.context().close();
  }
  await browser.close();
})().catch(e => { console.error(e); process.exit(1); });
