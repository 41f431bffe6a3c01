// Notes what the content security policy blocks, from the first moment of a page.
window.violations = [];
document.addEventListener("securitypolicyviolation", (event) => {
  window.violations.push(`${event.effectiveDirective} blocks ${event.blockedURI} ${event.sample}`);
});
