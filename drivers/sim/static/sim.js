// The control page of the simulated hardware. Everything a person does is a
// POST; the state is asked for every second.
"use strict";
const $ = (id) => document.getElementById(id);
const all = (selector) => document.querySelectorAll(selector);

function say(text, bad) {
  $("said").textContent = text;
  $("said").classList.toggle("bad", !!bad);
}

async function post(path, fields) {
  const r = await fetch("/sim/" + path, { method: "POST", body: new URLSearchParams(fields) });
  if (!r.ok) throw new Error((await r.text()).trim());
}

// scan reads a code; button is what was clicked, if anything.
async function scan(code, button) {
  const name = button ? (button.querySelector("b") || button).textContent : code;
  try {
    await post("scan", { code });
    say("Scanned " + name.slice(0, 60));
    if (button) {
      button.classList.add("read");
      setTimeout(() => button.classList.remove("read"), 700);
    }
  } catch (e) {
    say("Not scanned: " + e.message, true);
  }
}

async function turn(button) {
  const on = button.getAttribute("aria-checked") !== "true";
  try {
    if (button.id === "plug") await post("plug", { on });
    else await post("switch", { name: button.dataset.switch, on });
    say("");
  } catch (e) {
    say(e.message, true);
  }
  refresh();
}

document.addEventListener("click", (ev) => {
  const b = ev.target.closest("button");
  if (!b) return;
  if ("scan" in b.dataset) scan(b.dataset.scan, b);
  else if (b.getAttribute("role") === "switch") turn(b);
});

$("free").addEventListener("submit", (ev) => {
  ev.preventDefault();
  scan(ev.target.code.value);
  ev.target.code.select();
});

function search() {
  const words = $("search").value.toLowerCase().split(/\s+/);
  for (const part of all(".things")) {
    let shown = 0;
    for (const b of part.querySelectorAll(".thing")) {
      const text = b.textContent.toLowerCase();
      b.hidden = !words.every((w) => text.includes(w));
      if (!b.hidden) shown++;
    }
    part.querySelector(".none").hidden = shown > 0;
  }
}
$("search").addEventListener("input", search);
$("search").addEventListener("keydown", (ev) => {
  const first = document.querySelector(".thing:not([hidden])");
  if (ev.key !== "Enter" || !first) return;
  scan(first.dataset.scan, first);
  ev.target.select();
});
document.addEventListener("keydown", (ev) => {
  if (ev.key !== "/" || ev.target.matches("input")) return;
  ev.preventDefault();
  $("search").select();
});
search(); // a reload may keep what was searched

let known = null;
function showLoans(loans) {
  const body = $("loans");
  if (!body) return;
  $("count").textContent = "(" + loans.length + ")";
  const now = new Set(loans.map((l) => l.item + l.due));
  body.replaceChildren(...loans.map((l) => {
    const tr = document.createElement("tr");
    tr.dataset.item = l.item;
    if (known && !known.has(l.item + l.due)) tr.className = "new";
    for (const text of [l.title, l.patron, l.due]) {
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
    const s = JSON.parse(text);
    before = text;
    $("plug").setAttribute("aria-checked", s.plugged);
    $("plug").querySelector("b").textContent = s.plugged ? "Plugged in" : "Unplugged";
    for (const b of all("[data-switch]")) b.setAttribute("aria-checked", !!s.switches[b.dataset.switch]);
    showLoans(s.loans);
  } catch {
    say("The daemon does not answer. Is it running?", true);
    before = "";
  }
}
refresh();
setInterval(refresh, 1000);
