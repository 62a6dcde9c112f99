// Times in the reader's zone, and a page that says when it is no longer live.
const local = (root) => {
  for (const one of root.querySelectorAll("time[datetime]")) {
    const when = new Date(one.dateTime);
    const days = Math.abs(when - Date.now()) / 86400000;
    const time = { hour: "numeric", minute: "2-digit" };
    const today = when.toDateString() === new Date().toDateString();
    const day = today ? {} : days < 6 ? { weekday: "short" } : { day: "numeric", month: "short" };
    one.textContent = when.toLocaleString([], { ...day, ...time });
    one.title = `${when.toString()} (${one.dateTime})`;
  }
};
local(document);
document.addEventListener("htmx:after:swap", () => local(document));
setInterval(() => {
  for (const one of document.querySelectorAll("[data-age]")) {
    // Counted from what the server wrote: the reader's clock may be wrong.
    if (one.written !== one.dataset.age) [one.written, one.read] = [one.dataset.age, performance.now()];
    const seconds = Math.max(0, Math.round(+one.written + (performance.now() - one.read) / 1000));
    one.textContent = seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min`;
  }
}, 1000);
const banner = document.getElementById("not-live");
// The parts of the page that no longer get what is new: the stream, or what asks by itself.
const lost = new Set();
const say = (part, live) => {
  const before = lost.size;
  if (live) lost.delete(part); else lost.add(part);
  if (!banner || !before === !lost.size) return;
  banner.hidden = !lost.size;
  banner.querySelector("time").dateTime = new Date().toISOString();
  local(banner);
};
for (const name of ["htmx:sse:error", "htmx:sse:close", "htmx:error", "htmx:response:error"]) {
  document.addEventListener(name, (event) => say(event.target.id, false));
}
for (const name of ["htmx:sse:after:connection", "htmx:sse:before:message"]) {
  document.addEventListener(name, (event) => say(event.target.id, true));
}
document.addEventListener("htmx:after:request", (event) => {
  if (event.detail.ctx.response.raw.ok) say(event.target.id, true);
});
// The next answer ends it.
addEventListener("offline", () => say("places", false));
