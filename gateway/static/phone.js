// A feature phone. It dials as the chosen carrier does, through the webhook of a test
// channel, and shows what comes back as it came.

import { Carrier } from "./carrier.js";
import { Trouble, firstLine, lineFor, randomId, said, send, tell } from "./service.js";
import * as wire from "./wire.js";

const config = JSON.parse(document.body.dataset.config);
const basic = new Set(config.gsm7.basic);
const extension = new Set(config.gsm7.extension);

const POLL_MS = 1_000;
const ENCODINGS = { gsm7: "GSM-7", ucs2: "UCS-2" };
const SAME = "Sent again: the same reply, byte for byte · همان پاسخ، بی‌کم‌وکاست";
const OTHER = "Sent again: another reply than before · پاسخی دیگر آمد";
const TOLD = {
  left: "Hung up, and the service was told · قطع تماس به سرویس گفته شد",
  cut: "Timed out, and the service was told · پایان مهلت به سرویس گفته شد",
};
const UNTOLD = "Over; this carrier does not tell the service · این اپراتور خبر نمی‌دهد";

const at = (id) => document.getElementById(id);
const screen = at("screen");
const code = at("code");
const typed = at("typed");
const number = at("number");
const texts = at("texts");

// The call under way, if any; the last one, which a carrier may still ask about; and
// the number that the inbox is read for.
let call = null;
let latest = null;
let losesNext = false;
let lastDialled = code.value;
let own = number.value;

// Count a text in the encoding it needs, as phone/encoding.py does with these tables.
export function count(text) {
  let units = 0;
  for (const char of text) {
    if (basic.has(char)) units += 1;
    else if (extension.has(char)) units += 2;
    else return { encoding: "ucs2", units: text.length };
  }
  return { encoding: "gsm7", units };
}

// -- a call -------------------------------------------------------------------------

async function dial() {
  if (call || !config.channels.length) return;
  if (!code.value.trim()) {
    code.value = lastDialled;
    return;
  }
  lastDialled = code.value;
  const channel = config.channels[at("channel").value];
  const who = { phone: number.value, code: code.value.trim() };
  const watch = (request, reply) => {
    wire.show(at("exchanges"), request, reply);
    at("no-exchanges").hidden = true;
  };
  const carrier = new Carrier(config, channel, who, randomId(), watch);
  call = latest = { carrier, hops: 0, waits: false, over: false };
  say("");
  note("");
  await take(call, async () => {
    await speak(channel, who.phone);
    return carrier.dial(lost());
  });
}

async function answer() {
  const mine = call;
  if (!mine || mine.waits || !typed.value.trim()) return;
  await take(mine, async () => {
    const shown = await mine.carrier.answer(typed.value, lost());
    if (call === mine) typed.value = "";
    return shown;
  });
}

// What a carrier does besides, to the call under way or to the last one.
async function again(ask) {
  const mine = latest;
  if (!mine || mine.waits || !mine.hops) return;
  await take(mine, () => ask(mine.carrier));
}

// Have the carrier ask, and show what comes. A request that did not get through leaves
// the call as it was.
async function take(mine, ask) {
  const late = mine.over;
  const matters = () => (late ? latest : call) === mine;
  mine.waits = true;
  settle();
  try {
    const shown = await ask();
    if (matters()) taken(mine, shown);
  } catch (failure) {
    if (matters()) {
      say(lineFor(failure));
      if (failure.status !== 0 || !mine.hops) over(mine);
    }
  }
  mine.waits = false;
  settle();
}

function taken(mine, { text, ends, isSame }) {
  mine.hops += 1;
  show(text, mine.carrier.channel.limits);
  note(isSame === undefined ? "" : isSame ? SAME : OTHER);
  if (ends && !mine.over) {
    over(mine);
    tellEnd(mine, "reached");
  }
}

function over(mine) {
  mine.over = true;
  if (call === mine) call = null;
}

// Whether the reply to the next request is to be lost.
function lost() {
  const loses = losesNext;
  losesNext = false;
  return loses;
}

// Remember the language that was chosen, if one was.
async function speak(channel, phone) {
  const language = at("language").value;
  if (language) await tell(config.language, { channel: channel.name, phone, language });
}

async function hangUp(kind = "left") {
  const mine = call;
  if (mine) over(mine);
  else code.value = "";
  typed.value = "";
  say("");
  note("");
  settle();
  if (mine) await tellEnd(mine, kind);
}

// The carrier's word on how the call ended. No screen waits for it.
async function tellEnd(mine, kind) {
  try {
    const told = await mine.carrier.end(kind);
    if (kind !== "reached" && !call) note(told ? TOLD[kind] : UNTOLD);
  } catch (failure) {
    if (!(failure instanceof Trouble)) throw failure;
  }
}

function note(words) {
  at("note").textContent = words;
}

// -- texts --------------------------------------------------------------------------

async function poll() {
  if (document.visibilityState === "visible") await readInbox();
  setTimeout(poll, POLL_MS);
}

async function readInbox() {
  const asked = own;
  if (!asked) return;
  try {
    const line = await readLine(asked);
    if (asked !== own) return;
    at("inbox-fault").textContent = "";
    list(line.texts);
  } catch (failure) {
    if (asked !== own) return;
    if (failure.status === 400) {
      own = "";
      at("number-fault").textContent = lineFor(failure);
    } else {
      at("inbox-fault").textContent = lineFor(failure);
    }
  }
}

