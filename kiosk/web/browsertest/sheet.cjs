// One picture of the views in the modes and in two more languages, for the README:
// goes to CARREL_PICTURES, or beside the other pictures of a test.
'use strict';
const path = require('node:path');
const {launch, open} = require('./lib.cjs');
const base = process.env.BASE;
const columns = ['welcome', 'items-one', 'stack-back', 'receipt'];
const rows = [['standard', 'en'], ['standard.large.contrast', 'en'], ['calm', 'en'], ['pre-reader', 'en'], ['standard', 'ar'], ['standard', 'zh-Hans']];
const file = path.join(process.env.CARREL_PICTURES || process.env.CARREL_SCREENSHOTS || '.', 'modes.jpg');

(async () => {
  const browser = await launch();
  const page = await open(browser, {viewport: {width: 1280, height: 800}, reducedMotion: 'reduce'});
  const pictures = [];
  for (const [mode, lang] of rows) for (const scene of columns) {
    await page.goto(`${base}/gallery/view?scene=${scene}&mode=${mode}&lang=${lang}`);
    await page.evaluate(() => document.fonts.ready);
    pictures.push((await page.screenshot({type: 'jpeg', quality: 90, animations: 'disabled'})).toString('base64'));
  }
  const sheet = await open(browser, {viewport: {width: 1340, height: 100}});
  await sheet.setContent(`<style>body{margin:0;padding:12px;background:#fff;display:grid;grid-template-columns:repeat(${columns.length},1fr);gap:12px}img{width:100%;display:block;border-radius:6px;box-shadow:0 0 0 1px #bbb}</style>${pictures.map(p => `<img src="data:image/jpeg;base64,${p}">`).join('')}`);
  await sheet.waitForFunction(() => [...document.images].every(i => i.complete && i.naturalWidth));
  await sheet.screenshot({path: file, type: 'jpeg', quality: 78, fullPage: true});
  if (page.wrong.length) throw new Error(page.wrong.join('\n'));
  await browser.close();
})().catch(e => { console.error(e); process.exit(1); });
