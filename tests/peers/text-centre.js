// A message centre for texts, for the tests, on the npm library smpp: another reader of
// what our codec writes. `node text-centre.js [SYSTEM_ID PASSWORD]` prints its port; then
// it is told what to do by lines of JSON, and tells what happens by lines of JSON.
//
//   {"do": "set", "latency": 50, "tps": 200, …}      how it behaves from now on, see `ways`
//   {"do": "lose", "times": 3}                       takes the next ones, answers none
//   {"do": "cut"}                                    takes the next one, cuts its connection
//   {"do": "refuse", "status": 88, "times": 2}       takes none of the next
//   {"do": "refuse_binds", "status": 14, "times": 1}
//   {"do": "text", "from": "98912…", "to": "10001", "text": "سلام", "parts": [3, 1, 2],
//    "wide": true, "sar": true, "reference": 7, "copies": 2}
//   {"do": "disconnect"}   {"do": "texts"}   {"do": "release"}
//
// What it has for us, a receipt or a text, outlives a connection, as it does in a real
// centre: what was not acknowledged is delivered to whoever binds next, and what was
// refused for now is delivered again.
'use strict';
const readline = require('readline');
const smpp = require('smpp');

const [systemId = 'test', password = 'test'] = process.argv.slice(2);
const AGAIN_MS = 200;

const ways = {
  latency: 0, // ms before an answer
  tps: 0, // submits taken in one clock second; 0: any number
  receipt: 'DELIVRD', // its word, or 'none'
  copies: 1, // of each receipt
  delay: 20, // ms from the answer to the receipt; -1: the receipt comes first
  form: 'both', // text, tlv or both
  ids: 'hex', // hex, zeros, hexdec or case: how answer and receipt spell one id
  hold: false, // receipts wait for `release`
  quiet: false, // tells of no single submit
};
const faults = { lose: 0, cut: false, refuse: 0, status: 0, binds: 0, bindStatus: 0 };

const connections = new Set();
const receivers = new Set();
const taken = new Map(); // whole texts by phone and words: how often each phone got them
const pieces = new Map(); // of those that are not whole yet
let waiting = []; // for a connection that may be delivered to
let held = [];
let submits = 0, second = 0, inSecond = 0;

const tell = (event, more) => process.stdout.write(JSON.stringify({ event, ...more }) + '\n');

// -- what we are sent -------------------------------------------------------------

function words(pdu) {
  const message = pdu.short_message ? pdu.short_message.message : '';
  return Buffer.isBuffer(message) ? message.toString('latin1') : String(message);
}

function place(pdu) {
  if (pdu.sar_msg_ref_num !== undefined) {
    return ['sar', pdu.sar_msg_ref_num, pdu.sar_total_segments, pdu.sar_segment_seqnum];
  }
  for (const ie of (pdu.short_message && pdu.short_message.udh) || []) {
    if (ie[0] === 0) return ['8', ie[2], ie[3], ie[4]];
    if (ie[0] === 8) return ['16', ie[2] * 256 + ie[3], ie[4], ie[5]];
  }
  return ['', 0, 1, 1];
}

function join(pdu) {
  const [width, reference, total, number] = place(pdu);
  const phone = pdu.destination_addr;
  const key = [phone, pdu.source_addr, width, reference, total].join('|');
  const got = pieces.get(key) || new Map();
  // A handset shows what it has of a text when another part says the same number.
  if (got.has(number)) tell('repeated', { phone, number, reference });
  got.set(number, words(pdu));
  pieces.set(key, got);
  if (got.size < total) return;
  pieces.delete(key);
  const text = [...got].sort(([a], [b]) => a - b).map(([, part]) => part).join('');
  const name = `${phone}|${text}`;
  taken.set(name, (taken.get(name) || 0) + 1);
  tell('text', { phone, text, parts: total, width, reference, times: taken.get(name) });
}

