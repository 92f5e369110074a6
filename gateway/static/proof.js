// What a browser can work out by itself of a donor's proof: docs/proofs.md has the
// formats. Nothing here trusts what came; whatever does not hold is a Broken.

const LEAVES_MAX = 1_000;
const STEPS_MAX = 64;
const HASH_BYTES = 32;
const PARTS = 7;
const GIFTS = ["pledge", "gift"];

const utf8 = new TextEncoder();

// The proof does not hold; `what` names the step: gift, opens, path, root, signature, or
// form where it cannot be read at all.
export class Broken extends Error {
  constructor(what) {
    super(what);
    this.what = what;
  }
}

// Check a proof against what the donor typed: the code, and the figure if the amount was
// nothing but one: toman, or a number of goods. Gives what the leaves say, the tree's size
// and root, and whether it is signed, null where the browser cannot tell.
export async function verify(proof, key, code, figure) {
  const note = readNote(text(proof?.checkpoint));
  if (text(proof.code) !== code) throw new Broken("gift");
  const given = proof.leaves;
  if (!Array.isArray(given) || !given.length || given.length > LEAVES_MAX) {
    throw new Broken("form");
  }
  const leaves = [];
  for (const leaf of given) leaves.push(await checkLeaf(leaf, code, note));
  const gift = leaves.find((leaf) => GIFTS.includes(leaf.kind));
  if (!gift || (figure !== null && gift.amount !== figure * scale(gift.unit))) {
    throw new Broken("gift");
  }
  const signed = await isSigned(note, bytes(key));
  if (signed === false) throw new Broken("signature");
  return { leaves, size: note.size, root: hex(note.root), signed };
}

// How many minor units make one of what people write: ten rial are a toman.
export const scale = (unit) => (unit === "rial" ? 10 : 1);

async function checkLeaf(leaf, code, note) {
  const { number } = leaf;
  if (!Number.isSafeInteger(number) || !Array.isArray(leaf.path)) throw new Broken("form");
  if (leaf.path.length > STEPS_MAX) throw new Broken("path");
  const data = bytes(leaf.data);
  const shown = readLeaf(data);
  const opened = await sha256(bytes(leaf.nonce), utf8.encode(code));
  if (!same(opened, shown.commitment)) throw new Broken("opens");
  const root = await climb(await sha256([0], data), number, note.size, leaf.path.map(bytes));
  if (!same(root, note.root)) throw new Broken("root");
  return { number, ...shown };
}

// From a leaf's hash up to a root: RFC 9162, section 2.1.3.2. Numbers of leaves are
// larger than what the operators & and >> take.
async function climb(hash, number, size, path) {
  if (number < 0 || number >= size) throw new Broken("path");
  let place = number;
  let last = size - 1;
  for (const step of path) {
    if (last === 0 || step.length !== HASH_BYTES) throw new Broken("path");
    if (place % 2 || place === last) {
      hash = await sha256([1], step, hash);
      while (place && place % 2 === 0) [place, last] = [half(place), half(last)];
    } else {
      hash = await sha256([1], hash, step);
    }
    [place, last] = [half(place), half(last)];
  }
  if (last !== 0) throw new Broken("path");
  return hash;
}

const half = (number) => Math.floor(number / 2);

function readLeaf(data) {
  const parts = [];
  const view = new DataView(data.buffer);
  let at = 1;
  while (at + 4 <= data.length && parts.length < PARTS) {
    const end = at + 4 + view.getUint32(at);
    if (end > data.length) throw new Broken("form");
    parts.push(data.subarray(at + 4, end));
    at = end;
  }
  if (data[0] !== 1 || parts.length !== PARTS || at !== data.length) throw new Broken("form");
  const [day, campaign, kind, unit, digits] = parts.slice(0, 5).map(decoded);
  const amount = Number(digits);
  if (!/^[0-9]+$/.test(digits) || !Number.isSafeInteger(amount)) throw new Broken("form");
  return { day, campaign, kind, unit, amount, commitment: parts[5] };
}

function readNote(note) {
  const [body, below] = note.split("\n\n", 2);
  const lines = body.split("\n");
  const [origin, size, root] = lines;
  if (below === undefined || lines.length !== 4 || !/^(0|[1-9][0-9]{0,15})$/.test(size)) {
    throw new Broken("form");
  }
  const hash = bytes(root);
  if (hash.length !== HASH_BYTES) throw new Broken("form");
  return { origin, size: Number(size), root: hash, body: `${body}\n`, below };
}

// Whether a line below the note is this key's; null where the browser cannot tell.
async function isSigned(note, key) {
  const { origin } = note;
  const known = (await sha256(utf8.encode(`${origin}\n`), [1], key)).subarray(0, 4);
  const line = note.below
    .split("\n")
    .filter((one) => one.startsWith(`— ${origin} `))
    .map((one) => bytes(one.slice(origin.length + 3)))
    .find((one) => same(one.subarray(0, 4), known));
  if (!line) return false;
  let imported;
  try {
    imported = await crypto.subtle.importKey("raw", key, "Ed25519", false, ["verify"]);
  } catch {
    return null;
  }
  return crypto.subtle.verify("Ed25519", imported, line.subarray(4), utf8.encode(note.body));
}

async function sha256(...pieces) {
  const joined = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    joined.set(piece, at);
    at += piece.length;
  }
  return new Uint8Array(await crypto.subtle.digest("SHA-256", joined));
}

function text(value) {
  if (typeof value !== "string") throw new Broken("form");
  return value;
}

function bytes(base64) {
  try {
    return Uint8Array.from(atob(text(base64)), (char) => char.charCodeAt(0));
  } catch {
    throw new Broken("form");
  }
}

function decoded(part) {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(part);
  } catch {
    throw new Broken("form");
  }
}

function same(one, other) {
  return one.length === other.length && one.every((byte, at) => byte === other[at]);
}

function hex(data) {
  return Array.from(data, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
