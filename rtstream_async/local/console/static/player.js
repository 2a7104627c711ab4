// Plays the manifest named in <main data-manifest>, shows the wall-clock time of the playing
// moment, and says in plain words what went wrong.
"use strict";

(() => {
  const page = document.getElementById("player");
  const video = document.getElementById("video");
  const badge = document.getElementById("badge");
  const moment = document.getElementById("moment");
  const clock = document.getElementById("clock");

  const BADGES = {
    loading: "Loading",
    waiting: "Waiting for the server",
    live: "Live",
    recorded: "Recording",
    trouble: "Not playing",
  };

  const TROUBLES = {
    expired: {
      title: "This link has expired",
      text: "Links to recordings work for a limited time. Ask for a new link.",
    },
    missing: {
      title: "There is no recording here",
      text: "Nothing was recorded at this time, or the recording has been deleted.",
    },
    unreachable: {
      title: "The server can't be reached",
      text: "Check that it is running and that you are connected, then try again.",
      again: true,
    },
    failing: {
      title: "The server has a problem",
      text: "It could not deliver the recording. Try again in a moment.",
      again: true,
    },
    elsewhere: {
      title: "This recording is on another server",
      text: "The player plays only recordings of the server that it came from.",
    },
    unplayable: {
      title: "This recording can't be played",
      text: "The link leads to something that this browser can't read as video.",
    },
    unsupported: {
      title: "This browser can't play the recording",
      text: "Try a current version of Chrome, Edge, Firefox or Safari.",
    },
  };

  const STATUS_TROUBLES = {
    0: "unreachable",
    401: "expired",
    403: "expired",
    404: "missing",
    410: "expired",
  };

  const troubleOfStatus = (status) => STATUS_TROUBLES[status] ?? "failing";

  function show(state) {
    if (page.dataset.state === "trouble" || page.dataset.state === state) return;
    page.dataset.state = state;
    badge.textContent = BADGES[state];
  }

  function fail(name) {
    if (page.dataset.state === "trouble") return;
    const { title, text, again = false } = TROUBLES[name];
    show("trouble");
    page.dataset.trouble = name;
    document.getElementById("trouble-title").textContent = title;
    document.getElementById("trouble-text").textContent = text;
    document.getElementById("again").hidden = !again;
    document.getElementById("trouble").hidden = false;
    video.controls = false;
    video.pause();
  }

  // One moment for the eye (local time) and one for machines (UTC, milliseconds).
  const format = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "long" });

  function keepClock(momentNow) {
    const tick = () => {
      const date = momentNow();
      moment.hidden = date === null;
      if (date === null) return;
      clock.dateTime = date.toISOString();
      clock.textContent = format.format(date);
    };
    for (const event of ["loadeddata", "timeupdate", "seeking", "seeked"]) {
      video.addEventListener(event, tick);
    }
  }

  // A server that restarts is away for longer than the two retries that hls.js makes by itself.
  // Delays are 0.5, 1, 2, 4, 4, ... seconds, 40 in all.
  const playlistLoadPolicy = {
    default: {
      maxTimeToFirstByteMs: 10000,
      maxLoadTimeMs: 20000,
      timeoutRetry: { maxNumRetry: 4, retryDelayMs: 0, maxRetryDelayMs: 0 },
      errorRetry: { maxNumRetry: 12, retryDelayMs: 500, maxRetryDelayMs: 4000 },
    },
  };

  function troubleOfHls(Hls, error) {
    const { ErrorDetails: Details, ErrorTypes: Types } = Hls;
    if (error.details === Details.LEVEL_EMPTY_ERROR) return "missing";
    if (error.type !== Types.NETWORK_ERROR) return "unplayable";
    const status = error.response?.code;
    if (status === 0 || status >= 400) return troubleOfStatus(status);
    return /timeout/i.test(error.details) ? "unreachable" : "unplayable";
  }

  function playWithHls(Hls, url) {
    // No worker: it would be made from a blob: URL, which the page's policy refuses, and
    // unpacking one stream's segments is small work.
    const hls = new Hls({
      enableWorker: false,
      backBufferLength: 90,
      playlistLoadPolicy,
    });
    const stop = (name) => {
      fail(name);
      hls.destroy();
    };
    let kind = "loading";
    let mayRecover = true;
    hls.on(Hls.Events.LEVEL_UPDATED, (_, { details }) => {
      kind = details.live ? "live" : "recorded";
      show(kind);
    });
    hls.on(Hls.Events.FRAG_LOADED, () => show(kind));
    hls.on(Hls.Events.ERROR, (_, error) => {
      const name = troubleOfHls(Hls, error);
      if (name === "expired") {
        // hls.js would go on asking. What is loaded may still be watched.
        hls.stopLoad();
        if (video.readyState < HTMLMediaElement.HAVE_FUTURE_DATA) stop(name);
        else video.addEventListener("waiting", () => stop(name), { once: true });
      } else if (!error.fatal) {
        if (error.type === Hls.ErrorTypes.NETWORK_ERROR) show("waiting");
      } else if (error.type === Hls.ErrorTypes.MEDIA_ERROR && mayRecover) {
        mayRecover = false;
        hls.recoverMediaError();
      } else {
        stop(name);
      }
    });
    keepClock(() => hls.playingDate);
    hls.loadSource(url);
    hls.attachMedia(video);
  }

  // What a browser's own HLS player does not tell: where to start, and when each second was.
  function readManifest(text) {
    const manifest = { start: null, marks: [], seconds: 0, isLive: true, isMaster: false };
    for (const line of text.split(/\r?\n/)) {
      const [, tag, value] = /^(#[A-Z-]+):?(.*)$/.exec(line) ?? [];
      if (tag === "#EXT-X-START") {
        manifest.start = parseFloat(/TIME-OFFSET=([-\d.]+)/.exec(value)?.[1]);
      } else if (tag === "#EXT-X-PROGRAM-DATE-TIME") {
        manifest.marks.push({ at: manifest.seconds, date: Date.parse(value) });
      } else if (tag === "#EXTINF") {
        manifest.seconds += parseFloat(value);
      } else if (tag === "#EXT-X-ENDLIST") {
        manifest.isLive = false;
      } else if (tag === "#EXT-X-STREAM-INF") {
        manifest.isMaster = true;
      }
    }
    return manifest;
  }

  function momentNatively(manifest) {
    const began = video.getStartDate?.(); // Safari
    if (began && !Number.isNaN(began.getTime())) {
      return new Date(began.getTime() + video.currentTime * 1000);
    }
    const mark = manifest.marks.findLast(({ at }) => at <= video.currentTime + 0.001);
    return mark ? new Date(mark.date + (video.currentTime - mark.at) * 1000) : null;
  }

  function startNatively({ start }) {
    const { seekable } = video;
    if (!Number.isFinite(start) || video.currentTime > 0.1 || seekable.length === 0) return;
    const origin = start < 0 ? seekable.end(seekable.length - 1) : seekable.start(0);
    video.currentTime = Math.max(seekable.start(0), origin + start);
  }

  // Resolves to the manifest's text, or shows the trouble and resolves to null.
  async function fetchManifest(url) {
    try {
      const response = await fetch(url);
      if (response.ok) return await response.text();
      fail(troubleOfStatus(response.status));
    } catch {
      fail("unreachable");
    }
    return null;
  }

  async function playNatively(url) {
    const text = await fetchManifest(url);
    if (text === null) return;
    const manifest = readManifest(text);
    if (manifest.seconds === 0 && !manifest.isMaster) {
      fail(text.startsWith("#EXTM3U") ? "missing" : "unplayable");
      return;
    }
    video.addEventListener("loadedmetadata", () => startNatively(manifest), { once: true });
    video.addEventListener("playing", () => show(manifest.isLive ? "live" : "recorded"));
    video.addEventListener("error", async () => {
      // The element does not say why; the manifest's status may.
      if ((await fetchManifest(url)) !== null) fail("unplayable");
    });
    keepClock(() => momentNatively(manifest));
    video.src = url;
  }

  function play() {
    const { manifest } = page.dataset;
    const Hls = window.Hls;
    if (!URL.canParse(manifest, location.href)) fail("unplayable");
    else if (new URL(manifest, location.href).origin !== location.origin) fail("elsewhere");
    else if (Hls?.isSupported()) playWithHls(Hls, manifest);
    else if (video.canPlayType("application/vnd.apple.mpegurl")) playNatively(manifest);
    else fail("unsupported");
  }

  document.getElementById("again").addEventListener("click", () => location.reload());
  play();
})();
