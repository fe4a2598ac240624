// Runs before the first paint, so that neither theme nor language changes visibly.
(() => {
  let theme = null;
  let lang = null;
  try {
    theme = localStorage.getItem("surgecast.theme");
    lang = localStorage.getItem("surgecast.lang");
  } catch {
    // Storage may be forbidden. The system's theme and the service's language are used then.
  }
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  // If the reader has not chosen a language, the page keeps the one that the service set.
  if (lang) document.documentElement.lang = lang === "zh" ? "zh-Hans" : "en";
})();
