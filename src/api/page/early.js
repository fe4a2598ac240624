// Runs before the first paint, so that neither theme nor language flashes.
(() => {
  let theme = null;
  let lang = null;
  try {
    theme = localStorage.getItem("surgecast.theme");
    lang = localStorage.getItem("surgecast.lang");
  } catch {
    // Storage may be forbidden; the system's choice stands then.
  }
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  const chinese = (lang || navigator.language || "en").startsWith("zh");
  document.documentElement.lang = chinese ? "zh-Hans" : "en";
})();
