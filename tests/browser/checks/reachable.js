// Names all that can have the focus by the Tab key, in the order of the page.
() => {
  const all = "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex='0']";
  window.nameOf = (each) => {
    const place = [...document.querySelectorAll(all)].indexOf(each);
    return `${place} ${each.tagName.toLowerCase()} ${each.className || each.id || each.name || each.textContent.trim().slice(0, 40)}`;
  };
  const isOpen = (each) => {
    const closed = each.closest("details:not([open])");
    return !closed || each.closest("summary")?.parentElement === closed && !closed.parentElement.closest("details:not([open])");
  };
  return [...document.querySelectorAll(all)].filter((each) => !each.disabled && !each.hidden && isOpen(each)).map(window.nameOf);
}
