// SIP over WebSocket for the mock server: registers browsers and passes messages between them, so that two pages can talk
// to each other without an exchange. Not a proxy that anybody should copy: it believes everybody.
import { createHash } from "node:crypto";

const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/** `targets(number)`: the devices that ring for a number. */
export function serveSip(server, targets, registered) {
  const connections = new Map();
  const places = new Map();
  const contacts = new Map();
  let count = 0;

  server.on("upgrade", (request, socket) => {
    if (request.url !== "/sip") return socket.destroy();
    const accept = createHash("sha1").update(request.headers["sec-websocket-key"] + GUID).digest("base64");
    socket.write(
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Protocol: sip\r\n" +
        `Sec-WebSocket-Accept: ${accept}\r\n\r\n`,
    );
    const id = String(++count);
    connections.set(id, socket);
    socket.on("close", () => {
      connections.delete(id);
      for (const [name, place] of places) if (place === id) forget(name);
    });
    socket.on("error", () => {});
    read(socket, (text) => message(text, id));
  });

  function forget(name) {
    places.delete(name);
    registered(name, false);
  }

  function send(id, text) {
    const socket = connections.get(id);
    if (socket !== undefined) write(socket, text);
  }

  function message(text, from) {
    if (text.trim() === "") return;
    const [first] = text.split("\r\n", 1);
    if (first.startsWith("SIP/2.0 ")) return response(text);
    const [method, uri] = first.split(" ");
    const user = decodeURIComponent(/^sip:([^@;]+)/.exec(uri)?.[1] ?? "");
    learn(text, from);
    if (method === "REGISTER") return register(text, from);
    if (user.startsWith("cut")) return connections.get(from)?.destroy();
    const to = places.has(user) ? [user] : targets(user).filter((name) => places.has(name));
    if (to.length === 0) {
      if (method !== "ACK") send(from, reply(text, user === "700" ? "486 Busy Here" : "404 Not Found"));
      return;
    }
    const branch = /^Via:.*?branch=([^;\s,]+)/im.exec(text)?.[1] ?? "z9hG4bK0";
    const via = `Via: SIP/2.0/WS mock.invalid;branch=${branch}m;from=${from}\r\n`;
    // A phone wants to be called by its contact.
    const line = first.replace(uri, contacts.get(to[0]) ?? uri);
    send(places.get(to[0]), `${line}\r\n${via}${text.slice(first.length + 2)}`);
  }

  /** Where the one who sent this can be reached while the dialog lasts. */
  function learn(text, from) {
    const contact = /^Contact:\s*(?:"[^"]*"\s*)?<sip:([^@>;]+)@/im.exec(text)?.[1];
    if (contact !== undefined) places.set(contact, from);
  }

  function response(text) {
    const top = /^Via: SIP\/2\.0\/WS mock\.invalid;[^\r]*from=(\d+)\r\n/im.exec(text);
    if (top === null) return;
    send(top[1], text.replace(top[0], ""));
  }

  function register(text, from) {
    if (!/^Authorization: Bearer /im.test(text)) return send(from, reply(text, "401 Unauthorized"));
    const name = /^To:.*<sip:([^@>]+)@/im.exec(text)?.[1] ?? "";
    const contact = /^Contact:\s*(.*)$/im.exec(text)?.[1] ?? "";
    if (/expires=0\b/.test(contact) || contact === "*") {
      forget(name);
      return send(from, reply(text, "200 OK"));
    }
    places.set(name, from);
    contacts.set(name, /<([^>]+)>/.exec(contact)?.[1]);
    registered(name, true);
    send(from, reply(text, "200 OK", `Contact: ${contact.replace(/;expires=\d+/, "")};expires=120\r\n`));
  }

  function reply(text, status, more = "") {
    const keep = text
      .split("\r\n\r\n", 1)[0]
      .split("\r\n")
      .filter((line) => /^(via|from|to|call-id|cseq):/i.test(line))
      .map((line) => (/^to:/i.test(line) && !line.includes(";tag=") ? `${line};tag=mock${Math.floor(Math.random() * 1e9)}` : line));
    return `SIP/2.0 ${status}\r\n${keep.join("\r\n")}\r\n${more}Content-Length: 0\r\n\r\n`;
  }

  /** Cuts every socket, as a network does that goes away. */
  return { cut: () => connections.forEach((socket) => socket.destroy()) };
}

/** Text frames of a client (RFC 6455 5.2), however they are cut. */
function read(socket, give) {
  let rest = Buffer.alloc(0);
  let parts = [];
  socket.on("data", (bytes) => {
    rest = Buffer.concat([rest, bytes]);
    while (rest.length >= 2) {
      const last = (rest[0] & 0x80) !== 0;
      const kind = rest[0] & 0x0f;
      let length = rest[1] & 0x7f;
      let at = 2;
      if (length === 126) {
        if (rest.length < 4) return;
        length = rest.readUInt16BE(2);
        at = 4;
      } else if (length === 127) {
        if (rest.length < 10) return;
        length = Number(rest.readBigUInt64BE(2));
        at = 10;
      }
      if (rest.length < at + 4 + length) return;
      const mask = rest.subarray(at, at + 4);
      const body = Buffer.from(rest.subarray(at + 4, at + 4 + length)).map((byte, index) => byte ^ mask[index % 4]);
      rest = rest.subarray(at + 4 + length);
      if (kind === 8) return socket.end();
      if (kind > 2) continue;
      parts.push(body);
      if (last) {
        give(Buffer.concat(parts).toString("utf8"));
        parts = [];
      }
    }
  });
}

function write(socket, text) {
  const body = Buffer.from(text, "utf8");
  const head = body.length < 126 ? Buffer.from([0x81, body.length]) : Buffer.from([0x81, 126, body.length >> 8, body.length & 255]);
  socket.write(Buffer.concat([head, body]));
}
