// Package web serves the touch screen: pages made on the server from the
// desk's newest kiosk.Screen, and one event stream that keeps them right.
//
// A Screen is complete in itself, so a reload, a second browser and a stream
// that was cut and mended all show the same. The page sends touches back as
// POST and changes nothing by itself; only the countdown, the digits of a PIN
// that is being typed and the scroll position live in the browser.
//
// Each stream is a loop of its own that asks the desk for what is newer than
// what it sent last: a slow browser misses screens in between, never the
// newest, and never holds up the desk. A beat every few seconds tells the
// page that the silence means nothing.
//
// A stream does not say twice what is as it was: such a part of the screen is
// only named (parts), and the page keeps what it has, as a slow browser takes
// long to read and compare a screen of ten lines.
//
// A Manner is how it speaks: standard, calm, or in pictures, each with larger
// print and more contrast where wanted. It is a choice in the view: the same
// Screen, other words, other templates, other tokens. Tones are made in the
// browser; what sounds is told with the screen. A rehearsal and a story show
// the same templates filled from pretend books, the gallery from package scene.
//
// Why something was refused is never told in the words of the library's system:
// kiosk.Refusals is the catalogue of reasons, each with words for adults and
// for children, a next step, and pictures of both; /gallery/refusals shows it.
//
// Who does not see is told what has changed, once it is settled (say.js): by a
// live region, and aloud where the library has a voice for it.
//
// Everything is embedded; the Content-Security-Policy lets no request leave
// the machine. Words are in lang, one file a language. What the patron typed,
// a catalogue spelled or a label held is escaped by html/template and set
// apart from its surroundings in direction (bdi).
//
// Phones of staff get another handler, for the library's network: one page
// that works without it, and no other. It finds barcodes in the camera's
// pictures with zxing-cpp (vendor/README.md) and hands over what it has kept.
//
// Facts: server-sent events, HTML Living Standard section 9.2; the swap by
// morphing and the hx-sse extension, htmx 4.0.1.
package web
