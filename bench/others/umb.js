// The bench's conversation with ussd-menu-builder and express, as its README shows it:
//
//     node umb.js PORT REDIS_PORT
//
// A menu keeps the request it answers in itself, so every request has one of its own.
// The session is a hash in Redis that expires; a pledge is recorded nowhere.

'use strict';

const { randomInt } = require('crypto');
const express = require('express');
const { createClient } = require('redis');
const UssdMenu = require('ussd-menu-builder');

const SESSION_SECONDS = 600;
const PURPOSES = ['بسته نوروزی', 'کودکان کار', 'هر جا لازم‌تر است'];

const [port, redisPort] = process.argv.slice(2).map(Number);
const redis = createClient({ socket: { host: '127.0.0.1', port: redisPort } });

function sessions() {
  const key = (id) => `ussd:${id}`;
  return {
    start: (id) =>
      redis.multi().hSetNX(key(id), 'began', '1').expire(key(id), SESSION_SECONDS).exec(),
    end: (id) => redis.del(key(id)),
    set: (id, name, value) => redis.hSet(key(id), name, value),
    get: (id, name) => redis.hGet(key(id), name),
  };
}

function menu() {
  const made = new UssdMenu();
  made.sessionConfig(sessions());
  made.startState({
    run: () =>
      made.con('مبلغ به تومان؟\n1 بیست هزار\n2 پنجاه هزار\n3 مبلغ دیگر\n0 بازگشت'),
    next: { 1: 'preset', 2: 'preset', 3: 'other' },
  });
  made.state('other', {
    run: () => made.con('مبلغ را به تومان بنویسید.\nنمونه: 75000\n0 بازگشت'),
    next: { '*^\\d{4,8}$': 'purpose' },
  });
  const purposes = PURPOSES.map((purpose, n) => `\n${n + 1} ${purpose}`).join('');
  const askPurpose = (amount) =>
    made.session
      .set('amount', amount)
      .then(() => made.con(`کمک شما برای؟${purposes}\n0 بازگشت`));
  const next = { '*^[1-3]$': 'confirm' };
  made.state('purpose', { run: () => askPurpose(made.val), next });
  made.state('preset', {
    run: () => askPurpose(made.val === '1' ? '20000' : '50000'),
    next,
  });
  made.state('confirm', {
    run: async () => {
      const purpose = PURPOSES[Number(made.val) - 1];
      await made.session.set('purpose', purpose);
      const amount = await made.session.get('amount');
      made.con(`کمک شما: ${amount} تومان\n${purpose}\n1 تایید\n2 اصلاح\n0 انصراف`);
    },
    next: { 1: 'done' },
  });
  made.state('done', {
    run: () => {
      const code = randomInt(100_000_000, 1_000_000_000);
      made.end(`سپاس؛ ثبت شد، هنوز پرداخت نشده.\nکد ${code}\nروش پرداخت پیامک می‌شود.`);
    },
  });
  return made;
}

async function main() {
  await redis.connect();
  const app = express();
  app.use(express.urlencoded({ extended: false }));
  app.post('/', (request, response) => {
    const answering = menu();
    answering.on('error', (error) => response.status(500).send(String(error)));
    answering.run(request.body, (reply) => response.send(reply));
  });
  app.listen(port, '127.0.0.1');
}

main();
