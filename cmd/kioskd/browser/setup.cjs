// A technician sets a new kiosk up: the code, a scanner, the library's system,
// mistakes, and then the desk.
'use strict';
const assert = require('node:assert');
const {launch, open, shot, axe} = require(process.env.CARREL_BROWSERTEST + '/lib.cjs');

const base = process.env.CARREL_DEMO;

(async () => {
  const browser = await launch();
  const page = await open(browser, {viewport: {width: 1280, height: 800}, locale: 'en-US'});
  const has = (id, text) => page.waitForFunction(([i, s]) => document.getElementById(i).textContent.includes(s), [id, text]);

  await page.goto(base + '/setup?lang=ar');
  assert.equal(await page.getAttribute('html', 'dir'), 'rtl');
  assert.deepEqual(await axe(page), [], 'axe at the door, in Arabic');
  await page.goto(base + '/');
  assert.deepEqual(await axe(page), [], 'axe at the door');
  await shot(page, 'setup-door');
  await page.fill('#code', '12');
  await page.keyboard.press('Enter');
  await has('refused', 'not the code');
  const code = (await page.textContent('#shown')).trim();
  await page.waitForTimeout(1100); // one try a second
  // By the keys on the screen, which cover neither the field nor anything sideways.
  const fits = async (id, size) => {
    await page.setViewportSize(size);
    await page.focus('#' + id);
    const [over, low, wide] = await page.evaluate(i => {
      const f = document.getElementById(i);
      f.scrollIntoView({block: 'center'});
      return [f.getBoundingClientRect().bottom - document.getElementById('keys').getBoundingClientRect().top,
        Math.min(...[...document.querySelectorAll('#keys .layer:not([hidden]) button')].map(b => b.getBoundingClientRect().height)), document.documentElement.scrollWidth - innerWidth];
    }, id);
    assert.ok(over <= 0 && low >= 34 && wide <= 0, `${id} at ${size.width}x${size.height}: covered by ${over}, keys ${low} high, ${wide} too wide`);
  };
  const type = async text => { for (const c of text) await page.click(`#keys .layer:not([hidden]) [data-put="${c}"]`); };
  await page.fill('#code', '');
  await page.click('#show-keys');
  assert.equal(await page.getAttribute('#show-keys', 'aria-expanded'), 'true');
  await fits('code', {width: 1024, height: 600});
  await type(code.replace(' ', ''));
  assert.deepEqual(await axe(page), [], 'axe with the keys');
  await shot(page, 'setup-keys');
  await page.keyboard.press('Enter');
  await page.waitForSelector('#answers');
  await page.focus('#title');
  await page.click('#show-keys');
  await fits('title', {width: 1024, height: 600});
  await page.click('#keys .layer:not([hidden]) [data-shift]');
  await type('ab');
  await page.click('#keys .layer:not([hidden]) [data-back]');
  await page.click('#keys .layer:not([hidden]) [data-to=digits]');
  await type('^$');
  assert.equal(await page.inputValue('#title'), 'A^$');
  await page.click('#keys .layer:not([hidden]) [data-next]');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'library');
  await fits('library', {width: 600, height: 1024});
  await shot(page, 'setup-keys-portrait');
  await page.keyboard.press('Escape');
  assert.ok(await page.isHidden('#keys'));
  await page.setViewportSize({width: 1280, height: 800});
  page.wrong = page.wrong.filter(w => !/status of (403|429)/.test(w));

  // The scanner, by hand: a pty is in no list.
  const row = page.locator('#found li').last();
  await row.locator('input[id$=p]').fill('/dev/nothing-here');
  await row.locator('.try').click();
  await has('state', 'It does not work');
  await row.locator('input[id$=p]').fill(process.env.CARREL_SCANNER);
  await row.locator('.try').click();
  await has('state', 'It works');
  await page.waitForSelector('#reads li:text("30417000010157")');
  await row.locator('.add').click();
  assert.match(await page.textContent('#used'), /serialscan/);

  // The library's system.
  await page.check('input[value=sip2]');
  await page.fill('#address', process.env.CARREL_ILS);
  await page.fill('#user', 'kiosk1');
  await page.fill('#password', 'wrong');
  await page.click('#test');
  await has('said', 'It does not answer');
  await page.fill('#password', 'demo');
  await page.click('#test');
  await has('said', 'It answers');
  await page.check('input[value=koha]'); // each way by itself: this one is not there
  await page.fill('#url', 'https://127.0.0.1:9');
  await page.fill('#client', 'kiosk');
  await page.fill('#kohasecret', 'x');
  await page.click('#test');
  await page.waitForSelector('#said li.bad + li.good');
  assert.match(await page.textContent('#said'), /Koha: It does not answer:.*refused.*SIP2: It answers: sip2/);
  assert.ok(await page.isVisible('#returns'));
  await shot(page, 'setup-koha');
  await page.check('input[value=sip2]');
  assert.ok(await page.isHidden('#koha'));
  await shot(page, 'setup-answers');
  assert.deepEqual(await axe(page), [], 'axe on the answers');

  // What is missing is said, and what was typed stays.
  await page.fill('#name', 'front');
  await page.fill('#library', 'MAPLE');
  await page.fill('#timezone', 'Nowhere/Town');
  await page.click('#save');
  await page.waitForSelector('#problems:not([hidden]) li:has-text("kiosk.timezone")');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'problems');
  await shot(page, 'setup-problems');
  await page.fill('#timezone', 'Europe/Berlin');
  await page.fill('#badge', 'S1');
  await page.keyboard.press('Enter'); // as a scanner does
  await page.fill('#who', 'Ann');
  await page.fill('#secret', 'long enough');
  await page.click('#save');
  await page.waitForSelector('.screen[id^="screen-"]', {timeout: 30_000});
  assert.deepEqual(page.wrong.filter(w => !/status of (503|404)/.test(w)), []);
  await browser.close();
})().catch(e => { console.error(e); process.exit(1); });
