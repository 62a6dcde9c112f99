// Times in the reader's zone, and a page that says when it is no longer live.
const local = (root) => {
  for (const one of root.querySelectorAll("time[datetime]")) {
    const when = new Date(one.dateTime);
    const today = when.toDateString() === new Date().toDateString();
    one.textContent = when.toLocaleString([], today ? { timeStyle: "short" } : { dateStyle: "medium", timeStyle: "short" });
    one.title = `${when.toString()} (${one.dateTime})`;
  }
};
local(document);
document.addEventListener("htmx:after:swap", () => local(document));
const banner = document.getElementById("not-live");
let lost = 0;
const say = (live) => {
  if (!banner || live === !lost) return;
  lost = live ? 0 : Date.now();
  banner.hidden = live;
  banner.querySelector("time").dateTime = new Date().toISOString();
  local(banner);
};
document.addEventListener("htmx:sse:error", () => say(false));
document.addEventListener("htmx:sse:close", () => say(false));
document.addEventListener("htmx:sse:after:connection", (event) => {
  const status = event.detail.connection?.status ?? 200;
  say(status < 400);
});
addEventListener("offline", () => say(false));
