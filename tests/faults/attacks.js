// What a page of an attacker tries with an address that is not its own. `plan` is put before it by tests/faults/bait.py.
// Each attack answers with what it got: "ok …" or "open …" or "loaded …" where it got through, and else anything.

const data = plan.data;
const account = JSON.stringify({ email: "mallory@example.com", password: "four words on a wall" });
const project = JSON.stringify({ name: "mallory", claudePath: "/home/mallory" });
const json = { "Content-Type": "application/json" };
const pause = (ms) => new Promise((done) => setTimeout(done, ms));

async function told(asked) {
  const response = await asked;
  return (response.ok ? "ok " : `${response.type} ${response.status} `) + (await response.text());
}

function element(name, address, attribute) {
  return new Promise((done) => {
    const made = document.createElement(name);
    made.onload = () => done(`loaded ${globalThis.stolen ?? ""}`);
    made.onerror = () => done("error");
    if (name === "link") made.rel = "stylesheet";
    made[attribute] = address;
    document.body.append(made);
  });
}

async function framed(name, address, attribute) {
  const made = document.createElement(name);
  made[attribute] = address;
  document.body.append(made);
  await pause(plan.pause);
  return made.contentDocument.documentElement.innerText;
}

function posted(address, fields, encoding) {
  const frame = document.createElement("iframe");
  frame.name = `frame-${Math.random()}`;
  const form = Object.assign(document.createElement("form"), { method: "post", action: address, target: frame.name });
  form.enctype = encoding;
  for (const [name, value] of fields) form.append(Object.assign(document.createElement("input"), { name, value }));
  document.body.append(frame, form);
  form.submit();
  return framed("iframe", "about:blank", "src").then(() => frame.contentDocument.documentElement.innerText);
}

function spoken(address, protocols) {
  return new Promise((done) => {
    const socket = new WebSocket(address.replace("http", "ws"), protocols);
    socket.onopen = () => done("open");
    socket.onerror = () => done("error");
  });
}

function streamed(address, options) {
  return new Promise((done) => {
    const source = new EventSource(address, options);
    source.onopen = () => done("open");
    source.onerror = () => (source.close(), done("error"));
  });
}

function asked(address) {
  return new Promise((done) => {
    const request = new XMLHttpRequest();
    request.withCredentials = true;
    request.onload = () => done(`${request.status < 400 ? "ok" : request.status} ${request.responseText}`);
    request.onerror = () => done("error");
    request.open("GET", address);
    request.send();
  });
}

function withoutOrigin(address) {
  return new Promise((done) => {
    const frame = document.createElement("iframe");
    frame.sandbox = "allow-scripts";
    frame.srcdoc = `<script>fetch("${address}").then(async (r) => parent.postMessage((r.ok ? "ok " : "") + await r.text(),
      "*"), () => parent.postMessage("error", "*"))<\/script>`;
    addEventListener("message", (event) => event.source === frame.contentWindow && done(event.data));
    document.body.append(frame);
  });
}

async function opened(address) {
  const popup = open(address);
  await pause(plan.pause);
  try {
    return popup.document.documentElement.innerText;
  } finally {
    popup.close();
  }
}

const attacks = {
  fetch: (at) => told(fetch(at + data)),
  "fetch with credentials": (at) => told(fetch(at + data, { credentials: "include" })),
  "fetch without CORS": (at) => told(fetch(at + data, { mode: "no-cors", credentials: "include" })),
  "fetch with a header": (at) => told(fetch(at + data, { headers: { Authorization: "Bearer x" } })),
  "fetch of health": (at) => told(fetch(at + "/health")),
  "request of old": (at) => asked(at + data),
  "page without origin": (at) => withoutOrigin(at + data),
  "simple POST": (at) => told(fetch(at + "/auth/register", { method: "POST", body: account })),
  "simple POST without CORS": (at) =>
    told(fetch(at + "/auth/register", { method: "POST", mode: "no-cors", body: account })),
  "POST of JSON": (at) => told(fetch(at + "/auth/register", { method: "POST", headers: json, body: account })),
  "POST of a project": (at) => told(fetch(at + "/api/projects", { method: "POST", headers: json, body: project })),
  DELETE: (at) => told(fetch(at + plan.conversation, { method: "DELETE" })),
  PUT: (at) => told(fetch(at + plan.conversation, { method: "PUT", headers: json, body: "{}" })),
  beacon: async (at) => String(navigator.sendBeacon(at + "/auth/register", account)),
  form: (at) => posted(at + "/auth/register", [["email", "mallory@example.com"]], "application/x-www-form-urlencoded"),
  "form of text": (at) => posted(at + "/auth/register", [[account.slice(0, -1) + ', "x": "', '"}']], "text/plain"),
  "form of parts": (at) => posted(at + "/api/projects", [["name", "mallory"]], "multipart/form-data"),
  WebSocket: (at) => spoken(at + "/ws"),
  "WebSocket with a subprotocol": (at) => spoken(at + "/ws", ["ccod", "bearer.x"]),
  EventSource: (at) => streamed(at + "/api/events"),
  "EventSource with credentials": (at) => streamed(at + "/api/events", { withCredentials: true }),
  frame: (at) => framed("iframe", at + data, "src"),
  "frame of the documentation": (at) => framed("iframe", at + "/docs", "src"),
  object: (at) => framed("object", at + data, "data"),
  script: (at) => element("script", at + data, "src"),
  "script of the document": (at) => element("script", at + "/openapi.json", "src"),
  module: async (at) => `loaded ${Object.keys(await import(at + data))}`,
  style: (at) => element("link", at + data, "href"),
  image: (at) => element("img", at + data, "src"),
  window: (at) => opened(at + data),
};

async function attack(target, name) {
  const late = pause(plan.patience).then(() => "nothing");
  const got = await Promise.race([attacks[name](target).catch(String), late]);
  return { page: location.origin, target, name, got: String(got).slice(0, 500) };
}

async function main() {
  if (plan.waits) while ((await (await fetch(plan.collector + "/go")).text()) !== "go") await pause(50);
  const targets = plan.targets.length ? plan.targets : [location.origin];
  const tries = targets.flatMap((target) => Object.keys(attacks).map((name) => attack(target, name)));
  await fetch(plan.collector + "/report", { method: "POST", body: JSON.stringify(await Promise.all(tries)) });
  location = plan.next;
}

main();
