// Names what has the focus, and says what is wrong with how that looks; nothing if the focus has left the page.
() => {
  const each = document.activeElement;
  if (!each || each === document.body) return null;
  const {top, bottom, left, right} = each.getBoundingClientRect();
  const style = getComputedStyle(each);
  let fault = "";
  if (bottom <= 0 || right <= 0 || top >= innerHeight || left >= innerWidth) fault = `is out of sight at ${left}, ${top}`;
  else if (style.outlineStyle === "none" || parseFloat(style.outlineWidth) < 2) fault = "shows no outline";
  return {name: window.nameOf(each), fault};
}
