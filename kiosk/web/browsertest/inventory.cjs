// An inventory in the browser: begun, scanned into by keyboard, undone, looked at, finished.
'use strict';
const assert = require('node:assert');
const {launch, open, shot, axe} = require('./lib.cjs');

(async () => {
  const browser = await launch();
  const page = await open(browser, {viewport: {width: 1280, height: 800}});
  page.setDefaultTimeout(30_000);
  const fits = () => page.evaluate(() => document.documentElement.scrollWidth <= innerWidth);
  const head = text => page.waitForFunction(t => document.querySelector('#head')?.textContent === t, text);
  const scan = async (code, said) => { await page.keyboard.type(code); await page.keyboard.press('Enter'); await head(said); };
  const sound = () => page.evaluate(() => document.documentElement.dataset.sound?.split(' ')[0]);
  await page.goto(process.env.BASE + '/staff');
  await page.fill('#password', process.env.PASSWORD);
  await page.press('#password', 'Enter');
  await page.click('nav a[href="/staff/inventory"]');
  await page.waitForSelector('.empty');
  assert.deepEqual(await axe(page), [], 'axe on the empty list');
  await shot(page, 'inventory-empty');

  await page.selectOption('#place', {label: 'MAIN / Stacks (60)'});
  await page.fill('#from', '500');
  await page.fill('#to', '559');
  await page.selectOption('#scheme', 'ddc');
  await page.fill('#name', 'Science, upstairs');
  await page.press('#name', 'Enter');
  await head('Scan the first book');
  await page.waitForFunction(() => document.activeElement?.id === 'code');

  for (let i = 0; i < 12; i++) if (i !== 6) await scan('B' + String(i).padStart(2, '0'), i === 4 ? 'Wanted: take it along' : i === 9 ? 'Lost, and found' : 'In place');
  assert.equal(await sound(), 'good');
  await scan('B40', 'A gap before it');
  assert.equal(await sound(), 'elsewhere');
  await scan('B12', 'In place');
  await page.waitForSelector('.note >> text=540 A');
  await scan('B12', 'Seen already');
  assert.equal(await sound(), 'twice');
  await scan('X99', 'Not in the catalogue');
  assert.equal(await sound(), 'take');
  await scan('?', 'This is no item of this library');
  await scan('B13', 'In place');
  assert.equal(await page.locator('.strip:not(.whole) .m-missing').count(), 1, 'one mark for the book that was passed by');
  assert.equal(await page.locator('.strip:not(.whole) .m-away').count(), 1, 'one mark for the book out of order');
  assert.equal(await page.locator('.strip:not(.whole) .m-take').count(), 2, 'marks for what is to be taken along');
  assert.deepEqual(await axe(page), [], 'axe while scanning');
  for (const [name, width, height] of [['kiosk', 1280, 800], ['tablet', 820, 1180], ['phone', 390, 844]]) {
    await page.setViewportSize({width, height});
    assert.ok(await fits(), `the page scrolls sideways on a ${name}`);
    await shot(page, `inventory-scan-${name}`);
  }
  await page.setViewportSize({width: 1280, height: 800});

  // By the keyboard: the newest scan is taken back, a condition is noted, and it goes on elsewhere.
  const seen = () => page.locator('#count').textContent();
  const before = Number(await seen());
  await page.keyboard.press('Control+z');
  await page.waitForFunction(n => Number(document.querySelector('#count').textContent) === n, before - 1);
  await scan('B13', 'In place');
  await page.keyboard.press('Alt+2');
  await page.waitForSelector('#now >> text=Noted: Cover');
  await Promise.all([page.waitForResponse(r => r.url().endsWith('/elsewhere')), page.keyboard.press('Alt+s')]); // a scan sent at once may overtake it
  await scan('B50', 'In place');

  // Another person in another browser sees the same.
  const other = await open(browser, {viewport: {width: 820, height: 1180}});
  other.setDefaultTimeout(30_000);
  await other.goto(process.env.BASE + '/staff');
  await other.fill('#password', process.env.PASSWORD);
  await other.press('#password', 'Enter');
  await other.goto(page.url());
  await other.waitForFunction(() => document.querySelector('#head').textContent === 'In place');
  await scan('B51', 'In place');
  await other.waitForFunction(n => Number(document.querySelector('#count').textContent) === n, before + 2);

  // A scanner is faster than the network, which goes away meanwhile: no scan is lost.
  await page.context().setOffline(true);
  for (let i = 20; i < 35; i++) await page.keyboard.type(`B${i}\n`);
  await page.waitForSelector('#waiting:not([hidden])');
  await page.context().setOffline(false);
  await page.waitForFunction(n => Number(document.querySelector('#count').textContent) === n, before + 17);
  await page.waitForSelector('#waiting', {state: 'hidden'});

  // A collector's file: looked at, taken, and taken back.
  await page.click('a.button[href$="/file"]');
  await page.setInputFiles('#file', {name: 'handheld.txt', mimeType: 'text/plain', buffer: Buffer.from('B52\nB53\n?\n')});
  await page.getByRole('button', {name: 'Look at it first'}).click();
  await page.waitForSelector('h2 >> text=handheld.txt');
  assert.deepEqual(await axe(page), [], 'axe on what a file comes to');
  for (const [name, width, height] of [['kiosk', 1280, 800], ['phone', 390, 844]]) {
    await page.setViewportSize({width, height});
    assert.ok(await fits(), `what a file comes to scrolls sideways on a ${name}`);
    await shot(page, `inventory-file-${name}`);
  }
  await page.setViewportSize({width: 1280, height: 800});
  await page.getByRole('button', {name: 'Take its scans: 2'}).click();
  await page.waitForSelector('.done >> text=Taken: 2');
  await other.waitForFunction(n => Number(document.querySelector('#count').textContent) === n, before + 19);
  await page.getByRole('button', {name: 'Take back: handheld.txt'}).click();
  await page.waitForSelector('.done >> text=Taken back: 2');

  // What is not done is said where they look.
  await page.click('a.button[href="/staff/inventory/0190a1"]');
  await page.waitForSelector('button[data-keys="Control+Z"]');
  await page.waitForLoadState('load'); // before that nobody listens to keys
  await page.evaluate(() => { document.querySelector('form[action$="/undo"] input').value = '999'; });
  await page.keyboard.press('Control+z');
  await page.waitForSelector('#refused >> text=no such scan');

  await page.click('a.button[href$="/report"]');
  await page.waitForSelector('.figures');
  assert.equal(await page.locator('svg.way').count(), 3, 'the way of each book that is to be moved is drawn');
  for (const text of ['506 A', 'between 505 A and 507 A', '540 A', 'Wanted: take it along (hold)', 'Not in the catalogue', 'cover']) assert.ok(await page.locator(`main >> text=${text}`).count() > 0, `the result lacks ${text}`);
  assert.deepEqual(await axe(page), [], 'axe on the result');
  for (const [name, width, height] of [['kiosk', 1280, 800], ['tablet', 820, 1180], ['phone', 390, 844]]) {
    await page.setViewportSize({width, height});
    assert.ok(await fits(), `the result scrolls sideways on a ${name}`);
    await shot(page, `inventory-result-${name}`);
  }

  // What the library's system is told: planned, looked through, taken back, sent.
  await page.click('a.button[href$="/tell"]');
  const press = async name => { await page.getByRole('button', {name, exact: true}).click(); };
  await press('Plan all: 1');
  await page.waitForSelector('.done >> text=Planned: 1');
  await page.getByRole('button', {name: /^Plan all: \d\d$/}).click();
  await page.waitForSelector('.done >> text=Planned: 2');
  assert.deepEqual(await axe(page), [], 'axe on what is told');
  for (const [name, width, height] of [['kiosk', 1280, 800], ['tablet', 820, 1180], ['phone', 390, 844]]) {
    await page.setViewportSize({width, height});
    assert.ok(await fits(), `what is told scrolls sideways on a ${name}`);
    await shot(page, `inventory-tell-${name}`);
  }
  await page.getByRole('button', {name: /^Take all back: \d\d$/}).click();
  await page.waitForSelector('.done >> text=Taken back');
  await press('Send now: 1');
  await page.waitForSelector('td >> text=Sent, waits');

  // On an Arabic page call numbers and barcodes run from left to right, in cells and in sentences.
  await page.setViewportSize({width: 1280, height: 800});
  await page.context().addCookies([{name: 'carrel-staff-language', value: 'ar', url: process.env.BASE + '/staff'}]);
  const runs = () => page.evaluate(() => {
    const wrong = [], place = (node, i) => { const r = document.createRange(); r.setStart(node, i); r.setEnd(node, i + 1); return r.getBoundingClientRect(); };
    const walk = document.createTreeWalker(document.querySelector('main'), NodeFilter.SHOW_TEXT);
    const odd = document.querySelector('main tbody th bdi');
    odd.textContent = '622.341.1(430)"18"=30'; // no letter says which way it runs
    for (let n; (n = walk.nextNode());) for (const m of n.data.matchAll(/\d{3} A|B\d\d|622.*30/g)) {
      const first = place(n, m.index), last = place(n, m.index + m[0].length - 1);
      if (Math.abs(first.top - last.top) < 4 && first.left >= last.left) wrong.push(n.data);
    }
    return wrong;
  });
  for (const name of ['tell', 'report']) {
    await page.goto(process.env.BASE + '/staff/inventory/0190a1/' + name);
    assert.deepEqual(await runs(), [], `call numbers run from right to left on ${name} in Arabic`);
  }
  await shot(page, 'inventory-result-arabic');
  await page.context().clearCookies({name: 'carrel-staff-language'});
  await page.reload();
  await page.waitForSelector('.figures');
  await page.locator('details.end summary').focus();
  await page.keyboard.press('Enter');
  await page.waitForSelector('details.end[open] >> text=Declared missing: ');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await page.waitForSelector('main > p >> text=Finished');

  await page.goto(process.env.BASE + '/staff/inventory');
  await page.focus('#left');
  for (const [codes, verdict, tone] of [['B01\nB02\n', 'good', 'good'], ['B01\n', 'bad', 'bad']]) {
    await page.keyboard.type(codes);
    await page.waitForSelector('.verdict.' + verdict);
    await page.waitForFunction(() => document.documentElement.dataset.sound);
    assert.equal(await sound(), tone, 'two neighbours are heard');
  }
  assert.equal(await page.inputValue('#left'), 'B01', 'the right book is the next left one');
  assert.deepEqual(await axe(page), [], 'axe on two neighbours');
  await shot(page, 'inventory-pair');
  await page.click('a.button[href="/staff/inventory/picks"]');
  await page.waitForSelector('table');
  assert.deepEqual(await axe(page), [], 'axe on the books to pull');
  await shot(page, 'inventory-picks');
  assert.deepEqual([...page.wrong, ...other.wrong], [], 'errors in the page');
  await browser.close();
})().catch(e => { console.error(e, e.actual ?? ''); process.exit(1); });
