// A feature phone. It posts what Africa's Talking posts, to the webhook of a test
// channel, and shows what comes back as it came.

const config = JSON.parse(document.body.dataset.config);
const basic = new Set(config.gsm7.basic);
const extension = new Set(config.gsm7.extension);

// What Africa's Talking names its own sandbox by.
const NETWORK_CODE = "99999";
const ANSWER_MS_MAX = 15_000;
const POLL_MS = 1_000;
const NO_ANSWER = "No answer: the service cannot be reached · سرویس پاسخ نمی‌دهد";
const ENCODINGS = { gsm7: "GSM-7", ucs2: "UCS-2" };

const at = (id) => document.getElementById(id);
const screen = at("screen");
const code = at("code");
const typed = at("typed");
const number = at("number");
const texts = at("texts");

// The call under way, if any, and the number that the inbox is read for.
let call = null;
let lastDialled = code.value;
let own = number.value;

// A failure that its one line explains.
class Trouble extends Error {}

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
  const mine = {
    session: `ATUid_${randomId()}`,
    code: code.value.trim(),
    channel: config.channels[at("channel").value],
    phone: "",
    answers: [],
    hops: 0,
    since: performance.now(),
    waits: true,
  };
  call = mine;
  say("");
  settle();
  try {
    mine.phone = (await readLine(number.value)).phone;
    await turn(mine, []);
  } catch (failure) {
    if (call === mine) {
      call = null;
      say(lineFor(failure));
    }
  }
  settle();
}

async function answer() {
  const mine = call;
  if (!mine || mine.waits || !typed.value.trim()) return;
  mine.waits = true;
  settle();
  try {
    await turn(mine, [...mine.answers, typed.value]);
    typed.value = "";
  } catch (failure) {
    // The call and the answer stay: sending again is a carrier's retry.
    if (call === mine) say(lineFor(failure));
  }
  mine.waits = false;
  settle();
}

// Post everything typed since the dial, and show what the service says to it.
async function turn(mine, answers) {
  const response = await ask(mine.channel.turn, {
    sessionId: mine.session,
    serviceCode: mine.code,
    phoneNumber: mine.phone,
    networkCode: NETWORK_CODE,
    text: answers.join("*"),
  });
  if (call !== mine) return;
  mine.answers = answers;
  mine.hops += 1;
  mine.waits = false;
  const kind = response.body.slice(0, 4);
  if (kind !== "CON " && kind !== "END ") {
    call = null;
    say(`${response.status} ${firstLine(response.body)}`);
    return;
  }
  show(response.body.slice(4), mine.channel.limits);
  if (kind === "END ") {
    call = null;
    if (response.ok) tellEnd(mine, "Success");
  }
}

function hangUp() {
  const mine = call;
  call = null;
  if (mine?.phone) tellEnd(mine, "Incomplete");
  if (!mine) {
    code.value = "";
  }
  typed.value = "";
  say("");
  settle();
}

// The carrier's word on how the call ended. Nobody waits for it.
async function tellEnd(mine, status) {
  try {
    await ask(mine.channel.events, {
      date: new Date().toISOString(),
      sessionId: mine.session,
      serviceCode: mine.code,
      networkCode: NETWORK_CODE,
      phoneNumber: mine.phone,
      status,
      input: mine.answers.join("*"),
      hopsCount: String(mine.hops),
      durationInMillis: String(Math.round(performance.now() - mine.since)),
    });
  } catch (failure) {
    if (!(failure instanceof Trouble)) throw failure;
  }
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

async function sendText() {
  const words = at("words");
  const said = at("text-fault");
  if (!words.value.trim()) return;
  try {
    const line = await readLine(number.value);
    const response = await ask(config.console.inbound, {
      id: randomId(),
      from: line.phone,
      to: config.console.line,
      text: words.value,
    });
    if (!response.ok) throw trouble(firstLine(response.body), response.status);
    words.value = "";
    said.className = "quiet";
    said.textContent = "Sent · فرستاده شد";
  } catch (failure) {
    said.className = "wrong";
    said.textContent = lineFor(failure);
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
  for (const field of [number, at("channel"), code]) field.disabled = call !== null;
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

// -- the service --------------------------------------------------------------------

async function readLine(phone) {
  const response = await ask(`${config.line}?${new URLSearchParams({ phone })}`);
  let line;
  try {
    line = JSON.parse(response.body);
  } catch {
    throw trouble(`${response.status} ${firstLine(response.body)}`, response.status);
  }
  if (response.status === 400) throw trouble(`My number: ${line.error}`, 400);
  if (!response.ok) throw trouble(line.error, response.status);
  return line;
}

// Ask the service: a GET, or a POST of a form. Raises Trouble if nothing comes.
async function ask(address, form) {
  try {
    const response = await fetch(address, {
      method: form ? "POST" : "GET",
      body: form && new URLSearchParams(form),
      signal: AbortSignal.timeout(ANSWER_MS_MAX),
    });
    return { ok: response.ok, status: response.status, body: await response.text() };
  } catch {
    throw trouble(NO_ANSWER, 0);
  }
}

function trouble(line, status) {
  return Object.assign(new Trouble(line), { status });
}

function lineFor(failure) {
  if (!(failure instanceof Trouble)) throw failure;
  return failure.message;
}

function firstLine(body) {
  return body.split("\n")[0].slice(0, 120);
}

// crypto.randomUUID is there on https only, and a rehearsal is often on plain http.
function randomId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
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
on("end", "click", hangUp);
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
