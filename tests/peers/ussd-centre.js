// A USSD message centre for the tests, on the npm library smpp: another reader of what
// our codec writes. `node ussd-centre.js [SYSTEM_ID PASSWORD]` prints its port; then it
// is told what to do by lines of JSON, and tells what happens by lines of JSON.
//
//   {"do": "dial", "phone": "98912…", "code": "*780#", "session": 7}
//   {"do": "answer", "phone": …, "text": "1", "copies": 3}
//   {"do": "send", "phone": …, "op": 55, "text": "?"}
//   {"do": "abort", "phone": …}        {"do": "enquire"}
//   {"do": "disconnect"}               {"do": "lose"}  the next screen, with its bind
//   {"do": "throttle", "times": 2}     {"do": "refuse", "status": 14, "times": 1}
//
// A dialogue outlives a connection, as it does in a real centre: what could not be
// delivered, or was not acknowledged, is delivered to whoever binds next.
'use strict';
const readline = require('readline');
const smpp = require('smpp');

const START = 1, ASK = 2, END = 17, ANSWER = 18, ABORT = 129;
const [systemId = 'test', password = 'test'] = process.argv.slice(2);

const dialogues = new Map(); // by phone: a phone has one
const senders = new Set(); // connections that may be delivered to
const connections = new Set();
let waiting = []; // deliver_sm without a connection
const faults = { lose: false, throttle: 0, refuse: 0, status: 0 };

const tell = (event, more) => process.stdout.write(JSON.stringify({ event, ...more }) + '\n');

function deliver(phone, op, text) {
  const dialogue = dialogues.get(phone);
  if (!dialogue) return tell('strange', { why: `no dialogue of ${phone}` });
  const persian = /[^\x20-\x7e]/.test(text);
  push({
    phone,
    pdu: {
      service_type: 'USSD',
      source_addr_ton: 1, source_addr_npi: 1, source_addr: phone,
      destination_addr: '780',
      data_coding: persian ? 8 : 0,
      short_message: text,
      ussd_service_op: op,
      its_session_info: Buffer.from([dialogue.session, dialogue.sequence << 1]),
    },
  });
}

function push(what) {
  const [session] = senders;
  if (!session) return waiting.push(what);
  session.undelivered.add(what);
  session.deliver_sm({ ...what.pdu }, (resp) => {
    session.undelivered.delete(what);
    tell('acknowledged', { phone: what.phone, status: resp.command_status });
  });
}

function submitted(session, pdu) {
  if (faults.throttle > 0) {
    faults.throttle--;
    tell('throttled');
    return session.send(pdu.response({ command_status: smpp.ESME_RTHROTTLED }));
  }
  if (session.role === 'receiver') {
    tell('strange', { why: 'a screen over a bind that only receives' });
    return session.send(pdu.response({ command_status: smpp.ESME_RINVBNDSTS }));
  }
  const phone = pdu.destination_addr;
  const dialogue = dialogues.get(phone);
  const [number, rest] = pdu.its_session_info || [];
  const ends = (rest & 1) === 1;
  const op = pdu.ussd_service_op;
  if (!dialogue || dialogue.session !== number || ![ASK, END].includes(op) || ends !== (op === END)) {
    tell('strange', { why: 'a screen of no dialogue', op, number, rest });
    return session.send(pdu.response({ command_status: smpp.ESME_RINVDSTADR }));
  }
  dialogue.sequence = rest >> 1;
  if (ends) dialogues.delete(phone);
  tell('screen', {
    phone, ends, op, number,
    sequence: rest >> 1,
    text: pdu.short_message.message,
    coding: pdu.data_coding,
    service_type: pdu.service_type,
    source: pdu.source_addr,
    ton: pdu.dest_addr_ton,
    npi: pdu.dest_addr_npi,
  });
  if (faults.lose) {
    // The screen was had, and nobody will ever say so.
    faults.lose = false;
    return session.socket.destroy();
  }
  session.send(pdu.response({ message_id: String(++submitted.count) }));
}
submitted.count = 0;

function bound(session, role, pdu) {
  let status = 0;
  if (pdu.system_id !== systemId) status = smpp.ESME_RINVSYSID;
  else if (pdu.password !== password) status = smpp.ESME_RINVPASWD;
  if (faults.refuse > 0) {
    faults.refuse--;
    status = faults.status;
  }
  session.send(pdu.response(status ? { command_status: status } : { system_id: 'centre' }));
  tell(status ? 'refused' : 'bound', { role, status });
  if (status) return;
  session.role = role;
  if (role === 'transmitter') return;
  senders.add(session);
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
    senders.delete(session);
    // A copy: what is pushed to another connection is not of this one any more.
    [...session.undelivered].forEach(push);
    if (session.role) tell('gone', { role: session.role });
  });
  for (const role of ['transceiver', 'receiver', 'transmitter']) {
    session.on(`bind_${role}`, (pdu) => bound(session, role, pdu));
  }
  session.on('submit_sm', (pdu) => submitted(session, pdu));
  session.on('enquire_link', (pdu) => {
    tell('enquired');
    session.send(pdu.response());
  });
  session.on('unbind', (pdu) => {
    tell('unbound');
    session.send(pdu.response());
    session.close();
  });
});

const orders = {
  dial({ phone, code, session }) {
    dialogues.set(phone, { session, sequence: 0 });
    deliver(phone, START, code);
  },
  answer({ phone, text, copies = 1 }) {
    for (let copy = 0; copy < copies; copy++) deliver(phone, ANSWER, text);
  },
  send({ phone, op, text }) { deliver(phone, op, text); },
  abort({ phone }) {
    deliver(phone, ABORT, '');
    dialogues.delete(phone);
  },
  disconnect() {
    connections.forEach((session) => session.socket.destroy());
  },
  enquire() {
    const [session] = senders;
    session.enquire_link(() => tell('alive'));
  },
  lose() { faults.lose = true; },
  throttle({ times }) { faults.throttle = times; },
  refuse({ status, times }) { Object.assign(faults, { refuse: times, status }); },
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
