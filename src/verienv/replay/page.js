"use strict";
(() => {
  const all = (what) => [...document.querySelectorAll(what)];
  const frames = all(".frame");
  const links = all(".strip a");
  const controls = document.querySelector(".controls");
  const slider = controls.querySelector("input");
  const position = controls.querySelector("output");
  const play = controls.querySelector("[data-do=play]");
  const pace = 1600; // milliseconds for a frame
  let at = 0;
  let clock = 0;

  // A picture that was shown before is in the page once; here every frame gets it.
  for (const place of all("[data-of]")) {
    const picture = document.getElementById(place.dataset.of).cloneNode();
    picture.removeAttribute("id");
    place.replaceWith(picture);
  }

  function show(number) {
    at = Math.min(Math.max(number, 0), frames.length - 1);
    frames.forEach((frame, each) => { frame.hidden = each !== at; });
    links.forEach((link, each) => {
      if (each === at) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    });
    slider.value = at + 1;
    slider.setAttribute("aria-valuetext", links[at].getAttribute("aria-label"));
    position.textContent = `${at + 1} of ${frames.length}`;
    const strip = links[at].parentElement;
    strip.scrollLeft = links[at].offsetLeft - strip.offsetLeft - (strip.clientWidth - links[at].clientWidth) / 2;
    if (at === frames.length - 1) pause();
  }

  function pause() {
    clearInterval(clock);
    clock = 0;
    play.textContent = "Play";
    position.setAttribute("aria-live", "polite");
  }

  function toggle() {
    if (clock) {
      pause();
      return;
    }
    if (at === frames.length - 1) show(0);
    if (frames.length === 1) return;
    play.textContent = "Pause";
    position.setAttribute("aria-live", "off");
    clock = setInterval(() => show(at + 1), pace);
  }

  function go(number) {
    pause();
    show(number);
  }

  controls.addEventListener("click", (event) => {
    const what = event.target.dataset.do;
    if (what === "play") toggle();
    else if (what) go(what === "on" ? at + 1 : at - 1);
  });
  slider.addEventListener("input", () => go(slider.value - 1));
  links.forEach((link, number) => link.addEventListener("click", (event) => {
    event.preventDefault();
    go(number);
  }));
  document.addEventListener("keydown", (event) => {
    const here = event.target.closest("input, button, summary, a");
    if (event.altKey || event.ctrlKey || event.metaKey || (here && here === slider)) return;
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: frames.length - 1 }[event.key];
    if (to !== undefined) go(to);
    else if (event.key === " " && !here) toggle();
    else return;
    event.preventDefault();
  });

  controls.hidden = false;
  document.documentElement.classList.add("playing");
  const asked = /^#frame-([0-9]{1,4})$/.exec(location.hash);
  show(asked ? asked[1] - 1 : 0);
})();
