"use strict";
// Pages of connections: ages, the events of a job, and parts that are asked for again. Every page works without.
(() => {
  const ACTIVE = 2_000; // milliseconds between two looks at an active job whose events do not arrive
  const IDLE = 15_000; // between two looks for new jobs
  const SILENT = 8_000; // without any event, a proxy holds them back
  const find = (selector) => document.querySelector(selector);

  // Ages, by the clock of the server: that of the browser may be wrong.
  let skew = 0;
  const synchronise = () => {
    const now = Date.parse(find("[data-now]")?.dataset.now ?? "");
    if (now) skew = now - Date.now();
  };
  const plural = (count, noun) => `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;
  const span = (seconds) => {
    if (seconds < 60) return "less than a minute";
    if (seconds < 3_600) return plural(Math.floor(seconds / 60), "minute");
    if (seconds < 48 * 3_600) return plural(Math.floor(seconds / 3_600), "hour");
    return plural(Math.floor(seconds / 86_400), "day");
  };
  const elapsed = (seconds) => {
    const minutes = Math.floor(seconds / 60);
    return minutes ? `${minutes.toLocaleString("en")} min ${seconds % 60} s` : `${seconds} s`;
  };
  const words = {
    ago: (seconds) => `${span(seconds)} ago`,
    in: (seconds) => `in ${span(-seconds)}`,
    for: elapsed,
  };
  const age = () => {
    const now = Date.now() + skew;
    for (const element of document.querySelectorAll("time[data-age]")) {
      const seconds = Math.floor((now - Date.parse(element.dateTime)) / 1000);
      const kind = element.dataset.age;
      const text = words[kind]?.(kind === "in" ? Math.min(seconds, 0) : Math.max(seconds, 0));
      if (text && element.textContent !== text) element.textContent = text;
    }
  };

  // A part asks for itself: its address is that of the page, whose filters may have changed.
  let idle = 0; // milliseconds since the last look
  const renew = () => {
    const part = find("[data-now]");
    if (!part) return;
    idle = 0;
    part.setAttribute("hx-get", location.pathname + location.search);
    part.dispatchEvent(new CustomEvent("renew"));
  };

  // Names and messages are those of the repository: the same characters are spelt out as on the server.
  const HIDDEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cn}\p{Cs}]/gu;
  const spelt = (char) => {
    const code = char.codePointAt(0);
    if (code === 0x200c || code === 0x200d) return char;
    const digits = code.toString(16);
    if (code < 0x100) return `\\x${digits.padStart(2, "0")}`;
    return code < 0x10000 ? `\\u${digits.padStart(4, "0")}` : `\\U${digits.padStart(8, "0")}`;
  };
  const shown = (text) => String(text ?? "").replace(HIDDEN, spelt);
  const TONES = { success: "same", running: "differs", failed: "failed" };
  const named = (stage) => (stage ?? "").replaceAll("_", " ");

  const showStages = (live, progress) => {
    live.querySelector("progress").value = progress.percent;
    const running = progress.stages.find(({ status }) => status === "running");
    const text = `${progress.status}${running ? `, ${named(running.name)}` : ""}, ${progress.percent} %`;
    const words = live.querySelector("[data-words]");
    if (words.textContent !== text) words.textContent = text;
    for (const stage of progress.stages) {
      const row = live.querySelector(`[data-stage="${stage.name}"]`);
      if (!row) continue;
      const tag = row.querySelector(".tag");
      tag.className = `tag ${TONES[stage.status] ?? "quiet"}`;
      tag.textContent = stage.status;
      row.cells[2].textContent = stage.seconds == null ? "" : `${stage.seconds.toFixed(1)} s`;
      row.cells[3].textContent = shown(stage.message);
    }
  };
  const addLine = (line) => {
    const log = find(".log");
    if (!log) return;
    const body = log.querySelector("tbody");
    // The page has the lines that were written before; a stream that begins anew repeats lines.
    if (line.seq <= Number(body.lastElementChild?.dataset.seq ?? 0)) return;
    const isAtEnd = log.scrollTop + log.clientHeight >= log.scrollHeight - 8;
    const row = body.insertRow();
    row.dataset.seq = line.seq;
    const status = line.status === "log" ? "" : line.status;
    for (const text of [line.seq, line.at.slice(11, 19), named(line.stage), status, shown(line.message)]) {
      row.insertCell().textContent = text;
    }
    row.cells[0].className = "num";
    if (body.rows.length > Number(log.dataset.most)) body.deleteRow(0);
    const empty = log.nextElementSibling;
    if (empty?.matches(".empty")) empty.remove();
    // A reader who scrolled up stays there.
    if (isAtEnd) log.scrollTop = log.scrollHeight;
  };

  // One stream for each page: browsers open few connections to a server. It resumes by itself.
  let source = null;
  let followed = "";
  let isRefused = false;
  let watch = 0;
  let again = 0;
  const later = () => {
    clearTimeout(again);
    again = setTimeout(renew, ACTIVE);
  };
  const end = () => {
    clearTimeout(watch);
    source?.close();
    source = null;
  };
  const refuse = () => {
    end();
    isRefused = true;
    later();
  };
  const follow = () => {
    const live = find("[data-events]");
    const address = live?.dataset.events ?? "";
    if (address === followed) {
      if (address && isRefused) later();
      return;
    }
    end();
    followed = address;
    isRefused = false;
    if (!address || !window.EventSource) return;
    const log = find(".log");
    if (log) log.scrollTop = log.scrollHeight;
    source = new EventSource(address);
    watch = setTimeout(refuse, SILENT);
    const heard = (act) => ({ data }) => {
      clearTimeout(watch);
      act(JSON.parse(data));
    };
    source.addEventListener("log", heard(addLine));
    source.addEventListener("progress", heard((progress) => {
      const part = find("[data-events]");
      if (part) showStages(part, progress);
      if (progress.status === "pending" || progress.status === "running") return;
      end();
      renew(); // buttons, facts and the history have changed
    }));
    source.addEventListener("error", () => {
      // Otherwise the browser connects again, with the last line that it has.
      if (source?.readyState === EventSource.CLOSED) refuse();
    });
  };

  document.addEventListener("htmx:after:swap", () => { synchronise(); age(); follow(); });
  addEventListener("pagehide", end);
  addEventListener("pageshow", (event) => { if (event.persisted) { followed = ""; renew(); follow(); } });
  setInterval(age, 1_000);
  setInterval(() => {
    idle += ACTIVE;
    // After a refusal, each answer asks for the next one, unless it fails.
    const isActive = isRefused || (find("[data-now][data-active]") && !find("[data-events]"));
    if (document.hidden || source || idle < (isActive ? ACTIVE * 2 : IDLE)) return;
    // The answer to an earlier address would replace the rows that a reader is filtering for.
    if (document.activeElement?.closest(".filters")) return;
    renew();
  }, ACTIVE);
  synchronise();
  age();
  follow();
})();
