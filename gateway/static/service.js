// Asking the service, and what is said when it does not answer.

const ANSWER_MS_MAX = 15_000;
const NO_ANSWER = "No answer: the service cannot be reached · سرویس پاسخ نمی‌دهد";

// A failure that its one line explains. `status` is 0 where nothing answered.
export class Trouble extends Error {
  constructor(line, status) {
    super(line);
    this.status = status;
  }
}

// Send a request and read its reply whole. Raises Trouble if nothing comes.
export async function send(request) {
  try {
    const response = await fetch(request, { signal: AbortSignal.timeout(ANSWER_MS_MAX) });
    return {
      ok: response.ok,
      status: response.status,
      headers: Object.fromEntries(response.headers),
      body: await response.text(),
    };
  } catch {
    throw new Trouble(NO_ANSWER, 0);
  }
}

// Tell the simulator something and give what it says to it, null for nothing.
export async function tell(address, told) {
  const headers = { "content-type": "application/json" };
  const body = JSON.stringify(told);
  return said(await send(new Request(address, { method: "POST", headers, body })));
}

// What the simulator said. Raises Trouble with its line if it refused.
export function said(response) {
  if (response.ok && !response.body) return null;
  let found;
  try {
    found = JSON.parse(response.body);
  } catch {
    throw new Trouble(`${response.status} ${firstLine(response.body)}`, response.status);
  }
  if (!response.ok) throw new Trouble(found.error, response.status);
  return found;
}

// The line that explains a failure; any other failure goes on as it is.
export function lineFor(failure) {
  if (!(failure instanceof Trouble)) throw failure;
  return failure.message;
}

export function firstLine(body) {
  return body.split("\n")[0].slice(0, 120);
}

// crypto.randomUUID is there on https only, and a rehearsal is often on plain http.
export function randomId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
