// What went over the wire, the newest first.

const EXCHANGES_MAX = 20;

export function show(list, request, reply) {
  const item = document.createElement("li");
  item.append(asked(request), answered(reply));
  list.prepend(item);
  while (list.children.length > EXCHANGES_MAX) list.lastElementChild.remove();
}

function asked({ method, url, headers, body, leftOut }) {
  const sent = Object.entries(headers).filter(([name]) => !leftOut.includes(name));
  const part = block(`${method} ${url}`, sent, body);
  if (leftOut.length) {
    const note = document.createElement("p");
    note.className = "quiet";
    note.textContent = `A browser cannot send: ${leftOut.join(", ")}`;
    part.append(note);
  }
  return part;
}

function answered({ status, headers, body }) {
  return block(String(status), Object.entries(headers), body);
}

function block(first, headers, body) {
  const part = document.createElement("div");
  const head = document.createElement("pre");
  const named = document.createElement("b");
  named.textContent = first;
  head.append(named, headers.map(([name, value]) => `\n${name}: ${value}`).join(""));
  part.append(head);
  if (body) {
    const said = document.createElement("pre");
    said.className = "said";
    said.textContent = body;
    part.append(said);
  }
  return part;
}
