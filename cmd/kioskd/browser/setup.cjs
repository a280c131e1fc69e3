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
  await page.fill('#code', code);
  await page.keyboard.press('Enter');
  await page.waitForSelector('#answers');
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
