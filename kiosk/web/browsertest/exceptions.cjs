// The list of what staff must settle: looked up, settled by keyboard, empty.
'use strict';
const assert = require('node:assert');
const {launch, open, shot, axe} = require('./lib.cjs');

(async () => {
  const browser = await launch();
  const page = await open(browser, {viewport: {width: 1280, height: 800}});
  await page.goto(process.env.BASE + '/staff');
  await page.fill('#password', process.env.PASSWORD);
  await page.press('#password', 'Enter');
  await page.click('a[href="/staff/exceptions"]');
  await page.waitForSelector('.exception');
  assert.deepEqual(await axe(page), [], 'axe on the list');
  for (const width of [1280, 400]) {
    await page.setViewportSize({width, height: 800});
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `the page scrolls sideways at ${width}`);
    await shot(page, `exceptions-${width}`);
  }
  await page.setViewportSize({width: 1280, height: 800});
  await page.locator('.exception').first().locator('.sides button').click();
  await page.waitForSelector('.exception [role="status"]');
  await shot(page, 'exceptions-looked');
  // By the keyboard alone: the note, and the third way out.
  await page.locator('.exception input[name="note"]').first().focus();
  await page.keyboard.type('it was lent at the desk since');
  for (let i = 0; i < 3; i++) await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await page.waitForSelector('.done');
  assert.equal(await page.locator('.exception').count(), 1);
  await page.locator('.exception input[name="note"]').fill('entered by hand');
  await page.locator('.exception button[value="override"]').click();
  await page.waitForSelector('.empty');
  assert.deepEqual(await axe(page), [], 'axe on the empty list');
  await shot(page, 'exceptions-empty');
  assert.deepEqual(page.wrong, [], 'errors in the page');
  await browser.close();
})().catch(e => { console.error(e, e.actual ?? ''); process.exit(1); });