function spelt(number) {
  const hex = number.toString(16);
  switch (ways.ids) {
    case 'zeros': return [String(number).padStart(12, '0'), String(number)];
    case 'hexdec': return [hex.toUpperCase(), String(number)];
    case 'case': return [`ab${hex}`, `AB${hex.toUpperCase()}`];
    default: return [hex.padStart(8, '0'), hex.padStart(8, '0')];
  }
}

function refused(pdu) {
  const now = Math.floor(Date.now() / 1000);
  if (now !== second) [second, inSecond] = [now, 0];
  if (ways.tps && ++inSecond > ways.tps) return smpp.ESME_RTHROTTLED;
  if (faults.refuse > 0) {
    faults.refuse--;
    return faults.status;
  }
  return 0;
}

function submitted(session, pdu) {
  const status = session.role === 'receiver' ? smpp.ESME_RINVBNDSTS : refused(pdu);
  if (status) {
    tell('refused', { status });
    return session.send(pdu.response({ command_status: status }));
  }
  const [id, receiptId] = spelt(0x1000 + ++submits);
  const receipt = () => ways.receipt !== 'none' && report(pdu, receiptId);
  const answer = () => connections.has(session) && session.send(pdu.response({ message_id: id }));
  join(pdu);
  if (!ways.quiet) {
    const { data_coding, registered_delivery, validity_period, source_addr } = pdu;
    tell('submit', {
      phone: pdu.destination_addr, id, number: place(pdu)[3],
      coding: data_coding, registered: registered_delivery, validity: validity_period,
      source: source_addr, source_ton: pdu.source_addr_ton, dest_ton: pdu.dest_addr_ton,
    });
  }
  if (faults.cut) {
    faults.cut = false;
    receipt();
    return session.socket.destroy();
  }
  if (faults.lose > 0) {
    faults.lose--;
    return setTimeout(receipt, Math.max(ways.delay, 0));
  }
  if (ways.delay < 0) {
    receipt();
    return setTimeout(answer, Math.max(ways.latency, 20));
  }
  const both = () => {
    answer();
    setTimeout(receipt, ways.delay);
  };
  return ways.latency ? setTimeout(both, ways.latency) : both();
}

// -- what we deliver --------------------------------------------------------------

const STATES = { ENROUTE: 1, DELIVRD: 2, EXPIRED: 3, DELETED: 4, UNDELIV: 5, REJECTD: 8 };

function report(pdu, id) {
  const word = ways.receipt;
  const text = `id:${id} sub:001 dlvrd:001 submit date:2611220830 done date:2611220831 ` +
    `stat:${word} err:000 text:`;
  const message = {
    source_addr: pdu.destination_addr, source_addr_ton: 1, source_addr_npi: 1,
    destination_addr: pdu.source_addr, esm_class: 0x04, data_coding: 0,
    short_message: ways.form === 'tlv' ? Buffer.alloc(0) : Buffer.from(text, 'latin1'),
  };
  if (ways.form !== 'text') {
    message.receipted_message_id = id;
    message.message_state = STATES[word] || 7;
  }
  for (let copy = 0; copy < ways.copies; copy++) {
    const what = { kind: 'receipt', pdu: message };
    if (ways.hold) held.push(what);
    else push(what);
  }
}

