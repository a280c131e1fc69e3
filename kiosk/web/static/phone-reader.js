// Finds the codes in a picture, off the page's own thread.
'use strict';
const at = self.location.href.replace(/[^/]*$/, '');
importScripts(at + 'vendor/zxing_reader.js');
ZXingWASM.prepareZXingModule({overrides: {locateFile: () => at + 'vendor/zxing_reader.wasm'}, fireImmediately: true})
  .then(() => postMessage({ready: true}), e => postMessage({failed: String(e)}));
const options = {formats: ['EAN13', 'EAN8', 'UPCA', 'Code39', 'Codabar', 'Code128', 'QRCode'], tryHarder: true, maxNumberOfSymbols: 4};

onmessage = async e => {
  const {width, height} = e.data;
  let codes = [];
  try {
    for (const r of await ZXingWASM.readBarcodes(e.data, options)) {
      if (!r.isValid || !r.text) continue;
      const p = r.position, x = (p.topLeft.x + p.bottomRight.x) / 2 / width, y = (p.topLeft.y + p.bottomRight.y) / 2 / height;
      // The letters that begin and end a Codabar code are no part of the number, as with other scanners.
      const text = r.format === 'Codabar' ? r.text.replace(/^[A-D](.*)[A-D]$/i, '$1') : r.text;
      codes.push({text, format: r.format, off: Math.hypot(x - .5, y - .5)});
    }
  } catch { codes = []; }
  postMessage({codes});
};