// Only what is new is added, so that a reader of screens hears each text once.
function list(received) {
  const ids = new Set(received.map((text) => text.id));
  const known = new Map(Array.from(texts.children, (item) => [item.dataset.id, item]));
  for (const [id, item] of known) if (!ids.has(id)) item.remove();
  for (const text of received.reverse()) {
    if (!known.has(text.id)) texts.prepend(entry(text));
  }
  at("no-texts").hidden = received.length > 0;
  at("texts-count").hidden = received.length === 0;
  at("texts-count").textContent = received.length;
}

function entry(text) {
  const item = document.createElement("li");
  const cost = document.createElement("p");
  const parts = text.parts === 1 ? "1 part" : `${text.parts} parts`;
  item.dataset.id = text.id;
  cost.className = "cost";
  cost.textContent = `${parts} · ${text.units} ${ENCODINGS[text.encoding]}`;
  item.append(...lines(text.text), cost);
  return item;
}

async function readLine(phone) {
  const query = new URLSearchParams({ phone });
  const response = await send(new Request(`${config.line}?${query}`));
  try {
    return said(response);
  } catch (failure) {
    if (failure.status === 400) failure.message = `My number: ${failure.message}`;
    throw failure;
  }
}

async function sendText() {
  const words = at("words");
  const outcome = at("text-fault");
  if (!words.value.trim()) return;
  try {
    const line = await readLine(number.value);
    const body = new URLSearchParams({
      id: randomId(),
      from: line.phone,
      to: config.console.line,
      text: words.value,
    });
    const request = new Request(config.console.inbound, { method: "POST", body });
    const response = await send(request);
    if (!response.ok) throw new Trouble(firstLine(response.body), response.status);
    words.value = "";
    outcome.className = "quiet";
    outcome.textContent = "Sent · فرستاده شد";
  } catch (failure) {
    outcome.className = "wrong";
    outcome.textContent = lineFor(failure);
  }
}

// -- the screen ---------------------------------------------------------------------

function show(text, limits) {
  screen.replaceChildren(...lines(text));
  screen.scrollTop = 0;
  const { encoding, units } = count(text);
  const limit = limits[encoding];
  const over = units > limit ? `, ${units - limit} over` : "";
  at("counter").textContent = `${units} / ${limit} ${ENCODINGS[encoding]}${over}`;
  at("counter").classList.toggle("over", units > limit);
}

// A word of the phone's own: not from the service, so it is not counted.
function say(words) {
  const [line] = lines(words);
  line.classList.add("notice");
  screen.replaceChildren(...(words ? [line] : []));
  at("counter").textContent = "\u00a0";
  at("counter").classList.remove("over");
}

// Every line takes its direction from its own first letter.
function lines(text) {
  return text.split("\n").map((words) => {
    const line = document.createElement("p");
    line.dir = "auto";
    line.className = "line";
    line.textContent = words;
    return line;
  });
}

// Show which of the two fields the keys go to, and what the phone is doing.
function settle() {
  const answers = call !== null && call.hops > 0;
  at("dial").hidden = answers;
  at("answer").hidden = !answers;
  for (const field of [number, at("channel"), at("language"), code]) {
    field.disabled = call !== null;
  }
  const asked = latest !== null && latest.hops > 0 && !latest.waits;
  at("retry").disabled = !asked;
  at("twice").disabled = !asked || call === null;
  at("time-out").disabled = at("hang-up").disabled = !call?.hops;
  at("lose").setAttribute("aria-pressed", String(losesNext));
  const waits = call !== null && call.waits;
  screen.setAttribute("aria-busy", String(waits));
  at("state").textContent = waits ? "…" : call ? "USSD" : "";
  // On a touch screen the focus would bring up a keyboard over our own.
  if (matchMedia("(pointer: fine)").matches) (answers ? typed : code).focus();
}

function field() {
  return call && call.hops > 0 ? typed : code;
}

function press(key) {
  const pressed = field();
  if (!pressed.disabled && pressed.value.length < pressed.maxLength) {
    pressed.value += key;
  }
}

// -- what is pressed ----------------------------------------------------------------

function on(id, event, act) {
  at(id)?.addEventListener(event, (happened) => {
    happened.preventDefault();
    act();
  });
}

on("dial", "submit", dial);
on("answer", "submit", answer);
on("text", "submit", sendText);
on("call", "click", () => (call ? answer() : dial()));
on("end", "click", () => hangUp());
on("retry", "click", () => again((carrier) => carrier.askAgain()));
on("twice", "click", () => again((carrier) => carrier.startAgain()));
on("lose", "click", () => {
  losesNext = !losesNext;
  settle();
});
on("time-out", "click", () => hangUp("cut"));
on("hang-up", "click", () => hangUp());
on("handset", "change", () => {
  const [columns, rows] = config.displays[at("handset").value];
  screen.style.setProperty("--columns", columns);
  screen.style.setProperty("--rows", rows);
});
on("erase", "click", () => {
  const pressed = field();
  if (!pressed.disabled) pressed.value = Array.from(pressed.value).slice(0, -1).join("");
});
on("number", "change", () => {
  own = number.value;
  at("number-fault").textContent = at("inbox-fault").textContent = "";
  list([]);
  readInbox();
});
for (const key of document.querySelectorAll("[data-key]")) {
  key.addEventListener("click", () => press(key.dataset.key));
}
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && call) hangUp();
});

settle();
poll();