function text({ from, to, text, parts, wide, sar, reference = 1, copies = 1 }) {
  const plain = /^[\n\r\x20-\x5a_a-z]*$/.test(text);
  const octets = plain ? Buffer.from(text, 'latin1') : Buffer.from(text, 'utf16le').swap16();
  const base = {
    source_addr: from, source_addr_ton: 1, source_addr_npi: 1,
    destination_addr: to, data_coding: plain ? 0 : 8,
  };
  const room = plain ? 153 : wide ? 132 : 134;
  if (octets.length <= (plain ? 160 : 140)) {
    for (let copy = 0; copy < copies; copy++) {
      push({ kind: 'text', pdu: { ...base, short_message: octets } });
    }
    return;
  }
  const cut = [];
  for (let at = 0; at < octets.length; at += room) cut.push(octets.subarray(at, at + room));
  for (const number of parts || cut.map((_, at) => at + 1)) {
    const part = cut[number - 1];
    const udh = wide
      ? [6, 8, 4, reference >> 8, reference & 255, cut.length, number]
      : [5, 0, 3, reference, cut.length, number];
    const pdu = sar
      ? { ...base, sar_msg_ref_num: reference, sar_total_segments: cut.length,
        sar_segment_seqnum: number, short_message: part }
      : { ...base, esm_class: 0x40, short_message: Buffer.concat([Buffer.from(udh), part]) };
    for (let copy = 0; copy < copies; copy++) push({ kind: 'text', pdu });
  }
}

function push(what) {
  const sessions = [...receivers];
  if (!sessions.length) return waiting.push(what);
  const session = sessions[(push.turn = (push.turn || 0) + 1) % sessions.length];
  session.undelivered.add(what);
  session.deliver_sm({ ...what.pdu }, (resp) => {
    session.undelivered.delete(what);
    const status = resp.command_status;
    tell('acknowledged', { kind: what.kind, status });
    if (status === smpp.ESME_RX_T_APPN) setTimeout(() => push(what), AGAIN_MS);
  });
}

// -- who is there -----------------------------------------------------------------

function bound(session, role, pdu) {
  let status = 0;
  if (pdu.system_id !== systemId) status = smpp.ESME_RINVSYSID;
  else if (pdu.password !== password) status = smpp.ESME_RINVPASWD;
  if (faults.binds > 0) {
    faults.binds--;
    status = faults.bindStatus;
  }
  session.send(pdu.response(status ? { command_status: status } : { system_id: 'centre' }));
  tell(status ? 'not_let_in' : 'bound', { role, status });
  if (status) return;
  session.role = role;
  if (role === 'transmitter') return;
  receivers.add(session);
  const late = waiting;
  waiting = [];
  late.forEach(push);
}

const server = smpp.createServer((session) => {
  connections.add(session);
  session.undelivered = new Set();
  session.on('error', () => session.socket.destroy());
  session.on('close', () => {
    connections.delete(session);
    receivers.delete(session);
    const late = [...session.undelivered];
    session.undelivered.clear();
    late.forEach(push);
    if (session.role) tell('gone', { role: session.role });
  });
  for (const role of ['transceiver', 'receiver', 'transmitter']) {
    session.on(`bind_${role}`, (pdu) => bound(session, role, pdu));
  }
  session.on('submit_sm', (pdu) => submitted(session, pdu));
  session.on('enquire_link', (pdu) => session.send(pdu.response()));
  session.on('unbind', (pdu) => {
    tell('unbound');
    session.send(pdu.response());
    session.close();
  });
});

const orders = {
  set({ do: _, ...more }) { Object.assign(ways, more); },
  lose({ times }) { faults.lose = times; },
  cut() { faults.cut = true; },
  refuse({ status, times }) { Object.assign(faults, { refuse: times, status }); },
  refuse_binds({ status, times }) { Object.assign(faults, { binds: times, bindStatus: status }); },
  text,
  disconnect() { connections.forEach((session) => session.socket.destroy()); },
  release() {
    ways.hold = false;
    const late = held;
    held = [];
    late.forEach(push);
  },
  texts() {
    tell('texts', { texts: [...taken].map(([name, times]) => ({ name, times })), submits,
      parts_of_unfinished: pieces.size });
  },
};

readline.createInterface({ input: process.stdin })
  .on('line', (line) => {
    const order = JSON.parse(line);
    orders[order.do](order);
    tell('done', { order: order.do });
  })
  // Whoever started this is gone.
  .on('close', () => process.exit(0));

server.listen(0, '127.0.0.1', () => tell('listening', { port: server.address().port }));
