(function () {
  "use strict";
  var root = document.documentElement;
  root.classList.add("js");

  /* Evidence opens under the line that cites it: a copy of the entry at the end of the page. */
  document.querySelectorAll("a.ref").forEach(function (link) {
    link.setAttribute("role", "button");
    link.setAttribute("aria-expanded", "false");
    link.addEventListener("keydown", function (event) {
      if (event.key === " ") { event.preventDefault(); link.click(); }
    });
    link.addEventListener("click", function (event) {
      var entry = document.getElementById(link.getAttribute("href").slice(1));
      var home = link.closest(".cites");
      if (!entry || !home || event.ctrlKey || event.metaKey || event.shiftKey) { return; }
      event.preventDefault();
      var open = link.getAttribute("aria-expanded") === "true";
      var shelf = home.querySelector(":scope > .opened");
      if (open) {
        shelf.querySelector('[data-for="' + entry.id + '"]').remove();
        if (!shelf.children.length) { shelf.remove(); }
      } else {
        if (!shelf) {
          shelf = document.createElement("div");
          shelf.className = "opened";
          shelf.setAttribute("aria-live", "polite");
          home.appendChild(shelf);
        }
        var copy = document.createElement("div");
        copy.className = "ev";
        copy.dataset.for = entry.id;
        Array.from(entry.childNodes).forEach(function (part) { copy.appendChild(part.cloneNode(true)); });
        shelf.appendChild(copy);
      }
      link.setAttribute("aria-expanded", String(!open));
    });
  });

  /* With the script every quote opens where it is cited, so the long list may wait; paper and links get it all. */
  var shelf = document.querySelector("#evidence details");
  if (shelf) {
    var unfold = function () { if (location.hash.indexOf("#ev") === 0) { shelf.open = true; } };
    shelf.open = false;
    unfold();
    addEventListener("hashchange", unfold);
    addEventListener("beforeprint", function () { shelf.open = true; });
  }

  document.querySelectorAll("button[data-copy]").forEach(function (button) {
    button.addEventListener("click", function () {
      var source = button.parentElement.querySelector("pre");
      var told = function (word) {
        button.textContent = word;
        setTimeout(function () { button.textContent = "Copy"; }, 1600);
      };
      var select = function () {
        getSelection().selectAllChildren(source);
        told("Press Ctrl+C");
      };
      if (navigator.clipboard) {
        navigator.clipboard.writeText(source.textContent).then(function () { told("Copied"); }, select);
      } else { select(); }
    });
  });

  var lanes = document.querySelector(".lanes");
  if (!lanes) { return; }
  var NS = "http://www.w3.org/2000/svg";
  var start = Number(lanes.dataset.start), length = Number(lanes.dataset.length);
  var axis = lanes.querySelector(".axis"), tracks = Array.from(lanes.querySelectorAll(".track"));
  var readout = document.querySelector(".readout"), from = 0, to = length, current = -1;
  var STEPS = [1, 5, 15, 30, 60, 300, 900, 1800, 3600, 10800, 21600, 43200, 86400, 172800, 604800, 2419200];
  var DAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
  var MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

  function two(value) { return (value < 10 ? "0" : "") + value; }
  function day(at) { return DAYS[at.getUTCDay()] + " " + two(at.getUTCDate()) + " " + MONTHS[at.getUTCMonth()]; }
  function clock(at, seconds) {
    return two(at.getUTCHours()) + ":" + two(at.getUTCMinutes()) + (seconds ? ":" + two(at.getUTCSeconds()) : "");
  }
  function moment(second) { var at = new Date(start + second * 1000); return day(at) + " " + clock(at, true) + "Z"; }
  function lasting(seconds) {
    if (seconds < 1) { return ""; }
    if (seconds < 90) { return ", " + Math.round(seconds) + " s"; }
    if (seconds < 5400) { return ", " + Math.round(seconds / 60) + " min"; }
    return ", " + (seconds / 3600).toFixed(1) + " h";
  }

  /* What a lane holds is read back from its paths, which are written in seconds since the window's start. */
  var spans = tracks.map(function (track) {
    var captions = (track.dataset.captions || "").split("\n"), found = [];
    track.querySelectorAll(".mark").forEach(function (path) {
      var each, pattern = /M([\d.e+-]+) [\d.]+v-[\d.]+h([\d.e+-]+)/g, d = path.getAttribute("d");
      while ((each = pattern.exec(d))) {
        found.push({ at: Number(each[1]), long: Number(each[2]), caption: captions[found.length] || "" });
      }
    });
    return found;
  });

  function draw() {
    var wide = axis.getBoundingClientRect().width || 600, most = Math.max(2, Math.floor(wide / 84));
    var step = STEPS.find(function (each) { return (to - from) / each <= most; }) || STEPS[STEPS.length - 1];
    var base = Math.floor(start / 1000) % 86400, grid = "";
    if (step >= 604800) { base = 0; }
    axis.textContent = "";
    for (var at = Math.ceil((from + base) / step) * step - base; at < to; at += step) {
      if (at < from) { continue; }
      var when = new Date(start + at * 1000), text = document.createElementNS(NS, "text");
      var label = clock(when, step < 60);
      if (label === "00:00" || label === "00:00:00") { label = day(when); }
      var share = (at - from) / (to - from);
      if (share * wide < wide - 56) {
        text.setAttribute("x", (share * 100).toFixed(2) + "%");
        text.setAttribute("y", "13");
        text.textContent = label;
        axis.appendChild(text);
      }
      grid += "M" + at + " 0V20";
    }
    tracks.forEach(function (track) {
      track.setAttribute("viewBox", from + " 0 " + (to - from) + " 20");
      track.querySelector(".grid").setAttribute("d", grid);
    });
  }
  function look(a, b) {
    var span = Math.min(Math.max(b - a, 5), length);
    a = Math.min(Math.max(a, 0), length - span);
    from = a;
    to = a + span;
    draw();
  }
  function zoom(factor, share) {
    var at = from + (to - from) * share, span = (to - from) * factor;
    look(at - span * share, at + span * (1 - share));
  }
  function pan(share) { var by = (to - from) * share; look(from + by, to + by); }

  /* One episode with everything that led to it: from the last start of the first step before it. */
  function episode(by) {
    var felt = lanes.querySelector(".lane-symptom .track"), list = spans[tracks.indexOf(felt)] || [];
    list = list.slice().sort(function (a, b) { return a.at - b.at; });
    if (!list.length) { return; }
    current = current < 0 && by < 0 ? list.length - 1 : (current + by + list.length) % list.length;
    var each = list[current], first = each.at, cause = lanes.querySelector(".lane-step .track");
    (spans[tracks.indexOf(cause)] || []).forEach(function (run) {
      if (run.at <= each.at && (first === each.at || run.at > first)) { first = run.at; }
    });
    var end = each.at + Math.max(each.long, 30), pad = Math.max((end - first) * 0.12, 20);
    look(first - pad, end + pad);
    say(each, "Episode " + (current + 1) + " of " + list.length);
  }
  function say(span, head) {
    readout.textContent = "";
    var strong = document.createElement("b");
    strong.textContent = head;
    readout.append(strong, " " + moment(span.at) + lasting(span.long) + (span.caption ? " \u00b7 " + span.caption : ""));
  }

  var cursor = document.createElement("div");
  cursor.className = "cursor";
  cursor.hidden = true;
  lanes.appendChild(cursor);
  function share(event) {
    var box = axis.getBoundingClientRect();
    return Math.min(Math.max((event.clientX - box.left) / box.width, 0), 1);
  }
  function point(event) {
    var box = axis.getBoundingClientRect(), home = lanes.getBoundingClientRect();
    var inside = event.clientX >= box.left && event.clientX <= box.right;
    cursor.hidden = !inside;
    if (!inside) { return; }
    cursor.style.left = event.clientX - home.left + "px";
    var at = from + (to - from) * share(event), near = (to - from) / box.width * 6;
    var row = event.target.closest(".lane"), track = row && row.querySelector(".track"), best = null, least = near;
    (spans[tracks.indexOf(track)] || []).forEach(function (span) {
      var off = at < span.at ? span.at - at : Math.max(at - span.at - span.long, 0);
      if (off <= least) { least = off; best = span; }
    });
    if (best) { say(best, row.querySelector(".lane-name").textContent); } else { readout.textContent = moment(at); }
  }

  var held = new Map(), spread = 0;
  lanes.addEventListener("pointerdown", function (event) {
    held.set(event.pointerId, event);
    spread = 0;
  });
  lanes.addEventListener("pointermove", function (event) {
    var before = held.get(event.pointerId), box = axis.getBoundingClientRect();
    if (before && held.size === 1 && event.buttons) {
      pan(-(event.clientX - before.clientX) / box.width);
    }
    if (before) { held.set(event.pointerId, event); }
    if (held.size === 2) {
      var ends = Array.from(held.values()), apart = Math.max(Math.abs(ends[0].clientX - ends[1].clientX), 10);
      var middle = share({ clientX: (ends[0].clientX + ends[1].clientX) / 2 });
      if (spread) { zoom(spread / apart, middle); }
      spread = apart;
    }
    point(event);
  });
  ["pointerup", "pointercancel", "pointerleave"].forEach(function (kind) {
    lanes.addEventListener(kind, function (event) {
      held.delete(event.pointerId);
      spread = 0;
      if (kind === "pointerleave") { cursor.hidden = true; }
    });
  });
  lanes.addEventListener("dblclick", function (event) { zoom(0.4, share(event)); });
  /* A plain wheel scrolls the page; it zooms with Ctrl, as a trackpad's pinch does, or once the timeline was picked. */
  lanes.addEventListener("wheel", function (event) {
    if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
      event.preventDefault();
      pan(event.deltaX / 600);
    } else if (event.ctrlKey || event.metaKey || document.activeElement === lanes) {
      event.preventDefault();
      zoom(Math.exp(event.deltaY * (event.ctrlKey ? 0.01 : 0.002)), share(event));
    }
  }, { passive: false });

  var acts = {
    "+": function () { zoom(0.5, 0.5); }, "=": function () { zoom(0.5, 0.5); }, "-": function () { zoom(2, 0.5); },
    "0": function () { look(0, length); }, ArrowLeft: function () { pan(-0.2); }, ArrowRight: function () { pan(0.2); },
    Home: function () { pan(-1e6); }, End: function () { pan(1e6); },
    n: function () { episode(1); }, p: function () { episode(-1); }
  };
  lanes.addEventListener("keydown", function (event) {
    if (event.ctrlKey || event.metaKey || event.altKey || !acts[event.key]) { return; }
    event.preventDefault();
    acts[event.key]();
  });
  document.querySelectorAll("button[data-act]").forEach(function (button) {
    button.addEventListener("click", function () { acts[button.dataset.act](); });
  });
  readout.textContent = "Point at a mark to read it.";
  addEventListener("resize", draw);
  draw();
})();
