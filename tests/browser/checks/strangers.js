// Says what came into the page by texts of other people: elements, scripts, addresses, and text that turns the text around it.
() => {
  const found = [];
  if (window.hit) found.push("a script of somebody else ran");
  for (const each of document.querySelectorAll("[onerror], [onload], [style], style, iframe, object, embed, img, #injected"))
    if (!each.closest("svg")) found.push(`there is ${each.outerHTML.slice(0, 120)}`);
  for (const each of document.querySelectorAll("script"))
    if (!each.src || each.text) found.push(`there is the script ${each.outerHTML.slice(0, 120)}`);
  for (const each of document.querySelectorAll("a[href], form[action]"))
    if (new URL(each.href || each.action, location).origin !== location.origin) found.push(`${each.outerHTML.slice(0, 120)} leads away`);
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const {data, parentElement} = walker.currentNode;
    const turns = /[\u202a-\u202e\u2066-\u2069\u0590-\u08ff]/.test(data);
    if (turns && !parentElement.closest("bdi, h1, option, svg")) found.push(`"${data.slice(0, 80)}" can turn the text around it`);
    if (/[\u202a-\u202e]/.test(data)) found.push(`"${data.slice(0, 80)}" has a sign that turns text`);
  }
  return found;
}
