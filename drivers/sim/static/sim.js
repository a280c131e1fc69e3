// The control page of the simulated hardware. Everything a person does is a
// POST; the state is asked for every second.
"use strict";
const $ = (id) => document.getElementById(id);

function say(text, bad) {
  $("said").textContent = text;
  $("said").classList.toggle("bad", !!bad);
}

async function post(path, fields) {
  const r = await fetch("/sim/" + path, { method: "POST", body: new URLSearchParams(fields) });
  if (!r.ok) throw new Error((await r.text()).trim());
}

async function scan(code, from) {
  try {
    await post("scan", { code });
    say("Scanned " + (from ? from.textContent.trim().split("\n")[0].slice(0, 40) : code.slice(0, 40)));
    if (from) {
      from.classList.add("read");
      setTimeout(() => from.classList.remove("read"), 700);
    }
  } catch (e) {
    say(e.message, true);
  }
}

document.addEventListener("click", async (ev) => {
  const b = ev.target.closest("button");
  if (!b) return;
  if ("scan" in b.dataset) return scan(b.dataset.scan, b.querySelector("b") || b);
  const on = b.getAttribute("aria-pressed") !== "true";
  try {
    if (b.id === "plug") await post("plug", { on });
    else if (b.dataset.switch) await post("switch", { name: b.dataset.switch, on });
    else return;
    say("");
  } catch (e) {
    say(e.message, true);
  }
  refresh();
});

$("free").addEventListener("submit", (ev) => {
  ev.preventDefault();
  scan(ev.target.code.value);
  ev.target.code.select();
});

$("search").addEventListener("input", (ev) => {
  const words = ev.target.value.toLowerCase().split(/\s+/);
  let shown = 0;
  for (const b of document.querySelectorAll(".thing")) {
    const text = b.textContent.toLowerCase();
    b.hidden = !words.every((w) => text.includes(w));
    if (!b.hidden) shown++;
  }
  $("none").hidden = shown > 0;
});

let known = null;
function showLoans(loans) {
  const body = $("loans");
  if (!body) return;
  $("count").textContent = "(" + loans.length + ")";
  const now = new Set(loans.map((l) => l.Item + l.Due));
  body.replaceChildren(...loans.map((l) => {
    const tr = document.createElement("tr");
    tr.dataset.item = l.Item;
    if (known && !known.has(l.Item + l.Due)) tr.className = "new";
    for (const text of [l.Title, l.Patron, l.Due]) {
      const td = document.createElement("td");
      td.dir = "auto";
      td.textContent = text;
      tr.append(td);
    }
    return tr;
  }));
  known = now;
}

let before = "";
async function refresh() {
  try {
    const text = await (await fetch("/sim/state")).text();
    if (text === before) return;
    before = text;
    const s = JSON.parse(text);
    $("plug").setAttribute("aria-pressed", s.plugged);
    $("plug").textContent = s.plugged ? "Plugged in. Click to pull it out" : "Unplugged. Click to plug it in";
    for (const b of document.querySelectorAll("[data-switch]")) b.setAttribute("aria-pressed", !!s.switches[b.dataset.switch]);
    showLoans(s.loans);
  } catch {
    say("The daemon does not answer. Is it running?", true);
    before = "";
  }
}
refresh();
setInterval(refresh, 1000);
