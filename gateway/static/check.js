// The page where a donor checks a gift: it asks for the proof, has proof.js work it out,
// and says what came of that. Without this script the form asks the service by itself.

import { Broken, scale, verify } from "./proof.js";

const STEPS = ["gift", "opens", "path", "root", "signature"];
const FAULTS = { 400: "missed", 404: "missed", 413: "amount", 429: "often" };

const at = (id) => document.getElementById(id);
const form = at("ask");
const said = JSON.parse(form.dataset.words);
const { lang } = document.documentElement;
const persian = lang === "fa";
const grouped = new Intl.NumberFormat(persian ? "fa-IR" : "en-US");
const jalali = new Intl.DateTimeFormat("fa-IR-u-ca-persian", {
  year: "numeric",
  month: "2-digit",
  day: "2-digit",
  timeZone: "UTC",
});

// The proof that came last, for the file.
let kept = null;

// Where nothing can be worked out (a page that did not come by HTTPS), the form stays as
// it is and the service answers in its own word.
if (globalThis.crypto?.subtle) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    ask();
  });
  at("save").addEventListener("submit", (event) => {
    event.preventDefault();
    save();
  });
}

async function ask() {
  const button = form.querySelector("button");
  button.disabled = true;
  say("checking");
  try {
    await check(plain(form.elements.code.value), plain(form.elements.amount.value));
  } finally {
    button.disabled = false;
    at("answer").scrollIntoView({ behavior: "smooth", block: "start" });
  }
}

async function check(code, amount) {
  let answer;
  let told;
  try {
    answer = await fetch(form.dataset.proof, {
      method: "POST",
      body: new URLSearchParams(new FormData(form)),
      cache: "no-store",
    });
    told = await answer.json();
  } catch {
    say(answer ? (FAULTS[answer.status] ?? "away") : "offline");
    return;
  }
  if (told.state !== "sealed") {
    say(told.state in said.verdicts ? told.state : "away");
    return;
  }
  kept = told.proof;
  try {
    const figure = /^[0-9]{1,15}$/.test(amount) ? Number(amount) : null;
    const found = await verify(told.proof, told.key, code, figure);
    if (told.seal?.size === found.size && !found.root.startsWith(told.seal.fingerprint)) {
      throw new Broken("root");
    }
    show(told, found);
  } catch (fault) {
    say("altered");
    showSteps(fault instanceof Broken ? fault.what : "form");
    for (const part of ["written", "told", "meaning"]) at(part).hidden = true;
    at("found").hidden = false;
  }
}

// One of the verdicts, and nothing below it.
function say(verdict) {
  const [title, because] = said.verdicts[verdict];
  const answer = at("answer");
  answer.className = verdict;
  answer.hidden = false;
  at("verdict").textContent = title;
  at("because").textContent = because;
  at("found").hidden = true;
}

function show(told, found) {
  say(found.signed ? "holds" : "unsigned");
  at("lines").replaceChildren(...found.leaves.map(line));
  fill("root", found.root.slice(0, 8));
  fill("size", grouped.format(found.size));
  fill("campaign", told.campaign);
  fill("purpose", told.purpose);
  fill("seal-day", told.seal?.day ?? "");
  fill("fingerprint", told.seal?.fingerprint ?? "");
  at("became").replaceChildren(...told.became.map(share));
  at("nothing").hidden = told.became.length > 0;
  showSteps(null, found.signed);
  for (const part of ["written", "told", "meaning", "found"]) at(part).hidden = false;
}

// A line of the books in words, as the service writes it without this script.
function line(leaf) {
  const item = at("line").content.cloneNode(true);
  const unit = leaf.unit === "rial" ? "toman" : leaf.unit;
  const slots = {
    kind: said.kinds[leaf.kind] ?? leaf.kind,
    amount: grouped.format(leaf.amount / scale(leaf.unit)),
    unit: said.units[unit] ?? unit,
    day: day(leaf.day),
    number: grouped.format(leaf.number),
  };
  return filled(item, slots);
}

const share = (one) => filled(at("share").content.cloneNode(true), one);

function filled(item, slots) {
  for (const [name, words] of Object.entries(slots)) {
    item.querySelector(`[data-slot="${name}"]`).textContent = words;
  }
  return item;
}

function fill(id, words) {
  at(id).textContent = words;
  at(id).parentElement.hidden = !words;
}

// What was worked out, up to what did not hold; a browser that cannot check signatures
// says so.
function showSteps(broken, signed = true) {
  const items = [];
  for (const step of broken === "form" ? [] : STEPS) {
    const item = document.createElement("li");
    const unsigned = step === "signature" && !signed;
    item.className = step === broken ? "broken" : unsigned ? "open" : "done";
    item.textContent = said.steps[unsigned ? "unsigned" : step];
    items.push(item);
    if (step === broken) break;
  }
  at("steps").replaceChildren(...items);
  at("worked-out").hidden = items.length === 0;
}

function day(written) {
  const found = /^([0-9]{4})-([0-9]{2})-([0-9]{2})$/.exec(written);
  if (!persian || !found) return written;
  const parts = jalali.formatToParts(Date.UTC(found[1], found[2] - 1, found[3]));
  const part = (type) => parts.find((one) => one.type === type).value;
  return `${part("year")}/${part("month")}/${part("day")}`;
}

// What was typed, with ASCII digits and nothing that only groups or hides.
function plain(typed) {
  return typed
    .replace(/[۰-۹]/g, (digit) => digit.charCodeAt(0) - 0x06f0)
    .replace(/[٠-٩]/g, (digit) => digit.charCodeAt(0) - 0x0660)
    .replace(/[\s,٬،\p{Cf}]/gu, "");
}

function save() {
  const file = new Blob([`${JSON.stringify(kept, null, 1)}\n`], { type: "application/json" });
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = "proof.json";
  link.click();
  URL.revokeObjectURL(link.href);
}
