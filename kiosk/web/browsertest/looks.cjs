// Every scene of the gallery in every mode, on every panel, and in the languages
// that differ most: nothing is cut off or covered. axe looks at one panel.
// Pictures are taken where CARREL_SCREENSHOTS names a folder for them.
'use strict';
const {launch, open, shot, swap, axe, layout} = require('./lib.cjs');
const base = process.env.BASE;
const list = (name, or) => (process.env[name] || or).split(' ').filter(Boolean);
const scenes = list('ONLY', process.env.SCENES), modes = list('MODES'), panels = list('PANELS', '1024x600 1280x800 1920x1080 1080x1920 800x1280');
const languages = list('LANGS', 'en de ar zh-Hans'), pictures = process.env.PICTURES ? list('PICTURES') : [];
const checked = '1280x800'; // where axe looks
const upright = {'1080x1920': ['en'], '800x1280': ['de', 'ar']}; // two panels, and each language on one of them
const wrong = [];

// walk goes through all there is on one panel; the frame stays, what it shows changes.
async function walk(browser, panel) {
  const [width, height] = panel.split('x').map(Number);
  const page = await open(browser, {viewport: {width, height}, reducedMotion: 'reduce'});
  await page.goto(`${base}/gallery/view?scene=welcome`);
  for (const mode of modes) {
    for (const lang of languages) {
      // Every mode is seen; the longest words where most is said, colours where axe looks: they move nothing.
      const [kind, ...more] = mode.split('.'), colours = more.includes('contrast');
      if (!pictures.length && (!process.env.LANGS && upright[panel] && !upright[panel].includes(lang) || colours && (lang !== 'en' || panel !== checked) || kind !== 'standard' && !['en', 'ar'].includes(lang))) continue;
      for (const scene of scenes) {
        const where = `${scene} ${lang} ${mode} ${panel}`;
        // The PIN of another card looks as that of the first: the letters are seen in its place, where they have least room.
        const letters = scene === 'pin-other';
        await swap(page, letters ? 'pin-wrong' : scene, `&lang=${lang}&mode=${mode}`);
        if (letters) await page.evaluate(() => document.getElementById('to-letters')?.click());
        wrong.push(...(await layout(page)).map(w => `${where}: ${w}`));
        if (lang === 'en' && panel === checked && !more.includes('large')) wrong.push(...(await axe(page)).map(w => `${where}: ${w}`));
        if (pictures.includes(scene) && lang !== 'de') await shot(page, `${scene}-${mode}-${lang}-${panel}`);
        if (letters) await page.evaluate(() => document.getElementById('to-digits')?.click());
      }
    }
  }
  wrong.push(...page.wrong.map(w => `${panel}: ${w}`));
  const hosts = [...page.asked].filter(h => h !== new URL(base).host);
  if (hosts.length) wrong.push(`requests to ${hosts}`);
  if (await page.title() !== 'Maple Street Library') wrong.push(`the title is now ${await page.title()}`);
  await page.context().close();
}

(async () => {
  const browser = await launch();
  await Promise.all(panels.map(p => walk(browser, p)));
  await browser.close();
  for (const w of wrong) console.log(w);
  if (wrong.length) process.exitCode = 1;
})().catch(e => { console.error(e); process.exit(1); });
