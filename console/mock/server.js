// An exchange that is not one: the API of docs/api.md in memory, for developing and testing pages without a telephone
// around. `node mock/server.js [--port 8090] [--people 5000] [--calls 40] [--hostile] [--empty] [--role agent]`
// serves dist/, too.
import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import { dirname, extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { makeOffice } from "./office.js";
import { serveSip } from "./sip.js";

const option = (name, otherwise) => {
  const at = process.argv.indexOf(`--${name}`);
  if (at < 0) return otherwise;
  const value = process.argv[at + 1];
  return value === undefined || value.startsWith("--") ? true : value;
};

const dist = join(dirname(fileURLToPath(import.meta.url)), "../dist");
const role = String(option("role", "administrator"));
const office = makeOffice({
  people: Number(option("people", 24)),
  calls: Number(option("calls", 5)),
  hostile: option("hostile", false) === true,
  empty: option("empty", false) === true,
  role,
});
let signedIn = option("signed-out", false) !== true;
let passwordNeeded = option("password-needed", false) === true;

const streams = new Set();
let eventId = 0;
function tell(type, subject, data) {
  const event = { id: `mock-${++eventId}`, time: new Date().toISOString(), type, subject, data };
  for (const stream of streams) stream.write(`id: ${event.id}\ndata: ${JSON.stringify(event)}\n\n`);
}
office.tell = tell;
if (option("busy", false) !== false) office.bustle(Number(option("busy", 200)) || 200);

const TYPES = { ".html": "text/html; charset=utf-8", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml" };
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; media-src 'self' blob:; " +
  "font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const server = createServer(async (request, response) => {
  const url = new URL(request.url, "http://localhost");
  try {
    if (url.pathname.startsWith("/api/v1/")) {
      if (request.headers.origin !== undefined) {
        response.setHeader("Access-Control-Allow-Origin", request.headers.origin);
        response.setHeader(
          "Access-Control-Allow-Headers",
          "Authorization, Content-Type, Idempotency-Key, If-Match, Last-Event-ID",
        );
        response.setHeader("Access-Control-Allow-Methods", "GET, POST, PATCH, PUT, DELETE");
        response.setHeader("Access-Control-Expose-Headers", "ETag");
      }
      if (request.method === "OPTIONS") return void response.writeHead(204).end();
      return await api(request, response, url);
    }
    if (url.pathname.startsWith("/enter/")) {
      signedIn = true;
      response.writeHead(303, { Location: "/" }).end();
      return;
    }
    await file(response, url.pathname);
  } catch (error) {
    problem(response, 500, String(error?.stack ?? error));
  }
});

async function file(response, path) {
  const wanted = extname(path) === "" ? "/index.html" : normalize(path);
  try {
    const body = await readFile(join(dist, wanted));
    const cache = wanted.startsWith("/assets/") ? "public, max-age=31536000, immutable" : "no-store";
    response.writeHead(200, {
      "Content-Type": TYPES[extname(wanted)] ?? "application/octet-stream",
      "Content-Security-Policy": POLICY,
      "Cache-Control": cache,
    });
    response.end(body);
  } catch {
    response.writeHead(404).end();
  }
}

function json(response, status, body, headers = {}) {
  response.writeHead(status, { "Content-Type": "application/json", ...headers });
  response.end(body === undefined ? undefined : JSON.stringify(body));
}

function problem(response, status, detail, field) {
  response.writeHead(status, { "Content-Type": "application/problem+json" });
  response.end(JSON.stringify({ type: "about:blank", title: `Status ${status}`, status, detail, field, blame: "caller" }));
}

async function read(request) {
  const parts = [];
  for await (const part of request) parts.push(part);
  const text = Buffer.concat(parts).toString("utf8");
  const isFile = request.headers["content-type"] === "application/octet-stream";
  return text === "" || isFile ? {} : JSON.parse(text);
}

async function api(request, response, url) {
  // Who a browser is: the boss, or whom its cookie names.
  const bearer = /^Bearer (.*)/.exec(request.headers.authorization ?? "")?.[1];
  office.be(bearer ?? /mock_user=([^;]+)/.exec(request.headers.cookie ?? "")?.[1] ?? "admin");
  const path = url.pathname.slice("/api/v1/".length).split("/").map(decodeURIComponent);
  const { method } = request;
  const body = method === "GET" ? {} : await read(request);
  if (path[0] === "session" && path.length === 1) return session(method, body, response);
  if (!signedIn) return problem(response, 401, "Sign in first.");
  if (method !== "GET" && bearer === undefined && request.headers["x-ringdown-csrf"] !== "mock")
    return problem(response, 403, "The CSRF value is missing.");
  if (path[0] === "session" && path[1] === "password") {
    passwordNeeded = false;
    return json(response, 204);
  }
  if (path[0] === "events") return events(request, response);
  if (path[0] === "records.csv") {
    response.writeHead(200, { "Content-Type": "text/csv; charset=utf-8", "Content-Disposition": "attachment" });
    return response.end("id,caller\r\n");
  }
  if (method === "POST" && ["phone", "phone/start"].includes(path.join("/"))) office.socket = `ws://${request.headers.host}/sip`;
  if (path.join("/") === "mock/cut") {
    sip.cut();
    return json(response, 204);
  }
  if (path.join("/") === "mock/elsewhere") {
    office.elsewhere();
    return json(response, 204);
  }
  const answer = office.answer(method, path, body, url.searchParams, request.headers);
  if (answer === undefined) return problem(response, 404, "There is no such thing; look at the list.");
  if (answer.problem !== undefined) return problem(response, answer.status, answer.problem, answer.field);
  json(response, answer.status ?? 200, answer.body, answer.etag === undefined ? {} : { ETag: answer.etag });
}

function session(method, body, response) {
  if (method === "DELETE") {
    signedIn = false;
    return json(response, 204);
  }
  if (method === "POST") {
    if (body.password !== "secret-secret") return problem(response, 401, "Name or password is not right.");
    signedIn = true;
  }
  if (!signedIn) return problem(response, 401, "Sign in first.");
  const me = office.me();
  json(response, 200, {
    ...me,
    csrf: "mock",
    expires: new Date(Date.now() + 8 * 3_600_000).toISOString(),
    set_password: passwordNeeded,
  });
}

function events(request, response) {
  response.writeHead(200, { "Content-Type": "text/event-stream", "Cache-Control": "no-store" });
  response.write(`id: mock-${eventId}\ndata: ${JSON.stringify({ id: `mock-${eventId}`, type: "ready", data: {} })}\n\n`);
  streams.add(response);
  request.on("close", () => streams.delete(response));
}

const sip = serveSip(server, office.targets, office.registered);
server.listen(Number(option("port", 8090)), "127.0.0.1", () => {
  console.log(`ready http=127.0.0.1:${server.address().port}`);
});
process.on("SIGTERM", () => process.exit(0));
