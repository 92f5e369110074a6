// A message centre on the npm library smpp that takes texts and tells how many.
// `node centre.js LATENCY_MS RECEIPTS` prints its port; then it answers each line of
// `anew`, `taken` or `counts` with a line of JSON.
'use strict';
const readline = require('readline');
const smpp = require('smpp');

const [latency, receipts] = process.argv.slice(2).map(Number);
const tell = (what) => process.stdout.write(JSON.stringify(what) + '\n');

// This phone has the backlog, which is not counted.
const BACKLOG = '989139999999';
let counts, seen, inFlight = 0;
function anew() {
  counts = { requests: 0, refused: 0, distinct: 0, doubled: 0, others: 0, segments: 0,
    window: 0, at: [] };
  seen = new Set();
}
anew();

// Each phone is sent one text: a part that it was sent before is a doubled one.
function name(pdu) {
  const ie = ((pdu.short_message || {}).udh || []).find((one) => one[0] === 0 || one[0] === 8);
  const part = ie ? ie[ie.length - 1] : pdu.sar_segment_seqnum || 1;
  return `${pdu.destination_addr}/${part}`;
}

function submitted(session, pdu) {
  counts.requests++;
  counts.segments++;
  counts.window = Math.max(counts.window, ++inFlight);
  const text = name(pdu);
  if (pdu.destination_addr === BACKLOG) counts.others++;
  else if (seen.has(text)) counts.doubled++;
  else {
    seen.add(text);
    counts.distinct++;
    counts.at.push(performance.now() / 1000);
  }
  const id = counts.requests.toString(16).padStart(8, '0');
  setTimeout(() => {
    inFlight--;
    session.send(pdu.response({ message_id: id }));
    if (receipts && pdu.registered_delivery) report(session, pdu, id);
  }, latency);
}

function report(session, pdu, id) {
  session.deliver_sm({
    source_addr: pdu.destination_addr, destination_addr: pdu.source_addr, esm_class: 4,
    short_message: Buffer.from(`id:${id} sub:001 dlvrd:001 submit date:2611220830 ` +
      'done date:2611220831 stat:DELIVRD err:000 text:', 'latin1'),
    receipted_message_id: id, message_state: 2,
  });
}

const server = smpp.createServer((session) => {
  session.on('error', () => session.socket.destroy());
  for (const role of ['transceiver', 'receiver', 'transmitter']) {
    session.on(`bind_${role}`, (pdu) => session.send(pdu.response({ system_id: 'centre' })));
  }
  session.on('submit_sm', (pdu) => submitted(session, pdu));
  session.on('enquire_link', (pdu) => session.send(pdu.response()));
  session.on('unbind', (pdu) => { session.send(pdu.response()); session.close(); });
});

readline.createInterface({ input: process.stdin })
  .on('line', (line) => {
    if (line === 'anew') anew();
    tell(line === 'taken' ? counts.distinct : counts);
  })
  // Whoever started this is gone.
  .on('close', () => process.exit(0));

server.listen(0, '127.0.0.1', () => tell(server.address().port));
