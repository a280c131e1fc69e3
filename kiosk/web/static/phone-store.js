// What the phone keeps: scans until the kiosk has them, and the books of an inventory to say something without it.
const phoneStore = (() => {
  'use strict';
  const opened = new Promise((done, fail) => {
    const r = indexedDB.open('carrel-phone', 1);
    r.onupgradeneeded = () => {
      r.result.createObjectStore('acts', {keyPath: 'n', autoIncrement: true}); // in the order in which they were done
      r.result.createObjectStore('kept'); // by name
    };
    r.onsuccess = () => done(r.result);
    r.onerror = () => fail(r.error);
  });
  // Resolves when the transaction is done: what is kept survives the end of the page.
  const on = async (store, mode, use) => {
    const db = await opened;
    return new Promise((done, fail) => {
      const t = db.transaction(store, mode, {durability: 'strict'}), r = use(t.objectStore(store));
      t.oncomplete = () => done(r?.result);
      t.onabort = t.onerror = () => fail(t.error);
    });
  };
  return {
    add: act => on('acts', 'readwrite', s => s.add(act)),
    waiting: () => on('acts', 'readonly', s => s.getAll()),
    remove: list => on('acts', 'readwrite', s => { for (const n of list) s.delete(n); }),
    change: list => on('acts', 'readwrite', s => { for (const act of list) s.put(act); }),
    keep: (name, value) => on('kept', 'readwrite', s => s.put(value, name)),
    kept: name => on('kept', 'readonly', s => s.get(name)),
  };
})();
