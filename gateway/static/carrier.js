// The carrier's side of one call. How its requests and replies are written only the
// simulator knows; between the two, this talks to the channel's real webhook.

import { Trouble, firstLine, send, tell } from "./service.js";

// Another on every reply, and no part of what a carrier reads.
const PASSING = new Set(["date"]);

export class Carrier {
  // `watch` is handed every request and its reply as they went.
  constructor(addresses, channel, { phone, code }, session, watch) {
    this.addresses = addresses;
    this.channel = channel;
    this.call = { session, phone, dialled: code, answers: [] };
    this.watch = watch;
    this.first = null;
    this.last = null;
    this.repliedAt = 0;
  }

  async dial(loses) {
    const screen = await this.#turn(this.call, loses);
    this.first = this.last;
    return screen;
  }

  // An answer that failed on its way was not given: the same again is a retry.
  answer(typed, loses) {
    return this.#turn({ ...this.call, answers: [...this.call.answers, typed] }, loses);
  }

  // The last request again, as it was.
  askAgain() {
    return this.#again(this.last);
  }

  // The first request of this call again.
  startAgain() {
    return this.#again(this.first);
  }

  // Tell how the call ended; whether this carrier tells it at all.
  async end(kind) {
    const written = await this.#written(this.call, kind);
    if (written) await this.#ask(written);
    return written !== null;
  }

  async #turn(call, loses) {
    const written = await this.#written(call, "turn");
    await pause(this.repliedAt + written.pause_ms - performance.now());
    const reply = await this.#ask(written);
    this.call = call;
    this.last = { written, reply };
    return loses ? this.#again(this.last) : this.#shown(reply);
  }

  async #again({ written, reply }) {
    const now = await this.#ask(written);
    return { ...(await this.#shown(now)), isSame: as(now) === as(reply) };
  }

  #written(call, kind) {
    return tell(this.addresses.request, { channel: this.channel.name, call, kind });
  }

  async #ask({ method, url, headers, body }) {
    const request = new Request(url, {
      method,
      headers,
      body: method === "GET" ? undefined : body,
    });
    // A browser keeps some headers to itself, and drops them without a word.
    const leftOut = Object.keys(headers).filter((name) => !request.headers.has(name));
    const reply = await send(request);
    this.repliedAt = performance.now();
    this.watch({ method, url, headers, body, leftOut }, reply);
    return reply;
  }

  async #shown(reply) {
    const { status, headers, body } = reply;
    if (!reply.ok) throw new Trouble(`${status} ${firstLine(body)}`, status);
    const channel = this.channel.name;
    return tell(this.addresses.heard, { channel, status, headers, body });
  }
}

// A reply as one text, for comparing.
function as({ status, headers, body }) {
  const lasting = Object.entries(headers).filter(([name]) => !PASSING.has(name));
  return JSON.stringify([status, lasting.sort(), body]);
}

function pause(ms) {
  return ms > 0 ? new Promise((done) => setTimeout(done, ms)) : null;
}
