// Refreshes the parts of a page that change. Without this script, or while it cannot reach the service, the page works all the same.
"use strict";

(() => {
  const LEAST_S = 2;
  const parts = () => [...document.querySelectorAll("[data-refresh][id]")];
  let timer = 0;
  let asking = false;

  // A part stays as it is while somebody is typing, choosing or selecting in it.
  function isInUse(part) {
    const focus = document.activeElement;
    const typing = part.contains(focus) && focus.matches("input:not([type=hidden]), select, textarea");
    const selection = document.getSelection();
    const selecting = selection && !selection.isCollapsed && part.contains(selection.anchorNode);
    return typing || selecting || part.querySelector("dialog[open]") !== null;
  }

  // Finds the element again after its part was replaced: by its place among all elements that can have the focus.
  const FOCUSABLE = "a[href], button, input, select, textarea, summary, [tabindex]";

  function put(part, fresh) {
    if (part.isEqualNode(fresh)) return;
    const place = [...part.querySelectorAll(FOCUSABLE)].indexOf(document.activeElement);
    const open = new Set([...part.querySelectorAll("details[open][id]")].map((each) => each.id));
    const closed = new Set([...part.querySelectorAll("details:not([open])[id]")].map((each) => each.id));
    const scrolled = [...part.querySelectorAll(".scroll")].map((each) => each.scrollLeft);
    for (const each of fresh.querySelectorAll("details[id]")) {
      if (open.has(each.id)) each.open = true;
      if (closed.has(each.id)) each.open = false;
    }
    part.replaceWith(fresh);
    [...fresh.querySelectorAll(".scroll")].forEach((each, index) => { each.scrollLeft = scrolled[index] || 0; });
    if (place >= 0) {
      const again = fresh.querySelectorAll(FOCUSABLE)[place];
      if (again) again.focus({ preventScroll: true });
    }
  }

  async function refresh() {
    if (asking) return;
    asking = true;
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" }, redirect: "error" });
      if (!answer.ok) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      for (const part of parts()) {
        const fresh = page.getElementById(part.id);
        if (fresh && !isInUse(part)) put(part, document.adoptNode(fresh));
      }
    } catch {
      // The service is being restarted, or the network is away: the next round tries again.
    } finally {
      asking = false;
    }
  }

  function plan() {
    clearTimeout(timer);
    listen();
    const every = parts().map((part) => Number(part.dataset.refresh)).filter((seconds) => seconds > 0);
    if (!every.length || document.hidden) return;
    timer = setTimeout(async () => { await refresh(); plan(); }, Math.max(LEAST_S, Math.min(...every)) * 1000);
  }

  // While a sweep is under way, the service says when something has changed; the page then reads itself at once.
  let stream = null;

  function listen() {
    const live = document.querySelector("[data-live]");
    if (!live || document.hidden) {
      if (stream) stream.close();
      stream = null;
      return;
    }
    if (stream && stream.readyState !== EventSource.CLOSED) return;
    stream = new EventSource(live.dataset.live);
    stream.addEventListener("change", refresh);
  }

  document.addEventListener("visibilitychange", async () => {
    if (!document.hidden && parts().length) await refresh();
    plan();
  });
  plan();
})();
