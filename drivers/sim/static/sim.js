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
    else if (button.id === "door") await post("panel", { what: "door", on });
    else if (button.id === "plugpad") await post("plug-pad", { on });
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
  else if ("lay" in b.dataset) lay(b.dataset.lay, b.getAttribute("aria-pressed") !== "true");
  else if ("lift" in b.dataset) lay(b.dataset.lift, false);
  else if ("part" in b.dataset) lay(b.dataset.of, b.getAttribute("aria-pressed") !== "true", b.dataset.part);
  else if (b.id === "clearpad") lay("", false);
  else if (b.id === "help") post("panel", { what: "help" }).then(refresh, (e) => say(e.message, true));
  else if (b.id === "tear") post("tear", {}).then(refresh, (e) => say(e.message, true));
  else if (b.getAttribute("role") === "switch") turn(b);
});

// lay puts something on the pad or takes it away.
async function lay(code, on, part = "") {
  try {
    await post("pad", { code, on, part, edge: on && $("edge").checked ? "0.5" : "0" });
    say(on ? "Put on the pad" : "Taken from the pad");
  } catch (e) {
    say("Not on the pad: " + e.message, true);
  }
  refresh();
}

document.addEventListener("dragstart", (ev) => {
  const cell = ev.target.closest?.("[data-tagged]");
  if (!cell) return;
  ev.dataTransfer.setData("text/plain", cell.dataset.tagged);
  ev.dataTransfer.effectAllowed = "copy";
});
const drop = $("drop");
if (drop) {
  drop.addEventListener("dragover", (ev) => {
    ev.preventDefault();
    drop.classList.add("over");
  });
  drop.addEventListener("dragleave", () => drop.classList.remove("over"));
  drop.addEventListener("drop", (ev) => {
    ev.preventDefault();
    drop.classList.remove("over");
    lay(ev.dataTransfer.getData("text/plain"), true);
  });
}

// partsOf has a button for each part of a set.
function partsOf(l) {
  const parts = document.createElement("div");
  parts.className = "parts";
  l.parts.forEach((here, i) => {
    const b = document.createElement("button");
    b.type = "button";
    b.className = "small";
    b.dataset.part = i + 1;
    b.dataset.of = l.code;
    b.setAttribute("aria-pressed", here);
    b.textContent = "Part " + (i + 1);
    parts.append(b);
  });
  return parts;
}

// showPad lists what lies on the pad, and what the gate would say.
function showPad(s) {
  if (!drop) return;
  const laid = new Map(s.pad.map((l) => [l.code, l]));
  for (const b of all("[data-lay]")) b.setAttribute("aria-pressed", laid.has(b.dataset.lay));
  $("padempty").hidden = s.pad.length > 0;
  $("padcount").textContent = s.pad.length ? "(" + s.pad.length + ")" : "";
  $("plugpad").setAttribute("aria-checked", s.pad_plugged);
  $("plugpad").querySelector("b").textContent = s.pad_plugged ? "Plugged in" : "Unplugged";
  $("laid").replaceChildren(...s.pad.map((l) => {
    const li = document.createElement("li");
    li.dataset.code = l.code;
    const name = document.createElement("b");
    name.dir = "auto";
    name.textContent = l.label;
    const gate = document.createElement("span");
    gate.className = l.alarm ? "gate" : "gate off";
    gate.textContent = l.alarm ? "alarms" : "released";
    const lift = document.createElement("button");
    lift.type = "button";
    lift.className = "small";
    lift.dataset.lift = l.code;
    lift.textContent = "Lift";
    lift.setAttribute("aria-label", "Lift " + l.label);
    li.append(name, gate, lift);
    if (l.parts.length > 1) li.append(partsOf(l));
    return li;
  }));
}

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
      b.parentElement.hidden = b.hidden;
      if (!b.hidden) shown++;
    }
    part.querySelector(".none").hidden = shown > 0;
  }
}
$("search").addEventListener("input", search);
$("search").addEventListener("keydown", (ev) => {
  const first = document.querySelector(".thing[data-scan]:not([hidden])");
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

const lights = { "": "dark", ready: "steady green: ready", attention: "slow amber: something needs a person", help: "quick amber: somebody asks for help" };
const tones = { "": "", taken: "; the buzzer: one short", refused: "; the buzzer: two long" };

function showPanel(p) {
  if (!p || !$("lamp")) return;
  $("lamp").dataset.light = p.light;
  $("lampword").textContent = lights[p.light] + tones[p.tone];
  $("door").setAttribute("aria-checked", p.door);
  $("door").querySelector("b").textContent = p.door ? "Door shut" : "Door open";
}

// showPaper shows what was printed, line by line as it came out.
function showPaper(slips) {
  const roll = $("roll");
  if (!roll) return;
  roll.replaceChildren(...slips.map((slip) => {
    const paper = document.createElement("div");
    paper.className = slip.cut ? "slip" : "slip hanging";
    paper.append(...slip.lines.map((l) => {
      const p = document.createElement("p");
      p.className = [l.align, l.bold && "bold", l.big && "big"].filter(Boolean).join(" ");
      if (l.picture) {
        const img = document.createElement("img");
        img.src = l.picture;
        img.alt = "printed picture";
        p.append(img);
      } else p.textContent = l.text;
      return p;
    }));
    return paper;
  }));
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
    showPad(s);
    showPaper(s.paper || []);
    showPanel(s.panel);
    showLoans(s.loans);
  } catch {
    say("The daemon does not answer. Is it running?", true);
    before = "";
  }
}
refresh();
setInterval(refresh, 1000);
