// Loads the telephone from the exchange, puts it into the page, and writes down what it tells.
const server = new URLSearchParams(location.search).get("server") ?? "http://127.0.0.1:8080";
const phone = document.createElement("ringdown-phone");
phone.setAttribute("server", server);
phone.setAttribute("token", location.hash.slice(1));
phone.setAttribute("pop", `${location.origin}/customer.html?tel={number}&name={name}&call={call}`);

const script = document.createElement("script");
script.src = `${server}/phone.js`;
script.onload = () => document.body.append(phone);
script.onerror = () => write(`${server} does not answer`);
document.head.append(script);

function write(line) {
  document.getElementById("log").append(`${new Date().toLocaleTimeString()} ${line}\n`);
}
for (const name of ["state", "ringing", "talking", "ended"]) {
  document.addEventListener(`ringdown:${name}`, (event) => write(`${name} ${JSON.stringify(event.detail)}`));
}
for (const button of document.querySelectorAll("[data-dial]")) {
  button.addEventListener("click", () => phone.dial(button.dataset.dial));
}
const on = (id, act) =>
  document.getElementById(id).addEventListener("click", () => Promise.resolve(act()).catch((error) => write(error.message)));
on("answer", () => phone.answer());
on("hang-up", () => phone.hangUp());
on("ready", () => phone.ready());
on("not-ready", () => phone.notReady());
