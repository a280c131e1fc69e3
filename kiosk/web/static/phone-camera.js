// The camera as a scanner: a code counts when two pictures in a row have it, and again only after it was out of sight.
const phoneCamera = (() => {
  'use strict';
  const gone = 1500;   // ms out of sight after which the same code is another scan
  const widest = 1280; // pixels of a picture that is looked at
  const canvas = document.createElement('canvas'), pen = canvas.getContext('2d', {willReadFrequently: true});
  let reader, stream, video, told, next, seen = new Map(), before;

  // The code that is meant: near the middle, and rather the library's label than the trade's (ISBN).
  const best = codes => codes.toSorted((a, b) => /^97[89]\d{10}$/.test(a.text) - /^97[89]\d{10}$/.test(b.text) || a.off - b.off)[0];

  function found(codes) {
    const now = performance.now(), text = best(codes)?.text;
    for (const [t, at] of seen) if (now - at > gone) seen.delete(t);
    if (text && text === before) {
      if (!seen.has(text)) told(text);
      seen.set(text, now);
    } else if (text && seen.has(text)) seen.set(text, now);
    before = text;
  }
  function look() {
    if (!stream) return;
    const w = video.videoWidth, h = video.videoHeight;
    if (!w || document.hidden) { next = setTimeout(look, 200); return; }
    const k = Math.min(1, widest / w);
    canvas.width = w * k;
    canvas.height = h * k;
    pen.drawImage(video, 0, 0, canvas.width, canvas.height);
    const picture = pen.getImageData(0, 0, canvas.width, canvas.height);
    reader.postMessage(picture, [picture.data.buffer]);
  }

  return {
    get on() { return Boolean(stream); },
    // start resolves when the camera shows, and rejects with why it can't.
    async start(element, tell) {
      video = element;
      told = tell;
      if (!navigator.mediaDevices?.getUserMedia) throw new DOMException('', 'NotSupportedError');
      const got = await navigator.mediaDevices.getUserMedia({audio: false, video: {facingMode: {ideal: 'environment'}, width: {ideal: 1280}, height: {ideal: 720}}});
      if (!reader) {
        reader = new Worker(document.body.dataset.static + 'phone-reader.js');
        reader.addEventListener('message', e => {
          if (!stream || !e.data.codes) return;
          found(e.data.codes);
          next = setTimeout(look, 60);
        });
      }
      stream = got;
      seen = new Map();
      before = undefined;
      video.srcObject = stream;
      await video.play();
      look();
      return Boolean(stream.getVideoTracks()[0].getCapabilities?.().torch);
    },
    stop() {
      clearTimeout(next);
      for (const t of stream?.getTracks() ?? []) t.stop();
      if (video) video.srcObject = null;
      stream = undefined;
    },
    torch: on => stream?.getVideoTracks()[0].applyConstraints({advanced: [{torch: on}]}),
  };
})();
